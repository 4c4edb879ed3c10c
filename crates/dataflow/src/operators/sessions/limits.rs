//! Sessions with a behavior: when they are shown, when they are over, and when their rows are dropped.
//!
//! There is one clock, the largest time of all rows on all workers. A session is *over* when it has come so
//! far that no row in time could join it; from then on nothing changes it, and with the next rows it is
//! dropped. A row is late if the session it would be in is over, whatever the row's own time. What is shown
//! of a session depends on the clock and on its bounds alone, so that nothing about it has to be kept.

use std::collections::{BTreeSet, HashMap, HashSet};

use pathway_types::{Batch, DType, Diffs};

use super::moment::{Distance, Moment};
use super::partition::{Bounds, Label, Moved, Partition, Place, Slot};
use super::{Gap, Sessions};
use crate::kernels::nans::nans;
use crate::operator::{END_OF_INPUT, Emitter, Progress, WrongState};

/// What the behavior is.
#[derive(Clone, Debug)]
pub struct Behavior {
    /// Sessions are shown from their start and so much on, and when they are over; without it, at once.
    pub delay: Option<Distance>,
    /// Sessions are shown when they are over, and not before.
    pub once: bool,
    /// From their end and so much on, sessions are over; without it, never.
    pub over: Option<Distance>,
    /// What was shown of a session stays when it is dropped: rows are removed at odd times.
    pub keeps: bool,
}

/// A session in the state.
#[derive(Clone, Debug)]
struct Known<M> {
    first: Place<M>,
    bounds: Bounds<M>,
}

/// What is known of sessions for a behavior.
#[derive(Debug)]
pub(super) struct Limits<M> {
    behavior: Behavior,
    clock: Option<M>,
    heard: Option<M>,
    known: HashMap<Label, Known<M>>,
    /// By when they are over.
    open: BTreeSet<(M, Label)>,
    /// Those that are not shown, by when they will be.
    hidden: BTreeSet<(M, Label)>,
}

impl<M: Moment> Limits<M> {
    pub(super) fn new(behavior: Behavior) -> Self {
        Limits {
            behavior,
            clock: None,
            heard: None,
            known: HashMap::new(),
            open: BTreeSet::new(),
            hidden: BTreeSet::new(),
        }
    }

    /// When the clock has come here, a session with this end is over.
    fn over_at(&self, end: &M) -> Option<M> {
        self.behavior.over.as_ref().map(|over| end.after(over))
    }

    /// When the clock has come here, a session is shown; `None` for at once.
    fn shown_at(&self, bounds: &Bounds<M>) -> Option<M> {
        let over = self.over_at(&bounds.end);
        match &self.behavior.delay {
            _ if self.behavior.once => over,
            Some(delay) => {
                let shown = bounds.start.after(delay);
                Some(over.map_or(shown.clone(), |over| over.min(shown)))
            }
            None => None,
        }
    }

    fn has_reached(clock: Option<&M>, moment: Option<&M>) -> bool {
        moment.is_some_and(|moment| clock.is_some_and(|clock| moment <= clock))
    }

    /// True if a session with this end is over by the clock before the open time.
    fn is_over(&self, end: &M) -> bool {
        Self::has_reached(self.clock.as_ref(), self.over_at(end).as_ref())
    }

    fn is_shown(&self, bounds: &Bounds<M>, clock: Option<&M>) -> bool {
        self.shown_at(bounds).is_none_or(|at| Self::has_reached(clock, Some(&at)))
    }

    /// Notes what a session is now; `None` if it is no more.
    fn set(&mut self, label: Label, known: Option<Known<M>>, clock: Option<&M>) {
        if let Some(old) = self.known.remove(&label) {
            if let Some(at) = self.over_at(&old.bounds.end) {
                self.open.remove(&(at, label));
            }
            if let Some(at) = self.shown_at(&old.bounds) {
                self.hidden.remove(&(at, label));
            }
        }
        if let Some(new) = known {
            if let Some(at) = self.over_at(&new.bounds.end) {
                self.open.insert((at, label));
            }
            if let Some(at) = self.shown_at(&new.bounds)
                && !Self::has_reached(clock, Some(&at))
            {
                self.hidden.insert((at, label));
            }
            self.known.insert(label, new);
        }
    }

    /// The sessions in an index whose moment the clock has reached, in order.
    fn due(index: &BTreeSet<(M, Label)>, clock: Option<&M>) -> Vec<Label> {
        let reached = |(moment, _): &&(M, Label)| clock.is_some_and(|clock| moment <= clock);
        index.iter().take_while(reached).map(|(_, label)| *label).collect()
    }

    /// Takes what some worker heard.
    pub(super) fn hear(&mut self, moments: Vec<M>) {
        self.heard = self.heard.take().into_iter().chain(moments).max();
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// The clock, to save it.
    pub(super) fn save(&self, time: &DType) -> Batch {
        let clock: Vec<&M> = self.clock.iter().collect();
        let columns = vec![M::column(&clock, time)];
        Batch::new(vec![0; clock.len()].into(), columns, Diffs::Ones(clock.len()))
    }

    /// Takes the clock that some worker saved, and what is in the state.
    pub(super) fn load(
        &mut self,
        common: Vec<(&'static str, Batch)>,
        time: &DType,
        partition: &Partition<M>,
    ) -> Result<(), WrongState> {
        for (_, batch) in common {
            let column =
                batch.columns.first().ok_or_else(|| WrongState("a clock without time".to_owned()))?;
            self.clock = self.clock.take().into_iter().chain(M::of(column, time)).max();
        }
        let clock = self.clock.clone();
        for (first, label) in partition.sessions() {
            if let Some((_, bounds)) = partition.bounds(first) {
                self.set(label, Some(Known { first: first.clone(), bounds }), clock.as_ref());
            }
        }
        Ok(())
    }
}

/// The largest time of a batch of rows, for all workers.
pub fn heard<M: Moment>(batch: &Batch, time: &DType) -> Batch {
    let times = &batch.columns[0];
    let nans = nans(times, time);
    let bad = |row: usize| times.is_error(row) || nans.as_ref().is_some_and(|nans| nans.value(row));
    let moments = M::of(times, time).into_iter().enumerate();
    let latest = moments.filter(|(row, _)| !bad(*row)).map(|(_, moment)| moment).max();
    let latest: Vec<&M> = latest.iter().collect();
    Batch::new(vec![0; latest.len()].into(), vec![M::column(&latest, time)], Diffs::Ones(latest.len()))
}

/// What changes in the open time.
struct Changes<M> {
    gone: Vec<(Place<M>, Label)>,
    come: Vec<Place<M>>,
    moved: Moved<M>,
    /// Places at or beside all changes.
    near: Vec<Place<M>>,
}

impl<M: Moment, G: Gap<M>> Sessions<M, G> {
    /// The changes of a time, of which none may have come to this worker, within the limits.
    pub(super) fn flush_within(
        &mut self,
        limits: &mut Limits<M>,
        batch: Batch,
        progress: &Progress,
        out: &mut Emitter,
    ) {
        let ended = progress.time == END_OF_INPUT;
        let before = limits.clock.clone();
        let now = before.iter().chain(&limits.heard).max().cloned();
        if limits.heard.take().is_some() {
            self.drop_over(limits, progress, out);
        }
        let mut changes = Changes { gone: vec![], come: vec![], moved: Moved::new(), near: vec![] };
        if !batch.is_empty() {
            changes = self.settle(limits, &batch);
        }
        let mut touched: HashSet<Label> = changes.gone.iter().map(|(_, label)| *label).collect();
        touched.extend(changes.come.iter().filter_map(|place| self.partition.label(place)));
        for (_, before, after) in self.partition.labels_of(&changes.moved) {
            touched.extend([before, after]);
        }
        let shown_now = match ended {
            true => limits.hidden.iter().map(|(_, label)| *label).collect(),
            false => Limits::due(&limits.hidden, now.as_ref()),
        };
        touched.extend(shown_now);
        // What the sessions were and are.
        let mut after: HashMap<Label, Known<M>> = HashMap::new();
        for place in &changes.near {
            if let (Some(first), Some((label, bounds))) =
                (self.partition.first(place), self.partition.bounds(place))
            {
                after.insert(label, Known { first: first.clone(), bounds });
            }
        }
        let mut states: HashMap<Label, [Option<Known<M>>; 2]> = HashMap::new();
        let same = |label: &Label, limits: &Limits<M>| {
            let known = limits.known.get(label)?;
            self.partition.label(&known.first).filter(|other| other == label).map(|_| known.clone())
        };
        for label in touched {
            let old = limits.known.get(&label).cloned();
            let new = after.remove(&label).or_else(|| same(&label, limits));
            states.insert(label, [old, new]);
        }
        let shown = |label: Label, which: usize, limits: &Limits<M>| {
            let clock = if which == 0 { before.as_ref() } else { now.as_ref() };
            let known = states.get(&label).and_then(|states| states[which].as_ref());
            known.is_some_and(|known| (ended && which == 1) || limits.is_shown(&known.bounds, clock))
        };
        let mut removed: Vec<(Slot, Label)> = Vec::new();
        let mut added: Vec<(Slot, Label)> = Vec::new();
        removed.extend(changes.gone.iter().map(|(place, label)| (place.slot, *label)));
        added
            .extend(changes.come.iter().filter_map(|place| Some((place.slot, self.partition.label(place)?))));
        for (slot, before, after) in self.partition.labels_of(&changes.moved).filter(|(_, a, b)| a != b) {
            removed.push((slot, before));
            added.push((slot, after));
        }
        let fresh: HashSet<Slot> = added.iter().map(|(slot, _)| *slot).collect();
        removed.retain(|(_, label)| shown(*label, 0, limits));
        added.retain(|(_, label)| shown(*label, 1, limits));
        let (mut old_bounds, mut new_bounds) = (Vec::new(), Vec::new());
        for (label, [old, new]) in &states {
            let (was, is) = (shown(*label, 0, limits), shown(*label, 1, limits));
            if let (Some(_), Some(new)) = (old, new)
                && was != is
            {
                // The rows that were there before, and stay.
                let rows = self.partition.rows_of(&new.first);
                let rows = rows.into_iter().filter(|place| !fresh.contains(&place.slot));
                let rows = rows.map(|place| (place.slot, *label));
                if is { added.extend(rows) } else { removed.extend(rows) }
            }
            let [old, new] = [(was, old), (is, new)]
                .map(|(shown, known)| known.as_ref().filter(|_| shown).map(|known| known.bounds.clone()));
            if old != new {
                old_bounds.extend(old.map(|bounds| (*label, bounds)));
                new_bounds.extend(new.map(|bounds| (*label, bounds)));
            }
        }
        self.emit_labelled(&removed, -1, out);
        self.emit_labelled(&added, 1, out);
        self.emit_all_bounds(&old_bounds, -1, out);
        self.emit_all_bounds(&new_bounds, 1, out);
        for (label, [_, new]) in states {
            limits.set(label, new, now.as_ref());
        }
        for (place, _) in &changes.gone {
            self.release(place.slot);
        }
        limits.clock = now;
    }

    /// Drops the sessions that were over before the open time.
    fn drop_over(&mut self, limits: &mut Limits<M>, progress: &Progress, out: &mut Emitter) {
        let clock = limits.clock.clone();
        let (mut rows, mut bounds) = (Vec::new(), Vec::new());
        let mut places = Vec::new();
        for label in Limits::due(&limits.open, clock.as_ref()) {
            let Some(known) = limits.known.get(&label).cloned() else { continue };
            let of = self.partition.rows_of(&known.first);
            if limits.is_shown(&known.bounds, clock.as_ref()) {
                rows.extend(of.iter().map(|place| (place.slot, label)));
                bounds.push((label, known.bounds));
            }
            places.extend(of);
            limits.set(label, None, None);
        }
        if places.is_empty() {
            return;
        }
        places.sort_unstable();
        self.partition.remove(&places);
        let mut dropped = Emitter::default();
        self.emit_labelled(&rows, -1, &mut dropped);
        self.emit_all_bounds(&bounds, -1, &mut dropped);
        for batch in dropped.drain() {
            match limits.behavior.keeps && progress.time & 1 == 0 {
                true => out.emit_at(progress.time + 1, batch),
                false => out.emit(batch),
            }
        }
        places.iter().for_each(|place| self.release(place.slot));
    }

    /// Takes rows in and out, but not those that are late.
    fn settle(&mut self, limits: &Limits<M>, batch: &Batch) -> Changes<M> {
        let late = |time: &M| limits.is_over(time);
        let (gone, come) = self.take_changes(batch, &late);
        let places: Vec<Place<M>> = gone.iter().map(|(place, _)| place.clone()).collect();
        let mut moved = Moved::new();
        let fresh: HashSet<Slot> = come.iter().map(|place| place.slot).collect();
        let mut near = self.cut_around(&come, &places, &fresh, &mut moved);
        // A row whose session is over has come too late, with all that came to that session.
        let (late, come): (Vec<Place<M>>, Vec<Place<M>>) = come.into_iter().partition(|place| {
            late(&place.time)
                && self.partition.bounds(place).is_some_and(|(_, bounds)| limits.is_over(&bounds.end))
        });
        if !late.is_empty() {
            let mut late = late;
            late.sort_unstable();
            self.partition.remove(&late);
            near.extend(self.cut_around(&[], &late, &fresh, &mut moved));
            late.iter().for_each(|place| self.release(place.slot));
        }
        near.extend(places);
        let beside: Vec<Place<M>> =
            near.iter().filter_map(|place| self.partition.before(place)).cloned().collect();
        near.extend(beside);
        near.retain(|place| self.partition.contains(place));
        Changes { gone, come, moved, near }
    }
}
