//! JSON values: compact text here, `pw.Json` there.

mod parse;

use std::fmt::Write;

use pathway_types::JsonText;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::{MAX_DEPTH, Rejected, classes, datetime, describe};

/// The JSON value of a Python object: None, booleans, numbers, text, dicts, lists, tuples, `pw.Json`
/// and moments, nested as they like.
pub(super) fn from_python(object: &Bound<'_, PyAny>) -> Result<JsonText, Rejected> {
    let mut text = String::new();
    write(object, &mut text, 0)?;
    Ok(JsonText::from_compact(text))
}

fn refuse(object: &Bound<'_, PyAny>, hint: &str) -> Rejected {
    Rejected::object(object, "Json", hint)
}

fn write(object: &Bound<'_, PyAny>, text: &mut String, depth: u32) -> Result<(), Rejected> {
    if depth > MAX_DEPTH {
        return Err(Rejected::value_error(format!("JSON values nest deeper than {MAX_DEPTH} levels")));
    }
    if object.is_none() {
        text.push_str("null");
    } else if let Ok(value) = object.cast::<PyBool>() {
        text.push_str(if value.is_true() { "true" } else { "false" });
    } else if object.is_instance_of::<PyInt>() {
        integer(object, text)?;
    } else if let Ok(value) = object.cast::<PyFloat>() {
        float(object, value.value(), text)?;
    } else if let Ok(value) = object.cast::<PyString>() {
        string(value, text)?;
    } else if let Ok(dict) = object.cast::<PyDict>() {
        members(dict, text, depth)?;
    } else if let Ok(list) = object.cast::<PyList>() {
        items(list.iter(), text, depth)?;
    } else if let Ok(tuple) = object.cast::<PyTuple>() {
        items(tuple.iter(), text, depth)?;
    } else if classes::is_json(object) {
        let value = object.getattr(intern!(object.py(), "value"));
        write(&value.map_err(|error| refuse(object, &error.to_string()))?, text, depth + 1)?;
    } else if object.is_instance_of::<PyDateTime>() {
        quote(&datetime::iso_text(object)?, text);
    } else if object.is_instance_of::<PyDelta>() {
        let _ = write!(text, "{}", datetime::duration(object)?);
    } else {
        return Err(refuse(object, "it is not a JSON value"));
    }
    Ok(())
}

fn integer(object: &Bound<'_, PyAny>, text: &mut String) -> Result<(), Rejected> {
    match object.extract::<i64>() {
        Ok(value) => {
            let _ = write!(text, "{value}");
        }
        // JSON numbers have as many digits as they need.
        Err(_) => {
            let digits = object.py().get_type::<PyInt>().call_method1("__repr__", (object,));
            text.push_str(&digits.map_err(|error| refuse(object, &error.to_string()))?.to_string());
        }
    }
    Ok(())
}

fn float(object: &Bound<'_, PyAny>, value: f64, text: &mut String) -> Result<(), Rejected> {
    match serde_json::Number::from_f64(value) {
        Some(number) => {
            let _ = write!(text, "{number}");
            Ok(())
        }
        None => Err(refuse(object, "JSON numbers are finite")),
    }
}

fn string(value: &Bound<'_, PyString>, text: &mut String) -> Result<(), Rejected> {
    let value = value.to_str().map_err(|_| refuse(value, "its characters are not valid Unicode"))?;
    quote(value, text);
    Ok(())
}

/// Appends a JSON string.
fn quote(value: &str, text: &mut String) {
    if value.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        let _ = write!(text, "{}", serde_json::Value::from(value));
    }
}

fn items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    text: &mut String,
    depth: u32,
) -> Result<(), Rejected> {
    text.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(&item, text, depth + 1)?;
    }
    text.push(']');
    Ok(())
}

fn members(dict: &Bound<'_, PyDict>, text: &mut String, depth: u32) -> Result<(), Rejected> {
    text.push('{');
    for (position, (key, value)) in dict.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        if let Ok(key) = key.cast::<PyString>() {
            string(key, text)?;
        } else if key.is_none() || key.is_instance_of::<PyInt>() || key.is_instance_of::<PyFloat>() {
            let mut name = String::new();
            write(&key, &mut name, depth + 1)?;
            quote(&name, text);
        } else {
            let hint = format!("the key {} cannot name a member of a JSON object", describe(&key));
            return Err(refuse(dict, &hint));
        }
        text.push(':');
        write(&value, text, depth + 1)?;
    }
    text.push('}');
    Ok(())
}

/// The raw Python value of a JSON text.
pub(super) fn raw_to_python<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    match parse::parse(py, text) {
        Some(value) => Ok(value),
        None => classes::json_loads(py)?.call1((text,)),
    }
}

/// A `pw.Json` of a JSON text.
pub(super) fn to_python<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    classes::json(py)?.call1((raw_to_python(py, text)?,))
}

#[cfg(test)]
mod tests;
