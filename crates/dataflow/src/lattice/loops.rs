//! Into loops and out of them.
//!
//! A loop is a scope whose time is a [`LoopTime`]. Rows enter it from the outer scope at round 0
//! ([`enter`]); a [`LoopVariable`](crate::timely::LoopVariable) carries rows from one round to the
//! next; what leaves ([`leave`]) is the net change of each outer time. Loops inside of loops live in
//! the same scope, one level further: rows enter them as they are and leave through
//! [`leave_level`].

use pathway_types::{Batch, DType, Timestamp};

use super::arrange::per_packet;
use super::come_back::{Entering, Leaving};
use super::packet::{Flow, TimedPacket};
use super::time::{LoopTime, Path};
use crate::context::Context;
use crate::driver::{Edge, drive};
use crate::keep::Keeper;
use crate::packet::Packet;
use crate::route::Route;
use crate::timely::{
    Antichain, CapabilitySet, NoopBuilder, OperatorBuilder, OutputBuilder, Pipeline, Product, Scope,
    StreamOperator,
};

/// Brings changes of the outer scope into a loop.
pub fn enter<'outer, 'inner>(edge: Edge<'outer>, scope: Scope<'inner, LoopTime>) -> Flow<'inner> {
    timed(edge).enter(scope)
}

/// As [`enter`], for a loop that may be stopped and come back.
pub fn enter_kept<'outer, 'inner>(
    edge: Edge<'outer>,
    scope: Scope<'inner, LoopTime>,
    dtypes: Vec<DType>,
    context: &Context,
    keeper: Option<Keeper>,
) -> Flow<'inner> {
    if keeper.is_none() {
        return enter(edge, scope);
    }
    let (outer, inputs) = (edge.scope(), vec![(edge, Route::Key)]);
    enter(drive(outer, "enter", inputs, context.clone(), keeper, Entering::new(dtypes)), scope)
}

/// The changes with their time in every row.
pub fn timed(edge: Edge<'_>) -> Flow<'_, Timestamp> {
    let stream = edge.unary::<NoopBuilder<TimedPacket<Timestamp>>, _, _, _>(Pipeline, "timed", |_, _| {
        |input, output| {
            input.for_each(|capability, packet| {
                let Some(time) = capability.least().copied() else { return };
                let batch = std::mem::take(&mut packet.0);
                let mut packet = TimedPacket::at(time, batch);
                output.session_with_builder(&capability).give_container(&mut packet);
            });
        }
    });
    Flow::new(stream)
}

/// Takes changes out of a loop: for each outer time, the net change over all rounds.
pub fn leave<'outer>(
    flow: Flow<'_>,
    outer: Scope<'outer, Timestamp>,
    dtypes: Vec<DType>,
    context: Context,
) -> Edge<'outer> {
    untimed(flow.leave(outer), dtypes, context)
}

/// Nothing, outside of a loop, for as long as the flow in it has not ended.
pub(super) fn end<'outer>(flow: Flow<'_>, outer: Scope<'outer, Timestamp>) -> Edge<'outer> {
    let nothing = per_packet(flow, "end", |_| TimedPacket::default());
    nothing.leave(outer).inner.unary::<NoopBuilder<Packet>, _, _, _>(Pipeline, "end", |_, _| {
        |input, _output| input.for_each(|_, _| {})
    })
}

/// The net change of each time, in batches of one time.
pub fn untimed(flow: Flow<'_, Timestamp>, dtypes: Vec<DType>, context: Context) -> Edge<'_> {
    let scope = flow.scope();
    let stream = flow.inner.unary::<NoopBuilder<Packet>, _, _, _>(Pipeline, "untimed", |_, _| {
        |input, output| {
            input.for_each(|capability, packet| {
                let packet = std::mem::take(packet);
                for (time, batch) in by_time(packet) {
                    let capability = capability.delayed(&time, output.output_index());
                    output.session_with_builder(&capability).give_container(&mut Packet(batch));
                }
            });
        }
    });
    drive(scope, "net change", vec![(stream, Route::Key)], context, None, Leaving::new(dtypes))
}

/// The rows of each time.
fn by_time(packet: TimedPacket<Timestamp>) -> Vec<(Timestamp, Batch)> {
    let TimedPacket { batch, times } = packet;
    if let Some(time) = times.shared() {
        return vec![(*time, batch)];
    }
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); times.table().len()];
    (0..times.len()).for_each(|row| rows[times.rank(row) as usize].push(row as u32));
    let filled = times.table().iter().zip(rows).filter(|(_, rows)| !rows.is_empty());
    filled.map(|(time, rows)| (*time, batch.take(&rows))).collect()
}

/// Takes changes out of the inner loop at `level` (2 or more) into the loop around it, where each
/// round sees the net change over all rounds of the inner one.
pub fn leave_level(flow: Flow<'_>, level: usize) -> Flow<'_> {
    let mut builder = OperatorBuilder::new("leave inner loop".to_owned(), flow.scope());
    let (output, stream) = builder.new_output::<TimedPacket<LoopTime>>();
    let mut output = OutputBuilder::<_, NoopBuilder<TimedPacket<LoopTime>>>::from(output);
    let path = Antichain::from_elem(Product::new(0, Path::out_of(level)));
    let mut input = builder.new_input_connection(flow.inner, Pipeline, [(0, path)]);
    let outside = move |time: &LoopTime| Product::new(time.outer, time.inner.outside(level));
    builder.build(move |mut capabilities| {
        capabilities.clear();
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, packet| {
                let TimedPacket { batch, times } = std::mem::take(packet);
                let mut packet = TimedPacket { batch, times: times.map(outside) };
                let delayed = |time: &LoopTime| capability.delayed(&outside(time), 0);
                let capabilities: CapabilitySet<LoopTime> = capability.stamp().iter().map(delayed).collect();
                output.session_with_builder(&capabilities).give_container(&mut packet);
            });
        }
    });
    Flow::new(stream)
}

#[cfg(test)]
mod tests;
