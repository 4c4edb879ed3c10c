//! Rows that an earlier run has recorded, given once more: all at once, or minibatch by minibatch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pathway_types::{Batch, Timestamp};

/// The minibatches of sources, by the names of these, in the order of times.
pub type Recording = BTreeMap<String, Vec<(Timestamp, Batch)>>;

/// How recorded rows are given once more.
#[derive(Clone, Debug)]
pub struct Replay {
    /// In which minibatches, and how fast.
    pub pace: Pace,
    /// What is given in place of what the store has.
    pub given: Option<Arc<Recording>>,
}

/// In which minibatches recorded rows are given, and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// All in one, at the time at which the run starts.
    Batch,
    /// In those in which they came, at the times of then, as fast as possible.
    Speedrun,
    /// The same with the pauses that were between them, so many times as fast.
    Realtime(f64),
}

/// What a source gives once more.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The minibatches with their times in this run, in order.
    pub(crate) rows: Vec<(Timestamp, Batch)>,
    /// When a minibatch is due: its time after the start of the replay.
    pub(crate) schedule: Option<Schedule>,
    /// What is read later is not of the last of these minibatches.
    pub(crate) apart: bool,
}

impl Replayed {
    /// The time at which a source starts, in a run that starts at another.
    pub(crate) fn start(&self, of_run: Timestamp) -> Timestamp {
        self.rows.first().map_or(of_run, |(time, _)| *time)
    }
}

/// When recorded minibatches are given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// The time of the first of all sources.
    first: Timestamp,
    /// So many times as fast as they came.
    speed: f64,
}

impl Schedule {
    /// How long the minibatch of a time has to wait after the start of the replay.
    pub(crate) fn due(self, time: Timestamp) -> Duration {
        let milliseconds = time.saturating_sub(self.first) as f64 / self.speed;
        Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or(Duration::MAX)
    }

    /// How much longer.
    pub(crate) fn left(self, time: Timestamp, begin: Instant) -> Duration {
        self.due(time).saturating_sub(begin.elapsed())
    }
}

impl Pace {
    /// What a source gives of what it recorded, in a run that starts at `start`; `first` is the time of the
    /// first minibatch of all sources.
    pub(crate) fn replayed(
        self,
        recorded: Vec<(Timestamp, Batch)>,
        start: Timestamp,
        first: Timestamp,
        records: bool,
    ) -> Replayed {
        match self {
            Pace::Batch => {
                let rows = recorded.into_iter().map(|(_, batch)| (start, batch)).collect();
                Replayed { rows, schedule: None, apart: records }
            }
            Pace::Speedrun => Replayed { rows: recorded, schedule: None, apart: true },
            Pace::Realtime(speed) => {
                Replayed { rows: recorded, schedule: Some(Schedule { first, speed }), apart: true }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minibatches_are_due_at_the_pace_in_which_they_came() {
        let schedule = Schedule { first: 1000, speed: 2.0 };
        assert_eq!(schedule.due(1000), Duration::ZERO);
        assert_eq!(schedule.due(1500), Duration::from_millis(250));
        assert_eq!(Schedule { first: 0, speed: 0.0 }.due(2), Duration::MAX);
    }
}
