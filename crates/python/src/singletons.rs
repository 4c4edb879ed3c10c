//! The two values that are not data: `ERROR` and `PENDING`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The type of `ERROR`, a cell that could not be computed.
#[pyclass(frozen, module = "pathway._engine", name = "_ErrorType")]
pub(crate) struct ErrorType;

/// The type of `PENDING`, a result that is not there yet.
#[pyclass(frozen, module = "pathway._engine", name = "_PendingType")]
pub(crate) struct PendingType;

static ERROR: PyOnceLock<Py<ErrorType>> = PyOnceLock::new();
static PENDING: PyOnceLock<Py<PendingType>> = PyOnceLock::new();

/// The object `ERROR`.
pub(crate) fn error(py: Python<'_>) -> PyResult<&Bound<'_, ErrorType>> {
    Ok(ERROR.get_or_try_init(py, || Py::new(py, ErrorType))?.bind(py))
}

/// The object `PENDING`.
pub(crate) fn pending(py: Python<'_>) -> PyResult<&Bound<'_, PendingType>> {
    Ok(PENDING.get_or_try_init(py, || Py::new(py, PendingType))?.bind(py))
}

#[pymethods]
impl ErrorType {
    fn __repr__(&self) -> &'static str {
        "Error"
    }
    fn __reduce__(&self) -> &'static str {
        "ERROR"
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

#[pymethods]
impl PendingType {
    fn __repr__(&self) -> &'static str {
        "Pending"
    }
    fn __reduce__(&self) -> &'static str {
        "PENDING"
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

/// Puts both objects into the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("ERROR", error(module.py())?)?;
    module.add("PENDING", pending(module.py())?)
}
