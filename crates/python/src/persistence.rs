//! Where the state of a run is kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pathway_persistence::Store;
use pathway_runtime::{InputLogs, Persistence};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::EngineError;

/// A directory with checkpoints, and which sources keep their rows there.
#[pyclass(frozen, module = "pathway._engine", name = "Persistence")]
pub(crate) struct PyPersistence {
    directory: PathBuf,
    interval: Duration,
    logs: InputLogs,
}

#[pymethods]
impl PyPersistence {
    #[new]
    #[pyo3(signature = (directory, *, interval_ms, logs))]
    fn new(directory: PathBuf, interval_ms: u64, logs: &str) -> PyResult<Self> {
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
        Ok(PyPersistence { directory, interval: Duration::from_millis(interval_ms), logs })
    }
}

impl PyPersistence {
    /// Opens the directory.
    pub(crate) fn open(&self) -> PyResult<Persistence> {
        let store = Store::directory(&self.directory);
        let store = store.map_err(|error| EngineError::new_err(format!("persistence: {error}")))?;
        Ok(Persistence { interval: self.interval, logs: self.logs, ..Persistence::new(Arc::new(store)) })
    }
}
