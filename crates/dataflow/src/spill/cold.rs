//! The part of an operator's state that is in files.

use std::ops::Range;

use arrow_schema::ArrowError;
use pathway_types::{Batch, DataError};

use super::run::{Run, RunWriter};
use super::scan::Scans;
use super::{Budget, sorted};
use crate::driver::SHARDS;
use crate::operator::State;
use crate::route::Route;

/// The state is taken from the operator in so many parts, so that little of it is in memory twice.
pub(crate) const PARTS: u32 = 32;
/// So many runs of about one size are merged into one.
const FAN_IN: usize = 6;
/// Blocks of each run that are merged at a time.
const MERGED: usize = 16;

/// The shards of each of so many parts, a power of two.
pub(crate) fn parts_of_state(parts: u32) -> impl Iterator<Item = Range<u32>> {
    let step = SHARDS / parts;
    (0..parts).map(move |part| part * step..(part + 1) * step)
}

/// State in files: for each table of the operator's state, rows by key. A key that is here is not in the operator.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    name: &'static str,
    /// A table without rows.
    none: Batch,
    runs: Vec<Run>,
}

/// Why state was not put into files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPut {
    #[error("{0}")]
    State(#[from] DataError),
    #[error("{0}")]
    File(#[from] ArrowError),
}

impl Cold {
    /// True without rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.iter().all(|table| table.runs.is_empty())
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.tables.iter().flat_map(|table| &table.runs).map(Run::memory).sum()
    }

    /// Bytes in files.
    pub(crate) fn files(&self) -> usize {
        self.tables.iter().flat_map(|table| &table.runs).map(|run| run.bytes() as usize).sum()
    }

    /// Takes up what `save` gives as the state of a range of shards.
    ///
    /// # Errors
    /// If the state cannot be given or written. What was there before is as it was.
    pub(crate) fn put(
        &mut self,
        budget: &Budget,
        mut save: impl FnMut(Range<u32>) -> Result<State, DataError>,
    ) -> Result<(), NotPut> {
        let mut writers: Vec<Option<RunWriter>> = Vec::new();
        for shards in parts_of_state(PARTS) {
            let state = save(shards)?;
            for (at, (name, rows)) in state.tables.into_iter().enumerate() {
                if at == self.tables.len() {
                    let none = rows.slice(0, 0);
                    self.tables.push(Table { name, none, runs: Vec::new() });
                }
                if at == writers.len() {
                    writers.push(None);
                }
                if rows.is_empty() {
                    continue;
                }
                let (ranks, rows) = sorted(&rows, Route::Key);
                let writer = match &mut writers[at] {
                    Some(writer) => writer,
                    none => none.insert(RunWriter::new(budget.folder(), Route::Key)?),
                };
                writer.append(ranks, rows)?;
            }
        }
        let finish = |writer: Option<RunWriter>| Ok(writer.map(RunWriter::finish).transpose()?.flatten());
        let runs: Vec<Option<Run>> = writers.into_iter().map(finish).collect::<Result<_, ArrowError>>()?;
        for (table, run) in self.tables.iter_mut().zip(runs) {
            table.runs.extend(run);
        }
        Ok(())
    }

    /// The state of these keys, given as ranks in order, which is here no more.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn take(&mut self, ranks: &[u128]) -> Result<Option<State>, ArrowError> {
        self.take_rows(|run, pieces| take(run, ranks, pieces))
    }

    fn take_rows(
        &mut self,
        take: impl Fn(&mut Run, &mut Vec<Batch>) -> Result<(), ArrowError>,
    ) -> Result<Option<State>, ArrowError> {
        let mut found = false;
        let mut tables = Vec::with_capacity(self.tables.len());
        for table in &mut self.tables {
            let mut pieces = Vec::new();
            for run in &mut table.runs {
                take(run, &mut pieces)?;
            }
            table.runs.retain(|run| run.live() > 0);
            found |= !pieces.is_empty();
            let rows = if pieces.is_empty() { table.none.clone() } else { Batch::concat(&pieces) };
            tables.push((table.name, rows));
        }
        Ok(found.then(|| State::of_tables(tables)))
    }

    /// The state of the keys in a range of shards, which is here no more.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn take_shards(&mut self, shards: Range<u32>) -> Result<Option<State>, ArrowError> {
        let end = (shards.end < SHARDS).then(|| of_shard(shards.end));
        self.take_rows(|run, pieces| take_range(run, of_shard(shards.start), end, pieces))
    }

    /// The state of the keys in a range of shards, which stays.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(&self, shards: Range<u32>) -> Result<State, ArrowError> {
        let mut tables = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            let mut scans = Scans::new(table.runs.iter());
            scans.skip_to(of_shard(shards.start))?;
            let end = (shards.end < SHARDS).then(|| of_shard(shards.end));
            let pieces = scans.until(end)?.concat();
            let rows = if pieces.is_empty() { table.none.clone() } else { Batch::concat(&pieces) };
            tables.push((table.name, rows));
        }
        Ok(State::of_tables(tables))
    }

    /// Merges runs of about one size, so that there are few, and rewrites those that are mostly dead.
    ///
    /// # Errors
    /// If that cannot be read or written; what is there is as it was.
    pub(crate) fn tidy(&mut self, budget: &Budget) -> Result<(), ArrowError> {
        for table in &mut self.tables {
            while let Some(merged) = to_merge(&table.runs) {
                let mut writer = RunWriter::new(budget.folder(), Route::Key)?;
                let mut scans = Scans::new(merged.iter().map(|at| &table.runs[*at]));
                while !scans.is_done() {
                    let rows = scans.until(scans.boundary(MERGED))?.concat();
                    if !rows.is_empty() {
                        let (ranks, rows) = sorted(&Batch::concat(&rows), Route::Key);
                        writer.append(ranks, rows)?;
                    }
                }
                let run = writer.finish()?;
                let mut at = 0..;
                table.runs.retain(|_| at.next().is_none_or(|at| !merged.contains(&at)));
                table.runs.extend(run);
            }
        }
        Ok(())
    }
}

/// The first rank of a shard.
fn of_shard(shard: u32) -> u128 {
    super::rank(u128::from(shard))
}

/// Runs that are better merged, if there are any.
fn to_merge(runs: &[Run]) -> Option<Vec<usize>> {
    let class = |run: &Run| (usize::BITS - run.live().leading_zeros()) / 2;
    let classes = runs.iter().map(class).collect::<std::collections::BTreeSet<_>>();
    let mut of_class = classes.into_iter().map(|wanted| {
        let members = runs.iter().enumerate().filter(|(_, run)| class(run) == wanted);
        members.map(|(at, _)| at).collect::<Vec<_>>()
    });
    let many = of_class.find(|members| members.len() >= FAN_IN);
    let sparse = || runs.iter().position(|run| run.live() * 3 < run.len()).map(|at| vec![at]);
    many.or_else(sparse)
}

/// Takes the rows of these ranks out of a run.
fn take(run: &mut Run, ranks: &[u128], pieces: &mut Vec<Batch>) -> Result<(), ArrowError> {
    let Some(first) = ranks.first() else { return Ok(()) };
    let (mut at, mut block) = (0, run.find(*first));
    while at < ranks.len() && block < run.blocks() && ranks[at] <= run.last() {
        // A key may go on in the next block.
        let upper = run.first(block + 1).unwrap_or(run.last());
        let wanted: Vec<u128> = ranks[at..]
            .iter()
            .copied()
            .take_while(|rank| *rank <= upper)
            .filter(|rank| run.may_have(block, *rank))
            .collect();
        if !wanted.is_empty() {
            let rows = run.read(block)?;
            let (mut taken, mut from) = (Vec::new(), 0);
            for rank in wanted {
                from += rows.ranks[from..].partition_point(|other| *other < rank);
                while rows.ranks.get(from) == Some(&rank) {
                    if !run.is_dead(rows.start + from) {
                        run.kill(rows.start + from);
                        taken.push(from as u32);
                    }
                    from += 1;
                }
            }
            if !taken.is_empty() {
                pieces.push(rows.batch.take(&taken));
            }
        }
        at += ranks[at..].partition_point(|rank| *rank < upper);
        let Some(next) = ranks.get(at) else { break };
        block = run.find(*next).max(block + 1);
    }
    Ok(())
}

/// Takes the rows of a range of ranks out of a run.
fn take_range(
    run: &mut Run,
    start: u128,
    end: Option<u128>,
    pieces: &mut Vec<Batch>,
) -> Result<(), ArrowError> {
    let is_before = |rank: u128| end.is_none_or(|end| rank < end);
    for block in run.find(start)..run.blocks() {
        if !run.first(block).is_some_and(is_before) {
            break;
        }
        let rows = run.read(block)?;
        let own = rows.ranks.partition_point(|rank| *rank < start)
            ..rows.ranks.partition_point(|rank| is_before(*rank));
        let living = own.filter(|row| !run.is_dead(rows.start + row)).map(|row| row as u32);
        let living: Vec<u32> = living.collect();
        living.iter().for_each(|row| run.kill(rows.start + *row as usize));
        if !living.is_empty() {
            pieces.push(rows.batch.take(&living));
        }
    }
    Ok(())
}
