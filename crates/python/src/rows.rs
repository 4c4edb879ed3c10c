//! The page that tells why rows are there: its server asks an object of Python.

use std::sync::Arc;

use pathway_monitor::{Reasons, RowsServer, Settings};
use pyo3::prelude::*;

use crate::serving::{cause, not_served, resolved};

/// Asks `about()`, `rows(output, text)` and `reason(table, id, limit)` of an object.
struct InPython(Py<PyAny>);

impl InPython {
    fn told(
        &self,
        ask: impl for<'py> FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
    ) -> Result<Option<String>, String> {
        let told = Python::try_attach(|py| {
            let text = ask(self.0.bind(py)).and_then(|answer| answer.extract::<Option<String>>());
            text.map_err(|error| cause(py, &error))
        });
        told.unwrap_or_else(|| Err("the program is ending".to_owned()))
    }
}

impl Reasons for InPython {
    fn about(&self) -> Result<String, String> {
        self.told(|reasons| reasons.call_method0("about")).map(Option::unwrap_or_default)
    }

    fn rows(&self, output: usize, text: &str) -> Result<Option<String>, String> {
        self.told(|reasons| reasons.call_method1("rows", (output, text)))
    }

    fn reason(&self, table: usize, id: &str, limit: usize) -> Result<Option<String>, String> {
        self.told(|reasons| reasons.call_method1("reason", (table, id, limit)))
    }
}

/// The server of the page.
#[pyclass(name = "RowsServer", module = "pathway._engine", frozen)]
pub(crate) struct PyRowsServer(RowsServer);

#[pymethods]
impl PyRowsServer {
    /// Listens, to tell what an object knows.
    #[new]
    #[pyo3(signature = (reasons, address, port, *, token=None))]
    fn new(reasons: Py<PyAny>, address: &str, port: u16, token: Option<String>) -> PyResult<PyRowsServer> {
        let settings = Settings { address: resolved(address, port)?, token };
        let server = RowsServer::listen(settings, Arc::new(InPython(reasons)));
        server.map(PyRowsServer).map_err(not_served)
    }

    #[getter]
    fn address(&self) -> String {
        self.0.address().to_string()
    }

    #[getter]
    fn is_loopback(&self) -> bool {
        self.0.address().ip().is_loopback()
    }

    /// Serves until the process ends.
    fn serve(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.serve()).map_err(not_served)
    }
}
