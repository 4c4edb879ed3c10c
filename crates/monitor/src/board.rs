//! What is known of a run besides its numbers: which one it is, how it stands, what it has said and what it was like.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pathway_dataflow::stats::Statistics;
use pathway_explain::measure;
use pathway_plan::Explanation;
use serde::Serialize;

use crate::history::History;
use crate::log_tail::{Level, LogTail, Record};

/// A page that has asked within this time is still looked at.
const LOOKS: Duration = Duration::from_secs(3);
/// How long the end of a run waits for the pages to be told of it.
const FAREWELL: Duration = Duration::from_secs(2);
/// What a page asks for when it was told of the end, it asks for within this time.
const QUIET: Duration = Duration::from_millis(250);

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// The place of this process in the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Place {
    /// The number of the process.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// The process for the system.
    pub pid: u32,
    /// Workers of this process.
    pub workers: usize,
}

impl Place {
    /// That of a run in this process alone.
    pub fn alone(workers: usize) -> Place {
        Place { number: 0, count: 1, pid: std::process::id(), workers }
    }
}

/// What is known of a run.
#[derive(Debug)]
pub struct Board {
    pub(crate) id: String,
    pub(crate) program: String,
    pub(crate) place: Place,
    pub(crate) started: u64,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) log: Arc<LogTail>,
    plan: OnceLock<Explanation>,
    history: Mutex<History>,
    end: OnceLock<End>,
    viewers: Mutex<Viewers>,
    /// Something about the viewers has changed.
    changed: Condvar,
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its inputs, or because it was asked to end.
    Ended,
    /// At once, as when somebody presses Ctrl-C.
    Interrupted,
    /// With this message.
    Failed(String),
}

/// When and how a run has ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) at: u64,
    pub(crate) how: Ending,
}

impl End {
    /// Why it failed.
    pub(crate) fn message(&self) -> Option<&str> {
        match &self.how {
            Ending::Failed(message) => Some(message),
            Ending::Ended | Ending::Interrupted => None,
        }
    }
}

/// Who looks at the run.
#[derive(Debug, Default)]
struct Viewers {
    asked: Option<Instant>,
    /// Somebody has been told of the end.
    told: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// That of a run that begins now.
    pub fn new(program: &str, place: Place, statistics: Arc<Statistics>, log: Arc<LogTail>) -> Arc<Board> {
        let started = now();
        Arc::new(Board {
            // The system gives each hasher other keys.
            id: format!("{:016x}{started:012x}", RandomState::new().hash_one(place.pid)),
            program: program.to_owned(),
            place,
            started,
            statistics,
            log,
            plan: OnceLock::new(),
            history: Mutex::default(),
            end: OnceLock::new(),
            viewers: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// What is run, for people who ask how.
    pub fn explain(&self, plan: Explanation) {
        // A run has one plan.
        let _ = self.plan.set(plan);
    }

    /// The plan with what was counted so far, if it is known.
    pub(crate) fn explanation(&self) -> Option<Explanation> {
        let mut explanation = self.plan.get()?.clone();
        if let Some((outline, snapshot)) = self.statistics.outline().zip(self.statistics.snapshot()) {
            measure(&mut explanation, outline, &snapshot);
        }
        Some(explanation)
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    pub(crate) fn ending(&self) -> Option<&End> {
        self.end.get()
    }

    pub(crate) fn state(&self) -> &'static str {
        match self.ending().map(|end| &end.how) {
            None => "running",
            Some(Ending::Ended) => "ended",
            Some(Ending::Interrupted) => "interrupted",
            Some(Ending::Failed(_)) => "failed",
        }
    }

    /// The run is over.
    pub fn finish(&self, how: Ending) {
        let at = now();
        let (level, text) = match &how {
            Ending::Ended => (Level::Info, "The run has ended.".to_owned()),
            Ending::Interrupted => (Level::Warning, "The run was interrupted.".to_owned()),
            Ending::Failed(message) => (Level::Error, format!("The run has failed: {message}")),
        };
        self.log.push(Record::new(level, &text));
        // A run ends once.
        let _ = self.end.set(End { at, how });
    }

    /// Somebody has asked for something, and gets it.
    pub(crate) fn asked(&self) {
        lock(&self.viewers).asked = Some(Instant::now());
        self.changed.notify_all();
    }

    /// Somebody is told of the end.
    pub(crate) fn told(&self) {
        lock(&self.viewers).told = true;
        self.changed.notify_all();
    }

    /// Waits until pages that look at the run know that it is over; not for long.
    pub fn wait_for_viewers(&self) {
        let begin = Instant::now();
        let mut viewers = lock(&self.viewers);
        if viewers.asked.is_none_or(|asked| asked.elapsed() > LOOKS) {
            return;
        }
        loop {
            let quiet = viewers.asked.map_or(QUIET, |asked| QUIET.saturating_sub(asked.elapsed()));
            let left = FAREWELL.saturating_sub(begin.elapsed());
            if left.is_zero() || (viewers.told && quiet.is_zero()) {
                return;
            }
            let wait = if viewers.told { quiet.min(left) } else { left };
            viewers = self.changed.wait_timeout(viewers, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Arc<Board> {
        Board::new("a.py", Place::alone(1), Arc::default(), Arc::default())
    }

    #[test]
    fn runs_have_ids_of_their_own() {
        assert_ne!(board().id, board().id);
    }

    #[test]
    fn a_run_that_nobody_looks_at_ends() {
        let board = board();
        assert_eq!(board.state(), "running");
        board.finish(Ending::Ended);
        board.wait_for_viewers();
        assert_eq!(board.state(), "ended");
    }

    #[test]
    fn a_run_that_is_interrupted_has_not_failed() {
        let board = board();
        board.finish(Ending::Interrupted);
        assert_eq!((board.state(), board.ending().unwrap().message()), ("interrupted", None));
        assert_eq!(board.log.last(1)[0].message, "The run was interrupted.");
    }

    #[test]
    fn the_end_waits_until_it_was_told() {
        let board = board();
        board.asked();
        board.finish(Ending::Failed("no".to_owned()));
        assert_eq!(board.state(), "failed");
        assert_eq!(board.log.last(1)[0].message, "The run has failed: no");
        let waiting = {
            let board = board.clone();
            std::thread::spawn(move || board.wait_for_viewers())
        };
        board.told();
        board.asked();
        waiting.join().unwrap();
    }
}
