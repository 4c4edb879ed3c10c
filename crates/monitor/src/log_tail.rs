//! The last records that were logged, for all who show them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::board::now;

/// How many records are kept unless said otherwise.
const KEPT: usize = 2000;
/// Characters of a text that are kept.
const LENGTH: usize = 20_000;

/// How important a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// Something that was logged.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Milliseconds since 1970.
    pub time: u64,
    /// How bad it is, by the numbers of Python's `logging`: 20 is information, 30 a warning, 40 an error. 0 is what
    /// the program has printed.
    pub level: u32,
    /// The name of the level.
    pub level_name: String,
    /// Who has logged it.
    pub logger: String,
    /// The text, which may have several lines.
    pub message: String,
    /// What else is known: `operator`, `connector`, `file`, `line`, `worker`.
    pub fields: BTreeMap<String, String>,
    /// The text of the exception that came with it.
    pub exception: Option<String>,
}

/// The last records of a run, the oldest of which are forgotten.
#[derive(Debug)]
pub struct LogTail {
    capacity: usize,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    /// How many there were.
    total: u64,
    last: VecDeque<Arc<Record>>,
}

impl Level {
    /// The level of a number of Python's `logging`.
    pub fn of(number: u32) -> Level {
        match number {
            ..20 => Level::Debug,
            20..30 => Level::Info,
            30..40 => Level::Warning,
            40.. => Level::Error,
        }
    }

    fn number(self) -> u32 {
        match self {
            Level::Debug => 10,
            Level::Info => 20,
            Level::Warning => 30,
            Level::Error => 40,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }
}

impl Record {
    /// What the engine has to say at this moment.
    pub fn new(level: Level, message: &str) -> Record {
        Record {
            time: now(),
            level: level.number(),
            level_name: level.name().to_owned(),
            logger: "pathway_engine".to_owned(),
            message: message.to_owned(),
            ..Record::default()
        }
    }
}

impl Default for LogTail {
    fn default() -> LogTail {
        LogTail::new(KEPT)
    }
}

impl LogTail {
    /// A tail of so many records.
    pub fn new(capacity: usize) -> LogTail {
        LogTail { capacity, records: Mutex::default() }
    }

    /// Another one was logged.
    pub fn push(&self, mut record: Record) {
        shorten(&mut record.message);
        record.exception.iter_mut().for_each(shorten);
        let mut records = self.records();
        records.total += 1;
        records.last.push_back(Arc::new(record));
        while records.last.len() > self.capacity {
            records.last.pop_front();
        }
    }

    /// The last ones, not more than so many; the oldest comes first.
    pub fn last(&self, count: usize) -> Vec<Arc<Record>> {
        let records = self.records();
        records.last.iter().skip(records.last.len().saturating_sub(count)).cloned().collect()
    }

    /// Those with numbers greater than this one, as far as they are kept, with their numbers. The first of all has the
    /// number 1.
    pub fn after(&self, number: u64) -> Vec<(u64, Arc<Record>)> {
        let records = self.records();
        let first = records.total - records.last.len() as u64 + 1;
        let known = usize::try_from(number.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        (first..).zip(records.last.iter().cloned()).skip(known).collect()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts a text that is too long.
fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LENGTH) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(records: &[Arc<Record>]) -> Vec<&str> {
        records.iter().map(|record| record.message.as_str()).collect()
    }

    fn after(tail: &LogTail, number: u64) -> Vec<(u64, String)> {
        tail.after(number).iter().map(|(number, record)| (*number, record.message.clone())).collect()
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let tail = LogTail::new(3);
        assert!(tail.after(0).is_empty());
        for message in ["a", "b", "c", "d"] {
            tail.push(Record::new(Level::Info, message));
        }
        assert_eq!(texts(&tail.last(2)), ["c", "d"]);
        assert_eq!(texts(&tail.last(9)), ["b", "c", "d"]);
        let all = [(2, "b".to_owned()), (3, "c".to_owned()), (4, "d".to_owned())];
        assert_eq!(after(&tail, 0), all);
        assert_eq!(after(&tail, 1), all);
        assert_eq!(after(&tail, 3), all[2..]);
        assert_eq!(after(&tail, 4), []);
        assert_eq!(after(&tail, u64::MAX), []);
    }

    #[test]
    fn long_texts_are_cut() {
        let tail = LogTail::default();
        let long = "ü".repeat(LENGTH + 1);
        tail.push(Record { exception: Some(long.clone()), ..Record::new(Level::Error, &long) });
        let cut = format!("{}…", "ü".repeat(LENGTH));
        let last = tail.last(1);
        assert_eq!((&last[0].message, last[0].exception.as_ref()), (&cut, Some(&cut)));
    }

    #[test]
    fn levels_are_those_of_python() {
        for level in [Level::Debug, Level::Info, Level::Warning, Level::Error] {
            assert_eq!(Level::of(level.number()), level);
        }
        assert_eq!([Level::of(0), Level::of(25), Level::of(50)], [Level::Debug, Level::Info, Level::Error]);
    }
}
