//! A packet with times survives the wire.

use pathway_types::{Batch, Diffs, Keys};

use super::*;
use crate::lattice::LoopTime;
use crate::lattice::time::Rounds;
use crate::timely::Product;

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
    let time = |outer, round| Product::new(outer, Rounds::first(round));
    check(&[time(1, 0), time(0, 3), Product::new(7, Rounds::first(1).with(3, u32::MAX)), time(1, 0)]);
    check(&[time(5, 2), time(5, 2)]);
    check(&[]);
    assert!(decode::<LoopTime>(b"nonsense").is_err());
}
