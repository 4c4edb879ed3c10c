//! Others wait until a run has begun.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whether a run has begun: its workers work, and its sources are read.
#[derive(Debug, Default)]
pub struct Begun {
    is: Mutex<bool>,
    changed: Condvar,
}

impl Begun {
    /// The run has begun.
    pub(crate) fn tell(&self) {
        *self.is.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for the beginning, so long at most. True if the run has begun.
    pub fn wait(&self, timeout: Duration) -> bool {
        let is = self.is.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is, timeout, |is| !*is);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
