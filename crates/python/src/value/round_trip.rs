//! Into the engine and back.

use pathway_types::ColumnBuilder;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{Converter, column_to_list, natural_value, value_to_python};
use crate::dtype::PyDType;

/// The object as Python code sees it when it comes from a cell of any type: a list as a tuple, a dict
/// as `pw.Json`, an array as a copy.
///
/// # Errors
/// `TypeError` if no cell can hold it.
#[pyfunction]
pub(crate) fn as_value<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    value_to_python(object.py(), &natural_value(object)?)
}

/// For tests: the objects as a column of `dtype`, and that column as objects again, with the reason why a cell
/// was refused (and is an error) or None for each.
#[pyfunction]
#[pyo3(name = "_round_trip")]
#[allow(clippy::type_complexity)]
pub(crate) fn round_trip<'py>(
    values: Vec<Bound<'py, PyAny>>,
    dtype: &Bound<'py, PyDType>,
) -> PyResult<(Bound<'py, PyList>, Vec<Option<PyErr>>)> {
    let converter = Converter::new(&dtype.get().0);
    let mut column = ColumnBuilder::new(converter.dtype(), values.len());
    let refused = values.iter().map(|value| converter.push(value, &mut column).err().map(PyErr::from));
    let refused = refused.collect();
    Ok((column_to_list(dtype.py(), &column.finish(), converter.dtype())?, refused))
}
