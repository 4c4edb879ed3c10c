//! Where timed rows go when they leave a worker: to the owner of their key.

use pathway_types::batch::partition_rows;

use super::packet::TimedPacket;
use super::time::LatticeTime;
use crate::timely::{Distributor, Message, Push, Stamp};

/// Splits packets by the shard of the key; a packet that goes to one worker whole is moved.
pub(super) struct ByKey;

impl<T: LatticeTime> Distributor<TimedPacket<T>> for ByKey {
    fn partition<S: Clone, P: Push<Message<S, TimedPacket<T>>>>(
        &mut self,
        packet: &mut TimedPacket<T>,
        stamp: &Stamp<S>,
        pushers: &mut [P],
    ) {
        let mut packet = std::mem::take(packet);
        if packet.is_empty() {
            return;
        }
        let rows = partition_rows(packet.batch.keys.as_slice(), pushers.len());
        if let Some(worker) = rows.iter().position(|rows| rows.len() == packet.len()) {
            return Message::push_at(&mut packet, stamp.clone(), &mut pushers[worker]);
        }
        for (rows, pusher) in rows.iter().zip(pushers) {
            if !rows.is_empty() {
                Message::push_at(&mut packet.take(rows), stamp.clone(), pusher);
            }
        }
    }

    fn flush<S: Clone, P: Push<Message<S, TimedPacket<T>>>>(
        &mut self,
        _stamp: &Stamp<S>,
        _pushers: &mut [P],
    ) {
    }
}
