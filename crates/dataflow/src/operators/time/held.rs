//! Rows that wait for a clock to reach their thresholds.

use std::ops::Range;

use pathway_types::Batch;

use super::{Rows, Timed};
use crate::operator::WrongState;
use crate::store::{MultiMap, OrderKey, Ordered, Place};

/// Rows by their thresholds, and by their ids.
pub(super) struct Held<K> {
    timed: Timed,
    queue: Ordered<K>,
    /// All columns but the time, by row id.
    rows: MultiMap,
}

impl<K: OrderKey> Held<K> {
    /// About how many bytes it takes in memory.
    pub(super) fn memory(&self) -> usize {
        self.queue.memory() + self.rows.memory()
    }

    pub(super) fn new(timed: &Timed) -> Self {
        Held { timed: timed.clone(), queue: Ordered::default(), rows: MultiMap::new(timed.kept()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Adds and removes rows.
    pub(super) fn apply(&mut self, rows: &Rows<K>) {
        for (row, place) in rows.places.iter().enumerate() {
            self.queue.add(place.clone(), rows.batch.diffs.get(row));
        }
        self.rows.apply(&rows.batch.keys, &rows.batch);
    }

    /// True if row `row` of `rows` is there.
    pub(super) fn has(&self, rows: &Rows<K>, row: usize) -> bool {
        self.rows.find(rows.places[row].id, &rows.batch, row).is_some()
    }

    /// Takes out the rows of an instance whose threshold is at most `clock`; `None` if there are none.
    pub(super) fn take_up_to(&mut self, instance: u128, clock: &K) -> Option<Batch> {
        let due: Vec<Place<K>> = self.queue.up_to(instance, clock).cloned().collect();
        self.take(&due)
    }

    /// Takes out all rows.
    pub(super) fn take_all(&mut self) -> Option<Batch> {
        let due: Vec<Place<K>> = self.queue.iter().cloned().collect();
        self.take(&due)
    }

    fn take(&mut self, places: &[Place<K>]) -> Option<Batch> {
        let (mut found, mut counts) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
        for place in places {
            let entries = self.rows.get(place.id);
            for entry in entries.iter().filter(|entry| entry.count > 0) {
                // Several rows may wait under one id, with other thresholds.
                let threshold = || {
                    let cell = self.rows.rows().columns(entry.row)[0].slice(entry.row.row as usize, 1);
                    K::of(&cell, &self.timed.dtypes[1]).pop()
                };
                if entries.len() == 1 || threshold().as_ref() == Some(&place.key) {
                    found.push(entry.row);
                    counts.push(i64::from(entry.count));
                }
            }
        }
        let mut batch = self.rows.rows().gather_batch(&found, 0..self.timed.kept().len())?;
        batch.diffs = counts.into();
        let gone = self.timed.placed(batch.negate());
        self.apply(&gone);
        Some(self.timed.passed(&batch))
    }

    /// Merges and rewrites storage.
    pub(super) fn tidy(&mut self) {
        self.rows.tidy();
    }

    pub(super) fn save(&self, shards: &Range<u32>) -> (&'static str, Batch) {
        ("rows", self.rows.save(shards))
    }

    pub(super) fn load(&mut self, tables: Vec<(&'static str, Batch)>) -> Result<(), WrongState> {
        for (_, mut batch) in tables {
            // Rows are stored under their ids, which the last column repeats.
            batch.columns.pop();
            if batch.columns.len() != self.timed.kept().len() {
                return Err(WrongState(format!("rows with {} columns", batch.columns.len())));
            }
            let rows = self.timed.placed(batch);
            self.apply(&rows);
        }
        Ok(())
    }
}
