//! One call per batch, with a whole column per argument.
//!
//! Columns cross the border through the PyCapsule interface of Arrow (`__arrow_c_array__` and
//! `__arrow_c_stream__`), which pyarrow, polars and others understand, or through numpy's array
//! interface: no cell is touched on the way in, and none on the way out unless the result comes in
//! another Arrow type than the column's, or as a list of Python objects.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ArrayReader, ArrayRef, BooleanArray, PrimitiveArray, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use pathway_expr::UdfOutcome;
use pathway_types::storage::arrow_type;
use pathway_types::{Column, ColumnBuilder, DType, DataError, ErrorKind};
use pyo3::exceptions::{PyAttributeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyTuple};

use super::{UserFunction, all_failed};
use crate::dtype::{PyDType, intern as intern_dtype};
use crate::raised;
use crate::value::{column_to_list, describe};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// A column of a batch as other libraries read it.
#[pyclass(frozen, module = "pathway._engine", name = "ArrowColumn")]
pub(crate) struct ArrowColumn {
    array: ArrayRef,
    dtype: DType,
}

#[pymethods]
impl ArrowColumn {
    fn __len__(&self) -> usize {
        self.array.len()
    }
    fn __repr__(&self) -> String {
        format!("ArrowColumn({}, {} rows)", self.array.data_type(), self.array.len())
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
        let (array, schema) = to_ffi(&self.array.to_data()).map_err(arrow_error)?;
        let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
        Ok((schema, PyCapsule::new_with_value(py, array, ARRAY)?))
    }
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.array.data_type()).map_err(arrow_error)?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }
    /// The values as numpy sees them, without a copy and read-only; what stands for None is undefined.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let typestr = match self.array.data_type() {
            DataType::Int64 => "<i8",
            DataType::Float64 => "<f8",
            DataType::Timestamp(TimeUnit::Nanosecond, _) => "<M8[ns]",
            DataType::Duration(TimeUnit::Nanosecond) => "<m8[ns]",
            other => {
                return Err(PyAttributeError::new_err(format!("an array of {other} is no numpy array")));
            }
        };
        let data = self.array.to_data();
        let address = data.buffers()[0].as_ptr() as usize + 8 * data.offset();
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", (self.array.len(),))?;
        interface.set_item("typestr", typestr)?;
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }
    /// One byte for each row, 1 where it is None; nothing if no row is.
    fn nulls<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let nulls = self.array.logical_nulls().filter(|nulls| nulls.null_count() > 0)?;
        let bytes: Vec<u8> = nulls.iter().map(|valid| u8::from(!valid)).collect();
        Some(PyBytes::new(py, &bytes))
    }
    /// The dtype of the column.
    #[getter]
    fn dtype(&self, py: Python<'_>) -> PyResult<Py<PyDType>> {
        intern_dtype(py, &self.dtype)
    }
    /// One byte for each row of a column of booleans.
    fn flags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let Some(flags) = self.array.as_any().downcast_ref::<BooleanArray>() else {
            return Err(PyTypeError::new_err(format!("{} are no flags", self.array.data_type())));
        };
        let bytes: Vec<u8> = flags.values().iter().map(u8::from).collect();
        Ok(PyBytes::new(py, &bytes))
    }
    /// The cells as Python objects.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        column_to_list(py, &Column::new(self.array.clone()), &self.dtype)
    }
    /// A column of plain values: `i8`, `f8`, `M8[ns]`, `M8[ns, UTC]` and `m8[ns]` of 8 bytes each, `b1`
    /// of one.
    /// `nulls` has one byte for each row, not 0 where the value is None.
    #[staticmethod]
    #[pyo3(signature = (kind, values, nulls=None))]
    fn plain(kind: &str, values: &[u8], nulls: Option<&[u8]>) -> PyResult<Self> {
        let rows = if kind == "b1" { values.len() } else { values.len() / 8 };
        if nulls.is_some_and(|nulls| nulls.len() != rows) || kind != "b1" && !values.len().is_multiple_of(8) {
            return Err(PyValueError::new_err("values and nulls differ in length"));
        }
        let nulls: Option<NullBuffer> = nulls.map(|nulls| nulls.iter().map(|null| *null == 0).collect());
        let (array, dtype): (ArrayRef, DType) = match kind {
            "i8" => (plain::<arrow_array::types::Int64Type>(values, nulls), DType::Int),
            "f8" => (plain::<arrow_array::types::Float64Type>(values, nulls), DType::Float),
            "M8[ns]" => {
                (plain::<arrow_array::types::TimestampNanosecondType>(values, nulls), DType::DateTimeNaive)
            }
            "M8[ns, UTC]" => {
                let dtype = DType::DateTimeUtc;
                let array = plain::<arrow_array::types::TimestampNanosecondType>(values, nulls);
                let array = arrow_cast::cast(&array, &arrow_type(&dtype)).map_err(arrow_error)?;
                (array, dtype)
            }
            "m8[ns]" => (plain::<arrow_array::types::DurationNanosecondType>(values, nulls), DType::Duration),
            "b1" => {
                let bits: BooleanBuffer = values.iter().map(|value| *value != 0).collect();
                (Arc::new(BooleanArray::new(bits, nulls)), DType::Bool)
            }
            _ => return Err(PyValueError::new_err(format!("{kind:?} is not the kind of a plain column"))),
        };
        Ok(ArrowColumn { array, dtype })
    }
}

fn plain<T: ArrowPrimitiveType>(values: &[u8], nulls: Option<NullBuffer>) -> ArrayRef {
    let values = ScalarBuffer::<T::Native>::from(Buffer::from(values));
    Arc::new(PrimitiveArray::<T>::new(values, nulls))
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
        let outcome = result(py, udf, arguments, start, len)
            .unwrap_or_else(|error| all_failed(&udf.return_type, len, &raised::data_error(py, error)));
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
) -> PyResult<UdfOutcome> {
    let arguments = arguments
        .iter()
        .map(|(column, dtype)| ArrowColumn { array: column.array().slice(start, len), dtype: dtype.clone() });
    let result = udf.function.bind(py).call1(PyTuple::new(py, arguments)?)?;
    let has_length = |found: usize| match found == len {
        true => Ok(()),
        false => Err(PyValueError::new_err(format!(
            "the function {} was given {len} rows and returned {found}: one result per row is needed, in order",
            udf.name
        ))),
    };
    if let Ok(list) = result.cast::<PyList>() {
        has_length(list.len())?;
        return Ok(objects(udf, list));
    }
    let array = match result.cast_exact::<ArrowColumn>() {
        Ok(column) => column.get().array.clone(),
        Err(_) => import(&result).map_err(|error| {
            let text = format!("the result of the function {} is no array: {error}", udf.name);
            PyTypeError::new_err(text)
        })?,
    };
    has_length(array.len())?;
    let wanted = arrow_type(&udf.return_type);
    if *array.data_type() == wanted {
        return Ok(checked(udf, array));
    }
    if !converts(array.data_type(), &udf.return_type) {
        return Err(PyTypeError::new_err(format!(
            "the function {} returned an array of {}; a column of type {} needs {wanted}",
            udf.name,
            array.data_type(),
            udf.return_type
        )));
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    Ok(checked(udf, cast_with_options(&array, &wanted, &exact).map_err(arrow_error)?))
}

/// One Python object per row.
fn objects(udf: &UserFunction, list: &Bound<'_, PyList>) -> UdfOutcome {
    let mut column = ColumnBuilder::new(&udf.return_type, list.len());
    let mut causes = Vec::new();
    for (row, object) in list.iter().enumerate() {
        if let Err(rejected) = udf.converter.push(&object, &mut column) {
            causes.push((row as u32, raised::data_error(list.py(), rejected.into())));
        }
    }
    UdfOutcome { column: column.finish(), causes }
}

/// An array of another library.
fn import(object: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let py = object.py();
    if let Some(method) = object.getattr_opt(intern!(py, "__arrow_c_array__"))? {
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = method.call0()?.extract()?;
        let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
        let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
        // SAFETY: capsules of these names hold these structs (the PyCapsule interface of Arrow). The
        // array is moved out, which the interface asks of a consumer: what stays behind is marked as
        // released. Both capsules are alive here.
        let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) };
        return Ok(make_array(data.map_err(arrow_error)?));
    }
    if let Some(method) = object.getattr_opt(intern!(py, "__arrow_c_stream__"))? {
        let capsule: Bound<'_, PyCapsule> = method.call0()?.extract()?;
        let stream = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule of this name holds this struct, which is moved out as the interface asks;
        // the capsule is alive here.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr()) };
        return read_stream(stream);
    }
    Err(PyTypeError::new_err(format!(
        "{}: it has neither of the methods __arrow_c_array__ and __arrow_c_stream__",
        describe(object)
    )))
}

/// All arrays of a stream, one after another.
fn read_stream(stream: FFI_ArrowArrayStream) -> PyResult<ArrayRef> {
    let reader = ArrayStreamReader::try_new(stream).map_err(arrow_error)?;
    let dtype = reader.field().data_type().clone();
    let arrays = reader.collect::<Result<Vec<_>, _>>().map_err(arrow_error)?;
    match arrays.as_slice() {
        [] => Ok(arrow_array::new_empty_array(&dtype)),
        [one] => Ok(one.clone()),
        many => {
            let columns: Vec<Column> = many.iter().map(|array| Column::new(array.clone())).collect();
            Ok(Column::concat(&columns.iter().collect::<Vec<_>>()).array().clone())
        }
    }
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
