//! Row-wise stages inside loops: those of the outer scope, with the rows' times carried along.

use super::faults::per_row;
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
    per_row(flow, name, context, move |batch, faults| stages.apply_to(batch, faults))
}
