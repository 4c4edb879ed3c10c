//! Rows by key and time: the state of one side of a join in time.
//!
//! Every row has a *handle* that stays the same as long as the row is there, whatever moves in storage.
//! The rows of a key form a [`Timeline`] of handles, in order of time and then of row id. New rows wait
//! unsorted until somebody looks, so that what comes in many batches is sorted once.
//!
//! The store remembers which rows changed since the last [`TimedRows::tidy`], and with each row a number
//! that belongs to the owner of the store (the row's *note*). Rows that were taken out stay readable
//! until `tidy`.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Decimal128Array, Int64Array};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use hashbrown::hash_map::Entry as MapEntry;

use pathway_types::{Batch, Column, DType, Diffs, Keys};

use super::hash::{KeyMap, new_key_map};
use super::multimap::same_cells;
use super::rows::{RowId, RowStore};
use super::timeline::{Entry, Handle, NO_ROW, Timeline};
use crate::operator::WrongState;

/// Rows with the key and the time of each.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The keys.
    pub keys: Keys,
    /// The times, in an order-preserving form.
    pub ticks: ScalarBuffer<i64>,
    /// The rows.
    pub batch: Batch,
}

impl Timed {
    /// Takes apart a batch whose last columns are the time and the key.
    pub fn unpack(mut batch: Batch) -> Option<Timed> {
        let keys = Keys::of_column(&batch.columns.pop()?);
        let ticks = batch.columns.pop()?;
        let ticks = ticks.array().as_primitive_opt::<Int64Type>()?.values().clone();
        Some(Timed { keys, ticks, batch })
    }
}

/// How a row was before it changed.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The row and its time.
    pub entry: Entry,
    /// How often it was there.
    pub count: i32,
    /// The owner's number.
    pub note: i32,
}

/// A row's place in storage and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: RowId,
    count: i32,
    note: i32,
    slot: u32,
    /// It is in the list of changes.
    changed: bool,
}

/// A new row that is not in its timeline yet.
#[derive(Clone, Copy, Debug)]
struct New {
    slot: u32,
    entry: Entry,
}

/// Rows by key and time.
#[derive(Debug)]
pub struct TimedRows {
    dtypes: Vec<DType>,
    rows: RowStore,
    known: Vec<Known>,
    free: Vec<Handle>,
    slots: KeyMap<u32>,
    /// The key and the rows of each slot.
    lines: Vec<(u128, Timeline)>,
    free_slots: Vec<u32>,
    new: Vec<New>,
    changes: Vec<Change>,
}

impl TimedRows {
    /// An empty store of rows whose cells have these dtypes.
    pub fn new(dtypes: Vec<DType>) -> Self {
        TimedRows {
            dtypes,
            rows: RowStore::default(),
            known: Vec::new(),
            free: Vec::new(),
            slots: new_key_map(),
            lines: Vec::new(),
            free_slots: Vec::new(),
            new: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// True if something is known of a key.
    pub fn holds(&self, key: u128) -> bool {
        self.slots.contains_key(&key)
    }

    /// About how many bytes it takes in memory.
    pub fn memory(&self) -> usize {
        let known = self.known.capacity() * (size_of::<Known>() + size_of::<Entry>());
        let lines = self.lines.capacity() * size_of::<(u128, Timeline)>() + self.slots.allocation_size();
        let changed = self.new.capacity() * size_of::<New>() + self.changes.capacity() * size_of::<Change>();
        self.rows.memory() + known + lines + changed
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        *self = TimedRows::new(std::mem::take(&mut self.dtypes));
    }

    /// The rows of a key; all of them, after [`TimedRows::settle`].
    #[inline]
    pub fn line(&self, key: u128) -> Option<&Timeline> {
        self.slots.get(&key).map(|slot| &self.lines[*slot as usize].1)
    }

    /// The key of a row.
    #[inline]
    pub fn key(&self, row: Handle) -> u128 {
        self.lines[self.known[row as usize].slot as usize].0
    }

    /// The id of a row.
    #[inline]
    pub fn id(&self, row: Handle) -> u128 {
        self.rows.id(self.known[row as usize].at)
    }

    /// How often a row is there.
    #[inline]
    pub fn count(&self, row: Handle) -> i32 {
        self.known[row as usize].count
    }

    /// The owner's number of a row.
    #[inline]
    pub fn note(&self, row: Handle) -> i32 {
        self.known[row as usize].note
    }

    /// Changes the owner's number of a row.
    #[inline]
    pub fn set_note(&mut self, entry: Entry, note: i32) {
        let known = &mut self.known[entry.row as usize];
        if !known.changed {
            known.changed = true;
            self.changes.push(Change { entry, count: known.count, note: known.note });
        }
        known.note = note;
    }

    /// What changed since the last `tidy`.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The times at which rows came or left since the last `tidy`, in order, for each key.
    pub fn changed_times(&self) -> Vec<(u128, Vec<i64>)> {
        let changed = self.changes.iter().filter(|change| {
            let now = self.known[change.entry.row as usize].count;
            (change.count > 0) != (now > 0)
        });
        let mut times: Vec<(u32, i64)> =
            changed.map(|c| (self.known[c.entry.row as usize].slot, c.entry.tick)).collect();
        times.sort_unstable();
        times.dedup();
        let of_key = |group: &[(u32, i64)]| {
            (self.lines[group[0].0 as usize].0, group.iter().map(|(_, tick)| *tick).collect())
        };
        times.chunk_by(|a, b| a.0 == b.0).map(of_key).collect()
    }

    /// Gathers rows as insertions. `None` for no rows.
    pub fn gather(&self, rows: &[Handle]) -> Option<Batch> {
        let places: Vec<RowId> = rows.iter().map(|row| self.known[*row as usize].at).collect();
        self.rows.gather_batch(&places, 0..self.dtypes.len())
    }

    /// The cells of rows, and their ids; nulls for [`NO_ROW`].
    pub fn gather_or_none(&self, rows: &[Handle]) -> (Vec<Column>, Column) {
        let at = |row: &Handle| (*row != NO_ROW).then(|| self.known[*row as usize].at);
        let places: Vec<Option<RowId>> = rows.iter().map(at).collect();
        let columns = self.dtypes.iter().enumerate();
        let columns = columns.map(|(i, dtype)| self.rows.gather_or_none(&places, i, dtype)).collect();
        let ids = places.iter().map(|at| at.map_or(0, |at| self.rows.id(at) as i128));
        let ids: Vec<i128> = ids.collect();
        let nulls = NullBuffer::from_iter(places.iter().map(Option::is_some));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        let ids = Decimal128Array::new(ids.into(), nulls).with_data_type(pathway_types::storage::POINTER);
        (columns, Column::new(Arc::new(ids)))
    }

    /// Applies changes: row `i` of `batch` is under `keys[i]` at `ticks[i]`; rows that are new get the
    /// note `notes(i)`.
    pub fn apply(&mut self, keys: &Keys, ticks: &[i64], batch: &Batch, notes: impl Fn(usize) -> i32) {
        if batch.diffs.is_ones() {
            return self.insert(keys, ticks, batch, notes);
        }
        let part = |positive: bool| -> Vec<u32> {
            (0..batch.len() as u32).filter(|r| (batch.diffs.get(*r as usize) > 0) == positive).collect()
        };
        // Removals first: what stays without its insertion is then found by the insertion.
        for rows in [part(false), part(true)] {
            let ticks: Vec<i64> = rows.iter().map(|row| ticks[*row as usize]).collect();
            let notes = |row: usize| notes(rows[row] as usize);
            if batch.diffs.get(rows.first().map_or(0, |row| *row as usize)) < 0 {
                self.remove(&keys.take(&rows), &ticks, &batch.take(&rows), notes);
            } else if !rows.is_empty() {
                self.insert(&keys.take(&rows), &ticks, &batch.take(&rows), notes);
            }
        }
    }

    fn insert(&mut self, keys: &Keys, ticks: &[i64], batch: &Batch, notes: impl Fn(usize) -> i32) {
        let mut slots: Vec<u32> = Vec::with_capacity(batch.len());
        // Neighbouring rows often have one key.
        let mut last: Option<(u128, u32)> = None;
        for key in keys.as_slice() {
            let slot = match last {
                Some((known, slot)) if known == *key => slot,
                _ => self.slot(*key),
            };
            last = Some((*key, slot));
            slots.push(slot);
        }
        self.add(&slots, ticks, batch, notes);
    }

    fn slot(&mut self, key: u128) -> u32 {
        match self.slots.entry(key) {
            MapEntry::Occupied(entry) => *entry.get(),
            MapEntry::Vacant(entry) => {
                let slot = match self.free_slots.pop() {
                    Some(slot) => {
                        self.lines[slot as usize].0 = key;
                        slot
                    }
                    None => {
                        self.lines.push((key, Timeline::default()));
                        (self.lines.len() - 1) as u32
                    }
                };
                *entry.insert(slot)
            }
        }
    }

    /// Stores rows; they are put into the timelines by `settle`.
    fn add(&mut self, slots: &[u32], ticks: &[i64], batch: &Batch, notes: impl Fn(usize) -> i32) {
        let handles: Vec<Handle> = (0..batch.len())
            .map(|_| {
                self.free.pop().unwrap_or_else(|| {
                    let nowhere = RowId { chunk: u32::MAX, row: u32::MAX };
                    self.known.push(Known { at: nowhere, count: 0, note: 0, slot: 0, changed: false });
                    (self.known.len() - 1) as Handle
                })
            })
            .collect();
        let anchors: Vec<u128> = handles.iter().map(|row| u128::from(*row)).collect();
        let chunk = self.rows.insert(batch.keys.clone(), batch.columns.clone(), anchors.into());
        for (row, handle) in handles.into_iter().enumerate() {
            let (note, slot) = (notes(row), slots[row]);
            let at = RowId { chunk, row: row as u32 };
            let count = batch.diffs.get(row) as i32;
            self.known[handle as usize] = Known { at, count, note, slot, changed: true };
            let entry = Entry { tick: ticks[row], row: handle };
            self.changes.push(Change { entry, count: 0, note });
            self.new.push(New { slot, entry });
        }
    }

    fn remove(&mut self, keys: &Keys, ticks: &[i64], batch: &Batch, notes: impl Fn(usize) -> i32) {
        self.settle();
        let (mut unmatched, mut slots) = (Vec::new(), Vec::new());
        for (row, tick) in ticks.iter().copied().enumerate() {
            let slot = self.slot(keys.as_slice()[row]);
            let id = batch.keys.as_slice()[row];
            let line = &self.lines[slot as usize].1;
            let place = line.seek(|e| (e.tick, self.id(e.row)) < (tick, id));
            let mut equals = line.from(place).take_while(|e| e.tick == tick && self.id(e.row) == id);
            let known = equals.find(|e| self.is_row(e.row, batch, row));
            drop(equals);
            match known {
                Some(known) => self.settle_count(known, batch.diffs.get(row) as i32),
                None => {
                    unmatched.push(row as u32);
                    slots.push(slot);
                }
            }
        }
        if !unmatched.is_empty() {
            let ticks: Vec<i64> = unmatched.iter().map(|row| ticks[*row as usize]).collect();
            let notes = |row: usize| notes(unmatched[row] as usize);
            self.add(&slots, &ticks, &batch.take(&unmatched), notes);
            self.settle();
        }
    }

    /// True if a stored row has the cells of a row of `batch`.
    fn is_row(&self, known: Handle, batch: &Batch, row: usize) -> bool {
        let at = self.known[known as usize].at;
        same_cells(&self.dtypes, self.rows.columns(at), at.row as usize, &batch.columns, row)
    }

    /// Adds to the multiplicity of a row; without any left, it leaves its timeline.
    fn settle_count(&mut self, entry: Entry, count: i32) {
        let Entry { tick, row } = entry;
        self.set_note(entry, self.note(row));
        let known = &mut self.known[row as usize];
        known.count += count;
        if known.count != 0 {
            return;
        }
        let (slot, id) = (known.slot as usize, self.id(row));
        let line = &self.lines[slot].1;
        let mut place = line.seek(|e| (e.tick, self.id(e.row)) < (tick, id));
        while line.get(place).is_some_and(|e| e.row != row) {
            place = line.next(place);
        }
        self.lines[slot].1.remove(place);
        self.rows.forget(self.known[row as usize].at);
    }

    /// Puts new rows into their timelines.
    pub fn settle(&mut self) {
        if self.new.is_empty() {
            return;
        }
        let mut new = by_slot(std::mem::take(&mut self.new), self.lines.len());
        let (rows, known, dtypes) = (&self.rows, &self.known, &self.dtypes);
        let at = |entry: Entry| known[entry.row as usize].at;
        let rank = |a: Entry, b: Entry| a.tick.cmp(&b.tick).then_with(|| rows.id(at(a)).cmp(&rows.id(at(b))));
        let are_same = |a: Entry, b: Entry| are_same(rows, dtypes, at(a), at(b));
        let mut same: Vec<(Entry, Entry)> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        for group in new.chunk_by_mut(|a, b| a.slot == b.slot) {
            if !group.is_sorted_by(|a, b| rank(a.entry, b.entry) != Ordering::Greater) {
                group.sort_unstable_by(|a, b| rank(a.entry, b.entry));
            }
            entries.clear();
            for New { entry, .. } in group.iter() {
                let equals = entries.iter().rev().take_while(|e| rank(**e, *entry) == Ordering::Equal);
                match equals.copied().find(|e| are_same(*e, *entry)) {
                    Some(known) => same.push((known, *entry)),
                    None => entries.push(*entry),
                }
            }
            self.lines[group[0].slot as usize].1.merge(&entries, rank, |old, new| {
                let equal = are_same(old, new);
                if equal {
                    same.push((old, new));
                }
                equal
            });
        }
        // The same row again, or the insertion that an earlier removal was waiting for.
        for (old, new) in same {
            let gone = &mut self.known[new.row as usize];
            let (at, count) = (gone.at, std::mem::take(&mut gone.count));
            self.rows.forget(at);
            self.settle_count(old, count);
        }
    }

    /// Forgets what changed, and the rows that were taken out; merges and rewrites storage.
    pub fn tidy(&mut self) {
        self.settle();
        for Change { entry: Entry { row, .. }, .. } in std::mem::take(&mut self.changes) {
            let known = &mut self.known[row as usize];
            known.changed = false;
            if known.count != 0 {
                continue;
            }
            let slot = known.slot;
            self.free.push(row);
            let (key, line) = &mut self.lines[slot as usize];
            if line.is_empty() && self.slots.get(key) == Some(&slot) {
                self.slots.remove(key);
                *line = Timeline::default();
                self.free_slots.push(slot);
            }
        }
        let known = &mut self.known;
        self.rows.tidy(|anchor, from, to| {
            let known = &mut known[anchor as usize];
            let is_there = known.count != 0 && known.at == from;
            if is_there {
                known.at = to;
            }
            is_there
        });
    }

    /// The rows whose key's shard is in `shards`, with their keys.
    fn in_shards(&self, shards: &std::ops::Range<u32>) -> Vec<(u128, Entry)> {
        let wanted = |key: &u128| shards.contains(&((key & pathway_types::key::SHARD_MASK) as u32));
        let lines = self.slots.iter().filter(|(key, _)| wanted(key));
        let rows =
            lines.flat_map(|(key, slot)| self.lines[*slot as usize].1.iter().map(move |entry| (*key, entry)));
        rows.collect()
    }

    /// All rows whose key's shard is in `shards`, under their keys; after their columns are their times and
    /// their ids.
    pub fn save(&self, shards: &std::ops::Range<u32>) -> Batch {
        self.saved(&self.in_shards(shards))
    }

    /// The same, and the notes at the end.
    pub fn save_with_notes(&self, shards: &std::ops::Range<u32>) -> Batch {
        let rows = self.in_shards(shards);
        let mut batch = self.saved(&rows);
        let notes = rows.iter().map(|(_, entry)| i64::from(self.note(entry.row)));
        batch.columns.push(Column::new(Arc::new(Int64Array::from_iter_values(notes))));
        batch
    }

    fn saved(&self, rows: &[(u128, Entry)]) -> Batch {
        let handles: Vec<Handle> = rows.iter().map(|(_, entry)| entry.row).collect();
        let mut batch = self.gather(&handles).unwrap_or_else(|| Batch::empty(&self.dtypes));
        let ticks = Int64Array::from_iter_values(rows.iter().map(|(_, entry)| entry.tick));
        batch.columns.push(Column::new(Arc::new(ticks)));
        let keys = Keys::from(rows.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        batch.columns.push(std::mem::replace(&mut batch.keys, keys).to_column());
        batch.diffs = Diffs::from(handles.iter().map(|row| i64::from(self.count(*row))).collect::<Vec<_>>());
        batch
    }

    /// Takes up rows given by [`TimedRows::save`], with this note.
    ///
    /// # Errors
    /// [`WrongState`] if they have other columns.
    pub fn load(&mut self, batch: Batch, note: i32) -> Result<(), WrongState> {
        self.load_noted(batch, |_| note)
    }

    /// Takes up rows given by [`TimedRows::save_with_notes`].
    ///
    /// # Errors
    /// [`WrongState`] if they have other columns.
    pub fn load_with_notes(&mut self, mut batch: Batch) -> Result<(), WrongState> {
        let notes = batch.columns.pop();
        let notes = notes.as_ref().and_then(|notes| notes.array().as_primitive_opt::<Int64Type>());
        let Some(notes) = notes.map(|notes| notes.values().clone()) else {
            return Err(WrongState("rows without notes".to_owned()));
        };
        self.load_noted(batch, |row| notes[row] as i32)
    }

    fn load_noted(&mut self, mut batch: Batch, notes: impl Fn(usize) -> i32) -> Result<(), WrongState> {
        if batch.columns.len() != self.dtypes.len() + 2 {
            let message = format!("{} columns instead of {}", batch.columns.len(), self.dtypes.len() + 2);
            return Err(WrongState(message));
        }
        if let Some(ids) = batch.columns.pop() {
            let keys = std::mem::replace(&mut batch.keys, Keys::of_column(&ids));
            batch.columns.push(keys.to_column());
        }
        let rows = Timed::unpack(batch).ok_or_else(|| WrongState("times of another type".to_owned()))?;
        self.apply(&rows.keys, &rows.ticks, &rows.batch, notes);
        self.settle();
        Ok(())
    }
}

/// True if two stored rows have the same cells.
fn are_same(rows: &RowStore, dtypes: &[DType], left: RowId, right: RowId) -> bool {
    let (a, b) = (rows.columns(left), rows.columns(right));
    same_cells(dtypes, a, left.row as usize, b, right.row as usize)
}

/// New rows grouped by slot, in their order inside each.
fn by_slot(new: Vec<New>, slots: usize) -> Vec<New> {
    if new.is_sorted_by_key(|row| row.slot) {
        return new;
    }
    let mut sorted = new;
    if slots > 4 * sorted.len() {
        sorted.sort_by_key(|row| row.slot);
        return sorted;
    }
    let new = sorted.clone();
    let mut next = vec![0u32; slots + 1];
    new.iter().for_each(|row| next[row.slot as usize + 1] += 1);
    for slot in 1..next.len() {
        next[slot] += next[slot - 1];
    }
    for row in new {
        let place = &mut next[row.slot as usize];
        sorted[*place as usize] = row;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests;
