//! The time of rows inside loops.

use std::hash::Hash;

use pathway_types::Timestamp;

use crate::timely::{Lattice, PointStamp, Product, TimelyTimestamp, feedback_summary};

/// What the lattice path needs of a time: any partial order with joins and meets.
pub trait LatticeTime: TimelyTimestamp + Lattice + Hash + Send + Sync {}

impl<T: TimelyTimestamp + Lattice + Hash + Send + Sync> LatticeTime for T {}

/// The outer time, and the number of rounds that each enclosing loop has made (outermost first,
/// trailing zeros left out), so that loops nest without a new type. Two levels are kept inline.
pub type LoopTime = Product<Timestamp, PointStamp<u64, 2>>;

/// The path from one round to the next of the loop at `level` (the outermost is 1).
pub fn next_round(level: usize) -> <LoopTime as TimelyTimestamp>::Summary {
    Product::new(0, feedback_summary::<u64>(level, 1))
}

/// How often the loop at `level` has gone around at this time.
pub fn round(time: &LoopTime, level: usize) -> u64 {
    time.inner.get(level - 1).copied().unwrap_or(0)
}

/// The time outside of the loop at `level`.
pub fn without_rounds(time: &LoopTime, level: usize) -> LoopTime {
    let mut rounds = time.inner.clone().into_inner();
    rounds.truncate(level - 1);
    Product::new(time.outer, PointStamp::new(rounds))
}
