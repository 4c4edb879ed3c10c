//! User functions: called once per batch, with the interpreter lock taken once.
//!
//! * `rows`: one call per row, driven by Python's own `map` over the argument columns
//! * `batches`: one call per batch of rows with a list per argument
//! * `arrow`: one call per batch with an Arrow array per argument

mod arrow;
mod batches;
mod rows;

pub(crate) use arrow::ArrowColumn;
use pathway_expr::{Callee, Udf, UdfOutcome};
use pathway_types::{Column, DType, DataError, Key};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::attach;
use crate::code::Code;
use crate::dtype::PyDType;
use crate::later::PyCallee;
use crate::value::Converter;

/// A user function with its name, result type and way of being called.
#[derive(Debug)]
pub(crate) struct UserFunction {
    function: Code,
    name: String,
    return_type: DType,
    converter: Converter,
    deterministic: bool,
    propagate_none: bool,
    mode: Mode,
    max_batch_size: usize,
    callee: Option<std::sync::Arc<dyn Callee>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Rows,
    Batches,
    Arrow,
}

impl Udf for UserFunction {
    fn name(&self) -> &str {
        &self.name
    }
    fn return_type(&self) -> &DType {
        &self.return_type
    }
    fn is_deterministic(&self) -> bool {
        self.deterministic
    }
    fn propagates_none(&self) -> bool {
        self.propagate_none
    }
    fn later(&self) -> Option<std::sync::Arc<dyn Callee>> {
        self.callee.clone()
    }
    fn call(&self, arguments: &[(Column, DType)], _keys: &[Key], rows: usize) -> UdfOutcome {
        let outcome = attach::attached(|py| match self.mode {
            Mode::Rows => rows::call(py, self, arguments, rows),
            Mode::Batches => batches::call(py, self, arguments, rows),
            Mode::Arrow => arrow::call(py, self, arguments, rows),
        });
        // Only an interpreter that is shutting down does not let itself be entered.
        outcome.unwrap_or_else(|| {
            let gone =
                DataError::new(pathway_types::ErrorKind::Engine, "the Python interpreter is shutting down");
            all_failed(&self.return_type, rows, &gone)
        })
    }
}

/// Every row failed for one reason.
fn all_failed(dtype: &DType, rows: usize, cause: &DataError) -> UdfOutcome {
    let causes = (0..rows as u32).map(|row| (row, cause.clone())).collect();
    UdfOutcome { column: Column::all_errors(dtype, rows), causes }
}

/// A user function.
#[pyclass(frozen, module = "pathway._engine", name = "Udf")]
pub(crate) struct PyUdf(pub(crate) std::sync::Arc<UserFunction>);

#[pymethods]
impl PyUdf {
    #[new]
    #[pyo3(signature = (r#fn, name, return_type, *, deterministic, propagate_none, mode="row", max_batch_size=None, callee=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        r#fn: Py<PyAny>,
        name: String,
        return_type: &Bound<'_, PyDType>,
        deterministic: bool,
        propagate_none: bool,
        mode: &str,
        max_batch_size: Option<usize>,
        callee: Option<&Bound<'_, PyCallee>>,
    ) -> PyResult<Self> {
        let mode = match mode {
            "row" => Mode::Rows,
            "batch" => Mode::Batches,
            "arrow" => Mode::Arrow,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "mode has to be row, batch or arrow, not {mode:?}"
                )));
            }
        };
        if max_batch_size == Some(0) {
            return Err(PyValueError::new_err("max_batch_size has to be at least 1"));
        }
        let return_type = return_type.get().0.clone();
        let converter = Converter::new(&return_type);
        let max_batch_size = max_batch_size.unwrap_or(usize::MAX);
        let function = r#fn;
        Ok(PyUdf(std::sync::Arc::new(UserFunction {
            function: function.into(),
            name,
            return_type,
            converter,
            deterministic,
            propagate_none,
            mode,
            max_batch_size,
            callee: callee.map(|callee| callee.get().0.clone()),
        })))
    }
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }
    fn __repr__(&self) -> String {
        format!("Udf({} -> {})", self.0.name, self.0.return_type)
    }
}
