//! Builds a chunk from rows of other chunks.

use std::cmp::Ordering;
use std::ops::Range;

use pathway_types::Diffs;

use super::sums::Sums;
use super::{CHUNK_UPDATES, TimedChunk};
use crate::lattice::fitted;
use crate::lattice::gather::gather;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;

/// A time that has not been looked at.
const UNKNOWN: u32 = u32::MAX;

/// Rows of several chunks with updates, in the order in which they will stand in the new one.
pub(in crate::lattice) struct Assembler<T> {
    sources: Vec<Source<T>>,
    keys: Vec<u128>,
    prints: Vec<u128>,
    /// Source and row of each row.
    places: Vec<(u32, u32)>,
    ends: Vec<u32>,
    ranks: Vec<u32>,
    diffs: Vec<i64>,
    /// The numbers that updates carry, those of one after those of another.
    sums: Vec<i64>,
    /// How many each of them carries.
    width: usize,
    table: TimeTable<T>,
}

struct Source<T> {
    chunk: TimedChunk<T>,
    /// The place of each of its times in the table of the new chunk.
    places: Vec<u32>,
}

impl<T: LatticeTime> Source<T> {
    #[inline]
    fn time(&mut self, update: usize, table: &mut TimeTable<T>) -> u32 {
        let rank = self.chunk.times.rank(update) as usize;
        if self.places[rank] == UNKNOWN {
            self.places[rank] = table.place(&self.chunk.times.table()[rank]);
        }
        self.places[rank]
    }
}

impl<T: LatticeTime> Assembler<T> {
    pub(in crate::lattice) fn new() -> Self {
        Assembler {
            sources: Vec::new(),
            keys: Vec::new(),
            prints: Vec::new(),
            places: Vec::new(),
            ends: Vec::new(),
            ranks: Vec::new(),
            diffs: Vec::new(),
            sums: Vec::new(),
            width: 0,
            table: TimeTable::default(),
        }
    }

    /// The number of updates so far.
    pub(in crate::lattice) fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Adds a chunk to take rows from; valid until [`Assembler::finish`].
    pub(in crate::lattice) fn source(&mut self, chunk: &TimedChunk<T>) -> usize {
        let places = vec![UNKNOWN; chunk.times.table().len()];
        self.sources.push(Source { chunk: chunk.clone(), places });
        self.width = chunk.sums.width();
        self.reserve(chunk);
        self.sources.len() - 1
    }

    /// Makes room for what may be taken of a chunk.
    fn reserve(&mut self, chunk: &TimedChunk<T>) {
        let room = CHUNK_UPDATES.saturating_sub(self.len());
        let (rows, updates) = (chunk.count().min(room), chunk.times.len().min(room));
        self.keys.reserve(rows);
        self.prints.reserve(rows);
        self.places.reserve(rows);
        self.ends.reserve(rows);
        self.ranks.reserve(updates);
        self.diffs.reserve(updates);
        self.sums.reserve(updates * self.width);
    }

    /// Adds an update of a row at its own time, with another diff.
    pub(in crate::lattice) fn push(&mut self, source: usize, row: usize, update: usize, diff: i64) {
        let from = &mut self.sources[source];
        let time = from.time(update, &mut self.table);
        self.sums.extend_from_slice(from.chunk.sums.of(update));
        self.place(source, row, time, diff);
    }

    /// Adds an update of a row at the time that [`Assembler::time`] gave the place of, with these
    /// numbers.
    pub(in crate::lattice) fn push_at(
        &mut self,
        source: usize,
        row: usize,
        time: u32,
        diff: i64,
        sums: &[i64],
    ) {
        self.sums.extend_from_slice(sums);
        self.place(source, row, time, diff);
    }

    /// Adds numbers to those of the last update, which goes if all of them are zero then.
    pub(in crate::lattice) fn add(&mut self, sums: &[i64]) {
        let start = self.sums.len() - self.width;
        let last = &mut self.sums[start..];
        last.iter_mut().zip(sums).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
        if last.iter().any(|sum| *sum != 0) {
            return;
        }
        self.sums.truncate(start);
        self.ranks.pop();
        self.diffs.pop();
        let left = self.ranks.len() as u32;
        let before = self.ends.len().checked_sub(2).map_or(0, |row| self.ends[row]);
        if left > before {
            self.ends.pop();
            self.ends.push(left);
        } else {
            self.keys.pop();
            self.prints.pop();
            self.places.pop();
            self.ends.pop();
        }
    }

    fn place(&mut self, source: usize, row: usize, time: u32, diff: i64) {
        let (key, print) = self.sources[source].chunk.identity(row);
        self.ranks.push(time);
        self.diffs.push(diff);
        let end = self.ranks.len() as u32;
        match self.ends.last_mut() {
            Some(last) if self.keys.last() == Some(&key) && self.prints.last() == Some(&print) => *last = end,
            _ => {
                self.keys.push(key);
                self.prints.push(print);
                self.places.push((source as u32, row as u32));
                self.ends.push(end);
            }
        }
    }

    /// The place of a time, for [`Assembler::push_at`].
    pub(in crate::lattice) fn time(&mut self, time: &T) -> u32 {
        self.table.place(time)
    }

    /// The order of two times by their places.
    pub(in crate::lattice) fn order(&self, left: u32, right: u32) -> Ordering {
        self.table.get(left).cmp(self.table.get(right))
    }

    /// Adds rows as they are, which must not be continued by or continue what is there.
    pub(in crate::lattice) fn push_rows(&mut self, source: usize, rows: Range<usize>) {
        let from = &mut self.sources[source];
        let updates = from.chunk.start(rows.start)..from.chunk.start(rows.end);
        let before = self.ranks.len();
        for update in updates.clone() {
            self.ranks.push(from.time(update, &mut self.table));
            self.diffs.push(from.chunk.diffs.get(update));
            self.sums.extend_from_slice(from.chunk.sums.of(update));
        }
        let chunk = &from.chunk;
        self.keys.extend_from_slice(&chunk.keys.as_slice()[rows.clone()]);
        chunk.prints.add_to(rows.clone(), &mut self.prints);
        let end = |row: usize| (before + chunk.updates(row).end - updates.start) as u32;
        self.ends.extend(rows.clone().map(end));
        self.places.extend(rows.map(|row| (source as u32, row as u32)));
    }

    /// The chunk of all updates since the last call, if there are any.
    pub(in crate::lattice) fn finish(&mut self) -> Option<TimedChunk<T>> {
        let places = std::mem::take(&mut self.places);
        let sources = std::mem::take(&mut self.sources);
        let (&(first, start), len) = (places.first()?, places.len());
        let neighbours =
            places.iter().zip(start..).all(|((source, row), next)| *source == first && *row == next);
        let columns = if neighbours {
            let columns = &sources[first as usize].chunk.columns;
            columns.iter().map(|column| column.slice(start as usize, len)).collect()
        } else {
            gather(|source| &sources[source].chunk.columns, &places)
        };
        Some(TimedChunk::new(
            std::mem::take(&mut self.keys),
            std::mem::take(&mut self.prints),
            columns,
            std::mem::take(&mut self.ends),
            self.table.finish(std::mem::take(&mut self.ranks)),
            Diffs::from(fitted(std::mem::take(&mut self.diffs))),
            match self.width {
                0 => Sums::default(),
                width => Sums::new(width, std::mem::take(&mut self.sums)),
            },
        ))
    }
}
