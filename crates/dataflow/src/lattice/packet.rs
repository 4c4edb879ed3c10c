//! What travels on an edge inside a loop: a batch of changes with a time per row.

use arrow_buffer::BooleanBuffer;
use pathway_types::{Batch, Keys};

use super::time::{LatticeTime, LoopTime};
use super::times::Times;
use crate::timely::{
    Accountable, Collection, Enter, Leave, Negate, PathSummary, Product, Refines, ResultsIn, TimelyTimestamp,
};

/// The changes of a table inside a loop.
pub type Flow<'scope, T = LoopTime> = Collection<'scope, T, TimedPacket<T>>;

/// A [`Batch`] whose rows have times of their own.
#[derive(Clone, Debug)]
pub struct TimedPacket<T> {
    /// The changes.
    pub batch: Batch,
    /// When each of them happens.
    pub times: Times<T>,
}

impl<T> Default for TimedPacket<T> {
    fn default() -> Self {
        TimedPacket { batch: Batch::default(), times: Times::default() }
    }
}

impl<T: LatticeTime> TimedPacket<T> {
    /// A packet of these parts.
    pub fn new(batch: Batch, times: Times<T>) -> Self {
        debug_assert_eq!(batch.len(), times.len());
        TimedPacket { batch, times }
    }

    /// The changes of one time.
    pub fn at(time: T, batch: Batch) -> Self {
        let times = Times::same(time, batch.len());
        TimedPacket { batch, times }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The rows at these positions.
    pub fn take(&self, rows: &[u32]) -> Self {
        TimedPacket { batch: self.batch.take(rows), times: self.times.take(rows) }
    }

    /// The rows where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Self {
        TimedPacket { batch: self.batch.filter(keep), times: self.times.filter(keep) }
    }

    /// Applies a change that looks at rows one by one, and may drop or multiply them, whatever it
    /// does with their diffs is kept.
    ///
    /// The change is shown the position of each row in place of its diff, which tells afterwards
    /// where a row came from; so it must pass diffs on as they are.
    pub fn per_row(self, change: impl FnOnce(Batch) -> Batch) -> Self {
        if self.is_empty() {
            return TimedPacket::default();
        }
        if let Some(time) = self.times.shared() {
            let time = time.clone();
            return TimedPacket::at(time, change(self.batch));
        }
        let TimedPacket { batch, times } = self;
        let positions: Vec<i64> = (1..=batch.len() as i64).collect();
        let changed = change(Batch { diffs: positions.into(), ..batch.clone() });
        let rows: Vec<u32> = changed.diffs.iter().map(|position| (position - 1) as u32).collect();
        let diffs = batch.diffs.take(&rows);
        TimedPacket { times: times.take(&rows), batch: Batch { diffs, ..changed } }
    }

    /// Each row under the key in the last column, which gives its place to the row's id.
    pub fn keyed_by_last(mut self) -> Self {
        if let Some(keys) = self.batch.columns.pop() {
            let ids = std::mem::replace(&mut self.batch.keys, Keys::of_column(&keys));
            self.batch.columns.push(ids.to_column());
        }
        self
    }
}

impl<T: 'static> Accountable for TimedPacket<T> {
    fn record_count(&self) -> i64 {
        self.batch.len() as i64
    }
}

impl<T> Negate for TimedPacket<T> {
    fn negate(self) -> Self {
        TimedPacket { batch: self.batch.negate(), times: self.times }
    }
}

impl<T: TimelyTimestamp + LatticeTime> ResultsIn<T::Summary> for TimedPacket<T> {
    fn results_in(self, step: &T::Summary) -> Self {
        let (times, keep) = self.times.map_some(|time| step.results_in(time));
        let batch = keep.map_or_else(|| self.batch.clone(), |keep| self.batch.filter(&keep));
        TimedPacket { batch, times }
    }
}

impl<Outer: LatticeTime, Inner: LatticeTime> Enter<Outer, Product<Outer, Inner>> for TimedPacket<Outer> {
    type InnerContainer = TimedPacket<Product<Outer, Inner>>;
    fn enter(self) -> Self::InnerContainer {
        TimedPacket { times: self.times.map(|time| Refines::to_inner(time.clone())), batch: self.batch }
    }
}

impl<Outer: LatticeTime, Inner: LatticeTime> Leave<Product<Outer, Inner>, Outer>
    for TimedPacket<Product<Outer, Inner>>
{
    type OuterContainer = TimedPacket<Outer>;
    fn leave(self) -> Self::OuterContainer {
        TimedPacket { times: self.times.map(|time| time.outer.clone()), batch: self.batch }
    }
}

#[cfg(test)]
mod tests;
