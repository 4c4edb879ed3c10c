//! Draws the rows of keys from the batches of an index, key after key.

use hashbrown::HashMap;

use pathway_types::Column;

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
    /// The block of a chunk, by the chunk's address.
    chunks: HashMap<(usize, usize), u32>,
}

impl Pool {
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.rows.clear();
        self.prints.clear();
        self.chunks.clear();
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

/// A row drawn from a batch.
pub(super) struct Drawn<T> {
    print: u128,
    time: T,
    place: (u32, u32),
    diff: i64,
}

/// Draws keys in ascending order: those of the novel batches, and those of a list.
pub(super) struct Draw<'a, T: LatticeTime> {
    novel: &'a [TimedBatch<T>],
    prior: &'a [TimedBatch<T>],
    listed: &'a [u128],
    cursors: Vec<Cursor>,
    /// Times of prior rows are moved up to it, so that equal rows meet.
    frontier: AntichainRef<'a, T>,
    drawn: Vec<Drawn<T>>,
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
        let mut cursors = vec![Cursor::default(); novel.len() + prior.len()];
        for (cursor, batch) in cursors.iter_mut().zip(novel.iter().chain(prior)) {
            cursor.seek(batch, from);
        }
        let listed = &listed[listed.partition_point(|key| *key < from)..];
        Draw { novel, prior, listed, cursors, frontier, drawn: Vec::new(), novel_times: Vec::new() }
    }

    /// The next key.
    pub(super) fn key(&self) -> Option<u128> {
        let novel = self.cursors.iter().zip(self.novel).filter_map(|(cursor, batch)| cursor.key(batch));
        novel.chain(self.listed.first().copied()).min()
    }

    /// Draws the rows of the next key, which must be `key`: calls `row` for each row that is left
    /// when equal ones are added up, with its number in the pool.
    pub(super) fn draw(&mut self, key: u128, pool: &mut Pool, mut row: impl FnMut(u32, T, i64)) {
        self.drawn.clear();
        self.novel_times.clear();
        let batches = self.novel.iter().chain(self.prior).enumerate();
        for ((number, batch), cursor) in batches.zip(&mut self.cursors) {
            let is_novel = number < self.novel.len();
            cursor.seek(batch, key);
            cursor.take(batch, key, |chunk, range| {
                let rows = &batch.chunks[chunk];
                let block = match pool.chunks.get(&(number, chunk)) {
                    Some(block) => *block,
                    None => {
                        let block = pool.block(rows.columns.clone());
                        pool.chunks.insert((number, chunk), block);
                        block
                    }
                };
                for at in range {
                    let mut time = rows.times.get(at).clone();
                    if is_novel {
                        self.novel_times.push(time.clone());
                    } else {
                        time.advance_by(self.frontier);
                    }
                    let (print, diff) = (rows.prints[at], rows.diffs.get(at));
                    self.drawn.push(Drawn { print, time, place: (block, at as u32), diff });
                }
            });
        }
        if self.listed.first() == Some(&key) {
            self.listed = &self.listed[1..];
        }
        self.novel_times.sort_unstable();
        self.novel_times.dedup();
        if self.drawn.len() > 1 {
            self.drawn.sort_unstable_by(|a, b| a.print.cmp(&b.print).then_with(|| a.time.cmp(&b.time)));
        }
        let mut numbered = None;
        let mut rest = self.drawn.drain(..).peekable();
        while let Some(mut first) = rest.next() {
            while let Some(equal) =
                rest.next_if(|next| (next.print, &next.time) == (first.print, &first.time))
            {
                first.diff += equal.diff;
            }
            if first.diff == 0 {
                continue;
            }
            let number = match numbered {
                Some((print, number)) if print == first.print => number,
                _ => pool.add(first.place, first.print),
            };
            numbered = Some((first.print, number));
            row(number, first.time, first.diff);
        }
    }
}
