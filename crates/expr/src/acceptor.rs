//! User code that decides whether a value replaces the one accepted before it.

use std::fmt;
use std::ops::Range;

use pathway_types::{Column, DType, DataError};

/// Decides whether values replace the ones accepted before them.
pub trait Acceptor: fmt::Debug + Send + Sync {
    /// The name the user knows it by.
    fn name(&self) -> &str;
    /// Offers values, called once for many instances. Where `accepted` is None there is nothing to be
    /// replaced: the first value of the chain is accepted without asking. A value for which the user's
    /// code fails is not accepted.
    fn accept(&self, offers: &Offers<'_>) -> Accepted;
}

/// Chains of values that are offered one after another.
pub struct Offers<'a> {
    /// The dtype of the values.
    pub dtype: &'a DType,
    /// The values of all chains, one chain after another.
    pub values: &'a Column,
    /// The chains, as ranges of `values`; none is empty.
    pub chains: &'a [Range<usize>],
    /// For each chain what was accepted last.
    pub accepted: &'a Column,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Accepted {
    /// For each chain the position in `values` of the value that was accepted last, if any was.
    pub rows: Vec<Option<usize>>,
    /// Why others were not.
    pub causes: Vec<DataError>,
}
