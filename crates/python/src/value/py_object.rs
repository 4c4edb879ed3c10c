//! Wrapped Python objects: serialised bytes here, `pw.PyObjectWrapper` there.
//!
//! The bytes are what the default serialiser (pickle) gave. Two other forms start with a zero byte,
//! which no pickle does: objects of a serialiser of the user's, which carry a reference to it, and
//! objects that cannot be pickled, which stay in this process and are known by a number.

use hashbrown::HashMap;
use parking_lot::Mutex;
use pathway_types::PyObject;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyModule, PyString};

use super::{Rejected, classes};

/// Starts the bytes of an object that stays in this process.
const LOCAL: &[u8] = b"\0pathway-local\0";
/// Pickle protocol of the bytes, which are hashed: it must not depend on the Python version.
const PROTOCOL: u8 = 4;

/// Objects that cannot be pickled, for the life of the process: a value may be anywhere.
static LOCAL_OBJECTS: Mutex<Option<HashMap<u64, Py<PyAny>>>> = Mutex::new(None);

/// The engine's form of a wrapper, or of any other object as if it were wrapped.
pub(super) fn wrap(object: &Bound<'_, PyAny>) -> Result<PyObject, Rejected> {
    serialize(object).map(PyObject::new).map_err(|error| {
        Rejected::object(object, "PyObjectWrapper", &format!("its serializer failed with {error}"))
    })
}

/// True if the object, or what it wraps, is an instance of the class that dtypes call by this name; so is
/// everything where no such class was named in this process.
pub(super) fn is_of(object: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    let py = object.py();
    if class == "object" {
        return Ok(true);
    }
    let Ok(class) = classes::py_object_classes(py)?.get_item(class) else { return Ok(true) };
    match classes::is_py_object_wrapper(object) {
        true => object.getattr(intern!(py, "value"))?.is_instance(&class),
        false => object.is_instance(&class),
    }
}

fn serialize(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let py = object.py();
    if !classes::is_py_object_wrapper(object) {
        return Ok(pickle_or_keep(object));
    }
    let value = object.getattr(intern!(py, "value"))?;
    let serializer = object.getattr(intern!(py, "_serializer"))?;
    if serializer.is_none() {
        return Ok(pickle_or_keep(&value));
    }
    let content = serializer.call_method1(intern!(py, "dumps"), (value,))?;
    let content = match content.cast::<PyString>() {
        Ok(text) => text.to_str()?.as_bytes().to_vec(),
        Err(_) => content.extract::<Vec<u8>>()?,
    };
    // Modules are referred to by name, everything else as pickle does.
    let reference = match serializer.cast::<PyModule>() {
        Ok(module) => (true, module.name()?.into_any()),
        Err(_) => (false, serializer),
    };
    let reference = pickle(reference.into_pyobject(py)?.as_any())?;
    let mut bytes = PyObject::OWN_SERIALIZER.to_vec();
    bytes.extend_from_slice(&(reference.as_bytes().len() as u64).to_le_bytes());
    bytes.extend_from_slice(reference.as_bytes());
    bytes.extend_from_slice(&content);
    Ok(bytes)
}

fn pickle<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(classes::pickle_dumps(object.py())?.call1((object, PROTOCOL))?.cast_into::<PyBytes>()?)
}

fn pickle_or_keep(object: &Bound<'_, PyAny>) -> Vec<u8> {
    if let Ok(bytes) = pickle(object) {
        return bytes.as_bytes().to_vec();
    }
    // One number per object: the address is unique while the object is kept, which is for good.
    let number = object.as_ptr() as u64;
    LOCAL_OBJECTS.lock().get_or_insert_default().insert(number, object.clone().unbind());
    let mut bytes = LOCAL.to_vec();
    bytes.extend_from_slice(&std::process::id().to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

/// The `pw.PyObjectWrapper` of an engine value.
pub(super) fn to_python<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let wrapper = classes::py_object_wrapper(py)?;
    if bytes.starts_with(PyObject::OWN_SERIALIZER) {
        let (reference, content) = PyObject::split(bytes).ok_or_else(broken)?;
        let (is_module, reference): (bool, Bound<'py, PyAny>) =
            classes::pickle_loads(py)?.call1((PyBytes::new(py, reference),))?.extract()?;
        let serializer = if is_module {
            py.import(reference.extract::<String>()?.as_str())?.into_any()
        } else {
            reference
        };
        let value = serializer.call_method1(intern!(py, "loads"), (PyBytes::new(py, content),))?;
        let options = pyo3::types::PyDict::new(py);
        options.set_item(intern!(py, "_serializer"), serializer)?;
        return wrapper.call((value,), Some(&options));
    }
    if let Some(rest) = bytes.strip_prefix(LOCAL) {
        let (process, number) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        let number = u64::from_le_bytes(number.try_into().map_err(|_| broken())?);
        let known = |all: &HashMap<u64, Py<PyAny>>| all.get(&number).map(|object| object.clone_ref(py));
        let object = LOCAL_OBJECTS.lock().as_ref().and_then(known);
        return match object.filter(|_| u32::from_le_bytes(*process) == std::process::id()) {
            Some(object) => wrapper.call1((object,)),
            None => Err(PyValueError::new_err(
                "this wrapped object could not be pickled and belongs to another process; \
                 give pw.wrap_py_object a serializer for it",
            )),
        };
    }
    wrapper.call1((classes::pickle_loads(py)?.call1((PyBytes::new(py, bytes),))?,))
}

/// The text of a wrapped object, if it can be read here.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    Python::try_attach(|py| {
        let value = to_python(py, bytes).ok()?.getattr(intern!(py, "value")).ok()?;
        value.str().ok().map(|text| text.to_string_lossy().into_owned())
    })?
}

fn broken() -> PyErr {
    PyValueError::new_err("the bytes of a wrapped Python object are damaged")
}
