//! The index that measures all distances.
//!
//! *Cost*: a search reads all vectors once for all of its queries, in blocks that stay in the cache.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use crate::vectors::{Metric, Probe, Vectors};
use crate::{Accept, FilterError, Index, Match, Nearest, Query};

/// Bytes of vectors that are compared with all queries before the next ones are read.
const BLOCK: usize = 64 * 1024;

/// An exact index.
#[derive(Clone, Debug)]
pub struct ExactIndex {
    vectors: Vectors,
    /// The item of each slot.
    keys: Vec<u128>,
    slots: HashMap<u128, u32>,
}

impl ExactIndex {
    /// An empty index over vectors of this length.
    pub fn new(metric: Metric, dimensions: usize) -> Self {
        ExactIndex { vectors: Vectors::new(metric, dimensions), keys: Vec::new(), slots: HashMap::new() }
    }

    fn measure(&self, probe: &Probe<'_>, slot: usize) -> Match {
        Match { distance: self.vectors.distance(probe, slot), key: self.keys[slot] }
    }

    /// Candidates in their order, until enough of them are accepted.
    fn search_filtered(&self, query: &Query<'_>, accept: &mut Accept<'_>) -> Result<Vec<Match>, FilterError> {
        let probe = self.vectors.probe(query.vector);
        let all = (0..self.keys.len()).map(|slot| Reverse(self.measure(&probe, slot)));
        let mut candidates = BinaryHeap::from(all.collect::<Vec<_>>());
        let mut found = Vec::new();
        while found.len() < query.limit
            && let Some(Reverse(candidate)) = candidates.pop()
        {
            if accept(query.number, candidate.key)? {
                found.push(candidate);
            }
        }
        Ok(found)
    }
}

impl Index for ExactIndex {
    fn dimensions(&self) -> usize {
        self.vectors.dimensions()
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn contains(&self, key: u128) -> bool {
        self.slots.contains_key(&key)
    }

    fn read(&self, key: u128, out: &mut Vec<f64>) -> bool {
        let Some(slot) = self.slots.get(&key) else { return false };
        out.extend_from_slice(self.vectors.get(*slot as usize));
        true
    }

    fn add(&mut self, key: u128, vector: &[f64]) {
        let next = self.keys.len() as u32;
        match self.slots.get(&key) {
            Some(slot) => self.vectors.set(*slot as usize, vector),
            None => {
                self.slots.insert(key, next);
                self.keys.push(key);
                self.vectors.push(vector);
            }
        }
    }

    fn remove(&mut self, key: u128) -> bool {
        let Some(slot) = self.slots.remove(&key) else { return false };
        self.vectors.swap_remove(slot as usize);
        self.keys.swap_remove(slot as usize);
        if let Some(moved) = self.keys.get(slot as usize) {
            self.slots.insert(*moved, slot);
        }
        true
    }

    fn search(&self, queries: &[Query<'_>], accept: &mut Accept<'_>) -> Vec<Result<Vec<Match>, FilterError>> {
        let plain = queries.iter().filter(|query| !query.filtered);
        let mut plain: Vec<(Probe<'_>, Nearest)> =
            plain.map(|query| (self.vectors.probe(query.vector), Nearest::new(query.limit))).collect();
        let block = (BLOCK / (8 * self.dimensions().max(1))).max(1);
        if !plain.is_empty() {
            for start in (0..self.keys.len()).step_by(block) {
                let end = (start + block).min(self.keys.len());
                for (probe, nearest) in &mut plain {
                    (start..end).for_each(|slot| nearest.offer(self.measure(probe, slot)));
                }
            }
        }
        let mut plain = plain.into_iter();
        let answer = |query: &Query<'_>| match query.filtered {
            true => self.search_filtered(query, accept),
            false => Ok(plain.next().map(|(_, nearest)| nearest.into_sorted()).unwrap_or_default()),
        };
        queries.iter().map(answer).collect()
    }

    fn distances(&self, vector: &[f64], keys: &[u128], out: &mut Vec<f64>) -> bool {
        let probe = self.vectors.probe(vector);
        let distance = |key| match self.slots.get(key) {
            Some(slot) => self.vectors.distance(&probe, *slot as usize),
            None => f64::NAN,
        };
        out.extend(keys.iter().map(distance));
        true
    }
}

#[cfg(test)]
mod tests;
