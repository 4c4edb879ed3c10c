//! User functions that answer later: coroutines, run by an event loop in another thread.
//!
//! A Python object that `open` gives makes the calls of a run: `start(answers, first, columns)` is
//! told the arguments of calls numbered from `first`, as one list per argument, and returns without
//! waiting; the answers go to `answers`. `close()` ends it.

use std::sync::Arc;

use pathway_expr::{Answers, Callee, Caller, OnFailure};
use pathway_types::{Column, DType, DataError, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::attach;
use crate::code::Code;
use crate::dtype::PyDType;
use crate::raised;
use crate::value::{Converter, column_to_list};

/// A user function that answers later.
#[pyclass(frozen, module = "pathway._engine", name = "Callee")]
pub(crate) struct PyCallee(pub(crate) Arc<dyn Callee>);

/// What the plan knows of it.
#[derive(Debug)]
struct UserCallee {
    open: Code,
    name: String,
    results: Vec<DType>,
    converters: Arc<[Converter]>,
    propagate_none: bool,
    on_failure: OnFailure,
}

#[pymethods]
impl PyCallee {
    #[new]
    #[pyo3(signature = (open, name, results, *, propagate_none=false, report_failures=false))]
    fn new(
        open: Py<PyAny>,
        name: String,
        results: Vec<Bound<'_, PyDType>>,
        propagate_none: bool,
        report_failures: bool,
    ) -> Self {
        let results: Vec<DType> = results.iter().map(|dtype| dtype.get().0.clone()).collect();
        PyCallee(Arc::new(UserCallee {
            open: open.into(),
            name,
            converters: results.iter().map(Converter::new).collect(),
            results,
            propagate_none,
            on_failure: if report_failures { OnFailure::Report } else { OnFailure::Error },
        }))
    }
    fn __repr__(&self) -> String {
        format!("Callee({})", self.0.name())
    }
}

impl Callee for UserCallee {
    fn name(&self) -> &str {
        &self.name
    }
    fn results(&self) -> &[DType] {
        &self.results
    }
    fn propagates_none(&self) -> bool {
        self.propagate_none
    }
    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }
    fn open(&self, workers: usize) -> Result<Vec<Box<dyn Caller>>, DataError> {
        let session = attached(|py| {
            let object = self.open.bind(py).call0().map_err(|error| raised::data_error(py, error))?;
            Ok(Arc::new(Session(Some(object.unbind()))))
        })?;
        let caller = |_| -> Box<dyn Caller> {
            Box::new(UserCaller {
                session: session.clone(),
                name: self.name.as_str().into(),
                converters: self.converters.clone(),
            })
        };
        Ok((0..workers).map(caller).collect())
    }
}

/// Runs code with the interpreter, or says that there is none any more.
fn attached<T>(code: impl FnOnce(Python<'_>) -> Result<T, DataError>) -> Result<T, DataError> {
    attach::attached(code)
        .unwrap_or_else(|| Err(DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down")))
}

/// The Python object that makes the calls of a run; closed once.
struct Session(Option<Py<PyAny>>);

impl Session {
    fn close(&mut self) -> Result<(), DataError> {
        let Some(object) = self.0.take() else { return Ok(()) };
        attached(|py| {
            let closed = object.bind(py).call_method0(intern!(py, "close"));
            closed.map(drop).map_err(|error| raised::data_error(py, error))
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The run has failed already, and this failure is none of its own.
        let _ = self.close();
    }
}

/// Makes the calls of one worker.
struct UserCaller {
    session: Arc<Session>,
    name: Arc<str>,
    converters: Arc<[Converter]>,
}

impl Caller for UserCaller {
    fn call(&mut self, first: u64, arguments: &[(Column, DType)], rows: usize, answers: &Arc<dyn Answers>) {
        let started = attached(|py| {
            let call = || -> PyResult<()> {
                let lists = arguments.iter().map(|(column, dtype)| column_to_list(py, column, dtype));
                let lists = PyTuple::new(py, lists.collect::<PyResult<Vec<_>>>()?)?;
                let answers = PyAnswers {
                    answers: answers.clone(),
                    name: self.name.clone(),
                    converters: self.converters.clone(),
                };
                let Some(session) = &self.session.0 else { return Ok(()) };
                session.bind(py).call_method1(intern!(py, "start"), (answers, first, lists))?;
                Ok(())
            };
            call().map_err(|error| raised::data_error(py, error))
        });
        if let Err(error) = started {
            (first..first + rows as u64).for_each(|call| answers.answer(call, Err(error.clone())));
        }
    }

    fn close(self: Box<Self>) -> Result<(), DataError> {
        // Whoever is last closes.
        Arc::into_inner(self.session).map_or(Ok(()), |mut session| session.close())
    }
}

/// Takes the answers of calls, from any thread.
#[pyclass(frozen, module = "pathway._engine", name = "Answers")]
pub(crate) struct PyAnswers {
    answers: Arc<dyn Answers>,
    name: Arc<str>,
    converters: Arc<[Converter]>,
}

#[pymethods]
impl PyAnswers {
    /// The call gave these values. Raises TypeError or ValueError if they are not of the declared
    /// types; the call then still waits for its answer.
    fn done(&self, call: u64, values: &Bound<'_, PyTuple>) -> PyResult<()> {
        if values.len() != self.converters.len() {
            return Err(PyTypeError::new_err(format!(
                "{} gave {} values instead of {}",
                self.name,
                values.len(),
                self.converters.len()
            )));
        }
        let values =
            self.converters.iter().zip(values.iter()).map(|(converter, object)| converter.value(&object));
        self.answers.answer(call, Ok(values.collect::<Result<Vec<_>, _>>()?));
        Ok(())
    }

    /// The call raised.
    fn failed(&self, py: Python<'_>, call: u64, error: Bound<'_, PyAny>) {
        let error = raised::data_error(py, PyErr::from_value(error));
        // The run ends with an error of the engine's that has the exception as its cause.
        let message = format!("{} failed with {}", self.name, error.message);
        let error = DataError { kind: ErrorKind::Engine, message: message.into(), ..error };
        self.answers.answer(call, Err(error));
    }
}
