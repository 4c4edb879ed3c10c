//! Where answers wait between the threads that give them and the worker that takes them.

use parking_lot::Mutex;
use pathway_expr::Answers;
use pathway_types::{DataError, Value};

use super::queue::Answer;
use crate::timely::SyncActivator;

/// Answers that have come, by call.
#[derive(Default)]
pub(super) struct Inbox {
    answers: Mutex<Vec<(u64, Answer)>>,
    worker: Mutex<Option<SyncActivator>>,
}

impl Inbox {
    /// Lets answers wake a worker.
    pub(super) fn wakes(&self, activator: SyncActivator) {
        *self.worker.lock() = Some(activator);
    }

    /// What has come since the last call.
    pub(super) fn take(&self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut *self.answers.lock())
    }
}

impl Answers for Inbox {
    fn answer(&self, call: u64, results: Result<Vec<Value>, DataError>) {
        let mut answers = self.answers.lock();
        answers.push((call, results));
        let first = answers.len() == 1;
        drop(answers);
        if first && let Some(worker) = &*self.worker.lock() {
            // Fails only when the worker has gone, and then nobody waits.
            let _gone = worker.activate();
        }
    }
}
