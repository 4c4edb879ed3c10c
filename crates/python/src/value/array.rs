//! n-dimensional arrays: flat elements and a shape here, `numpy.ndarray` there.

use std::sync::Arc;

use pathway_types::{DType, NdArray, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyTuple};

use super::{Rejected, classes};

/// An array for a column of `dtype`, which is `Array(n_dim, element)`.
pub(super) fn from_python(
    object: &Bound<'_, PyAny>,
    dtype: &DType,
    n_dim: Option<usize>,
    element: &DType,
) -> Result<Value, Rejected> {
    let refuse = |hint: &str| Rejected::object(object, dtype, hint);
    let array = if classes::is_ndarray(object) {
        object.clone()
    } else if classes::is_series(object) {
        object.call_method0(intern!(object.py(), "to_numpy")).map_err(|_| refuse(""))?
    } else {
        return Err(refuse("a numpy.ndarray is needed"));
    };
    let shape = shape(&array).map_err(|_| refuse(""))?;
    if n_dim.is_some_and(|n| n != shape.len()) {
        return Err(refuse(&format!("it has {} dimensions", shape.len())));
    }
    let value = match (kind(&array), element) {
        (Some(Kind::Int), DType::Float) | (Some(Kind::Float), DType::Float | DType::Any) => {
            floats(&array, shape)
        }
        (Some(Kind::Int), _) => ints(&array, shape),
        (Some(Kind::Float), _) => return Err(refuse("its elements are floats")),
        (None, _) => return Err(refuse("its elements are neither integers nor floats")),
    };
    value.map_err(|_| refuse("its elements do not fit 64 bits"))
}

/// An array of any numeric element type, where none was declared.
pub(super) fn natural(array: &Bound<'_, PyAny>) -> Result<Value, Rejected> {
    from_python(array, &DType::array(None, DType::Any), None, &DType::Any)
}

/// True for arrays that stay arrays where no dtype was declared: of 64-bit integers and of floats.
pub(super) fn is_array_kind(array: &Bound<'_, PyAny>) -> bool {
    match kind(array) {
        Some(Kind::Float) => true,
        Some(Kind::Int) => array
            .getattr(intern!(array.py(), "dtype"))
            .and_then(|dtype| dtype.getattr(intern!(array.py(), "char"))?.extract::<String>())
            .is_ok_and(|code| matches!(code.as_str(), "i" | "I" | "l" | "q")),
        None => false,
    }
}

/// True for a one-dimensional array of numbers or booleans, whose elements `tolist` gives at once.
pub(crate) fn is_flat_array(object: &Bound<'_, PyAny>) -> bool {
    let py = object.py();
    let is_flat = || {
        let dimensions: usize = object.getattr(intern!(py, "ndim"))?.extract()?;
        let dtype = object.getattr(intern!(py, "dtype"))?;
        let kind: String = dtype.getattr(intern!(py, "kind"))?.extract()?;
        Ok::<_, PyErr>(dimensions == 1 && matches!(kind.as_str(), "i" | "u" | "f" | "b"))
    };
    classes::is_ndarray(object) && is_flat().unwrap_or(false)
}

enum Kind {
    Int,
    Float,
}

fn kind(array: &Bound<'_, PyAny>) -> Option<Kind> {
    let py = array.py();
    let dtype = array.getattr(intern!(py, "dtype")).ok()?;
    match dtype.getattr(intern!(py, "kind")).ok()?.extract::<String>().ok()?.as_str() {
        "i" | "u" => Some(Kind::Int),
        "f" => Some(Kind::Float),
        _ => None,
    }
}

fn shape(array: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    array.getattr(intern!(array.py(), "shape"))?.extract()
}

/// The array's elements as the bytes of a contiguous array of `element`.
fn contiguous<'py>(array: &Bound<'py, PyAny>, element: &str) -> PyResult<Bound<'py, PyBytes>> {
    let py = array.py();
    let array = classes::np_ascontiguousarray(py)?.call1((array, element))?;
    Ok(array.call_method0(intern!(py, "tobytes"))?.cast_into::<PyBytes>()?)
}

fn ints(array: &Bound<'_, PyAny>, shape: Vec<usize>) -> PyResult<Value> {
    let py = array.py();
    let unsigned_long = array.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "char"))?;
    if matches!(unsigned_long.extract::<String>()?.as_str(), "L" | "Q") && shape.iter().product::<usize>() > 0
    {
        // The conversion below would wrap around.
        array.call_method0(intern!(py, "max"))?.extract::<i64>()?;
    }
    let bytes = contiguous(array, "int64")?;
    let elements = bytes.as_bytes().chunks_exact(8);
    let elements: Vec<i64> = elements.map(|b| i64::from_ne_bytes(b.try_into().unwrap_or_default())).collect();
    Ok(NdArray::new(shape, elements).map_or(Value::Error, |a| Value::IntArray(Arc::new(a))))
}

fn floats(array: &Bound<'_, PyAny>, shape: Vec<usize>) -> PyResult<Value> {
    let bytes = contiguous(array, "float64")?;
    let elements = bytes.as_bytes().chunks_exact(8);
    let elements: Vec<f64> = elements.map(|b| f64::from_ne_bytes(b.try_into().unwrap_or_default())).collect();
    Ok(NdArray::new(shape, elements).map_or(Value::Error, |a| Value::FloatArray(Arc::new(a))))
}

/// A writeable array of 64-bit integers.
pub(super) fn ints_to_python<'py>(py: Python<'py>, array: &NdArray<i64>) -> PyResult<Bound<'py, PyAny>> {
    let bytes: Vec<u8> = array.elements().iter().flat_map(|v| v.to_ne_bytes()).collect();
    to_python(py, &bytes, "int64", array.shape())
}

/// A writeable array of doubles.
pub(super) fn floats_to_python<'py>(py: Python<'py>, array: &NdArray<f64>) -> PyResult<Bound<'py, PyAny>> {
    let bytes: Vec<u8> = array.elements().iter().flat_map(|v| v.to_ne_bytes()).collect();
    to_python(py, &bytes, "float64", array.shape())
}

fn to_python<'py>(
    py: Python<'py>,
    bytes: &[u8],
    element: &str,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    // The array owns the bytearray, whose memory may be written to.
    let memory = PyByteArray::new(py, bytes);
    let options = PyDict::new(py);
    options.set_item(intern!(py, "dtype"), element)?;
    let flat = classes::np_frombuffer(py)?.call((memory,), Some(&options))?;
    match shape {
        [_] => Ok(flat),
        _ => flat.call_method1(intern!(py, "reshape"), (PyTuple::new(py, shape)?,)),
    }
}
