//! Rows with the session that they are in.
//!
//! *State*: the rows in the order of instance, time and id, and where sessions start. *Cost*: a
//! logarithm per change, and the rows on the smaller side of each border that appears or goes; many
//! rows at once into an empty state are sorted. *Changes*: at the end of a time, rows that came, went
//! or moved to another session; and of the sessions themselves, whose bounds are a second table, those
//! whose bounds changed.
//!
//! Both tables leave on one edge. A batch of bounds has as many columns as [`bounds_width`] says, which
//! tells it from a batch of rows.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;

use pathway_expr::Togetherness;
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, Column, DType, DataError, Diffs, ErrorKind, Key, Keys};

use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::kernels::nans::nans;
use crate::operator::{END_OF_INPUT, Emitter, Operator, Progress, State, WrongState};
use crate::operators::ship_timed::float_of_tick;
use crate::store::multimap::same_cells;
use crate::store::{KeyMap, RowId, RowStore, new_key_map};

pub mod limits;
pub mod moment;
pub mod partition;

use limits::{Behavior, Limits};
use moment::{Moment, Tick};
use partition::{Bounds, Label, Moved, Partition, Place, Slot};

/// Rows per emitted batch.
const EMIT_ROWS: usize = 64 * 1024;
/// Start, end, last row.
const BOUNDS: usize = 3;

/// The number of columns of batches of bounds, where rows have so many.
pub fn bounds_width(rows: usize) -> usize {
    if rows == BOUNDS { BOUNDS + 1 } else { BOUNDS }
}

/// When neighbours are in one session.
pub trait Gap<M>: 'static {
    /// For each pair of an earlier and a later time.
    fn together(&self, pairs: &[(&M, &M)], report: &mut dyn FnMut(DataError)) -> BooleanBuffer;
}

/// They are less than this apart: whole numbers.
pub struct LessThan(pub i64);
/// They are less than this apart: floats.
pub struct LessThanFloat(pub f64);
/// The user's code says so, of times of this dtype.
pub struct Asked(pub Arc<dyn Togetherness>, pub DType);

impl<M: 'static> Gap<M> for Box<dyn Gap<M>> {
    fn together(&self, pairs: &[(&M, &M)], report: &mut dyn FnMut(DataError)) -> BooleanBuffer {
        (**self).together(pairs, report)
    }
}

impl Gap<Tick> for LessThan {
    fn together(&self, pairs: &[(&Tick, &Tick)], _: &mut dyn FnMut(DataError)) -> BooleanBuffer {
        pairs.iter().map(|(a, b)| b.checked_sub(**a).is_some_and(|gap| gap < self.0)).collect()
    }
}

impl Gap<Tick> for LessThanFloat {
    fn together(&self, pairs: &[(&Tick, &Tick)], _: &mut dyn FnMut(DataError)) -> BooleanBuffer {
        pairs.iter().map(|(a, b)| float_of_tick(**b) - float_of_tick(**a) < self.0).collect()
    }
}

impl<M: Moment> Gap<M> for Asked {
    fn together(&self, pairs: &[(&M, &M)], report: &mut dyn FnMut(DataError)) -> BooleanBuffer {
        if pairs.is_empty() {
            return BooleanBuffer::new_unset(0);
        }
        let (earlier, later): (Vec<&M>, Vec<&M>) = pairs.iter().copied().unzip();
        let (earlier, later) = (M::column(&earlier, &self.1), M::column(&later, &self.1));
        let together = self.0.together(&earlier, &later, &self.1);
        together.causes.into_iter().for_each(report);
        together.answers
    }
}

/// Rows that go, with the session they were in.
type Gone<M> = Vec<(Place<M>, Label)>;

/// The operator. Columns of its input: the time, the instance's pointer, the row.
pub struct Sessions<M: Moment, G> {
    /// Of the time.
    time: DType,
    /// Of the instance's pointer.
    instance: DType,
    /// Of the row's cells.
    cells: Vec<DType>,
    gap: G,
    partition: Partition<M>,
    store: RowStore,
    slots: Vec<RowId>,
    free: Vec<Slot>,
    /// The bounds that were emitted.
    shown: KeyMap<Bounds<M>>,
    batches: Vec<Batch>,
    /// When sessions are shown and dropped, where they have a behavior.
    limits: Option<Limits<M>>,
    context: Context,
    site: Site,
}

impl<M: Moment, G: Gap<M>> Sessions<M, G> {
    /// For an input with columns of these dtypes.
    pub fn new(inputs: Vec<DType>, gap: G, context: Context, site: Site) -> Self {
        let mut inputs = inputs.into_iter();
        Sessions {
            time: inputs.next().unwrap_or(DType::Any),
            instance: inputs.next().unwrap_or(DType::ANY_POINTER),
            cells: inputs.collect(),
            gap,
            partition: Partition::default(),
            store: RowStore::default(),
            slots: Vec::new(),
            free: Vec::new(),
            shown: new_key_map(),
            batches: Vec::new(),
            limits: None,
            context,
            site,
        }
    }

    /// The same, with a behavior; what the clocks of all workers hear is the second input.
    pub fn with_behavior(self, behavior: Behavior) -> Self {
        Sessions { limits: Some(Limits::new(behavior)), ..self }
    }

    /// The rows that have a time and an instance.
    fn sound(&self, batch: Batch) -> Batch {
        let [times, instances] = [&batch.columns[0], &batch.columns[1]];
        let masks = [times.errors().cloned(), instances.errors().cloned(), nans(times, &self.time)];
        let Some(bad) = masks.into_iter().flatten().reduce(|a: BooleanBuffer, b| &a | &b) else {
            return batch;
        };
        for row in bad.set_indices().filter(|row| batch.diffs.get(*row) > 0) {
            let error = if times.is_error(row) {
                DataError::skipped("time of a session window")
            } else if instances.is_error(row) {
                DataError::skipped("instance of a session window")
            } else {
                let id = Key(batch.keys.as_slice()[row]);
                DataError::value(format!("the time of the row {id} is nan: the row is in no session"))
            };
            self.context.data_error(&self.site, &error);
        }
        batch.filter(&!&bad)
    }

    /// Which rows begin a session, of rows in order.
    fn begins(&self, places: &[Place<M>]) -> Vec<bool> {
        let follows = |pair: &[Place<M>]| pair[0].instance == pair[1].instance;
        let pairs: Vec<(&M, &M)> = places
            .windows(2)
            .filter(|pair| follows(pair))
            .map(|pair| (&pair[0].time, &pair[1].time))
            .collect();
        let together = self.ask(&pairs);
        let mut answers = together.iter();
        let first = (!places.is_empty()).then_some(true);
        let rest = places.windows(2).map(|pair| !(follows(pair) && answers.next() == Some(true)));
        first.into_iter().chain(rest).collect()
    }

    fn ask(&self, pairs: &[(&M, &M)]) -> BooleanBuffer {
        self.gap.together(pairs, &mut |error| self.context.data_error(&self.site, &error))
    }

    /// Takes rows into an empty state, which is kept if more may come.
    fn fill(&mut self, batch: &Batch, keep: bool, out: &mut Emitter) {
        let times = M::of(&batch.columns[0], &self.time);
        let instances = Keys::of_column(&batch.columns[1]);
        let rows = times.into_iter().zip(instances.as_slice()).zip(batch.keys.as_slice()).enumerate();
        let mut places: Vec<Place<M>> = rows
            .map(|(row, ((time, instance), id))| Place {
                instance: *instance,
                time,
                id: *id,
                slot: row as Slot,
            })
            .collect();
        places.sort_unstable();
        let begins = self.begins(&places);
        let mut labels = vec![0; batch.len()];
        let mut sessions: Vec<(Label, Bounds<M>)> = Vec::new();
        for (place, begins) in places.iter().zip(&begins) {
            if *begins {
                let bounds = Bounds { start: place.time.clone(), end: place.time.clone(), last: place.id };
                sessions.push((self.partition.new_label(place.instance, place.id), bounds));
            }
            if let Some((label, bounds)) = sessions.last_mut() {
                labels[place.slot as usize] = *label;
                if !*begins {
                    bounds.end = place.time.clone();
                    bounds.last = place.id;
                }
            }
        }
        let cells: Vec<usize> = (2..2 + self.cells.len()).collect();
        let rows = batch.project(&cells);
        self.emit_rows(&rows, labels, out);
        let shown: Vec<(Label, &Bounds<M>)> =
            sessions.iter().map(|(label, bounds)| (*label, bounds)).collect();
        self.emit_bounds(&shown, 1, out);
        if !keep {
            return;
        }
        let anchors: Vec<u128> = (0..batch.len() as u128).collect();
        let chunk = self.store.insert(rows.keys, rows.columns, anchors.into());
        self.slots = (0..batch.len() as u32).map(|row| RowId { chunk, row }).collect();
        let mut starts = sessions.iter().map(|(label, _)| *label);
        let starts = begins.into_iter().map(|begins| if begins { starts.next() } else { None });
        self.partition.fill(places.into_iter().zip(starts));
        self.shown.extend(sessions);
    }

    /// Takes changes in.
    fn change(&mut self, batch: &Batch, out: &mut Emitter) {
        let (gone, come) = self.take_changes(batch, &|_| false);
        let places: Vec<Place<M>> = gone.iter().map(|(place, _)| place.clone()).collect();
        let fresh: HashSet<Slot> = come.iter().map(|place| place.slot).collect();
        let mut moved = Moved::new();
        let affected = self.cut_around(&come, &places, &fresh, &mut moved);
        let touched = self.emit_changes(&gone, &come, &moved, out);
        self.update_bounds(touched, &affected, &places, out);
        places.iter().for_each(|place| self.release(place.slot));
    }

    /// Puts rows that come into the order and takes those that go out of it; gives these with the session
    /// they were in, in order, and those. What is not there may go if it is `dropped`, by its time.
    fn take_changes(&mut self, batch: &Batch, dropped: &dyn Fn(&M) -> bool) -> (Gone<M>, Vec<Place<M>>) {
        let times = M::of(&batch.columns[0], &self.time);
        let instances = Keys::of_column(&batch.columns[1]);
        let (added, removed): (Vec<u32>, Vec<u32>) =
            (0..batch.len() as u32).partition(|row| batch.diffs.get(*row as usize) > 0);
        let key = |row: u32| {
            let row = row as usize;
            (instances.as_slice()[row], &times[row], batch.keys.as_slice()[row])
        };
        // Rows that go, with the session they were in.
        let mut gone: Gone<M> = Vec::new();
        for row in removed {
            for _ in 0..batch.diffs.get(row as usize).unsigned_abs() {
                match self.find(key(row), batch, row as usize, &gone) {
                    Some(found) => gone.push(found),
                    None if dropped(key(row).1) => {}
                    None => self.missing(key(row).2),
                }
            }
        }
        // Rows that come.
        let cells: Vec<usize> = (2..2 + self.cells.len()).collect();
        let repeated = added.iter().flat_map(|row| {
            std::iter::repeat_n(*row, batch.diffs.get(*row as usize).unsigned_abs() as usize)
        });
        let repeated: Vec<u32> = repeated.collect();
        let new = Batch { diffs: Diffs::Ones(repeated.len()), ..batch.project(&cells).take(&repeated) };
        let come: Vec<Place<M>> = self
            .store_rows(&new)
            .into_iter()
            .zip(&repeated)
            .map(|(slot, row)| {
                let (instance, time, id) = key(*row);
                Place { instance, time: time.clone(), id, slot }
            })
            .collect();
        come.iter().for_each(|place| self.partition.insert(place.clone()));
        gone.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let places: Vec<Place<M>> = gone.iter().map(|(place, _)| place.clone()).collect();
        self.partition.remove(&places);
        (gone, come)
    }

    /// Lets sessions begin and end where there is another row before than there was; gives these places,
    /// in order.
    fn cut_around(
        &mut self,
        come: &[Place<M>],
        gone: &[Place<M>],
        fresh: &HashSet<Slot>,
        moved: &mut Moved<M>,
    ) -> Vec<Place<M>> {
        // Where there is another row before than there was.
        let mut affected: BTreeSet<Place<M>> = come.iter().cloned().collect();
        affected.extend(come.iter().chain(gone).filter_map(|place| self.partition.after(place)).cloned());
        let affected: Vec<Place<M>> = affected.into_iter().collect();
        let before: Vec<Option<M>> =
            affected.iter().map(|place| Some(self.partition.before(place)?.time.clone())).collect();
        let pairs: Vec<(&M, &M)> =
            before.iter().zip(&affected).filter_map(|(a, b)| Some((a.as_ref()?, &b.time))).collect();
        let together = self.ask(&pairs);
        let mut answers = together.iter();
        for (place, before) in affected.iter().zip(&before) {
            let begins = before.is_none() || answers.next() != Some(true);
            self.partition.cut(place, begins, |slot| fresh.contains(&slot), moved);
        }
        affected
    }

    /// Gives up the cells of a row.
    fn release(&mut self, slot: Slot) {
        self.store.forget(self.slots[slot as usize]);
        self.free.push(slot);
    }

    /// A stored row that is equal to one that goes, with its label, and has not been found before.
    fn find(
        &self,
        (instance, time, id): (u128, &M, u128),
        batch: &Batch,
        row: usize,
        found: &[(Place<M>, Label)],
    ) -> Option<(Place<M>, Label)> {
        let place = self.partition.at(instance, time, id).find(|place| {
            let stored = self.slots[place.slot as usize];
            let same = same_cells(
                &self.cells,
                self.store.columns(stored),
                stored.row as usize,
                &batch.columns[2..],
                row,
            );
            same && !found
                .iter()
                .rev()
                .take_while(|(other, _)| other.id == id)
                .any(|(other, _)| other == *place)
        })?;
        Some((place.clone(), self.partition.label(place)?))
    }

    fn missing(&self, id: u128) {
        let message = format!("the row {} leaves its session but was not in any", Key(id));
        self.context.data_error(&self.site, &DataError::new(ErrorKind::Key, message));
    }

    /// Stores rows; gives the slot of each.
    fn store_rows(&mut self, rows: &Batch) -> Vec<Slot> {
        let slots: Vec<Slot> = (0..rows.len())
            .map(|_| {
                self.free.pop().unwrap_or_else(|| {
                    self.slots.push(RowId { chunk: u32::MAX, row: u32::MAX });
                    (self.slots.len() - 1) as Slot
                })
            })
            .collect();
        if !slots.is_empty() {
            let anchors: Vec<u128> = slots.iter().map(|slot| u128::from(*slot)).collect();
            let chunk = self.store.insert(rows.keys.clone(), rows.columns.clone(), anchors.into());
            for (row, slot) in slots.iter().enumerate() {
                self.slots[*slot as usize] = RowId { chunk, row: row as u32 };
            }
        }
        slots
    }

    /// Emits rows that went, moved and came; gives the labels they had and have.
    fn emit_changes(
        &self,
        gone: &[(Place<M>, Label)],
        come: &[Place<M>],
        moved: &Moved<M>,
        out: &mut Emitter,
    ) -> HashSet<Label> {
        let mut touched: HashSet<Label> = gone.iter().map(|(_, label)| *label).collect();
        let mut removed: Vec<(Slot, Label)> =
            gone.iter().map(|(place, label)| (place.slot, *label)).collect();
        let mut added: Vec<(Slot, Label)> = Vec::new();
        for place in come {
            added.extend(self.partition.label(place).map(|label| (place.slot, label)));
        }
        for (slot, before, now) in self.partition.labels_of(moved).filter(|(_, before, now)| before != now) {
            removed.push((slot, before));
            added.push((slot, now));
            touched.insert(before);
        }
        touched.extend(added.iter().map(|(_, label)| *label));
        self.emit_labelled(&removed, -1, out);
        self.emit_labelled(&added, 1, out);
        touched
    }

    /// Emits stored rows with their labels.
    fn emit_labelled(&self, rows: &[(Slot, Label)], diff: i64, out: &mut Emitter) {
        for rows in rows.chunks(EMIT_ROWS) {
            let ids: Vec<RowId> = rows.iter().map(|(slot, _)| self.slots[*slot as usize]).collect();
            let Some(batch) = self.store.gather_batch(&ids, 0..self.cells.len()) else { continue };
            let batch = Batch { diffs: vec![diff; rows.len()].into(), ..batch };
            self.emit_rows(&batch, rows.iter().map(|(_, label)| *label).collect(), out);
        }
    }

    /// Emits the changed bounds of these sessions, all of which are at or before one of the places.
    fn update_bounds(
        &mut self,
        mut touched: HashSet<Label>,
        affected: &[Place<M>],
        gone: &[Place<M>],
        out: &mut Emitter,
    ) {
        let near = affected.iter().chain(gone);
        let near = near.flat_map(|place| [self.partition.before(place), Some(place)]).flatten();
        let mut now: Vec<(Label, Bounds<M>)> = Vec::new();
        for place in near {
            if let Some((label, bounds)) = self.partition.bounds(place)
                && touched.remove(&label)
            {
                now.push((label, bounds));
            }
        }
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for label in touched {
            old.extend(self.shown.remove(&label).map(|bounds| (label, bounds)));
        }
        for (label, bounds) in now {
            match self.shown.get(&label) {
                Some(shown) if *shown == bounds => continue,
                _ => {}
            }
            old.extend(self.shown.insert(label, bounds.clone()).map(|bounds| (label, bounds)));
            new.push((label, bounds));
        }
        self.emit_all_bounds(&old, -1, out);
        self.emit_all_bounds(&new, 1, out);
    }

    fn emit_all_bounds(&self, all: &[(Label, Bounds<M>)], diff: i64, out: &mut Emitter) {
        let all: Vec<(Label, &Bounds<M>)> = all.iter().map(|(label, bounds)| (*label, bounds)).collect();
        self.emit_bounds(&all, diff, out);
    }

    fn emit_rows(&self, rows: &Batch, labels: Vec<Label>, out: &mut Emitter) {
        let mut columns = rows.columns.clone();
        columns.push(Keys::from(labels).to_column());
        out.emit(Batch::new(rows.keys.clone(), columns, rows.diffs.clone()));
    }

    fn emit_bounds(&self, sessions: &[(Label, &Bounds<M>)], diff: i64, out: &mut Emitter) {
        let width = bounds_width(self.cells.len() + 1);
        for sessions in sessions.chunks(EMIT_ROWS) {
            let moments = |of: fn(&Bounds<M>) -> &M| -> Column {
                let moments: Vec<&M> = sessions.iter().map(|(_, bounds)| of(bounds)).collect();
                M::column(&moments, &self.time)
            };
            let last: Vec<u128> = sessions.iter().map(|(_, bounds)| bounds.last).collect();
            let mut columns = vec![moments(|b| &b.start), moments(|b| &b.end), Keys::from(last).to_column()];
            columns.resize_with(width, || Column::nulls(&DType::None, sessions.len()));
            let labels: Vec<Label> = sessions.iter().map(|(label, _)| *label).collect();
            let diffs = if diff == 1 { Diffs::Ones(labels.len()) } else { vec![diff; labels.len()].into() };
            out.emit(Batch::new(labels.into(), columns, diffs));
        }
    }

    /// Merges and rewrites storage.
    fn tidy(&mut self) {
        let slots = &mut self.slots;
        self.store.tidy(|slot, from, to| {
            let row = &mut slots[slot as usize];
            let known = *row == from;
            if known {
                *row = to;
            }
            known
        });
    }

    fn dtypes(&self) -> Vec<DType> {
        [&[self.time.clone(), self.instance.clone()], &self.cells[..]].concat()
    }
}

impl<M: Moment, G: Gap<M>> Operator for Sessions<M, G> {
    fn start(&mut self, out: &mut Emitter) {
        if self.limits.as_ref().is_some_and(Limits::is_waiting) {
            out.wake_at(END_OF_INPUT);
        }
    }

    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        match &mut self.limits {
            Some(limits) if input == 1 => limits.hear(M::of(&batch.columns[0], &self.time)),
            _ => self.batches.push(batch),
        }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        self.partition.open(progress.time);
        let batches = std::mem::take(&mut self.batches);
        let mut batch =
            if batches.is_empty() { Batch::default() } else { self.sound(Batch::concat(&batches)) };
        drop(batches);
        if !batch.diffs.is_ones() {
            batch = consolidate(batch, &self.dtypes());
        }
        if let Some(mut limits) = self.limits.take() {
            self.flush_within(&mut limits, batch, progress, out);
            if limits.is_waiting() {
                out.wake_at(END_OF_INPUT);
            }
            self.limits = Some(limits);
            self.tidy();
            return;
        }
        if batch.is_empty() {
            return;
        }
        if self.partition.is_empty() && batch.diffs.is_ones() {
            self.slots.clear();
            self.free.clear();
            let keep = !progress.ended.iter().all(|ended| *ended);
            self.fill(&batch, keep, out);
        } else {
            self.change(&batch, out);
            self.tidy();
        }
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// Under the key of the instance: the row id, the time, the label, the cells.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let rows = self.partition.iter();
        let rows: Vec<(&Place<M>, Label)> =
            rows.filter(|(place, _)| shards.contains(&((place.instance & SHARD_MASK) as u32))).collect();
        let keys =
            |of: fn(&(&Place<M>, Label)) -> u128| -> Keys { rows.iter().map(of).collect::<Vec<_>>().into() };
        let times: Vec<&M> = rows.iter().map(|(place, _)| &place.time).collect();
        let mut columns = vec![
            keys(|(place, _)| place.id).to_column(),
            M::column(&times, &self.time),
            keys(|(_, label)| *label).to_column(),
        ];
        let stored: Vec<RowId> = rows.iter().map(|(place, _)| self.slots[place.slot as usize]).collect();
        columns.extend((0..self.cells.len()).filter_map(|column| self.store.gather(&stored, column)));
        columns.resize_with(3 + self.cells.len(), || Column::nulls(&DType::None, 0));
        let rows = Batch::new(keys(|(place, _)| place.instance), columns, Diffs::Ones(rows.len()));
        let clock = self.limits.iter().map(|limits| ("clock", limits.save(&self.time)));
        Ok(State { tables: vec![("rows", rows)], common: clock.collect() })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, rows) in state.tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let [ids, times, labels, cells @ ..] = &rows.columns[..] else {
                return Err(WrongState(format!("{} columns", rows.columns.len())));
            };
            if cells.len() != self.cells.len() {
                return Err(WrongState(format!("rows of {} cells", cells.len())));
            }
            let (ids, labels) = (Keys::of_column(ids), Keys::of_column(labels));
            let times = M::of(times, &self.time);
            let slots = self.store_rows(&Batch::new(ids.clone(), cells.to_vec(), Diffs::Ones(rows.len())));
            let places = slots.into_iter().zip(times).enumerate().map(|(row, (slot, time))| {
                let (instance, id) = (rows.keys.as_slice()[row], ids.as_slice()[row]);
                (Place { instance, time, id, slot }, labels.as_slice()[row])
            });
            let mut places: Vec<(Place<M>, Label)> = places.collect();
            places.sort_unstable();
            self.partition.restore(places, &mut self.shown);
        }
        if let Some(limits) = &mut self.limits {
            self.shown.clear();
            limits.load(state.common, &self.time, &self.partition)?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let shown = self.shown.allocation_size() + self.slots.capacity() * size_of::<RowId>();
        self.store.memory() + self.partition.memory() + shown
    }
}

#[cfg(test)]
mod tests;
