//! Finding the rows of a key in an index.

use std::ops::Range;

use super::arrange::TimedBatch;
use super::chunk::gallop;
use super::time::LatticeTime;

/// A position in one batch; only moves forward.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    chunk: usize,
    row: usize,
}

impl Cursor {
    /// The key at the position.
    #[inline]
    pub(super) fn key<T: LatticeTime>(&self, batch: &TimedBatch<T>) -> Option<u128> {
        batch.chunks.get(self.chunk).map(|chunk| chunk.keys.as_slice()[self.row])
    }

    /// Moves to the first row whose key is not below `key`.
    pub(super) fn seek<T: LatticeTime>(&mut self, batch: &TimedBatch<T>, key: u128) {
        let below = |chunk: usize| batch.chunks[chunk].keys.as_slice().last().is_some_and(|last| *last < key);
        if self.key(batch).is_none_or(|at| at >= key) {
            return;
        }
        if below(self.chunk) {
            self.chunk = gallop(self.chunk + 1, batch.chunks.len(), below);
            self.row = 0;
        }
        if let Some(chunk) = batch.chunks.get(self.chunk) {
            let keys = chunk.keys.as_slice();
            self.row = gallop(self.row, keys.len(), |row| keys[row] < key);
        }
    }

    /// Moves past the rows of `key`, if the position is at them; gives them chunk by chunk.
    pub(super) fn take<T: LatticeTime>(
        &mut self,
        batch: &TimedBatch<T>,
        key: u128,
        mut take: impl FnMut(usize, Range<usize>),
    ) {
        while self.key(batch) == Some(key) {
            let keys = batch.chunks[self.chunk].keys.as_slice();
            let end = gallop(self.row + 1, keys.len(), |row| keys[row] == key);
            take(self.chunk, self.row..end);
            if end < keys.len() {
                self.row = end;
                return;
            }
            *self = Cursor { chunk: self.chunk + 1, row: 0 };
        }
    }
}

#[cfg(test)]
mod tests;
