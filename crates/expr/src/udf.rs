//! User functions inside expressions.

use std::fmt;
use std::sync::Arc;

use pathway_types::{Column, DType, DataError, Key};

use crate::Callee;

/// What a user function returned for a batch.
pub struct UdfOutcome {
    /// One cell per row.
    pub column: Column,
    /// Why cells are errors: row and cause, ascending.
    pub causes: Vec<(u32, DataError)>,
}

/// A function supplied by the user, called once per batch (and by it with the GIL taken once).
///
/// Rows with an error among the arguments (and, with `propagate_none`, rows with a None) are taken
/// out before the call; `arguments` hold the remaining rows only.
pub trait Udf: fmt::Debug + Send + Sync {
    /// The function's name as the user knows it.
    fn name(&self) -> &str;
    /// The dtype of the result.
    fn return_type(&self) -> &DType;
    /// Equal arguments give equal results; otherwise results are remembered by row key so that a
    /// removal repeats the value that was inserted.
    fn is_deterministic(&self) -> bool;
    /// Rows with a None argument are not passed; their result is None.
    fn propagates_none(&self) -> bool;
    /// The function as one that answers later. A plan takes calls of such a function out of its
    /// expressions, so that [`Udf::call`] never happens; the return type is a Future.
    fn later(&self) -> Option<Arc<dyn Callee>> {
        None
    }
    /// Computes `rows` results.
    fn call(&self, arguments: &[(Column, DType)], keys: &[Key], rows: usize) -> UdfOutcome;
}
