//! Dtypes in Python: one object per dtype, so that they compare by identity.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use pathway_types::DType;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::mapping;
use crate::value::Converter;

/// The type of a column's cells. Equal dtypes are one object.
#[pyclass(frozen, module = "pathway._engine", name = "DType")]
pub(crate) struct PyDType(pub(crate) DType);

static INTERNED: Mutex<Option<HashMap<DType, Py<PyDType>>>> = Mutex::new(None);

/// The one object that stands for `dtype`.
pub(crate) fn intern(py: Python<'_>, dtype: &DType) -> PyResult<Py<PyDType>> {
    if let Some(known) = INTERNED.lock().as_ref().and_then(|all| all.get(dtype)) {
        return Ok(known.clone_ref(py));
    }
    // The object is made outside of the lock: allocating it may run the garbage collector, which
    // may run Python code that asks for a dtype itself.
    let object = Py::new(py, PyDType(dtype.clone()))?;
    let mut all = INTERNED.lock();
    let known = all.get_or_insert_default().entry(dtype.clone()).or_insert(object);
    Ok(known.clone_ref(py))
}

type Interned = PyResult<Py<PyDType>>;

#[pymethods]
impl PyDType {
    #[classattr]
    #[pyo3(name = "INT")]
    fn int(py: Python<'_>) -> Interned {
        intern(py, &DType::Int)
    }
    #[classattr]
    #[pyo3(name = "FLOAT")]
    fn float(py: Python<'_>) -> Interned {
        intern(py, &DType::Float)
    }
    #[classattr]
    #[pyo3(name = "BOOL")]
    fn bool(py: Python<'_>) -> Interned {
        intern(py, &DType::Bool)
    }
    #[classattr]
    #[pyo3(name = "STR")]
    fn str(py: Python<'_>) -> Interned {
        intern(py, &DType::Str)
    }
    #[classattr]
    #[pyo3(name = "BYTES")]
    fn bytes(py: Python<'_>) -> Interned {
        intern(py, &DType::Bytes)
    }
    #[classattr]
    #[pyo3(name = "NONE")]
    fn none(py: Python<'_>) -> Interned {
        intern(py, &DType::None)
    }
    #[classattr]
    #[pyo3(name = "ANY")]
    fn any(py: Python<'_>) -> Interned {
        intern(py, &DType::Any)
    }
    #[classattr]
    #[pyo3(name = "JSON")]
    fn json(py: Python<'_>) -> Interned {
        intern(py, &DType::Json)
    }
    #[classattr]
    #[pyo3(name = "ANY_POINTER")]
    fn any_pointer(py: Python<'_>) -> Interned {
        intern(py, &DType::ANY_POINTER)
    }
    #[classattr]
    #[pyo3(name = "DATE_TIME_NAIVE")]
    fn date_time_naive(py: Python<'_>) -> Interned {
        intern(py, &DType::DateTimeNaive)
    }
    #[classattr]
    #[pyo3(name = "DATE_TIME_UTC")]
    fn date_time_utc(py: Python<'_>) -> Interned {
        intern(py, &DType::DateTimeUtc)
    }
    #[classattr]
    #[pyo3(name = "DURATION")]
    fn duration(py: Python<'_>) -> Interned {
        intern(py, &DType::Duration)
    }

    #[staticmethod]
    fn optional(py: Python<'_>, wrapped: &Bound<'_, PyDType>) -> Interned {
        intern(py, &DType::optional(wrapped.get().0.clone()))
    }
    #[staticmethod]
    fn future(py: Python<'_>, wrapped: &Bound<'_, PyDType>) -> Interned {
        intern(py, &DType::future(wrapped.get().0.clone()))
    }
    #[staticmethod]
    #[pyo3(signature = (*args))]
    fn pointer(py: Python<'_>, args: Vec<Bound<'_, PyDType>>) -> Interned {
        intern(py, &DType::pointer(args.iter().map(|a| a.get().0.clone())))
    }
    #[staticmethod]
    #[pyo3(signature = (*members))]
    fn tuple(py: Python<'_>, members: Vec<Bound<'_, PyDType>>) -> Interned {
        intern(py, &DType::tuple(members.iter().map(|m| m.get().0.clone())))
    }
    #[staticmethod]
    fn list(py: Python<'_>, member: &Bound<'_, PyDType>) -> Interned {
        intern(py, &DType::list(member.get().0.clone()))
    }
    #[staticmethod]
    fn array(py: Python<'_>, n_dim: Option<usize>, wrapped: &Bound<'_, PyDType>) -> Interned {
        intern(py, &DType::array(n_dim, wrapped.get().0.clone()))
    }
    #[staticmethod]
    fn py_object(py: Python<'_>, class_name: &str) -> Interned {
        intern(py, &DType::PyObject(Arc::from(class_name)))
    }
    #[staticmethod]
    fn callable(
        py: Python<'_>,
        args: Option<Vec<Bound<'_, PyDType>>>,
        result: &Bound<'_, PyDType>,
    ) -> Interned {
        let args = args.map(|args| args.iter().map(|a| a.get().0.clone()).collect());
        intern(py, &DType::Callable(args, Arc::new(result.get().0.clone())))
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            DType::Int => "int",
            DType::Float => "float",
            DType::Bool => "bool",
            DType::Str => "str",
            DType::Bytes => "bytes",
            DType::None => "none",
            DType::Any => "any",
            DType::Optional(_) => "optional",
            DType::Pointer(_) => "pointer",
            DType::Tuple(_) => "tuple",
            DType::List(_) => "list",
            DType::Array { .. } => "array",
            DType::Json => "json",
            DType::DateTimeNaive => "date_time_naive",
            DType::DateTimeUtc => "date_time_utc",
            DType::Duration => "duration",
            DType::PyObject(_) => "py_object",
            DType::Future(_) => "future",
            DType::Callable(..) => "callable",
        }
    }
    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let args: &[DType] = match &self.0 {
            DType::Pointer(None) => return Ok(None),
            DType::Pointer(Some(args)) | DType::Tuple(args) => args,
            DType::Optional(inner)
            | DType::List(inner)
            | DType::Array { element: inner, .. }
            | DType::Future(inner)
            | DType::Callable(_, inner) => std::slice::from_ref(inner),
            _ => &[],
        };
        let args = args.iter().map(|a| intern(py, a)).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, args).map(Some)
    }
    #[getter]
    fn n_dim(&self) -> Option<usize> {
        match self.0 {
            DType::Array { n_dim, .. } => n_dim,
            _ => None,
        }
    }
    #[getter]
    fn class_name(&self) -> Option<&str> {
        match &self.0 {
            DType::PyObject(class) => Some(class),
            _ => None,
        }
    }

    #[pyo3(signature = (other, int_float_compatible=true))]
    fn is_subtype_of(&self, other: &Bound<'_, PyDType>, int_float_compatible: bool) -> bool {
        self.0.is_subtype_of(&other.get().0, int_float_compatible)
    }
    #[staticmethod]
    fn common_type(py: Python<'_>, left: &Bound<'_, PyDType>, right: &Bound<'_, PyDType>) -> Interned {
        let common = DType::common_type(&left.get().0, &right.get().0);
        intern(py, &common.map_err(|error| PyTypeError::new_err(error.to_string()))?)
    }
    #[staticmethod]
    fn common_type_or_any(py: Python<'_>, left: &Bound<'_, PyDType>, right: &Bound<'_, PyDType>) -> Interned {
        intern(py, &DType::common_type_or_any(&left.get().0, &right.get().0))
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let notation = self.0.to_notation().ok_or_else(|| {
            PyRuntimeError::new_err(format!("{} is not a type that the engine stores", self.0))
        })?;
        py.import("json")?.getattr("loads")?.call1((notation.to_string(),))
    }
    #[staticmethod]
    fn from_dict(notation: &Bound<'_, PyAny>) -> Interned {
        let py = notation.py();
        let notation = mapping::dict(notation)?;
        let text: String = py.import("json")?.getattr("dumps")?.call1((notation,))?.extract()?;
        let parsed = serde_json::from_str(&text)
            .map_err(|error| error.to_string())
            .and_then(|notation| DType::from_notation(&notation).map_err(|error| error.to_string()));
        intern(py, &parsed.map_err(PyValueError::new_err)?)
    }

    /// True if the engine can store `value` in a column of this dtype.
    fn accepts(&self, value: &Bound<'_, PyAny>) -> bool {
        Converter::new(&self.0).cell(value).is_ok()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = py.import("pathway._engine")?.getattr("_restore_dtype")?;
        let call_args = match &self.0 {
            DType::Callable(Some(args), _) => {
                Some(args.iter().map(|a| intern(py, a)).collect::<PyResult<Vec<_>>>()?)
            }
            _ => None,
        };
        let state = (self.kind(), self.args(py)?, self.n_dim(), self.class_name(), call_args);
        Ok((restore, state.into_pyobject(py)?))
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

/// The dtype that `DType.__reduce__` took apart.
#[pyfunction]
#[pyo3(name = "_restore_dtype")]
pub(crate) fn restore_dtype(
    py: Python<'_>,
    kind: &str,
    args: Option<Vec<Bound<'_, PyDType>>>,
    n_dim: Option<usize>,
    class_name: Option<&str>,
    call_args: Option<Vec<Bound<'_, PyDType>>>,
) -> Interned {
    let own = |args: &[Bound<'_, PyDType>]| args.iter().map(|a| a.get().0.clone()).collect::<Arc<[DType]>>();
    let all = args.as_deref().map(own);
    let inner = || {
        let first = all.as_ref().and_then(|all| all.first()).cloned();
        first.ok_or_else(|| PyValueError::new_err(format!("the dtype {kind} needs an argument")))
    };
    let dtype = match kind {
        "int" => DType::Int,
        "float" => DType::Float,
        "bool" => DType::Bool,
        "str" => DType::Str,
        "bytes" => DType::Bytes,
        "none" => DType::None,
        "any" => DType::Any,
        "json" => DType::Json,
        "date_time_naive" => DType::DateTimeNaive,
        "date_time_utc" => DType::DateTimeUtc,
        "duration" => DType::Duration,
        "pointer" => DType::Pointer(all),
        "tuple" => DType::Tuple(all.unwrap_or_default()),
        "optional" => DType::optional(inner()?),
        "list" => DType::list(inner()?),
        "future" => DType::future(inner()?),
        "array" => DType::array(n_dim, inner()?),
        "py_object" => DType::PyObject(Arc::from(class_name.unwrap_or("object"))),
        "callable" => DType::Callable(call_args.as_deref().map(own), Arc::new(inner()?)),
        _ => return Err(PyValueError::new_err(format!("there is no dtype of kind {kind:?}"))),
    };
    intern(py, &dtype)
}
