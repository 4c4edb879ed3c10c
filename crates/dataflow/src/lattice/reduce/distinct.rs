//! Rows without repetition.

use super::groups::{Given, Groups, Logic};
use super::reduce_with;
use crate::lattice::arrange::Index;
use crate::lattice::time::LatticeTime;

struct Distinct;

impl Logic for Distinct {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        Given::Own((0..groups.groups().len() as u32).collect())
    }
}

/// Every row once, however often it is there.
pub fn distinct<'scope, T: LatticeTime>(index: Index<'scope, T>, name: &str) -> Index<'scope, T> {
    reduce_with(index, name, Distinct)
}

struct First;

impl Logic for First {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let rows: Vec<u32> = (0..groups.groups().len() as u32).collect();
        let of_group = rows.chunk_by(|a, b| groups.groups()[*a as usize] == groups.groups()[*b as usize]);
        let least = of_group.filter_map(|rows| rows.iter().min_by_key(|row| groups.prints()[**row as usize]));
        Given::Own(least.copied().collect())
    }
}

/// One row of each key, the same one for the same rows.
pub fn first_per_key<'scope, T: LatticeTime>(index: Index<'scope, T>, name: &str) -> Index<'scope, T> {
    reduce_with(index, name, First)
}
