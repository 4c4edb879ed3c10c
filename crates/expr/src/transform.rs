//! User code over whole tables that follows their changes itself.
//!
//! A [`Transformer`] is what the plan knows; a run opens it once. At each time the opened
//! [`Transformation`] is told the changes of its inputs and tells those of its output.

use std::fmt;
use std::ops::Range;

use pathway_types::{Batch, DType, DataError};

/// User code over whole tables.
pub trait Transformer: fmt::Debug + Send + Sync {
    /// The name the user knows it by.
    fn name(&self) -> &str;
    /// Prepares for one run.
    ///
    /// # Errors
    /// What user code raised.
    fn open(&self) -> Result<Box<dyn Transformation>, DataError>;
}

/// What a step gives.
pub struct Transformed {
    /// Changes of the output; they need not be a net difference.
    pub changes: Batch,
    /// Why cells of it are errors, and rows are missing.
    pub causes: Vec<DataError>,
}

/// A transformer in a run.
pub trait Transformation {
    /// Takes the net changes of each input at one time.
    ///
    /// # Errors
    /// A failure that is not one of single rows.
    fn step(&mut self, changes: &[(Batch, &[DType])]) -> Result<Transformed, DataError>;
    /// The state that belongs to keys of these shards, as keys and bytes.
    ///
    /// # Errors
    /// If the state cannot be serialised.
    fn save(&mut self, shards: Range<u32>) -> Result<Vec<(u128, Vec<u8>)>, DataError>;
    /// Takes up saved state. Called before the first step.
    ///
    /// # Errors
    /// If the bytes are not saved state.
    fn load(&mut self, state: Vec<(u128, Vec<u8>)>) -> Result<(), DataError>;
}
