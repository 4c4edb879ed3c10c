//! Makes chunks of packets as they arrive: sorted by key, print and time, equal rows summed up.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use pathway_types::{Batch, Column, Diffs};

use super::TimedChunk;
use super::sums::Sums;
use crate::lattice::gather::gather;
use crate::lattice::packet::TimedPacket;
use crate::lattice::print::prints;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::Times;
use crate::store::KeyFold;
use crate::timely::{ContainerBuilder, PushInto};

/// Rows that are held back to be sorted together.
const SORT_ROWS: usize = 1 << 20;

/// Collects packets and sorts them, many at once: sorting moves positions, merging moves cells.
pub(in crate::lattice) struct Sorter<T> {
    packets: Vec<TimedPacket<T>>,
    rows: usize,
    ready: VecDeque<TimedChunk<T>>,
    out: TimedChunk<T>,
}

impl<T> Default for Sorter<T> {
    fn default() -> Self {
        Sorter { packets: Vec::new(), rows: 0, ready: VecDeque::new(), out: TimedChunk::default() }
    }
}

impl<T: LatticeTime> Sorter<T> {
    fn sort(&mut self) {
        self.rows = 0;
        self.ready.extend(sort(std::mem::take(&mut self.packets)));
    }

    fn next(&mut self) -> Option<&mut TimedChunk<T>> {
        self.out = self.ready.pop_front()?;
        Some(&mut self.out)
    }
}

impl<T: LatticeTime> PushInto<&mut TimedPacket<T>> for Sorter<T> {
    fn push_into(&mut self, packet: &mut TimedPacket<T>) {
        let packet = std::mem::take(packet);
        if packet.is_empty() {
            return;
        }
        self.rows += packet.len();
        self.packets.push(packet);
        if self.rows >= SORT_ROWS {
            self.sort();
        }
    }
}

impl<T: LatticeTime> ContainerBuilder for Sorter<T> {
    type Container = TimedChunk<T>;

    fn extract(&mut self) -> Option<&mut TimedChunk<T>> {
        self.next()
    }

    fn finish(&mut self) -> Option<&mut TimedChunk<T>> {
        if !self.packets.is_empty() {
            self.sort();
        }
        self.next()
    }
}

/// The rows of all packets as one chunk of any length; `None` if nothing is left of them.
fn sort<T: LatticeTime>(packets: Vec<TimedPacket<T>>) -> Option<TimedChunk<T>> {
    let times = Times::concat(packets.iter().map(|packet| &packet.times));
    let mut batches: Vec<Batch> = packets.into_iter().map(|packet| packet.batch).collect();
    let carried = numbers(&mut batches);
    let mut keys: Vec<u128> = Vec::with_capacity(times.len());
    batches.iter().for_each(|batch| keys.extend_from_slice(batch.keys.as_slice()));
    let prints: Vec<u128> = match batches.as_slice() {
        [one] => prints_of(one),
        several => several.iter().flat_map(prints_of).collect(),
    };
    // What adds up where rows are equal: the numbers that they carry, or else their diffs.
    let is_summed = carried.is_some();
    let (width, weights) =
        carried.unwrap_or_else(|| (1, batches.iter().flat_map(|batch| batch.diffs.iter()).collect()));
    // Where few cells tell rows apart, many are equal: that is found before they are sorted.
    let add_up_first = is_summed || batches.iter().all(|batch| batch.columns.is_empty());
    let all = Updates { rows: (0..keys.len() as u32).collect(), weights, width };
    let all = if add_up_first { all.add_up(&keys, &prints, &times) } else { all };

    let identity = |at: u32| {
        let row = all.rows[at as usize] as usize;
        (keys[row], prints[row])
    };
    let time = |at: u32| times.rank(all.rows[at as usize] as usize);
    let order = sorted(all.rows.iter().map(|row| keys[*row as usize]), |at| (identity(at), time(at)));
    // Distinct rows, given by their first ones, and the sums of their updates.
    let (mut rows, mut ends): (Vec<u32>, Vec<u32>) = Default::default();
    let (mut updates, mut sums): (Vec<u32>, Vec<i64>) = Default::default();
    for equal in order.chunk_by(|a, b| identity(*a) == identity(*b)) {
        let before = updates.len();
        for same_time in equal.chunk_by(|a, b| time(*a) == time(*b)) {
            let start = sums.len();
            sums.extend_from_slice(all.weights(same_time[0]));
            same_time[1..].iter().for_each(|at| add(&mut sums[start..], all.weights(*at)));
            if sums[start..].iter().all(|sum| *sum == 0) {
                sums.truncate(start);
            } else {
                updates.push(all.rows[same_time[0] as usize]);
            }
        }
        if updates.len() > before {
            rows.push(all.rows[equal[0] as usize]);
            ends.push(updates.len() as u32);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let (diffs, sums) = match is_summed {
        true => (Diffs::Ones(updates.len()), Sums::new(width, sums)),
        false => (Diffs::from(sums), Sums::default()),
    };
    Some(TimedChunk::new(
        rows.iter().map(|row| keys[*row as usize]).collect(),
        rows.iter().map(|row| prints[*row as usize]).collect(),
        gather_rows(&batches, &rows),
        ends,
        times.take(&updates),
        diffs,
        sums,
    ))
}

/// Takes the numbers that rows carry out of the batches, if they carry any: how many each has, and all.
fn numbers(batches: &mut [Batch]) -> Option<(usize, Vec<i64>)> {
    let width = Sums::of_column(batches.first()?.columns.last()?)?.width();
    let mut all = Vec::with_capacity(width * batches.iter().map(Batch::len).sum::<usize>());
    for sums in batches.iter_mut().filter_map(|batch| batch.columns.pop()) {
        all.extend_from_slice(Sums::of_column(&sums)?.as_slice());
    }
    Some((width, all))
}

/// Updates of rows with what adds up where they are equal, so many numbers for each.
struct Updates {
    rows: Vec<u32>,
    weights: Vec<i64>,
    width: usize,
}

impl Updates {
    #[inline]
    fn weights(&self, at: u32) -> &[i64] {
        &self.weights[at as usize * self.width..][..self.width]
    }

    /// Adds up what is equal, in any order.
    fn add_up<T: LatticeTime>(&self, keys: &[u128], prints: &[u128], times: &Times<T>) -> Updates {
        let hasher = BuildHasherDefault::<KeyFold>::default();
        let mut known: HashTable<(u128, u32)> = HashTable::new();
        let mut out = Updates { rows: Vec::new(), weights: Vec::new(), width: self.width };
        for (at, row) in self.rows.iter().enumerate() {
            let (key, row) = (keys[*row as usize], *row as usize);
            let equal = |(other, slot): &(u128, u32)| {
                let first = out.rows[*slot as usize] as usize;
                *other == key && prints[first] == prints[row] && times.rank(first) == times.rank(row)
            };
            let weights = self.weights(at as u32);
            match known.entry(hasher.hash_one(key), equal, |(key, _)| hasher.hash_one(*key)) {
                Entry::Occupied(entry) => {
                    add(&mut out.weights[entry.get().1 as usize * self.width..][..self.width], weights);
                }
                Entry::Vacant(entry) => {
                    entry.insert((key, out.rows.len() as u32));
                    out.rows.push(row as u32);
                    out.weights.extend_from_slice(weights);
                }
            }
        }
        out
    }
}

fn add(sums: &mut [i64], numbers: &[i64]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
}

/// The positions of keys in the order of `rank`, which starts with the key.
fn sorted<R: Ord>(keys: impl Iterator<Item = u128> + Clone, rank: impl Fn(u32) -> R) -> Vec<u32> {
    // Numbers of 64 bits sort much faster: the upper half of the key, or the lower half where all
    // upper halves agree (ids that a user counted up). Only where they are equal ranks decide.
    let upper = |key: u128| (key >> 64) as u64;
    let first = keys.clone().next().map_or(0, upper);
    let counted = keys.clone().all(|key| upper(key) == first);
    let half = |key: u128| if counted { key as u64 } else { upper(key) };
    let mut order: Vec<(u64, u32)> = keys.map(half).zip(0..).collect();
    order.sort_unstable();
    for equal in order.chunk_by_mut(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
        equal.sort_unstable_by_key(|at| rank(at.1));
    }
    order.into_iter().map(|(_, at)| at).collect()
}

fn prints_of(batch: &Batch) -> Vec<u128> {
    prints(&batch.columns, batch.len())
}

/// The cells at these positions of all batches taken as one.
fn gather_rows(batches: &[Batch], rows: &[u32]) -> Vec<Column> {
    let block = |batch: usize| batches[batch].columns.as_slice();
    let places: Vec<(u32, u32)> = match batches {
        [_] => rows.iter().map(|row| (0, *row)).collect(),
        _ => {
            let all = batches
                .iter()
                .zip(0u32..)
                .flat_map(|(batch, number)| (0..batch.len() as u32).map(move |row| (number, row)));
            let all: Vec<(u32, u32)> = all.collect();
            rows.iter().map(|row| all[*row as usize]).collect()
        }
    };
    gather(block, &places)
}
