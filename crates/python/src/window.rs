//! Tables grouped by windows, before their aggregates are chosen.

use pathway_expr::Expr;
use pathway_plan::{Around, SessionGap, Span, Table, Window, WindowBy};
use pathway_types::Value;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::behavior::PyBehavior;
use crate::errors;
use crate::expr::PyExpr;
use crate::frame::{self, PyFrame};
use crate::table::{NamedExpr, PyTable, named};
use crate::togetherness::Predicate;

/// A table grouped by windows.
#[pyclass(frozen, module = "pathway._engine", name = "WindowBy")]
pub(crate) struct PyWindowBy {
    grouped: WindowBy,
    rows: Py<PyTable>,
}

/// The value of a constant parameter.
fn constant(name: &str, parameter: &Bound<'_, PyExpr>) -> PyResult<Value> {
    parameter
        .get()
        .expr
        .as_constant()
        .cloned()
        .ok_or_else(|| PyTypeError::new_err(format!("the {name} of a window must be a constant")))
}

pub(crate) fn optional(name: &str, parameter: Option<&Bound<'_, PyExpr>>) -> PyResult<Option<Value>> {
    parameter.map(|parameter| constant(name, parameter)).transpose()
}

/// Tumbling or sliding windows.
pub(crate) fn sliding(
    hop: &Bound<'_, PyExpr>,
    duration: Option<&Bound<'_, PyExpr>>,
    ratio: Option<i64>,
    origin: Option<&Bound<'_, PyExpr>>,
) -> PyResult<Window> {
    let span = match (optional("duration", duration)?, ratio) {
        (Some(duration), None) => Span::Duration(duration),
        (None, Some(ratio)) => Span::Ratio(ratio),
        _ => return Err(PyTypeError::new_err("a window has either a duration or a ratio")),
    };
    Ok(Window::Sliding { hop: constant("hop", hop)?, span, origin: optional("origin", origin)? })
}

/// Sessions.
pub(crate) fn session(
    predicate: Option<&Bound<'_, PyAny>>,
    max_gap: Option<&Bound<'_, PyExpr>>,
) -> PyResult<Window> {
    Ok(Window::Session(match (predicate, optional("max_gap", max_gap)?) {
        (Some(predicate), None) => SessionGap::Asked(Predicate::shared(predicate)),
        (None, Some(gap)) => SessionGap::LessThan(gap),
        _ => return Err(PyTypeError::new_err("a session has either a predicate or a max_gap")),
    }))
}

impl PyWindowBy {
    fn group(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        time: &Expr,
        window: &Window,
        behavior: Option<&Bound<'_, PyBehavior>>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyWindowBy> {
        let at: Table = table.get().table.at(frame::of(frame));
        let instance = instance.map(|instance| (&instance.get().expr).into());
        let grouped = at
            .window_by(time, window, behavior.map(|behavior| &behavior.get().behavior), instance)
            .map_err(errors::of_plan)?;
        let rows = PyTable { table: grouped.rows().clone(), graph: table.get().graph.clone_ref(py) };
        Ok(PyWindowBy { grouped, rows: Py::new(py, rows)? })
    }
}

#[pymethods]
impl PyWindowBy {
    #[staticmethod]
    #[pyo3(signature = (table, time, *, hop, duration, ratio, origin, behavior, instance, frame=None))]
    #[allow(clippy::too_many_arguments)]
    fn sliding(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        time: &Bound<'_, PyExpr>,
        hop: &Bound<'_, PyExpr>,
        duration: Option<&Bound<'_, PyExpr>>,
        ratio: Option<i64>,
        origin: Option<&Bound<'_, PyExpr>>,
        behavior: Option<&Bound<'_, PyBehavior>>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyWindowBy> {
        let window = self::sliding(hop, duration, ratio, origin)?;
        PyWindowBy::group(py, table, &time.get().expr, &window, behavior, instance, frame)
    }

    #[staticmethod]
    #[pyo3(signature = (table, time, *, predicate, max_gap, behavior, instance, frame=None))]
    #[allow(clippy::too_many_arguments)]
    fn session(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        time: &Bound<'_, PyExpr>,
        predicate: Option<&Bound<'_, PyAny>>,
        max_gap: Option<&Bound<'_, PyExpr>>,
        behavior: Option<&Bound<'_, PyBehavior>>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyWindowBy> {
        let window = self::session(predicate, max_gap)?;
        PyWindowBy::group(py, table, &time.get().expr, &window, behavior, instance, frame)
    }

    #[staticmethod]
    #[pyo3(signature = (table, time, *, probes, at, lower_bound, upper_bound, is_outer, behavior, instance, frame=None))]
    #[allow(clippy::too_many_arguments)]
    fn intervals_over(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        time: &Bound<'_, PyExpr>,
        probes: &Bound<'_, PyTable>,
        at: &Bound<'_, PyExpr>,
        lower_bound: &Bound<'_, PyExpr>,
        upper_bound: &Bound<'_, PyExpr>,
        is_outer: bool,
        behavior: Option<&Bound<'_, PyBehavior>>,
        instance: Option<&Bound<'_, PyExpr>>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyWindowBy> {
        let around = Around {
            probes: probes.get().table.clone(),
            at: (&at.get().expr).into(),
            lower: constant("lower_bound", lower_bound)?,
            upper: constant("upper_bound", upper_bound)?,
            outer: is_outer,
        };
        PyWindowBy::group(
            py,
            table,
            &time.get().expr,
            &Window::Around(Box::new(around)),
            behavior,
            instance,
            frame,
        )
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> Py<PyTable> {
        self.rows.clone_ref(py)
    }

    #[pyo3(signature = (columns, frame=None))]
    fn reduce(
        &self,
        py: Python<'_>,
        columns: Vec<NamedExpr<'_>>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyTable> {
        let reduced = self.grouped.at(frame::of(frame)).reduce(named(columns)).map_err(errors::of_plan)?;
        Ok(PyTable { table: reduced, graph: self.rows.get().graph.clone_ref(py) })
    }
}
