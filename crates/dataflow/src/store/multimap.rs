//! Rows by key, with multiplicities: the state of one input of a join or of a keyed combination.

use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, Diffs, Keys};
use smallvec::SmallVec;

use super::folder::Folder;
use super::hash::{KeyMap, new_key_map};
use super::rows::{RowId, RowStore};

/// A row under a key, and how often it is there (negative while a removal came before its insertion).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the row is stored.
    pub row: RowId,
    /// Its multiplicity, never zero.
    pub count: i32,
}

/// Rows under one key.
pub type Entries = SmallVec<[Entry; 1]>;

/// A map from keys to rows (id and columns) with multiplicities.
#[derive(Debug)]
pub struct MultiMap {
    dtypes: Vec<DType>,
    index: KeyMap<Entries>,
    rows: RowStore,
}

impl MultiMap {
    /// An empty map for rows with columns of these dtypes.
    pub fn new(dtypes: Vec<DType>) -> Self {
        MultiMap::in_folder(dtypes, None)
    }

    /// An empty map whose rows are in files, as far as that is worth it.
    pub fn in_folder(dtypes: Vec<DType>, folder: Option<Folder>) -> Self {
        MultiMap { dtypes, index: new_key_map(), rows: RowStore::new(folder) }
    }

    /// The rows under a key.
    #[inline]
    pub fn get(&self, key: u128) -> &[Entry] {
        self.index.get(&key).map_or(&[], |entries| entries)
    }

    /// Where row `row` of `batch` is stored under a key.
    pub fn find(&self, key: u128, batch: &Batch, row: usize) -> Option<RowId> {
        let entries = self.index.get(&key)?;
        find(&self.rows, &self.dtypes, entries, batch, row).map(|at| entries[at].row)
    }

    /// The stored rows, to gather from.
    pub fn rows(&self) -> &RowStore {
        &self.rows
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// True if there are rows under a key.
    pub fn holds(&self, key: u128) -> bool {
        self.index.contains_key(&key)
    }

    /// About how many bytes it takes in memory.
    pub fn memory(&self) -> usize {
        self.index.allocation_size() + self.rows.memory()
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        (self.index, self.rows) = (new_key_map(), RowStore::new(self.rows.folder()));
    }

    /// All keys and their rows.
    pub fn iter(&self) -> impl Iterator<Item = (u128, &[Entry])> {
        self.index.iter().map(|(key, entries)| (*key, entries.as_slice()))
    }

    /// Makes room for so many more keys.
    pub fn reserve(&mut self, keys: usize) {
        self.index.reserve(keys);
    }

    /// Applies changes: row `i` of `batch` is under `keys[i]`. Removed rows stay readable until
    /// [`MultiMap::tidy`].
    pub fn apply(&mut self, keys: &Keys, batch: &Batch) {
        if batch.diffs.is_ones() {
            self.insert(keys, batch);
            return;
        }
        let added: Vec<u32> = (0..batch.len() as u32).filter(|r| batch.diffs.get(*r as usize) > 0).collect();
        let removed: Vec<u32> =
            (0..batch.len() as u32).filter(|r| batch.diffs.get(*r as usize) < 0).collect();
        // Removals first: what stays unmatched is then found by the insertions.
        if !removed.is_empty() {
            self.remove(&keys.take(&removed), &batch.take(&removed));
        }
        if !added.is_empty() {
            self.insert(&keys.take(&added), &batch.take(&added));
        }
    }

    fn insert(&mut self, keys: &Keys, batch: &Batch) {
        let chunk = self.rows.insert(batch.keys.clone(), batch.columns.clone(), keys.clone());
        let mut forgotten = Vec::new();
        for (row, key) in keys.as_slice().iter().enumerate() {
            let count = batch.diffs.get(row) as i32;
            let id = RowId { chunk, row: row as u32 };
            let entries = self.index.entry(*key).or_default();
            if entries.is_empty() {
                entries.push(Entry { row: id, count });
                continue;
            }
            match find(&self.rows, &self.dtypes, entries, batch, row) {
                Some(at) => {
                    // The same row again, or the insertion that an earlier removal was waiting for.
                    forgotten.push(id);
                    if settle(entries, at, count) {
                        forgotten.push(entries.swap_remove(at).row);
                        if entries.is_empty() {
                            self.index.remove(key);
                        }
                    }
                }
                None => entries.push(Entry { row: id, count }),
            }
        }
        forgotten.into_iter().for_each(|row| self.rows.forget(row));
    }

    fn remove(&mut self, keys: &Keys, batch: &Batch) {
        let mut unmatched = Vec::new();
        for (row, key) in keys.as_slice().iter().enumerate() {
            let count = batch.diffs.get(row) as i32;
            let Some(entries) = self.index.get_mut(key) else {
                unmatched.push(row as u32);
                continue;
            };
            match find(&self.rows, &self.dtypes, entries, batch, row) {
                Some(at) => {
                    if settle(entries, at, count) {
                        self.rows.forget(entries.swap_remove(at).row);
                        if entries.is_empty() {
                            self.index.remove(key);
                        }
                    }
                }
                None => unmatched.push(row as u32),
            }
        }
        if !unmatched.is_empty() {
            let (keys, batch) = (keys.take(&unmatched), batch.take(&unmatched));
            let chunk = self.rows.insert(batch.keys.clone(), batch.columns.clone(), keys.clone());
            for (row, key) in keys.as_slice().iter().enumerate() {
                let entry =
                    Entry { row: RowId { chunk, row: row as u32 }, count: batch.diffs.get(row) as i32 };
                self.index.entry(*key).or_default().push(entry);
            }
        }
    }

    /// Merges and rewrites storage; row addresses taken before are void.
    pub fn tidy(&mut self) {
        let index = &mut self.index;
        self.rows.tidy(|key, from, to| {
            let entries = index.get_mut(&key);
            let entry = entries.and_then(|entries| entries.iter_mut().find(|e| e.row == from));
            match entry {
                Some(entry) => {
                    entry.row = to;
                    true
                }
                None => false,
            }
        });
    }

    /// All rows whose key's shard is in `shards`, under their keys; their ids are the last column.
    pub fn save(&self, shards: &std::ops::Range<u32>) -> Batch {
        let (mut rows, mut keys, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for (key, entries) in self.iter() {
            if shards.contains(&((key & pathway_types::key::SHARD_MASK) as u32)) {
                for entry in entries {
                    rows.push(entry.row);
                    keys.push(key);
                    counts.push(i64::from(entry.count));
                }
            }
        }
        let mut batch =
            self.rows.gather_batch(&rows, 0..self.dtypes.len()).unwrap_or_else(|| Batch::empty(&self.dtypes));
        let ids = std::mem::replace(&mut batch.keys, Keys::from(keys));
        batch.columns.push(ids.to_column());
        batch.diffs = Diffs::from(counts);
        batch
    }

    /// Takes up rows given by [`MultiMap::save`].
    pub fn load(&mut self, mut batch: Batch) -> Result<(), crate::operator::WrongState> {
        if batch.columns.len() != self.dtypes.len() + 1 {
            let message = format!("{} columns instead of {}", batch.columns.len(), self.dtypes.len() + 1);
            return Err(crate::operator::WrongState(message));
        }
        if let Some(ids) = batch.columns.pop() {
            let keys = std::mem::replace(&mut batch.keys, Keys::of_column(&ids));
            self.apply(&keys, &batch);
        }
        Ok(())
    }
}

/// Adds to the multiplicity of an entry; true if nothing of it is left.
fn settle(entries: &mut Entries, at: usize, count: i32) -> bool {
    entries[at].count += count;
    entries[at].count == 0
}

/// The entry that is the same row (id and cells) as row `row` of `batch`.
fn find(rows: &RowStore, dtypes: &[DType], entries: &Entries, batch: &Batch, row: usize) -> Option<usize> {
    let id = batch.keys.as_slice()[row];
    entries.iter().position(|entry| {
        rows.id(entry.row) == id && {
            same_cells(dtypes, rows.columns(entry.row), entry.row.row as usize, &batch.columns, row)
        }
    })
}

/// True if two rows hold the same cells.
pub fn same_cells(
    dtypes: &[DType],
    left: &[Column],
    left_row: usize,
    right: &[Column],
    right_row: usize,
) -> bool {
    dtypes.iter().zip(left.iter().zip(right)).all(|(dtype, (left, right))| {
        CellView::new(left, dtype).eq(left_row, &CellView::new(right, dtype), right_row)
    })
}

#[cfg(test)]
mod tests;
