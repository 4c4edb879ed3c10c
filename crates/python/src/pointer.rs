//! Row ids in Python: the class `Pointer` and the functions that make one.

use pathway_types::Key;
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyGenericAlias, PyTuple, PyType};

use crate::value::natural_value;

/// The id of a row: a 128-bit key, comparable and hashable. `int(p)` is the key, `str(p)` its text
/// form. `Pointer[int]` in an annotation names the dtypes of the hashed values.
#[pyclass(frozen, module = "pathway.engine", name = "Pointer")]
#[derive(Clone, Copy)]
pub(crate) struct PyPointer(pub(crate) Key);

#[pymethods]
impl PyPointer {
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast_exact::<PyPointer>() else { return Ok(py.NotImplemented()) };
        Ok(op.matches(self.0.cmp(&other.get().0)).into_pyobject(py)?.to_owned().into_any().unbind())
    }
    fn __hash__(&self) -> u64 {
        (self.0.0 >> 64) as u64 ^ self.0.0 as u64
    }
    fn __int__(&self) -> u128 {
        self.0.0
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("Pointer(\"{}\")", self.0)
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (u128,))> {
        let make = py.import("pathway._engine")?.getattr("unsafe_make_pointer")?;
        Ok((make, (self.0.0,)))
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        arguments: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        let arguments = match arguments.cast::<PyTuple>() {
            Ok(tuple) => tuple.clone(),
            Err(_) => PyTuple::new(cls.py(), [arguments])?,
        };
        PyGenericAlias::new(cls.py(), cls.as_any(), arguments.as_any())
    }
}

/// The pointer whose integer value is `value`.
#[pyfunction]
pub(crate) fn unsafe_make_pointer(value: u128) -> PyPointer {
    PyPointer(Key(value))
}

/// The pointer with this text form (`^` and 26 characters).
#[pyfunction]
pub(crate) fn parse_pointer(text: &str) -> PyResult<PyPointer> {
    Key::parse(text).map(PyPointer).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{text:?} is not a pointer: expected ^ followed by 26 characters of 0-9 and A-Z without I, L, O, U"
        ))
    })
}

/// The key of values, in their order; with `optional`, None where one of them is None.
#[pyfunction]
#[pyo3(signature = (*values, optional=false))]
pub(crate) fn ref_scalar(values: Vec<Bound<'_, PyAny>>, optional: bool) -> PyResult<Option<PyPointer>> {
    key_of(&values, None, optional)
}

/// The key of values on the shard of `instance`, which is hashed last.
#[pyfunction]
#[pyo3(signature = (*values, instance, optional=false))]
pub(crate) fn ref_scalar_with_instance(
    values: Vec<Bound<'_, PyAny>>,
    instance: Bound<'_, PyAny>,
    optional: bool,
) -> PyResult<Option<PyPointer>> {
    key_of(&values, Some(&instance), optional)
}

fn key_of(
    values: &[Bound<'_, PyAny>],
    instance: Option<&Bound<'_, PyAny>>,
    optional: bool,
) -> PyResult<Option<PyPointer>> {
    if optional && values.iter().chain(instance).any(|value| value.is_none()) {
        return Ok(None);
    }
    let values = values.iter().map(natural_value).collect::<Result<Vec<_>, _>>()?;
    let key = match instance {
        None => Key::of(&values),
        Some(instance) => Key::with_instance(&values, &natural_value(instance)?),
    };
    key.map(|key| Some(PyPointer(key))).ok_or_else(unhashable)
}

pub(crate) fn unhashable() -> PyErr {
    PyValueError::new_err("Error and Pending are not values: no row has a key made of them")
}
