//! One call per batch, with an Arrow array per argument.
//!
//! Arrays cross the border through the PyCapsule interface (`__arrow_c_array__`), which pyarrow,
//! polars and others understand: no cell is touched on the way in, and none on the way out unless
//! the result comes in another Arrow type than the column's.

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, ArrayRef, make_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};
use pathway_expr::UdfOutcome;
use pathway_types::storage::arrow_type;
use pathway_types::{Column, DType, DataError, ErrorKind};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use super::{UserFunction, all_failed};
use crate::raised;
use crate::value::describe;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// A column of a batch as other Arrow libraries read it.
#[pyclass(frozen, module = "pathway._engine", name = "ArrowColumn")]
pub(crate) struct ArrowColumn(ArrayRef);

#[pymethods]
impl ArrowColumn {
    fn __len__(&self) -> usize {
        self.0.len()
    }
    /// The array in Arrow's C data interface; always in its own type.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface lets a producer ignore a request that it cannot serve without a conversion.
        let _ = requested_schema;
        let (array, schema) = to_ffi(&self.0.to_data()).map_err(arrow_error)?;
        let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
        Ok((schema, PyCapsule::new_with_value(py, array, ARRAY)?))
    }
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.data_type()).map_err(arrow_error)?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }
}

fn arrow_error(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub(super) fn call(
    py: Python<'_>,
    udf: &UserFunction,
    arguments: &[(Column, DType)],
    rows: usize,
) -> UdfOutcome {
    let mut columns: Vec<Column> = Vec::new();
    let mut causes: Vec<(u32, DataError)> = Vec::new();
    let mut start = 0;
    while start < rows {
        let len = udf.max_batch_size.min(rows - start);
        let outcome = match result(py, udf, arguments, start, len) {
            Ok(array) => checked(udf, array),
            Err(error) => all_failed(&udf.return_type, len, &raised::data_error(py, error)),
        };
        causes.extend(outcome.causes.into_iter().map(|(row, cause)| (row + start as u32, cause)));
        columns.push(outcome.column);
        start += len;
    }
    let column = match columns.as_slice() {
        [] => Column::nulls(&udf.return_type, 0),
        [one] => one.clone(),
        many => Column::concat(&many.iter().collect::<Vec<_>>()),
    };
    UdfOutcome { column, causes }
}

fn result(
    py: Python<'_>,
    udf: &UserFunction,
    arguments: &[(Column, DType)],
    start: usize,
    len: usize,
) -> PyResult<ArrayRef> {
    let arguments = arguments.iter().map(|(column, _)| ArrowColumn(column.array().slice(start, len)));
    let result = udf.function.bind(py).call1(PyTuple::new(py, arguments)?)?;
    let array = import(&result).map_err(|error| {
        let text = format!("the result of the function {} is no Arrow array: {error}", udf.name);
        PyTypeError::new_err(text)
    })?;
    if array.len() != len {
        return Err(PyValueError::new_err(format!(
            "the function {} was given {len} rows and returned {}: one result per row is needed, in order",
            udf.name,
            array.len()
        )));
    }
    let wanted = arrow_type(&udf.return_type);
    if *array.data_type() == wanted {
        return Ok(array);
    }
    if !converts(array.data_type(), &udf.return_type) {
        return Err(PyTypeError::new_err(format!(
            "the function {} returned an Arrow array of {}; a column of type {} needs {wanted}",
            udf.name,
            array.data_type(),
            udf.return_type
        )));
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&array, &wanted, &exact).map_err(arrow_error)
}

/// An array of another library.
fn import(object: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let py = object.py();
    let name = intern!(py, "__arrow_c_array__");
    let Some(method) = object.getattr_opt(name)? else {
        let hint = "it has no method __arrow_c_array__; chunked arrays have to be combined first";
        return Err(PyTypeError::new_err(format!("{}: {hint}", describe(object))));
    };
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = method.call0()?.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold these structs (the PyCapsule interface of Arrow). The
    // array is moved out, which the interface asks of a consumer: what stays behind is marked as
    // released. Both capsules are alive here.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) };
    Ok(make_array(data.map_err(arrow_error)?))
}

/// True if cells of this Arrow type stand for values of the dtype, so that only the layout differs.
fn converts(from: &DataType, to: &DType) -> bool {
    use DataType as Arrow;
    match to {
        DType::Optional(inner) | DType::Future(inner) => *from == Arrow::Null || converts(from, inner),
        DType::Int => from.is_integer(),
        DType::Float => from.is_integer() || from.is_floating(),
        DType::Bool => *from == Arrow::Boolean,
        DType::Str | DType::Json => matches!(from, Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View),
        DType::Bytes => {
            matches!(from, Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_))
        }
        DType::DateTimeNaive => matches!(from, Arrow::Timestamp(_, None)),
        DType::DateTimeUtc => matches!(from, Arrow::Timestamp(_, Some(_))),
        DType::Duration => matches!(from, Arrow::Duration(_)),
        DType::List(member) if !to.is_any_tuple() => match from {
            Arrow::List(field) | Arrow::LargeList(field) | Arrow::FixedSizeList(field, _) => {
                converts(field.data_type(), member)
            }
            _ => false,
        },
        _ => false,
    }
}

/// The array as a column; None where the dtype has no None is an error.
fn checked(udf: &UserFunction, array: ArrayRef) -> UdfOutcome {
    let dtype = &udf.return_type;
    if dtype.admits_none() || array.null_count() == 0 {
        return UdfOutcome { column: Column::new(array), causes: Vec::new() };
    }
    let missing = array.nulls().map(|nulls| !nulls.inner());
    let cause = DataError::new(
        ErrorKind::Type,
        format!("{dtype} cannot hold None: declare the result of {} as Optional({dtype})", udf.name),
    );
    let rows = missing.iter().flat_map(|mask| mask.set_indices());
    let causes = rows.map(|row| (row as u32, cause.clone())).collect();
    UdfOutcome { column: Column::with_errors(array, missing), causes }
}

#[cfg(test)]
mod tests;
