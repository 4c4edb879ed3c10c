//! Reduces inside loops: what the rows of each key give, at every time at which they can differ.
//!
//! Differential dataflow's proxy tactic decides *when* a key must be looked at and what its rows
//! are then; it sees keys (exact, so there are no collisions to settle) and numbers for rows.
//! A [`Logic`] says *what* rows give, for many keys at once. *State*: the index of the input, which
//! others may share, and the index of the output. *Cost*: all rows of a key that changed, as many
//! times as it changed. *Changes*: the old and the new output rows, where they differ.

mod aggregate;
mod backend;
mod draw;
mod groups;
mod net;
mod present;
mod remember;
mod totals;

pub use aggregate::{Unsupported, group, reduce};
pub use groups::{Given, Groups, Logic};
pub use present::{present_keys, repeated_keys};
pub use remember::remember;

use super::arrange::{Index, TimedSpine};
use super::time::LatticeTime;
use crate::timely::{ProxyReduceTactic, TraceAgent, reduce_with_tactic};
use backend::Backend;

/// Applies `logic` to the rows of every key of the index.
pub fn reduce_with<'scope, T: LatticeTime>(
    index: Index<'scope, T>,
    name: &str,
    logic: impl Logic,
) -> Index<'scope, T> {
    let tactic = ProxyReduceTactic::new(Backend::new(logic));
    reduce_with_tactic::<TraceAgent<TimedSpine<T>>, TimedSpine<T>, _>(index, name, tactic)
}

#[cfg(test)]
mod tests;
