//! Mappings of any class as dicts.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::value::describe;

/// The mapping as a dict: itself if it is one, else a copy.
pub(crate) fn dict<'py>(mapping: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = mapping.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    let Ok(mapping) = mapping.cast::<PyMapping>() else {
        return Err(PyTypeError::new_err(format!("a mapping is needed, not {}", describe(mapping))));
    };
    let dict = PyDict::new(mapping.py());
    dict.update(mapping)?;
    Ok(dict)
}
