//! One side of a join at work: its rows, key after key.

use crate::lattice::arrange::TimedBatch;
use crate::lattice::chunk::TimedChunk;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;
use crate::lattice::walk::Cursor;

/// Not looked at so far.
const UNKNOWN: u32 = u32::MAX;

/// An update of a row under the current key.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) print: u128,
    /// The chunk, by number of [`Side::chunk`], and the row in it.
    pub(super) place: (u32, u32),
    /// The place of its time in [`Side::times`].
    pub(super) time: u32,
    pub(super) diff: i64,
}

/// Batches of one side, and the rows under the current key.
pub(super) struct Side<T: LatticeTime> {
    batches: Vec<TimedBatch<T>>,
    cursors: Vec<Cursor>,
    /// Times may be joined with this one beforehand: all times of the other side are beyond it.
    bound: Option<T>,
    /// Per batch and chunk its number in `sources`.
    numbers: Vec<Vec<u32>>,
    sources: Vec<Source<T>>,
    pub(super) times: TimeTable<T>,
    pub(super) rows: Vec<Row>,
}

struct Source<T> {
    chunk: TimedChunk<T>,
    /// The place of each of its times in `Side::times`.
    places: Vec<u32>,
}

impl<T: LatticeTime> Side<T> {
    pub(super) fn new(batches: Vec<TimedBatch<T>>, bound: Option<T>) -> Self {
        Side {
            cursors: batches.iter().map(Cursor::new).collect(),
            numbers: batches.iter().map(|batch| vec![UNKNOWN; batch.chunks.len()]).collect(),
            batches,
            bound,
            sources: Vec::new(),
            times: TimeTable::default(),
            rows: Vec::new(),
        }
    }

    /// The least key that is left.
    pub(super) fn key(&self) -> Option<u128> {
        self.cursors.iter().filter_map(Cursor::key).min()
    }

    /// Leaves out keys below `key`; the least key that is then left.
    pub(super) fn seek(&mut self, key: u128) -> Option<u128> {
        let seek = |(cursor, batch): (&mut Cursor, &TimedBatch<T>)| {
            cursor.seek(batch, key);
            cursor.key()
        };
        self.cursors.iter_mut().zip(&self.batches).filter_map(seek).min()
    }

    /// Moves past `key` and makes its rows the current ones.
    pub(super) fn load(&mut self, key: u128) {
        self.rows.clear();
        let (sources, times, bound) = (&mut self.sources, &mut self.times, &self.bound);
        let mut runs = 0;
        for ((cursor, batch), numbers) in self.cursors.iter_mut().zip(&self.batches).zip(&mut self.numbers) {
            cursor.take(batch, key, |chunk, range| {
                if numbers[chunk] == UNKNOWN {
                    let chunk_rows = &batch.chunks[chunk];
                    let places = vec![UNKNOWN; chunk_rows.times.table().len()];
                    numbers[chunk] = sources.len() as u32;
                    sources.push(Source { chunk: chunk_rows.clone(), places });
                }
                let number = numbers[chunk];
                let Source { chunk, places } = &mut sources[number as usize];
                runs += 1;
                for row in range {
                    for update in chunk.updates(row) {
                        let rank = chunk.times.rank(update) as usize;
                        if places[rank] == UNKNOWN {
                            let time = &chunk.times.table()[rank];
                            places[rank] = match bound {
                                Some(bound) => times.place(&time.join(bound)),
                                None => times.place(time),
                            };
                        }
                        self.rows.push(Row {
                            print: chunk.prints.get(row),
                            place: (number, row as u32),
                            time: places[rank],
                            diff: chunk.diffs.get(update),
                        });
                    }
                }
            });
        }
        let apart = |pair: &[Row]| pair[0].print != pair[1].print;
        // Rows of one run ascend by print; equal ones may have come to the same time.
        if self.rows.len() > 1 && (runs > 1 || !self.rows.windows(2).all(apart)) {
            self.net();
        }
    }

    /// Adds up equal rows of equal times.
    fn net(&mut self) {
        self.rows.sort_unstable_by_key(|row| (row.print, row.time));
        let mut kept = 0;
        for at in 0..self.rows.len() {
            let row = self.rows[at];
            match self.rows[..kept].last_mut() {
                Some(last) if (last.print, last.time) == (row.print, row.time) => last.diff += row.diff,
                last => {
                    if last.is_some_and(|last| last.diff == 0) {
                        kept -= 1;
                    }
                    self.rows[kept] = row;
                    kept += 1;
                }
            }
        }
        if self.rows[..kept].last().is_some_and(|last| last.diff == 0) {
            kept -= 1;
        }
        self.rows.truncate(kept);
    }

    /// A chunk by its number.
    pub(super) fn chunk(&self, number: usize) -> &TimedChunk<T> {
        &self.sources[number].chunk
    }

    /// True if a current row has several updates.
    pub(super) fn has_repeated_rows(&self) -> bool {
        self.rows.windows(2).any(|pair| pair[0].print == pair[1].print)
    }

    /// True if not all current rows have one time.
    pub(super) fn has_several_times(&self) -> bool {
        self.rows.iter().any(|row| row.time != self.rows[0].time)
    }
}
