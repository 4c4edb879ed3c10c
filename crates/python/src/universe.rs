//! Sets of row ids in Python.

use std::hash::{DefaultHasher, Hash, Hasher};

use pathway_plan::UniverseId;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors;
use crate::graph::PyGraph;

/// A set of row ids; equal where it is the same set by construction.
#[pyclass(frozen, module = "pathway._engine", name = "Universe")]
pub(crate) struct PyUniverse {
    pub(crate) graph: Py<PyGraph>,
    pub(crate) id: UniverseId,
}

impl PyUniverse {
    /// The other universe's id, if it belongs to the same plan.
    fn same_graph(&self, other: &Bound<'_, PyUniverse>) -> PyResult<UniverseId> {
        if self.graph.is(&other.get().graph) {
            return Ok(other.get().id);
        }
        Err(PyValueError::new_err("row sets of different plans cannot be compared"))
    }
}

#[pymethods]
impl PyUniverse {
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast_exact::<PyUniverse>() else { return false };
        self.id == other.get().id && self.graph.is(&other.get().graph)
    }
    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.id.hash(&mut hasher);
        hasher.finish()
    }
    fn is_subset_of(&self, other: &Bound<'_, PyUniverse>) -> PyResult<bool> {
        Ok(self.graph.get().graph.is_subset(self.id, self.same_graph(other)?))
    }
    fn is_equal_to(&self, other: &Bound<'_, PyUniverse>) -> PyResult<bool> {
        Ok(self.graph.get().graph.are_equal(self.id, self.same_graph(other)?))
    }
    fn is_disjoint_from(&self, other: &Bound<'_, PyUniverse>) -> PyResult<bool> {
        Ok(self.graph.get().graph.are_disjoint(self.id, self.same_graph(other)?))
    }
    fn is_empty(&self) -> bool {
        self.graph.get().graph.is_empty_universe(self.id)
    }
    fn promise_subset_of(&self, other: &Bound<'_, PyUniverse>) -> PyResult<()> {
        self.graph.get().graph.promise_subset(self.id, self.same_graph(other)?, None).map_err(errors::of_plan)
    }
    fn promise_equal_to(&self, other: &Bound<'_, PyUniverse>) -> PyResult<()> {
        self.graph.get().graph.promise_equal(self.id, self.same_graph(other)?, None).map_err(errors::of_plan)
    }
    #[staticmethod]
    fn promise_disjoint(universes: Vec<Bound<'_, PyUniverse>>) -> PyResult<()> {
        let Some(first) = universes.first() else { return Ok(()) };
        let ids = universes.iter().map(|u| first.get().same_graph(u)).collect::<PyResult<Vec<_>>>()?;
        first.get().graph.get().graph.promise_disjoint(&ids, None).map_err(errors::of_plan)
    }
    fn __repr__(&self) -> String {
        format!("Universe({})", self.id.0)
    }
}
