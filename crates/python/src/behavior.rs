//! When results of windows and of joins in time are shown and closed.

use pathway_plan::temporal::Behavior;
use pyo3::prelude::*;

use crate::expr::PyExpr;
use crate::window::optional;

/// A behavior; its distances are constants.
#[pyclass(frozen, module = "pathway._engine", name = "Behavior")]
pub(crate) struct PyBehavior {
    pub(crate) behavior: Behavior,
}

#[pymethods]
impl PyBehavior {
    #[staticmethod]
    #[pyo3(signature = (delay, cutoff, keep_results))]
    fn common(
        delay: Option<&Bound<'_, PyExpr>>,
        cutoff: Option<&Bound<'_, PyExpr>>,
        keep_results: bool,
    ) -> PyResult<PyBehavior> {
        let (delay, cutoff) = (optional("delay", delay)?, optional("cutoff", cutoff)?);
        Ok(PyBehavior { behavior: Behavior::Common { delay, cutoff, keep_results } })
    }

    #[staticmethod]
    #[pyo3(signature = (shift))]
    fn exactly_once(shift: Option<&Bound<'_, PyExpr>>) -> PyResult<PyBehavior> {
        Ok(PyBehavior { behavior: Behavior::ExactlyOnce { shift: optional("shift", shift)? } })
    }
}
