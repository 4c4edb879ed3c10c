//! How a run ends that is to be gone on with, or is broken off: sources stop, what they have read passes
//! through the outputs, and the workers stop where they are, so that a last checkpoint can be written. Nobody
//! is told that the input has ended.
//!
//! The processes of a run do so together: the first one learns up to which time each has read, says up to
//! which time all are to go, and ends the run when all are there.

use std::sync::{Arc, Mutex};

use pathway_dataflow::{Context, even_now};
use pathway_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checkpoints::{Checkpoints, lock};
use crate::feed::Feed;

/// What processes tell each other about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Sources are to stop.
    Begin,
    /// A process reads no more; all that it has read is of earlier times.
    Read(Timestamp),
    /// All are to go on to this time.
    Until(Timestamp),
    /// A process has got there.
    There,
    /// All have.
    End,
}

/// How far the processes are.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// By process.
    read: Vec<Option<Timestamp>>,
    there: Vec<bool>,
    until: Option<Timestamp>,
    ends: bool,
}

impl Agreement {
    pub(crate) fn new(processes: usize) -> Self {
        Agreement { read: vec![None; processes], there: vec![false; processes], until: None, ends: false }
    }

    /// Takes what a process tells; gives what is to be told to all in turn.
    pub(crate) fn take(&mut self, process: usize, step: Step) -> Option<Step> {
        match step {
            Step::Begin => {}
            Step::Read(time) => {
                self.read[process] = Some(time);
                let all: Option<Vec<Timestamp>> = self.read.iter().copied().collect();
                if let (None, Some(until)) = (self.until, all.and_then(|all| all.into_iter().max())) {
                    self.until = Some(until);
                    return Some(Step::Until(until));
                }
            }
            Step::Until(time) => self.until = Some(time),
            Step::There => {
                self.there[process] = true;
                if !self.ends && self.there.iter().all(|there| *there) {
                    self.ends = true;
                    return Some(Step::End);
                }
            }
            Step::End => self.ends = true,
        }
        None
    }
}

/// Tells the first process a step of this one.
pub(crate) type Tell = Box<dyn Fn(Step) + Send>;

/// Ends the run, a step at a time.
pub(crate) struct WindDown {
    pub(crate) feeds: Vec<Arc<Feed>>,
    pub(crate) context: Context,
    pub(crate) checkpoints: Option<Arc<Checkpoints>>,
    pub(crate) agreement: Arc<Mutex<Agreement>>,
    pub(crate) tell: Tell,
    /// What this process has told.
    pub(crate) told: Option<Step>,
    /// How often it has waited for answers, and until which time their consequences are waited for now.
    pub(crate) answers: (usize, Timestamp),
}

impl WindDown {
    /// Goes on, if the run was asked to end.
    pub(crate) fn step(&mut self) {
        if !self.context.is_winding_down() || !self.context.leaves_inputs_open() {
            return;
        }
        let all: Option<Vec<Timestamp>> = self.feeds.iter().map(|feed| feed.read_before()).collect();
        let Some(all) = all else { return };
        if self.told.is_none() {
            let read = Step::Read(all.into_iter().max().unwrap_or(0));
            self.told = Some(read);
            (self.tell)(read);
        }
        let (until, ends) = {
            let agreement = lock(&self.agreement);
            (agreement.until, agreement.ends)
        };
        let Some(until) = until else { return };
        let until = until.max(self.answers.1);
        self.feeds.iter().for_each(|feed| feed.pass_by(until.max(even_now())));
        let kept = self.checkpoints.as_ref().map(|checkpoints| checkpoints.reached());
        let reached = self.context.completed().frontier().min(kept.unwrap_or(Timestamp::MAX));
        if self.told != Some(Step::There) && reached >= until && self.is_answered(until) {
            self.told = Some(Step::There);
            (self.tell)(Step::There);
        }
        if ends {
            self.context.end_early();
        }
    }

    /// True if nothing of times before `until` waits for answers. Outputs do not wait for them, and what
    /// waits at a checkpoint is asked again by the next run; without one they are waited for. Answers are
    /// asked about in turn, at most as often as there are operators that ask.
    fn is_answered(&mut self, until: Timestamp) -> bool {
        if self.context.keeps_state() {
            return true;
        }
        let (before, told) = self.context.answered();
        if before < until {
            return false;
        }
        let (passes, _) = self.answers;
        if passes == self.context.answering_operators() {
            return true;
        }
        self.answers = (passes + 1, told.max(even_now()));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_go_as_far_as_the_last_has_read_and_end_when_all_are_there() {
        let mut first = Agreement::new(2);
        assert_eq!(first.take(1, Step::Read(8)), None);
        assert_eq!(first.take(0, Step::Read(4)), Some(Step::Until(8)));
        assert_eq!(first.take(0, Step::There), None);
        assert_eq!(first.take(1, Step::There), Some(Step::End));
        assert!(first.ends);
        let mut second = Agreement::new(2);
        assert_eq!(second.take(0, Step::Until(8)), None);
        assert_eq!((second.until, second.ends), (Some(8), false));
        assert_eq!(second.take(0, Step::End), None);
        assert!(second.ends);
    }

    #[test]
    fn one_process_needs_nobody() {
        let mut alone = Agreement::new(1);
        assert_eq!(alone.take(0, Step::Read(4)), Some(Step::Until(4)));
        assert_eq!(alone.take(0, Step::There), Some(Step::End));
    }
}
