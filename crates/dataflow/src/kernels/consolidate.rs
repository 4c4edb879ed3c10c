//! Adds up the diffs of equal rows and drops those that cancel.

use arrow_buffer::BooleanBufferBuilder;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use pathway_types::key::KeyHasher;
use pathway_types::view::CellView;
use pathway_types::{Batch, DType, Diffs, Key};

use crate::kernels::fold;

/// The batch with every (key, cells) at most once and no zero diffs; order of first appearance.
///
/// A batch of distinct rows comes back as it is.
pub fn consolidate(batch: Batch, dtypes: &[DType]) -> Batch {
    if batch.len() <= 1 {
        return batch;
    }
    let views: Vec<CellView<'_>> =
        batch.columns.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
    let keys = batch.keys.as_slice();
    let same = |a: u32, b: u32| views.iter().all(|view| view.eq(a as usize, view, b as usize));
    // Nearly always a key has few changes, and its hash alone finds them. Where keys have many, their
    // cells are hashed too.
    let by_key = |row: u32| fold(keys[row as usize]);
    let sums = add_up(&batch, by_key, same, COMPARISONS * batch.len()).unwrap_or_else(|| {
        let hashes = content_hashes(keys, &views);
        add_up(&batch, |row| hashes[row as usize], same, usize::MAX).unwrap_or_default()
    });
    let Some(sums) = sums else { return batch };
    let mut keep = BooleanBufferBuilder::new(batch.len());
    sums.iter().for_each(|sum| keep.append(*sum != 0));
    let diffs: Vec<i64> = sums.into_iter().filter(|sum| *sum != 0).collect();
    Batch { diffs: Diffs::from(diffs), ..batch.filter(&keep.finish()) }
}

/// Comparisons of different rows with one key, per row, before their cells are hashed.
const COMPARISONS: usize = 8;

/// The diffs added up at the first of each group of equal rows; `Some(None)` if all rows are distinct,
/// `None` if that would take more than `patience` comparisons of different rows.
fn add_up(
    batch: &Batch,
    hash: impl Fn(u32) -> u64,
    same: impl Fn(u32, u32) -> bool,
    patience: usize,
) -> Option<Option<Vec<i64>>> {
    let keys = batch.keys.as_slice();
    let mut first: HashTable<u32> = HashTable::with_capacity(batch.len());
    let mut sums: Vec<i64> = batch.diffs.iter().collect();
    let (mut merged, mut compared) = (false, 0);
    for row in 0..batch.len() as u32 {
        let equal = |other: &u32| {
            let equal_key = keys[*other as usize] == keys[row as usize];
            let equal = equal_key && same(*other, row);
            compared += usize::from(equal_key && !equal);
            equal
        };
        match first.entry(hash(row), equal, |other| hash(*other)) {
            Entry::Occupied(entry) => {
                sums[*entry.get() as usize] += sums[row as usize];
                sums[row as usize] = 0;
                merged = true;
            }
            Entry::Vacant(entry) => {
                entry.insert(row);
            }
        }
        if compared > patience {
            return None;
        }
    }
    Some(merged.then_some(sums))
}

/// A hash of each row: of its key and of its cells.
fn content_hashes(keys: &[u128], views: &[CellView<'_>]) -> Vec<u64> {
    let mut hasher = KeyHasher::default();
    let hash = |(row, key): (usize, &u128)| {
        hasher.clear();
        hasher.pointer(Key(*key));
        for view in views {
            // Errors and pending cells have no hash of their own; they are told apart by comparison.
            if view.hash(row, &mut hasher).is_err() {
                hasher.none();
            }
        }
        fold(hasher.finish().0)
    };
    keys.iter().enumerate().map(hash).collect()
}

/// Removals first, then additions, each in order.
pub fn removals_first(batch: Batch) -> (Batch, Batch) {
    if batch.diffs.is_ones() {
        return (batch.slice(0, 0), batch);
    }
    let part = |negative: bool| {
        let rows: Vec<u32> =
            (0..batch.len() as u32).filter(|r| (batch.diffs.get(*r as usize) < 0) == negative).collect();
        batch.take(&rows)
    };
    (part(true), part(false))
}

#[cfg(test)]
mod tests;
