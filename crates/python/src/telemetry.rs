//! What is sent to a collector of OpenTelemetry, as Python sees it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pathway_monitor::telemetry::{NotSent, Settings, Telemetry};
use pathway_runtime::Statistics;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::attach;
use crate::console::PyRecord;

/// Sends what is known of a run, until it is closed.
#[pyclass(frozen, module = "pathway._engine", name = "Telemetry")]
pub(crate) struct PyTelemetry(Mutex<Option<Telemetry>>);

#[pymethods]
impl PyTelemetry {
    #[new]
    #[pyo3(signature = (endpoint, *, interval, resource, of_metrics, of_traces, packages, warn))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        endpoint: String,
        interval: u64,
        resource: Vec<(String, String)>,
        of_metrics: Vec<(String, String)>,
        of_traces: Vec<(String, String)>,
        packages: Vec<String>,
        warn: Py<PyAny>,
    ) -> PyResult<PyTelemetry> {
        let interval = Duration::from_secs(interval);
        let settings = Settings { endpoint, interval, resource, of_metrics, of_traces, packages };
        let warn = move |text: &str| {
            attach::attached(|py| {
                if let Err(error) = warn.bind(py).call1((text,)) {
                    error.write_unraisable(py, Some(warn.bind(py)));
                }
            });
        };
        let telemetry = py.detach(|| Telemetry::start(settings, warn));
        let telemetry = telemetry.map_err(|error| match error {
            NotSent::Endpoint { .. } => PyValueError::new_err(error.to_string()),
            NotSent::System(_) => PyOSError::new_err(error.to_string()),
        })?;
        Ok(PyTelemetry(Mutex::new(Some(telemetry))))
    }

    fn log(&self, record: PyRecord) {
        if let Some(telemetry) = &*self.0.lock() {
            telemetry.log(record.into());
        }
    }

    /// Sends the rest.
    #[pyo3(signature = (failure=None))]
    fn close(&self, py: Python<'_>, failure: Option<String>) {
        let telemetry = self.0.lock().take();
        if let (Some(telemetry), Some(failure)) = (&telemetry, failure) {
            telemetry.fail(failure);
        }
        // Its last words may need the interpreter.
        py.detach(|| drop(telemetry));
    }
}

impl PyTelemetry {
    /// The run has begun.
    pub(crate) fn open(&self, statistics: Arc<Statistics>) {
        if let Some(telemetry) = &*self.0.lock() {
            telemetry.open(statistics);
        }
    }
}
