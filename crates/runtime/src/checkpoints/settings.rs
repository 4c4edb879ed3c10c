//! What a run keeps, and what it does with what earlier runs have kept.

use std::sync::Arc;
use std::time::Duration;

use pathway_persistence::Store;
use pathway_plan::program::{Program, StepOp};

use crate::replay::Replay;

/// Where, how often and for what a run writes checkpoints.
#[derive(Clone, Debug)]
pub struct Persistence {
    /// Where checkpoints are.
    pub store: Arc<Store>,
    /// The time between two checkpoints; the least possible if zero.
    pub interval: Duration,
    /// The rows of which sources are kept, for steps that a later version of the program has.
    pub logs: InputLogs,
    /// What is read of earlier runs, and what is written.
    pub access: Access,
    /// The rows that earlier runs have kept are given once more, to a program without state from before.
    pub replay: Option<Replay>,
    /// Sources are read on. Otherwise the run ends with what earlier runs have kept.
    pub continues: bool,
    /// An operator that has noted so many bytes of changes, and more than its state takes, gives its whole
    /// state.
    pub state_after: usize,
    /// Changes are written again with those that follow until they take so many bytes.
    pub seal_after: usize,
    /// Of an operator whose state or notes take more bytes, they are read part by part when it comes back, after
    /// they were checked.
    pub read_at_once: u64,
    /// So many bytes of states, and of changes, are kept in memory until a checkpoint is written. What is beyond
    /// that is written before, in packs of about this size.
    pub unwritten: usize,
}

/// Which sources keep their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputLogs {
    /// All of them.
    All,
    /// Those to which the program gives names. The others start over in each run, with all that is computed
    /// from them.
    Named,
    /// None: steps that are not known from an earlier run cannot be computed.
    None,
}

/// What a run reads of earlier ones, and what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It goes on where the last one was, and can be gone on with.
    Full,
    /// It begins anew. The rows of its sources are kept behind those of earlier runs.
    Record,
    /// It goes on where the last one was, and writes nothing.
    Read,
    /// It goes on where the last one was, and writes only how far sources and sinks are.
    Positions,
}

impl InputLogs {
    /// True if the source at this step is read from the start in each run, as if it were the first.
    pub(super) fn starts_over(self, program: &Program, step: usize) -> bool {
        matches!(&program.steps[step].op, StepOp::Source(source) if source.name.is_none())
            && self == InputLogs::Named
    }

    /// True if the rows of the source at this step are kept.
    pub(super) fn keeps(self, program: &Program, step: usize) -> bool {
        match (self, &program.steps[step].op) {
            (InputLogs::All, StepOp::Source(_)) => true,
            (InputLogs::Named, StepOp::Source(source)) => source.name.is_some(),
            _ => false,
        }
    }
}

impl Persistence {
    /// Checkpoints as often as possible, of everything.
    pub fn new(store: Arc<Store>) -> Self {
        Persistence {
            store,
            interval: Duration::ZERO,
            logs: InputLogs::All,
            access: Access::Full,
            replay: None,
            continues: true,
            state_after: 1 << 20,
            seal_after: 256 << 10,
            read_at_once: 64 << 20,
            unwritten: 16 << 20,
        }
    }

    /// Operators come back with the state that they had.
    pub(super) fn restores(&self) -> bool {
        self.replay.is_none() && self.access != Access::Record
    }

    /// Operators tell what they do, and sinks that take whole checkpoints get them.
    pub(super) fn keeps_states(&self) -> bool {
        self.replay.is_none() && self.access == Access::Full
    }

    /// Rows of sources are written.
    pub(super) fn keeps_rows(&self) -> bool {
        matches!(self.access, Access::Full | Access::Record)
    }

    /// What is given once more.
    pub(super) fn replays(&self) -> Option<&Replay> {
        self.replay.as_ref().filter(|_| self.access != Access::Record)
    }
}
