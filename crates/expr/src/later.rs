//! User functions that answer later, while the rest of the computation goes on.
//!
//! A [`Callee`] is what the plan knows. A run opens it once and gets a [`Caller`] for each worker.
//! Calls are numbered by the worker that makes them; answers come in any order, from any thread.

use std::fmt;
use std::sync::Arc;

use pathway_types::{Column, DType, DataError, Value};

/// What becomes of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Its results are error cells, and the failure is one of the run.
    Error,
    /// It is reported as failed, with None for results; so is everything that has to be consistent with it.
    Report,
}

/// A user function that answers later.
pub trait Callee: fmt::Debug + Send + Sync {
    /// The function's name as the user knows it.
    fn name(&self) -> &str;
    /// The dtypes of its results.
    fn results(&self) -> &[DType];
    /// Rows with a None argument are not passed; their results are None.
    fn propagates_none(&self) -> bool;
    /// What becomes of failed calls. With [`OnFailure::Report`] rows with errors are not passed.
    fn on_failure(&self) -> OnFailure;
    /// Prepares for one run.
    ///
    /// # Errors
    /// What user code raised.
    fn open(&self, workers: usize) -> Result<Vec<Box<dyn Caller>>, DataError>;
}

/// Makes the calls of one worker. Dropping it early abandons calls that are under way.
pub trait Caller: Send {
    /// Starts one call per row of the arguments, numbered from `first`, without waiting for any.
    fn call(&mut self, first: u64, arguments: &[(Column, DType)], rows: usize, answers: &Arc<dyn Answers>);

    /// All calls have been answered and no more will be made.
    ///
    /// # Errors
    /// What user code raised.
    fn close(self: Box<Self>) -> Result<(), DataError>;
}

/// Where answers go.
pub trait Answers: Send + Sync {
    /// Takes the answer of a call: one value per result, of its dtype, or why there is none.
    fn answer(&self, call: u64, results: Result<Vec<Value>, DataError>);
}
