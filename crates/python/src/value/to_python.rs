//! Values to Python objects.

use pathway_types::Value;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::{array, datetime, json, py_object};
use crate::pointer::PyPointer;
use crate::singletons;

/// The object that Python code sees for a value.
pub(crate) fn value_to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::None => Ok(py.None().into_bound(py)),
        Value::Bool(v) => v.into_bound_py_any(py),
        Value::Int(v) => v.into_bound_py_any(py),
        Value::Float(v) => v.into_bound_py_any(py),
        Value::Pointer(v) => PyPointer(*v).into_bound_py_any(py),
        Value::Str(v) => (**v).into_bound_py_any(py),
        Value::Bytes(v) => Ok(PyBytes::new(py, v).into_any()),
        Value::Tuple(members) => {
            let members = members.iter().map(|m| value_to_python(py, m)).collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, members).map(Bound::into_any)
        }
        Value::IntArray(v) => array::ints_to_python(py, v),
        Value::FloatArray(v) => array::floats_to_python(py, v),
        Value::DateTimeNaive(v) => datetime::naive_to_python(py, *v),
        Value::DateTimeUtc(v) => datetime::utc_to_python(py, *v),
        Value::Duration(v) => datetime::duration_to_python(py, *v),
        Value::Json(v) => json::to_python(py, v.as_str()),
        Value::PyObject(v) => py_object::to_python(py, v.bytes()),
        Value::Pending => Ok(singletons::pending(py)?.clone().into_any()),
        Value::Error => Ok(singletons::error(py)?.clone().into_any()),
    }
}
