//! Iterations whose step is being built.

use parking_lot::Mutex;
use pathway_plan::{Argument, Iteration, PlanError};
use pyo3::prelude::*;

use crate::errors;
use crate::frame::{self, PyFrame};
use crate::graph::PyGraph;
use crate::table::PyTable;

/// An iteration between its beginning and its end.
#[pyclass(frozen, module = "pathway._engine", name = "Iteration")]
pub(crate) struct PyIteration {
    iteration: Mutex<Option<Iteration>>,
    graph: Py<PyGraph>,
}

#[pymethods]
impl PyIteration {
    #[new]
    #[pyo3(signature = (graph, arguments, limit=None, frame=None))]
    fn new(
        graph: Bound<'_, PyGraph>,
        arguments: Vec<(String, Bound<'_, PyTable>, bool)>,
        limit: Option<u32>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<Self> {
        let argument = |(name, table, changes_rows): &'_ (String, Bound<'_, PyTable>, bool)| {
            (name.clone(), table.get().table.clone(), *changes_rows)
        };
        let arguments: Vec<_> = arguments.iter().map(argument).collect();
        let arguments: Vec<Argument<'_>> = arguments
            .iter()
            .map(|(name, table, changes_rows)| Argument { name, table, changes_rows: *changes_rows })
            .collect();
        let iteration = graph.get().graph.begin_iteration(&arguments, limit, frame::of(frame));
        let iteration = Mutex::new(Some(iteration.map_err(errors::of_plan)?));
        Ok(PyIteration { iteration, graph: graph.unbind() })
    }

    /// The tables as the step sees them.
    fn tables(&self, py: Python<'_>) -> Vec<PyTable> {
        let iteration = self.iteration.lock();
        let tables = iteration.iter().flat_map(Iteration::tables).cloned();
        tables.map(|table| PyTable { table, graph: self.graph.clone_ref(py) }).collect()
    }

    /// Ends the iteration with what the step makes of each table; gives those that were iterated.
    fn finish(
        &self,
        py: Python<'_>,
        results: Vec<Option<Bound<'_, PyTable>>>,
    ) -> PyResult<Vec<Option<PyTable>>> {
        let results: Vec<_> = results.iter().map(|r| r.as_ref().map(|r| r.get().table.clone())).collect();
        let Some(iteration) = self.iteration.lock().take() else {
            return Err(errors::of_plan(PlanError::Runtime("the iteration has ended".to_owned())));
        };
        let tables = iteration.finish(&results).map_err(errors::of_plan)?;
        let table = |table| PyTable { table, graph: self.graph.clone_ref(py) };
        Ok(tables.into_iter().map(|made| made.map(table)).collect())
    }

    /// Gives the iteration up if it has not ended.
    fn close(&self) {
        drop(self.iteration.lock().take());
    }
}
