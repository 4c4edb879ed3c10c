//! An operator whose state may be in files, and the changes that wait for it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, DataError, ErrorKind, Timestamp};

use super::{Driver, Epoch, SHARDS, deliver};
use crate::context::{Context, Failure, Site};
use crate::keep::{CannotComeBack, Room};
use crate::operator::{Emitter, Operator};
use crate::route::Route;
use crate::spill::{
    Budget, Cold, Group, Groups, NotPut, PARTS, Waiting, is_over, parts_of_state, rank, relieve, route_keys,
};
use crate::stats::Meter;
use crate::timely::Capability;

/// State of more bytes is told and written in parts.
const LARGE: usize = 128 << 20;
/// The parts at most.
const MOST_PARTS: usize = 256;

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
    /// What waits, in the order in which it is to be applied.
    parts: Vec<Part>,
    /// No change of the time is applied before it is complete.
    all: bool,
}

/// A part of the changes that wait.
enum Part {
    /// Each concerns its key only.
    Keyed(Waiting),
    /// Each concerns all keys of its shard; with their input.
    Sweeping(usize, Batch),
}

impl Part {
    fn waiting(&self) -> Option<&Waiting> {
        match self {
            Part::Keyed(waiting) => Some(waiting),
            Part::Sweeping(..) => None,
        }
    }
}

impl Aside {
    fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.parts.iter().filter_map(Part::waiting)
    }

    /// The inputs whose changes wait.
    pub(super) fn inputs(&self) -> impl Iterator<Item = usize> {
        let sweeping = self.parts.iter().filter_map(|part| match part {
            Part::Keyed(_) => None,
            Part::Sweeping(input, _) => Some(*input),
        });
        self.waiting().flat_map(Waiting::inputs).chain(sweeping)
    }

    /// Bytes in memory.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.waiting().map(Waiting::memory).sum::<usize>()
    }

    /// Bytes in files.
    fn files(&self) -> usize {
        self.waiting().map(Waiting::files).sum()
    }
}

/// What is left of the changes of a complete time that waited.
pub(super) struct Finishing {
    parts: VecDeque<Part>,
    /// Of the part before these.
    groups: Option<Groups>,
    /// The inputs that are over, as the operator is told with each group.
    in_between: Vec<bool>,
}

/// What is applied at once.
enum Work {
    Group(Group),
    Sweep(usize, Batch),
}

impl Finishing {
    fn next(&mut self, budget: &Budget, context: &Context) -> Result<Option<Work>, ArrowError> {
        loop {
            if let Some(groups) = &mut self.groups {
                if let Some(group) = groups.next()? {
                    return Ok(Some(Work::Group(group)));
                }
                self.groups = None;
            }
            match self.parts.pop_front() {
                Some(Part::Keyed(mut waiting)) => {
                    if let Err(error) = waiting.settle(budget) {
                        budget.exhaust(&error, context);
                    }
                    self.groups = Some(waiting.into_groups(budget));
                }
                Some(Part::Sweeping(input, batch)) => return Ok(Some(Work::Sweep(input, batch))),
                None => return Ok(None),
            }
        }
    }

    /// Bytes in memory and in files.
    fn size(&self) -> (usize, usize) {
        let waiting = self.parts.iter().filter_map(Part::waiting);
        let (memory, files) = waiting
            .fold((0, 0), |(memory, files), waiting| (memory + waiting.memory(), files + waiting.files()));
        let groups = self.groups.as_ref();
        (memory + groups.map_or(0, Groups::memory), files + groups.map_or(0, Groups::files))
    }
}

impl Spill {
    pub(super) fn new(budget: Arc<Budget>, routes: &[Route]) -> Spill {
        Spill { budget, routes: routes.to_vec(), cold: Cold::default(), stays: false }
    }

    /// Puts all state into files; false if it stays in memory.
    fn empty(&mut self, operator: &mut impl Operator, meter: &Meter, context: &Context) -> bool {
        meter.is_done();
        if self.stays || self.budget.is_full() {
            return false;
        }
        let put = self.cold.put(&self.budget, |shards| operator.save(shards)).and_then(|()| {
            if let Some(keyed) = operator.keyed() {
                keyed.clear();
            }
            Ok(self.cold.tidy(&self.budget)?)
        });
        match put {
            Ok(()) => {
                self.budget.give_back();
                return true;
            }
            Err(NotPut::State(error)) => {
                self.stays = true;
                meter.stays();
                let name = &meter.name;
                let text = format!("the state of {name} stays in memory: it cannot be written: {error}");
                context.message(true, &text);
            }
            Err(NotPut::File(error)) => self.budget.exhaust(&error, context),
        }
        false
    }

    /// Gives the operator the state of the keys of changes of an input.
    fn bring_back<'a>(
        &mut self,
        operator: &mut impl Operator,
        changes: impl Iterator<Item = (Route, &'a Batch)>,
    ) -> Result<(), CannotComeBack> {
        if self.cold.is_empty() {
            return Ok(());
        }
        let mut ranks = Vec::new();
        for (route, batch) in changes {
            let keys = route_keys(batch, route);
            ranks.extend(keys.as_slice().iter().map(|key| rank(*key)));
        }
        ranks.sort_unstable();
        ranks.dedup();
        if let Some(state) = self.cold.take(&ranks)? {
            operator.load(state)?;
        }
        Ok(())
    }

    /// Gives the operator the state of all keys of some shards.
    fn bring_back_shards(
        &mut self,
        operator: &mut impl Operator,
        shards: Range<u32>,
    ) -> Result<(), CannotComeBack> {
        if let Some(state) = self.cold.take_shards(shards)? {
            operator.load(state)?;
        }
        Ok(())
    }

    /// True if what is in memory is too much, by itself and with what others have.
    fn is_over(&self, meter: &Meter, context: &Context) -> bool {
        meter.memory() > self.budget.of_waiting() && is_over(&context.statistics().meters(), &self.budget)
    }

    /// Changes wait.
    fn push(&self, aside: &mut Aside, input: usize, batch: Batch) -> Result<(), ArrowError> {
        if !matches!(aside.parts.last(), Some(Part::Keyed(_))) {
            aside.parts.push(Part::Keyed(Waiting::new(&self.routes)));
        }
        match aside.parts.last_mut() {
            Some(Part::Keyed(waiting)) => waiting.push(input, batch, &self.budget),
            _ => Ok(()),
        }
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
        epoch.aside.all |= !is_open;
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
        let Some(keyed) = self.operator.keyed() else { return Some(batch) };
        aside.all |= keyed.at_once();
        let all_known = aside.parts.is_empty() && spill.cold.is_empty() && !self.meter.is_asked();
        if all_known && !aside.all {
            return Some(batch);
        }
        match keyed.sweeping(&batch) {
            Some(sweeping) => self.admit_around(&sweeping, aside, input, &batch),
            None => self.admit_keyed(aside, input, batch),
        }
    }

    /// The changes that are applied as they come, none of which follows one that concerns a shard.
    fn admit_around(
        &mut self,
        sweeping: &BooleanBuffer,
        aside: &mut Aside,
        input: usize,
        batch: &Batch,
    ) -> Option<Batch> {
        let mut known = None;
        let mut end = 0;
        for (start, next) in sweeping.set_slices() {
            if end < start {
                known = known.or(self.admit_keyed(aside, input, batch.slice(end, start - end)));
            }
            aside.parts.push(Part::Sweeping(input, batch.slice(start, next - start)));
            aside.all = true;
            end = next;
        }
        if end < batch.len() {
            self.admit_keyed(aside, input, batch.slice(end, batch.len() - end));
        }
        known
    }

    /// The changes that are applied as they come, if each concerns its key only.
    fn admit_keyed(&mut self, aside: &mut Aside, input: usize, batch: Batch) -> Option<Batch> {
        let Some(spill) = &self.spill else { return Some(batch) };
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

    /// A complete time: what was applied is flushed. What waits is left to [`Driver::go_on`].
    pub(super) fn finish(
        &mut self,
        aside: Aside,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        if self.budget.is_none() || aside.parts.is_empty() {
            return self.flush(capability, emitter, send);
        }
        let ended = self.progress.ended.clone();
        if self.is_open {
            // More comes.
            self.progress.ended.fill(false);
            self.progress.applied.fill(false);
            self.flush(capability, emitter, send);
        }
        // What needs not be kept is dropped with each group: the state of others is not to be there.
        let is_emptied = ended.contains(&true) && self.empty();
        let in_between = ended.iter().map(|ended| *ended && is_emptied).collect();
        self.context.begin_large_time();
        self.finishing = Some(Finishing { parts: aside.parts.into(), groups: None, in_between });
    }

    /// Applies and flushes the next of what waited for the present time, which is complete: changes of some keys.
    /// False if nothing was left.
    ///
    /// Between two of them others work: what the operator gives for a large time would be in memory otherwise.
    pub(super) fn go_on(
        &mut self,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) -> bool {
        let (Some(finishing), Some(budget)) = (&mut self.finishing, &self.budget) else { return false };
        let next = finishing.next(budget, &self.context);
        if let Ok(Some(_)) = next {
            self.progress.ended.clone_from(&finishing.in_between);
        }
        let worked = match next {
            Ok(Some(Work::Group(group))) => self.bring_back(&group).map(|()| {
                self.apply_group(group, capability, emitter, send);
            }),
            Ok(Some(Work::Sweep(input, batch))) => self.sweep(input, &batch, capability, emitter, send),
            Ok(None) => {
                self.finishing = None;
                self.context.end_large_time();
                if let Some(spill) = &mut self.spill
                    && self.progress.ended.iter().all(|ended| *ended)
                {
                    spill.cold = Cold::default();
                }
                return false;
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = worked {
            self.cannot_come_back(&error);
        }
        true
    }

    fn flush(
        &mut self,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) {
        self.operator.flush(&self.progress, emitter);
        deliver(emitter, &self.meter, capability, send);
        self.is_open = false;
        self.note_results();
    }

    /// Gives the operator the state of the keys of these changes.
    fn bring_back(&mut self, group: &Group) -> Result<(), CannotComeBack> {
        let Some(spill) = &mut self.spill else { return Ok(()) };
        let routes = spill.routes.clone();
        let changes = group.iter().map(|(input, batch)| (routes[*input], batch));
        spill.bring_back(&mut self.operator, changes)
    }

    /// Applies changes that concern all keys of their shards, some shards at a time.
    fn sweep(
        &mut self,
        input: usize,
        batch: &Batch,
        capability: &Capability<Timestamp>,
        emitter: &mut Emitter,
        send: &mut dyn FnMut(&Capability<Timestamp>, Batch),
    ) -> Result<(), CannotComeBack> {
        let Some(spill) = &self.spill else { return Ok(()) };
        let keys = route_keys(batch, spill.routes[input]);
        let shard = |key: u128| (key & SHARD_MASK) as u32;
        for shards in parts_of_state(PARTS) {
            let own: BooleanBuffer =
                keys.as_slice().iter().map(|key| shards.contains(&shard(*key))).collect();
            if own.count_set_bits() == 0 {
                continue;
            }
            if let Some(spill) = &mut self.spill {
                spill.bring_back_shards(&mut self.operator, shards)?;
            }
            self.apply_group(vec![(input, batch.filter(&own))], capability, emitter, send);
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
        if self.context.is_stopped() {
            return;
        }
        self.progress.applied.fill(true);
        group.iter().for_each(|(input, _)| self.progress.applied[*input] = false);
        group.sort_by_key(|(_, batch)| batch.len());
        for (input, batch) in group {
            self.is_open = true;
            self.note(input, &batch);
            self.operator.apply(input, batch, &self.progress, emitter);
            deliver(emitter, &self.meter, capability, send);
            self.progress.applied[input] = true;
        }
        self.flush(capability, emitter, send);
        self.measure(0);
        if self.spill.as_ref().is_some_and(|spill| spill.is_over(&self.meter, &self.context)) {
            self.empty();
        }
    }

    /// Notes how much there is, with bytes of changes that are on their way to the operator.
    pub(super) fn measure(&mut self, under_way: usize) {
        let (mut memory, mut files) = (self.operator.memory() + under_way, 0);
        for Epoch { aside, .. } in self.pending.values() {
            memory += aside.memory();
            files += aside.files();
        }
        if let Some(finishing) = &self.finishing {
            let (of_memory, of_files) = finishing.size();
            memory += of_memory;
            files += of_files;
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
            relieve(&self.context.statistics().meters(), budget);
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
        let Some(spill) = &mut self.spill else { return false };
        spill.empty(&mut self.operator, &self.meter, &self.context)
    }

    fn stays_in_memory(&self, error: &ArrowError) {
        if let Some(budget) = &self.budget {
            budget.exhaust(error, &self.context);
        }
    }

    fn cannot_come_back(&self, error: &CannotComeBack) {
        let message = format!("{}: {error}", self.meter.name);
        let error = DataError::new(ErrorKind::Engine, message);
        self.context.fail(Failure::Data { site: Site::default(), error });
    }

    /// Tells the journal the whole state, in memory and in files: in parts, if it is large.
    pub(super) fn tell_state(&mut self, reached: Timestamp) -> Result<(), DataError> {
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        let files = self.spill.as_ref().map_or(0, |spill| spill.cold.files());
        let of_part = self.budget.as_ref().map_or(LARGE, |budget| budget.of_waiting().clamp(1, LARGE));
        let parts = (self.operator.memory() + files).div_ceil(of_part).clamp(1, MOST_PARTS);
        let mut parts = parts_of_state(parts.next_power_of_two() as u32).peekable();
        while let Some(shards) = parts.next() {
            let mut state = self.operator.save(shards.clone())?;
            if let Some(spill) = self.spill.as_ref().filter(|spill| !spill.cold.is_empty()) {
                let cold = spill.cold.read(shards);
                let cold = cold.map_err(|error| DataError::new(ErrorKind::Engine, error.to_string()))?;
                for ((_, rows), (_, others)) in state.tables.iter_mut().zip(cold.tables) {
                    if !others.is_empty() {
                        *rows = Batch::concat(&[std::mem::take(rows), others]);
                    }
                }
            }
            let is_last = parts.peek().is_none();
            if !is_last {
                state.common.clear();
            }
            keeping.journal.state(reached, state, is_last);
        }
        Ok(())
    }
}

/// An operator that comes back, whose state may be too much for memory.
pub(super) struct Returning<'a> {
    pub(super) spill: &'a mut Option<Spill>,
    pub(super) meter: &'a Meter,
    pub(super) context: &'a Context,
}

impl<O: Operator> Room<O> for Returning<'_> {
    fn relieve(&mut self, operator: &mut O) {
        let Some(spill) = self.spill else { return };
        self.meter.set(operator.memory() + spill.cold.memory(), spill.cold.files());
        if spill.is_over(self.meter, self.context) {
            spill.empty(operator, self.meter, self.context);
            self.meter.set(operator.memory() + spill.cold.memory(), spill.cold.files());
        }
    }

    fn prepare(&mut self, operator: &mut O, input: usize, batch: &Batch) -> Result<(), CannotComeBack> {
        let Some(spill) = self.spill else { return Ok(()) };
        if operator.keyed().is_some_and(|keyed| keyed.sweeping(batch).is_some()) {
            return spill.bring_back_shards(operator, 0..SHARDS);
        }
        // What is repeated goes by the keys of the state.
        let route = spill.routes.get(input).copied().unwrap_or(Route::Key);
        spill.bring_back(operator, std::iter::once((route, batch)))
    }
}
