//! The times of the rows of a packet or chunk: a table of distinct times and a rank per row.
//!
//! Rows of one batch share few times, so what is done with times (advance, compare with a
//! frontier, take a step of a loop) is done once per distinct time, and within a batch two times
//! compare by their ranks.

use std::sync::Arc;

use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use hashbrown::HashMap;

use super::fitted;
use super::time::LatticeTime;

/// One time per row.
#[derive(Clone, Debug)]
pub struct Times<T> {
    /// Strictly ascending. Entries that no row uses are allowed.
    table: Arc<[T]>,
    ranks: Ranks,
}

#[derive(Clone, Debug)]
enum Ranks {
    /// All rows have the only time of the table.
    Same(usize),
    /// A place in the table per row.
    Each(ScalarBuffer<u32>),
}

impl<T> Default for Times<T> {
    fn default() -> Self {
        Times { table: Arc::new([]), ranks: Ranks::Same(0) }
    }
}

impl<T: LatticeTime> Times<T> {
    /// One time for all rows.
    pub fn same(time: T, rows: usize) -> Self {
        Times { table: Arc::new([time]), ranks: Ranks::Same(rows) }
    }

    /// The times `table[ranks[row]]`; the table may be in any order and repeat times.
    pub fn new(table: Vec<T>, mut ranks: Vec<u32>) -> Self {
        if ranks.is_empty() {
            return Times::default();
        }
        if let [_] = table.as_slice() {
            return Times { table: table.into(), ranks: Ranks::Same(ranks.len()) };
        }
        let (table, places) = sorted(table);
        if let Some(places) = places {
            ranks.iter_mut().for_each(|rank| *rank = places[*rank as usize]);
        }
        let ranks =
            if table.len() == 1 { Ranks::Same(ranks.len()) } else { Ranks::Each(fitted(ranks).into()) };
        Times { table: table.into(), ranks }
    }

    /// How many bytes they take, but for the table, which is shared by many.
    pub(super) fn bytes(&self) -> usize {
        match &self.ranks {
            Ranks::Same(_) => 0,
            Ranks::Each(ranks) => size_of_val(&**ranks),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.ranks {
            Ranks::Same(rows) => *rows,
            Ranks::Each(ranks) => ranks.len(),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time of all rows, if they share one and know it.
    pub fn shared(&self) -> Option<&T> {
        match &self.ranks {
            Ranks::Same(_) => self.table.first(),
            Ranks::Each(_) => None,
        }
    }

    /// The distinct times, ascending; some may not be used by any row.
    pub fn table(&self) -> &[T] {
        &self.table
    }

    /// The place of a row's time in the table.
    #[inline]
    pub fn rank(&self, row: usize) -> u32 {
        match &self.ranks {
            Ranks::Same(_) => 0,
            Ranks::Each(ranks) => ranks[row],
        }
    }

    /// The time of a row.
    #[inline]
    pub fn get(&self, row: usize) -> &T {
        &self.table[self.rank(row) as usize]
    }

    /// The times row by row.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Which times of the table some row uses.
    pub fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.table.len()];
        match &self.ranks {
            Ranks::Same(rows) => used.iter_mut().for_each(|used| *used = *rows > 0),
            Ranks::Each(ranks) => ranks.iter().for_each(|rank| used[*rank as usize] = true),
        }
        used
    }

    /// The times of these rows.
    pub fn take(&self, rows: &[u32]) -> Self {
        self.pick(rows.len(), |ranks| rows.iter().map(|row| ranks[*row as usize]).collect())
    }

    /// The times of the rows where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Self {
        self.pick(keep.count_set_bits(), |ranks| keep.set_indices().map(|row| ranks[row]).collect())
    }

    /// The times of a range of rows.
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        self.pick(len, |ranks| ranks.slice(offset, len))
    }

    fn pick(&self, rows: usize, pick: impl FnOnce(&ScalarBuffer<u32>) -> ScalarBuffer<u32>) -> Self {
        match &self.ranks {
            Ranks::Same(_) => Times { table: self.table.clone(), ranks: Ranks::Same(rows) },
            Ranks::Each(_) if rows == 0 => Times::default(),
            Ranks::Each(ranks) => {
                let picked = Times { table: self.table.clone(), ranks: Ranks::Each(pick(ranks)) };
                // Few rows must not carry a long table along.
                if picked.table.len() > rows { picked.trimmed() } else { picked }
            }
        }
    }

    /// The same times with a table of the used ones only.
    fn trimmed(&self) -> Self {
        let used = self.used();
        let mut places = vec![0u32; used.len()];
        let mut table = Vec::new();
        for (rank, time) in self.table.iter().enumerate() {
            if used[rank] {
                places[rank] = table.len() as u32;
                table.push(time.clone());
            }
        }
        let ranks = (0..self.len()).map(|row| places[self.rank(row) as usize]).collect();
        Times::new(table, ranks)
    }

    /// Each time replaced by another.
    pub fn map<U: LatticeTime>(&self, change: impl FnMut(&T) -> U) -> Times<U> {
        let table: Vec<U> = self.table.iter().map(change).collect();
        match &self.ranks {
            Ranks::Same(rows) => Times { table: table.into(), ranks: Ranks::Same(*rows) },
            Ranks::Each(ranks) => match sorted(table) {
                (table, None) => Times { table: table.into(), ranks: Ranks::Each(ranks.clone()) },
                (table, Some(places)) => {
                    Times::new(table, ranks.iter().map(|rank| places[*rank as usize]).collect())
                }
            },
        }
    }

    /// Each time replaced by another, or its rows dropped: the new times, and the rows that stay
    /// (`None` for all).
    pub fn map_some(&self, mut change: impl FnMut(&T) -> Option<T>) -> (Self, Option<BooleanBuffer>) {
        let changed: Vec<Option<T>> = self.table.iter().map(&mut change).collect();
        if changed.iter().all(Option::is_some) {
            let mut changed = changed.into_iter().flatten();
            // As many times as the table has.
            return (self.map(|time| changed.next().unwrap_or_else(|| time.clone())), None);
        }
        let keep: BooleanBuffer =
            (0..self.len()).map(|row| changed[self.rank(row) as usize].is_some()).collect();
        let mut table = Vec::new();
        let places: Vec<u32> = changed
            .into_iter()
            .map(|time| {
                table.extend(time);
                (table.len() as u32).wrapping_sub(1)
            })
            .collect();
        let ranks = keep.set_indices().map(|row| places[self.rank(row) as usize]).collect();
        (Times::new(table, ranks), Some(keep))
    }

    /// The times of several batches one after another.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a Times<T>> + Clone) -> Self
    where
        T: 'a,
    {
        let mut filled = parts.clone().filter(|part| !part.is_empty());
        let Some(first) = filled.next() else { return Times::default() };
        let rows = parts.clone().map(Times::len).sum();
        if let Some(time) = first.shared()
            && filled.all(|part| part.shared() == Some(time))
        {
            return Times { table: first.table.clone(), ranks: Ranks::Same(rows) };
        }
        let mut table = TimeTable::default();
        let mut ranks = Vec::with_capacity(rows);
        for part in parts {
            match &part.ranks {
                Ranks::Same(0) => {}
                Ranks::Same(rows) => {
                    ranks.extend(std::iter::repeat_n(table.place(&part.table[0]), *rows));
                }
                Ranks::Each(own) => {
                    let places: Vec<u32> = part.table.iter().map(|time| table.place(time)).collect();
                    ranks.extend(own.iter().map(|rank| places[*rank as usize]));
                }
            }
        }
        table.finish(ranks)
    }
}

/// The table in strictly ascending order, and where each entry went (`None`: where it was).
fn sorted<T: Ord + Clone>(table: Vec<T>) -> (Vec<T>, Option<Vec<u32>>) {
    if table.windows(2).all(|pair| pair[0] < pair[1]) {
        return (table, None);
    }
    let mut order: Vec<u32> = (0..table.len() as u32).collect();
    order.sort_unstable_by(|a, b| table[*a as usize].cmp(&table[*b as usize]));
    let mut places = vec![0; table.len()];
    let mut out: Vec<T> = Vec::with_capacity(table.len());
    for from in order {
        let time = &table[from as usize];
        if out.last() != Some(time) {
            out.push(time.clone());
        }
        places[from as usize] = out.len() as u32 - 1;
    }
    (out, Some(places))
}

/// Collects distinct times in the order in which they are met.
#[derive(Debug)]
pub(super) struct TimeTable<T> {
    times: Vec<T>,
    places: HashMap<T, u32>,
}

/// Up to so many times are looked up one by one.
const FEW: usize = 8;

impl<T> Default for TimeTable<T> {
    fn default() -> Self {
        TimeTable { times: Vec::new(), places: HashMap::new() }
    }
}

impl<T: LatticeTime> TimeTable<T> {
    /// The place of a time, which is added if it is new.
    pub(super) fn place(&mut self, time: &T) -> u32 {
        let known = if self.times.len() <= FEW {
            self.times.iter().position(|known| known == time).map(|place| place as u32)
        } else {
            if self.places.is_empty() {
                self.places.extend(self.times.iter().cloned().zip(0..));
            }
            self.places.get(time).copied()
        };
        known.unwrap_or_else(|| {
            let place = self.times.len() as u32;
            self.times.push(time.clone());
            if !self.places.is_empty() {
                self.places.insert(time.clone(), place);
            }
            place
        })
    }

    /// The time at a place.
    #[inline]
    pub(super) fn get(&self, place: u32) -> &T {
        &self.times[place as usize]
    }

    /// The times of rows by their places; the table is empty afterwards.
    pub(super) fn finish(&mut self, ranks: Vec<u32>) -> Times<T> {
        self.places.clear();
        Times::new(std::mem::take(&mut self.times), ranks)
    }
}

#[cfg(test)]
mod tests;
