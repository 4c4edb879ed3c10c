//! What a reduce computes: from the rows of groups to the rows they give.

use hashbrown::HashMap;
use pathway_types::Column;

use crate::lattice::chunk::Sums;
use crate::lattice::gather::gather;

/// From the rows of each group to the rows that the group gives.
pub trait Logic: 'static {
    /// True to be shown what the groups gave before; the last column of what is given must then be the
    /// print of the row of which it is the result.
    fn looks_back(&self) -> bool {
        false
    }

    /// The rows that the groups give. No group is empty.
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given;
}

/// Rows that groups give, in ascending order of the groups.
pub struct Given {
    /// The group of each row.
    pub groups: Vec<u32>,
    /// The cells.
    pub columns: Vec<Column>,
}

/// The rows of some groups at one time each.
pub struct Groups<'a> {
    pub(super) keys: Vec<u128>,
    /// The group of each row, ascending.
    pub(super) groups: Vec<u32>,
    pub(super) places: Vec<(u32, u32)>,
    pub(super) prints: Vec<u128>,
    pub(super) counts: Vec<i64>,
    pub(super) blocks: &'a [Vec<Column>],
    pub(super) history: &'a HashMap<(u128, u128), (u32, u32)>,
    pub(super) given: &'a [Vec<Column>],
}

impl Groups<'_> {
    /// The key of each group.
    pub fn keys(&self) -> &[u128] {
        &self.keys
    }

    /// The group of each row, ascending.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// What tells the rows of a group apart.
    pub fn prints(&self) -> &[u128] {
        &self.prints
    }

    /// How often each row is in its group; positive.
    pub fn counts(&self) -> &[i64] {
        &self.counts
    }

    /// For rows of these groups, by group and print, where their results are.
    pub fn history(&self) -> &HashMap<(u128, u128), (u32, u32)> {
        self.history
    }

    /// The columns of a block of results.
    pub fn block_of_history(&self, block: u32) -> &[Column] {
        &self.given[block as usize]
    }

    /// The numbers that the rows carry in place of a count, `width` for each, and the cells beside them.
    pub(super) fn columns_and_sums(&self, width: usize) -> (Vec<Column>, Sums) {
        let sums: Vec<Option<Sums>> =
            self.blocks.iter().map(|block| block.last().and_then(Sums::of_column)).collect();
        let mut values = Vec::with_capacity(self.places.len() * width);
        for (block, row) in &self.places {
            if let Some(sums) = &sums[*block as usize] {
                values.extend_from_slice(sums.of(*row as usize));
            }
        }
        let beside = |block: usize| self.blocks[block].split_last().map_or(&[][..], |(_, columns)| columns);
        (gather(beside, &self.places), Sums::new(width, values))
    }

    /// The cells of all rows.
    pub fn columns(&self) -> Vec<Column> {
        gather(|block| &self.blocks[block], &self.places)
    }
}
