//! The native module `pathway._engine`: the engine as Python sees it.
//!
//! A class here is a thin wrapper around a handle of the crate that does the work: `dtype` and
//! `pointer` over `pathway-types`, `expr` over `pathway-expr`, `graph` and `table` over
//! `pathway-plan`, `source` and `sink` over `pathway-io`. How values cross the border is decided in
//! `value` and nowhere else; which exception an error becomes, in `errors` and nowhere else. The
//! interpreter lock is taken once per batch and never held while waiting for another thread.

use pyo3::prelude::*;

mod acceptor;
mod attach;
mod behavior;
mod code;
mod console;
mod dtype;
mod errors;
mod explain;
mod expr;
mod field;
mod frame;
mod graph;
mod handle;
mod iteration;
mod joined;
mod keys;
mod later;
mod logging;
mod mapping;
mod persistence;
mod pointer;
mod raised;
mod reducer;
mod rows;
mod run;
mod search;
mod serving;
mod singletons;
mod sink;
mod source;
mod table;
#[cfg(feature = "otlp")]
mod telemetry;
mod togetherness;
mod transform;
mod udf;
mod universe;
mod value;
mod why;
mod window;

/// The extension module.
#[pymodule(gil_used = true)]
mod _engine {
    use super::*;

    #[pymodule_export]
    use crate::acceptor::PyAcceptor;
    #[pymodule_export]
    use crate::behavior::PyBehavior;
    #[pymodule_export]
    use crate::console::{PyConsole, PyLogTail};
    #[pymodule_export]
    use crate::dtype::{PyDType, restore_dtype};
    #[pymodule_export]
    use crate::errors::{EngineError, OtherWorkerError};
    #[pymodule_export]
    use crate::explain::{PyCounts, PyExplanation};
    #[pymodule_export]
    use crate::expr::PyExpr;
    #[pymodule_export]
    use crate::field::PyField;
    #[pymodule_export]
    use crate::frame::PyFrame;
    #[pymodule_export]
    use crate::graph::PyGraph;
    #[pymodule_export]
    use crate::handle::PyRunHandle;
    #[pymodule_export]
    use crate::iteration::PyIteration;
    #[pymodule_export]
    use crate::joined::{PyInTime, PyJoined};
    #[pymodule_export]
    use crate::keys::PyKeys;
    #[pymodule_export]
    use crate::later::{PyAnswers, PyCallee};
    #[pymodule_export]
    use crate::persistence::PyPersistence;
    #[pymodule_export]
    use crate::pointer::{
        PyPointer, parse_pointer, ref_scalar, ref_scalar_with_instance, unsafe_make_pointer,
    };
    #[pymodule_export]
    use crate::rows::PyRowsServer;
    #[pymodule_export]
    use crate::run::StopRequested;
    #[pymodule_export]
    use crate::search::{PySearch, filter_metadata};
    #[pymodule_export]
    use crate::serving::{PyArchive, PyServing};
    #[pymodule_export]
    use crate::singletons::{ErrorType, PendingType};
    #[cfg(feature = "kafka")]
    #[pymodule_export]
    use crate::sink::PyKafkaSink;
    #[cfg(feature = "postgres")]
    #[pymodule_export]
    use crate::sink::PyPostgresSink;
    #[pymodule_export]
    use crate::sink::{PyCallbackSink, PyCaptureSink, PyFileSink, PyNullSink};
    #[cfg(feature = "kafka")]
    #[pymodule_export]
    use crate::source::PyKafkaSource;
    #[cfg(feature = "postgres")]
    #[pymodule_export]
    use crate::source::PyPostgresSource;
    #[pymodule_export]
    use crate::source::{PyFileSource, PySubject, PySubjectSource};
    #[pymodule_export]
    use crate::table::PyTable;
    #[cfg(feature = "otlp")]
    #[pymodule_export]
    use crate::telemetry::PyTelemetry;
    #[pymodule_export]
    use crate::transform::PyTransformer;
    #[pymodule_export]
    use crate::udf::{ArrowColumn, PyUdf};
    #[pymodule_export]
    use crate::universe::PyUniverse;
    #[pymodule_export]
    use crate::value::round_trip::{as_value, round_trip};
    #[pymodule_export]
    use crate::window::PyWindowBy;

    /// What was built: version, profile, target.
    #[pyfunction]
    fn build_info() -> std::collections::BTreeMap<&'static str, String> {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        std::collections::BTreeMap::from([
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("profile", profile.to_owned()),
            ("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
        ])
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        pathway_types::PyObject::set_reader(crate::value::py_object_text);
        crate::attach::register(module)?;
        crate::logging::register();
        crate::singletons::register(module)
    }
}
