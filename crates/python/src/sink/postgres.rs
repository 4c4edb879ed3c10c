//! Tables of a PostgreSQL database as sinks.

use std::sync::Arc;

use pathway_connectors::postgres::{Content, InitMode, PostgresSink};
use pathway_io::Delivery;
use pathway_types::{Field, Schema};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::dtype::PyDType;
use crate::errors;
use crate::source::of_pairs;

/// Writes the changes of a table, or its current rows.
#[pyclass(frozen, module = "pathway._engine", name = "PostgresSink")]
pub(crate) struct PyPostgresSink {
    pub(crate) sink: Arc<PostgresSink>,
}

#[pymethods]
impl PyPostgresSink {
    #[new]
    #[pyo3(signature = (
        settings, schema_name, table_name, column_names, dtypes, *, content, init_mode, key=Vec::new(), diff=None,
        max_batch_size=None, password=None, name=None, exactly_once=true
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        settings: Vec<(String, String)>,
        schema_name: &str,
        table_name: &str,
        column_names: Vec<String>,
        dtypes: Vec<Bound<'_, PyDType>>,
        content: &str,
        init_mode: &str,
        key: Vec<usize>,
        diff: Option<usize>,
        max_batch_size: Option<usize>,
        password: Option<Py<PyAny>>,
        name: Option<String>,
        exactly_once: bool,
    ) -> PyResult<Self> {
        let refused = |text: String| Err(PyValueError::new_err(text));
        let init_mode = match init_mode {
            "default" => InitMode::Default,
            "create_if_not_exists" => InitMode::CreateIfNotExists,
            "replace" => InitMode::Replace,
            _ => {
                return refused(format!(
                    "init_mode has to be default, create_if_not_exists or replace, not {init_mode:?}"
                ));
            }
        };
        if column_names.len() != dtypes.len() || key.iter().chain(&diff).any(|c| *c >= dtypes.len()) {
            return refused(
                "there have to be as many dtypes as column names, and every column among them".to_owned(),
            );
        }
        let content = match content {
            "changes" if key.is_empty() && diff.is_none() => Content::Changes,
            "snapshot" => Content::Snapshot { key, with_changes: false, diff },
            "snapshot_with_changes" if !key.is_empty() => Content::Snapshot { key, with_changes: true, diff },
            _ => return refused(format!("the content {content:?} does not fit the key")),
        };
        let fields = column_names.into_iter().zip(&dtypes);
        let schema = Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype.get().0.clone())));
        let settings = of_pairs(&settings, password, name.as_deref())?;
        let sink = PostgresSink::new(settings, schema_name, table_name, schema, content, init_mode)
            .map_err(|error| errors::of_connector(&error))?;
        let delivery = if exactly_once { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce };
        Ok(PyPostgresSink { sink: Arc::new(sink.max_batch_size(max_batch_size).delivery(delivery)) })
    }
}
