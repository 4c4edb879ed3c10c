//! Errors of building an expression.

/// The expression makes no sense; the variant tells the exception class in Python.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// Operand types do not fit (`TypeError`).
    #[error("{0}")]
    Type(String),
    /// No method of that name takes these types (`AttributeError`).
    #[error("{0}")]
    Attribute(String),
    /// A constant index outside a tuple (`IndexError`).
    #[error("{0}")]
    Index(String),
    /// A constant argument is out of its domain (`ValueError`).
    #[error("{0}")]
    Value(String),
}
