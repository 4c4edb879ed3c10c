//! Values of objects whose dtype nobody declared: each by its own kind.

use std::sync::Arc;

use pathway_types::Value;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::cell::{boolean, sequence};
use super::{Cell, MAX_DEPTH, Rejected, array, classes, datetime, describe, json, py_object};
use crate::pointer::PyPointer;
use crate::singletons::{ErrorType, PendingType};

/// The value that an object is by its own kind.
pub(crate) fn natural_value(object: &Bound<'_, PyAny>) -> Result<Value, Rejected> {
    natural(object, 0).map(Cell::into_value)
}

/// The cell that an object is by its own kind.
pub(crate) fn natural_cell<'a>(object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
    natural(object, 0)
}

/// The cell that an object is by its own kind, inside of `depth` tuples.
pub(super) fn natural<'a>(object: &'a Bound<'_, PyAny>, depth: u32) -> Result<Cell<'a>, Rejected> {
    if object.is_none() {
        return Ok(Cell::None);
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Cell::Bool(value.is_true()));
    }
    if object.is_instance_of::<PyInt>() {
        return integer(object);
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        return Ok(Cell::Float(value.value()));
    }
    if let Ok(value) = object.cast::<PyString>() {
        let text = value.to_str().map_err(|_| refuse(object, "its characters are not valid Unicode"));
        return text.map(Cell::Str);
    }
    if let Ok(value) = object.cast::<PyBytes>() {
        return Ok(Cell::Bytes(value.as_bytes()));
    }
    compound(object, depth).map(Cell::Value)
}

fn compound(object: &Bound<'_, PyAny>, depth: u32) -> Result<Value, Rejected> {
    if let Ok(pointer) = object.cast_exact::<PyPointer>() {
        return Ok(Value::Pointer(pointer.get().0));
    }
    if object.is_exact_instance_of::<ErrorType>() {
        return Ok(Value::Error);
    }
    if object.is_exact_instance_of::<PendingType>() {
        return Ok(Value::Pending);
    }
    if object.is_instance_of::<PyTuple>() || object.is_instance_of::<PyList>() {
        return members(object, depth);
    }
    if object.is_instance_of::<PyDict>() || classes::is_json(object) {
        return json::from_python(object).map(Value::Json);
    }
    if object.is_instance_of::<PyDateTime>() && !datetime::is_not_a_time(object) {
        return match datetime::has_zone(object)? {
            true => datetime::utc(object).map(Value::DateTimeUtc),
            false => datetime::naive(object).map(Value::DateTimeNaive),
        };
    }
    if object.is_instance_of::<PyDelta>() {
        return datetime::duration(object).map(Value::Duration);
    }
    if classes::is_py_object_wrapper(object) {
        return py_object::wrap(object).map(Value::PyObject);
    }
    if let Some(value) = boolean(object) {
        return Ok(Value::Bool(value));
    }
    if classes::is_ndarray(object) {
        // Arrays of booleans, text, objects and short integers are sequences like any other.
        return if array::is_array_kind(object) { array::natural(object) } else { members(object, depth) };
    }
    if object.hasattr(intern!(object.py(), "__index__")).unwrap_or(false) {
        return integer(object).map(Cell::into_value);
    }
    if is_time_of_numpy(object) {
        return Err(refuse(object, ""));
    }
    // Columns of pandas have a `__float__` too, which works for one element only.
    if !classes::is_series(object) && object.hasattr(intern!(object.py(), "__float__")).unwrap_or(false) {
        return object.extract().map(Value::Float).map_err(|_| refuse(object, ""));
    }
    members(object, depth)
}

/// numpy's own dates and durations, whose unit is not part of the value.
fn is_time_of_numpy(object: &Bound<'_, PyAny>) -> bool {
    classes::is_datetime64(object) || classes::is_timedelta64(object)
}

fn integer<'a>(object: &'a Bound<'_, PyAny>) -> Result<Cell<'a>, Rejected> {
    object.extract().map(Cell::Int).map_err(|_| refuse(object, "integers have 64 bits"))
}

fn members(object: &Bound<'_, PyAny>, depth: u32) -> Result<Value, Rejected> {
    if depth >= MAX_DEPTH {
        return Err(Rejected::value_error(format!("values nest deeper than {MAX_DEPTH} levels")));
    }
    let items = sequence(object).ok_or_else(|| refuse(object, ""))?;
    let values = items.iter().map(|item| natural(item, depth + 1).map(Cell::into_value));
    values.collect::<Result<Arc<[_]>, _>>().map(Value::Tuple)
}

fn refuse(object: &Bound<'_, PyAny>, hint: &str) -> Rejected {
    let hint = match hint {
        "" => "declare a type for it, or wrap it with pw.wrap_py_object",
        hint => hint,
    };
    Rejected::type_error(format!("no column type holds {}: {hint}", describe(object)))
}
