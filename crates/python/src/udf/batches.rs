//! One call per batch, with a list per argument.

use pathway_expr::UdfOutcome;
use pathway_types::{Column, ColumnBuilder, DType, DataError};
use pyo3::exceptions::{PyBaseException, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::UserFunction;
use crate::raised;
use crate::value::{column_to_list, describe, is_flat_array};

pub(super) fn call(
    py: Python<'_>,
    udf: &UserFunction,
    arguments: &[(Column, DType)],
    rows: usize,
) -> UdfOutcome {
    let mut column = ColumnBuilder::new(&udf.return_type, rows);
    let mut causes: Vec<(u32, DataError)> = Vec::new();
    let mut start = 0;
    while start < rows {
        let len = udf.max_batch_size.min(rows - start);
        match results(py, udf, arguments, start, len) {
            Ok(results) => {
                for result in results.iter() {
                    let row = column.len() as u32;
                    if result.is_instance_of::<PyBaseException>() {
                        // The failure of this row alone.
                        column.push_error();
                        causes.push((row, raised::data_error(py, PyErr::from_value(result))));
                    } else if let Err(rejected) = udf.converter.push(&result, &mut column) {
                        causes.push((row, raised::data_error(py, rejected.into())));
                    }
                }
            }
            Err(error) => {
                let cause = raised::data_error(py, error);
                for row in start..start + len {
                    column.push_error();
                    causes.push((row as u32, cause.clone()));
                }
            }
        }
        start += len;
    }
    UdfOutcome { column: column.finish(), causes }
}

fn results<'py>(
    py: Python<'py>,
    udf: &UserFunction,
    arguments: &[(Column, DType)],
    start: usize,
    len: usize,
) -> PyResult<Bound<'py, PyList>> {
    let lists = arguments.iter().map(|(column, dtype)| column_to_list(py, &column.slice(start, len), dtype));
    let lists = PyTuple::new(py, lists.collect::<PyResult<Vec<_>>>()?)?;
    let result = udf.function.bind(py).call1(lists)?;
    let results = if is_flat_array(&result) {
        // Its elements as Python objects, by numpy.
        result.call_method0(intern!(py, "tolist"))?.cast_into::<PyList>()?
    } else if let Ok(list) = result.cast::<PyList>() {
        list.clone()
    } else if result.is_instance_of::<PyString>() {
        return Err(no_sequence(udf, &result));
    } else {
        let items = result.try_iter().map_err(|_| no_sequence(udf, &result))?;
        PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?
    };
    if results.len() != len {
        return Err(PyValueError::new_err(format!(
            "the batch function {} was given {len} rows and returned {} results: one per row is needed, in order",
            udf.name,
            results.len()
        )));
    }
    Ok(results)
}

fn no_sequence(udf: &UserFunction, result: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!(
        "the batch function {} has to return a sequence with one result per row, not {}",
        udf.name,
        describe(result)
    ))
}
