//! Lines of the user's program.

use pathway_plan::Frame;
use pyo3::prelude::*;

/// A line of the user's program.
#[pyclass(frozen, module = "pathway._engine", name = "Frame")]
pub(crate) struct PyFrame(pub(crate) Frame);

#[pymethods]
impl PyFrame {
    #[new]
    fn new(file: &str, line: u32, function: &str, source: &str) -> Self {
        PyFrame(Frame::new(file, line, function, source))
    }
    #[getter]
    fn file(&self) -> &str {
        &self.0.file
    }
    #[getter]
    fn line(&self) -> u32 {
        self.0.line
    }
    #[getter]
    fn function(&self) -> &str {
        &self.0.function
    }
    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }
    fn __repr__(&self) -> String {
        format!("Frame({}:{} in {}: {})", self.0.file, self.0.line, self.0.function, self.0.source)
    }
}

/// The frame as a Python object, if it names a line.
pub(crate) fn object(py: Python<'_>, frame: Option<&Frame>) -> PyResult<Option<Py<PyFrame>>> {
    let frame = frame.and_then(Frame::known);
    frame.map(|frame| Py::new(py, PyFrame(frame.clone()))).transpose()
}

/// The frame that a Python argument holds, if it holds one.
pub(crate) fn given(frame: Option<&Bound<'_, PyFrame>>) -> Option<Frame> {
    frame.map(|frame| frame.get().0.clone())
}

/// The line that an operation of the plan is attributed to: the one that Python gave, or none (and
/// not the line of this crate that calls the plan).
pub(crate) fn of(frame: Option<&Bound<'_, PyFrame>>) -> Option<Frame> {
    Some(given(frame).unwrap_or_else(Frame::unknown))
}
