//! Sinks in Python: files, topics of brokers, tables of databases, callbacks, tables kept in memory, and nothing.

mod callback;
mod capture;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "postgres")]
mod postgres;

pub(crate) use callback::PyCallbackSink;
pub(crate) use capture::PyCaptureSink;
pub(crate) use file::PyFileSink;
#[cfg(feature = "kafka")]
pub(crate) use kafka::PyKafkaSink;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PyPostgresSink;

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
