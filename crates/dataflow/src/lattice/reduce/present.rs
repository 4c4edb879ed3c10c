//! Which keys an index has.

use std::sync::Arc;

use arrow_array::BooleanArray;
use pathway_types::Column;

use super::groups::{Given, Groups, Logic};
use super::reduce_with;
use crate::lattice::arrange::Index;
use crate::lattice::time::LatticeTime;

/// One row per key.
struct Present {
    /// The row tells whether there are several.
    several: bool,
}

impl Logic for Present {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let count = groups.keys().len();
        let mut columns = Vec::new();
        if self.several {
            let mut rows = vec![0; count];
            groups.groups().iter().zip(groups.counts()).for_each(|(group, n)| rows[*group as usize] += n);
            let several: BooleanArray = rows.iter().map(|rows| Some(*rows > 1)).collect();
            columns.push(Column::new(Arc::new(several)));
        }
        Given { groups: (0..count as u32).collect(), columns }
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

/// The keys of an index, each once; with `several`, a column tells whether it has several rows.
pub fn present_keys<T: LatticeTime>(index: Index<'_, T>, several: bool) -> Index<'_, T> {
    reduce_with(index, "present keys", Present { several })
}
