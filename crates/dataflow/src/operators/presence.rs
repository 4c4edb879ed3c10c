//! Operators that keep rows by whether their ids are in other tables: intersect, difference.
//!
//! *State*: the rows of input 0 by id; of the other inputs, the number of rows per id. *Cost*: one hash
//! lookup per change and input. *Changes*: at the end of a time, the rows of each touched id that came
//! into the result or left it. Rows that share an id (which nobody should have made) share its fate.

use std::ops::Range;

use hashbrown::hash_map::Entry as MapEntry;
use smallvec::SmallVec;

use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, DType, DataError, Diffs};

use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::store::{Entry, KeyMap, MultiMap, new_key_map};

/// Which rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those whose id every other input has.
    InAll,
    /// Those whose id no other input has.
    InNone,
}

/// The rows of one id.
type Entries = SmallVec<[Entry; 1]>;

/// Keeps rows by the presence of their ids.
pub struct Presence {
    keep: Keep,
    width: usize,
    rows: MultiMap,
    /// For each other input, how many rows have an id.
    others: Vec<KeyMap<i64>>,
    /// Ids touched in the open time and what of them was in the result before it.
    touched: KeyMap<Entries>,
}

impl Presence {
    /// An operator for rows with columns of these dtypes and so many other inputs.
    pub fn new(keep: Keep, dtypes: Vec<DType>, others: usize) -> Self {
        let others = (0..others).map(|_| new_key_map()).collect();
        let width = dtypes.len();
        Presence { keep, width, rows: MultiMap::new(dtypes), others, touched: new_key_map() }
    }

    /// What of an id is in the result.
    fn kept(&self, key: u128) -> Entries {
        let has = |other: &KeyMap<i64>| other.get(&key).is_some_and(|count| *count > 0);
        let keep = match self.keep {
            Keep::InAll => self.others.iter().all(has),
            Keep::InNone => !self.others.iter().any(has),
        };
        if keep { self.rows.get(key).into() } else { Entries::new() }
    }

    fn count(&mut self, other: usize, batch: &Batch) {
        for (key, diff) in batch.keys.as_slice().iter().zip(batch.diffs.iter()) {
            match self.others[other].entry(*key) {
                MapEntry::Occupied(mut entry) => {
                    *entry.get_mut() += diff;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
                MapEntry::Vacant(entry) => {
                    entry.insert(diff);
                }
            }
        }
    }
}

impl Operator for Presence {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        for key in batch.keys.as_slice() {
            if !self.touched.contains_key(key) {
                let kept = self.kept(*key);
                self.touched.insert(*key, kept);
            }
        }
        match input {
            0 => self.rows.apply(&batch.keys.clone(), &batch),
            other => self.count(other - 1, &batch),
        }
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let (mut rows, mut diffs) = (Vec::new(), Vec::new());
        let mut change = |entry: &Entry, diff: i32| {
            if diff != 0 {
                rows.push(entry.row);
                diffs.push(i64::from(diff));
            }
        };
        for (key, before) in std::mem::take(&mut self.touched) {
            let after = self.kept(key);
            let count = |entries: &Entries, row| entries.iter().find(|e| e.row == row).map_or(0, |e| e.count);
            for entry in &before {
                change(entry, count(&after, entry.row) - entry.count);
            }
            for entry in after.iter().filter(|entry| count(&before, entry.row) == 0) {
                change(entry, entry.count);
            }
        }
        if let Some(batch) = self.rows.rows().gather_batch(&rows, 0..self.width) {
            out.emit(Batch { diffs: Diffs::from(diffs), ..batch });
        }
        self.rows.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let counts = |counts: &KeyMap<i64>| {
            let (keys, diffs): (Vec<u128>, Vec<i64>) =
                counts.iter().filter(|(key, _)| shards.contains(&((*key & SHARD_MASK) as u32))).unzip();
            Batch::new(keys.into(), vec![], diffs.into())
        };
        let others = self.others.iter().map(|other| ("ids", counts(other)));
        let rows = ("rows", self.rows.save(&shards));
        Ok(State::of_tables(std::iter::once(rows).chain(others)))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        let (given, inputs) = (state.tables.len(), self.others.len() + 1);
        if given != inputs {
            return Err(WrongState(format!("{given} inputs instead of {inputs}")));
        }
        for (input, (_, table)) in state.tables.into_iter().enumerate() {
            match input {
                0 => self.rows.load(table)?,
                other => self.count(other - 1, &table),
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let others = self.others.iter().map(KeyMap::allocation_size);
        self.rows.memory() + others.sum::<usize>() + self.touched.allocation_size()
    }

    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Presence {
    fn holds(&self, key: u128) -> bool {
        self.rows.holds(key)
            || self.touched.contains_key(&key)
            || self.others.iter().any(|other| other.contains_key(&key))
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.others.iter_mut().for_each(|other| *other = new_key_map());
        self.touched = new_key_map();
    }
}
