//! Runs read side by side from their beginning, a range of ranks at a time.

use std::borrow::Borrow;

use arrow_schema::ArrowError;
use pathway_types::Batch;

use super::run::{Rows, Run};

/// Runs that are being read.
#[derive(Debug)]
pub(super) struct Scans<R> {
    scans: Vec<Scan<R>>,
}

#[derive(Debug)]
struct Scan<R> {
    run: R,
    /// The next block.
    next: usize,
    /// What is left of the block before.
    rest: Option<Rows>,
}

impl<R: Borrow<Run>> Scans<R> {
    /// All rows of these runs that are not dead.
    pub(super) fn new(runs: impl Iterator<Item = R>) -> Self {
        Scans { scans: runs.map(|run| Scan { run, next: 0, rest: None }).collect() }
    }

    /// The same from this rank on.
    pub(super) fn skip_to(&mut self, rank: u128) -> Result<(), ArrowError> {
        for scan in &mut self.scans {
            scan.next = scan.run().find(rank);
            scan.until(Some(rank))?;
        }
        Ok(())
    }

    /// A rank so that up to it there are about so many blocks of each run, and some row; none if that is all
    /// there is.
    pub(super) fn boundary(&self, blocks: usize) -> Option<u128> {
        let least = self.scans.iter().filter_map(Scan::head).min()?;
        let ahead = |scan: &Scan<R>| {
            let blocks = scan.next + blocks.max(1) - usize::from(scan.rest.is_some())..scan.run().blocks();
            // A key may have more rows than a block.
            blocks.filter_map(|block| scan.run().first(block)).find(|first| *first > least)
        };
        self.scans.iter().filter_map(ahead).min()
    }

    /// The rows of ranks before a boundary that were not given yet, by run; all without one.
    pub(super) fn until(&mut self, boundary: Option<u128>) -> Result<Vec<Vec<Batch>>, ArrowError> {
        self.scans.iter_mut().map(|scan| scan.until(boundary)).collect()
    }

    /// True if all rows were given.
    pub(super) fn is_done(&self) -> bool {
        self.scans.iter().all(|scan| scan.head().is_none())
    }
}

impl<R: Borrow<Run>> Scan<R> {
    fn run(&self) -> &Run {
        self.run.borrow()
    }

    /// The rank of the next row.
    fn head(&self) -> Option<u128> {
        let rest = self.rest.as_ref().and_then(|rows| rows.ranks.first().copied());
        rest.or_else(|| self.run().first(self.next))
    }

    fn until(&mut self, boundary: Option<u128>) -> Result<Vec<Batch>, ArrowError> {
        let mut batches = Vec::new();
        loop {
            let rows = match self.rest.take() {
                Some(rows) => rows,
                None => {
                    let first = self.run().first(self.next);
                    if first.is_none_or(|first| boundary.is_some_and(|boundary| first >= boundary)) {
                        return Ok(batches);
                    }
                    self.next += 1;
                    self.run().read(self.next - 1)?
                }
            };
            let len = rows.ranks.len();
            let end = boundary.map_or(len, |boundary| rows.ranks.partition_point(|rank| *rank < boundary));
            let living = (0..end as u32).filter(|row| !self.run().is_dead(rows.start + *row as usize));
            let living: Vec<u32> = living.collect();
            if living.len() == len {
                batches.push(rows.batch);
                continue;
            }
            if !living.is_empty() {
                batches.push(rows.batch.take(&living));
            }
            if end < len {
                let (ranks, batch) = (rows.ranks[end..].to_vec(), rows.batch.slice(end, len - end));
                self.rest = Some(Rows { ranks, batch, start: rows.start + end });
                return Ok(batches);
            }
        }
    }
}
