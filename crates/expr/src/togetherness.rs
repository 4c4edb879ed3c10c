//! User code that decides whether neighbouring times belong together.

use std::fmt;

use arrow_buffer::BooleanBuffer;
use pathway_types::{Column, DType, DataError};

/// Decides whether two times that follow each other belong together.
pub trait Togetherness: fmt::Debug + Send + Sync {
    /// The name the user knows it by.
    fn name(&self) -> &str;
    /// For each pair of an earlier and a later time, of this dtype, whether they belong together; pairs
    /// for which the user's code fails do not.
    fn together(&self, earlier: &Column, later: &Column, dtype: &DType) -> Together;
}

/// What came of it.
#[derive(Debug)]
pub struct Together {
    /// One answer per pair.
    pub answers: BooleanBuffer,
    /// Why there was no answer for some.
    pub causes: Vec<DataError>,
}
