//! Joins and lookups: the pairs, and for a side whose unmatched rows are kept, its rows less those that
//! have a match.

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use pathway_plan::program::{JoinIds, Step};
use pathway_types::Keys;

use super::Body;
use crate::context::Site;
use crate::lattice::arrange::{Index, arrange, changes, consolidate, per_packet};
use crate::lattice::faults::per_row;
use crate::lattice::join::{JoinShape, join, keyed};
use crate::lattice::packet::{Flow, TimedPacket};
use crate::lattice::reduce::present_keys;
use crate::operators::join::{JoinKey, JoinSpec, Pad, ShipSide, missing_row, several_matches};

/// A side under its join key.
struct Side<'inner> {
    index: Index<'inner>,
    /// The join key is the row id.
    by_id: bool,
    /// Rows that can match nothing, in shipped form, if unmatched rows are kept.
    loose: Option<Flow<'inner>>,
    /// Its rows, if it is not keyed by row id.
    keyed: Option<Flow<'inner>>,
    /// The step that it is.
    step: usize,
}

impl<'inner> Body<'_, '_, 'inner> {
    pub(super) fn join(
        &mut self,
        step: &Step,
        sides: [ShipSide; 2],
        how: JoinSpec,
        site: Site,
    ) -> Flow<'inner> {
        let name = step.name.as_str();
        let inputs = [step.inputs[0].0, step.inputs[1].0];
        let how = how.of_sides(&sides);
        let mut number = 0;
        let sides = sides.map(|side| {
            let made = self.side(inputs[number], side, how.preserves(number), &site);
            number += 1;
            made
        });
        let by_id = [sides[0].by_id, sides[1].by_id];
        let shape = JoinShape { ids: how.ids, row_ids: how.row_ids, keyed_by_id: by_id, join_key: false };
        let mut rows = join(sides[0].index.clone(), sides[1].index.clone(), name, shape);
        for (number, side) in sides.iter().enumerate() {
            let lends = [JoinIds::Left, JoinIds::Right][number] == how.ids;
            let other = &sides[1 - number];
            if how.preserves(number) {
                let present = present_keys(self.keys(other), lends);
                let matched = self.matched(side, present, lends, &site);
                rows = rows.concat(self.unmatched(side, number, matched, &how, &site));
            } else if lends {
                // Only rows whose matches are several are of interest.
                let several = per_packet(changes(present_keys(self.keys(other), true)), "several", |p| {
                    let several = p.batch.columns[0].array().as_boolean().values().clone();
                    p.filter(&several)
                });
                self.matched(side, arrange(several, "several"), true, &site);
            }
        }
        rows
    }

    fn side(&mut self, input: usize, side: ShipSide, preserved: bool, site: &Site) -> Side<'inner> {
        if matches!(side.key, JoinKey::RowId) {
            let index = self.by_id(input, &side.columns);
            return Side { index, by_id: true, loose: None, keyed: None, step: input };
        }
        let (flow, site) = (self.flow(input), site.clone());
        let shipped = per_row(flow, "join keys", self.context.clone(), move |batch, faults| {
            side.apply(batch, faults, &site)
        });
        let loose = preserved.then(|| {
            per_packet(shipped.clone(), "no key", |packet| {
                let nulls = packet.batch.columns.last().and_then(|keys| keys.array().nulls());
                match nulls {
                    Some(nulls) if nulls.null_count() > 0 => packet.filter(&!nulls.inner()),
                    _ => packet.take(&[]),
                }
            })
        });
        let rows = keyed(shipped);
        Side {
            index: arrange(rows.clone(), "join side"),
            by_id: false,
            loose,
            keyed: Some(rows),
            step: input,
        }
    }

    /// The keys of a side without the cells of its rows: where only cells change, nothing does.
    fn keys(&mut self, side: &Side<'inner>) -> Index<'inner> {
        match &side.keyed {
            None => self.by_id(side.step, &[]),
            Some(rows) => arrange(
                per_packet(rows.clone(), "keys", |packet| TimedPacket {
                    batch: packet.batch.project(&[]),
                    times: packet.times,
                }),
                "keys",
            ),
        }
    }

    /// The rows of a side whose key is present, with the key as a last column. If several rows are not
    /// allowed to have it, and a first column of `present` tells where there are, that is reported.
    fn matched(&self, side: &Side<'inner>, present: Index<'inner>, once: bool, site: &Site) -> Flow<'inner> {
        let keyed_by_id = [side.by_id, true];
        let shape = JoinShape { ids: JoinIds::Left, row_ids: [false; 2], keyed_by_id, join_key: true };
        let matched = join(side.index.clone(), present, "matched", shape);
        if !once {
            return matched;
        }
        let site = site.clone();
        per_row(matched, "several matches", self.context.clone(), move |mut batch, faults| {
            let at = batch.columns.len() - 2;
            let several: BooleanArray = batch.columns.remove(at).array().as_boolean().clone();
            for row in several.values().set_indices() {
                faults.fault(&batch, row, &site, &several_matches(batch.keys.get(row)));
            }
            batch
        })
    }

    /// The rows of a side without those that are matched, as rows of the result.
    fn unmatched(
        &self,
        side: &Side<'inner>,
        number: usize,
        matched: Flow<'inner>,
        how: &JoinSpec,
        site: &Site,
    ) -> Flow<'inner> {
        let by_id = side.by_id;
        let all = per_packet(changes(side.index.clone()), "all", move |mut packet| {
            if by_id {
                let keys = packet.batch.keys.to_column();
                packet.batch.columns.push(keys);
                packet
            } else {
                packet.keyed_by_last()
            }
        });
        let rest = consolidate(all.concat(matched.negate()), "unmatched");
        let rest = match &side.loose {
            Some(loose) => rest.concat(loose.clone()),
            None => rest,
        };
        let (how, site) = (how.clone(), site.clone());
        per_row(rest, "unmatched", self.context.clone(), move |batch, faults| {
            if let Pad::Missing(table) = &how.pad
                && let Some(keys) = batch.columns.last()
            {
                let pointers = Keys::of_column(keys);
                for row in (0..batch.len()).filter(|row| keys.array().is_valid(*row)) {
                    faults.fault(
                        &batch,
                        row,
                        &site,
                        &missing_row(pointers.get(row), batch.keys.get(row), table),
                    );
                }
            }
            how.unmatched(number, batch)
        })
    }
}
