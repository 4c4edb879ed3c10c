//! Where the state of a run is kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pathway_persistence::Store;
use pathway_runtime::{InputLogs, Persistence};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::EngineError;

/// A directory or a place in a cloud with checkpoints, and which sources keep their rows there.
#[pyclass(frozen, module = "pathway._engine", name = "Persistence")]
pub(crate) struct PyPersistence {
    place: String,
    /// Those of a place in a cloud.
    options: Option<Vec<(String, String)>>,
    interval: Duration,
    logs: InputLogs,
}

#[pymethods]
impl PyPersistence {
    #[new]
    #[pyo3(signature = (place, *, options=None, interval_ms, logs))]
    fn new(
        place: String,
        options: Option<Vec<(String, String)>>,
        interval_ms: u64,
        logs: &str,
    ) -> PyResult<Self> {
        let logs = match logs {
            "all" => InputLogs::All,
            "named" => InputLogs::Named,
            "none" => InputLogs::None,
            other => {
                return Err(PyValueError::new_err(format!(
                    "logs has to be all, named or none, not {other:?}"
                )));
            }
        };
        Ok(PyPersistence { place, options, interval: Duration::from_millis(interval_ms), logs })
    }
}

impl PyPersistence {
    /// Opens the store.
    pub(crate) fn open(&self) -> PyResult<Persistence> {
        let store = match &self.options {
            None => Store::directory(Path::new(&self.place)),
            Some(options) => Store::cloud(&self.place, options),
        };
        let store = store.map_err(|error| EngineError::new_err(format!("persistence: {error}")))?;
        Ok(Persistence { interval: self.interval, logs: self.logs, ..Persistence::new(Arc::new(store)) })
    }
}
