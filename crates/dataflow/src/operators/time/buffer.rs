//! Rows that are not due are held back until they are (`buffer`).
//!
//! *State*: the held rows. *Cost*: a logarithm of the held rows per row that is held. *Changes*: rows that
//! the clock has reached, the open time included; at the end of the input, all.

use std::ops::Range;

use pathway_types::{Batch, DataError};

use super::clock::Clock;
use super::held::Held;
use super::{Rows, Timed};
use crate::operator::{END_OF_INPUT, Emitter, Operator, Progress, State, WrongState};
use crate::store::OrderKey;

/// The operator.
pub struct Buffer<K> {
    timed: Timed,
    clock: Clock<K>,
    held: Held<K>,
    /// Rows of the open time that were not due before it.
    fresh: Vec<Rows<K>>,
}

impl<K: OrderKey> Buffer<K> {
    /// For these rows.
    pub fn new(timed: Timed) -> Self {
        Buffer { clock: Clock::new(&timed), held: Held::new(&timed), fresh: Vec::new(), timed }
    }
}

impl<K: OrderKey> Operator for Buffer<K> {
    fn start(&mut self, out: &mut Emitter) {
        if !self.held.is_empty() {
            out.wake_at(END_OF_INPUT);
        }
    }

    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, out: &mut Emitter) {
        if input == 1 {
            self.clock.hear(&batch);
            return;
        }
        let (due, rest) =
            self.timed.rows::<K>(batch).split(|place| self.clock.has_reached(place.instance, &place.key));
        out.emit(self.timed.passed(&due.batch));
        if !rest.is_empty() {
            self.fresh.push(rest);
        }
    }

    fn flush(&mut self, progress: &Progress, out: &mut Emitter) {
        let further = self.clock.advance();
        let ends = progress.time == END_OF_INPUT;
        for rows in std::mem::take(&mut self.fresh) {
            let due = |instance, threshold: &K| ends || self.clock.has_reached(instance, threshold);
            let (due, rest) = rows.split(|place| due(place.instance, &place.key));
            out.emit(self.timed.passed(&due.batch));
            self.held.apply(&rest);
        }
        if ends {
            self.held.take_all().into_iter().for_each(|batch| out.emit(batch));
        } else {
            for instance in further {
                let Some(clock) = self.clock.of(instance) else { continue };
                self.held.take_up_to(instance, clock).into_iter().for_each(|batch| out.emit(batch));
            }
        }
        self.held.tidy();
        if !self.held.is_empty() {
            out.wake_at(END_OF_INPUT);
        }
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State { tables: vec![self.held.save(&shards)], common: vec![self.clock.save()] })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        self.clock.load(state.common)?;
        self.held.load(state.tables)
    }

    fn memory(&self) -> usize {
        self.held.memory()
    }
}
