//! Group-bys of which only sums matter: the shipped rows of all reducers as numbers that add up
//! ([`Sums`]), so that an index holds as much for a group as its sums take, and a change of a group is
//! one row however many rows changed.
//!
//! The numbers of a row: its diff, then for each reducer whether it is ignored and what it ships.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_plan::program::ReduceStep;
use pathway_types::{Batch, Column, Diffs};

use crate::lattice::chunk::Sums;
use crate::operators::reduce::aggregate::Aggregate;
use crate::operators::reduce::lift_all;

/// True if only the sums of what the aggregates ship matter.
pub(super) fn add_up(aggregates: &[Box<dyn Aggregate>]) -> bool {
    aggregates.iter().all(|aggregate| aggregate.adds_up())
}

/// How many numbers a row has.
pub(super) fn width(aggregates: &[Box<dyn Aggregate>]) -> usize {
    1 + aggregates.iter().map(|aggregate| 1 + aggregate.width()).sum::<usize>()
}

/// Rows under the key of their group: these cells, and the numbers.
pub(super) fn numbers(
    batch: Batch,
    cells: Vec<Column>,
    step: &ReduceStep,
    aggregates: &[Box<dyn Aggregate>],
) -> Batch {
    let (rows, width) = (batch.len(), width(aggregates));
    let mut values = vec![0; rows * width];
    for (row, diff) in batch.diffs.iter().enumerate() {
        values[row * width] = diff;
    }
    let lifted = lift_all(step, aggregates, &batch);
    let shipped = lifted.iter().flat_map(|(ignored, shipped)| std::iter::once(ignored).chain(shipped));
    for (lane, column) in (1..).zip(shipped) {
        let Some(numbers) = column.array().as_primitive_opt::<Int64Type>() else { continue };
        for (row, number) in numbers.iter().enumerate() {
            values[row * width + lane] = number.unwrap_or(0);
        }
    }
    let mut columns = cells;
    columns.push(Sums::new(width, values).to_column());
    Batch::new(batch.keys, columns, Diffs::Ones(rows))
}

/// The diffs of rows, and for each aggregate what is ignored and shipped, from their numbers.
pub(super) fn shipped(
    sums: &Sums,
    rows: usize,
    aggregates: &[Box<dyn Aggregate>],
) -> (Vec<i64>, Vec<(Column, Vec<Column>)>) {
    let lane = |lane: usize| (0..rows).map(move |row| sums.of(row)[lane]);
    let column = |at: usize| Column::new(Arc::new(lane(at).collect::<Int64Array>()));
    let mut next = 1;
    let each = aggregates.iter().map(|aggregate| {
        let first = next;
        next += 1 + aggregate.width();
        (column(first), (first + 1..next).map(column).collect())
    });
    let each = each.collect();
    (lane(0).collect(), each)
}
