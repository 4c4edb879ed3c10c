//! Updates that are added up as they come, before anything is sorted: those that carry numbers, and
//! those of rows without cells. Many of them are equal.

use std::hash::{BuildHasher, BuildHasherDefault};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use pathway_types::{Column, Diffs};

use super::TimedChunk;
use super::sort::key_order;
use super::sums::Sums;
use crate::lattice::gather::gather;
use crate::lattice::packet::TimedPacket;
use crate::lattice::print::prints;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::TimeTable;
use crate::store::KeyFold;

/// A distinct update.
struct Update {
    key: u128,
    print: u128,
    /// The place of its time.
    time: u32,
    /// Where the cells of its row are.
    place: (u32, u32),
}

/// Distinct updates with what adds up where they are equal.
pub(super) struct Totals<T> {
    updates: Vec<Update>,
    /// Positions in `updates` by key, print and time.
    known: HashTable<u32>,
    /// So many numbers for each of them: those that they carry, or else the diff.
    weights: Vec<i64>,
    width: usize,
    /// Updates carry numbers.
    carried: bool,
    /// The packets whose cells are in `updates`.
    blocks: Vec<Vec<Column>>,
    table: TimeTable<T>,
}

impl<T> Default for Totals<T> {
    fn default() -> Self {
        Totals {
            updates: Vec::new(),
            known: HashTable::new(),
            weights: Vec::new(),
            width: 1,
            carried: false,
            blocks: Vec::new(),
            table: TimeTable::default(),
        }
    }
}

impl<T: LatticeTime> Totals<T> {
    /// Adds the updates of a packet, if they are of this kind; else gives it back.
    pub(super) fn take(&mut self, mut packet: TimedPacket<T>) -> Option<TimedPacket<T>> {
        match packet.batch.columns.last().map(Sums::of_column) {
            Some(Some(sums)) => {
                packet.batch.columns.pop();
                (self.width, self.carried) = (sums.width(), true);
                self.add(packet, |row| sums.of(row));
                None
            }
            Some(None) => Some(packet),
            None => {
                let diffs: Vec<i64> = packet.batch.diffs.iter().collect();
                self.add(packet, |row| &diffs[row..=row]);
                None
            }
        }
    }

    fn add<'a>(&mut self, packet: TimedPacket<T>, weights: impl Fn(usize) -> &'a [i64]) {
        let TimedPacket { batch, times } = packet;
        let prints = prints(&batch.columns, batch.len());
        let places: Vec<u32> = times.table().iter().map(|time| self.table.place(time)).collect();
        let (block, width) = (self.blocks.len() as u32, self.width);
        let hasher = BuildHasherDefault::<KeyFold>::default();
        let Totals { updates, known, weights: sums, .. } = self;
        for (row, (key, print)) in batch.keys.as_slice().iter().zip(prints).enumerate() {
            let (key, time) = (*key, places[times.rank(row) as usize]);
            let equal = |at: &u32| {
                let other = &updates[*at as usize];
                other.key == key && other.print == print && other.time == time
            };
            match known.entry(hasher.hash_one(key), equal, |at| hasher.hash_one(updates[*at as usize].key)) {
                Entry::Occupied(entry) => {
                    let sums = &mut sums[*entry.get() as usize * width..][..width];
                    sums.iter_mut().zip(weights(row)).for_each(|(sum, n)| *sum = sum.wrapping_add(*n));
                }
                Entry::Vacant(entry) => {
                    entry.insert(updates.len() as u32);
                    updates.push(Update { key, print, time, place: (block, row as u32) });
                    sums.extend_from_slice(weights(row));
                }
            }
        }
        if !batch.columns.is_empty() {
            self.blocks.push(batch.columns);
        }
    }

    /// How many updates are kept, those included that others were added to where their cells are kept.
    pub(super) fn rows(&self) -> usize {
        let cells = |block: &Vec<Column>| block.first().map_or(0, Column::len);
        self.updates.len().max(self.blocks.iter().map(cells).sum())
    }

    /// The updates that do not come to nothing, as one chunk of any length.
    pub(super) fn finish(&mut self) -> Option<TimedChunk<T>> {
        let all = std::mem::take(self);
        let (updates, width, table) = (&all.updates, all.width, &all.table);
        let weights = |at: u32| &all.weights[at as usize * width..][..width];
        let identity = |at: u32| (updates[at as usize].key, updates[at as usize].print);
        let mut order = key_order(
            updates.len(),
            |at| updates[at as usize].key,
            |a, b| {
                let times = || table.get(updates[a as usize].time).cmp(table.get(updates[b as usize].time));
                identity(a).cmp(&identity(b)).then_with(times)
            },
        );
        order.retain(|at| weights(*at).iter().any(|sum| *sum != 0));
        if order.is_empty() {
            return None;
        }
        let distinct = || order.chunk_by(|a, b| identity(*a) == identity(*b));
        let firsts: Vec<u32> = distinct().map(|equal| equal[0]).collect();
        let mut end = 0;
        let ends = distinct().map(|equal| {
            end += equal.len() as u32;
            end
        });
        let ends = ends.collect();
        let places: Vec<(u32, u32)> = firsts.iter().map(|at| updates[*at as usize].place).collect();
        let cells = |block: usize| all.blocks.get(block).map_or(&[][..], Vec::as_slice);
        let columns = gather(cells, &places);
        let mut sums = Vec::with_capacity(order.len() * width);
        order.iter().for_each(|at| sums.extend_from_slice(weights(*at)));
        let (diffs, sums) = match all.carried {
            true => (Diffs::Ones(order.len()), Sums::new(width, sums)),
            false => (Diffs::from(sums), Sums::default()),
        };
        let ranks = order.iter().map(|at| updates[*at as usize].time).collect();
        let keys = firsts.iter().map(|at| updates[*at as usize].key).collect();
        let prints = firsts.iter().map(|at| updates[*at as usize].print).collect();
        let mut table = all.table;
        Some(TimedChunk::new(keys, prints, columns, ends, table.finish(ranks), diffs, sums))
    }
}
