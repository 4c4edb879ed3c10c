//! Joins before their columns are chosen.

use pathway_plan::program::Direction;
use pathway_plan::temporal::Behavior;
use pathway_plan::{InTime, Window};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::behavior::PyBehavior;
use crate::expr::PyExpr;
use crate::table::PyTable;
use crate::window;

/// How times decide which rows of a join match.
#[pyclass(frozen, module = "pathway._engine", name = "InTime")]
pub(crate) struct PyInTime(pub(crate) InTime);

#[pymethods]
impl PyInTime {
    /// Rows of which the right time minus the left one is at least `lower` and at most `upper`.
    #[staticmethod]
    #[pyo3(signature = (left, right, lower, upper, *, behavior))]
    fn interval(
        left: &Bound<'_, PyExpr>,
        right: &Bound<'_, PyExpr>,
        lower: &Bound<'_, PyExpr>,
        upper: &Bound<'_, PyExpr>,
        behavior: Option<&Bound<'_, PyBehavior>>,
    ) -> PyInTime {
        PyInTime(InTime::Interval {
            times: ((&left.get().expr).into(), (&right.get().expr).into()),
            lower: lower.get().expr.clone(),
            upper: upper.get().expr.clone(),
            behavior: of(behavior),
        })
    }

    /// Rows that are in one tumbling or sliding window.
    #[staticmethod]
    #[pyo3(signature = (left, right, *, hop, duration, ratio, origin))]
    fn sliding(
        left: &Bound<'_, PyExpr>,
        right: &Bound<'_, PyExpr>,
        hop: &Bound<'_, PyExpr>,
        duration: Option<&Bound<'_, PyExpr>>,
        ratio: Option<i64>,
        origin: Option<&Bound<'_, PyExpr>>,
    ) -> PyResult<PyInTime> {
        Ok(of_window(left, right, window::sliding(hop, duration, ratio, origin)?))
    }

    /// Rows that are in one session of the rows of both sides.
    #[staticmethod]
    #[pyo3(signature = (left, right, *, predicate, max_gap))]
    fn session(
        left: &Bound<'_, PyExpr>,
        right: &Bound<'_, PyExpr>,
        predicate: Option<&Bound<'_, PyAny>>,
        max_gap: Option<&Bound<'_, PyExpr>>,
    ) -> PyResult<PyInTime> {
        Ok(of_window(left, right, window::session(predicate, max_gap)?))
    }

    /// Each left row with the right rows that are there at the end of the time at which it comes.
    #[staticmethod]
    fn asof_now() -> PyInTime {
        PyInTime(InTime::AsOfNow)
    }

    /// Each row with the nearest one of the other side: `backward`, `forward` or `nearest`.
    #[staticmethod]
    #[pyo3(signature = (left, right, direction, *, behavior))]
    fn asof(
        left: &Bound<'_, PyExpr>,
        right: &Bound<'_, PyExpr>,
        direction: &str,
        behavior: Option<&Bound<'_, PyBehavior>>,
    ) -> PyResult<PyInTime> {
        let direction = match direction {
            "backward" => Direction::Backward,
            "forward" => Direction::Forward,
            "nearest" => Direction::Nearest,
            _ => {
                let message = format!("the direction is backward, forward or nearest, not {direction:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        Ok(PyInTime(InTime::AsOf {
            times: ((&left.get().expr).into(), (&right.get().expr).into()),
            direction,
            behavior: of(behavior),
        }))
    }
}

fn of_window(left: &Bound<'_, PyExpr>, right: &Bound<'_, PyExpr>, window: Window) -> PyInTime {
    PyInTime(InTime::Window { times: ((&left.get().expr).into(), (&right.get().expr).into()), window })
}

fn of(behavior: Option<&Bound<'_, PyBehavior>>) -> Option<Behavior> {
    behavior.map(|behavior| behavior.get().behavior.clone())
}

/// Two joined tables.
#[pyclass(frozen, module = "pathway._engine", name = "Joined")]
pub(crate) struct PyJoined {
    pub(crate) table: Py<PyTable>,
    pub(crate) rows: [Py<PyTable>; 2],
}

#[pymethods]
impl PyJoined {
    /// The table of all columns of both sides: `l.<name>`, `r.<name>`, `l.id`, `r.id`.
    #[getter]
    fn table(&self, py: Python<'_>) -> Py<PyTable> {
        self.table.clone_ref(py)
    }

    /// The rows of both sides that were joined: with windows, once for each of these, and with columns that
    /// describe them.
    #[getter]
    fn rows(&self, py: Python<'_>) -> (Py<PyTable>, Py<PyTable>) {
        let [left, right] = &self.rows;
        (left.clone_ref(py), right.clone_ref(py))
    }
}
