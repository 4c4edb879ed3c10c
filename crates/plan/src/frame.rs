//! Where in the user's program something was built, and what it became part of.

use std::fmt;
use std::sync::Arc;

use crate::error_log::ErrorLogId;

/// A line of the user's program, with what was built there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The file as the interpreter names it; empty if the line is not known.
    pub file: Arc<str>,
    /// The line number, from 1.
    pub line: u32,
    /// The function around the line.
    pub function: Arc<str>,
    /// The line's text, stripped.
    pub source: Arc<str>,
    /// What it was built for, once it is part of a plan.
    pub built: Option<Arc<Built>>,
}

/// What something that was built belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Built {
    /// The number of the operator: plans count tables and outputs in the order they were made, from 1.
    pub operator: u32,
    /// Where its errors are logged.
    pub log: ErrorLogId,
    /// The same built again elsewhere: computed once, but what goes wrong went wrong there too.
    pub again: Vec<Frame>,
}

impl Frame {
    /// A line of the user's program.
    pub fn new(file: &str, line: u32, function: &str, source: &str) -> Frame {
        Frame {
            file: Arc::from(file),
            line,
            function: Arc::from(function),
            source: Arc::from(source),
            built: None,
        }
    }

    /// Stands for a line that is not known.
    pub fn unknown() -> Frame {
        Frame::new("", 0, "", "")
    }

    /// The line of Rust code that called the `#[track_caller]` function this is used in.
    #[track_caller]
    pub fn of_caller() -> Frame {
        let place = std::panic::Location::caller();
        Frame::new(place.file(), place.line(), "", "")
    }

    /// The line itself, if it is known.
    pub fn known(&self) -> Option<&Frame> {
        (!self.file.is_empty()).then_some(self)
    }

    /// The line as a trace in an error log; empty if it is not known.
    pub fn trace(&self) -> String {
        let Frame { file, line, function, source, .. } = self;
        if file.is_empty() {
            return String::new();
        }
        format!("Occurred here:\n \tLine: {source}\n \tFile: {file}:{line}\n \tFunction: {function}")
    }

    /// The number of the operator that was built here; 0 if nothing is known of it.
    pub fn operator(&self) -> u32 {
        self.built.as_ref().map_or(0, |built| built.operator)
    }

    /// This and the other lines where the same was built.
    pub fn all(&self) -> impl Iterator<Item = &Frame> {
        let again = self.built.iter().flat_map(|built| &built.again);
        std::iter::once(self).chain(again)
    }

    /// Notes that the same was built at another line too.
    pub(crate) fn add(&mut self, other: &Frame) {
        let Some(built) = &mut self.built else { return };
        Arc::make_mut(built).again.extend(other.all().map(|frame| {
            let built = frame.built.as_ref().map(|built| Built { again: vec![], ..(**built).clone() });
            Frame { built: built.map(Arc::new), ..frame.clone() }
        }));
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() { Ok(()) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}
