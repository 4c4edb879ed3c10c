//! Whole columns to Python lists.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef};
use pathway_types::storage::is_encoded;
use pathway_types::{Column, DType, Key};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::datetime::{Times, list_to_python};
use super::{json, py_object, value_to_python};
use crate::pointer::PyPointer;
use crate::singletons;

/// The cells of a column as a list: what [`value_to_python`] gives for each, but without a branch on
/// the type, or a value, per cell.
pub(crate) fn column_to_list<'py>(
    py: Python<'py>,
    column: &Column,
    dtype: &DType,
) -> PyResult<Bound<'py, PyList>> {
    let list = array_to_list(py, column.array(), dtype)?;
    // Masked cells are null in the array and have come out as None.
    if let Some(errors) = column.errors() {
        let error = singletons::error(py)?;
        errors.set_indices().try_for_each(|row| list.set_item(row, error))?;
    }
    if let Some(pending) = column.pending() {
        let object = singletons::pending(py)?;
        pending.set_indices().try_for_each(|row| list.set_item(row, object))?;
    }
    Ok(list)
}

fn array_to_list<'py>(py: Python<'py>, array: &ArrayRef, dtype: &DType) -> PyResult<Bound<'py, PyList>> {
    let len = array.len();
    match dtype {
        DType::Optional(inner) | DType::Future(inner) => array_to_list(py, array, inner),
        _ if is_encoded(dtype) => each_value(py, array, dtype),
        DType::None => PyList::new(py, (0..len).map(|_| py.None())),
        DType::Int => {
            let array = array.as_primitive::<Int64Type>();
            plain(py, array, |row| array.values()[row])
        }
        DType::Float => {
            let array = array.as_primitive::<Float64Type>();
            plain(py, array, |row| array.values()[row])
        }
        DType::Bool => {
            let array = array.as_boolean();
            plain(py, array, |row| array.value(row))
        }
        DType::Str => {
            let array = array.as_string::<i64>();
            plain(py, array, |row| array.value(row))
        }
        DType::Bytes => {
            let array = array.as_binary::<i64>();
            plain(py, array, |row| PyBytes::new(py, array.value(row)))
        }
        DType::Pointer(_) | DType::Callable(..) => {
            let array = array.as_primitive::<Decimal128Type>();
            plain(py, array, |row| PyPointer(Key(array.values()[row] as u128)))
        }
        DType::Json => {
            let array = array.as_string::<i64>();
            fallible(py, array, |row| json::to_python(py, array.value(row)))
        }
        DType::PyObject(_) => {
            let array = array.as_binary::<i64>();
            fallible(py, array, |row| py_object::to_python(py, array.value(row)))
        }
        DType::DateTimeNaive => {
            let values = array.as_primitive::<TimestampNanosecondType>().values();
            times(py, array, values, Times::Naive)
        }
        DType::DateTimeUtc => {
            let values = array.as_primitive::<TimestampNanosecondType>().values();
            times(py, array, values, Times::Utc)
        }
        DType::Duration => {
            let values = array.as_primitive::<DurationNanosecondType>().values();
            times(py, array, values, Times::Durations)
        }
        DType::Tuple(members) if !members.is_empty() => {
            let fields = array.as_struct();
            let columns = members.iter().enumerate();
            let columns = columns.map(|(i, member)| array_to_list(py, fields.column(i), member));
            let columns = columns.collect::<PyResult<Vec<_>>>()?;
            fallible(py, array, |row| {
                let members =
                    columns.iter().map(|column| column.get_item(row)).collect::<PyResult<Vec<_>>>()?;
                PyTuple::new(py, members).map(Bound::into_any)
            })
        }
        DType::List(member) => {
            let lists = array.as_list::<i64>();
            let offsets = lists.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[len] as usize);
            let members = array_to_list(py, &lists.values().slice(first, last - first), member)?;
            fallible(py, array, |row| {
                let (start, end) = (offsets[row] as usize - first, offsets[row + 1] as usize - first);
                Ok(members.get_slice(start, end).to_tuple().into_any())
            })
        }
        DType::Tuple(_) | DType::Array { .. } | DType::Any => each_value(py, array, dtype),
    }
}

/// One object per cell, None where the cell is null.
fn plain<'py, A, T>(py: Python<'py>, array: &A, cell: impl Fn(usize) -> T) -> PyResult<Bound<'py, PyList>>
where
    A: Array,
    T: IntoPyObject<'py>,
{
    match array.nulls() {
        None => PyList::new(py, (0..array.len()).map(cell)),
        Some(nulls) => PyList::new(py, (0..array.len()).map(|row| nulls.is_valid(row).then(|| cell(row)))),
    }
}

/// As [`plain`], where making the object may fail.
fn fallible<'py>(
    py: Python<'py>,
    array: &dyn Array,
    cell: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let objects = (0..array.len()).map(|row| match array.is_null(row) {
        true => Ok(py.None().into_bound(py)),
        false => cell(row),
    });
    PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?)
}

fn times<'py>(
    py: Python<'py>,
    array: &dyn Array,
    nanoseconds: &[i64],
    kind: Times,
) -> PyResult<Bound<'py, PyList>> {
    if array.is_empty() {
        return Ok(PyList::empty(py));
    }
    let list = list_to_python(py, nanoseconds, kind)?.cast_into::<PyList>()?;
    if let Some(nulls) = array.nulls() {
        let none = py.None().into_bound_py_any(py)?;
        (0..array.len()).filter(|row| nulls.is_null(*row)).try_for_each(|row| list.set_item(row, &none))?;
    }
    Ok(list)
}

fn each_value<'py>(py: Python<'py>, array: &ArrayRef, dtype: &DType) -> PyResult<Bound<'py, PyList>> {
    let column = Column::new(array.clone());
    let view = pathway_types::CellView::new(&column, dtype);
    let objects = (0..array.len()).map(|row| value_to_python(py, &view.value(row)));
    PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?)
}
