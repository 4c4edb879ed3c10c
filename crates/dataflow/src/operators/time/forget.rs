//! Rows are removed when they are due (`forget`).
//!
//! *State*: the rows that are not due. *Cost*: a logarithm of these per row. *Changes*: rows pass; whenever
//! rows come, those that were due before this time are removed: at this time, or, *marked*, at the odd
//! time after it; or those that have become due are removed at the odd time, *marked*. A row that is removed
//! from the input after that gives nothing.

use std::ops::Range;

use pathway_plan::Forgetting;
use pathway_types::{Batch, DataError};

use super::clock::Clock;
use super::held::Held;
use super::{Rows, Timed};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::OrderKey;

/// The operator.
pub struct Forget<K> {
    timed: Timed,
    when: Forgetting,
    clock: Clock<K>,
    held: Held<K>,
    /// Instances with rows that may be due.
    due: Vec<u128>,
}

impl<K: OrderKey> Forget<K> {
    /// For these rows.
    pub fn new(timed: Timed, when: Forgetting) -> Self {
        Forget { clock: Clock::new(&timed), held: Held::new(&timed), due: Vec::new(), when, timed }
    }

    /// The rows that change something: insertions, but not of rows that would be removed at once, and
    /// removals of rows that are there.
    fn effective(&self, rows: Rows<K>) -> Rows<K> {
        let late = |row: usize| {
            let place = &rows.places[row];
            self.when == Forgetting::Later && self.clock.has_reached(place.instance, &place.key)
        };
        let keep = (0..rows.batch.len()).filter(|row| {
            if rows.batch.diffs.get(*row) > 0 { !late(*row) } else { self.held.has(&rows, *row) }
        });
        let keep: Vec<u32> = keep.map(|row| row as u32).collect();
        if keep.len() == rows.batch.len() { rows } else { rows.take(&keep) }
    }
}

impl<K: OrderKey> Operator for Forget<K> {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, out: &mut Emitter) {
        if input == 1 {
            self.clock.hear(&batch);
            return;
        }
        let rows = self.effective(self.timed.rows::<K>(batch));
        let late = rows.places.iter().filter(|place| self.clock.has_reached(place.instance, &place.key));
        self.due.extend(late.map(|place| place.instance));
        self.held.apply(&rows);
        out.emit(self.timed.passed(&rows.batch));
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        if !self.clock.has_heard() {
            return;
        }
        let mut due = std::mem::take(&mut self.due);
        let further = self.when == Forgetting::Marked;
        if further {
            due.extend(self.clock.advance());
        }
        due.sort_unstable();
        due.dedup();
        for instance in due {
            let Some(clock) = self.clock.of(instance) else { continue };
            let Some(forgotten) = self.held.take_up_to(instance, clock) else { continue };
            if self.when != Forgetting::Later && progress.time & 1 == 0 {
                out.emit_at(progress.time + 1, forgotten.negate());
            } else {
                out.emit(forgotten.negate());
            }
        }
        if !further {
            self.due = self.clock.advance();
        }
        self.held.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State { tables: vec![self.held.save(&shards)], common: vec![self.clock.save()] })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        let instances = state.common.iter().flat_map(|(_, clock)| clock.keys.as_slice().to_vec());
        self.due.extend(instances);
        self.clock.load(state.common)?;
        self.held.load(state.tables)
    }

    fn memory(&self) -> usize {
        self.held.memory()
    }
}
