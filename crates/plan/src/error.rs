//! Errors and warnings of building a plan.

use std::fmt;

use pathway_expr::ExprError;

use crate::Frame;

/// The plan cannot be built this way; the variant tells the exception class in Python.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Types do not fit (`TypeError`).
    #[error("{0}")]
    Type(String),
    /// An argument makes no sense here (`ValueError`).
    #[error("{0}")]
    Value(String),
    /// There is no column of that name (`KeyError`).
    #[error("{0}")]
    Key(String),
    /// There is no such function or column on this object (`AttributeError`).
    #[error("{0}")]
    Attribute(String),
    /// A constant index outside of a tuple (`IndexError`).
    #[error("{0}")]
    Index(String),
    /// A promise of the caller does not hold (`AssertionError`).
    #[error("{0}")]
    Assertion(String),
    /// The plan is in no state for this (`RuntimeError`).
    #[error("{0}")]
    Runtime(String),
}

impl From<ExprError> for PlanError {
    fn from(error: ExprError) -> Self {
        match error {
            ExprError::Type(text) => PlanError::Type(text),
            ExprError::Attribute(text) => PlanError::Attribute(text),
            ExprError::Index(text) => PlanError::Index(text),
            ExprError::Value(text) => PlanError::Value(text),
        }
    }
}

/// Something that is allowed but probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What, and what to do about it.
    pub message: String,
    /// The user's line.
    pub frame: Option<Frame>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
