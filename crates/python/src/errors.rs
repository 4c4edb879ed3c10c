//! Which Python exception each error of the engine becomes. The only place that decides it.

use pathway_expr::ExprError;
use pathway_io::{ConnectorError, FailureClass};
use pathway_plan::PlanError;
use pathway_types::{DataError, ErrorKind};
use pyo3::create_exception;
use pyo3::exceptions::{
    PyAssertionError, PyAttributeError, PyException, PyIndexError, PyKeyError, PyOSError, PyRuntimeError,
    PyTypeError, PyValueError, PyZeroDivisionError,
};
use pyo3::prelude::*;

use crate::raised;

create_exception!(
    pathway.engine,
    EngineError,
    PyException,
    "The engine failed for a reason that no builtin exception names."
);
create_exception!(
    pathway.engine,
    OtherWorkerError,
    EngineError,
    "The run stopped because another worker or process failed."
);

/// What building an expression was refused for.
pub(crate) fn of_expr(error: ExprError) -> PyErr {
    of_plan(error.into())
}

/// What building the plan was refused for.
pub(crate) fn of_plan(error: PlanError) -> PyErr {
    match error {
        PlanError::Type(text) => PyTypeError::new_err(text),
        PlanError::Value(text) => PyValueError::new_err(text),
        PlanError::Key(text) => PyKeyError::new_err(text),
        PlanError::Attribute(text) => PyAttributeError::new_err(text),
        PlanError::Index(text) => PyIndexError::new_err(text),
        PlanError::Assertion(text) => PyAssertionError::new_err(text),
        PlanError::Runtime(text) => PyRuntimeError::new_err(text),
    }
}

/// The error of a cell that ended a run.
pub(crate) fn of_data(error: &DataError) -> PyErr {
    let text = error.to_string();
    match error.kind {
        ErrorKind::ZeroDivision => PyZeroDivisionError::new_err(text),
        ErrorKind::Parse | ErrorKind::Value => PyValueError::new_err(text),
        ErrorKind::Type => PyTypeError::new_err(text),
        ErrorKind::Index => PyIndexError::new_err(text),
        ErrorKind::Key => PyKeyError::new_err(text),
        ErrorKind::User => error.token.and_then(raised::take).unwrap_or_else(|| EngineError::new_err(text)),
        ErrorKind::Engine => {
            let raised = error.token.and_then(raised::take);
            let error = EngineError::new_err(text);
            if let Some(raised) = raised {
                Python::attach(|py| error.set_cause(py, Some(raised)));
            }
            error
        }
    }
}

/// The failure of a connector that ended a run.
pub(crate) fn of_connector(error: &ConnectorError) -> PyErr {
    let text = error.to_string();
    match error.class {
        FailureClass::Os => PyOSError::new_err(text),
        FailureClass::Value => PyValueError::new_err(text),
        FailureClass::Engine => EngineError::new_err(text),
        FailureClass::User(token) => raised::take(token).unwrap_or_else(|| EngineError::new_err(text)),
    }
}
