//! Sinks in Python: files, callbacks, tables kept in memory, and nothing.

mod callback;
mod capture;
mod file;

pub(crate) use callback::PyCallbackSink;
pub(crate) use capture::PyCaptureSink;
pub(crate) use file::PyFileSink;

use pyo3::prelude::*;

/// A sink that discards everything.
#[pyclass(frozen, module = "pathway._engine", name = "NullSink")]
pub(crate) struct PyNullSink;

#[pymethods]
impl PyNullSink {
    #[new]
    fn new() -> Self {
        PyNullSink
    }
}
