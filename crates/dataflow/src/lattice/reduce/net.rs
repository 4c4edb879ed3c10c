//! Adds up equal rows of one key.

use crate::lattice::time::LatticeTime;

/// A row of a batch, with its updates in a list of all updates of the key.
#[derive(Clone, Copy)]
pub(super) struct Drawn {
    pub(super) print: u128,
    pub(super) place: (u32, u32),
    pub(super) updates: (u32, u32),
}

impl Drawn {
    fn of<'a, T>(&self, updates: &'a [(T, i64)]) -> &'a [(T, i64)] {
        &updates[self.updates.0 as usize..self.updates.1 as usize]
    }
}

/// No row so far.
const EMPTY: u32 = u32::MAX;

/// Room for bringing equal rows together; keeps nothing between keys.
pub(super) struct Net<T> {
    /// Hash table of distinct rows.
    slots: Vec<u32>,
    /// For each distinct row, the first position.
    firsts: Vec<u32>,
    /// For each row, which distinct row it is.
    owners: Vec<u32>,
    /// For each distinct row, the end of its positions in `order`.
    ends: Vec<u32>,
    order: Vec<u32>,
    scratch: Vec<(T, i64)>,
}

impl<T> Default for Net<T> {
    fn default() -> Self {
        Net {
            slots: Vec::new(),
            firsts: Vec::new(),
            owners: Vec::new(),
            ends: Vec::new(),
            order: Vec::new(),
            scratch: Vec::new(),
        }
    }
}

impl<T: LatticeTime> Net<T> {
    /// Calls `row` for each distinct row and time with the sum of its diffs, unless that is zero, and
    /// with what it gave for the same row at the time before. The calls for one row follow each other
    /// with ascending times.
    pub(super) fn each(
        &mut self,
        drawn: &[Drawn],
        updates: &[(T, i64)],
        mut row: impl FnMut(&Drawn, &T, i64, Option<u32>) -> u32,
    ) {
        if drawn.is_sorted_by(|a, b| a.print < b.print) {
            // Nothing is there twice.
            drawn.iter().for_each(|one| self.sum_up(one, one.of(updates), &mut row));
            return;
        }
        self.group(drawn);
        let mut start = 0;
        for distinct in 0..self.ends.len() {
            let end = self.ends[distinct] as usize;
            let first = &drawn[self.order[start] as usize];
            if end == start + 1 {
                self.sum_up(first, first.of(updates), &mut row);
            } else {
                let mut all = std::mem::take(&mut self.scratch);
                all.clear();
                let rows = self.order[start..end].iter().map(|at| &drawn[*at as usize]);
                all.extend(rows.flat_map(|row| row.of(updates)).cloned());
                sum_up_any(first, &mut all, &mut row);
                self.scratch = all;
            }
            start = end;
        }
    }

    /// The updates of one row, which ascend unless times have come to be equal or crossed.
    #[inline]
    fn sum_up(
        &mut self,
        first: &Drawn,
        updates: &[(T, i64)],
        row: &mut impl FnMut(&Drawn, &T, i64, Option<u32>) -> u32,
    ) {
        if updates.is_sorted_by(|a, b| a.0 < b.0) {
            let mut again = None;
            for (time, diff) in updates {
                again = Some(row(first, time, *diff, again));
            }
        } else {
            self.scratch.clear();
            self.scratch.extend_from_slice(updates);
            sum_up_any(first, &mut self.scratch, row);
        }
    }

    /// Puts the positions of equal rows next to each other.
    fn group(&mut self, drawn: &[Drawn]) {
        let mask = (2 * drawn.len()).next_power_of_two() - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, EMPTY);
        self.firsts.clear();
        self.owners.clear();
        self.ends.clear();
        for (at, Drawn { print, .. }) in drawn.iter().enumerate() {
            let mut slot = *print as usize & mask;
            let owner = loop {
                match self.slots[slot] {
                    EMPTY => {
                        let owner = self.firsts.len() as u32;
                        self.slots[slot] = owner;
                        self.firsts.push(at as u32);
                        self.ends.push(0);
                        break owner;
                    }
                    owner if drawn[self.firsts[owner as usize] as usize].print == *print => break owner,
                    _ => slot = (slot + 1) & mask,
                }
            };
            self.owners.push(owner);
            self.ends[owner as usize] += 1;
        }
        // From counts to starts, which become ends as the positions are laid down.
        let mut start = 0;
        for end in &mut self.ends {
            start += std::mem::replace(end, start);
        }
        self.order.clear();
        self.order.resize(drawn.len(), 0);
        for (at, owner) in self.owners.iter().enumerate() {
            let place = &mut self.ends[*owner as usize];
            self.order[*place as usize] = at as u32;
            *place += 1;
        }
    }
}

/// The updates of one row in any order.
fn sum_up_any<T: LatticeTime>(
    first: &Drawn,
    updates: &mut [(T, i64)],
    row: &mut impl FnMut(&Drawn, &T, i64, Option<u32>) -> u32,
) {
    updates.sort_by(|a, b| a.0.cmp(&b.0));
    let mut again = None;
    for equal in updates.chunk_by(|a, b| a.0 == b.0) {
        let diff: i64 = equal.iter().map(|(_, diff)| diff).sum();
        if diff != 0 {
            again = Some(row(first, &equal[0].0, diff, again));
        }
    }
}
