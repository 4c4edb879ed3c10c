//! One call per row.
//!
//! The argument columns become lists and Python's own `map` walks them: a row then costs the call
//! itself, two or three reference counts and the conversion of the result.

use pathway_expr::UdfOutcome;
use pathway_types::{Column, ColumnBuilder, DType, DataError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyTuple};

use super::{UserFunction, all_failed};
use crate::attach::RunEnded;
use crate::raised;
use crate::value::column_to_list;

/// Rows whose arguments exist as Python objects at one time.
const CHUNK: usize = 4096;

pub(super) fn call(
    py: Python<'_>,
    udf: &UserFunction,
    arguments: &[(Column, DType)],
    rows: usize,
) -> UdfOutcome {
    let mut results = Results { udf, column: ColumnBuilder::new(&udf.return_type, rows), causes: Vec::new() };
    let mut start = 0;
    while start < rows {
        let len = CHUNK.min(rows - start);
        let called = match arguments {
            [] => results.call_without_arguments(py, len),
            _ => results.map_chunk(py, arguments, start, len),
        };
        if let Err(error) = called {
            // The run was interrupted, or the arguments cannot be Python objects (pandas is missing, say).
            return all_failed(&udf.return_type, rows, &raised::data_error(py, error));
        }
        start += len;
    }
    UdfOutcome { column: results.column.finish(), causes: results.causes }
}

struct Results<'a> {
    udf: &'a UserFunction,
    column: ColumnBuilder,
    causes: Vec<(u32, DataError)>,
}

impl Results<'_> {
    fn map_chunk(
        &mut self,
        py: Python<'_>,
        arguments: &[(Column, DType)],
        start: usize,
        len: usize,
    ) -> PyResult<()> {
        let mut map_arguments = Vec::with_capacity(arguments.len() + 1);
        map_arguments.push(self.udf.function.bind(py).clone());
        for (column, dtype) in arguments {
            map_arguments.push(column_to_list(py, &column.slice(start, len), dtype)?.into_any());
        }
        let map = map_class(py)?.call1(PyTuple::new(py, map_arguments)?)?;
        let mut results: Bound<'_, PyIterator> = map.cast_into()?;
        for _ in 0..len {
            self.push(py, results.next().unwrap_or_else(|| Err(stop_iteration())))?;
        }
        Ok(())
    }

    fn call_without_arguments(&mut self, py: Python<'_>, len: usize) -> PyResult<()> {
        let function = self.udf.function.bind(py);
        (0..len).try_for_each(|_| self.push(py, function.call0()))
    }

    /// Takes the result of a call; an error only if no more calls are to be made.
    #[inline]
    fn push(&mut self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> PyResult<()> {
        match result {
            Ok(object) => {
                if let Err(rejected) = self.udf.converter.push(&object, &mut self.column) {
                    self.causes.push((self.column.len() as u32 - 1, raised::data_error(py, rejected.into())));
                }
            }
            Err(error) if error.is_instance_of::<RunEnded>(py) => return Err(error),
            Err(error) => {
                self.column.push_error();
                self.causes.push((self.column.len() as u32 - 1, raised::data_error(py, error)));
            }
        }
        Ok(())
    }
}

/// `map` takes a StopIteration of the function for the end of its input, and loses the object.
fn stop_iteration() -> PyErr {
    pyo3::exceptions::PyStopIteration::new_err("raised by the function")
}

fn map_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MAP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MAP.import(py, "builtins", "map")
}
