//! Inner joins inside loops.
//!
//! *State*: the two indexes, which other operators may share. *Cost*: a search per key that changed
//! on one side, then a gather per pair. *Changes*: each pair at the join of the times of its rows.
//!
//! Rows of a side are found under the join key. A side in shipped form ([`ship`]) ends with a column
//! of row ids; a side whose key *is* its row id (a group-by, a table looked up by id) has none.

mod side;
mod work;

use std::rc::Rc;

use arrow_array::Array;
use pathway_plan::program::JoinIds;

use super::arrange::{Index, TimedBatch, per_packet};
use super::faults::per_row;
use super::packet::{Flow, TimedPacket};
use super::time::LatticeTime;
use crate::context::{Context, Site};
use crate::operators::join::ShipSide;
use crate::timely::{Fresh, JoinTactic, join_with_tactic};
use work::Work;

/// What an inner join gives.
#[derive(Clone, Debug)]
pub struct JoinShape {
    /// The ids of the result.
    pub ids: JoinIds,
    /// Append the ids of the left and the right row.
    pub row_ids: [bool; 2],
    /// The join key of this side is the row id; its rows carry no column of ids.
    pub keyed_by_id: [bool; 2],
    /// Append the join key.
    pub join_key: bool,
}

/// Joins two indexes.
pub fn join<'scope, T: LatticeTime>(
    left: Index<'scope, T>,
    right: Index<'scope, T>,
    name: &str,
    shape: JoinShape,
) -> Flow<'scope, T> {
    Flow::new(join_with_tactic(left, right, name, Tactic { shape: Rc::new(shape) }))
}

/// Brings one side into shipped form: each row under its join key, with its id as the last column.
/// Rows that match nothing are left out.
pub fn ship<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    side: ShipSide,
    context: Context,
    site: Site,
) -> Flow<'scope, T> {
    keyed(per_row(flow, "join keys", context, move |batch, faults| side.apply(batch, faults, &site)))
}

/// Each row under the join key in its last column, which its id takes the place of; rows without one
/// are left out.
pub(super) fn keyed<T: LatticeTime>(flow: Flow<'_, T>) -> Flow<'_, T> {
    per_packet(flow, "keyed", |packet| {
        let nulls = packet.batch.columns.last().and_then(|keys| keys.array().nulls());
        let packet = match nulls {
            Some(nulls) if nulls.null_count() > 0 => packet.filter(nulls.inner()),
            _ => packet,
        };
        packet.keyed_by_last()
    })
}

struct Tactic {
    shape: Rc<JoinShape>,
}

impl<T: LatticeTime> JoinTactic<T, TimedBatch<T>, TimedBatch<T>, TimedPacket<T>> for Tactic {
    fn prep(
        &mut self,
        left: Vec<TimedBatch<T>>,
        right: Vec<TimedBatch<T>>,
        fresh: Fresh,
        meet: T,
    ) -> Box<dyn Iterator<Item = TimedPacket<T>>> {
        let fresh = match fresh {
            Fresh::Input0 => 0,
            Fresh::Input1 => 1,
        };
        Box::new(Work::new(self.shape.clone(), [left, right], fresh, meet))
    }
}

#[cfg(test)]
mod tests;
