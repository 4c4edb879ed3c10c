//! Makes chunks of packets as they arrive: sorted by key, print and time, equal rows summed up.

use std::cmp::Ordering;
use std::collections::VecDeque;

use pathway_types::{Batch, Column, Diffs};

use super::totals::Totals;
use super::{Sums, TimedChunk};
use crate::lattice::fitted;
use crate::lattice::packet::TimedPacket;
use crate::lattice::print::add_prints;
use crate::lattice::time::LatticeTime;
use crate::lattice::times::Times;
use crate::timely::{ContainerBuilder, PushInto};

/// Rows that are held back to be sorted together.
const SORT_ROWS: usize = 1 << 20;

/// Collects packets and sorts them, many at once: sorting moves positions, merging moves cells.
pub(in crate::lattice) struct Sorter<T> {
    /// What is added up before it is sorted.
    totals: Totals<T>,
    packets: Vec<TimedPacket<T>>,
    rows: usize,
    ready: VecDeque<TimedChunk<T>>,
    out: TimedChunk<T>,
}

impl<T> Default for Sorter<T> {
    fn default() -> Self {
        Sorter {
            totals: Totals::default(),
            packets: Vec::new(),
            rows: 0,
            ready: VecDeque::new(),
            out: TimedChunk::default(),
        }
    }
}

impl<T: LatticeTime> Sorter<T> {
    fn sort(&mut self) {
        self.rows = 0;
        self.ready.extend(self.totals.finish());
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
        if let Some(packet) = self.totals.take(packet) {
            self.rows += packet.len();
            self.packets.push(packet);
        }
        if self.rows + self.totals.rows() >= SORT_ROWS {
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
        self.sort();
        self.next()
    }
}

/// The rows of all packets as one chunk of any length; `None` if nothing is left of them.
fn sort<T: LatticeTime>(packets: Vec<TimedPacket<T>>) -> Option<TimedChunk<T>> {
    let times = Times::concat(packets.iter().map(|packet| &packet.times));
    let (mut keys, mut prints) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
    for TimedPacket { batch, .. } in &packets {
        keys.extend_from_slice(batch.keys.as_slice());
        add_prints(&batch.columns, batch.len(), &mut prints);
    }
    let batches: Vec<Batch> = packets.into_iter().map(|packet| packet.batch).collect();
    let identity = |row: usize| (keys[row], prints[row]);
    if (1..keys.len()).all(|row| identity(row - 1) < identity(row)) {
        // They come from where they were in order, and no row is there twice.
        let Batch { columns, diffs, .. } = Batch::concat(&batches);
        return (!times.is_empty())
            .then(|| TimedChunk::new(keys, prints, columns, Vec::new(), times, diffs, Sums::default()));
    }
    let diffs: Vec<i64> = batches.iter().flat_map(|batch| batch.diffs.iter()).collect();
    let (identity, time) = (|row: u32| identity(row as usize), |row: u32| times.rank(row as usize));
    let order = key_order(
        keys.len(),
        |row| keys[row as usize],
        |a, b| identity(a).cmp(&identity(b)).then_with(|| time(a).cmp(&time(b))),
    );
    // Distinct rows, given by their first ones, and the sums of their updates.
    let (mut rows, mut ends): (Vec<u32>, Vec<u32>) = Default::default();
    let (mut updates, mut sums): (Vec<u32>, Vec<i64>) = Default::default();
    for equal in order.chunk_by(|a, b| identity(*a) == identity(*b)) {
        let before = updates.len();
        for same_time in equal.chunk_by(|a, b| time(*a) == time(*b)) {
            let sum = same_time.iter().map(|row| diffs[*row as usize]).sum();
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
        cells(&batches, rows),
        ends,
        times.take(&updates),
        Diffs::from(fitted(sums)),
        Sums::default(),
    ))
}

/// The positions `0..count` in the order of `compare`, which goes by their keys first.
pub(super) fn key_order(
    count: usize,
    key: impl Fn(u32) -> u128,
    compare: impl Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    // Numbers of 64 bits sort much faster: the upper half of the key, or the lower half where all
    // upper halves agree (ids that a user counted up). Only where they are equal all of it decides.
    let positions = 0..count as u32;
    let upper = |key: u128| (key >> 64) as u64;
    let first = positions.clone().next().map_or(0, |at| upper(key(at)));
    let counted = positions.clone().all(|at| upper(key(at)) == first);
    let half = |key: u128| if counted { key as u64 } else { upper(key) };
    let mut order: Vec<(u64, u32)> = positions.map(|at| (half(key(at)), at)).collect();
    order.sort_unstable();
    for equal in order.chunk_by_mut(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
        equal.sort_unstable_by(|a, b| compare(a.1, b.1));
    }
    order.into_iter().map(|(_, at)| at).collect()
}

/// The cells at these positions of all batches taken as one.
fn cells(batches: &[Batch], rows: Vec<u32>) -> Vec<Column> {
    let width = batches.first().map_or(0, |batch| batch.columns.len());
    let all = |column: usize| {
        let parts: Vec<&Column> = batches.iter().map(|batch| &batch.columns[column]).collect();
        if let [one] = parts[..] { one.clone() } else { Column::concat(&parts) }
    };
    let everything = rows.len() == batches.iter().map(Batch::len).sum::<usize>();
    if everything && rows.is_sorted() {
        return (0..width).map(all).collect();
    }
    let rows = rows.into();
    (0..width).map(|column| all(column).take(&rows)).collect()
}
