//! Rows with their neighbours in an order (`sort`, `diff`).
//!
//! *State*: the places of all rows in one tree, and the cells that the result shows of the row before.
//! *Cost*: a logarithm per change; a first load or a change of much of the table is one walk through the
//! order. *Changes*: at the end of a time, the rows whose neighbours are others than before.

use std::cmp::Ordering;
use std::ops::Range;

use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, Column, DType, DataError, Diffs, ErrorKind, Key, Keys};

use crate::context::{Context, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{OrderKey, Ordered, Place};

mod show;

pub use show::{Links, Previous, Show};

/// Rows per emitted batch.
const EMIT_ROWS: usize = 64 * 1024;
/// If more than one row of so many changes, the whole order is walked.
const WALK: usize = 8;

/// The operator. Columns of its input: the value to order by, the instance's pointer if there are
/// instances, and what it shows.
pub struct Neighbours<K, S: Show> {
    inputs: Vec<DType>,
    instances: bool,
    order: Ordered<K>,
    show: S,
    batches: Vec<Batch>,
    context: Context,
    site: Site,
}

/// What is shown of rows, in order.
type Shown<K, S> = Vec<(Place<K>, <S as Show>::Row)>;

impl<K: OrderKey, S: Show> Neighbours<K, S> {
    /// For an input with columns of these dtypes.
    pub fn new(inputs: Vec<DType>, instances: bool, show: S, context: Context, site: Site) -> Self {
        Neighbours { inputs, instances, order: Ordered::default(), show, batches: Vec::new(), context, site }
    }

    fn controls(&self) -> usize {
        1 + usize::from(self.instances)
    }

    fn places(&self, batch: &Batch) -> Vec<Place<K>> {
        let keys = K::of(&batch.columns[0], &self.inputs[0]);
        let instances = self.instances.then(|| {
            let column = &batch.columns[1];
            let keys = Keys::of_column(column);
            // Rows whose instance is an error are an instance of their own.
            let key = |row| if column.is_error(row) { 0 } else { keys.as_slice()[row] };
            (0..batch.len()).map(key).collect::<Vec<_>>()
        });
        let rows = keys.into_iter().zip(batch.keys.as_slice()).enumerate();
        rows.map(|(row, (key, id))| {
            let instance = instances.as_ref().map_or(Key::EMPTY.0, |instances| instances[row]);
            Place { instance, key, id: *id }
        })
        .collect()
    }

    /// Applies changes of rows at these places.
    fn absorb(&mut self, places: Vec<Place<K>>, batch: &Batch) {
        let shown: Vec<usize> = (self.controls()..self.inputs.len()).collect();
        self.show.apply(&batch.project(&shown));
        if batch.diffs.is_ones() && self.order.is_empty() && self.order.counted().next().is_none() {
            if !self.order.fill(places) {
                let twice: Vec<u128> =
                    self.order.counted().filter(|(_, count)| *count > 1).map(|(place, _)| place.id).collect();
                twice.into_iter().for_each(|id| self.there_twice(id));
            }
            return;
        }
        for (row, place) in places.into_iter().enumerate() {
            let (id, diff) = (place.id, batch.diffs.get(row));
            if !self.order.add(place, diff) && diff > 0 {
                self.there_twice(id);
            }
        }
    }

    fn there_twice(&self, id: u128) {
        let message = format!("several rows have the id {}, but an order needs unique ids", Key(id));
        self.context.data_error(&self.site, &DataError::new(ErrorKind::Key, message));
    }

    /// These places and those beside them, in order.
    fn with_neighbours(&self, touched: &[Place<K>]) -> Vec<Place<K>> {
        let near = touched.iter().flat_map(|place| [self.order.before(place), self.order.after(place)]);
        let mut all: Vec<Place<K>> = near.flatten().chain(touched).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn shown(&self, places: &[Place<K>]) -> Shown<K, S> {
        let there = places.iter().filter_map(|place| Some((place, self.order.around(place)?)));
        there.map(|(place, around)| (place.clone(), self.show.row(place.id, around))).collect()
    }

    /// Emits the difference of what was shown and what `new` is, both in order.
    fn emit<'a>(
        &'a self,
        old: Shown<K, S>,
        new: impl Iterator<Item = (&'a Place<K>, S::Row)>,
        out: &mut Emitter,
    ) {
        let mut changes = Changes { show: &self.show, removed: Rows::new(), added: Rows::new(), out };
        let (mut old, mut new) = (old.into_iter().peekable(), new.peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let was = if order.is_le() { old.next() } else { None };
            let is = if order.is_ge() { new.next() } else { None };
            if was.as_ref().map(|(_, row)| row) != is.as_ref().map(|(_, row)| row) {
                if let Some((place, row)) = was {
                    changes.remove(place.id, row);
                }
                if let Some((place, row)) = is {
                    changes.add(place.id, row);
                }
            }
        }
        changes.finish();
    }
}

/// Ids and what is shown of the rows.
struct Rows<R> {
    ids: Vec<u128>,
    rows: Vec<R>,
}

impl<R> Rows<R> {
    fn new() -> Self {
        Rows { ids: Vec::new(), rows: Vec::new() }
    }
}

/// Collects changes and emits them in batches, removals first.
struct Changes<'a, S: Show> {
    show: &'a S,
    removed: Rows<S::Row>,
    added: Rows<S::Row>,
    out: &'a mut Emitter,
}

impl<S: Show> Changes<'_, S> {
    fn remove(&mut self, id: u128, row: S::Row) {
        self.removed.ids.push(id);
        self.removed.rows.push(row);
        if self.removed.ids.len() == EMIT_ROWS {
            self.flush(-1);
        }
    }
    fn add(&mut self, id: u128, row: S::Row) {
        self.added.ids.push(id);
        self.added.rows.push(row);
        if self.added.ids.len() == EMIT_ROWS {
            self.flush(1);
        }
    }
    fn flush(&mut self, diff: i64) {
        let changes = if diff < 0 { &mut self.removed } else { &mut self.added };
        let Rows { ids, rows } = std::mem::replace(changes, Rows::new());
        let diffs = if diff == 1 { Diffs::Ones(ids.len()) } else { vec![diff; ids.len()].into() };
        if !ids.is_empty() {
            self.out.emit(Batch::new(ids.into(), self.show.columns(&rows), diffs));
        }
    }
    fn finish(&mut self) {
        self.flush(-1);
        self.flush(1);
    }
}

impl<K: OrderKey, S: Show> Operator for Neighbours<K, S> {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() {
            return;
        }
        let mut batch = Batch::concat(&batches);
        drop(batches);
        if !batch.diffs.is_ones() {
            batch = consolidate(batch, &self.inputs);
        }
        let touched = self.places(&batch);
        if touched.len() > self.order.len() / WALK {
            let all = self.order.all_around();
            let old = all.map(|(place, around)| (place.clone(), self.show.row(place.id, around))).collect();
            self.absorb(touched, &batch);
            drop(batch);
            let new = self.order.all_around();
            self.emit(old, new.map(|(place, around)| (place, self.show.row(place.id, around))), out);
        } else {
            let places = self.with_neighbours(&touched);
            let old = self.shown(&places);
            self.absorb(touched, &batch);
            let new = self.shown(&places);
            self.emit(old, new.iter().map(|(place, row)| (place, *row)), out);
        }
        self.show.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    /// Under the key of the instance: the row id, what it is ordered by, what is shown.
    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let (mut instances, mut ids, mut keys, mut counts) = (vec![], vec![], vec![], vec![]);
        for (place, count) in self.order.counted() {
            if shards.contains(&((place.instance & SHARD_MASK) as u32)) {
                instances.push(place.instance);
                ids.push(place.id);
                keys.push(place.key.clone());
                counts.push(count);
            }
        }
        let shown = self.show.save(&ids, &self.inputs[self.controls()..]);
        let columns = [vec![Keys::from(ids).to_column(), K::save(keys)], shown].concat();
        let rows = Batch::new(instances.into(), columns, counts.into());
        Ok(State::of_tables([("rows", rows)]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, rows) in state.tables {
            let [ids, keys, shown @ ..] = &rows.columns[..] else {
                return Err(WrongState(format!("{} columns", rows.columns.len())));
            };
            let ids = Keys::of_column(ids);
            let keys = K::load(keys);
            if keys.len() != rows.len() || shown.len() + self.controls() != self.inputs.len() {
                return Err(WrongState("the rows are ordered by something else".to_owned()));
            }
            let places = rows.keys.as_slice().iter().zip(ids.as_slice()).zip(keys);
            let places = places.map(|((instance, id), key)| Place { instance: *instance, key, id: *id });
            let places = places.collect();
            let mut columns: Vec<Column> =
                (0..self.controls()).map(|_| Column::nulls(&DType::None, rows.len())).collect();
            columns.extend(shown.iter().cloned());
            self.absorb(places, &Batch::new(ids, columns, rows.diffs));
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.order.memory()
    }
}

#[cfg(test)]
mod tests;
