//! What is counted of sources and sinks.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use pathway_types::Timestamp;
use serde::Serialize;

use super::lock;

/// How long the messages of a source are known by the second.
const MINUTE: Duration = Duration::from_secs(60);

/// What a source has read. A message is a change of a row that it gave to the engine.
#[derive(Debug, Default)]
pub struct ConnectorMeter {
    messages: AtomicU64,
    errors: AtomicU64,
    dead_letters: AtomicU64,
    finished: AtomicBool,
    recent: Mutex<Recent>,
    /// Bytes of what is read once.
    bytes: Length,
    /// Rows that are given once more.
    replayed: Length,
}

/// What is to be done in all, and how much of it is done.
#[derive(Debug, Default)]
struct Length {
    all: AtomicU64,
    done: AtomicU64,
}

impl Length {
    fn get(&self, unit: Unit) -> Option<Extent> {
        let all = self.all.load(Relaxed);
        (all > 0).then(|| Extent { done: self.done.load(Relaxed).min(all), all, unit })
    }
}

/// How far a source is whose length is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// What has been read.
    pub done: u64,
    /// What there is.
    pub all: u64,
    /// What is counted.
    pub unit: Unit,
}

/// What the length of a source is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes of files.
    Bytes,
    /// Rows of a recording.
    Rows,
}

/// What was read last.
#[derive(Debug, Default)]
struct Recent {
    /// Messages of the last minute, of each second that had some.
    seconds: VecDeque<(Instant, u64)>,
    /// The open minibatch and the last one that was closed and had rows: their times and rows.
    open: (Timestamp, u64),
    closed: (Timestamp, u64),
    /// Closed minibatches with rows.
    minibatches: u64,
}

impl Recent {
    fn forget(&mut self, now: Instant) {
        while self.seconds.front().is_some_and(|(at, _)| now.duration_since(*at) >= MINUTE) {
            self.seconds.pop_front();
        }
    }

    fn count(&mut self, now: Instant, rows: u64) {
        self.forget(now);
        match self.seconds.back_mut() {
            Some((at, count)) if now.duration_since(*at) < Duration::from_secs(1) => *count += rows,
            _ => self.seconds.push_back((now, rows)),
        }
    }

    /// Rows of a minibatch were parsed, which may be after it was closed.
    fn put(&mut self, time: Timestamp, rows: u64) {
        if self.minibatches > 0 && time == self.closed.0 {
            self.closed.1 += rows;
        } else if time < self.open.0 {
            if self.minibatches == 0 || time > self.closed.0 {
                self.closed = (time, rows);
            }
            self.minibatches += 1;
        } else {
            if time > self.open.0 {
                self.close();
                self.open = (time, 0);
            }
            self.open.1 += rows;
        }
    }

    fn close(&mut self) {
        if self.open.1 > 0 {
            self.closed = self.open;
            self.minibatches += 1;
            self.open.1 = 0;
        }
    }
}

impl ConnectorMeter {
    /// Rows of the minibatch of this time were read.
    pub fn read(&self, time: Timestamp, rows: usize) {
        if rows > 0 {
            self.messages.fetch_add(rows as u64, Relaxed);
            let mut recent = lock(&self.recent);
            recent.count(Instant::now(), rows as u64);
            recent.put(time, rows as u64);
        }
    }

    /// The open minibatch was closed.
    pub fn close_minibatch(&self) {
        lock(&self.recent).close();
    }

    /// Nothing more will be read.
    pub fn finish(&self) {
        self.close_minibatch();
        self.finished.store(true, Relaxed);
    }

    /// Records, or cells of them, could not be parsed; so many records were rejected for it.
    pub(crate) fn failed(&self, errors: u64, dead_letters: usize) {
        if errors > 0 {
            self.errors.fetch_add(errors, Relaxed);
        }
        if dead_letters > 0 {
            self.dead_letters.fetch_add(dead_letters as u64, Relaxed);
        }
    }

    /// So much is there to be read.
    pub fn expect(&self, amount: u64, unit: Unit) {
        self.length(unit).all.fetch_add(amount, Relaxed);
    }

    /// So much more of it has been read.
    pub fn advance(&self, amount: u64, unit: Unit) {
        self.length(unit).done.fetch_add(amount, Relaxed);
    }

    fn length(&self, unit: Unit) -> &Length {
        match unit {
            Unit::Bytes => &self.bytes,
            Unit::Rows => &self.replayed,
        }
    }

    /// How far it is, if it is known how much there is. What is given once more comes first.
    pub fn reading(&self) -> Option<Extent> {
        let replayed = self.replayed.get(Unit::Rows);
        let going_on = replayed.filter(|replayed| replayed.done < replayed.all);
        going_on.or_else(|| self.bytes.get(Unit::Bytes)).or(replayed)
    }

    /// Rows since the start of the run.
    pub fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }

    /// Rows of the last minibatch that had any.
    pub fn last_minibatch(&self) -> u64 {
        lock(&self.recent).closed.1
    }

    /// Minibatches with rows.
    pub fn minibatches(&self) -> u64 {
        lock(&self.recent).minibatches
    }

    /// Rows of the last minute.
    pub fn last_minute(&self) -> u64 {
        let mut recent = lock(&self.recent);
        recent.forget(Instant::now());
        recent.seconds.iter().map(|(_, count)| count).sum()
    }

    /// Records and cells that could not be parsed.
    pub fn errors(&self) -> u64 {
        self.errors.load(Relaxed)
    }

    /// Records that were rejected.
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters.load(Relaxed)
    }

    /// True if nothing more will be read.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Relaxed)
    }
}

/// What a sink has written.
#[derive(Debug, Default)]
pub struct SinkMeter {
    rows: AtomicU64,
    /// Nanoseconds.
    busy: AtomicU64,
}

impl SinkMeter {
    /// Changes were written.
    pub(crate) fn wrote(&self, rows: u64) {
        self.rows.fetch_add(rows, Relaxed);
    }

    /// The sink has been at work for so long.
    pub(crate) fn worked(&self, time: Duration) {
        self.busy.fetch_add(time.as_nanos() as u64, Relaxed);
    }

    /// Changes written since the start of the run.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// How long writing took.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_ends() {
        let mut recent = Recent::default();
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        recent.count(at(0), 3);
        recent.count(at(0), 4);
        recent.count(at(30), 5);
        assert_eq!(recent.seconds.len(), 2, "a second has one number");
        recent.forget(at(59));
        assert_eq!(recent.seconds.iter().map(|(_, count)| count).sum::<u64>(), 12);
        recent.forget(at(60));
        assert_eq!(recent.seconds.iter().map(|(_, count)| count).sum::<u64>(), 5);
    }

    #[test]
    fn minibatches_without_rows_are_none() {
        let meter = ConnectorMeter::default();
        meter.read(2, 3);
        meter.read(2, 4);
        meter.close_minibatch();
        meter.close_minibatch();
        assert_eq!((meter.last_minibatch(), meter.minibatches()), (7, 1));
        meter.read(4, 2);
        assert_eq!(meter.last_minibatch(), 7, "it is open");
        meter.finish();
        assert_eq!((meter.last_minibatch(), meter.minibatches()), (2, 2));
        assert_eq!((meter.messages(), meter.last_minute()), (9, 9));
        assert!(meter.is_finished());
    }

    #[test]
    fn what_is_given_once_more_comes_before_what_is_read() {
        let meter = ConnectorMeter::default();
        assert_eq!(meter.reading(), None, "nobody knows");
        meter.expect(200, Unit::Bytes);
        meter.expect(100, Unit::Bytes);
        meter.expect(4, Unit::Rows);
        meter.advance(3, Unit::Rows);
        assert_eq!(meter.reading(), Some(Extent { done: 3, all: 4, unit: Unit::Rows }));
        meter.advance(1, Unit::Rows);
        meter.advance(30, Unit::Bytes);
        assert_eq!(meter.reading(), Some(Extent { done: 30, all: 300, unit: Unit::Bytes }));
    }

    #[test]
    fn rows_that_are_parsed_late_are_of_their_minibatch() {
        let meter = ConnectorMeter::default();
        meter.read(2, 3);
        meter.finish();
        meter.read(2, 5);
        assert_eq!((meter.last_minibatch(), meter.minibatches()), (8, 1));
        meter.read(6, 1);
        meter.read(4, 9);
        assert_eq!((meter.last_minibatch(), meter.minibatches()), (9, 2), "the last that is closed");
    }
}
