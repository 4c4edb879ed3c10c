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

impl Frame {
    /// The line of Rust code that called the `#[track_caller]` function this is used in.
    #[track_caller]
    pub fn of_caller() -> Frame {
        let place = std::panic::Location::caller();
        Frame {
            file: Arc::from(place.file()),
            line: place.line(),
            function: Arc::from(""),
            source: Arc::from(""),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
