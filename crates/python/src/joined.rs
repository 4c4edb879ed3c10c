//! Joins before their columns are chosen.

use pyo3::prelude::*;

use crate::table::PyTable;

/// Two joined tables.
#[pyclass(frozen, module = "pathway._engine", name = "Joined")]
pub(crate) struct PyJoined {
    pub(crate) table: Py<PyTable>,
}

#[pymethods]
impl PyJoined {
    /// The table of all columns of both sides: `l.<name>`, `r.<name>`, `l.id`, `r.id`.
    #[getter]
    fn table(&self, py: Python<'_>) -> Py<PyTable> {
        self.table.clone_ref(py)
    }
}
