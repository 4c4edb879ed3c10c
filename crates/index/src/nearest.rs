//! The best so many of many candidates.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An item and its distance. The order is that of distances, then of keys; what is not a number is farther
/// than anything.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The distance.
    pub distance: f64,
    /// The item.
    pub key: u128,
}

impl Ord for Match {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Match {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Match {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Match {}

/// Keeps the nearest of the matches that are offered.
#[derive(Clone, Debug)]
pub struct Nearest {
    limit: usize,
    /// The farthest on top.
    kept: BinaryHeap<Match>,
}

impl Nearest {
    /// Keeps so many at most.
    pub fn new(limit: usize) -> Self {
        Nearest { limit, kept: BinaryHeap::new() }
    }

    /// True if a match would be kept.
    #[inline]
    pub fn wants(&self, offered: Match) -> bool {
        self.kept.len() < self.limit || self.kept.peek().is_some_and(|farthest| offered < *farthest)
    }

    /// Keeps a match if it is near enough.
    #[inline]
    pub fn offer(&mut self, offered: Match) {
        if self.kept.len() < self.limit {
            self.kept.push(offered);
        } else if let Some(mut farthest) = self.kept.peek_mut()
            && offered < *farthest
        {
            *farthest = offered;
        }
    }

    /// What is kept, nearest first.
    pub fn into_sorted(self) -> Vec<Match> {
        self.kept.into_sorted_vec()
    }
}
