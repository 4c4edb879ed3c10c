//! Turns records that replace or remove rows by key into changes of a table.
//!
//! *State*: the current row of every key. *Cost*: a hash lookup per record. *Changes*: at the end of a
//! time the last record of each key counts; a row that stays equal gives nothing.

use std::ops::Range;

use pathway_types::{Batch, DType, DataError, Diffs};

use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::multimap::same_cells;
use crate::store::{KeyMap, MultiMap, RowId, new_key_map};

/// The upserting operator. Input rows with a positive diff set a row, with a negative one remove it.
pub struct Upsert {
    dtypes: Vec<DType>,
    rows: MultiMap,
    /// The last record of each key in the open time: batch and row, and whether it sets a row.
    last: KeyMap<(u32, u32, bool)>,
    batches: Vec<Batch>,
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
            unordered: false,
        }
    }

    /// For rows with these columns, whose records of one time have no order: one that sets a row wins over
    /// one that removes it.
    pub fn unordered(dtypes: Vec<DType>) -> Self {
        Upsert { unordered: true, ..Upsert::new(dtypes) }
    }
}

impl Operator for Upsert {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        let number = self.batches.len() as u32;
        for (row, key) in batch.keys.as_slice().iter().enumerate() {
            let sets = batch.diffs.get(row) > 0;
            let stays = self.unordered && !sets && self.last.get(key).is_some_and(|last| last.2);
            if !stays {
                self.last.insert(*key, (number, row as u32, sets));
            }
        }
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        let mut removed: Vec<RowId> = Vec::new();
        let mut added: Vec<Vec<u32>> = vec![Vec::new(); batches.len()];
        for (key, (batch, row, sets)) in self.last.drain() {
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
}
