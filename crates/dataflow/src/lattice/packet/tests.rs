//! Packets in and out of loops, around them, and under changes of their rows.

use pathway_types::{Column, Diffs};

use super::*;
use crate::lattice::time::{Rounds, next_round};

fn time(outer: u64, round: u32) -> LoopTime {
    Product::new(outer, Rounds::first(round))
}

fn packet(times: &[LoopTime]) -> TimedPacket<LoopTime> {
    let keys: Vec<u128> = (0..times.len() as u128).collect();
    let ids = Keys::from(keys.clone()).to_column();
    let diffs: Vec<i64> = (0..times.len() as i64).map(|row| row - 10).collect();
    let batch = Batch::new(keys.into(), vec![ids], Diffs::from(diffs));
    TimedPacket::new(batch, Times::new(times.to_vec(), (0..times.len() as u32).collect()))
}

#[test]
fn around_the_loop() {
    let next = packet(&[time(0, 0), time(1, u32::MAX), time(0, 4)]).results_in(&next_round(1));
    assert_eq!(next.times.iter().copied().collect::<Vec<_>>(), [time(0, 1), time(0, 5)]);
    assert_eq!(next.batch.keys.as_slice(), [0, 2]);
    assert_eq!(next.batch.diffs.iter().collect::<Vec<_>>(), [-10, -8]);
    assert_eq!(next.clone().negate().batch.diffs.iter().collect::<Vec<_>>(), [10, 8]);
    let out: TimedPacket<u64> = packet(&[time(2, 1), time(1, 7), time(2, 0)]).leave();
    assert_eq!(out.times.iter().copied().collect::<Vec<_>>(), [2, 1, 2]);
    let back: TimedPacket<LoopTime> = out.enter();
    assert_eq!(back.times.iter().copied().collect::<Vec<_>>(), [time(2, 0), time(1, 0), time(2, 0)]);
}

#[test]
fn rows_keep_their_times_and_diffs() {
    let times = [time(0, 1), time(1, 0), time(2, 3)];
    // Drops the first row and doubles the last.
    let changed = packet(&times).per_row(|batch| batch.take(&[1, 2, 2]));
    assert_eq!(changed.batch.keys.as_slice(), [1, 2, 2]);
    assert_eq!(changed.batch.diffs.iter().collect::<Vec<_>>(), [-9, -8, -8]);
    let (one, two) = (times[1], times[2]);
    assert_eq!(changed.times.iter().copied().collect::<Vec<_>>(), [one, two, two]);
    let same = TimedPacket::at(one, packet(&times).batch).per_row(|batch| batch.take(&[2]));
    assert_eq!((same.len(), same.times.shared()), (1, Some(&one)));
    assert!(packet(&times).per_row(|batch| batch.slice(0, 0)).is_empty());
}

#[test]
fn rows_under_a_key() {
    let mut packet = packet(&[time(0, 0), time(1, 0)]);
    let targets: Column = Keys::from(vec![7u128, 8]).to_column();
    packet.batch.columns.push(targets);
    let keyed = packet.keyed_by_last();
    assert_eq!(keyed.batch.keys.as_slice(), [7, 8]);
    assert_eq!(Keys::of_column(&keyed.batch.columns[1]).as_slice(), [0, 1]);
}
