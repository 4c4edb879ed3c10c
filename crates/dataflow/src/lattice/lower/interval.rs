//! Interval joins inside loops.
//!
//! Rows are found under their join key and the number of a bucket of time as wide as the interval: a right
//! row is in the bucket of its time, a left one in those that its interval reaches into, which are two or
//! three. Pairs of an ordinary join of these are then looked at one by one. So a change costs the rows of its
//! buckets, in whichever round it comes.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::BooleanBuffer;
use pathway_plan::program::{Bounds, JoinIds, JoinStep, Step};
use pathway_types::key::tag;
use pathway_types::{Batch, Column, Diffs, KeyHasher, Keys};

use super::Body;
use super::combine::without_ids;
use crate::context::Site;
use crate::lattice::arrange::{arrange, consolidate, per_packet};
use crate::lattice::faults::per_row;
use crate::lattice::join::{JoinShape, join};
use crate::lattice::packet::{Flow, TimedPacket};
use crate::lattice::reduce::present_keys;
use crate::lattice::time::LoopTime;
use crate::operators::interval_join::{IntervalSpec, place, reach};
use crate::operators::ship_timed::bucket;

impl<'inner> Body<'_, '_, 'inner> {
    pub(super) fn interval_join(
        &mut self,
        step: &Step,
        spec: &JoinStep,
        times: [usize; 2],
        bounds: Bounds,
        site: Site,
    ) -> Flow<'inner> {
        let inputs = [0, 1].map(|side| self.columns(step, side));
        let interval = IntervalSpec::of(spec, bounds, inputs);
        let ships = interval.ships(spec, times, inputs);
        let [left, right] = &ships;
        let sides = [(0, left), (1, right)].map(|(side, ship)| {
            let (ship, site) = (ship.clone(), site.clone());
            let flow = self.input(step, side);
            per_row(flow, "join keys", self.context.clone(), move |batch, faults| {
                ship.apply(batch, faults, &site)
            })
        });
        let [left, right] = [0, 1].map(|side| {
            let rows = sides[side].clone();
            arrange(per_packet(rows, "buckets", move |rows| in_buckets(rows, bounds, side)), "join side")
        });
        let shape =
            JoinShape { ids: JoinIds::Pair, row_ids: [true; 2], keyed_by_id: [false; 2], join_key: false };
        let layout = Layout::of(&interval);
        let met = per_packet(join(left, right, &step.name, shape), "interval", move |packet| {
            let near = layout.near(&packet.batch, bounds);
            packet.filter(&near)
        });
        let all = interval.clone();
        let mut rows = per_packet(met.clone(), &step.name, move |packet| {
            let (left, shards, right) = layout.apart(&packet.batch);
            TimedPacket { batch: all.pairs(left, &shards, right, packet.batch.diffs), times: packet.times }
        });
        for (side, shipped) in sides.into_iter().enumerate().filter(|(side, _)| interval.preserves(*side)) {
            let ids = per_packet(met.clone(), "matched", move |mut packet| {
                packet.batch.keys = layout.ids(&packet.batch, side);
                packet.batch.columns.clear();
                packet
            });
            let matched = present_keys(arrange(ids, "matched"));
            let alone = consolidate(without_ids(arrange(shipped, "rows"), matched), "unmatched");
            let interval = interval.clone();
            rows = rows.concat(per_packet(alone, "unmatched", move |packet| TimedPacket {
                batch: interval.unmatched(side, packet.batch),
                times: packet.times,
            }));
        }
        rows
    }
}

/// Each row of a side under its join key and each of its buckets; rows without a key are left out.
fn in_buckets(packet: TimedPacket<LoopTime>, bounds: Bounds, side: usize) -> TimedPacket<LoopTime> {
    let mut columns = packet.batch.columns.iter().rev();
    let (Some(keys), Some(ticks)) = (columns.next(), columns.next()) else { return packet };
    let ticks = ticks.array().as_primitive::<Int64Type>().values();
    let (nulls, keys) = (keys.array().nulls(), Keys::of_column(keys));
    let (mut rows, mut of_bucket): (Vec<u32>, Vec<u128>) = Default::default();
    let mut hasher = KeyHasher::default();
    for row in (0..keys.len()).filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row))) {
        let times = if side == 0 { reach(bounds, ticks[row]) } else { Some((ticks[row], ticks[row])) };
        let Some((first, last)) = times else { continue };
        for number in bucket(first, bounds.into(), 0)..=bucket(last, bounds.into(), 0) {
            hasher.clear();
            hasher.pointer(keys.get(row));
            hasher.i64(tag::INT, number);
            rows.push(row as u32);
            of_bucket.push(hasher.finish().0);
        }
    }
    let mut packet = packet.take(&rows);
    let ids = std::mem::replace(&mut packet.batch.keys, of_bucket.into());
    // In place of the join key.
    packet.batch.columns.pop();
    packet.batch.columns.push(ids.to_column());
    packet
}

/// Where the columns of joined rows are: those of the left side, the shard of the id and the time, those of
/// the right side and the time, and the ids of both rows.
#[derive(Clone, Copy)]
struct Layout {
    widths: [usize; 2],
}

impl Layout {
    fn of(interval: &IntervalSpec) -> Layout {
        Layout { widths: interval.dtypes.each_ref().map(Vec::len) }
    }

    /// Which pairs are within the interval.
    fn near(self, batch: &Batch, bounds: Bounds) -> BooleanBuffer {
        let ticks = [self.widths[0] + 1, self.widths[0] + 2 + self.widths[1]]
            .map(|column| batch.columns[column].array().as_primitive::<Int64Type>().values());
        let near = |(left, right): (&i64, &i64)| place(bounds, *left, *right).is_eq();
        ticks[0].iter().zip(ticks[1]).map(near).collect()
    }

    /// The ids of the rows of a side.
    fn ids(self, batch: &Batch, side: usize) -> Keys {
        Keys::of_column(&batch.columns[self.widths[0] + self.widths[1] + 3 + side])
    }

    /// The rows of both sides, and the shards of their ids.
    fn apart(self, batch: &Batch) -> (Batch, Column, Batch) {
        let [left, right] = self.widths;
        let part = |side: usize, start: usize| {
            let columns = batch.columns[start..start + self.widths[side]].to_vec();
            Batch::new(self.ids(batch, side), columns, Diffs::Ones(batch.len()))
        };
        debug_assert_eq!(batch.columns.len(), left + right + 5);
        (part(0, 0), batch.columns[left].clone(), part(1, left + 2))
    }
}
