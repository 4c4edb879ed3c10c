//! Errors that belong to one cell: what failed, as a value that can flow and be logged.

use std::fmt;

/// Which Python exception class a [`DataError`] becomes when the run terminates on errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Division or modulo by zero.
    ZeroDivision,
    /// Text that cannot be parsed; shown with the prefix `parse error: `.
    Parse,
    /// A value that an operation cannot take; shown with the prefix `value error: `.
    Value,
    /// A value of another kind than the column's dtype promises.
    Type,
    /// An index outside a sequence.
    Index,
    /// A missing or duplicate row key.
    Key,
    /// An exception raised by user code; the text starts with the exception's class name.
    User,
    /// Everything else.
    Engine,
}

/// Why a cell is an error: the kind and the text without prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The class of the failure.
    pub kind: ErrorKind,
    /// What went wrong, in one sentence, without the kind's prefix.
    pub message: Box<str>,
    /// Identifies an exception object kept elsewhere (user code), so that it can be re-raised as it is.
    pub token: Option<u64>,
}

impl DataError {
    /// An error of `kind` with this message.
    pub fn new(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        DataError { kind, message: message.into(), token: None }
    }
    /// Division by zero.
    pub fn division_by_zero() -> Self {
        DataError::new(ErrorKind::ZeroDivision, "division by zero")
    }
    /// A parse error.
    pub fn parse(message: impl Into<Box<str>>) -> Self {
        DataError::new(ErrorKind::Parse, message)
    }
    /// A value error.
    pub fn value(message: impl Into<Box<str>>) -> Self {
        DataError::new(ErrorKind::Value, message)
    }
    /// A type mismatch between what an operation needs and the value it met.
    pub fn type_mismatch(expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        DataError::new(ErrorKind::Type, format!("type mismatch: expected {expected}, got {got}"))
    }
    /// A row that an Error cell keeps from being placed: `place` says what was to be decided by it.
    pub fn skipped(place: &str) -> Self {
        DataError::new(ErrorKind::Engine, format!("Error value encountered in {place}, skipping the row"))
    }
}

impl fmt::Display for DataError {
    /// The message as the error log shows it, with the kind's prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Parse => write!(f, "parse error: {}", self.message),
            ErrorKind::Value => write!(f, "value error: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for DataError {}
