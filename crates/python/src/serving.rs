//! How a run is served over HTTP: a dashboard and metrics.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;

use pathway_monitor::{Archive, Board, LogTail, NotServed, Place, Server, Settings};
use pathway_plan::Explanation;
use pathway_runtime::{ClusterConfig, Context};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::console::PyLogTail;
use crate::frame::PyFrame;

/// Where and for whom a run is served, and what was logged of it.
#[pyclass(name = "Serving", module = "pathway._engine", frozen)]
pub(crate) struct PyServing {
    settings: Settings,
    program: String,
    pub(crate) log: Arc<LogTail>,
}

#[pymethods]
impl PyServing {
    /// On a port of an address, or of the name of one.
    #[new]
    #[pyo3(signature = (address, port, *, token=None, program, log))]
    fn new(
        address: &str,
        port: u16,
        token: Option<String>,
        program: String,
        log: &Bound<'_, PyLogTail>,
    ) -> PyResult<PyServing> {
        let settings = Settings { address: resolved(address, port)?, token };
        Ok(PyServing { settings, program, log: log.get().0.clone() })
    }
}

/// The web dashboard of runs that were recorded.
#[pyclass(name = "Archive", module = "pathway._engine", frozen)]
pub(crate) struct PyArchive(Archive);

#[pymethods]
impl PyArchive {
    /// Listens, to tell of the newest run that is recorded in a folder.
    #[new]
    fn new(folder: std::path::PathBuf, address: &str, port: u16) -> PyResult<PyArchive> {
        let archive = Archive::listen(resolved(address, port)?, &folder);
        archive.map(PyArchive).map_err(not_served)
    }

    #[getter]
    fn address(&self) -> String {
        self.0.address().to_string()
    }

    /// True if a run has been recorded.
    fn has_a_run(&self) -> bool {
        self.0.has_a_run()
    }

    /// Serves until the process ends.
    fn serve(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.serve()).map_err(not_served)
    }
}

/// The exception for a port that is taken, or may not be used.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn not_served(error: NotServed) -> PyErr {
    PyOSError::new_err(error.to_string())
}

/// An address, or the first one of a name.
pub(crate) fn resolved(address: &str, port: u16) -> PyResult<std::net::SocketAddr> {
    let failed = |why: String| PyOSError::new_err(format!("metrics cannot be served on {address:?}: {why}"));
    let mut found = (address, port).to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    found.next().ok_or_else(|| failed("it has no address".to_owned()))
}

impl PyServing {
    /// Serves a run.
    pub(crate) fn start(
        &self,
        context: &Context,
        workers: usize,
        cluster: Option<&ClusterConfig>,
        plan: Explanation,
    ) -> PyResult<Server> {
        let place = Place::alone(workers);
        let place = cluster.map_or(place, |cluster| Place {
            number: cluster.members.process,
            count: cluster.members.addresses.len(),
            ..place
        });
        let board = Board::new(&self.program, place, context.statistics().clone(), self.log.clone());
        board.explain(plan);
        let server = Server::start(self.settings.clone(), board).map_err(not_served)?;
        let address = server.address();
        context.message(false, &format!("Metrics available at http://{address}"));
        context.message(false, &format!("Dashboard available at http://{address}/"));
        if self.settings.token.is_none() && !address.ip().is_loopback() {
            let text = "everybody who reaches this address sees the run, its lines and its log: set a token";
            context.message(true, &format!("http://{address}: {text} (PATHWAY_MONITORING_HTTP_TOKEN)"));
        }
        Ok(server)
    }
}

/// Why a run has failed, for people: the exception, and the line that it belongs to.
pub(crate) fn cause(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name().map_or_else(|_| "error".to_owned(), |name| name.to_string());
    let text = error.value(py).to_string();
    let what = if text.is_empty() { name } else { format!("{name}: {text}") };
    // An exception without the attribute has no line.
    let frame = error.value(py).getattr(pyo3::intern!(py, "_pathway_frame")).ok();
    let frame = frame.and_then(|frame| frame.cast_into_exact::<PyFrame>().ok());
    match frame.as_ref().and_then(|frame| frame.get().0.known()) {
        Some(frame) => format!("{what}\n{}", frame.trace()),
        None => what,
    }
}
