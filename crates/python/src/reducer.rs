//! Reducers in user code.

use pathway_expr::node::{CustomGroup, CustomReducer};
use pathway_types::{DType, DataError, ErrorKind, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::attach;
use crate::code::Code;
use crate::raised;
use crate::value::{Converter, value_to_python};

/// A reducer whose groups are Python objects.
#[derive(Debug)]
pub(crate) struct UserReducer {
    name: String,
    new_group: Code,
    converter: Converter,
}

impl UserReducer {
    /// A reducer whose groups `new_group()` makes.
    pub(crate) fn new(name: String, return_type: &DType, new_group: Py<PyAny>) -> Self {
        UserReducer { name, new_group: new_group.into(), converter: Converter::new(return_type) }
    }
}

impl CustomReducer for UserReducer {
    fn name(&self) -> &str {
        &self.name
    }
    fn return_type(&self) -> &DType {
        self.converter.dtype()
    }
    fn new_group(&self) -> Box<dyn CustomGroup> {
        let group = attach::attached(|py| {
            let group = self.new_group.bind(py).call0().map(Bound::unbind);
            group.map_err(|error| raised::data_error(py, error))
        });
        let group = group.unwrap_or_else(|| Err(shutting_down()));
        Box::new(UserGroup { group, converter: self.converter.clone() })
    }
}

/// The state of one group, or why there is none.
struct UserGroup {
    group: Result<Py<PyAny>, DataError>,
    converter: Converter,
}

fn shutting_down() -> DataError {
    DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down")
}

impl UserGroup {
    fn with<T>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T, DataError> {
        let group = self.group.as_ref().map_err(DataError::clone)?;
        let result =
            attach::attached(|py| call(group.bind(py)).map_err(|error| raised::data_error(py, error)));
        result.unwrap_or_else(|| Err(shutting_down()))
    }
}

impl CustomGroup for UserGroup {
    fn update(&mut self, rows: &[(Vec<Value>, i64)]) -> Result<(), DataError> {
        self.with(|group| {
            let py = group.py();
            let rows = rows.iter().map(|(row, diff)| {
                let row = row.iter().map(|value| value_to_python(py, value)).collect::<PyResult<Vec<_>>>()?;
                Ok((PyList::new(py, row)?, *diff))
            });
            let rows = PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)?;
            group.call_method1(intern!(py, "update"), (rows,)).map(drop)
        })
    }
    fn result(&mut self) -> Result<Option<Value>, DataError> {
        let result = self.with(|group| {
            // A tuple with the value, or None if the group has no row.
            let result: Option<(Bound<'_, PyAny>,)> =
                group.call_method0(intern!(group.py(), "result"))?.extract()?;
            Ok(result.map(|(value,)| self.converter.value(&value)))
        })?;
        result.transpose().map_err(|rejected| rejected.into_data_error())
    }
    fn save(&mut self) -> Result<Vec<u8>, DataError> {
        self.with(|group| group.call_method0(intern!(group.py(), "save"))?.extract())
    }
    fn load(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.with(|group| {
            let py = group.py();
            group.call_method1(intern!(py, "load"), (PyBytes::new(py, bytes),)).map(drop)
        })
    }
}
