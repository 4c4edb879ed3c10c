//! The table that events of calls (`calls`) make.
//!
//! Two forms. *Settled*: the last result of every row that has one. *With pending rows*: every row
//! of the calls' input, pending from the time it came until the result of that very change is there;
//! results of changes that have been superseded are not shown.
//!
//! Inputs: events and, for the second form, the rows as the calls saw them. *State*: the current row
//! of every key with the time of the change behind it. *Cost*: a hash lookup per change and event.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array};
use arrow_buffer::BooleanBuffer;
use pathway_types::{Batch, Column, DType, DataError, Diffs, Timestamp};

use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{KeyMap, MultiMap, RowId, new_key_map};

/// The input with events.
const EVENTS: usize = 0;

/// Makes a table of events.
pub struct Answers {
    /// The dtypes of the rows of the calls' input, in the form with pending rows.
    rows: Option<Vec<DType>>,
    /// The dtypes of the output.
    outputs: Vec<DType>,
    /// Time of the change, then the output columns.
    current: MultiMap,
    changes: Vec<Batch>,
    events: Vec<Batch>,
}

/// An event, or the current state of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    /// The time of the change that caused it.
    time: i64,
    /// It sets a result, which wins over a removal of the same time.
    sets: bool,
}

impl Answers {
    /// For events whose columns after the time are `outputs`; `rows` are the dtypes of the second
    /// input, if pending rows are wanted.
    pub fn new(outputs: Vec<DType>, rows: Option<Vec<DType>>) -> Self {
        let stored = std::iter::once(DType::Int).chain(outputs.iter().cloned()).collect();
        Answers { rows, outputs, current: MultiMap::new(stored), changes: vec![], events: vec![] }
    }

    fn current_of(&self, key: u128) -> Option<(RowId, i64)> {
        let row = self.current.get(key).first()?.row;
        Some((row, times(&self.current.rows().columns(row)[0]).value(row.row as usize)))
    }

    /// Replaces the current rows of some keys, and emits the change into `out`.
    fn replace(&mut self, removed: &[RowId], added: Option<Batch>, out: &mut Vec<Batch>) {
        let width = self.outputs.len() + 1;
        if let Some(mut batch) = self.current.rows().gather_batch(removed, 0..width) {
            batch.diffs = Diffs::from(vec![-1; removed.len()]);
            self.current.apply(&batch.keys.clone(), &batch);
            out.push(batch);
        }
        if let Some(batch) = added {
            self.current.apply(&batch.keys.clone(), &batch);
            out.push(batch);
        }
    }

    /// Changes of the calls' input: what came is pending.
    fn take_changes(&mut self, dtypes: &[DType], time: Timestamp, out: &mut Vec<Batch>) {
        let changes = consolidate(Batch::concat(&std::mem::take(&mut self.changes)), dtypes);
        let (removals, additions) = removals_first(changes);
        let gone = removals.keys.as_slice().iter().chain(additions.keys.as_slice());
        let mut removed: Vec<RowId> = gone.filter_map(|key| Some(self.current_of(*key)?.0)).collect();
        removed.sort_unstable();
        removed.dedup();
        let added = (!additions.is_empty()).then(|| {
            let len = additions.len();
            let time = Column::new(std::sync::Arc::new(Int64Array::from(vec![time as i64; len])));
            let pending = |dtype| Column::nulls(dtype, len).with_pending(Some(BooleanBuffer::new_set(len)));
            let columns = std::iter::once(time).chain(self.outputs.iter().map(pending)).collect();
            Batch::new(additions.keys, columns, Diffs::Ones(len))
        });
        self.replace(&removed, added, out);
    }

    /// Events: the last one of each key counts, by the time of the change that caused it.
    fn take_events(&mut self, out: &mut Vec<Batch>) {
        let events = Batch::concat(&std::mem::take(&mut self.events));
        if events.is_empty() {
            return;
        }
        let (causes, status) = (times(&events.columns[0]), events.columns[1].array());
        let mut last: KeyMap<(Cause, u32)> = new_key_map();
        for (row, key) in events.keys.as_slice().iter().enumerate() {
            let cause = Cause { time: causes.value(row), sets: status.is_valid(row) };
            last.entry(*key)
                .and_modify(|known| {
                    if cause >= known.0 {
                        *known = (cause, row as u32);
                    }
                })
                .or_insert((cause, row as u32));
        }
        let (mut removed, mut set) = (Vec::new(), Vec::new());
        for (key, (cause, row)) in last {
            let current = self.current_of(key);
            let applies = match (self.rows.is_some(), current, cause.sets) {
                // The row was removed or came again meanwhile; removals were seen in the input already.
                (true, None, _) | (true, _, false) | (false, None, false) => false,
                (true, Some((_, time)), true) => time == cause.time,
                (false, None, true) => true,
                (false, Some((_, time)), true) => time <= cause.time,
                (false, Some((_, time)), false) => time < cause.time,
            };
            if applies {
                removed.extend(current.map(|(row, _)| row));
                set.extend(cause.sets.then_some(row));
            }
        }
        set.sort_unstable();
        let added = (!set.is_empty()).then(|| events.take(&set));
        self.replace(&removed, added, out);
    }
}

fn times(column: &Column) -> &Int64Array {
    column.array().as_primitive::<Int64Type>()
}

impl Operator for Answers {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        if input == EVENTS { self.events.push(batch) } else { self.changes.push(batch) }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        let mut changes = Vec::new();
        if let Some(dtypes) = self.rows.clone() {
            self.take_changes(&dtypes, progress.time, &mut changes);
        }
        self.take_events(&mut changes);
        // What is emitted has no time: a row that got the same result again has not changed.
        let columns: Vec<usize> = (1..=self.outputs.len()).collect();
        let changes: Vec<Batch> = changes.iter().map(|batch| batch.project(&columns)).collect();
        let (removals, additions) = removals_first(consolidate(Batch::concat(&changes), &self.outputs));
        out.emit(removals);
        out.emit(additions);
        self.current.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("current", self.current.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.current.load(table))
    }

    fn memory(&self) -> usize {
        self.current.memory()
    }
}

#[cfg(test)]
mod tests;
