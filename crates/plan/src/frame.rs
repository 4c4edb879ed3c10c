//! Where in the user's program something was built.

use std::fmt;
use std::sync::Arc;

/// A line of the user's program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The file as the interpreter names it.
    pub file: Arc<str>,
    /// The line number, from 1.
    pub line: u32,
    /// The function around the line.
    pub function: Arc<str>,
    /// The line's text, stripped.
    pub source: Arc<str>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
