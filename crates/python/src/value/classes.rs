//! Python classes that the border works with, imported when the first value needs them.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

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
imported!(/// The classes of wrapped objects, by the names that dtypes have for them.
    py_object_classes, "pathway.internals.dtype_annotation", "PY_OBJECT_CLASSES");
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

macro_rules! instance_test {
    ($(#[$doc:meta])* $name:ident, $module:literal, $class:literal) => {
        $(#[$doc])*
        pub(super) fn $name(object: &Bound<'_, PyAny>) -> bool {
            static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let py = object.py();
            let class = match CLASS.get(py) {
                Some(class) => class,
                None => match if_loaded(py, intern!(py, $module), intern!(py, $class)) {
                    // Lost only if another thread has found it at the same moment.
                    Some(class) => CLASS.get_or_init(py, || class.unbind()),
                    None => return false,
                },
            };
            object.is_instance(class.bind(py)).unwrap_or(false)
        }
    };
}

instance_test!(/// True for `pw.Json`.
    is_json, "pathway.internals.json", "Json");
instance_test!(/// True for `pw.PyObjectWrapper`.
    is_py_object_wrapper, "pathway.internals.py_object", "PyObjectWrapper");
instance_test!(/// True for arrays of numpy.
    is_ndarray, "numpy", "ndarray");
instance_test!(/// True for numpy's moments, whose unit is not part of the value.
    is_datetime64, "numpy", "datetime64");
instance_test!(/// True for numpy's lengths of time.
    is_timedelta64, "numpy", "timedelta64");
instance_test!(/// True for columns of pandas.
    is_series, "pandas", "Series");
instance_test!(/// True for moments of pandas.
    is_timestamp, "pandas", "Timestamp");
instance_test!(/// True for lengths of time of pandas.
    is_timedelta, "pandas", "Timedelta");

/// `module.attribute`, if the module has been imported by somebody already.
///
/// An object of a class of numpy or pandas cannot exist otherwise, so that looking for one never
/// imports these packages.
fn if_loaded<'py>(
    py: Python<'py>,
    module: &Bound<'py, PyString>,
    attribute: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
        Ok::<_, PyErr>(modules.cast_into::<PyDict>()?.unbind())
    });
    let module = modules.ok()?.bind(py).get_item(module).ok()??;
    // A module that is just being imported may not have the class yet.
    module.getattr(attribute).ok()
}

/// True if the object's class itself comes from numpy.
pub(super) fn is_numpy(object: &Bound<'_, PyAny>) -> bool {
    object.get_type().module().is_ok_and(|module| module == "numpy")
}
