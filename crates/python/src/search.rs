//! Searches for the nearest rows.

use pathway_index::{Filter, Metadata, Metric};
use pathway_plan::{Asked, Indexed, PlanError, Search, Table};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::expr::PyExpr;

/// How rows are searched: by vectors of one length, and what is said of those found.
#[pyclass(frozen, module = "pathway._engine", name = "Search")]
pub(crate) struct PySearch(Search);

#[pymethods]
impl PySearch {
    #[new]
    #[pyo3(signature = (metric, dimensions, *, as_of_now, collapsed, lenient))]
    fn new(
        metric: &str,
        dimensions: usize,
        as_of_now: bool,
        collapsed: bool,
        lenient: bool,
    ) -> PyResult<PySearch> {
        let metric = match metric {
            "l2sq" => Metric::SquaredEuclidean,
            "cos" => Metric::Cosine,
            "ip" => Metric::InnerProduct,
            _ => {
                return Err(PyValueError::new_err(format!("the metric is l2sq, cos or ip, not {metric:?}")));
            }
        };
        Ok(PySearch(Search { metric, dimensions, filtered: false, lenient, as_of_now, collapsed }))
    }
}

/// Which of these metadata, as JSON, pass a filter.
///
/// # Errors
/// `ValueError` if the filter is wrong, or cannot be applied to one of them.
#[pyfunction]
pub(crate) fn filter_metadata(filter: &str, metadata: Vec<String>) -> PyResult<Vec<bool>> {
    let wrong = |error: pathway_index::FilterError| PyValueError::new_err(error.to_string());
    let filter = Filter::new(filter).map_err(wrong)?;
    metadata.iter().map(|text| filter.accepts(&Metadata::new(text)).map_err(wrong)).collect()
}

/// What rows ask: a vector, a number, a filter.
pub(crate) type PyAsked<'py> = (Bound<'py, PyExpr>, Bound<'py, PyExpr>, Option<Bound<'py, PyExpr>>);
/// What is searched: a vector, metadata, and named columns.
pub(crate) type PyIndexed<'py> =
    (Bound<'py, PyExpr>, Option<Bound<'py, PyExpr>>, Vec<(String, Bound<'py, PyExpr>)>);

/// The nearest rows of `data` for each row of `queries`.
pub(crate) fn search(
    queries: &Table,
    data: &Table,
    asked: PyAsked<'_>,
    indexed: PyIndexed<'_>,
    how: &PySearch,
) -> Result<Table, PlanError> {
    let column = |expr: &Bound<'_, PyExpr>| (&expr.get().expr).into();
    let asked =
        Asked { vector: column(&asked.0), limit: column(&asked.1), filter: asked.2.as_ref().map(column) };
    let indexed = Indexed {
        vector: column(&indexed.0),
        metadata: indexed.1.as_ref().map(column),
        columns: indexed.2.into_iter().map(|(name, expr)| (name, column(&expr))).collect(),
    };
    queries.search(data, asked, indexed, how.0.clone())
}
