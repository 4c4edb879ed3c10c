//! The contract of an aggregate: the state of one reducer for all groups of a worker.

use arrow_buffer::BooleanBuffer;

use pathway_expr::Reducer;
use pathway_plan::program::{ARGUMENT_ID, ReduceColumn};
use pathway_types::{Batch, Column, DType, DataError, Diffs, Timestamp};

use super::custom::Custom;
use super::estimate::Estimate;
use super::extreme::Extreme;
use super::linear::{Average, Count, FloatSum, IntSum};
use super::ordered::{ArgExtreme, CountDistinct, Sorted, SortedKind};
use super::sequence::{AnyRow, ByTime, Sequence};
use super::variance::Variance;

/// Shipped rows of one reducer: row `i` belongs to group `slots[i]`.
pub struct Merge<'a> {
    /// The group of each row.
    pub slots: &'a [u32],
    /// The columns that [`Aggregate::lift`] or [`Aggregate::partials`] made.
    pub shipped: &'a [Column],
    /// How often each row is added or removed.
    pub diffs: &'a Diffs,
    /// The open time.
    pub time: Timestamp,
}

/// What an aggregate reads from the rows of a batch.
pub struct Rows<'a> {
    /// The reducer's arguments.
    pub arguments: Vec<&'a Column>,
    /// Row ids, or what stands for them, as a pointer column.
    pub ids: &'a Column,
    /// The order of the group-by.
    pub order: Option<&'a Column>,
    /// How often each row is added or removed.
    pub diffs: &'a Diffs,
    /// Rows with an error among the arguments.
    pub errors: Option<&'a BooleanBuffer>,
}

/// The state of one reducer, for all groups.
pub trait Aggregate {
    /// The number of shipped columns.
    fn width(&self) -> usize;

    /// The shipped form of rows, one row each. Rows with an error among the arguments are counted
    /// elsewhere; their shipped form must add nothing.
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column>;

    /// Room for this many groups.
    fn grow(&mut self, groups: usize);

    /// Adds shipped rows.
    fn merge(&mut self, merge: &Merge<'_>);

    /// The groups `0..groups` in shipped form with diff 1, or `None` if that is not possible (then
    /// batches are not summed up before they are sent).
    fn partials(&self, groups: usize) -> Option<Vec<Column>>;

    /// True if the shipped columns are integers (or of type Null) of which only the sums matter.
    fn adds_up(&self) -> bool {
        false
    }

    /// The current result of these groups; an error cell is explained through `report`.
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column;

    /// Forgets a group.
    fn clear(&mut self, slot: u32);

    /// The state of these groups in shipped form; `keys` gives each group's key.
    ///
    /// # Errors
    /// If user code cannot serialise its state.
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError>;

    /// The groups whose row is not shown at all, one flag per slot; `None` if all are shown.
    fn hidden(&mut self, slots: &[u32]) -> Option<Vec<bool>> {
        let _ = slots;
        None
    }

    /// True if there may be a result although every row of the group has an error among the arguments.
    fn remembers(&self) -> bool {
        false
    }

    /// True if the group's state stays when its last row goes, for rows that may come later. What user
    /// code raises when it is told of the last removals is explained through `report`.
    fn outlives_rows(&mut self, slot: u32, report: &mut dyn FnMut(DataError)) -> bool {
        let _ = (slot, report);
        false
    }

    /// About how many bytes it takes for each group, besides what it keeps of rows.
    fn per_group(&self) -> usize;

    /// True if it keeps something of each row.
    fn keeps_rows(&self) -> bool {
        false
    }

    /// An empty aggregate of the same kind, to sum up one batch.
    fn fresh(&self) -> Box<dyn Aggregate>;
}

/// The aggregate of a reducer. `insert_only` promises that no row is ever removed.
pub fn aggregate_for(
    column: &ReduceColumn,
    inputs: &[DType],
    sort_by: Option<usize>,
    insert_only: bool,
) -> Box<dyn Aggregate> {
    let dtype = |argument: usize| match argument {
        ARGUMENT_ID => DType::ANY_POINTER,
        column => inputs[column].clone(),
    };
    let arguments: Vec<DType> = column.arguments.iter().map(|a| dtype(*a)).collect();
    let first = || arguments.first().cloned().unwrap_or(DType::None);
    let result = column.dtype.clone();
    match &column.reducer {
        Reducer::Count => Box::new(Count::default()),
        Reducer::Sum { .. } => match first().unoptional() {
            DType::Int => Box::new(IntSum::default()),
            DType::Float => Box::new(FloatSum::default()),
            _ => Box::new(Sorted::new(first(), result, SortedKind::SumArrays)),
        },
        Reducer::Avg => Box::new(Average::new(&first())),
        Reducer::Variance { root } => Box::new(Variance::new(&first(), *root)),
        Reducer::Min if insert_only => Box::new(Extreme::new(first(), false)),
        Reducer::Max if insert_only => Box::new(Extreme::new(first(), true)),
        Reducer::Min => Box::new(Sorted::new(first(), result, SortedKind::Min)),
        Reducer::Max => Box::new(Sorted::new(first(), result, SortedKind::Max)),
        Reducer::ArgMin => Box::new(ArgExtreme::new(arguments, false)),
        Reducer::ArgMax => Box::new(ArgExtreme::new(arguments, true)),
        Reducer::Unique => Box::new(Sorted::new(first(), result, SortedKind::Unique)),
        Reducer::SortedTuple { skip_nones } => {
            Box::new(Sorted::new(first(), result, SortedKind::Tuple { skip_nones: *skip_nones }))
        }
        Reducer::CountDistinct => Box::new(CountDistinct::new(arguments)),
        Reducer::CountDistinctApproximate { precision } => Box::new(Estimate::new(arguments, *precision)),
        Reducer::Any => Box::new(AnyRow::new(first())),
        Reducer::Tuple { skip_nones } | Reducer::NdArray { skip_nones } => {
            let order = sort_by.map(dtype);
            Box::new(Sequence::new(first(), order, result, *skip_nones))
        }
        Reducer::Earliest => Box::new(ByTime::new(first(), false)),
        Reducer::Latest => Box::new(ByTime::new(first(), true)),
        Reducer::Custom(reducer) => Box::new(Custom::new(reducer.clone(), arguments)),
    }
}
