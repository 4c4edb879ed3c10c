//! Adds up the diffs of equal rows and drops those that cancel.

use arrow_buffer::BooleanBufferBuilder;
use hashbrown::HashTable;

use pathway_types::view::CellView;
use pathway_types::{Batch, DType, Diffs};

/// The batch with every (key, cells) at most once and no zero diffs; order of first appearance.
///
/// A batch of additions only with distinct keys comes back as it is.
pub fn consolidate(batch: Batch, dtypes: &[DType]) -> Batch {
    if batch.len() <= 1 {
        return batch;
    }
    let views: Vec<CellView<'_>> =
        batch.columns.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
    let keys = batch.keys.as_slice();
    let hash = |row: u32| {
        let key = keys[row as usize];
        (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    };
    let same = |a: u32, b: u32| {
        keys[a as usize] == keys[b as usize] && views.iter().all(|view| view.eq(a as usize, view, b as usize))
    };
    let mut first: HashTable<u32> = HashTable::with_capacity(batch.len());
    let mut sums: Vec<i64> = batch.diffs.iter().collect();
    let mut merged = false;
    for row in 0..batch.len() as u32 {
        match first.entry(hash(row), |other| same(*other, row), |other| hash(*other)) {
            hashbrown::hash_table::Entry::Occupied(entry) => {
                sums[*entry.get() as usize] += sums[row as usize];
                sums[row as usize] = 0;
                merged = true;
            }
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(row);
            }
        }
    }
    if !merged {
        return batch;
    }
    let mut keep = BooleanBufferBuilder::new(batch.len());
    sums.iter().for_each(|sum| keep.append(*sum != 0));
    let diffs: Vec<i64> = sums.into_iter().filter(|sum| *sum != 0).collect();
    Batch { diffs: Diffs::from(diffs), ..batch.filter(&keep.finish()) }
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
