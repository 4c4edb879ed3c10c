//! Turns records that replace or remove rows by key into changes of a table.
//!
//! *State*: the current row of every key. *Cost*: a hash lookup per record. *Changes*: at the end of a
//! time the last record of each key counts; a row that stays equal gives nothing. A record may leave cells
//! as they are (they are pending in it), and some remove all rows before them, each those of its shard: records of
//! a time that several workers had noted may follow each other on one, so that a record counts for its shard only.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;
use pathway_io::CLEAR;
use pathway_types::key::SHARD_MASK;
use pathway_types::view::CellView;
use pathway_types::{Batch, ColumnBuilder, DType, DataError, Diffs, Value};

use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::multimap::same_cells;
use crate::store::{KeyMap, MultiMap, RowId, new_key_map};

/// The upserting operator. Input rows with a positive diff set a row, with a negative one remove it.
pub struct Upsert {
    dtypes: Vec<DType>,
    rows: MultiMap,
    /// The last record of each key in the open time: batch and row, and whether it sets a row.
    last: KeyMap<(u32, u32, bool)>,
    batches: Vec<Batch>,
    /// Bytes of these.
    bytes: usize,
    /// The shards of which, in the open time, all rows were removed before what is in `last`.
    cleared: Shards,
    /// Records of one time have no order: those that set a row win.
    unordered: bool,
}

impl Upsert {
    /// For rows with these columns.
    pub fn new(dtypes: Vec<DType>) -> Self {
        Upsert {
            rows: MultiMap::new(dtypes.clone()),
            dtypes,
            last: new_key_map(),
            batches: Vec::new(),
            bytes: 0,
            cleared: Shards::default(),
            unordered: false,
        }
    }

    /// For rows with these columns, whose records of one time have no order: one that sets a row wins over
    /// one that removes it.
    pub fn unordered(dtypes: Vec<DType>) -> Self {
        Upsert { unordered: true, ..Upsert::new(dtypes) }
    }

    /// The batch with the cells that its records leave as they are.
    fn complete(&self, mut batch: Batch) -> Batch {
        if batch.columns.iter().all(|column| column.pending().is_none()) {
            return batch;
        }
        let before = self.records_before(&batch);
        for (number, dtype) in self.dtypes.iter().enumerate() {
            let column = batch.columns[number].clone();
            let Some(kept) = column.pending() else { continue };
            let view = CellView::new(&column, dtype);
            // Cells of earlier rows of the batch may be looked at by later ones.
            let mut values: Vec<Value> = Vec::with_capacity(batch.len());
            for (row, before) in before.iter().enumerate() {
                values.push(match (kept.value(row), before) {
                    (false, _) => view.value(row),
                    (true, Before::Here(earlier)) => values[*earlier].clone(),
                    (true, Before::InTime(earlier, row)) => {
                        self.batches[*earlier].columns[number].value(dtype, *row)
                    }
                    (true, Before::Stored(stored)) => {
                        self.rows.rows().columns(*stored)[number].value(dtype, stored.row as usize)
                    }
                    // The row was refused when it came first.
                    (true, Before::Nowhere) => Value::Error,
                });
            }
            let mut builder = ColumnBuilder::new(dtype, values.len());
            values.iter().for_each(|value| builder.push(value));
            batch.columns[number] = builder.finish();
        }
        batch
    }

    /// For each record of the batch the one before it of the same key.
    fn records_before(&self, batch: &Batch) -> Vec<Before> {
        let mut here: KeyMap<Option<usize>> = new_key_map();
        let mut cleared = Shards::default();
        let mut before = Vec::with_capacity(batch.len());
        for (row, key) in batch.keys.as_slice().iter().enumerate() {
            let diff = batch.diffs.get(row);
            if diff == CLEAR {
                before.push(Before::Nowhere);
                if let Some(these) = end_of_clearing(batch, row) {
                    here.retain(|key, _| !these.has(*key));
                    cleared.add(&these);
                }
                continue;
            }
            before.push(match (here.get(key), self.last.get(key)) {
                (Some(Some(earlier)), _) => Before::Here(*earlier),
                (Some(None), _) => Before::Nowhere,
                (None, _) if cleared.has(*key) => Before::Nowhere,
                (None, Some((number, row, true))) => Before::InTime(*number as usize, *row as usize),
                (None, Some(_)) => Before::Nowhere,
                (None, None) if self.cleared.has(*key) => Before::Nowhere,
                (None, None) => {
                    self.rows.get(*key).first().map_or(Before::Nowhere, |entry| Before::Stored(entry.row))
                }
            });
            here.insert(*key, (diff > 0).then_some(row));
        }
        before
    }
}

/// A set of shards.
#[derive(Debug, Default)]
struct Shards(Option<Box<[u64]>>);

impl Shards {
    const ALL: usize = SHARD_MASK as usize + 1;

    /// The word and the bit of the shard of a key.
    fn place(key: u128) -> (usize, u64) {
        let shard = (key & SHARD_MASK) as usize;
        (shard / 64, 1 << (shard % 64))
    }

    fn has(&self, key: u128) -> bool {
        let (word, bit) = Self::place(key);
        self.0.as_ref().is_some_and(|words| words[word] & bit != 0)
    }

    fn words(&mut self) -> &mut [u64] {
        self.0.get_or_insert_with(|| vec![0; Self::ALL / 64].into())
    }

    fn insert(&mut self, key: u128) {
        let (word, bit) = Self::place(key);
        self.words()[word] |= bit;
    }

    fn add(&mut self, others: &Shards) {
        if let Some(others) = &others.0 {
            self.words().iter_mut().zip(others).for_each(|(word, other)| *word |= other);
        }
    }
}

/// If this record is the last of those in a row that remove all rows of their shards, these shards.
fn end_of_clearing(batch: &Batch, row: usize) -> Option<Shards> {
    let clears = |row: &usize| batch.diffs.get(*row) == CLEAR;
    if row + 1 < batch.len() && clears(&(row + 1)) {
        return None;
    }
    let mut shards = Shards::default();
    (0..=row).rev().take_while(clears).for_each(|row| shards.insert(batch.keys.as_slice()[row]));
    Some(shards)
}

/// Where the record before another one of the same key is.
enum Before {
    /// In the same batch.
    Here(usize),
    /// In an earlier batch of the open time.
    InTime(usize, usize),
    Stored(RowId),
    /// There is none.
    Nowhere,
}

impl Operator for Upsert {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        let batch = self.complete(batch);
        let number = self.batches.len() as u32;
        self.last.reserve(batch.len());
        for (row, key) in batch.keys.as_slice().iter().enumerate() {
            let diff = batch.diffs.get(row);
            if diff == CLEAR {
                if let Some(these) = end_of_clearing(&batch, row) {
                    self.last.retain(|key, _| !these.has(*key));
                    self.cleared.add(&these);
                }
                continue;
            }
            let sets = diff > 0;
            let stays = self.unordered && !sets && self.last.get(key).is_some_and(|last| last.2);
            if !stays {
                self.last.insert(*key, (number, row as u32, sets));
            }
        }
        self.bytes += batch.memory_size();
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        self.bytes = 0;
        let mut removed: Vec<RowId> = Vec::new();
        let mut added: Vec<Vec<u32>> = vec![Vec::new(); batches.len()];
        let cleared = std::mem::take(&mut self.cleared);
        if cleared.0.is_some() {
            let unnamed =
                self.rows.iter().filter(|(key, _)| cleared.has(*key) && !self.last.contains_key(key));
            removed.extend(unnamed.filter_map(|(_, entries)| Some(entries.first()?.row)));
        }
        // Its room is not kept: a first time may have as many records as all others have together.
        for (key, (batch, row, sets)) in std::mem::replace(&mut self.last, new_key_map()) {
            let old = self.rows.get(key).first().map(|entry| entry.row);
            if let (Some(old), true) = (old, sets) {
                let new = &batches[batch as usize].columns;
                let stored = self.rows.rows().columns(old);
                if same_cells(&self.dtypes, stored, old.row as usize, new, row as usize) {
                    continue;
                }
            }
            removed.extend(old);
            if sets {
                added[batch as usize].push(row);
            }
        }
        let keys = added.iter().map(Vec::len).sum::<usize>().saturating_sub(removed.len());
        let mut changes = Vec::new();
        if let Some(mut batch) = self.rows.rows().gather_batch(&removed, 0..self.dtypes.len()) {
            batch.diffs = vec![-1; removed.len()].into();
            changes.push(batch);
        }
        for (batch, mut rows) in batches.iter().zip(added) {
            if !rows.is_empty() {
                rows.sort_unstable();
                let mut batch = batch.take(&rows);
                batch.diffs = Diffs::Ones(rows.len());
                changes.push(batch);
            }
        }
        self.rows.reserve(keys);
        for batch in changes {
            self.rows.apply(&batch.keys.clone(), &batch);
            out.emit(batch);
        }
        self.rows.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("rows", self.rows.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.rows.load(table))
    }

    fn memory(&self) -> usize {
        self.rows.memory() + self.last.allocation_size() + self.bytes
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Upsert {
    fn holds(&self, key: u128) -> bool {
        self.last.contains_key(&key) || self.rows.holds(key)
    }

    fn clear(&mut self) {
        self.rows.clear();
    }

    fn sweeping(&self, batch: &Batch) -> Option<BooleanBuffer> {
        let clears = |row| batch.diffs.get(row) == CLEAR;
        let any = !batch.diffs.is_ones() && (0..batch.len()).any(clears);
        any.then(|| (0..batch.len()).map(clears).collect())
    }
}
