//! Group-by inside loops, with the aggregates of the outer scope ([`crate::operators::reduce`]).
//!
//! A group is evaluated from all its rows, so every aggregate is used as if rows were only added.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use pathway_expr::Reducer;
use pathway_plan::program::{ARGUMENT_ID, GroupKey, ReduceColumn, ReduceStep};
use pathway_types::{Batch, Column, DType, Diffs, Keys};

use super::groups::{Given, Groups, Logic};
use super::reduce_with;
use super::totals::{add_up, numbers, shipped, width};
use crate::context::{Context, Site};
use crate::lattice::arrange::{Index, arrange, per_packet};
use crate::lattice::faults::per_row;
use crate::lattice::packet::{Flow, TimedPacket};
use crate::lattice::time::LatticeTime;
use crate::operators::reduce::aggregate::{Aggregate, Merge, aggregate_for};
use crate::operators::reduce::{Prepare, lift_all, with_errors};

/// A reducer that has no meaning inside a loop.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the reducer {0} looks at when rows arrive and needs rows that stay, but inside of an iteration \
     rows come and go with every step"
)]
pub struct Unsupported(pub &'static str);

/// Groups the flow: an index of its rows by group, with the columns that the reducers need.
pub fn group<'scope, T: LatticeTime>(
    flow: Flow<'scope, T>,
    step: &ReduceStep,
    inputs: &[DType],
    context: Context,
    site: Site,
) -> Index<'scope, T> {
    let needed = Needed::of(step);
    let aggregates = Aggregates::new(step, inputs, context.clone(), &site);
    let prepare = Prepare::new(step.clone(), inputs, false, context.clone(), site);
    let shipped = per_row(flow, "group keys", context, move |batch, faults| {
        let (keys, batch) = prepare.keys(batch, faults);
        let mut columns: Vec<Column> = needed.columns.iter().map(|c| batch.columns[*c].clone()).collect();
        if needed.ids {
            columns.push(batch.keys.to_column());
        }
        Batch::new(keys, columns, batch.diffs)
    });
    if aggregates.adds_up {
        let numbers = per_packet(shipped, "numbers", move |packet| TimedPacket {
            batch: aggregates.numbers(packet.batch),
            times: packet.times,
        });
        return arrange(numbers, "groups");
    }
    arrange(shipped, "groups")
}

/// The results of the groups that [`group`] makes: grouping columns, then one column per reducer.
///
/// # Errors
/// [`Unsupported`] reducers.
pub fn reduce<'scope, T: LatticeTime>(
    groups: Index<'scope, T>,
    step: &ReduceStep,
    inputs: &[DType],
    name: &str,
    context: Context,
    site: &Site,
) -> Result<Index<'scope, T>, Unsupported> {
    for column in &step.reducers {
        match column.reducer {
            Reducer::Earliest => return Err(Unsupported("earliest")),
            Reducer::Latest => return Err(Unsupported("latest")),
            _ => {}
        }
    }
    Ok(reduce_with(groups, name, Aggregates::new(step, inputs, context, site)))
}

/// What a group-by keeps of its input's rows.
struct Needed {
    /// Columns of the input.
    columns: Vec<usize>,
    /// The row id, as a last column. Without it, rows that agree in all columns are one with a count.
    ids: bool,
}

impl Needed {
    fn of(step: &ReduceStep) -> Needed {
        let arguments = step.reducers.iter().flat_map(|column| column.arguments.iter().copied());
        // A pointer that is the key of the group need not be kept beside it.
        let beside_key = step.group_columns.iter().copied().filter(|column| !is_key(step, *column));
        let mut columns: Vec<usize> = beside_key.chain(step.sort_by).chain(step.row_ids).collect();
        columns.extend(arguments.clone().filter(|argument| *argument != ARGUMENT_ID));
        columns.sort_unstable();
        columns.dedup();
        let by_id = |column: &ReduceColumn| {
            matches!(column.reducer, Reducer::Any | Reducer::Tuple { .. } | Reducer::NdArray { .. })
        };
        let ids =
            arguments.into_iter().any(|argument| argument == ARGUMENT_ID) || step.reducers.iter().any(by_id);
        Needed { columns, ids }
    }

    /// The same step over the kept columns.
    fn narrowed(&self, step: &ReduceStep) -> ReduceStep {
        // Every column that the step names is among the kept ones.
        let place = |column: &usize| self.columns.binary_search(column).unwrap_or(*column);
        let mut step = step.clone();
        step.group_columns.iter_mut().for_each(|column| *column = place(column));
        step.sort_by = step.sort_by.as_ref().map(place);
        step.row_ids = step.row_ids.as_ref().map(place);
        for reducer in &mut step.reducers {
            reducer.arguments.iter_mut().filter(|a| **a != ARGUMENT_ID).for_each(|a| *a = place(a));
        }
        step
    }
}

/// True for the pointer column by which rows are grouped.
fn is_key(step: &ReduceStep, column: usize) -> bool {
    matches!(step.key, GroupKey::Pointer(key) if key == column)
}

struct Aggregates {
    step: ReduceStep,
    /// Rows are numbers that add up.
    adds_up: bool,
    /// Grouping columns that are the key itself.
    keys: Vec<bool>,
    ids: bool,
    aggregates: Vec<Box<dyn Aggregate>>,
    context: Context,
    /// Where each reducer's errors are reported.
    sites: Vec<Site>,
}

impl Aggregates {
    fn new(step: &ReduceStep, inputs: &[DType], context: Context, site: &Site) -> Self {
        let needed = Needed::of(step);
        let inputs: Vec<DType> = needed.columns.iter().map(|column| inputs[*column].clone()).collect();
        let keys = step.group_columns.iter().map(|column| is_key(step, *column)).collect();
        let step = needed.narrowed(step);
        let aggregate = |column: &ReduceColumn| aggregate_for(column, &inputs, step.sort_by, true);
        let aggregates: Vec<Box<dyn Aggregate>> = step.reducers.iter().map(aggregate).collect();
        Aggregates {
            adds_up: add_up(&aggregates),
            aggregates,
            sites: step.reducers.iter().map(|column| site.at(&column.frame)).collect(),
            ids: needed.ids,
            keys,
            context,
            step,
        }
    }

    /// The results of one reducer for the groups `0..totals.len()`, from its shipped rows.
    fn results(
        &mut self,
        reducer: usize,
        owners: &[u32],
        shipped: &(Column, Vec<Column>),
        diffs: &Diffs,
        totals: &[i64],
    ) -> Column {
        let aggregate = &mut self.aggregates[reducer];
        let (context, site) = (&self.context, &self.sites[reducer]);
        let (ignored, shipped) = shipped;
        let slots: Vec<u32> = (0..totals.len() as u32).collect();
        aggregate.grow(slots.len());
        aggregate.merge(&Merge { slots: owners, shipped, diffs, time: 0 });
        let column = aggregate.results(&slots, &mut |error| context.data_error(site, &error));
        let Some(ignored) = ignored.array().as_primitive_opt::<Int64Type>() else { return column };
        let mut counts = vec![0; totals.len()];
        owners.iter().zip(ignored.values()).for_each(|(owner, count)| counts[*owner as usize] += count);
        let failed = counts
            .iter()
            .zip(totals)
            .map(|(ignored, total)| if self.step.skip_errors { ignored >= total } else { *ignored > 0 });
        with_errors(column, &self.step.reducers[reducer].dtype, failed)
    }

    /// The groups whose row some reducer hides.
    fn hidden(&mut self, groups: usize) -> Vec<bool> {
        let slots: Vec<u32> = (0..groups as u32).collect();
        let mut hidden = vec![false; groups];
        for aggregate in &mut self.aggregates {
            for (all, own) in hidden.iter_mut().zip(aggregate.hidden(&slots).into_iter().flatten()) {
                *all |= own;
            }
        }
        hidden
    }
}

/// The rows of groups as the aggregates take them.
struct Shipped {
    /// The cells of the grouping columns that are not the key itself, per row.
    cells: Vec<Column>,
    diffs: Diffs,
    /// For each reducer what is ignored, and what it merges.
    lifted: Vec<(Column, Vec<Column>)>,
}

impl Aggregates {
    /// Rows under the key of their group: the cells of grouping columns, and numbers that add up.
    fn numbers(&self, batch: Batch) -> Batch {
        let cells = self.cells(&batch);
        numbers(batch, cells, &self.step, &self.aggregates)
    }

    /// The grouping columns that are not the key itself.
    fn cells(&self, batch: &Batch) -> Vec<Column> {
        let beside = self.step.group_columns.iter().zip(&self.keys).filter(|(_, is_key)| !**is_key);
        beside.map(|(column, _)| batch.columns[*column].clone()).collect()
    }

    fn shipped(&self, groups: &Groups<'_>) -> Shipped {
        let rows = groups.groups().len();
        if self.adds_up {
            let (cells, sums) = groups.columns_and_sums(width(&self.aggregates));
            let (diffs, lifted) = shipped(&sums, rows, &self.aggregates);
            return Shipped { cells, diffs: diffs.into(), lifted };
        }
        let mut columns = groups.columns();
        let ids = if self.ids { columns.pop().map(|ids| Keys::of_column(&ids)) } else { None };
        // Without ids nobody looks at them.
        let ids = ids.unwrap_or_else(|| vec![0; rows].into());
        let batch = Batch::new(ids, columns, Diffs::from(groups.counts().to_vec()));
        let lifted = lift_all(&self.step, &self.aggregates, &batch);
        Shipped { cells: self.cells(&batch), diffs: batch.diffs, lifted }
    }
}

impl Logic for Aggregates {
    fn evaluate(&mut self, groups: &Groups<'_>) -> Given {
        let (owners, count) = (groups.groups(), groups.keys().len());
        let Shipped { cells, diffs, lifted } = self.shipped(groups);
        let mut totals = vec![0; count];
        owners.iter().zip(diffs.iter()).for_each(|(owner, diff)| totals[*owner as usize] += diff);
        let results: Vec<Column> = lifted
            .iter()
            .enumerate()
            .map(|(reducer, shipped)| self.results(reducer, owners, shipped, &diffs, &totals))
            .collect();
        let mut hidden = self.hidden(count);
        // Numbers may stay where rows are there less than once: these wait for their insertion.
        hidden.iter_mut().zip(&totals).for_each(|(hidden, total)| *hidden |= *total <= 0);
        for aggregate in &mut self.aggregates {
            (0..count as u32).for_each(|slot| aggregate.clear(slot));
        }
        let first = (0..owners.len()).filter(|row| *row == 0 || owners[row - 1] != owners[*row]);
        let first: Vec<u32> = first.map(|row| row as u32).collect();
        let first = first.into();
        let mut cells = cells.iter().map(|column| column.take(&first));
        let of_group = self.keys.iter().filter_map(|is_key| {
            if *is_key { Some(Keys::from(groups.keys().to_vec()).to_column()) } else { cells.next() }
        });
        let mut columns: Vec<Column> = of_group.chain(results).collect();
        let mut shown: Vec<u32> = (0..count as u32).collect();
        if hidden.contains(&true) {
            shown.retain(|group| !hidden[*group as usize]);
            let rows = shown.clone().into();
            columns = columns.iter().map(|column| column.take(&rows)).collect();
        }
        Given { groups: shown, columns }
    }
}
