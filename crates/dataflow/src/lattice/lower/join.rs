//! Joins and lookups: the pairs, and for a side whose unmatched rows are kept, its rows whose key is not
//! among those of the other side.

use arrow_array::Array;
use pathway_plan::program::{JoinIds, Step};
use pathway_types::Keys;

use super::Body;
use super::combine::without_ids;
use crate::context::Site;
use crate::lattice::arrange::{Index, arrange, keys_of, per_packet};
use crate::lattice::faults::per_row;
use crate::lattice::join::{JoinShape, join, keyed};
use crate::lattice::packet::Flow;
use crate::lattice::reduce::{present_keys, repeated_keys};
use crate::operators::join::{JoinKey, JoinSpec, Pad, ShipSide, missing_row, several_matches};

/// A side under its join key.
struct Side<'inner> {
    index: Index<'inner>,
    /// The join key is the row id.
    by_id: bool,
    /// Rows that can match nothing, in shipped form, if unmatched rows are kept.
    loose: Option<Flow<'inner>>,
    /// The step that it is.
    step: usize,
}

impl Side<'_> {
    /// Its rows with some of its keys, the key as a last column.
    fn shape(&self) -> JoinShape {
        let keyed_by_id = [self.by_id, true];
        JoinShape { ids: JoinIds::Left, row_ids: [false; 2], keyed_by_id, join_key: true }
    }
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
        let preserves = how.preserves(0) || how.preserves(1);
        let keys = sides.each_ref().map(|side| preserves.then(|| self.keys(side)));
        for (number, side) in sides.iter().enumerate() {
            if let [Some(own), Some(other)] = [&keys[number], &keys[1 - number]]
                && how.preserves(number)
            {
                let missing = without_ids(own.clone(), other.clone());
                rows = rows.concat(self.unmatched(side, number, arrange(missing, "missing"), &how, &site));
            }
            if [JoinIds::Left, JoinIds::Right][number] == how.ids {
                self.complain_of_several(side, &sides[1 - number], &site);
            }
        }
        rows
    }

    fn side(&mut self, input: usize, side: ShipSide, preserved: bool, site: &Site) -> Side<'inner> {
        if matches!(side.key, JoinKey::RowId) {
            let index = self.by_id(input, &side.columns);
            return Side { index, by_id: true, loose: None, step: input };
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
        Side { index: arrange(rows, "join side"), by_id: false, loose, step: input }
    }

    /// The keys of a side, each once.
    fn keys(&mut self, side: &Side<'inner>) -> Index<'inner> {
        if side.by_id {
            return self.present(side.step);
        }
        present_keys(arrange(keys_of(side.index.clone()), "keys"))
    }

    /// Reports rows that lend their id to the result and match several rows of the other side.
    fn complain_of_several(&mut self, side: &Side<'inner>, other: &Side<'inner>, site: &Site) {
        let keys = match other.by_id {
            true => self.by_id(other.step, &[]),
            false => arrange(keys_of(other.index.clone()), "keys"),
        };
        let matched = join(side.index.clone(), repeated_keys(keys), "several", side.shape());
        let site = site.clone();
        per_row(matched, "several matches", self.context.clone(), move |batch, faults| {
            for row in 0..batch.len() {
                faults.fault(&batch, row, &site, &several_matches(batch.keys.get(row)));
            }
            batch
        });
    }

    /// The rows of a side whose key is missing on the other, as rows of the result.
    fn unmatched(
        &self,
        side: &Side<'inner>,
        number: usize,
        missing: Index<'inner>,
        how: &JoinSpec,
        site: &Site,
    ) -> Flow<'inner> {
        let rest = join(side.index.clone(), missing, "unmatched", side.shape());
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
