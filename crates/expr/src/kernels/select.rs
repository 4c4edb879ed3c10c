//! Choosing between two results row by row, and spreading a result of some rows over all.

use std::hint::select_unpredictable;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, NullArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use pathway_types::storage::arrow_type;
use pathway_types::{Column, DType, Value};

use super::builder::{BytesBuilder, TextBuilder};
use super::{
    BytesLane, Lane, bool_array, bools, byte_strings, floats, ints, nullify, pointers, primitive_array, texts,
};
use crate::evaluate::cells::{Causes, Cells, Data, Strict, mask_of, or_masks};

/// `then` where `mask` is set, `otherwise` elsewhere; both of `dtype`'s layout.
pub(crate) fn select(mask: &BooleanBuffer, then: &Cells, otherwise: &Cells, dtype: &DType) -> Cells {
    let rows = mask.len();
    let pick = |a: Option<&BooleanBuffer>, b: Option<&BooleanBuffer>| match (a, b) {
        (None, None) => None,
        (Some(a), None) => Some(mask & a),
        (None, Some(b)) => Some(&!mask & b),
        (Some(a), Some(b)) => Some(&(mask & a) | &(&!mask & b)),
    };
    let errors = pick(then.errors(), otherwise.errors());
    let pending = pick(pending_of(then), pending_of(otherwise));
    let array = select_array(mask, then, otherwise, dtype, rows);
    let causes = match then.causes.is_empty() && otherwise.causes.is_empty() {
        true => Causes::default(),
        false => {
            let chosen = then.causes.filter(|row| mask.value(row));
            chosen.or(&otherwise.causes.filter(|row| !mask.value(row)))
        }
    };
    Cells::with_causes(Column::with_errors(array, errors).with_pending(pending), causes)
}

fn pending_of(cells: &Cells) -> Option<&BooleanBuffer> {
    match &cells.data {
        Data::Scalar(_) => None,
        Data::Rows(column) => column.pending(),
    }
}

/// The nulls of the chosen cells.
fn select_nulls(mask: &BooleanBuffer, then: &Cells, otherwise: &Cells) -> Option<NullBuffer> {
    let rows = mask.len();
    let validity = |cells: &Cells| match &cells.data {
        Data::Scalar(Value::None) => Some(BooleanBuffer::new_unset(rows)),
        Data::Scalar(_) => None,
        Data::Rows(column) => column.array().nulls().map(|nulls| nulls.inner().clone()),
    };
    let valid = match (validity(then), validity(otherwise)) {
        (None, None) => return None,
        (Some(a), None) => &!mask | &a,
        (None, Some(b)) => mask | &b,
        (Some(a), Some(b)) => &(mask & &a) | &(&!mask & &b),
    };
    Some(NullBuffer::new(valid))
}

fn select_array(
    mask: &BooleanBuffer,
    then: &Cells,
    otherwise: &Cells,
    dtype: &DType,
    rows: usize,
) -> ArrayRef {
    let data_type = arrow_type(dtype);
    if data_type == DataType::Null {
        return Arc::new(NullArray::new(rows));
    }
    let nulls = select_nulls(mask, then, otherwise);
    match &data_type {
        DataType::Int64 => {
            primitive_array::<Int64Type>(choose(mask, ints(then), ints(otherwise)), nulls, &data_type)
        }
        DataType::Timestamp(..) => primitive_array::<TimestampNanosecondType>(
            choose(mask, ints(then), ints(otherwise)),
            nulls,
            &data_type,
        ),
        DataType::Duration(_) => primitive_array::<DurationNanosecondType>(
            choose(mask, ints(then), ints(otherwise)),
            nulls,
            &data_type,
        ),
        DataType::Float64 => {
            primitive_array::<Float64Type>(choose(mask, floats(then), floats(otherwise)), nulls, &data_type)
        }
        DataType::Decimal128(..) => primitive_array::<Decimal128Type>(
            choose(mask, pointers(then), pointers(otherwise)),
            nulls,
            &data_type,
        ),
        DataType::Boolean => {
            let (a, b) = (bools(then, rows), bools(otherwise, rows));
            bool_array(&(mask & &a) | &(&!mask & &b), nulls)
        }
        DataType::LargeUtf8 => {
            let (a, b) = (texts(then), texts(otherwise));
            let mut out = TextBuilder::new(rows, 0);
            for row in 0..rows {
                out.row(if mask.value(row) { a.get(row) } else { b.get(row) });
            }
            out.finish(nulls)
        }
        DataType::LargeBinary if is_column_or_bytes(then) && is_column_or_bytes(otherwise) => {
            let (a, b): (BytesLane<'_>, BytesLane<'_>) = (byte_strings(then), byte_strings(otherwise));
            let mut out = BytesBuilder::new(rows);
            for row in 0..rows {
                out.bytes().extend_from_slice(if mask.value(row) { a.get(row) } else { b.get(row) });
                out.end_row();
            }
            out.finish(nulls)
        }
        _ => interleave(mask, then, otherwise, dtype),
    }
}

/// True unless it is a scalar whose encoding would have to be made first.
fn is_column_or_bytes(cells: &Cells) -> bool {
    matches!(&cells.data, Data::Rows(_) | Data::Scalar(Value::Bytes(_) | Value::PyObject(_)))
}

/// The chosen values. Masks are not predictable as a rule, so the loop must have no branch.
fn choose<T: Copy>(mask: &BooleanBuffer, then: Lane<'_, T>, otherwise: Lane<'_, T>) -> Vec<T> {
    let mut out = Vec::with_capacity(mask.len());
    let mut at = 0;
    let chunks = mask.bit_chunks();
    for word in chunks.iter().chain(std::iter::once(chunks.remainder_bits())) {
        let rows = at..(at + 64).min(mask.len());
        at = rows.end;
        let pick = |i: usize, a: T, b: T| select_unpredictable(word >> i & 1 == 1, a, b);
        match (then, otherwise) {
            (Lane::Each(a), Lane::Each(b)) => {
                let pairs = a[rows.clone()].iter().zip(&b[rows]).enumerate();
                out.extend(pairs.map(|(i, (a, b))| pick(i, *a, *b)));
            }
            (Lane::Each(a), Lane::One(b)) => {
                out.extend(a[rows].iter().enumerate().map(|(i, a)| pick(i, *a, b)));
            }
            (Lane::One(a), Lane::Each(b)) => {
                out.extend(b[rows].iter().enumerate().map(|(i, b)| pick(i, a, *b)));
            }
            (Lane::One(a), Lane::One(b)) => out.extend((0..rows.len()).map(|i| pick(i, a, b))),
        }
    }
    out
}

/// Any layout, through Arrow's gather.
fn interleave(mask: &BooleanBuffer, then: &Cells, otherwise: &Cells, dtype: &DType) -> ArrayRef {
    let one = |cells: &Cells| match &cells.data {
        Data::Scalar(value) => (Column::constant(value, dtype, 1), false),
        Data::Rows(column) => (column.clone(), true),
    };
    let ((a, a_each), (b, b_each)) = (one(then), one(otherwise));
    let rows: Vec<(usize, usize)> = mask
        .iter()
        .enumerate()
        .map(|(row, chosen)| match chosen {
            true => (0, if a_each { row } else { 0 }),
            false => (1, if b_each { row } else { 0 }),
        })
        .collect();
    // Error masks were chosen from already; arrays alone are gathered.
    let (a, b) = (Column::new(a.array().clone()), Column::new(b.array().clone()));
    Column::interleave(&[&a, &b], &rows).array().clone()
}

/// Cells computed for the rows of `mask` only, in their places; the other rows hold nothing.
pub(crate) fn expand(cells: &Cells, mask: &BooleanBuffer) -> Cells {
    let column = match &cells.data {
        Data::Scalar(_) => return cells.clone(),
        Data::Rows(column) => column,
    };
    let places: Vec<u32> = mask.set_indices_u32().collect();
    let spread = |bits: &BooleanBuffer| mask_of(bits.set_indices().map(|at| places[at]), mask.len());
    let array = column.array();
    let data_type = array.data_type();
    let nulls = || match array.nulls() {
        Some(nulls) if nulls.null_count() > 0 => NullBuffer::new(spread(nulls.inner())),
        _ => NullBuffer::new(mask.clone()),
    };
    macro_rules! scatter {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>().values();
            let mut out = vec![Default::default(); mask.len()];
            for (value, place) in values.iter().zip(&places) {
                out[*place as usize] = *value;
            }
            primitive_array::<$type>(out, Some(nulls()), data_type)
        }};
    }
    let array = match data_type {
        DataType::Int64 => scatter!(Int64Type),
        DataType::Float64 => scatter!(Float64Type),
        DataType::Timestamp(..) => scatter!(TimestampNanosecondType),
        DataType::Duration(_) => scatter!(DurationNanosecondType),
        DataType::Decimal128(..) => scatter!(Decimal128Type),
        DataType::Boolean => bool_array(spread(array.as_boolean().values()), Some(nulls())),
        _ => {
            let mut indices = vec![0u32; mask.len()];
            for (at, place) in places.iter().enumerate() {
                indices[*place as usize] = at as u32;
            }
            let validity = Some(NullBuffer::new(mask.clone()));
            let indices = UInt32Array::new(ScalarBuffer::from(indices), validity);
            Column::new(array.clone()).take(&indices).array().clone()
        }
    };
    let errors = column.errors().map(&spread);
    let column = Column::with_errors(array, errors).with_pending(column.pending().map(&spread));
    Cells::with_causes(column, cells.causes.rename(|row| places[row]))
}

/// The cells with the frame's invalid rows made errors (or None, as the frame says).
pub(crate) fn overlay(frame: Strict, cells: &Cells, dtype: &DType, rows: usize) -> Cells {
    if frame.all_valid() {
        return cells.clone();
    }
    let column = cells.column(dtype, rows);
    let (nulls, sealed) = frame.seal();
    let Some(nulls) = nulls else { return cells.clone() };
    let invalid = !nulls.inner();
    let array = nullify(column.array(), &invalid);
    let keep = |bits: Option<&BooleanBuffer>| bits.map(|bits| bits & nulls.inner());
    let errors = or_masks(keep(column.errors()), sealed.errors());
    let pending = keep(column.pending());
    let causes = sealed.causes().or(&cells.causes.filter(|row| nulls.is_valid(row)));
    Cells::with_causes(Column::with_errors(array, errors).with_pending(pending), causes)
}
