//! The net changes of each time: what cancels is gone, every row is on the worker of its id.

use std::ops::Range;

use pathway_types::{Batch, DType, DataError};

use crate::context::Context;
use crate::driver::{Edge, drive};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Keyed, Operator, Progress, State, WrongState};
use crate::route::Route;

/// Adds up the changes of each time of a stream of rows with columns of these dtypes; removals come
/// first. If it `merges_equal`, equal rows that are there several times become one change with that
/// diff; otherwise they stay several rows where nothing is removed.
pub fn net_changes<'scope>(
    input: Edge<'scope>,
    dtypes: Vec<DType>,
    merges_equal: bool,
    context: &Context,
) -> Edge<'scope> {
    let operator = Consolidate { dtypes, merges_equal, batches: Vec::new(), bytes: 0 };
    drive(input.scope(), "consolidate", vec![(input, Route::Key)], context.clone(), None, operator)
}

/// Adds up the changes of each time.
struct Consolidate {
    dtypes: Vec<DType>,
    merges_equal: bool,
    batches: Vec<Batch>,
    bytes: usize,
}

impl Operator for Consolidate {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.bytes += batch.memory_size();
        self.batches.push(batch);
    }
    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
        self.bytes = 0;
        if !self.merges_equal && batches.iter().all(|b| b.diffs.is_ones()) {
            // Nothing can cancel.
            batches.into_iter().for_each(|batch| out.emit(batch));
            return;
        }
        let batch = consolidate(Batch::concat(&batches), &self.dtypes);
        let (removals, additions) = removals_first(batch);
        out.emit(removals);
        out.emit(additions);
    }
    /// All changes of a time are needed, and may have to wait elsewhere.
    fn wants(&self, input: usize, progress: &Progress) -> bool {
        progress.complete[input]
    }
    /// Nothing is kept from one time to the next.
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, state: State) -> Result<(), WrongState> {
        if state.tables.is_empty() { Ok(()) } else { Err(WrongState("net changes keep no state".into())) }
    }
    fn memory(&self) -> usize {
        self.bytes
    }
    fn keyed(&mut self) -> Option<&mut dyn Keyed> {
        Some(self)
    }
}

impl Keyed for Consolidate {
    /// Which keys there are is not known: a time is taken here as a whole, or some keys after another.
    fn holds(&self, _key: u128) -> bool {
        !self.batches.is_empty()
    }
    fn clear(&mut self) {
        self.batches.clear();
        self.bytes = 0;
    }
}
