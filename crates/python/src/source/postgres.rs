//! Tables of a PostgreSQL database as sources, and what their sinks share with them.

use std::sync::Arc;

use pathway_connectors::postgres::{Password, PostgresSettings, PostgresSource, Secret, Stream};
use pathway_io::ConnectorError;
use pyo3::prelude::*;

use crate::field::{self, PyField};
use crate::{errors, raised};

/// Reads the rows of a table.
#[pyclass(frozen, module = "pathway._engine", name = "PostgresSource")]
pub(crate) struct PyPostgresSource {
    pub(crate) source: Arc<PostgresSource>,
}

#[pymethods]
impl PyPostgresSource {
    #[new]
    #[pyo3(signature = (
        settings, schema_name, table_name, schema, *, follow=false, publication=None, append_only=false,
        password=None, name=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        settings: Vec<(String, String)>,
        schema_name: &str,
        table_name: &str,
        schema: Vec<Bound<'_, PyField>>,
        follow: bool,
        publication: Option<String>,
        append_only: bool,
        password: Option<Py<PyAny>>,
        name: Option<String>,
    ) -> PyResult<Self> {
        let settings = of_pairs(&settings, password, name.as_deref())?;
        let source = PostgresSource::new(settings, schema_name, table_name, field::schema(&schema))
            .map_err(|error| errors::of_connector(&error))?;
        let source = if follow {
            let label = name.unwrap_or_else(|| table_name.to_owned());
            let stream = Stream { publication, is_append_only: append_only, label };
            source.follow(stream).map_err(|error| errors::of_connector(&error))?
        } else {
            source
        };
        Ok(PyPostgresSource { source: Arc::new(source) })
    }
}

/// The settings as Python hands them over.
pub(crate) fn of_pairs(
    settings: &[(String, String)],
    password: Option<Py<PyAny>>,
    name: Option<&str>,
) -> PyResult<PostgresSettings> {
    let password = match password {
        Some(function) => Password::Asked(Arc::new(AskedSecret(function))),
        None => Password::Unset,
    };
    PostgresSettings::new(settings, password, name).map_err(|error| errors::of_connector(&error))
}

/// A function that gives the password that is valid now.
#[derive(Debug)]
struct AskedSecret(Py<PyAny>);

impl Secret for AskedSecret {
    fn secret(&self) -> Result<String, ConnectorError> {
        Python::attach(|py| {
            self.0.call0(py).and_then(|secret| secret.extract(py)).map_err(|error| {
                let (text, class) = raised::failure(py, error);
                ConnectorError::new("postgres", class, format!("the password was not given: {text}"))
            })
        })
    }
}
