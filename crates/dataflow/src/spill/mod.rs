//! State that outgrows memory: rows in files, in the order of their keys.
//!
//! A run may have a [`Budget`]. When the state of its operators takes more, whole operators are emptied: what they
//! give as their state goes, sorted, to local files, their [`Cold`] state. Keys come back when rows of them come,
//! and are then in memory alone, so that an operator never knows: it sees all that there is of the keys that it
//! is asked about.
//!
//! What may be in files is found by key, so a time that touches many keys must not come row by row: changes of
//! keys that an operator has nothing of [wait](Waiting) until their time is complete, in files too if they are
//! many, and are then applied in the order of keys, with each part of the cold state read once. The rows of a key
//! at one time, and its state, are to fit into memory; nothing else is.

mod budget;
mod cold;
mod queue;
mod run;
mod scan;
mod waiting;

pub use budget::{Budget, StateSize};
pub(crate) use budget::{is_over, relieve};
pub(crate) use cold::{Cold, NotPut, PARTS, parts_of_state};
pub(crate) use queue::Queue;
pub(crate) use waiting::{Group, Groups, Waiting};

use pathway_types::{Batch, Keys};

use crate::route::Route;

/// Where a key is in files: those of a shard are together.
pub(crate) fn rank(key: u128) -> u128 {
    key.rotate_right(u16::BITS)
}

/// The keys by which a batch is routed.
pub(crate) fn route_keys(batch: &Batch, route: Route) -> Keys {
    match route {
        Route::Column(column) => Keys::of_column(&batch.columns[column]),
        _ => batch.keys.clone(),
    }
}

/// The rows of a batch in the order of the ranks of the keys by which it is routed, and these.
fn sorted(batch: &Batch, route: Route) -> (Vec<u128>, Batch) {
    let ranks = route_keys(batch, route);
    let ranks = ranks.as_slice().iter().map(|key| rank(*key));
    let mut order: Vec<(u128, u32)> = ranks.zip(0..).collect();
    if order.is_sorted() {
        return (order.into_iter().map(|(rank, _)| rank).collect(), batch.clone());
    }
    order.sort_unstable();
    let (ranks, rows): (Vec<u128>, Vec<u32>) = order.into_iter().unzip();
    (ranks, batch.take(&rows))
}

#[cfg(test)]
mod tests;
