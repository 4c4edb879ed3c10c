//! The last lines of the log of a run.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::board::now;

/// How many lines are kept.
const KEPT: usize = 2000;
/// Characters of a line that are kept.
const LENGTH: usize = 20_000;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For those who look for a defect.
    Debug,
    /// Information.
    Info,
    /// Something that may be wrong.
    Warning,
    /// Something that is wrong.
    Error,
}

/// A line of the log; its text may have several.
#[derive(Clone, Debug, Serialize)]
pub struct LogLine {
    /// Counted from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// How important it is.
    pub level: Level,
    /// What is said.
    pub text: String,
}

/// The last lines of a log.
#[derive(Debug, Default)]
pub struct Lines(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    total: u64,
    lines: VecDeque<LogLine>,
}

impl Lines {
    /// Adds a line.
    pub fn add(&self, time: u64, level: Level, text: &str) {
        let text = match text.char_indices().nth(LENGTH) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.total += 1;
        let number = kept.total;
        if kept.lines.len() == KEPT {
            kept.lines.pop_front();
        }
        kept.lines.push_back(LogLine { number, time, level, text });
    }

    /// Adds a line of this moment.
    pub fn add_now(&self, level: Level, text: &str) {
        self.add(now(), level, text);
    }

    /// The lines with numbers greater than this one, as far as they are kept, the oldest first.
    pub fn after(&self, number: u64) -> Vec<LogLine> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.lines.partition_point(|line| line.number <= number);
        kept.lines.range(known..).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let lines = Lines::default();
        assert!(lines.after(0).is_empty());
        for number in 1..=KEPT as u64 + 10 {
            lines.add(number, Level::Info, &format!("line {number}"));
        }
        let all = lines.after(0);
        assert_eq!((all.len(), all[0].number), (KEPT, 11));
        let last = lines.after(KEPT as u64 + 9);
        assert_eq!(last.len(), 1);
        assert_eq!(last[0].text, format!("line {}", KEPT + 10));
        assert!(lines.after(u64::MAX).is_empty());
    }

    #[test]
    fn long_texts_are_cut() {
        let lines = Lines::default();
        lines.add(1, Level::Error, &"ü".repeat(LENGTH + 1));
        assert_eq!(lines.after(0)[0].text, format!("{}…", "ü".repeat(LENGTH)));
    }
}
