//! The time of rows inside loops.
//!
//! Differential dataflow has a time for loops of any depth, a list of counters; we keep a fixed
//! number of counters in place instead, which makes a time plain data that is copied, compared and
//! joined without a branch on its length (`docs/decisions/0004-time-in-loops.md` tells what that gains).

use std::hash::Hash;

use pathway_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::timely::{Lattice, PartialOrder, PathSummary, Product, TimelyTimestamp};

/// What the lattice path needs of a time: any partial order with joins and meets.
pub trait LatticeTime: TimelyTimestamp + Lattice + Hash + Send + Sync {}

impl<T: TimelyTimestamp + Lattice + Hash + Send + Sync> LatticeTime for T {}

/// The outer time, and how often each enclosing loop has gone around.
pub type LoopTime = Product<Timestamp, Rounds>;

/// So many loops can be inside of each other.
pub const LEVELS: usize = 4;

/// How often each of the enclosing loops has gone around, the outermost first. A loop that a row is
/// not in stands at 0, so rows enter an inner loop as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rounds([u32; LEVELS]);

impl Rounds {
    /// The round of the outermost loop.
    pub fn first(round: u32) -> Rounds {
        Rounds::default().with(1, round)
    }

    /// The round of the loop at `level` (the outermost is 1).
    pub fn of(&self, level: usize) -> u32 {
        self.0[level - 1]
    }

    /// The same with another round of the loop at `level`.
    pub fn with(mut self, level: usize, round: u32) -> Rounds {
        self.0[level - 1] = round;
        self
    }

    /// The rounds outside of the loop at `level`.
    pub fn outside(mut self, level: usize) -> Rounds {
        self.0[level - 1..].fill(0);
        self
    }
}

impl PartialOrder for Rounds {
    #[inline]
    fn less_equal(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a <= b)
    }
}

impl Lattice for Rounds {
    #[inline]
    fn join(&self, other: &Self) -> Self {
        Rounds(std::array::from_fn(|i| self.0[i].max(other.0[i])))
    }
    #[inline]
    fn meet(&self, other: &Self) -> Self {
        Rounds(std::array::from_fn(|i| self.0[i].min(other.0[i])))
    }
}

impl TimelyTimestamp for Rounds {
    type Summary = Path;
    fn minimum() -> Self {
        Rounds::default()
    }
}

/// What a way through loops does to rounds: it keeps the counters of the outer loops and starts the
/// others from 0, then adds to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    keep: usize,
    add: [u32; LEVELS],
}

impl Path {
    /// From one round of the loop at `level` to the next.
    pub fn around(level: usize) -> Path {
        let mut path = Path::default();
        path.add[level - 1] = 1;
        path
    }

    /// Out of the loop at `level`.
    pub fn out_of(level: usize) -> Path {
        Path { keep: level - 1, ..Path::default() }
    }
}

impl Default for Path {
    fn default() -> Self {
        Path { keep: LEVELS, add: [0; LEVELS] }
    }
}

impl PartialOrder for Path {
    /// True if it leads from every time to an earlier one or the same.
    fn less_equal(&self, other: &Self) -> bool {
        self.keep <= other.keep && self.add.iter().zip(&other.add).all(|(a, b)| a <= b)
    }
}

impl PathSummary<Rounds> for Path {
    fn results_in(&self, rounds: &Rounds) -> Option<Rounds> {
        let mut out = Rounds(self.add);
        for (out, round) in out.0.iter_mut().zip(rounds.0).take(self.keep) {
            *out = out.checked_add(round)?;
        }
        Some(out)
    }

    fn followed_by(&self, other: &Self) -> Option<Self> {
        let Rounds(add) = other.results_in(&Rounds(self.add))?;
        Some(Path { keep: self.keep.min(other.keep), add })
    }
}

/// The path from one round to the next of the loop at `level` (the outermost is 1).
pub fn next_round(level: usize) -> <LoopTime as TimelyTimestamp>::Summary {
    Product::new(0, Path::around(level))
}

#[cfg(test)]
mod tests;
