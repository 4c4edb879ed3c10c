//! Python classes that the border works with, imported when the first value needs them.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

macro_rules! imported {
    ($(#[$doc:meta])* $name:ident, $module:literal, $attribute:literal) => {
        $(#[$doc])*
        pub(super) fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let object = CELL.get_or_try_init(py, || {
                Ok::<_, PyErr>(import(py, $module)?.getattr($attribute)?.unbind())
            })?;
            Ok(object.bind(py))
        }
    };
}

imported!(/// `pw.Json`.
    json, "pathway.internals.json", "Json");
imported!(/// `pw.PyObjectWrapper`.
    py_object_wrapper, "pathway.internals.py_object", "PyObjectWrapper");
imported!(/// Text to a Python value.
    json_loads, "json", "loads");
imported!(/// Object to bytes.
    pickle_dumps, "pickle", "dumps");
imported!(/// Bytes to object.
    pickle_loads, "pickle", "loads");
imported!(/// A moment.
    timestamp, "pandas", "Timestamp");
imported!(/// A length of time.
    timedelta, "pandas", "Timedelta");
imported!(/// A column of moments.
    datetime_index, "pandas", "DatetimeIndex");
imported!(/// A column of lengths of time.
    timedelta_index, "pandas", "TimedeltaIndex");
imported!(/// An array over the memory of a bytearray.
    np_frombuffer, "numpy", "frombuffer");
imported!(/// A contiguous array of a given element type.
    np_ascontiguousarray, "numpy", "ascontiguousarray");

/// The time zone of UTC values, as programs see it.
pub(super) fn tz_utc(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let zone = CELL.get_or_try_init(py, || {
        Ok::<_, PyErr>(import(py, "dateutil.tz")?.getattr("tzutc")?.call0()?.unbind())
    })?;
    Ok(zone.bind(py))
}

fn import<'py>(py: Python<'py>, module: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(module).map_err(|error| {
        let optional = matches!(module, "pandas" | "dateutil.tz");
        if optional && error.is_instance_of::<PyImportError>(py) {
            let help = "dates, times and durations reach Python as pandas objects; \
                        pandas is not installed: pip install 'pathway[pandas]'";
            let clear = PyImportError::new_err(help);
            clear.set_cause(py, Some(error));
            return clear;
        }
        error
    })
}

/// `module.attribute`, if the module has been imported by somebody already.
///
/// An object of a class of numpy or pandas cannot exist otherwise, so that looking for one never
/// imports these packages.
pub(super) fn if_loaded<'py>(
    py: Python<'py>,
    module: &str,
    attribute: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
        Ok::<_, PyErr>(modules.cast_into::<PyDict>()?.unbind())
    })?;
    match modules.bind(py).get_item(module)? {
        Some(module) if !module.is_none() => module.getattr(attribute).map(Some),
        _ => Ok(None),
    }
}

/// True if the object is of the class `module.class`, without importing the module.
pub(super) fn is_instance(object: &Bound<'_, PyAny>, module: &str, class: &str) -> bool {
    let class = if_loaded(object.py(), module, class);
    class.is_ok_and(|class| class.is_some_and(|class| object.is_instance(&class).unwrap_or(false)))
}

/// True if the object's class itself comes from numpy.
pub(super) fn is_numpy(object: &Bound<'_, PyAny>) -> bool {
    let module = |class: &Bound<'_, PyType>| class.module().is_ok_and(|m| m == "numpy");
    module(&object.get_type())
}
