//! How loops come back after a stop.
//!
//! What a loop has computed is not saved: it is history over rounds, and follows from what went in. What is
//! saved are the rows that entered it ([`Entering`]). Loaded rows enter at time 0, and the loop goes
//! through its rounds once more, with as many workers as there are now. Those who read its results have these
//! in states of their own, and drop what comes at time 0.

use std::ops::Range;

use pathway_types::{Batch, DType, DataError, Timestamp};

use super::chunk::Scales;
use crate::driver::SHARDS;
use crate::kernels::consolidate::consolidate;
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::MultiMap;

/// When loaded rows enter; changes that are fed to a run that came back have later times.
const START: Timestamp = 0;

/// Passes rows on into a loop and keeps them.
///
/// *State*: the rows by id. *Cost*: a hash lookup per change. *Changes*: passed on as they come.
pub(crate) struct Entering {
    dtypes: Vec<DType>,
    rows: MultiMap,
    /// The rows have come back and are to enter the loop.
    came_back: bool,
}

impl Entering {
    /// An operator for rows with columns of these dtypes.
    pub(crate) fn new(dtypes: Vec<DType>) -> Self {
        Entering { rows: MultiMap::new(dtypes.clone()), dtypes, came_back: false }
    }
}

impl Operator for Entering {
    fn came_back(&mut self, out: &mut Emitter) {
        self.came_back = true;
        out.wake_at(START);
    }

    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, out: &mut Emitter) {
        self.rows.apply(&batch.keys.clone(), &batch);
        out.emit(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        if std::mem::take(&mut self.came_back) {
            let mut rows = self.rows.save(&(0..SHARDS));
            // Rows are kept under their ids, which the last column repeats.
            rows.columns.truncate(self.dtypes.len());
            out.emit(rows);
        }
        self.rows.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::of_tables([("rows", self.rows.save(&shards))]))
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        state.tables.into_iter().try_for_each(|(_, table)| self.rows.load(table))
    }
}

/// Collects the changes of a time and emits what is left of them when they are added up.
///
/// *State*: none between times; it tells what the loop's indexes take. *Cost*: a hash lookup or two per change; rows that come and go with the rounds
/// of a loop are added up before there are many. *Changes*: at the end of a time, as the net difference.
pub(crate) struct Leaving {
    dtypes: Vec<DType>,
    batches: Vec<Batch>,
    /// How many rows there are, and how many were left when they were added up last.
    rows: usize,
    left: usize,
    scales: Option<Scales>,
}

/// So many rows are not added up before their time has ended.
const FEW: usize = 64 * 1024;

impl Leaving {
    /// An operator for rows with columns of these dtypes.
    pub(crate) fn new(dtypes: Vec<DType>) -> Self {
        Leaving { dtypes, batches: Vec::new(), rows: 0, left: 0, scales: Scales::of_worker() }
    }

    fn add_up(&mut self) -> Batch {
        consolidate(Batch::concat(&std::mem::take(&mut self.batches)), &self.dtypes)
    }
}

impl Operator for Leaving {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.rows += batch.len();
        self.batches.push(batch);
        if self.rows > 2 * self.left + FEW {
            let all = self.add_up();
            (self.rows, self.left) = (all.len(), all.len());
            self.batches.push(all);
        }
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        out.emit(self.add_up());
        (self.rows, self.left) = (0, 0);
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }

    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }

    fn memory(&self) -> usize {
        self.scales.as_ref().map_or(0, Scales::bytes)
    }
}
