//! What an operator tells while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pathway_dataflow::operator::State;
use pathway_dataflow::{Context, Journal};
use pathway_types::{Batch, Timestamp};

use super::{Checkpoints, lock};

/// Something that an operator has told.
pub(super) enum Entry {
    /// Changes.
    Note {
        /// The number of the operator.
        operator: usize,
        time: Timestamp,
        input: usize,
        batch: Batch,
    },
    /// A part of the whole state.
    State {
        /// The number of the operator.
        operator: usize,
        before: Timestamp,
        part: State,
        is_last: bool,
    },
}

/// When the whole state is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// At once, and when there are many changes.
    AtOnce,
    /// When there are many changes.
    Later,
    /// There is no state: all changes are kept.
    Never,
}

/// The journal of one operator on one worker.
pub(super) struct OperatorJournal {
    checkpoints: Arc<Checkpoints>,
    operator: usize,
    worker: usize,
    /// By worker.
    reached: Arc<[AtomicU64]>,
    /// Bytes that were noted since the last whole state, which had so many.
    noted: usize,
    size: usize,
    /// Bytes of the parts of a state that is not whole yet.
    parts: usize,
    asks: Asks,
    /// Changes of times before this one are not noted.
    first: Timestamp,
    context: Context,
}

impl OperatorJournal {
    /// A journal that asks for the state when it is said, and notes nothing of times before `first`.
    pub(super) fn new(
        checkpoints: Arc<Checkpoints>,
        operator: usize,
        worker: usize,
        reached: Arc<[AtomicU64]>,
        asks: Asks,
        first: Timestamp,
        context: Context,
    ) -> Self {
        let noted = if asks == Asks::AtOnce { usize::MAX } else { 0 };
        OperatorJournal {
            checkpoints,
            operator,
            worker,
            reached,
            noted,
            size: 0,
            parts: 0,
            asks,
            first,
            context,
        }
    }

    fn tell(&self, entry: Entry, bytes: usize) {
        self.checkpoints.backlog.wait(&self.context);
        self.checkpoints.backlog.add(bytes);
        lock(&self.checkpoints.intake[self.worker]).push((entry, bytes));
    }
}

impl Journal for OperatorJournal {
    fn note(&mut self, time: Timestamp, input: usize, batch: &Batch) {
        if time < self.first {
            return;
        }
        let bytes = batch.memory_size();
        self.noted = self.noted.saturating_add(bytes);
        self.tell(Entry::Note { operator: self.operator, time, input, batch: batch.clone() }, bytes);
    }

    fn reached(&mut self, frontier: Timestamp) -> bool {
        self.reached[self.worker].store(frontier, Ordering::SeqCst);
        self.asks != Asks::Never && self.noted > self.size.max(self.checkpoints.persistence.state_after)
    }

    fn state(&mut self, before: Timestamp, part: State, is_last: bool) {
        let bytes = part.memory_size();
        self.parts += bytes;
        if is_last {
            (self.noted, self.size) = (0, std::mem::take(&mut self.parts));
        }
        self.tell(Entry::State { operator: self.operator, before, part, is_last }, bytes);
    }
}
