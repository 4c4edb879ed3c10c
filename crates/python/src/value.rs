//! How values cross the border between Python and the engine.
//!
//! Towards the engine a [`Converter`] checks an object against the dtype of a column and gives a
//! [`Cell`]: ints, floats, booleans and text are taken from the object as they are, everything else
//! becomes a [`Value`]. Towards Python whole columns become lists ([`column_to_list`]), with loops
//! over the raw buffers for the plain types. pandas and numpy are imported when the first value
//! needs them.

mod array;
mod cell;
mod classes;
mod column;
mod datetime;
mod json;
mod natural;
mod py_object;
pub(crate) mod round_trip;
mod to_python;

use pathway_types::{DataError, ErrorKind};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

pub(crate) use array::is_flat_array;
pub(crate) use cell::{Cell, Converter};
pub(crate) use column::column_to_list;
pub(crate) use natural::{natural_cell, natural_value};
pub(crate) use py_object::text as py_object_text;
pub(crate) use to_python::value_to_python;

/// How deep values may nest; deeper ones are refused instead of overflowing the stack.
const MAX_DEPTH: u32 = 200;

/// A Python object that is no value of the wanted dtype.
#[derive(Debug)]
pub(crate) struct Rejected {
    kind: ErrorKind,
    message: String,
}

impl Rejected {
    /// `TypeError`: the object is of another kind than the column.
    fn type_error(message: impl Into<String>) -> Self {
        Rejected { kind: ErrorKind::Type, message: message.into() }
    }
    /// `ValueError`: the kind is right, this object is not.
    fn value_error(message: impl Into<String>) -> Self {
        Rejected { kind: ErrorKind::Value, message: message.into() }
    }
    /// The object is no value of what `target` names; `hint` says why or what to do.
    fn object(object: &Bound<'_, PyAny>, target: impl std::fmt::Display, hint: &str) -> Self {
        let separator = if hint.is_empty() { "" } else { ": " };
        Rejected::type_error(format!("{target} cannot hold {}{separator}{hint}", describe(object)))
    }
    /// The error of a cell.
    pub(crate) fn into_data_error(self) -> DataError {
        DataError::new(self.kind, self.message)
    }
    /// The same, told where it happened.
    pub(crate) fn in_context(self, context: &str) -> Self {
        Rejected { message: format!("{context}: {}", self.message), ..self }
    }
}

impl From<Rejected> for PyErr {
    fn from(rejected: Rejected) -> PyErr {
        match rejected.kind {
            ErrorKind::Value => PyValueError::new_err(rejected.message),
            _ => PyTypeError::new_err(rejected.message),
        }
    }
}

/// The object and its class, for messages: `'abc' (a str)`.
pub(crate) fn describe(object: &Bound<'_, PyAny>) -> String {
    const LONGEST: usize = 120;
    let text = object.repr().map(|repr| repr.to_string_lossy().into_owned());
    let mut text = text.unwrap_or_else(|_| "an object without repr".to_owned());
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    match object.get_type().name() {
        Ok(class) => format!("{text} ({class})"),
        Err(_) => text,
    }
}
