//! Text forms of plans, for people and for tests: the logical plan with its universes and lines
//! ([`Graph::explain`]), and the program after rewriting ([`Program`]'s `Display`).

use std::fmt::{self, Write as _};

use crate::graph::Graph;
use crate::program::{Bounds, Matching, Program};

mod expression;
mod graph;
mod program;

pub use expression::{Shown, plain};

impl Graph {
    /// The logical plan: one paragraph per table, in the order they were built.
    pub fn explain(&self) -> String {
        let state = self.lock();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = graph::write(&mut text, &state);
        text
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        program::write(f, self)
    }
}

/// What is said of times that decide which rows of a join match.
pub(crate) fn matching<T>(matching: &Matching<T>, time: impl Fn(&T) -> String) -> String {
    match matching {
        Matching::Equal => String::new(),
        Matching::AsOfNow => " as of now".to_owned(),
        Matching::Interval { times: [left, right], bounds, keeps } => {
            let difference = format!("{} - {}", time(right), time(left));
            let keeps = if *keeps { " keeping results" } else { "" };
            match bounds {
                Bounds::Int(lower, upper) => format!(" where {lower} <= {difference} <= {upper}{keeps}"),
                Bounds::Float(lower, upper) => {
                    format!(" where {lower:?} <= {difference} <= {upper:?}{keeps}")
                }
            }
        }
        Matching::AsOf { times: [left, right], direction } => {
            format!(" nearest {direction:?} by {} and {}", time(left), time(right))
        }
    }
}

/// `a, b, c`.
pub(crate) fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for (i, item) in items.into_iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}{item}");
    }
    text
}
