//! One column of a batch: an Arrow array and the mask of its error cells.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_schema::{ArrowError, DataType};

use crate::storage::arrow_type;
use crate::view::CellView;
use crate::{ColumnBuilder, DType, Value};

/// An Arrow array plus, where they exist, the masks of error and of pending cells.
///
/// Invariant: a masked cell is null in the array, so kernels that skip nulls skip it too.
#[derive(Clone, Debug)]
pub struct Column {
    array: ArrayRef,
    errors: Option<BooleanBuffer>,
    pending: Option<BooleanBuffer>,
}

impl Column {
    /// A column without error cells.
    pub fn new(array: ArrayRef) -> Self {
        Column { array, errors: None, pending: None }
    }

    /// A column whose cells are errors where `errors` is set; those cells must be null in `array`.
    pub fn with_errors(array: ArrayRef, errors: Option<BooleanBuffer>) -> Self {
        let errors = errors.filter(|mask| mask.count_set_bits() > 0);
        debug_assert!(errors.as_ref().is_none_or(|mask| mask.len() == array.len()));
        debug_assert!(errors.as_ref().is_none_or(|mask| mask.set_indices().all(|i| is_null(&array, i))));
        Column { array, errors, pending: None }
    }

    /// The same column with these cells pending; they must be null in the array.
    pub fn with_pending(mut self, pending: Option<BooleanBuffer>) -> Self {
        self.pending = pending.filter(|mask| mask.count_set_bits() > 0);
        self
    }

    /// A column that repeats one value.
    pub fn constant(value: &Value, dtype: &DType, len: usize) -> Self {
        let mut one = ColumnBuilder::new(dtype, 1);
        one.push(value);
        let one = one.finish();
        one.take(&UInt32Array::from(vec![0; len]))
    }

    /// A column of None.
    pub fn nulls(dtype: &DType, len: usize) -> Self {
        Column::new(new_null_array(&arrow_type(dtype), len))
    }

    /// A column of errors.
    pub fn all_errors(dtype: &DType, len: usize) -> Self {
        Column::with_errors(new_null_array(&arrow_type(dtype), len), Some(BooleanBuffer::new_set(len)))
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.array.len()
    }
    /// True without cells.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }
    /// The values; cells under a mask are null.
    pub fn array(&self) -> &ArrayRef {
        &self.array
    }
    /// The mask of error cells, if there is one.
    pub fn errors(&self) -> Option<&BooleanBuffer> {
        self.errors.as_ref()
    }
    /// The mask of pending cells, if there are any.
    pub fn pending(&self) -> Option<&BooleanBuffer> {
        self.pending.as_ref()
    }
    /// True if the cell is an error.
    #[inline]
    pub fn is_error(&self, row: usize) -> bool {
        self.errors.as_ref().is_some_and(|mask| mask.value(row))
    }
    /// True if the cell is pending.
    #[inline]
    pub fn is_pending(&self, row: usize) -> bool {
        self.pending.as_ref().is_some_and(|mask| mask.value(row))
    }

    /// One cell, read as `dtype`.
    pub fn value(&self, dtype: &DType, row: usize) -> Value {
        CellView::new(self, dtype).value(row)
    }

    /// The cells at these rows.
    pub fn take(&self, rows: &UInt32Array) -> Column {
        Column {
            array: infallible(arrow_select::take::take(&self.array, rows, None)),
            errors: self.errors.as_ref().and_then(|mask| take_mask(mask, rows)),
            pending: self.pending.as_ref().and_then(|mask| take_mask(mask, rows)),
        }
    }

    /// The cells where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Column {
        let predicate = arrow_array::BooleanArray::new(keep.clone(), None);
        let filter_mask = |mask: &BooleanBuffer| {
            let mask = arrow_array::BooleanArray::new(mask.clone(), None);
            let kept = infallible(arrow_select::filter::filter(&mask, &predicate));
            let kept: BooleanBuffer = kept
                .as_any()
                .downcast_ref::<arrow_array::BooleanArray>()
                .map_or_else(|| BooleanBuffer::new_unset(kept.len()), |b| b.values().clone());
            (kept.count_set_bits() > 0).then_some(kept)
        };
        Column {
            array: infallible(arrow_select::filter::filter(&self.array, &predicate)),
            errors: self.errors.as_ref().and_then(filter_mask),
            pending: self.pending.as_ref().and_then(filter_mask),
        }
    }

    /// A part of the column, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Column {
        Column {
            array: self.array.slice(offset, len),
            errors: self.errors.as_ref().map(|mask| mask.slice(offset, len)),
            pending: self.pending.as_ref().map(|mask| mask.slice(offset, len)),
        }
    }

    /// The columns one after another, at least one; all of one Arrow type, but those that hold nulls alone may
    /// be of type Null.
    pub fn concat(columns: &[&Column]) -> Column {
        let types = || columns.iter().map(|c| c.array.data_type());
        let typed =
            types().find(|of| **of != DataType::Null).filter(|_| types().any(|of| *of == DataType::Null));
        let array = |c: &&Column| match typed {
            Some(of) if *c.array.data_type() == DataType::Null => new_null_array(of, c.len()),
            _ => c.array.clone(),
        };
        let arrays: Vec<ArrayRef> = columns.iter().map(array).collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        Column {
            array: infallible(arrow_select::concat::concat(&arrays)),
            errors: concat_masks(columns, |c| c.errors.as_ref()),
            pending: concat_masks(columns, |c| c.pending.as_ref()),
        }
    }

    /// Cell `i` is `columns[rows[i].0]` at row `rows[i].1`; all of one Arrow type, at least one.
    pub fn interleave(columns: &[&Column], rows: &[(usize, usize)]) -> Column {
        let arrays: Vec<&dyn Array> = columns.iter().map(|c| &*c.array).collect();
        let gather = |mask: fn(&Column) -> Option<&BooleanBuffer>| {
            if columns.iter().all(|c| mask(c).is_none()) {
                return None;
            }
            let bits = rows.iter().map(|(c, r)| mask(columns[*c]).is_some_and(|m| m.value(*r)));
            let bits: BooleanBuffer = bits.collect();
            (bits.count_set_bits() > 0).then_some(bits)
        };
        Column {
            array: infallible(arrow_select::interleave::interleave(&arrays, rows)),
            errors: gather(Column::errors),
            pending: gather(Column::pending),
        }
    }

    /// Bytes that the column's buffers hold, shared ones included.
    pub fn memory_size(&self) -> usize {
        self.array.get_array_memory_size()
    }

    /// Bytes of these cells alone, where [`Column::memory_size`] counts whole buffers, of which they may be a slice.
    pub fn cells_size(&self) -> usize {
        // It fails for types that have no size, which columns do not have.
        self.array.to_data().get_slice_memory_size().unwrap_or_default()
    }

    /// The same cells in buffers of their own, so that a small slice does not keep a large buffer.
    pub fn compact(&self) -> Column {
        let rows: UInt32Array = (0..self.len() as u32).collect::<Vec<_>>().into();
        self.take(&rows)
    }
}

/// True if the slot is null, also for arrays of type Null.
fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.data_type() == &arrow_schema::DataType::Null || array.is_null(row)
}

fn take_mask(mask: &BooleanBuffer, rows: &UInt32Array) -> Option<BooleanBuffer> {
    let taken: BooleanBuffer = rows.values().iter().map(|row| mask.value(*row as usize)).collect();
    (taken.count_set_bits() > 0).then_some(taken)
}

fn concat_masks(
    columns: &[&Column],
    mask: impl Fn(&Column) -> Option<&BooleanBuffer>,
) -> Option<BooleanBuffer> {
    if columns.iter().all(|c| mask(c).is_none()) {
        return None;
    }
    let mut out = BooleanBufferBuilder::new(columns.iter().map(|c| c.len()).sum());
    for column in columns {
        match mask(column) {
            Some(mask) => out.append_buffer(mask),
            None => out.append_n(column.len(), false),
        }
    }
    Some(out.finish())
}

/// Gathers of columns of equal type with rows in range cannot fail.
#[track_caller]
fn infallible<T>(result: Result<T, ArrowError>) -> T {
    match result {
        Ok(value) => value,
        // An error here is a broken invariant of the engine (mixed layouts, row out of range), not of data.
        #[allow(clippy::panic)]
        Err(error) => panic!("columns of one layout were expected: {error}"),
    }
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Column::new(array)
    }
}

impl<A: Array + 'static> From<Arc<A>> for Column {
    fn from(array: Arc<A>) -> Self {
        Column::new(array)
    }
}
