//! The net changes of each time: what cancels is gone, every row is on the worker of its id.

use std::ops::Range;

use pathway_types::{Batch, DType, DataError};

use crate::context::Context;
use crate::driver::{Edge, drive};
use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
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
    let operator = Consolidate { dtypes, merges_equal, batches: Vec::new() };
    drive(input.scope(), "consolidate", vec![(input, Route::Key)], context.clone(), None, operator)
}

/// Adds up the changes of each time.
struct Consolidate {
    dtypes: Vec<DType>,
    merges_equal: bool,
    batches: Vec<Batch>,
}

impl Operator for Consolidate {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches.push(batch);
    }
    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let batches = std::mem::take(&mut self.batches);
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
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    /// Nothing is kept from one time to the next.
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, state: State) -> Result<(), WrongState> {
        if state.tables.is_empty() { Ok(()) } else { Err(WrongState("net changes keep no state".into())) }
    }
}
