//! An operator whose state may be in files, and the changes that wait for it.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use pathway_types::{Batch, DataError, ErrorKind, Timestamp};

use super::{Driver, Epoch, deliver};
use crate::context::{Failure, Site};
use crate::operator::{Emitter, Operator, State};
use crate::route::Route;
use crate::spill::{Budget, Cold, Group, NotPut, Waiting, rank, route_keys};
use crate::timely::Capability;

/// What an operator has besides memory.
pub(super) struct Spill {
    budget: Arc<Budget>,
    /// How its inputs are routed.
    routes: Vec<Route>,
    cold: Cold,
    /// What is in memory cannot be written.
    stays: bool,
}

/// The changes of a time that are not applied as they come.
#[derive(Default)]
pub(super) struct Aside {
    /// Bytes of those that are held.
    bytes: usize,
    waiting: Option<Waiting>,
    /// No change of the time is applied before it is complete.
    all: bool,
}

impl Aside {
    /// The inputs whose changes wait.
    pub(super) fn inputs(&self) -> impl Iterator<Item = usize> {
        self.waiting.iter().flat_map(Waiting::inputs)
    }

    /// Bytes in memory.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.waiting.as_ref().map_or(0, Waiting::memory)
    }
}

impl Spill {
    pub(super) fn new(budget: Arc<Budget>, routes: &[Route]) -> Spill {
        Spill { budget, routes: routes.to_vec(), cold: Cold::default(), stays: false }
    }

    /// Changes wait.
    fn push(&self, aside: &mut Aside, input: usize, batch: Batch) -> Result<(), ArrowError> {
        let waiting = aside.waiting.get_or_insert_with(|| Waiting::new(&self.routes));
        waiting.push(input, batch, &self.budget)
    }
}

impl<O: Operator> Driver<O> {
    /// Changes of a time have come that are held: if they are many, they wait in files.
    pub(super) fn limit(&mut self, time: Timestamp, bytes: usize) {
        let Some(spill) = &self.spill else { return };
        let is_open = self.is_open && self.pending.keys().next() == Some(&time);
        let Some(epoch) = self.pending.get_mut(&time) else { return };
        epoch.aside.bytes += bytes;
        if !epoch.aside.all && epoch.aside.bytes <= spill.budget.of_waiting() {
            return;
        }
        epoch.aside.all = !is_open;
        epoch.aside.bytes = 0;
        let held = std::mem::take(&mut epoch.held);
        let mut aside = std::mem::take(&mut epoch.aside);
        let known = held.into_iter().filter_map(|(input, batch)| {
            let known = self.admit(&mut aside, input, batch)?;
            Some((input, known))
        });
        let known = known.collect();
        if let Some(epoch) = self.pending.get_mut(&time) {
            (epoch.held, epoch.aside) = (known, aside);
        }
    }

    /// The changes that are applied as they come; the others wait.
    pub(super) fn admit(&mut self, aside: &mut Aside, input: usize, batch: Batch) -> Option<Batch> {
        let Some(spill) = &self.spill else { return Some(batch) };
        let all_known = aside.waiting.is_none() && spill.cold.is_empty() && !self.meter.is_asked();
        if all_known && !aside.all {
            return Some(batch);
        }
        let unknown: BooleanBuffer = match self.operator.keyed() {
            Some(keyed) if !aside.all => {
                let keys = route_keys(&batch, spill.routes[input]);
                keys.as_slice().iter().map(|key| !keyed.holds(*key)).collect()
            }
            _ => BooleanBuffer::new_set(batch.len()),
        };
        let (known, waits) = match unknown.count_set_bits() {
            0 => return Some(batch),
            all if all == batch.len() => (None, batch),
            _ => (Some(batch.filter(&!&unknown)), batch.filter(&unknown)),
        };
        if let Err(error) = spill.push(aside, input, waits) {
            self.stays_in_memory(&error);
        }
        known
    }

    /// A complete time: what was applied is flushed, then what waits is applied and flushed, some keys at a time.
    pub(super) fn finish(
        &mut self,
        aside: Aside,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        let Some((mut waiting, budget)) = aside.waiting.zip(self.budget.clone()) else {
            return self.flush(capability, emitter, send);
        };
        if let Err(error) = waiting.settle(&budget) {
            self.stays_in_memory(&error);
        }
        let ended = self.progress.ended.clone();
        if self.is_open {
            // More comes.
            self.progress.ended.fill(false);
            self.progress.applied.fill(false);
            self.flush(capability, emitter, send);
        }
        if ended.contains(&true) {
            // What needs not be kept is dropped with each group: the state of others is not to be there.
            let emptied = self.empty();
            self.progress.ended = ended.iter().map(|ended| *ended && emptied).collect();
        }
        let worked = waiting.in_groups(&budget, |group| {
            if self.context.is_stopped() {
                return Ok(());
            }
            self.bring_back(&group)?;
            self.apply_group(group, capability, emitter, send);
            self.measure(0);
            if self.meter.memory() > budget.of_waiting() && self.context.meters().is_over(&budget) {
                self.empty();
            }
            Ok(())
        });
        if let Err(error) = worked {
            self.cannot_read(&error);
        }
        self.progress.ended = ended;
        if let Some(spill) = &mut self.spill
            && self.progress.ended.iter().all(|ended| *ended)
        {
            spill.cold = Cold::default();
        }
    }

    fn flush(
        &mut self,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        self.operator.flush(&self.progress, emitter);
        deliver(emitter, capability, send);
        self.is_open = false;
        self.note_results();
    }

    /// Gives the operator the state of the keys of these changes.
    fn bring_back(&mut self, group: &Group) -> Result<(), ArrowError> {
        let Some(spill) = self.spill.as_mut().filter(|spill| !spill.cold.is_empty()) else { return Ok(()) };
        let mut ranks = Vec::new();
        for (input, batch) in group {
            let keys = route_keys(batch, spill.routes[*input]);
            ranks.extend(keys.as_slice().iter().map(|key| rank(*key)));
        }
        ranks.sort_unstable();
        ranks.dedup();
        if let Some(state) = spill.cold.take(&ranks)?
            && let Err(error) = self.operator.load(state)
        {
            self.context.fail(Failure::Worker(error.to_string()));
        }
        Ok(())
    }

    fn apply_group(
        &mut self,
        mut group: Group,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        self.progress.applied.fill(true);
        group.iter().for_each(|(input, _)| self.progress.applied[*input] = false);
        group.sort_by_key(|(_, batch)| batch.len());
        for (input, batch) in group {
            self.is_open = true;
            self.note(input, &batch);
            self.operator.apply(input, batch, &self.progress, emitter);
            deliver(emitter, capability, send);
            self.progress.applied[input] = true;
        }
        self.flush(capability, emitter, send);
    }

    /// Notes how much there is, with bytes of changes that are on their way to the operator.
    pub(super) fn measure(&mut self, under_way: usize) {
        let (mut memory, mut files) = (self.operator.memory() + under_way, 0);
        for Epoch { aside, .. } in self.pending.values() {
            memory += aside.memory();
            files += aside.waiting.as_ref().map_or(0, Waiting::files);
        }
        if let Some(Spill { cold, .. }) = &self.spill {
            memory += cold.memory();
            files += cold.files();
        }
        self.meter.set(memory, files);
    }

    /// Has somebody spill if there is too much.
    pub(super) fn relieve(&mut self) {
        if let Some(budget) = &self.budget {
            self.context.meters().relieve(budget);
        }
    }

    /// Spills if that was asked for.
    pub(super) fn heed(&mut self) {
        if self.meter.is_asked() && !self.is_open {
            self.empty();
            self.measure(0);
        }
    }

    /// Puts all state into files; false if it stays in memory.
    fn empty(&mut self) -> bool {
        self.meter.is_done();
        let Some(Spill { budget, cold, stays: false, .. }) = &mut self.spill else { return false };
        if budget.is_full() {
            return false;
        }
        let put = cold.put(budget, |shards| self.operator.save(shards)).and_then(|()| {
            if let Some(keyed) = self.operator.keyed() {
                keyed.clear();
            }
            Ok(cold.tidy(budget)?)
        });
        match put {
            Ok(()) => {
                budget.give_back();
                return true;
            }
            Err(NotPut::State(error)) => self.cannot_be_written(&error),
            Err(NotPut::File(error)) => self.stays_in_memory(&error),
        }
        false
    }

    fn cannot_be_written(&mut self, error: &DataError) {
        if let Some(spill) = &mut self.spill {
            spill.stays = true;
        }
        self.meter.stays();
        let text = format!("the state of {} stays in memory: it cannot be written: {error}", self.meter.name);
        self.context.message(true, &text);
    }

    fn stays_in_memory(&self, error: &ArrowError) {
        if let Some(budget) = &self.budget {
            budget.exhaust(error, &self.context);
        }
    }

    fn cannot_read(&self, error: &ArrowError) {
        let message = format!("{}: state in files cannot be read: {error}", self.meter.name);
        let error = DataError::new(ErrorKind::Engine, message);
        self.context.fail(Failure::Data { site: Site::default(), error });
    }

    /// The whole state, in memory and in files.
    pub(super) fn whole_state(&mut self, shards: std::ops::Range<u32>) -> Result<State, DataError> {
        let mut state = self.operator.save(shards.clone())?;
        let Some(spill) = self.spill.as_ref().filter(|spill| !spill.cold.is_empty()) else {
            return Ok(state);
        };
        let cold = spill.cold.read(shards);
        let cold = cold.map_err(|error| DataError::new(ErrorKind::Engine, error.to_string()))?;
        for ((_, rows), (_, others)) in state.tables.iter_mut().zip(cold.tables) {
            if !others.is_empty() {
                *rows = Batch::concat(&[std::mem::take(rows), others]);
            }
        }
        Ok(state)
    }
}
