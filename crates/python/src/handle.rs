//! How other threads see that a run has begun, and stop it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pathway_runtime::{Begun, Context};
use pyo3::prelude::*;

/// One run, for threads other than the one that runs it.
#[pyclass(frozen, module = "pathway._engine", name = "RunHandle")]
pub(crate) struct PyRunHandle {
    /// Told by the run.
    pub(crate) begun: Arc<Begun>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the run, once it is there.
    run: Option<u64>,
    /// The run, while it goes on.
    context: Option<Context>,
    /// When it was asked to end.
    stopped: Option<Instant>,
}

/// A run that can be stopped. What it knows is not kept after it by whoever holds the handle.
pub(crate) struct Attached<'a>(&'a PyRunHandle);

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        self.0.state.lock().context = None;
    }
}

impl PyRunHandle {
    /// The run is about to begin. It is known here until what is returned is dropped.
    pub(crate) fn attach(&self, context: &Context) -> Attached<'_> {
        let mut state = self.state.lock();
        if state.stopped.is_some() {
            context.break_off();
        }
        state.run = Some(context.run());
        state.context = Some(context.clone());
        Attached(self)
    }

    /// When the run was asked to end.
    pub(crate) fn stopped(&self) -> Option<Instant> {
        self.state.lock().stopped
    }
}

#[pymethods]
impl PyRunHandle {
    #[new]
    fn new() -> Self {
        PyRunHandle { begun: Arc::default(), state: Mutex::default() }
    }

    fn stop(&self) {
        let mut state = self.state.lock();
        state.stopped.get_or_insert_with(Instant::now);
        if let Some(context) = &state.context {
            context.break_off();
        }
    }

    #[getter]
    fn run(&self) -> Option<u64> {
        self.state.lock().run
    }

    #[pyo3(signature = (timeout=0.0))]
    fn has_begun(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let timeout = Duration::try_from_secs_f64(timeout)
            .map_err(|error| pyo3::exceptions::PyValueError::new_err(format!("timeout: {error}")))?;
        Ok(py.detach(|| self.begun.wait(timeout)))
    }
}
