//! Functions that decide whether a value replaces the one accepted before it.

use std::sync::Arc;

use pathway_expr::{Accepted, Acceptor, Offers};
use pathway_types::{DataError, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::raised;
use crate::value::column_to_list;

/// A function of the new and the accepted value.
#[pyclass(frozen, module = "pathway._engine", name = "Acceptor")]
pub(crate) struct PyAcceptor(pub(crate) Arc<dyn Acceptor>);

#[pymethods]
impl PyAcceptor {
    #[new]
    fn new(function: Py<PyAny>, name: String) -> Self {
        PyAcceptor(Arc::new(UserAcceptor { function, name }))
    }
    fn __repr__(&self) -> String {
        format!("Acceptor({})", self.0.name())
    }
}

#[derive(Debug)]
struct UserAcceptor {
    function: Py<PyAny>,
    name: String,
}

impl Acceptor for UserAcceptor {
    fn name(&self) -> &str {
        &self.name
    }
    fn accept(&self, offers: &Offers<'_>) -> Accepted {
        let nothing = |error| Accepted { rows: vec![None; offers.chains.len()], causes: vec![error] };
        let answer = crate::attach::attached(|py| {
            let lists = column_to_list(py, offers.values, offers.dtype)
                .and_then(|values| Ok((values, column_to_list(py, offers.accepted, offers.dtype)?)));
            match lists {
                Ok((values, accepted)) => self.ask(py, offers, &values, &accepted),
                // The values could not be turned into Python objects (pandas is missing, say).
                Err(error) => nothing(raised::data_error(py, error)),
            }
        });
        let gone = || nothing(DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down"));
        answer.unwrap_or_else(gone)
    }
}

impl UserAcceptor {
    fn ask(
        &self,
        py: Python<'_>,
        offers: &Offers<'_>,
        values: &Bound<'_, PyList>,
        accepted: &Bound<'_, PyList>,
    ) -> Accepted {
        let function = self.function.bind(py);
        let mut answer = Accepted::default();
        for (chain, last) in offers.chains.iter().zip(accepted.iter()) {
            let (mut last, mut row) = (last, None);
            for i in chain.clone() {
                let asked = values.get_item(i).and_then(|value| {
                    let accepts = last.is_none() || function.call1((&value, &last))?.is_truthy()?;
                    Ok(accepts.then_some(value))
                });
                match asked {
                    Ok(Some(value)) => (last, row) = (value, Some(i)),
                    Ok(None) => {}
                    Err(error) => answer.causes.push(raised::data_error(py, error)),
                }
            }
            answer.rows.push(row);
        }
        answer
    }
}
