//! Failures of a connector as a whole, as opposed to single malformed records.

use std::fmt;

/// Which exception class the failure becomes in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The operating system or the network refused: `OSError`.
    Os,
    /// The settings or the data make no sense: `ValueError`.
    Value,
    /// Anything else: `EngineError`.
    Engine,
    /// An exception raised by user code, kept elsewhere under this token and re-raised as it is.
    User(u64),
}

/// A source or sink failed: which connector, where in its input or output, and why.
#[derive(Debug)]
pub struct ConnectorError {
    /// The connector's name or description.
    pub connector: String,
    /// The position in the external system, in its own terms (`line 12 of a.csv`), if known.
    pub position: Option<String>,
    /// What went wrong and what to do about it.
    pub message: String,
    /// The exception class.
    pub class: FailureClass,
}

impl ConnectorError {
    /// A failure of `connector`.
    pub fn new(connector: impl Into<String>, class: FailureClass, message: impl Into<String>) -> Self {
        ConnectorError { connector: connector.into(), position: None, message: message.into(), class }
    }
    /// The same failure with its position.
    pub fn at(mut self, position: impl Into<String>) -> Self {
        self.position = Some(position.into());
        self
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.connector, self.message)?;
        match &self.position {
            Some(position) => write!(f, " (at {position})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConnectorError {}
