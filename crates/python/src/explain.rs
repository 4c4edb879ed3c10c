//! Plans that are shown, with what a run has counted.

use std::sync::Arc;

use parking_lot::Mutex;
use pathway_dataflow::stats::Statistics;
use pathway_explain::{Stage, dot, json, measure, svg, text};
use pathway_plan::Explanation;
use pyo3::prelude::*;

/// A plan before and after rewriting.
#[pyclass(frozen, module = "pathway._engine", name = "Explanation")]
pub(crate) struct PyExplanation(pub(crate) Explanation);

fn stage(before: bool) -> Stage {
    if before { Stage::Before } else { Stage::After }
}

#[pymethods]
impl PyExplanation {
    fn text(&self) -> String {
        text(&self.0)
    }
    fn json(&self) -> String {
        json(&self.0)
    }
    #[pyo3(signature = (*, before=false))]
    fn dot(&self, before: bool) -> String {
        dot(&self.0, stage(before))
    }
    #[pyo3(signature = (*, before=false))]
    fn svg(&self, py: Python<'_>, before: bool) -> String {
        py.detach(|| svg(&self.0, stage(before)))
    }
    /// True if nothing is run.
    fn is_empty(&self) -> bool {
        self.0.after.is_empty()
    }
}

/// What a run counts, for the time that it goes on and afterwards.
#[pyclass(frozen, module = "pathway._engine", name = "Counts")]
pub(crate) struct PyCounts {
    run: Mutex<Option<(Explanation, Arc<Statistics>)>>,
}

impl PyCounts {
    /// A run begins.
    pub(crate) fn begin(&self, explanation: Explanation, statistics: Arc<Statistics>) {
        *self.run.lock() = Some((explanation, statistics));
    }
}

#[pymethods]
impl PyCounts {
    #[new]
    fn new() -> Self {
        PyCounts { run: Mutex::default() }
    }
    /// The plan of the run with what has been counted so far; None before a run has begun.
    fn explanation(&self) -> Option<PyExplanation> {
        let (mut explanation, statistics) = self.run.lock().clone()?;
        if let (Some(outline), Some(snapshot)) = (statistics.outline(), statistics.snapshot()) {
            measure(&mut explanation, outline, &snapshot);
        }
        Some(PyExplanation(explanation))
    }
}
