//! Loops over whole columns: one module per family of operations.
//!
//! A kernel gets its operands as [`Cells`] (a column, or one value for all rows) and gives back
//! [`Cells`]. Which rows have a value and which are errors is worked out once per call, by masks
//! ([`crate::evaluate::cells::Strict`]); the loop itself runs over raw buffers and computes
//! something, no matter what, for rows without a value too.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, DurationNanosecondType, Float64Type, Int64Type,
    TimestampNanosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DurationNanosecondArray, Float64Array, Int64Array,
    PrimitiveArray, TimestampNanosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use pathway_types::storage::{POINTER, is_encoded};
use pathway_types::view::CellView;
use pathway_types::{ColumnBuilder, DType, DataError, Value};

use crate::evaluate::cells::{Cells, Data, Strict};
use crate::layout::kind_name;

pub(crate) mod arithmetic;
pub(crate) mod arrays;
pub(crate) mod boolean;
pub(crate) mod builder;
pub(crate) mod call;
pub(crate) mod cast;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod datetime;
pub(crate) mod duration;
pub(crate) mod dynamic;
pub(crate) mod index;
pub(crate) mod json;
pub(crate) mod numeric;
pub(crate) mod pointer;
pub(crate) mod select;
pub(crate) mod sequence;
pub(crate) mod strings;
pub(crate) mod to_string;
pub(crate) mod window;

/// The values of an operand, for a loop.
#[derive(Clone, Copy)]
pub(crate) enum Lane<'a, T> {
    /// The same in every row.
    One(T),
    /// One per row.
    Each(&'a [T]),
}

impl<T: Copy> Lane<'_, T> {
    /// The value of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> T {
        match self {
            Lane::One(value) => *value,
            Lane::Each(values) => values[row],
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

/// The operand as 64-bit integers: INT, datetimes, DURATION.
pub(crate) fn ints(cells: &Cells) -> Lane<'_, i64> {
    match &cells.data {
        Data::Scalar(
            Value::Int(v) | Value::DateTimeNaive(v) | Value::DateTimeUtc(v) | Value::Duration(v),
        ) => Lane::One(*v),
        Data::Scalar(_) => Lane::One(0),
        Data::Rows(column) => Lane::Each(match column.array().data_type() {
            DataType::Timestamp(..) => primitive::<TimestampNanosecondType>(column.array()),
            DataType::Duration(_) => primitive::<DurationNanosecondType>(column.array()),
            _ => primitive::<Int64Type>(column.array()),
        }),
    }
}

/// The operand as floats.
pub(crate) fn floats(cells: &Cells) -> Lane<'_, f64> {
    match &cells.data {
        Data::Scalar(Value::Float(v)) => Lane::One(*v),
        Data::Scalar(_) => Lane::One(0.0),
        Data::Rows(column) => Lane::Each(primitive::<Float64Type>(column.array())),
    }
}

/// The operand as pointers.
pub(crate) fn pointers(cells: &Cells) -> Lane<'_, i128> {
    match &cells.data {
        Data::Scalar(Value::Pointer(key)) => Lane::One(key.0 as i128),
        Data::Scalar(_) => Lane::One(0),
        Data::Rows(column) => Lane::Each(primitive::<Decimal128Type>(column.array())),
    }
}

/// The operand as bits.
pub(crate) fn bools(cells: &Cells, rows: usize) -> BooleanBuffer {
    match &cells.data {
        Data::Scalar(Value::Bool(true)) => BooleanBuffer::new_set(rows),
        Data::Scalar(_) => BooleanBuffer::new_unset(rows),
        Data::Rows(column) => column.array().as_boolean().values().clone(),
    }
}

/// The byte strings of an operand: text, Json, bytes, encoded values.
#[derive(Clone, Copy)]
pub(crate) enum BytesLane<'a> {
    /// The same in every row.
    One(&'a [u8]),
    /// Row `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    Each {
        /// One more than there are rows.
        offsets: &'a [i64],
        /// The bytes of all rows.
        bytes: &'a [u8],
    },
}

impl<'a> BytesLane<'a> {
    /// The bytes of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a [u8] {
        match self {
            BytesLane::One(bytes) => bytes,
            BytesLane::Each { offsets, bytes } => &bytes[offsets[row] as usize..offsets[row + 1] as usize],
        }
    }
}

/// The operand as byte strings.
pub(crate) fn byte_strings(cells: &Cells) -> BytesLane<'_> {
    match &cells.data {
        Data::Scalar(value) => BytesLane::One(match value {
            Value::Str(text) => text.as_bytes(),
            Value::Json(json) => json.as_str().as_bytes(),
            Value::Bytes(bytes) => bytes,
            Value::PyObject(object) => object.bytes(),
            _ => &[],
        }),
        Data::Rows(column) => match column.array().data_type() {
            DataType::LargeUtf8 => {
                let array = column.array().as_string::<i64>();
                BytesLane::Each { offsets: array.value_offsets(), bytes: array.value_data() }
            }
            _ => {
                let array = column.array().as_binary::<i64>();
                BytesLane::Each { offsets: array.value_offsets(), bytes: array.value_data() }
            }
        },
    }
}

/// The text of an operand.
#[derive(Clone, Copy)]
pub(crate) struct TextLane<'a>(BytesLane<'a>);

impl<'a> TextLane<'a> {
    /// The text of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a str {
        let bytes = self.0.get(row);
        // SAFETY: a lane is made by `texts` only, from a `str` or from a `LargeStringArray`, whose
        // offsets are character boundaries of valid UTF-8.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }
    /// The one text, if it is the same in every row.
    pub(crate) fn one(&self) -> Option<&'a str> {
        match self.0 {
            BytesLane::One(_) => Some(self.get(0)),
            BytesLane::Each { .. } => None,
        }
    }
    /// Offsets and bytes, if it is a column.
    pub(crate) fn each(&self) -> Option<(&'a [i64], &'a [u8])> {
        match self.0 {
            BytesLane::One(_) => None,
            BytesLane::Each { offsets, bytes } => Some((offsets, bytes)),
        }
    }
}

/// The operand as text (STR or Json).
pub(crate) fn texts(cells: &Cells) -> TextLane<'_> {
    let is_text = match &cells.data {
        Data::Scalar(value) => matches!(value, Value::Str(_) | Value::Json(_)),
        Data::Rows(column) => column.array().data_type() == &DataType::LargeUtf8,
    };
    // Anything else would not be UTF-8 for certain.
    TextLane(if is_text { byte_strings(cells) } else { BytesLane::One(&[]) })
}

/// `f` over two operands, a value per row.
#[inline]
pub(crate) fn zip<A: Copy, B: Copy, O>(
    left: Lane<'_, A>,
    right: Lane<'_, B>,
    rows: usize,
    f: impl Fn(A, B) -> O,
) -> Vec<O> {
    match (left, right) {
        (Lane::Each(a), Lane::Each(b)) => a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect(),
        (Lane::Each(a), Lane::One(b)) => a.iter().map(|a| f(*a, b)).collect(),
        (Lane::One(a), Lane::Each(b)) => b.iter().map(|b| f(a, *b)).collect(),
        (Lane::One(a), Lane::One(b)) => (0..rows).map(|_| f(a, b)).collect(),
    }
}

/// `f` over one operand, a value per row.
#[inline]
pub(crate) fn map<A: Copy, O>(lane: Lane<'_, A>, rows: usize, f: impl Fn(A) -> O) -> Vec<O> {
    zip(lane, Lane::One(()), rows, |a, ()| f(a))
}

/// `f` over two operands, a bit per row.
#[inline]
pub(crate) fn zip_bits<A: Copy, B: Copy>(
    left: Lane<'_, A>,
    right: Lane<'_, B>,
    rows: usize,
    f: impl Fn(A, B) -> bool,
) -> BooleanBuffer {
    /// The bits of up to 64 answers.
    #[inline]
    fn pack(answers: impl Iterator<Item = bool>) -> u64 {
        answers.enumerate().fold(0, |word, (i, bit)| word | (u64::from(bit) << i))
    }
    let words: Vec<u64> = match (left, right) {
        (Lane::Each(a), Lane::Each(b)) => a
            .chunks(64)
            .zip(b.chunks(64))
            .map(|(a, b)| pack(a.iter().zip(b).map(|(a, b)| f(*a, *b))))
            .collect(),
        (Lane::Each(a), Lane::One(b)) => a.chunks(64).map(|a| pack(a.iter().map(|a| f(*a, b)))).collect(),
        (Lane::One(a), Lane::Each(b)) => b.chunks(64).map(|b| pack(b.iter().map(|b| f(a, *b)))).collect(),
        (Lane::One(a), Lane::One(b)) => {
            return if f(a, b) { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        }
    };
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

/// An array of 64-bit integers in the layout of this dtype.
pub(crate) fn int_array(values: Vec<i64>, nulls: Option<NullBuffer>, dtype: &DType) -> ArrayRef {
    let values = ScalarBuffer::from(values);
    match dtype.stored() {
        DType::DateTimeNaive => Arc::new(TimestampNanosecondArray::new(values, nulls)),
        DType::DateTimeUtc => Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone("UTC")),
        DType::Duration => Arc::new(DurationNanosecondArray::new(values, nulls)),
        _ => Arc::new(Int64Array::new(values, nulls)),
    }
}

/// An array of floats.
pub(crate) fn float_array(values: Vec<f64>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(Float64Array::new(values.into(), nulls))
}

/// An array of bits.
pub(crate) fn bool_array(bits: BooleanBuffer, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(BooleanArray::new(bits, nulls))
}

/// An array of pointers.
pub(crate) fn pointer_array(values: Vec<i128>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(Decimal128Array::new(values.into(), nulls).with_data_type(POINTER))
}

/// A primitive array of any type over these values and nulls.
pub(crate) fn primitive_array<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    like: &DataType,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(like.clone()))
}

/// The array with these rows made null.
pub(crate) fn nullify(array: &ArrayRef, rows: &BooleanBuffer) -> ArrayRef {
    if array.data_type() == &DataType::Null {
        return array.clone();
    }
    match arrow_select::nullif::nullif(array, &BooleanArray::new(rows.clone(), None)) {
        Ok(array) => array,
        // `nullif` fails on arrays of unequal length only, and every mask here has one bit a row.
        #[allow(clippy::panic)]
        Err(error) => panic!("a mask with one bit a row was expected: {error}"),
    }
}

/// An operation on single values, for dtypes without a columnar kernel. `f` is called for rows in
/// which every operand has a value.
///
/// It costs some allocations a row and is meant for rare types only.
pub(crate) fn by_values(
    operands: &[(&Cells, &DType)],
    dtype: &DType,
    rows: usize,
    f: impl FnMut(&[Value]) -> Result<Value, DataError>,
) -> Cells {
    by_values_in(Strict::of(operands, rows), operands, dtype, f)
}

/// [`by_values`] in a frame of one's own; rows that are not valid are errors or None as the frame says.
pub(crate) fn by_values_in(
    mut frame: Strict,
    operands: &[(&Cells, &DType)],
    dtype: &DType,
    mut f: impl FnMut(&[Value]) -> Result<Value, DataError>,
) -> Cells {
    let rows = frame.rows();
    let mut arguments: Vec<Value> = operands
        .iter()
        .map(|(cells, _)| match &cells.data {
            Data::Scalar(value) => value.clone(),
            Data::Rows(_) => Value::None,
        })
        .collect();
    let views: Vec<(usize, CellView<'_>)> = operands
        .iter()
        .enumerate()
        .filter_map(|(i, (cells, dtype))| match &cells.data {
            Data::Scalar(_) => None,
            Data::Rows(column) => Some((i, CellView::new(column, dtype))),
        })
        .collect();
    // An encoded cell holds any kind: the element of an array of unknown dimension may be a number.
    let any_kind = is_encoded(dtype);
    let mut out = ColumnBuilder::new(dtype, rows);
    for row in 0..rows {
        if !frame.is_valid(row) {
            if frame.is_error(row) {
                out.push_error()
            } else {
                out.push_none()
            }
            continue;
        }
        for (i, view) in &views {
            arguments[*i] = view.value(row);
        }
        match f(&arguments) {
            Ok(value) if any_kind || ColumnBuilder::accepts(dtype, &value) => out.push(&value),
            Ok(value) => {
                frame.fail(row, DataError::type_mismatch(kind_name(dtype), value));
                out.push_error();
            }
            Err(error) => {
                frame.fail(row, error);
                out.push_error();
            }
        }
    }
    frame.finish_column(&out.finish())
}
