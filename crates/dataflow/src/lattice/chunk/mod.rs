//! Sorted, consolidated runs of timed rows, which differential dataflow keeps and merges.
//!
//! Updates are ordered by key, then by print ([`super::print`]), then by time; equal ones are one
//! with the sum of their diffs. The cells of a row are there once, however many updates it has: in
//! a loop a row comes and goes from round to round. What a row *is* below its key is for the owner
//! of the arrangement to say: its columns hold everything that tells two rows apart, the row id
//! included where it matters. All work is done on positions first; columns are then gathered once
//! per chunk.

mod advance;
mod assemble;
mod counts;
mod merge;
mod sort;
mod sums;
mod totals;
mod weight;

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use arrow_buffer::ScalarBuffer;
use pathway_types::{Batch, Column, Keys};

use super::fitted;
use super::packet::TimedPacket;
use super::print::Prints;
use super::time::LatticeTime;
use super::times::Times;
use crate::timely::{Antichain, AntichainRef, Chunk, pack};

pub(super) use assemble::Assembler;
use counts::Counts;
pub(super) use merge::gallop;
pub(super) use sort::Sorter;
pub(super) use sums::Sums;
pub(super) use weight::Scales;
use weight::Weight;

/// Most updates of a chunk.
pub(super) const CHUNK_UPDATES: usize = 16 * 1024;

/// A shared run of rows with their updates.
pub struct TimedChunk<T>(Rc<Rows<T>>);

/// The lanes of a chunk. Rows ascend; a row is repeated, with later times, only where chunks were
/// put together.
pub struct Rows<T> {
    pub(super) keys: Keys,
    pub(super) prints: Prints,
    pub(super) columns: Vec<Column>,
    /// Where the updates of each row end. Without it each row has one update.
    ends: Option<ScalarBuffer<u32>>,
    /// The time of each update.
    pub(super) times: Times<T>,
    /// The diff of each update; one, where updates carry numbers instead.
    pub(super) diffs: Counts,
    /// The numbers that updates carry.
    pub(super) sums: Sums,
    weight: Weight,
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
            prints: Prints::Same,
            columns: Vec::new(),
            ends: None,
            times: Times::default(),
            diffs: Counts::Ones(0),
            sums: Sums::default(),
            weight: Weight::default(),
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
    /// The number of rows.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    /// What tells rows apart, and their order.
    #[inline]
    pub(super) fn identity(&self, row: usize) -> (u128, u128) {
        (self.keys.as_slice()[row], self.prints.get(row))
    }

    /// The first update of a row (of the row after the last: the number of updates).
    #[inline]
    pub(super) fn start(&self, row: usize) -> usize {
        match &self.ends {
            None => row,
            Some(_) if row == 0 => 0,
            Some(ends) => ends[row - 1] as usize,
        }
    }

    /// The updates of a row.
    #[inline]
    pub(super) fn updates(&self, row: usize) -> Range<usize> {
        match &self.ends {
            None => row..row + 1,
            Some(ends) => (if row == 0 { 0 } else { ends[row - 1] as usize })..ends[row] as usize,
        }
    }

    /// Bytes of the lanes.
    fn bytes(&self) -> usize {
        let ends = self.ends.as_ref().map_or(0, |ends| std::mem::size_of_val(&**ends));
        let columns: usize = self.columns.iter().map(Column::cells_size).sum();
        let updates = self.times.bytes() + self.diffs.bytes() + self.sums.bytes();
        std::mem::size_of_val(self.keys.as_slice()) + self.prints.bytes() + columns + ends + updates
    }

    /// The row of an update.
    fn row_of(&self, update: usize) -> usize {
        self.ends.as_ref().map_or(update, |ends| ends.partition_point(|end| *end as usize <= update))
    }
}

impl<T: LatticeTime> TimedChunk<T> {
    /// A chunk of these rows, whose updates end at `ends`.
    pub(super) fn new(
        keys: Vec<u128>,
        prints: Vec<u128>,
        columns: Vec<Column>,
        ends: Vec<u32>,
        times: Times<T>,
        diffs: impl Into<Counts>,
        sums: Sums,
    ) -> Self {
        let diffs = diffs.into();
        let ends = (keys.len() < times.len()).then(|| fitted(ends).into());
        let (keys, prints) = (fitted(keys).into(), Prints::new(&columns, prints));
        let weight = Weight::default();
        TimedChunk::of_rows(Rows { keys, prints, columns, ends, times, diffs, sums, weight })
    }

    fn of_rows(mut rows: Rows<T>) -> Self {
        rows.weight = Weight::new(rows.bytes());
        TimedChunk(Rc::new(rows)).checked()
    }

    fn checked(self) -> Self {
        debug_assert_eq!(self.times.len(), self.diffs.len());
        debug_assert_eq!(self.start(self.count()), self.times.len());
        debug_assert!(self.columns.iter().all(|column| column.len() == self.count()));
        debug_assert!(
            {
                let updates =
                    (0..self.count()).flat_map(|row| self.updates(row).map(move |update| (row, update)));
                let order: Vec<_> = updates.map(|(r, u)| (self.identity(r), self.times.rank(u))).collect();
                order.is_sorted_by(|a, b| a < b)
            },
            "updates ascend"
        );
        self
    }

    /// A range of the updates, without copying cells.
    fn slice(&self, updates: Range<usize>) -> Self {
        if updates == (0..self.times.len()) || updates.is_empty() {
            return if updates.is_empty() { TimedChunk::default() } else { self.clone() };
        }
        let (start, len) = (updates.start, updates.len());
        let rows = self.row_of(start)..self.row_of(updates.end - 1) + 1;
        let ends = self.ends.as_ref().filter(|_| rows.len() < len).map(|ends| {
            let end = |end: &u32| (*end as usize).min(updates.end) - start;
            ends[rows.clone()].iter().map(|e| end(e) as u32).collect()
        });
        TimedChunk::of_rows(Rows {
            keys: self.keys.slice(rows.start, rows.len()),
            prints: self.prints.slice(rows.start, rows.len()),
            columns: self.columns.iter().map(|column| column.slice(rows.start, rows.len())).collect(),
            ends,
            times: self.times.slice(start, len),
            diffs: self.diffs.slice(start, len),
            sums: self.sums.slice(start, len),
            weight: Weight::default(),
        })
    }

    /// The updates for which `keep` is true, at least one.
    fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let (mut rows, mut ends, mut updates): (Vec<u32>, Vec<u32>, Vec<u32>) = Default::default();
        for row in 0..self.count() {
            let before = updates.len();
            updates.extend(self.updates(row).filter(|update| keep(*update)).map(|update| update as u32));
            if updates.len() > before {
                rows.push(row as u32);
                ends.push(updates.len() as u32);
            }
        }
        let indices = rows.clone().into();
        TimedChunk::new(
            rows.iter().map(|row| self.keys.as_slice()[*row as usize]).collect(),
            rows.iter().map(|row| self.prints.get(*row as usize)).collect(),
            self.columns.iter().map(|column| column.take(&indices)).collect(),
            ends,
            self.times.take(&updates),
            self.diffs.take(&updates),
            self.sums.take(&updates),
        )
    }

    /// Chunks that follow each other as one.
    fn concat(chunks: &[TimedChunk<T>]) -> Self {
        let width = chunks.first().map_or(0, |chunk| chunk.columns.len());
        let column =
            |i: usize| Column::concat(&chunks.iter().map(|chunk| &chunk.columns[i]).collect::<Vec<_>>());
        let rows = chunks.iter().map(|chunk| chunk.count()).sum();
        let (mut keys, mut prints, mut ends) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut before = 0;
        for chunk in chunks {
            keys.extend_from_slice(chunk.keys.as_slice());
            chunk.prints.add_to(0..chunk.count(), &mut prints);
            ends.extend((0..chunk.count()).map(|row| before + chunk.updates(row).end as u32));
            before += chunk.times.len() as u32;
        }
        TimedChunk::new(
            keys,
            prints,
            (0..width).map(column).collect(),
            ends,
            Times::concat(chunks.iter().map(|chunk| &chunk.times)),
            Counts::concat(chunks.iter().map(|chunk| &chunk.diffs)),
            Sums::concat(chunks.iter().map(|chunk| &chunk.sums)),
        )
    }

    /// The updates as changes; the numbers that they carry are the last column.
    pub(super) fn packet(&self) -> TimedPacket<T> {
        let (keys, mut columns) = match &self.ends {
            None => (self.keys.clone(), self.columns.clone()),
            Some(_) => {
                let rows = (0..self.count()).flat_map(|row| self.updates(row).map(move |_| row as u32));
                let rows: Vec<u32> = rows.collect();
                let keys = self.keys.take(&rows);
                let rows = rows.into();
                (keys, self.columns.iter().map(|column| column.take(&rows)).collect())
            }
        };
        if self.sums.width() > 0 {
            columns.push(self.sums.to_column());
        }
        TimedPacket {
            batch: Batch { keys, columns, diffs: self.diffs.to_diffs() },
            times: self.times.clone(),
        }
    }
}

impl<T: LatticeTime> Chunk for TimedChunk<T> {
    type Time = T;
    const TARGET: usize = CHUNK_UPDATES;

    fn len(&self) -> usize {
        self.times.len()
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
        let is_kept = |update: usize| kept[chunk.times.rank(update) as usize];
        keep.push_back(chunk.filter(is_kept));
        ship.push_back(chunk.filter(|update| !is_kept(update)));
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
        let split = |chunk: TimedChunk<T>, updates: usize| {
            (chunk.slice(0..updates), chunk.slice(updates..chunk.times.len()))
        };
        pack(input, done, out, |run| TimedChunk::concat(&run), split, |chunk| chunk);
    }
}

#[cfg(test)]
mod tests;
