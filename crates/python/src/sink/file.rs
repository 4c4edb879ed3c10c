//! Files as sinks.

use std::sync::Arc;

use pathway_connectors::fs::{FileSink, OutputFormat};
use pathway_types::{Field, Schema};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::dtype::PyDType;
use crate::errors;

/// Writes the changes of a table into a file.
#[pyclass(frozen, module = "pathway._engine", name = "FileSink")]
pub(crate) struct PyFileSink {
    pub(crate) sink: Arc<FileSink>,
}

#[pymethods]
impl PyFileSink {
    #[new]
    fn new(
        path: &str,
        format: &str,
        column_names: Vec<String>,
        dtypes: Vec<Bound<'_, PyDType>>,
    ) -> PyResult<Self> {
        let format = match format {
            "csv" => OutputFormat::Csv,
            "json" => OutputFormat::JsonLines,
            _ => return Err(PyValueError::new_err(format!("format has to be csv or json, not {format:?}"))),
        };
        if column_names.len() != dtypes.len() {
            return Err(PyValueError::new_err("there have to be as many dtypes as column names"));
        }
        let fields = column_names.into_iter().zip(&dtypes);
        let schema = Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype.get().0.clone())));
        let sink = FileSink::new(path, format, schema).map_err(|error| errors::of_connector(&error))?;
        Ok(PyFileSink { sink: Arc::new(sink) })
    }
}
