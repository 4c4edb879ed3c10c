//! Which keys an index has.

use super::groups::{Given, Groups, Logic};
use super::reduce_with;
use crate::lattice::arrange::Index;
use crate::lattice::time::LatticeTime;

/// One row per key.
struct Present;

impl Logic for Present {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        Given { groups: (0..groups.keys().len() as u32).collect(), columns: Vec::new() }
    }
}

/// Keys with more than one row.
struct Several;

impl Logic for Several {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let mut rows = vec![0; groups.keys().len()];
        groups.groups().iter().zip(groups.counts()).for_each(|(group, n)| rows[*group as usize] += n);
        let several = (0..rows.len() as u32).filter(|group| rows[*group as usize] > 1);
        Given { groups: several.collect(), columns: Vec::new() }
    }
}

/// The keys of which an index has several rows, each once.
pub fn repeated_keys<T: LatticeTime>(index: Index<'_, T>) -> Index<'_, T> {
    reduce_with(index, "repeated keys", Several)
}

/// The keys of an index, each once.
pub fn present_keys<T: LatticeTime>(index: Index<'_, T>) -> Index<'_, T> {
    reduce_with(index, "present keys", Present)
}
