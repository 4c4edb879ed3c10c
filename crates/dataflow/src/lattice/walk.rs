//! Finding the rows of a key in an index.

use std::ops::Range;

use super::arrange::TimedBatch;
use super::chunk::gallop;
use super::time::LatticeTime;

/// A position in one batch; only moves forward.
///
/// It knows its key, since most of the time a batch has nothing for the key in question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    key: u128,
    chunk: u32,
    row: u32,
    done: bool,
}

impl Cursor {
    /// At the first row.
    pub(super) fn new<T: LatticeTime>(batch: &TimedBatch<T>) -> Self {
        let mut cursor = Cursor { key: 0, chunk: 0, row: 0, done: false };
        cursor.look(batch);
        cursor
    }

    fn look<T: LatticeTime>(&mut self, batch: &TimedBatch<T>) {
        match batch.chunks.get(self.chunk as usize) {
            Some(chunk) => self.key = chunk.keys.as_slice()[self.row as usize],
            None => self.done = true,
        }
    }

    /// The key at the position.
    #[inline]
    pub(super) fn key(&self) -> Option<u128> {
        (!self.done).then_some(self.key)
    }

    /// Moves to the first row whose key is not below `key`.
    #[inline]
    pub(super) fn seek<T: LatticeTime>(&mut self, batch: &TimedBatch<T>, key: u128) {
        if !self.done && self.key < key {
            self.seek_on(batch, key);
        }
    }

    fn seek_on<T: LatticeTime>(&mut self, batch: &TimedBatch<T>, key: u128) {
        let below = |chunk: usize| batch.chunks[chunk].keys.as_slice().last().is_some_and(|last| *last < key);
        if below(self.chunk as usize) {
            self.chunk = gallop(self.chunk as usize + 1, batch.chunks.len(), below) as u32;
            self.row = 0;
        }
        if let Some(chunk) = batch.chunks.get(self.chunk as usize) {
            let keys = chunk.keys.as_slice();
            self.row = gallop(self.row as usize, keys.len(), |row| keys[row] < key) as u32;
        }
        self.look(batch);
    }

    /// Moves past the rows of `key`, if the position is at them; gives them chunk by chunk.
    #[inline]
    pub(super) fn take<T: LatticeTime>(
        &mut self,
        batch: &TimedBatch<T>,
        key: u128,
        mut take: impl FnMut(usize, Range<usize>),
    ) {
        while !self.done && self.key == key {
            let (number, start) = (self.chunk as usize, self.row as usize);
            let keys = batch.chunks[number].keys.as_slice();
            let end = gallop(start + 1, keys.len(), |row| keys[row] == key);
            take(number, start..end);
            if end < keys.len() {
                (self.row, self.key) = (end as u32, keys[end]);
                return;
            }
            (self.chunk, self.row) = (self.chunk + 1, 0);
            self.look(batch);
        }
    }
}

#[cfg(test)]
mod tests;
