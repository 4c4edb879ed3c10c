//! Sorted, consolidated runs of timed rows, which differential dataflow keeps and merges.
//!
//! Rows are ordered by key, then by print ([`super::print`]), then by time; equal ones are one row
//! with the sum of their diffs. What a row *is* below its key is for the owner of the arrangement
//! to say: its columns hold everything that tells two rows apart, the row id included where it
//! matters. All work is done on positions first; columns are then gathered once per chunk.

mod advance;
mod assemble;
mod merge;
mod sort;

use std::collections::VecDeque;
use std::rc::Rc;

use arrow_buffer::ScalarBuffer;
use pathway_types::{Batch, Column, Diffs, Keys};

use super::packet::TimedPacket;
use super::time::LatticeTime;
use super::times::Times;
use crate::timely::{Antichain, AntichainRef, Chunk, pack};

pub(super) use assemble::Assembler;
pub(super) use merge::gallop;
pub(super) use sort::Sorter;

/// Most rows of a chunk.
pub(super) const CHUNK_ROWS: usize = 16 * 1024;

/// A shared run of rows.
pub struct TimedChunk<T>(Rc<Rows<T>>);

/// The lanes of a chunk, all of one length.
pub struct Rows<T> {
    pub(super) keys: Keys,
    pub(super) prints: ScalarBuffer<u128>,
    pub(super) columns: Vec<Column>,
    pub(super) times: Times<T>,
    pub(super) diffs: Diffs,
}

impl<T> Clone for TimedChunk<T> {
    fn clone(&self) -> Self {
        TimedChunk(self.0.clone())
    }
}

impl<T> Default for TimedChunk<T> {
    fn default() -> Self {
        TimedChunk(Rc::new(Rows {
            keys: Vec::new().into(),
            prints: Vec::new().into(),
            columns: Vec::new(),
            times: Times::default(),
            diffs: Diffs::Ones(0),
        }))
    }
}

impl<T> std::ops::Deref for TimedChunk<T> {
    type Target = Rows<T>;
    fn deref(&self) -> &Rows<T> {
        &self.0
    }
}

impl<T: LatticeTime> Rows<T> {
    /// What tells rows apart, and their order, up to the time.
    #[inline]
    pub(super) fn identity(&self, row: usize) -> (u128, u128) {
        (self.keys.as_slice()[row], self.prints[row])
    }
}

impl<T: LatticeTime> TimedChunk<T> {
    pub(super) fn new(rows: Rows<T>) -> Self {
        debug_assert!(
            (1..rows.keys.len()).all(|row| {
                (rows.identity(row - 1), rows.times.rank(row - 1))
                    < (rows.identity(row), rows.times.rank(row))
            }),
            "the rows of a chunk ascend"
        );
        TimedChunk(Rc::new(rows))
    }

    /// A range of the rows, without copying cells.
    fn slice(&self, offset: usize, len: usize) -> Self {
        if offset == 0 && len == self.keys.len() {
            return self.clone();
        }
        TimedChunk(Rc::new(Rows {
            keys: self.keys.slice(offset, len),
            prints: self.prints.slice(offset, len),
            columns: self.columns.iter().map(|column| column.slice(offset, len)).collect(),
            times: self.times.slice(offset, len),
            diffs: self.diffs.slice(offset, len),
        }))
    }

    /// The rows at these ascending positions.
    fn take(&self, rows: &[u32]) -> Self {
        let batch =
            Batch { keys: self.keys.clone(), columns: self.columns.clone(), diffs: self.diffs.clone() };
        let Batch { keys, columns, diffs } = batch.take(rows);
        let prints = rows.iter().map(|row| self.prints[*row as usize]).collect();
        TimedChunk(Rc::new(Rows { keys, prints, columns, times: self.times.take(rows), diffs }))
    }

    /// Chunks that follow each other as one.
    fn concat(chunks: &[TimedChunk<T>]) -> Self {
        let batches: Vec<Batch> = chunks.iter().map(|chunk| chunk.packet().batch).collect();
        let Batch { keys, columns, diffs } = Batch::concat(&batches);
        let prints: Vec<u128> = chunks.iter().flat_map(|chunk| chunk.prints.iter().copied()).collect();
        let times = Times::concat(chunks.iter().map(|chunk| &chunk.times));
        TimedChunk::new(Rows { keys, prints: prints.into(), columns, times, diffs })
    }

    /// The rows as changes.
    pub(super) fn packet(&self) -> TimedPacket<T> {
        let batch =
            Batch { keys: self.keys.clone(), columns: self.columns.clone(), diffs: self.diffs.clone() };
        TimedPacket { batch, times: self.times.clone() }
    }
}

impl<T: LatticeTime> Chunk for TimedChunk<T> {
    type Time = T;
    const TARGET: usize = CHUNK_ROWS;

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn merge(left: &mut VecDeque<Self>, right: &mut VecDeque<Self>, out: &mut VecDeque<Self>) {
        merge::merge(left, right, out);
    }

    fn extract(
        input: &mut VecDeque<Self>,
        frontier: AntichainRef<'_, T>,
        residual: &mut Antichain<T>,
        keep: &mut VecDeque<Self>,
        ship: &mut VecDeque<Self>,
    ) {
        let Some(chunk) = input.pop_front() else { return };
        let used = chunk.times.used();
        let table = chunk.times.table();
        let kept: Vec<bool> =
            table.iter().zip(&used).map(|(time, used)| *used && frontier.less_equal(time)).collect();
        for (time, _) in table.iter().zip(&kept).filter(|(_, kept)| **kept) {
            residual.insert_ref(time);
        }
        if used == kept {
            return keep.push_back(chunk);
        }
        if !kept.contains(&true) {
            return ship.push_back(chunk);
        }
        let is_kept = |row: &u32| kept[chunk.times.rank(*row as usize) as usize];
        let (kept, shipped): (Vec<u32>, Vec<u32>) = (0..chunk.keys.len() as u32).partition(is_kept);
        keep.push_back(chunk.take(&kept));
        ship.push_back(chunk.take(&shipped));
    }

    fn advance(
        input: &mut VecDeque<Self>,
        frontier: AntichainRef<'_, T>,
        done: bool,
        out: &mut VecDeque<Self>,
    ) {
        advance::advance(input, frontier, done, out);
    }

    fn settle(input: &mut VecDeque<Self>, done: bool, out: &mut VecDeque<Self>) {
        let split = |chunk: TimedChunk<T>, rows: usize| {
            (chunk.slice(0, rows), chunk.slice(rows, chunk.keys.len() - rows))
        };
        pack(input, done, out, |run| TimedChunk::concat(&run), split, |chunk| chunk);
    }
}

#[cfg(test)]
mod tests;
