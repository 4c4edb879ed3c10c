//! Tables as streams of events, and back: `to_stream`, `stream_to_table`, `unpack_snapshots`, and rows
//! that are there for one time only.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};

use pathway_types::{Batch, Column, DType, DataError, Diffs, ErrorKind, Key, Value};

use crate::context::{Context, Failure, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{KeySet, MultiMap, RowId};

/// An event for each id that changes: its new row, or, if it has none any more, its old one (`to_stream`).
///
/// *State*: none. The last column of the events says whether there is a row.
pub struct ToStream {
    dtypes: Vec<DType>,
    batches: Vec<Batch>,
}

impl ToStream {
    /// For rows with columns of these dtypes.
    pub fn new(dtypes: Vec<DType>) -> Self {
        ToStream { dtypes, batches: Vec::new() }
    }
}

/// Insertions of rows, with a last column that says for each whether it is one.
fn events(batch: Batch) -> Batch {
    let flags: BooleanArray = batch.diffs.iter().map(|diff| Some(diff > 0)).collect();
    let mut columns = batch.columns;
    columns.push(Column::new(Arc::new(flags)));
    let diffs = Diffs::Ones(batch.keys.len());
    Batch::new(batch.keys, columns, diffs)
}

impl Operator for ToStream {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        let batch = consolidate(Batch::concat(&batches), &self.dtypes);
        let ids = batch.keys.as_slice();
        let added = |row: usize| batch.diffs.get(row) > 0;
        let there: KeySet = (0..batch.len()).filter(|row| added(*row)).map(|row| ids[row]).collect();
        let rows = (0..batch.len()).filter(|row| added(*row) || !there.contains(&ids[*row]));
        let rows: Vec<u32> = rows.map(|row| row as u32).collect();
        out.emit(events(if rows.len() == batch.len() { batch } else { batch.take(&rows) }));
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        stateless("to_stream", &state)
    }
}

fn stateless(operation: &str, state: &State) -> Result<(), WrongState> {
    if state.tables.is_empty() { Ok(()) } else { Err(WrongState(format!("{operation} keeps no state"))) }
}

/// Refuses removals: they end the run. Gives the rows as they are.
pub fn append_only(batch: Batch, context: &Context, site: &Site) -> Batch {
    let removed = if batch.diffs.is_ones() { None } else { batch.diffs.iter().position(|diff| diff < 0) };
    let Some(row) = removed else { return batch };
    let (diff, key) = (batch.diffs.get(row), batch.keys.get(row));
    let message = format!("Expected table to be append-only, but got diff={diff} for key: {key}");
    context.fail(Failure::Data { site: site.clone(), error: DataError::new(ErrorKind::Value, message) });
    Batch::default()
}

/// Refuses removals among events: they end the run, or are reported and left out.
pub fn events_only(batch: Batch, context: &Context, site: &Site) -> Batch {
    if batch.diffs.is_ones() {
        return batch;
    }
    let mut events = Vec::with_capacity(batch.len());
    for row in 0..batch.len() {
        if batch.diffs.get(row) > 0 {
            events.push(row as u32);
            continue;
        }
        let key = batch.keys.get(row);
        let message = format!("Expected table to be append-only, but got deletion for key: {key}");
        context.data_error(site, &DataError::new(ErrorKind::Engine, message));
    }
    batch.take(&events)
}

/// Rows that set and remove rows by id, from events whose first column says which. Events that do not
/// say it are reported and left out.
pub fn upserts(events: Batch, context: &Context, site: &Site) -> Batch {
    let mut events = events_only(events, context, site);
    if events.is_empty() {
        return events;
    }
    let flag = events.columns.remove(0);
    let flags: &BooleanArray = flag.array().as_boolean();
    let sets = flags.values();
    if flags.null_count() == 0 && sets.count_set_bits() == sets.len() {
        return events;
    }
    let mut known = Vec::with_capacity(events.len());
    for row in 0..events.len() {
        if flags.is_valid(row) {
            known.push(row as u32);
        } else {
            context.data_error(site, &DataError::skipped("flag of stream_to_table"));
        }
    }
    let diffs: Vec<i64> = known.iter().map(|row| if sets.value(*row as usize) { 1 } else { -1 }).collect();
    Batch { diffs: diffs.into(), ..events.take(&known) }
}

/// Rows that remove rows with columns of these dtypes by id, one for each insertion.
pub fn removals(events: Batch, dtypes: &[DType], context: &Context, site: &Site) -> Batch {
    let events = events_only(events, context, site);
    let columns = dtypes.iter().map(|dtype| Column::nulls(dtype, events.len())).collect();
    let diffs = vec![-1; events.len()];
    Batch::new(events.keys, columns, diffs.into())
}

/// Whenever the table changes, all its rows with new ids (`unpack_snapshots`).
///
/// *State*: the rows. *Cost*: all rows for each time at which some change. A second input has a row
/// whenever one changes on any worker.
pub struct Snapshots {
    width: usize,
    rows: MultiMap,
    changed: bool,
}

impl Snapshots {
    /// For rows with columns of these dtypes.
    pub fn new(dtypes: Vec<DType>) -> Self {
        Snapshots { width: dtypes.len(), rows: MultiMap::new(dtypes), changed: false }
    }
}

impl Operator for Snapshots {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        if input == 1 {
            self.changed = true;
        } else {
            self.rows.apply(&batch.keys.clone(), &batch);
        }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let there = self.rows.iter().flat_map(|(_, entries)| entries).filter(|entry| entry.count > 0);
        let rows: Vec<RowId> = there.map(|entry| entry.row).collect();
        if let Some(mut batch) = self.rows.rows().gather_batch(&rows, 0..self.width) {
            let time = Value::Int(progress.time as i64);
            let fresh = |id: &u128| Key::of(&[Value::Pointer(Key(*id)), time.clone()]).unwrap_or_default().0;
            batch.keys = batch.keys.as_slice().iter().map(fresh).collect::<Vec<u128>>().into();
            out.emit(batch);
        }
        self.rows.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn memory(&self) -> usize {
        self.rows.memory()
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("rows", self.rows.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.rows.load(table))
    }
}

/// One row without columns, to tell other workers that there are some.
pub fn sign(batch: &Batch) -> Batch {
    if batch.is_empty() { Batch::default() } else { batch.slice(0, 1).project(&[]) }
}

/// Changes of each time, taken back at the odd time after it (`_forget_immediately`).
///
/// *State*: none.
pub struct Moment;

impl Operator for Moment {
    fn apply(&mut self, _input: usize, batch: Batch, progress: &Progress, out: &mut Emitter) {
        // What comes at an odd time is gone as it comes.
        if progress.time & 1 == 0 {
            out.emit_at(progress.time + 1, batch.negate());
            out.emit(batch);
        }
    }
    fn flush(&mut self, _progress: &Progress, _out: &mut Emitter) {}
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, state: State) -> Result<(), WrongState> {
        stateless("_forget_immediately", &state)
    }
}
