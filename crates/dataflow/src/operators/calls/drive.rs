//! Runs [`Calls`] as a timely operator with a clock of its own.
//!
//! Times of the output are those of the wall clock, later than the input's that they answer. The
//! operator holds a capability for them and lets it follow the clock and the input, so that nobody
//! waits for calls; the input has no influence on the output's progress otherwise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pathway_types::{Batch, Timestamp};

use super::Calls;
use super::keep::Keeping;
use crate::clock::even_now;
use crate::context::Failure;
use crate::driver::{Edge, connect};
use crate::keep::{Keeper, Place};
use crate::operator::{Emitter, Operator, Progress};
use crate::packet::Packet;
use crate::route::Route;
use crate::stats::Wiring;
use crate::timely::{Activator, MutableAntichain, NoopBuilder, OperatorBuilder, OutputBuilder};

/// How often the output's time follows the clock when nothing happens.
const TICK: Duration = Duration::from_millis(10);
/// Answers that come within this time are emitted together.
const GATHER: Duration = Duration::from_millis(1);

/// Adds the calls to the dataflow; `input` is routed by instance.
pub fn calls<'scope>(
    input: Edge<'scope>,
    name: &str,
    route: Route,
    keeper: Option<Keeper>,
    mut calls: Calls,
) -> Edge<'scope> {
    let scope = input.scope();
    let context = calls.context.clone();
    let mut known = 0;
    let mut keeping = keeper.map(|Keeper { journal, kept }| {
        if let Some(kept) = kept {
            known = kept.known;
            let place = Place { worker: scope.index(), workers: scope.peers() };
            if let Err(error) = calls.come_back(&kept, route, place) {
                context.fail(Failure::Worker(format!("{name}: {error}")));
            }
        }
        Keeping::new(journal)
    });
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let wiring = Wiring { node: builder.index(), sources: vec![input.name().node] };
    let meter = context.meter(name, wiring, None);
    meter.tracks();
    let mut reader = connect(&mut builder, input, route, &context);
    // No connection: the output's frontier is that of the capability alone.
    let (output, stream) = builder.new_output_connection::<Packet, _>([]);
    let mut output = OutputBuilder::<_, NoopBuilder<Packet>>::from(output);
    let info = builder.operator_info();
    let worker = scope.worker();
    calls.inbox.wakes(worker.sync_activator_for(info.address.to_vec()));
    let answered = context.answering();
    let mut alarm = Alarm { activator: worker.activator_for(info.address), at: None };
    builder.build_reschedule(move |capabilities| {
        let mut held = capabilities.into_iter().next();
        let mut inputs: BTreeMap<Timestamp, Vec<Batch>> = BTreeMap::new();
        let mut emitted: Option<Instant> = None;
        move |frontiers: &[MutableAntichain<Timestamp>]| {
            let begin = Instant::now();
            reader(&mut |capability, batch| {
                meter.received(0, batch.len());
                // What comes of earlier times has come before.
                if let Some(time) = capability.least().filter(|time| **time >= known) {
                    inputs.entry(*time).or_default().push(batch);
                }
            });
            if context.is_stopped() {
                calls.abandon();
                inputs.clear();
                held = None;
                return false;
            }
            let Some(capability) = &mut held else { return false };
            let frontier = frontiers[0].frontier().first().copied();
            while let Some(entry) = inputs.first_entry().filter(|e| frontier.is_none_or(|f| f > *e.key())) {
                let (time, batches) = entry.remove_entry();
                if let Some(keeping) = &mut keeping {
                    batches.iter().for_each(|batch| keeping.journal.note(time, 0, batch));
                }
                feed(&mut calls, time, batches);
            }
            calls.collect();
            // Those who read answers drop what comes at times that they know of.
            let mut time = even_now().max(*capability.time()).max(even(known));
            if let Some(frontier) = frontier {
                time = time.max(even(frontier));
            }
            let just_now = emitted.is_some_and(|at| at.elapsed() < GATHER);
            if !just_now {
                let mut session = output.activate();
                while let Some((latest, events, rows)) = calls.settle() {
                    time = time.max(even(latest + 1));
                    capability.downgrade(&time);
                    if let Some(keeping) = &mut keeping {
                        keeping.answered(time, &events, rows);
                    }
                    meter.emitted(&events.diffs);
                    session.session_with_builder(&capability).give_container(&mut Packet(events));
                    time += 2;
                    emitted = Some(Instant::now());
                }
            }
            let all_answered = inputs.is_empty() && calls.is_idle();
            let ended = frontier.is_none() && all_answered;
            if !ended {
                capability.downgrade(&time);
            }
            if let Some(keeping) = &mut keeping {
                let waits = inputs.keys().next().copied();
                let least = frontier.into_iter().chain(waits).chain((!ended).then_some(time)).min();
                let told = keeping.reached(least.unwrap_or(Timestamp::MAX), &mut calls);
                if let Err(error) = told {
                    context.fail(Failure::Worker(error.to_string()));
                }
            }
            answered.advance(if all_answered { frontier.unwrap_or(Timestamp::MAX) } else { 0 }, time);
            meter.reached((!ended).then_some(time));
            meter.worked(begin);
            if ended {
                calls.close();
                held = None;
                return false;
            }
            alarm.set(if calls.queue.is_ready() { GATHER } else { TICK });
            false
        }
    });
    stream
}

/// The least even number that is not less.
fn even(time: Timestamp) -> Timestamp {
    time.saturating_add(time & 1)
}

fn feed(calls: &mut Calls, time: Timestamp, batches: Vec<Batch>) {
    let progress = Progress { time, complete: vec![true], applied: vec![true], ended: vec![false] };
    let mut nothing = Emitter::default();
    for batch in batches {
        calls.apply(0, batch, &progress, &mut nothing);
    }
    calls.flush(&progress, &mut nothing);
}

/// Wakes the operator after a while; asking again for a later moment changes nothing.
struct Alarm {
    activator: Activator,
    at: Option<Instant>,
}

impl Alarm {
    fn set(&mut self, after: Duration) {
        let (now, at) = (Instant::now(), Instant::now() + after);
        if self.at.is_none_or(|known| known <= now || known > at) {
            self.activator.activate_after(after);
            self.at = Some(at);
        }
    }
}
