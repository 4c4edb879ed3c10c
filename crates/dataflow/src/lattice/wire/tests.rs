//! A packet with times survives the wire.

use pathway_types::{Batch, Diffs, Keys};

use super::*;
use crate::lattice::LoopTime;
use crate::timely::{PointStamp, Product};

fn check(times: &[LoopTime]) {
    let keys: Vec<u128> = (0..times.len() as u128).collect();
    let columns = vec![Keys::from(keys.clone()).to_column()];
    let batch = Batch::new(keys.into(), columns, Diffs::from(vec![-1; times.len()]));
    let packet = TimedPacket::new(batch, Times::new(times.to_vec(), (0..times.len() as u32).collect()));
    let mut bytes = Vec::new();
    packet.into_bytes(&mut bytes);
    assert_eq!(bytes.len(), packet.length_in_bytes());
    assert_eq!(bytes.len() % 8, 0);
    let back: TimedPacket<LoopTime> = decode(&bytes).unwrap();
    assert_eq!(back.times.iter().collect::<Vec<_>>(), times.iter().collect::<Vec<_>>());
    assert_eq!(back.batch.keys.as_slice(), packet.batch.keys.as_slice());
    assert_eq!(back.batch.diffs.iter().collect::<Vec<_>>(), vec![-1; times.len()]);
    assert_eq!(back.batch.columns.len(), 1);
}

#[test]
fn round_trip() {
    let time = |outer, rounds: &[u64]| Product::new(outer, PointStamp::new(rounds.iter().copied().collect()));
    check(&[time(1, &[]), time(0, &[3]), time(7, &[1, 2, 3]), time(1, &[])]);
    check(&[time(5, &[2]), time(5, &[2])]);
    check(&[]);
    assert!(decode::<LoopTime>(b"nonsense").is_err());
}
