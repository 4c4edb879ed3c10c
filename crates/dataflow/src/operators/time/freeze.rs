//! Rows that are due when they come are dropped (`ignore_late`).
//!
//! *State*: the clock; where it *replaces* rows, also those that were dropped, and those whose removal was
//! dropped. *Cost*: a comparison per row. *Changes*: rows pass that were not due before their time. Where
//! it replaces rows: when the removal of a row was dropped and another row with its id passes, the old one
//! is removed.

use std::ops::Range;

use pathway_types::{Batch, DataError, Diffs};

use super::clock::Clock;
use super::{Rows, Timed};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{MultiMap, OrderKey, RowId};

/// The operator.
pub struct Freeze<K> {
    timed: Timed,
    clock: Clock<K>,
    /// What has to be known of rows to replace them.
    changing: Option<Changing<K>>,
}

struct Changing<K> {
    /// The rows of the open time.
    fresh: Vec<Rows<K>>,
    /// Insertions that were dropped.
    dropped: MultiMap,
    /// Rows that passed and whose removal was dropped.
    stale: MultiMap,
}

impl<K: OrderKey> Freeze<K> {
    /// For these rows. If none is ever removed, there is nothing to replace.
    pub fn new(timed: Timed, replaces: bool) -> Self {
        let rows = || MultiMap::new(timed.kept());
        let changing = replaces.then(|| Changing { fresh: Vec::new(), dropped: rows(), stale: rows() });
        Freeze { clock: Clock::new(&timed), changing, timed }
    }
}

impl<K: OrderKey> Changing<K> {
    /// Notes rows that are dropped.
    fn drop_late(&mut self, late: Rows<K>) {
        let batch = &late.batch;
        let rows = 0..batch.len() as u32;
        let (added, removed): (Vec<u32>, Vec<u32>) = rows.partition(|row| batch.diffs.get(*row as usize) > 0);
        let (dropped, stale): (Vec<u32>, Vec<u32>) = removed.into_iter().partition(|row| {
            let id = batch.keys.as_slice()[*row as usize];
            self.dropped.find(id, batch, *row as usize).is_some()
        });
        let taken = |rows: &[u32]| batch.take(rows);
        self.dropped.apply(&batch.keys.take(&added), &taken(&added));
        self.dropped.apply(&batch.keys.take(&dropped), &taken(&dropped));
        self.stale.apply(&batch.keys.take(&stale), &taken(&stale).negate());
    }

    /// The removals of stale rows whose ids come again.
    fn replaced(&mut self, passing: &Batch) -> Option<Batch> {
        if self.stale.is_empty() {
            return None;
        }
        let keys = passing.keys.as_slice().iter().enumerate();
        let ids = keys.filter(|(row, _)| passing.diffs.get(*row) > 0).map(|(_, id)| *id);
        let rows: Vec<RowId> = ids.flat_map(|id| self.stale.get(id)).map(|entry| entry.row).collect();
        let mut batch = self.stale.rows().gather_batch(&rows, 0..passing.columns.len())?;
        batch.diffs = Diffs::from(vec![-1; rows.len()]);
        self.stale.apply(&batch.keys, &batch);
        Some(batch)
    }
}

impl<K: OrderKey> Operator for Freeze<K> {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, out: &mut Emitter) {
        if input == 1 {
            self.clock.hear(&batch);
            return;
        }
        let rows = self.timed.rows::<K>(batch);
        match &mut self.changing {
            Some(changing) => changing.fresh.push(rows),
            None => {
                let (_, passing) = rows.split(|place| self.clock.has_reached(place.instance, &place.key));
                out.emit(self.timed.passed(&passing.batch));
            }
        }
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        if let Some(changing) = &mut self.changing {
            let mut passing = Vec::new();
            for rows in std::mem::take(&mut changing.fresh) {
                let (late, passes) = rows.split(|place| self.clock.has_reached(place.instance, &place.key));
                changing.drop_late(late);
                passing.push(passes.batch);
            }
            // A row that was late has gone before another one with its id comes.
            for batch in passing {
                changing.replaced(&batch).iter().for_each(|stale| out.emit(self.timed.passed(stale)));
                out.emit(self.timed.passed(&batch));
            }
            changing.dropped.tidy();
            changing.stale.tidy();
        }
        self.clock.advance();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        let tables = self.changing.iter().flat_map(|changing| {
            [("dropped", changing.dropped.save(&shards)), ("stale", changing.stale.save(&shards))]
        });
        Ok(State { tables: tables.collect(), common: vec![self.clock.save()] })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        self.clock.load(state.common)?;
        for (name, table) in state.tables {
            let Some(changing) = &mut self.changing else {
                return Err(WrongState("rows that cannot be removed".to_owned()));
            };
            let rows = if name == "stale" { &mut changing.stale } else { &mut changing.dropped };
            rows.load(table)?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let memory = |changing: &Changing<K>| changing.dropped.memory() + changing.stale.memory();
        self.changing.as_ref().map_or(0, memory)
    }
}
