//! Brings the rows of one side of a join in time into shipped form: the columns that the result needs,
//! the time as an integer that keeps its order, and the join key, which routes the row.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};

use pathway_plan::program::{Bounds, JoinStep};
use pathway_types::key::{SHARD_MASK, tag};
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, DataError, Key, KeyHasher, Keys};

use crate::context::{Faults, Site};
use crate::operators::join::{JoinSpec, ShipSide, join_sides};

/// Where 1973 begins, in nanoseconds from 1970: the origin of windows of datetimes.
const ORIGIN: i64 = 94_694_400_000_000_000;

/// A float as an integer of the same order. Zero has one sign.
#[inline]
pub fn tick_of_float(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The float of which an integer was made by [`tick_of_float`].
#[inline]
pub fn float_of_tick(tick: i64) -> f64 {
    f64::from_bits((tick ^ (((tick >> 63) as u64) >> 1) as i64) as u64)
}

/// How wide the buckets are whose number, with the join key, places a row on a worker.
#[derive(Clone, Copy, Debug)]
pub enum BucketWidth {
    /// Of integers and datetimes.
    Int(i64),
    /// Of floats.
    Float(f64),
}

impl From<Bounds> for BucketWidth {
    /// Buckets as wide as the interval.
    fn from(bounds: Bounds) -> Self {
        match bounds {
            Bounds::Int(lower, upper) => BucketWidth::Int(upper.saturating_sub(lower)),
            Bounds::Float(lower, upper) => BucketWidth::Float(upper - lower),
        }
    }
}

/// One side of a join in time.
#[derive(Clone, Debug)]
pub struct ShipTimed {
    side: ShipSide,
    /// The position of the time in the input.
    time: usize,
    /// Append a column with the shard of the key of the time's bucket and these columns.
    buckets: Option<(BucketWidth, Vec<usize>)>,
}

impl ShipTimed {
    /// A side of which the result needs these columns.
    pub fn new(mut side: ShipSide, time: usize, buckets: Option<(BucketWidth, Vec<usize>)>) -> Self {
        // What is computed follows the input's columns.
        let computed = side.inputs.len()..side.inputs.len() + usize::from(buckets.is_some()) + 1;
        side.columns.extend(computed);
        ShipTimed { side, time, buckets }
    }

    /// Both sides of a join of a program, whose inputs have these columns.
    pub(crate) fn sides(
        step: &JoinStep,
        times: [usize; 2],
        inputs: [&[DType]; 2],
        buckets: [Option<(BucketWidth, Vec<usize>)>; 2],
    ) -> [ShipTimed; 2] {
        let [left, right] = join_sides(step, &JoinSpec::from(step), inputs);
        let [left_buckets, right_buckets] = buckets;
        [ShipTimed::new(left, times[0], left_buckets), ShipTimed::new(right, times[1], right_buckets)]
    }

    /// The position of the join key in the shipped form.
    pub fn key(&self) -> usize {
        self.side.columns.len()
    }

    /// The batch in shipped form.
    pub(crate) fn apply(&self, mut batch: Batch, faults: &mut dyn Faults, site: &Site) -> Batch {
        let dtype = &self.side.inputs[self.time];
        let time = batch.columns[self.time].clone();
        let (ticks, errors) = ticks(&time, dtype);
        if let Some((width, columns)) = &self.buckets {
            let shards = self.shards(&batch, &ticks, *width, columns);
            batch.columns.push(Column::new(Arc::new(shards)));
        }
        batch.columns.push(Column::new(Arc::new(Int64Array::new(ticks, None))));
        let ids = batch.keys.clone();
        // NaN is no error, but neither before nor after anything.
        let Some(errors) = errors else { return self.side.apply(batch, faults, site) };
        let error = match self.side.preserved {
            true => DataError::value("Error value encountered in time of a join, the row matches nothing"),
            false => DataError::skipped("time of a join"),
        };
        let reported = time.errors().into_iter().flat_map(BooleanBuffer::set_indices);
        reported.for_each(|row| faults.fault(&batch, row, site, &error));
        if !self.side.preserved {
            return self.side.apply(batch.filter(&!&errors), faults, site);
        }
        let mut shipped = self.side.apply(batch, faults, site);
        if let Some(key) = shipped.columns.last_mut() {
            *key = self.side.unmatched_keys(&Keys::of_column(key), &ids, &errors, None);
        }
        shipped
    }

    fn shards(&self, batch: &Batch, ticks: &[i64], width: BucketWidth, columns: &[usize]) -> Int64Array {
        let views: Vec<CellView<'_>> =
            columns.iter().map(|c| CellView::new(&batch.columns[*c], &self.side.inputs[*c])).collect();
        let origin = match self.side.inputs[self.time] {
            DType::DateTimeNaive | DType::DateTimeUtc => ORIGIN,
            _ => 0,
        };
        let mut hasher = KeyHasher::default();
        let shard = |row: usize| {
            hasher.clear();
            hasher.i64(tag::INT, bucket(ticks[row], width, origin));
            // Rows with an error are not matched and have no bucket.
            let failed = views.iter().any(|view| view.hash(row, &mut hasher).is_err());
            (if failed { Key(0) } else { hasher.finish() }.0 & SHARD_MASK) as i64
        };
        (0..batch.len()).map(shard).collect::<Vec<i64>>().into()
    }
}

/// The number of the bucket of a time.
pub(crate) fn bucket(tick: i64, width: BucketWidth, origin: i64) -> i64 {
    match width {
        BucketWidth::Int(width) => tick.wrapping_sub(origin).div_euclid(width.max(1)),
        BucketWidth::Float(width) => (float_of_tick(tick) / width).floor() as i64,
    }
}

/// The times as integers, and the rows that match nothing: errors and NaN.
fn ticks(time: &Column, dtype: &DType) -> (ScalarBuffer<i64>, Option<BooleanBuffer>) {
    let array = time.array();
    let (ticks, mut errors) = match dtype {
        DType::Float => {
            let values = array.as_primitive::<Float64Type>().values();
            let nan = values.iter().any(|v| v.is_nan()).then(|| values.iter().map(|v| v.is_nan()).collect());
            (values.iter().map(|v| tick_of_float(*v)).collect(), nan)
        }
        DType::DateTimeNaive | DType::DateTimeUtc => {
            (array.as_primitive::<TimestampNanosecondType>().values().clone(), None)
        }
        _ => (array.as_primitive::<Int64Type>().values().clone(), None),
    };
    if let Some(mask) = time.errors() {
        errors = Some(errors.map_or_else(|| mask.clone(), |nan: BooleanBuffer| &nan | mask));
    }
    (ticks, errors.filter(|mask| mask.count_set_bits() > 0))
}

#[cfg(test)]
mod tests;
