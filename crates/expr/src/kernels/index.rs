//! Tuples made and taken apart: `make_tuple`, `object[index]`, `object.get(index, default)` on tuples,
//! lists, arrays and dynamic values.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StructArray, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use pathway_types::storage::{is_encoded, tuple_fields};
use pathway_types::{Column, DType, DataError, ErrorKind, NdArray, Value};

use super::convert::{convert, convert_value};
use super::select::{overlay, select};
use super::{by_values_in, ints, json, nullify};
use crate::build::member_position;
use crate::evaluate::cells::{Cells, Data, Strict, mask_of};

/// A tuple of the operands; an error in any makes the whole tuple one.
pub(crate) fn make_tuple(members: &[Cells], types: &[&DType], dtype: &DType, rows: usize) -> Cells {
    let sides: Vec<(&Cells, &DType)> = members.iter().zip(types.iter().copied()).collect();
    let frame = Strict::none_allowed(&sides, rows);
    let DType::Tuple(fields) = dtype else { return Cells::rows(Column::nulls(dtype, rows)) };
    let arrays: Vec<ArrayRef> = sides.iter().map(|(c, d)| c.column(d, rows).array().clone()).collect();
    frame.finish(|nulls| match arrays.is_empty() {
        true => Arc::new(StructArray::new_empty_fields(rows, nulls)),
        false => Arc::new(StructArray::new(tuple_fields(fields), arrays, nulls)),
    })
}

/// `object[index]`; an index outside is an error.
pub(crate) fn get_item(
    object: (&Cells, &DType),
    index: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let mut frame = Strict::of(&[object, index], rows);
    if let Some(member) = tuple_member(object, index, &frame) {
        return frame.finish(|_| member);
    }
    if let Some(elements) = list_elements(object, index, &frame) {
        if let Some(missing) = elements.missing {
            missing.set_indices().for_each(|row| frame.fail(row, out_of_range()));
        }
        return frame.finish(|_| elements.array);
    }
    by_values_in(frame, &[object, index], dtype, |values| match values {
        [object, Value::Int(i)] => match item(object, *i, dtype)? {
            Some(value) => fit(value, dtype),
            None => Err(out_of_range()),
        },
        _ => Err(DataError::type_mismatch("int", values.last().unwrap_or(&Value::None))),
    })
}

/// `object.get(index, default)`.
pub(crate) fn get(
    object: (&Cells, &DType),
    index: (&Cells, &DType),
    default: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let mut frame = Strict::none_allowed(&[object, index, default], rows);
    frame.refuse_none_in(object);
    frame.refuse_none_in(index);
    if let Some(member) = tuple_member(object, index, &frame) {
        let member = Cells::rows(Column::new(member));
        return overlay(frame, &member, dtype, rows);
    }
    if let Some(elements) = list_elements(object, index, &frame) {
        let DType::List(member) = object.1 else { return Cells::rows(Column::nulls(dtype, rows)) };
        let found = convert(&Cells::rows(Column::new(elements.array)), member, dtype, rows);
        let found = match elements.missing {
            Some(missing) => select(&missing, default.0, &found, dtype),
            None => found,
        };
        return overlay(frame, &found, dtype, rows);
    }
    // Without a default there may be None in any column of elements.
    let cells = if *default.1 == DType::None { &DType::optional(dtype.clone()) } else { dtype };
    by_values_in(frame, &[object, index, default], cells, |values| match values {
        [object, Value::Int(i), default] => match item(object, *i, dtype)? {
            Some(value) => fit(value, dtype),
            None if default.is_none() => Ok(Value::None),
            None => fit(default.clone(), dtype),
        },
        _ => Err(DataError::type_mismatch("int", values.get(1).unwrap_or(&Value::None))),
    })
}

/// The value as the result's dtype; encoded cells take it as it is.
fn fit(value: Value, dtype: &DType) -> Result<Value, DataError> {
    if is_encoded(dtype) { Ok(value) } else { convert_value(&value, dtype) }
}

fn out_of_range() -> DataError {
    DataError::new(ErrorKind::Index, "the index is outside of the sequence")
}

/// The array of one member of a tuple column, null where the frame has no value.
fn tuple_member(object: (&Cells, &DType), index: (&Cells, &DType), frame: &Strict) -> Option<ArrayRef> {
    let (DType::Tuple(members), Data::Rows(column), Data::Scalar(Value::Int(i))) =
        (object.1, &object.0.data, &index.0.data)
    else {
        return None;
    };
    let member = column.array().as_struct().column(member_position(*i, members.len())?);
    Some(match frame.validity() {
        Some(valid) => nullify(member, &!valid.inner()),
        None => member.clone(),
    })
}

/// One element of each list.
struct Elements {
    /// Null where there is no value or no element.
    array: ArrayRef,
    /// Valid rows whose list has no such element.
    missing: Option<BooleanBuffer>,
}

fn list_elements(object: (&Cells, &DType), index: (&Cells, &DType), frame: &Strict) -> Option<Elements> {
    let (DType::List(_), Data::Rows(column)) = (object.1, &object.0.data) else { return None };
    if is_encoded(object.1) {
        return None;
    }
    let rows = column.len();
    let list = column.array().as_list::<i64>();
    let (offsets, indices) = (list.value_offsets(), ints(index.0));
    let mut missing: Vec<u32> = Vec::new();
    let mut places = Vec::with_capacity(rows);
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let (start, end) = (offsets[row], offsets[row + 1]);
        match member_position(indices.get(row), (end - start) as usize) {
            Some(position) if frame.is_valid(row) => {
                places.push(start as u64 + position as u64);
                found.push(true);
            }
            _ => {
                if frame.is_valid(row) {
                    missing.push(row as u32);
                }
                places.push(0);
                found.push(false);
            }
        }
    }
    let places = UInt64Array::new(places.into(), Some(NullBuffer::from(found)));
    let array = match arrow_select::take::take(list.values(), &places, None) {
        Ok(array) => array,
        // Positions were checked against the offsets; only a broken array could lead here.
        Err(_) => return None,
    };
    let missing = (!missing.is_empty()).then(|| mask_of(missing.into_iter(), rows));
    Some(Elements { array, missing })
}

/// The element of any sequence; `None` if there is no such.
fn item(object: &Value, index: i64, dtype: &DType) -> Result<Option<Value>, DataError> {
    // Where the cells hold arrays only, an element without dimensions is an array of none.
    let as_array = matches!(dtype.stored(), DType::Array { .. }) && !is_encoded(dtype);
    match object {
        Value::Tuple(members) => Ok(member_position(index, members.len()).map(|at| members[at].clone())),
        Value::IntArray(array) => Ok(array_item(array, index).map(|part| match part.elements() {
            [value] if part.shape().is_empty() && !as_array => Value::Int(*value),
            _ => Value::IntArray(Arc::new(part)),
        })),
        Value::FloatArray(array) => Ok(array_item(array, index).map(|part| match part.elements() {
            [value] if part.shape().is_empty() && !as_array => Value::Float(*value),
            _ => Value::FloatArray(Arc::new(part)),
        })),
        Value::Json(json) => {
            let found = json::element(json.as_str(), index);
            let text = found.unwrap_or("null");
            Ok(Some(Value::Json(pathway_types::JsonText::from_compact(text))))
        }
        other => Err(DataError::type_mismatch("a sequence", other)),
    }
}

/// The part of an array at a position of its first dimension.
fn array_item<T: Clone>(array: &NdArray<T>, index: i64) -> Option<NdArray<T>> {
    let (first, rest) = array.shape().split_first()?;
    let position = member_position(index, *first)?;
    let size: usize = rest.iter().product();
    NdArray::new(rest, &array.elements()[position * size..(position + 1) * size])
}
