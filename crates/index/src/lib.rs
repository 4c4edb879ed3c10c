//! Indexes: what is nearest to a query, kept up to date as items come and go.
//!
//! An index knows items by a 128-bit key and answers queries with the keys of the nearest ones. It knows
//! nothing of tables or of time; an operator of the dataflow feeds it. Whether an item may be an answer can
//! depend on its metadata ([`Filter`]), which an index asks for ([`Accept`]) only about items that would be
//! one.

mod exact;
mod filter;
mod glob;
mod nearest;
mod vectors;

pub use exact::ExactIndex;
pub use filter::{Filter, FilterError, Metadata};
pub use nearest::{Match, Nearest};
pub use vectors::Metric;

/// What a query looks for, and in how many items.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The vector, as long as those of the index.
    pub vector: &'a [f64],
    /// Most answers.
    pub limit: usize,
    /// The number of the query, by which it is told apart when items are accepted.
    pub number: usize,
    /// Answers have to be accepted.
    pub filtered: bool,
}

/// Decides whether an item may be an answer to a filtered query, given the query's number and the item's
/// key.
pub type Accept<'a> = dyn FnMut(usize, u128) -> Result<bool, FilterError> + 'a;

/// An index over vectors.
pub trait Index {
    /// The length of the vectors.
    fn dimensions(&self) -> usize;

    /// The number of items.
    fn len(&self) -> usize;

    /// True without items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if there is an item with this key.
    fn contains(&self, key: u128) -> bool;

    /// Puts the vector of an item behind others; false if there is no such item.
    fn read(&self, key: u128, out: &mut Vec<f64>) -> bool;

    /// Adds an item, in place of one with that key if there is one. The vector is as long as those of the
    /// index.
    fn add(&mut self, key: u128, vector: &[f64]);

    /// Removes an item; false if there is none.
    fn remove(&mut self, key: u128) -> bool;

    /// The nearest items of each query, nearest first, in the order of their distance and then of their
    /// key. A query whose filter fails has an error.
    fn search(&self, queries: &[Query<'_>], accept: &mut Accept<'_>) -> Vec<Result<Vec<Match>, FilterError>>;

    /// The distances of items to a vector, if the distance of an item never depends on others; with it an
    /// answer is brought up to date without a new search.
    fn distances(&self, vector: &[f64], keys: &[u128], out: &mut Vec<f64>) -> bool;
}
