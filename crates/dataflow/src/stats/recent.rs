//! The last of what went wrong with rows and records, for people who look at a run.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use pathway_io::Rejected;
use pathway_plan::Frame;
use serde::Serialize;

use super::lock;
use super::outline::{Line, Outline};

/// How many errors, and how many rejected records, are kept.
const KEPT: usize = 500;
/// Characters of a text that are kept.
const LENGTH: usize = 2000;

/// The last entries of something that goes on, and how many there were.
#[derive(Debug)]
pub(super) struct Recent<T>(Mutex<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    total: u64,
    last: VecDeque<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Recent(Mutex::new(Kept { total: 0, last: VecDeque::new() }))
    }
}

impl<T> Recent<T> {
    /// There are so many more; these are the last of them.
    fn add(&self, count: usize, entries: impl Iterator<Item = T>) {
        let mut kept = lock(&self.0);
        kept.total += count as u64;
        kept.last.extend(entries);
        let superfluous = kept.last.len().saturating_sub(KEPT);
        kept.last.drain(..superfluous);
    }

    pub(super) fn total(&self) -> u64 {
        lock(&self.0).total
    }

    /// How many there were, and the kept ones with their numbers, from 1.
    fn shown<S>(&self, show: impl Fn(u64, &T) -> S) -> Last<S> {
        let kept = lock(&self.0);
        let first = kept.total - kept.last.len() as u64 + 1;
        Last { total: kept.total, entries: (first..).zip(&kept.last).map(|(n, e)| show(n, e)).collect() }
    }
}

/// How many there were of something, and the last of it, the oldest first.
#[derive(Clone, Debug)]
pub struct Last<T> {
    /// All that there were, also those that are not kept.
    pub total: u64,
    /// The last of them.
    pub entries: Vec<T>,
}

/// A row met an error.
#[derive(Clone, Debug, Serialize)]
pub struct MetError {
    /// Counted from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The number of the node.
    pub operator: u32,
    /// What went wrong.
    pub message: String,
    /// The user's line, if it is known: its file,
    pub file: Option<String>,
    /// its number,
    pub line: Option<u32>,
    /// its text,
    pub source: Option<String>,
    /// and the function around it.
    pub function: Option<String>,
}

/// A record of a source was rejected.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetter {
    /// Counted from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The number of the node.
    pub operator: u32,
    /// The source, for people.
    pub source: String,
    /// The record as it was read; bytes that are no text are replaced.
    pub payload: String,
    /// Why it was rejected, and where it stood.
    pub reason: String,
}

/// An error as it is noted.
#[derive(Debug)]
pub(super) struct Fault {
    time: u64,
    step: usize,
    operator: u32,
    message: String,
    line: Option<Line>,
}

/// A rejected record as it is noted.
#[derive(Debug)]
pub(super) struct Rejection {
    time: u64,
    step: usize,
    payload: String,
    reason: String,
}

impl Recent<Fault> {
    pub(super) fn fault(&self, step: usize, frame: &Frame, message: &str) {
        let (time, operator) = (now(), frame.operator());
        let fault = Fault { time, step, operator, message: cut(message), line: Line::of(frame) };
        self.add(1, std::iter::once(fault));
    }

    pub(super) fn errors(&self, outline: Option<&Outline>) -> Last<MetError> {
        self.shown(|number, fault| {
            let node = outline.and_then(|o| Some(&o.nodes[o.position(fault.step, None, fault.operator)?]));
            let line = fault.line.clone();
            MetError {
                number,
                time: fault.time,
                operator: node.map_or(fault.operator, |node| node.id),
                message: fault.message.clone(),
                file: line.as_ref().map(|line| line.file.clone()),
                line: line.as_ref().map(|line| line.line),
                source: line.as_ref().map(|line| line.source.clone()),
                function: line.map(|line| line.function),
            }
        })
    }
}

impl Recent<Rejection> {
    pub(super) fn rejected(&self, step: usize, records: &[Rejected]) {
        let time = now();
        let rejections = records[records.len().saturating_sub(KEPT)..].iter().map(|record| Rejection {
            time,
            step,
            payload: cut(&String::from_utf8_lossy(start(&record.raw))),
            reason: cut(&format!("{} ({})", record.reason, record.position)),
        });
        self.add(records.len(), rejections);
    }

    pub(super) fn dead_letters(&self, outline: Option<&Outline>) -> Last<DeadLetter> {
        self.shown(|number, rejection| {
            let node = outline.and_then(|o| Some(&o.nodes[o.position(rejection.step, None, 0)?]));
            DeadLetter {
                number,
                time: rejection.time,
                operator: node.map_or(0, |node| node.id),
                source: node.and_then(|node| node.name.clone()).unwrap_or_default(),
                payload: rejection.payload.clone(),
                reason: rejection.reason.clone(),
            }
        })
    }
}

/// So much of a record that what is kept of its text is in it.
fn start(raw: &[u8]) -> &[u8] {
    &raw[..raw.len().min(4 * LENGTH + 4)]
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: usize) -> Rejected {
        Rejected {
            raw: vec![b'0' + (number % 10) as u8],
            position: format!("line {number}"),
            reason: "no".to_owned(),
        }
    }

    #[test]
    fn the_last_are_kept_and_all_are_counted() {
        let recent = Recent::default();
        recent.rejected(3, &(1..=2).map(record).collect::<Vec<_>>());
        recent.rejected(3, &(3..=1203).map(record).collect::<Vec<_>>());
        recent.rejected(3, &[record(1204)]);
        let last = recent.dead_letters(None);
        assert_eq!((last.total, last.entries.len()), (1204, KEPT));
        assert_eq!(last.entries[0].reason, "no (line 705)");
        assert_eq!(last.entries[0].number, 705, "numbers are those of the records");
        assert_eq!(last.entries[KEPT - 1].number, 1204);
    }

    #[test]
    fn long_records_are_cut_and_bytes_are_text() {
        let recent = Recent::default();
        let raw = "ü".repeat(5000).into_bytes();
        recent.rejected(0, &[Rejected { raw, ..record(1) }, Rejected { raw: vec![b'a', 0xff], ..record(2) }]);
        let [long, other] = &recent.dead_letters(None).entries[..] else { panic!("there are two") };
        assert_eq!(long.payload, format!("{}…", "ü".repeat(LENGTH)));
        assert_eq!(other.payload, "a\u{fffd}");
    }

    #[test]
    fn an_error_has_its_line() {
        let recent = Recent::default();
        recent.fault(0, &Frame::new("a.py", 3, "f", "t.select(1 // t.a)"), "division by zero");
        recent.fault(0, &Frame::unknown(), "nobody knows where");
        let entries = recent.errors(None).entries;
        assert_eq!((entries[0].file.as_deref(), entries[0].line), (Some("a.py"), Some(3)));
        assert_eq!(entries[0].function.as_deref(), Some("f"));
        assert_eq!((&entries[1].file, entries[1].line, &entries[1].function), (&None, None, &None));
    }
}
