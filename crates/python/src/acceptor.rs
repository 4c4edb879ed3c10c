//! Functions that decide whether a value replaces the one accepted before it.

use std::sync::Arc;

use pathway_expr::{Accepted, Acceptor, Offers};
use pathway_types::{DataError, ErrorKind};
use pyo3::prelude::*;

use crate::code::Code;
use crate::raised;
use crate::value::column_to_list;

/// A function that asks for many chains of values: of the values, the ends of the chains and what was
/// accepted last in each; it gives the positions that are accepted last now and what was raised.
#[pyclass(frozen, module = "pathway._engine", name = "Acceptor")]
pub(crate) struct PyAcceptor(pub(crate) Arc<dyn Acceptor>);

#[pymethods]
impl PyAcceptor {
    #[new]
    fn new(ask: Py<PyAny>, name: String) -> Self {
        PyAcceptor(Arc::new(UserAcceptor { ask: ask.into(), name }))
    }
    fn __repr__(&self) -> String {
        format!("Acceptor({})", self.0.name())
    }
}

#[derive(Debug)]
struct UserAcceptor {
    ask: Code,
    name: String,
}

impl Acceptor for UserAcceptor {
    fn name(&self) -> &str {
        &self.name
    }
    fn accept(&self, offers: &Offers<'_>) -> Accepted {
        let nothing = |error| Accepted { rows: vec![None; offers.chains.len()], causes: vec![error] };
        let answer = crate::attach::attached(|py| {
            self.ask(py, offers).unwrap_or_else(|error| nothing(raised::data_error(py, error)))
        });
        let gone = || nothing(DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down"));
        answer.unwrap_or_else(gone)
    }
}

impl UserAcceptor {
    fn ask(&self, py: Python<'_>, offers: &Offers<'_>) -> PyResult<Accepted> {
        let values = column_to_list(py, offers.values, offers.dtype)?;
        let accepted = column_to_list(py, offers.accepted, offers.dtype)?;
        let ends: Vec<usize> = offers.chains.iter().map(|chain| chain.end).collect();
        let answer = self.ask.bind(py).call1((values, ends, accepted))?;
        let (rows, raised): (Vec<Option<usize>>, Vec<Bound<'_, PyAny>>) = answer.extract()?;
        let causes = raised.into_iter().map(|error| raised::data_error(py, PyErr::from_value(error)));
        Ok(Accepted { rows, causes: causes.collect() })
    }
}
