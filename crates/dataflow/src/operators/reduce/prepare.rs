//! Brings rows into shipped form, before they leave the worker.
//!
//! Where all aggregates can be summed up, each batch is reduced to one row per distinct group first;
//! that is given up for a while when it does not shrink batches.

use arrow_array::Int64Array;
use arrow_buffer::BooleanBuffer;
use std::sync::Arc;

use pathway_plan::program::{ARGUMENT_ID, GroupKey, ReduceColumn, ReduceStep};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, Column, DType, DataError, Diffs, Keys};

use super::aggregate::{Aggregate, Merge, Rows, aggregate_for};
use crate::context::{Context, Faults, Site};
use crate::store::{KeyMap, new_key_map};

/// Batches with more groups per row than this are sent as they are.
const WORTHWHILE: f64 = 0.5;
/// So many batches are then sent without trying again.
const PATIENCE: u32 = 16;
/// Smaller batches are sent as they are.
const MIN_ROWS: usize = 64;

/// Makes shipped batches from the rows of a group-by's input.
pub struct Prepare {
    pub(super) step: ReduceStep,
    pub(super) inputs: Vec<DType>,
    pub(super) aggregates: Vec<Box<dyn Aggregate>>,
    can_sum_up: bool,
    patience: u32,
    groups: KeyMap<u32>,
    context: Context,
    pub(super) site: Site,
}

impl Prepare {
    /// For the step; `inputs` are the dtypes of its input, which `insert_only` promises to only grow.
    pub fn new(step: ReduceStep, inputs: &[DType], insert_only: bool, context: Context, site: Site) -> Self {
        let aggregates = step.reducers.iter().map(|c| aggregate_for(c, inputs, step.sort_by, insert_only));
        let aggregates: Vec<Box<dyn Aggregate>> = aggregates.collect();
        let can_sum_up = aggregates.iter().all(|a| a.partials(0).is_some());
        let inputs = inputs.to_vec();
        let groups = new_key_map();
        Prepare { step, inputs, aggregates, can_sum_up, patience: 0, groups, context, site }
    }

    /// The batch in shipped form.
    pub fn apply(&mut self, batch: Batch) -> Batch {
        let (keys, batch) = self.keys(batch, &mut self.context.clone());
        if batch.is_empty() {
            return Batch::default();
        }
        let lifted = lift_all(&self.step, &self.aggregates, &batch);
        let net = Column::new(Arc::new(batch.diffs.iter().collect::<Int64Array>()));
        if self.can_sum_up && batch.len() >= MIN_ROWS {
            if self.patience > 0 {
                self.patience -= 1;
            } else if let Some(summed) = self.sum_up(&keys, &batch, &net, &lifted) {
                return summed;
            }
        }
        let mut columns: Vec<Column> =
            self.step.group_columns.iter().map(|c| batch.columns[*c].clone()).collect();
        columns.push(net);
        for (ignored, shipped) in lifted {
            columns.push(ignored);
            columns.extend(shipped);
        }
        Batch::new(keys, columns, batch.diffs)
    }

    /// The group of each row; rows without one are dropped.
    pub(crate) fn keys(&self, batch: Batch, faults: &mut dyn Faults) -> (Keys, Batch) {
        let (keys, skipped) = match &self.step.key {
            GroupKey::Hash { columns, instance } => {
                let pair = |c: &usize| (&batch.columns[*c], &self.inputs[*c]);
                let (plain, last) = match columns.split_last() {
                    Some((last, plain)) if *instance => (plain, Some(pair(last))),
                    _ => (&columns[..], None),
                };
                let hashed = hash_rows(&plain.iter().map(pair).collect::<Vec<_>>(), last, batch.len());
                (hashed.keys, hashed.errors)
            }
            GroupKey::Pointer(column) => {
                let pointers = &batch.columns[*column];
                (Keys::of_column(pointers), pointers.array().nulls().map(|n| !n.inner()))
            }
        };
        let Some(skipped) = skipped else { return (keys, batch) };
        let error = DataError::skipped("grouping columns");
        let none = DataError::type_mismatch("pointer", "None (as the id of a group)");
        for row in skipped.set_indices() {
            let is_none = |column: &usize| !batch.columns[*column].is_error(row);
            let error = match &self.step.key {
                GroupKey::Pointer(column) if is_none(column) => &none,
                _ => &error,
            };
            faults.fault(&batch, row, &self.site, error);
        }
        let keep = !&skipped;
        (keys.filter(&keep), batch.filter(&keep))
    }

    /// One row per group of the batch, or `None` if that is not possible or not worth it.
    fn sum_up(
        &mut self,
        keys: &Keys,
        batch: &Batch,
        net: &Column,
        lifted: &[(Column, Vec<Column>)],
    ) -> Option<Batch> {
        self.groups.clear();
        let mut first = Vec::new();
        let mut slots = Vec::with_capacity(keys.len());
        let limit = (keys.len() as f64 * WORTHWHILE) as usize;
        for (row, key) in keys.as_slice().iter().enumerate() {
            let slot = *self.groups.entry(*key).or_insert_with(|| {
                first.push(row as u32);
                (first.len() - 1) as u32
            });
            slots.push(slot);
            if first.len() > limit {
                self.patience = PATIENCE;
                return None;
            }
        }
        let groups = first.len();
        let sum = |column: &Column| -> Column {
            use arrow_array::cast::AsArray;
            let Some(counts) = column.array().as_primitive_opt::<arrow_array::types::Int64Type>() else {
                return Column::nulls(&DType::None, groups);
            };
            let mut sums = vec![0; groups];
            slots.iter().zip(counts.values()).for_each(|(slot, n)| sums[*slot as usize] += n);
            Column::new(Arc::new(Int64Array::from(sums)))
        };
        let group_cells = batch.project(&self.step.group_columns).take(&first);
        let mut columns = group_cells.columns;
        columns.push(sum(net));
        for ((ignored, shipped), aggregate) in lifted.iter().zip(&self.aggregates) {
            columns.push(sum(ignored));
            let mut fresh = aggregate.fresh();
            fresh.grow(groups);
            fresh.merge(&Merge { slots: &slots, shipped, diffs: &batch.diffs, time: 0 });
            columns.extend(fresh.partials(groups)?);
        }
        let keys: Vec<u128> = first.iter().map(|row| keys.as_slice()[*row as usize]).collect();
        Some(Batch::new(keys.into(), columns, Diffs::Ones(groups)))
    }
}

/// The shipped form of rows for every aggregate: the number of ignored rows, and what it lifts.
pub(crate) fn lift_all(
    step: &ReduceStep,
    aggregates: &[Box<dyn Aggregate>],
    batch: &Batch,
) -> Vec<(Column, Vec<Column>)> {
    let ids = batch.keys.to_column();
    let row_ids = step.row_ids.map_or(&ids, |column| &batch.columns[column]);
    let order = step.sort_by.map(|column| &batch.columns[column]);
    let lift = |aggregate: &dyn Aggregate, column: &ReduceColumn| {
        let arguments: Vec<&Column> = column
            .arguments
            .iter()
            .map(|a| if *a == ARGUMENT_ID { &ids } else { &batch.columns[*a] })
            .collect();
        let errors = arguments
            .iter()
            .filter_map(|c| c.errors())
            .fold(None, |all, mask| Some(all.map_or_else(|| mask.clone(), |all: BooleanBuffer| &all | mask)));
        let ignored = match &errors {
            None => Column::nulls(&DType::None, batch.len()),
            Some(mask) => {
                let counts = (0..batch.len()).map(|r| if mask.value(r) { batch.diffs.get(r) } else { 0 });
                Column::new(Arc::new(counts.collect::<Int64Array>()))
            }
        };
        let rows = Rows { arguments, ids: row_ids, order, diffs: &batch.diffs, errors: errors.as_ref() };
        (ignored, aggregate.lift(&rows))
    };
    aggregates.iter().zip(&step.reducers).map(|(aggregate, column)| lift(&**aggregate, column)).collect()
}
