//! Draws the rows of keys from the batches of an index, key after key.

use pathway_types::Column;

use super::net::{Drawn, Net};
use crate::lattice::arrange::TimedBatch;
use crate::lattice::time::LatticeTime;
use crate::lattice::walk::Cursor;
use crate::timely::AntichainRef;

/// Rows that have been given a number, valid until the pool is cleared.
#[derive(Default)]
pub(super) struct Pool {
    /// Columns that rows are in.
    pub(super) blocks: Vec<Vec<Column>>,
    rows: Vec<(u32, u32)>,
    prints: Vec<u128>,
}

impl Pool {
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.rows.clear();
        self.prints.clear();
    }

    /// Numbers a row.
    pub(super) fn add(&mut self, place: (u32, u32), print: u128) -> u32 {
        self.rows.push(place);
        self.prints.push(print);
        (self.rows.len() - 1) as u32
    }

    /// Adds columns to take rows from.
    pub(super) fn block(&mut self, columns: Vec<Column>) -> u32 {
        self.blocks.push(columns);
        (self.blocks.len() - 1) as u32
    }

    /// Where a row is.
    #[inline]
    pub(super) fn place(&self, row: u32) -> (u32, u32) {
        self.rows[row as usize]
    }

    /// The print of a row.
    #[inline]
    pub(super) fn print(&self, row: u32) -> u128 {
        self.prints[row as usize]
    }
}

/// A batch to draw from.
struct Source<'a, T: LatticeTime> {
    batch: &'a TimedBatch<T>,
    cursor: Cursor,
    novel: bool,
    /// Updates carry numbers: each of them is a row of its own.
    summed: bool,
    /// The chunk that was used last.
    chunk: usize,
    /// Its block in the pool, once it has one.
    block: Option<u32>,
    /// Its times, moved up to the frontier where they were needed.
    advanced: Vec<Option<T>>,
}

impl<T: LatticeTime> Source<'_, T> {
    /// Adds the rows of a key to `drawn`.
    #[inline]
    fn draw(
        &mut self,
        key: u128,
        frontier: AntichainRef<'_, T>,
        pool: &mut Pool,
        drawn: &mut Vec<Drawn>,
        updates: &mut Vec<(T, i64)>,
    ) {
        let Source { batch, cursor, novel, summed, chunk, block, advanced } = self;
        cursor.seek(batch, key);
        cursor.take(batch, key, |number, range| {
            let rows = &batch.chunks[number];
            if *chunk != number || block.is_none() {
                *chunk = number;
                let columns = if *summed { rows.packet().batch.columns } else { rows.columns.clone() };
                *block = Some(pool.block(columns));
                advanced.clear();
                advanced.resize(rows.times.table().len(), None);
            }
            let block = block.unwrap_or_default();
            for row in range {
                let start = updates.len() as u32;
                for update in rows.updates(row) {
                    let rank = rows.times.rank(update) as usize;
                    let time = advanced[rank].get_or_insert_with(|| {
                        let mut time = rows.times.table()[rank].clone();
                        if !*novel {
                            time.advance_by(frontier);
                        }
                        time
                    });
                    if *summed {
                        let at = updates.len() as u32;
                        let (print, place) = (rows.prints.get(row), (block, update as u32));
                        drawn.push(Drawn { print, place, updates: (at, at + 1) });
                    }
                    updates.push((time.clone(), rows.diffs.get(update)));
                }
                if *summed {
                    continue;
                }
                let place = (block, row as u32);
                drawn.push(Drawn {
                    print: rows.prints.get(row),
                    place,
                    updates: (start, updates.len() as u32),
                });
            }
        });
    }
}

/// Draws keys in ascending order: those of the novel batches and those of a list, or any others.
pub(super) struct Draw<'a, T: LatticeTime> {
    /// The novel batches first.
    sources: Vec<Source<'a, T>>,
    novel: usize,
    listed: &'a [u128],
    /// Times of prior rows are moved up to it, so that equal rows meet.
    frontier: AntichainRef<'a, T>,
    drawn: Vec<Drawn>,
    updates: Vec<(T, i64)>,
    net: Net<T>,
    /// The times of the novel rows of the key drawn last, ascending.
    pub(super) novel_times: Vec<T>,
}

impl<'a, T: LatticeTime> Draw<'a, T> {
    /// Starts at the first key not below `from`.
    pub(super) fn new(
        novel: &'a [TimedBatch<T>],
        prior: &'a [TimedBatch<T>],
        listed: &'a [u128],
        from: u128,
        frontier: AntichainRef<'a, T>,
    ) -> Self {
        let source = |(number, batch)| {
            let mut cursor = Cursor::new(batch);
            cursor.seek(batch, from);
            let summed = batch.chunks.first().is_some_and(|chunk| chunk.sums.width() > 0);
            let (novel, advanced) = (number < novel.len(), Vec::new());
            Source { batch, cursor, novel, summed, chunk: 0, block: None, advanced }
        };
        let sources = novel.iter().chain(prior).enumerate().map(source).collect();
        let listed = &listed[listed.partition_point(|key| *key < from)..];
        Draw {
            sources,
            novel: novel.len(),
            listed,
            frontier,
            drawn: Vec::new(),
            updates: Vec::new(),
            net: Net::default(),
            novel_times: Vec::new(),
        }
    }

    /// The next key.
    pub(super) fn key(&self) -> Option<u128> {
        let novel = self.sources[..self.novel].iter().filter_map(|source| source.cursor.key());
        novel.chain(self.listed.first().copied()).min()
    }

    /// True if the key is the next one of the list.
    pub(super) fn is_listed(&self, key: u128) -> bool {
        self.listed.first() == Some(&key)
    }

    /// Draws the rows of the next key, which must be `key`: calls `row` for each row that is left
    /// when equal ones are added up, with its number in the pool.
    pub(super) fn draw(&mut self, key: u128, pool: &mut Pool, mut row: impl FnMut(u32, T, i64)) {
        self.drawn.clear();
        self.updates.clear();
        self.novel_times.clear();
        for (number, source) in self.sources.iter_mut().enumerate() {
            if number == self.novel {
                // Novel rows come first; their times are not moved.
                self.novel_times.extend(self.updates.iter().map(|(time, _)| time.clone()));
            }
            source.draw(key, self.frontier, pool, &mut self.drawn, &mut self.updates);
        }
        if self.sources.len() == self.novel {
            self.novel_times.extend(self.updates.iter().map(|(time, _)| time.clone()));
        }
        if self.listed.first() == Some(&key) {
            self.listed = &self.listed[1..];
        }
        if self.novel_times.len() > 1 {
            self.novel_times.sort_unstable();
            self.novel_times.dedup();
        }
        if self.sources.first().is_some_and(|source| source.summed) {
            for (drawn, (time, diff)) in self.drawn.iter().zip(&self.updates) {
                row(pool.add(drawn.place, drawn.print), time.clone(), *diff);
            }
            return;
        }
        self.net.each(&self.drawn, &self.updates, |first, time, diff, again| {
            let number = again.unwrap_or_else(|| pool.add(first.place, first.print));
            row(number, time.clone(), diff);
            number
        });
    }
}
