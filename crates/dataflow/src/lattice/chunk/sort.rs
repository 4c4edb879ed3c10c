//! Makes chunks of packets as they arrive: sorted by key, print and time, equal rows summed up.

use std::collections::VecDeque;

use pathway_types::{Batch, Column, Diffs};

use super::TimedChunk;
use crate::lattice::gather::gather;
use crate::lattice::packet::TimedPacket;
use crate::lattice::print::prints;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::Times;
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
    let batches: Vec<Batch> = packets.into_iter().map(|packet| packet.batch).collect();
    let prints: Vec<u128> = match batches.as_slice() {
        [one] => prints_of(one),
        several => several.iter().flat_map(prints_of).collect(),
    };
    let keys: Vec<u128> = batches.iter().flat_map(|batch| batch.keys.as_slice().iter().copied()).collect();
    let diffs: Vec<i64> = batches.iter().flat_map(|batch| batch.diffs.iter()).collect();
    let identity = |row: u32| (keys[row as usize], prints[row as usize]);
    let time = |row: u32| times.rank(row as usize);
    let order = sorted_rows(&keys, |row| (identity(row), time(row)));

    // Distinct rows, given by their first ones, and the sums of their updates.
    let (mut rows, mut ends): (Vec<u32>, Vec<u32>) = Default::default();
    let (mut updates, mut sums): (Vec<u32>, Vec<i64>) = Default::default();
    for equal in order.chunk_by(|a, b| identity(*a) == identity(*b)) {
        let before = updates.len();
        for same_time in equal.chunk_by(|a, b| time(*a) == time(*b)) {
            let sum: i64 = same_time.iter().map(|row| diffs[*row as usize]).sum();
            if sum != 0 {
                updates.push(same_time[0]);
                sums.push(sum);
            }
        }
        if updates.len() > before {
            rows.push(equal[0]);
            ends.push(updates.len() as u32);
        }
    }
    if rows.is_empty() {
        return None;
    }
    Some(TimedChunk::new(
        rows.iter().map(|row| keys[*row as usize]).collect(),
        rows.iter().map(|row| prints[*row as usize]).collect(),
        gather_rows(&batches, &rows),
        ends,
        times.take(&updates),
        Diffs::from(sums),
    ))
}

/// The rows in the order of `rank`, which starts with the key.
fn sorted_rows<R: Ord>(keys: &[u128], rank: impl Fn(u32) -> R) -> Vec<u32> {
    // Numbers of 64 bits sort much faster: the upper half of the key, or the lower half where all
    // upper halves agree (ids that a user counted up). Only where they are equal ranks decide.
    let upper = |key: u128| (key >> 64) as u64;
    let counted = keys.windows(2).all(|pair| upper(pair[0]) == upper(pair[1]));
    let half = |key: &u128| if counted { *key as u64 } else { upper(*key) };
    let mut order: Vec<(u64, u32)> = keys.iter().map(half).zip(0..).collect();
    order.sort_unstable();
    for equal in order.chunk_by_mut(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
        equal.sort_unstable_by_key(|row| rank(row.1));
    }
    order.into_iter().map(|(_, row)| row).collect()
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
