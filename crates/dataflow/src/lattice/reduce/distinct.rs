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
        let owners = groups.groups();
        let first = (0..owners.len()).filter(|row| *row == 0 || owners[row - 1] != owners[*row]);
        Given::Own(first.map(|row| row as u32).collect())
    }
}

/// One row of each key, the same one for the same rows.
pub fn first_per_key<'scope, T: LatticeTime>(index: Index<'scope, T>, name: &str) -> Index<'scope, T> {
    reduce_with(index, name, First)
}
