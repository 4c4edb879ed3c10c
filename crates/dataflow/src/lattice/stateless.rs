//! Row-wise stages inside loops: those of the outer scope, with the rows' times carried along.

use super::arrange::per_packet;
use super::packet::Flow;
use super::time::LatticeTime;
use crate::context::Context;
use crate::operators::stateless::Stages;

/// Adds the stages to the loop as one operator.
pub fn stateless<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    stages: Stages,
    name: &str,
    context: Context,
) -> Flow<'scope, T> {
    per_packet(flow, name, move |packet| {
        packet.per_row(|batch| if context.is_stopped() { batch.slice(0, 0) } else { stages.apply(batch) })
    })
}
