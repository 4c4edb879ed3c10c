//! Where rows come from, as Python takes it.

use pathway_plan::{Origins, Table};
use pyo3::prelude::*;

use crate::frame::{self, PyFrame};
use crate::graph::PyGraph;
use crate::table::PyTable;

/// A table on the way: what makes it, its line, its rows, where these come from, and why that is not all.
pub(crate) type OriginStep =
    (&'static str, Option<Py<PyFrame>>, PyTable, Vec<(usize, Option<PyTable>)>, Option<&'static str>);

/// The tables on the way, of a plan.
pub(crate) fn steps(py: Python<'_>, graph: &Py<PyGraph>, origins: Origins) -> PyResult<Vec<OriginStep>> {
    let known = |table: Table| PyTable { table, graph: graph.clone_ref(py) };
    let steps = origins.steps.into_iter().map(|step| {
        let links = step.links.into_iter().map(|link| (link.to, link.pairs.map(known))).collect();
        let frame = frame::object(py, step.table.frame())?;
        Ok((step.operation, frame, known(step.rows), links, step.ends))
    });
    steps.collect()
}
