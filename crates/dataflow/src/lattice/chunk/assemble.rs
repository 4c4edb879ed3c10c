//! Builds a chunk from rows of other chunks.

use pathway_types::Diffs;

use super::{Rows, TimedChunk};
use crate::lattice::gather::gather;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;

/// A time that has not been looked at.
const UNKNOWN: u32 = u32::MAX;

/// Rows of several chunks, in the order in which they will stand in the new one.
pub(in crate::lattice) struct Assembler<T> {
    sources: Vec<Source<T>>,
    /// Source and row of each row.
    places: Vec<(u32, u32)>,
    keys: Vec<u128>,
    prints: Vec<u128>,
    diffs: Vec<i64>,
    ranks: Vec<u32>,
    table: TimeTable<T>,
}

struct Source<T> {
    chunk: TimedChunk<T>,
    /// The place of each of its times in the table of the new chunk.
    places: Vec<u32>,
}

impl<T: LatticeTime> Assembler<T> {
    pub(in crate::lattice) fn new() -> Self {
        Assembler {
            sources: Vec::new(),
            places: Vec::new(),
            keys: Vec::new(),
            prints: Vec::new(),
            diffs: Vec::new(),
            ranks: Vec::new(),
            table: TimeTable::default(),
        }
    }

    /// The number of rows so far.
    pub(in crate::lattice) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds a chunk to take rows from; valid until [`Assembler::finish`].
    pub(in crate::lattice) fn source(&mut self, chunk: &TimedChunk<T>) -> usize {
        let places = vec![UNKNOWN; chunk.times.table().len()];
        self.sources.push(Source { chunk: chunk.clone(), places });
        self.sources.len() - 1
    }

    /// Adds a row with another diff.
    #[inline]
    pub(in crate::lattice) fn push(&mut self, source: usize, row: usize, diff: i64) {
        let from = &mut self.sources[source];
        let rank = from.chunk.times.rank(row) as usize;
        if from.places[rank] == UNKNOWN {
            from.places[rank] = self.table.place(&from.chunk.times.table()[rank]);
        }
        let place = from.places[rank];
        self.push_at(source, row, place, diff);
    }

    /// Adds a row with another diff, at the time that [`Assembler::time`] gave the place of.
    #[inline]
    pub(in crate::lattice) fn push_at(&mut self, source: usize, row: usize, time: u32, diff: i64) {
        let chunk = &self.sources[source].chunk;
        let (key, print) = chunk.identity(row);
        self.keys.push(key);
        self.prints.push(print);
        self.ranks.push(time);
        self.diffs.push(diff);
        self.places.push((source as u32, row as u32));
    }

    /// The place of a time, for [`Assembler::push_at`].
    pub(in crate::lattice) fn time(&mut self, time: &T) -> u32 {
        self.table.place(time)
    }

    /// The order of two times by their places.
    pub(in crate::lattice) fn order(&self, left: u32, right: u32) -> std::cmp::Ordering {
        self.table.get(left).cmp(self.table.get(right))
    }

    /// Adds rows as they are.
    pub(in crate::lattice) fn push_run(&mut self, source: usize, rows: std::ops::Range<usize>) {
        let Source { chunk, places } = &mut self.sources[source];
        for row in rows.clone() {
            let rank = chunk.times.rank(row) as usize;
            if places[rank] == UNKNOWN {
                places[rank] = self.table.place(&chunk.times.table()[rank]);
            }
            self.ranks.push(places[rank]);
            self.diffs.push(chunk.diffs.get(row));
        }
        self.keys.extend_from_slice(&chunk.keys.as_slice()[rows.clone()]);
        self.prints.extend_from_slice(&chunk.prints[rows.clone()]);
        self.places.extend(rows.map(|row| (source as u32, row as u32)));
    }

    /// The chunk of all rows since the last call, if there are any.
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
        Some(TimedChunk::new(Rows {
            keys: std::mem::take(&mut self.keys).into(),
            prints: std::mem::take(&mut self.prints).into(),
            columns,
            times: self.table.finish(std::mem::take(&mut self.ranks)),
            diffs: Diffs::from(std::mem::take(&mut self.diffs)),
        }))
    }
}
