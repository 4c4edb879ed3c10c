//! Runs an [`Operator`] as a timely operator: orders times, holds capabilities, routes rows.
//!
//! Changes of the least time that can still receive changes are applied as they arrive, so that a
//! time of any size is processed in a stream; changes of later times wait. A time is flushed when no
//! input can bring changes of it any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use pathway_types::{Batch, Timestamp};

use crate::context::{Context, Failure};
use crate::keep::{Journal, Keeper, Place, REPEATS, come_back};
use crate::operator::{Emitter, Operator, Progress};
use crate::operators::stateless::per_batch;
use crate::packet::Packet;
use crate::route::{Route, Router, copies};
use crate::spill::Budget;
use crate::stats::{Meter, Wiring};
use crate::timely::{
    Capability, DistributorPact, InputCapability, MutableAntichain, NoopBuilder, OperatorBuilder,
    OutputBuilder, Pipeline, Scope, Stream,
};

mod spill;

use spill::{Aside, Finishing, Returning, Spill};

/// The number of shards of keys.
pub(crate) const SHARDS: u32 = pathway_types::key::SHARD_MASK as u32 + 1;

/// The stream type of the outer scope.
pub type Edge<'scope> = Stream<'scope, Timestamp, Packet>;

/// Reads everything that waits at one input.
type Reader = Box<dyn FnMut(&mut dyn FnMut(InputCapability<Timestamp>, Batch))>;

/// Adds `operator` to the dataflow, fed by `inputs` with their routes. The keeper is for one whose state
/// is to come back in another run.
pub fn drive<'scope, O: Operator>(
    scope: Scope<'scope, Timestamp>,
    name: &str,
    inputs: Vec<(Edge<'scope>, Route)>,
    context: Context,
    keeper: Option<Keeper>,
    mut operator: O,
) -> Edge<'scope> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let count = inputs.len();
    let mut readers = Vec::with_capacity(count);
    let routes: Vec<Route> = inputs.iter().map(|(_, route)| *route).collect();
    let sources = inputs.iter().map(|(stream, _)| stream.name().node).collect();
    for (stream, route) in inputs {
        readers.push(connect(&mut builder, stream, route, &context));
    }
    let budget = context.budget();
    let spill = budget.clone().filter(|_| operator.keyed().is_some());
    let mut spill = spill.map(|budget| Spill::new(budget, &routes));
    let (worker, address) = (scope.worker(), builder.operator_info().address);
    let asker = worker.sync_activator_for(address.to_vec());
    let activator = worker.activator_for(address);
    let meter = context.meter(name, Wiring { node: builder.index(), sources }, Some(asker));
    meter.tracks();
    if spill.is_some() {
        meter.can_spill();
    }
    let place = Place { worker: scope.index(), workers: scope.peers() };
    let mut known = 0;
    let mut wakes = None;
    let keeping = keeper.map(|Keeper { journal, kept }| {
        if let Some(kept) = kept {
            known = kept.known;
            let mut room = Returning { spill: &mut spill, meter: &meter, context: &context };
            match come_back(&mut operator, &kept, &routes, place, &mut room) {
                Ok(due) => wakes = Some(due),
                Err(error) => context.fail(Failure::Worker(format!("{name}: {error}"))),
            }
        }
        Keeping { journal, reached: 0 }
    });
    let (output, stream) = builder.new_output::<Packet>();
    let mut output = OutputBuilder::<_, NoopBuilder<Packet>>::from(output);
    builder.build_reschedule(move |capabilities| {
        let mut driver = Driver {
            operator,
            context,
            pending: BTreeMap::new(),
            progress: Progress::default(),
            is_open: false,
            known,
            keeping,
            meter,
            budget,
            spill,
            finishing: None,
        };
        driver.progress.complete.resize(count, false);
        driver.progress.applied.resize(count, false);
        driver.progress.ended.resize(count, false);
        let mut emitter = Emitter::default();
        match wakes {
            Some(wakes) => wakes.into_iter().for_each(|time| emitter.wake_at(time)),
            None => driver.operator.start(&mut emitter),
        }
        if let Some(capability) = capabilities.first() {
            driver.wake(&mut emitter, capability, *capability.time());
        }
        drop(capabilities);
        move |frontiers: &[MutableAntichain<Timestamp>]| {
            let begin = Instant::now();
            for (input, reader) in readers.iter_mut().enumerate() {
                reader(&mut |capability, batch| driver.receive(input, capability, batch));
            }
            let mut session = output.activate();
            driver.work(frontiers, &mut emitter, &mut |capability, batch| {
                session.session_with_builder(capability).give_container(&mut Packet(batch));
            });
            driver.meter.worked(begin);
            if driver.goes_on() {
                activator.activate();
            }
            false
        }
    });
    stream
}

/// Connects one input of an operator under construction.
pub(crate) fn connect<'scope>(
    builder: &mut OperatorBuilder<'scope, Timestamp>,
    stream: Edge<'scope>,
    route: Route,
    context: &Context,
) -> Reader {
    if route == Route::Local || stream.scope().peers() == 1 {
        let mut input = builder.new_input(stream, Pipeline);
        Box::new(move |take| {
            input.for_each(|capability, packet| take(capability, std::mem::take(&mut packet.0)))
        })
    } else {
        let router = Router::new(route, context.clone());
        let stream = match route {
            Route::All => {
                let workers = stream.scope().peers();
                per_batch(stream, "for all workers", context.clone(), move |_, batch| copies(&batch, workers))
            }
            _ => stream,
        };
        let mut input = builder.new_input(stream, DistributorPact(move |_peers| router));
        let context = context.clone();
        Box::new(move |take| {
            input.for_each(|capability, packet| {
                context.count_received(packet.0.len());
                take(capability, std::mem::take(&mut packet.0));
            });
        })
    }
}

struct Driver<O> {
    operator: O,
    context: Context,
    pending: BTreeMap<Timestamp, Epoch>,
    progress: Progress,
    /// Changes of the open time have been applied, and it was not flushed since.
    is_open: bool,
    /// What comes of times before this one is in the state already.
    known: Timestamp,
    keeping: Option<Keeping>,
    meter: Arc<Meter>,
    budget: Option<Arc<Budget>>,
    /// Where state goes if it takes too much memory.
    spill: Option<Spill>,
    /// The first of the pending times is complete, and some of its changes are still to be applied.
    finishing: Option<Finishing>,
}

/// How the state of an operator is kept.
struct Keeping {
    journal: Box<dyn Journal>,
    /// Everything of earlier times is in the journal.
    reached: Timestamp,
}

/// The changes of one time that have not been applied.
struct Epoch {
    capability: Capability<Timestamp>,
    held: Vec<(usize, Batch)>,
    aside: Aside,
}

impl Epoch {
    fn new(capability: Capability<Timestamp>) -> Epoch {
        Epoch { capability, held: Vec::new(), aside: Aside::default() }
    }
}

impl<O: Operator> Driver<O> {
    fn receive(&mut self, input: usize, capability: InputCapability<Timestamp>, batch: Batch) {
        let Some(time) = capability.least().copied() else { return };
        if batch.is_empty() || time < self.known {
            return;
        }
        self.meter.received(input, batch.len());
        let epoch = self.pending.entry(time).or_insert_with(|| Epoch::new(capability.delayed(&time, 0)));
        let bytes = if self.spill.is_some() { batch.memory_size() } else { 0 };
        epoch.held.push((input, batch));
        self.limit(time, bytes);
    }

    /// Lets the operator be called at the times it asked for, those from `least` on.
    fn wake(&mut self, emitter: &mut Emitter, capability: &Capability<Timestamp>, least: Timestamp) {
        for time in emitter.drain_wakes().filter(|time| *time >= least) {
            self.pending.entry(time).or_insert_with(|| Epoch::new(capability.delayed(&time)));
        }
    }

    /// Applies what is there, and tells the journal how far the operator is.
    fn work(
        &mut self,
        frontiers: &[MutableAntichain<Timestamp>],
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        self.advance(frontiers, emitter, send);
        self.heed();
        let least = frontiers.iter().filter_map(|frontier| frontier.frontier().first().copied()).min();
        let reached = least.into_iter().chain(self.pending.keys().next().copied()).min();
        self.meter.reached(reached);
        let Some(keeping) = &mut self.keeping else { return };
        let reached = reached.unwrap_or(Timestamp::MAX);
        // Inputs of a run that fails end before they are done.
        if reached <= keeping.reached || self.context.is_stopped() {
            return;
        }
        keeping.reached = reached;
        // Some changes of the present time are in the state between two groups, and others are not.
        if keeping.journal.reached(reached)
            && !self.is_open
            && self.finishing.is_none()
            && let Err(error) = self.tell_state(reached)
        {
            self.context.fail(Failure::Worker(error.to_string()));
        }
    }

    fn note(&mut self, input: usize, batch: &Batch) {
        if let Some(keeping) = &mut self.keeping
            && self.operator.can_compute_again()
        {
            keeping.journal.note(self.progress.time, input, batch);
        }
    }

    fn note_results(&mut self) {
        if let Some(keeping) = &mut self.keeping
            && !self.operator.can_compute_again()
            && let Some(results) = self.operator.computed()
        {
            keeping.journal.note(self.progress.time, REPEATS, &results);
        }
    }

    fn advance(
        &mut self,
        frontiers: &[MutableAntichain<Timestamp>],
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        let least = |frontier: &MutableAntichain<Timestamp>| frontier.frontier().first().copied();
        loop {
            // Inputs that bring changes of later times, which are here already.
            let mut later = vec![false; frontiers.len()];
            for epoch in self.pending.values().skip(1) {
                epoch.held.iter().for_each(|(input, _)| later[*input] = true);
                epoch.aside.inputs().for_each(|input| later[input] = true);
            }
            let Some(epoch) = self.pending.first_entry() else { return };
            if self.context.is_stopped() {
                return;
            }
            let time = *epoch.key();
            // An earlier time may still receive changes: this one must wait.
            if frontiers.iter().any(|f| least(f).is_some_and(|t| t < time)) {
                return;
            }
            for (input, frontier) in frontiers.iter().enumerate() {
                self.progress.complete[input] = least(frontier).is_none_or(|t| t > time);
                // A later run may go on with an input that has ended in this one.
                self.progress.ended[input] =
                    least(frontier).is_none() && !later[input] && !self.context.keeps_state();
            }
            self.progress.time = time;
            let complete = self.progress.complete.iter().all(|c| *c);
            let capability = epoch.get().capability.clone();
            if self.finishing.is_none() {
                self.apply_held(time, complete, &capability, emitter, send);
            }
            let left = complete && self.go_on(&capability, emitter, send);
            // At the open time it is called anyway.
            self.wake(emitter, &capability, time.saturating_add(1));
            if left || !complete {
                return;
            }
            self.pending.remove(&time);
            self.measure(0);
            self.relieve();
            self.heed();
        }
    }

    /// Applies what is held of the least time, as far as the operator takes it now; flushes it if it is complete.
    fn apply_held(
        &mut self,
        time: Timestamp,
        complete: bool,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        let Some(epoch) = self.pending.get_mut(&time) else { return };
        // Complete inputs first and the smaller ones before the larger: what comes later is matched
        // against what is there, and need not be kept if nothing follows it.
        let mut order: Vec<usize> = (0..self.progress.complete.len()).collect();
        let rows = |input: usize| -> usize {
            epoch.held.iter().filter(|(i, _)| *i == input).map(|(_, batch)| batch.len()).sum()
        };
        if order.len() > 1 {
            order.sort_by_cached_key(|input| (!self.progress.complete[*input], rows(*input)));
        }
        let mut held = std::mem::take(&mut epoch.held);
        let mut aside = std::mem::take(&mut epoch.aside);
        for (input, applied) in self.progress.applied.iter_mut().enumerate() {
            *applied = self.progress.complete[input] && held.iter().all(|(i, _)| *i != input);
        }
        for input in order {
            if !complete && !self.operator.wants(input, &self.progress) {
                continue;
            }
            for (_, batch) in held.extract_if(.., |(i, _)| *i == input) {
                let Some(batch) = self.admit(&mut aside, input, batch) else { continue };
                self.is_open = true;
                self.note(input, &batch);
                self.operator.apply(input, batch, &self.progress, emitter);
                deliver(emitter, &self.meter, capability, send);
                if self.budget.is_some() {
                    self.measure(aside.memory());
                    self.relieve();
                }
            }
            self.progress.applied[input] = self.progress.complete[input];
        }
        if complete {
            self.finish(aside, capability, emitter, send);
        } else if let Some(epoch) = self.pending.get_mut(&time) {
            (epoch.held, epoch.aside) = (held, aside);
        }
    }

    /// True if there is more to do at once.
    fn goes_on(&self) -> bool {
        self.finishing.is_some() && !self.context.is_stopped()
    }
}

/// Sends what was emitted.
fn deliver(
    emitter: &mut Emitter,
    meter: &Meter,
    capability: &Capability<Timestamp>,
    send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
) {
    for batch in emitter.drain() {
        meter.emitted(&batch.diffs);
        send(capability, batch);
    }
    for (time, batch) in emitter.drain_later() {
        meter.emitted(&batch.diffs);
        send(&capability.delayed(&time), batch);
    }
}

#[cfg(test)]
mod tests;
