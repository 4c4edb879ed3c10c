//! Adds up equal rows of one key.

use crate::lattice::time::LatticeTime;

/// A row drawn from a batch.
pub(super) struct Drawn<T> {
    pub(super) print: u128,
    pub(super) time: T,
    pub(super) place: (u32, u32),
    pub(super) diff: i64,
}

impl<T: LatticeTime> Drawn<T> {
    fn before(&self, other: &Self) -> bool {
        (self.print, &self.time) < (other.print, &other.time)
    }
}

/// No row so far.
const EMPTY: u32 = u32::MAX;

/// Room for bringing equal rows together; keeps nothing between keys.
#[derive(Default)]
pub(super) struct Net {
    /// Hash table of distinct rows.
    slots: Vec<u32>,
    /// For each distinct row, the first position.
    firsts: Vec<u32>,
    /// For each row, which distinct row it is.
    owners: Vec<u32>,
    /// For each distinct row, the end of its positions in `order`.
    ends: Vec<u32>,
    order: Vec<u32>,
}

impl Net {
    /// Calls `row` for each distinct row and time with the sum of its diffs, unless that is zero, and
    /// with what it gave for the same row at the time before. The calls for one row follow each other
    /// with ascending times.
    pub(super) fn each<T: LatticeTime>(
        &mut self,
        drawn: &[Drawn<T>],
        mut row: impl FnMut(&Drawn<T>, i64, Option<u32>) -> u32,
    ) {
        if drawn.is_sorted_by(Drawn::before) {
            // One run: nothing is equal.
            let mut last: Option<(u128, u32)> = None;
            for drawn in drawn {
                let again = last.filter(|(print, _)| *print == drawn.print).map(|(_, number)| number);
                last = Some((drawn.print, row(drawn, drawn.diff, again)));
            }
            return;
        }
        self.group(drawn);
        let mut start = 0;
        for end in &self.ends {
            let rows = &mut self.order[start as usize..*end as usize];
            start = *end;
            if !rows.is_sorted_by_key(|at| &drawn[*at as usize].time) {
                rows.sort_by(|a, b| drawn[*a as usize].time.cmp(&drawn[*b as usize].time));
            }
            let mut again = None;
            for equal in rows.chunk_by(|a, b| drawn[*a as usize].time == drawn[*b as usize].time) {
                let diff: i64 = equal.iter().map(|at| drawn[*at as usize].diff).sum();
                if diff != 0 {
                    again = Some(row(&drawn[equal[0] as usize], diff, again));
                }
            }
        }
    }

    /// Puts the positions of equal rows next to each other.
    fn group<T>(&mut self, drawn: &[Drawn<T>]) {
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
