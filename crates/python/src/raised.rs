//! Exceptions of user code on their way through the engine.
//!
//! The engine knows an exception only by its text and a token. The object itself waits here, so that
//! the run can raise the very exception that the user's function raised, with its traceback.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use pathway_io::FailureClass;
use pathway_types::{DataError, ErrorKind};
use pyo3::prelude::*;

/// Exceptions hold on to the frames they went through; only so many wait to be raised.
const MOST_KEPT: usize = 1024;

static KEPT: Mutex<VecDeque<(u64, PyErr)>> = Mutex::new(VecDeque::new());
static NEXT_TOKEN: AtomicU64 = AtomicU64::new(1);
static TERMINATING_RUNS: AtomicUsize = AtomicUsize::new(0);

/// While it lives, exceptions in cells are kept: some run ends with the first of them.
pub(crate) struct KeepExceptions(());

impl KeepExceptions {
    /// Starts keeping.
    pub(crate) fn new() -> Self {
        TERMINATING_RUNS.fetch_add(1, Ordering::SeqCst);
        KeepExceptions(())
    }
}

impl Drop for KeepExceptions {
    fn drop(&mut self) {
        if TERMINATING_RUNS.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Dropped outside of the lock: an exception's end may run Python code.
            let forgotten = std::mem::take(&mut *KEPT.lock());
            drop(forgotten);
        }
    }
}

/// Keeps an exception and gives the token under which it can be had.
pub(crate) fn keep(error: PyErr) -> u64 {
    let token = NEXT_TOKEN.fetch_add(1, Ordering::Relaxed);
    let mut kept = KEPT.lock();
    kept.push_back((token, error));
    let oldest = if kept.len() > MOST_KEPT { kept.pop_front() } else { None };
    drop(kept);
    drop(oldest);
    token
}

/// Takes a kept exception.
pub(crate) fn take(token: u64) -> Option<PyErr> {
    let mut kept = KEPT.lock();
    let position = kept.iter().position(|(known, _)| *known == token)?;
    kept.remove(position).map(|(_, error)| error)
}

/// `ValueError: text`.
pub(crate) fn describe(py: Python<'_>, error: &PyErr) -> String {
    let class = error.get_type(py).name().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
    let text = error.value(py).str().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    if text.is_empty() { class } else { format!("{class}: {text}") }
}

/// The error of a cell whose function raised.
pub(crate) fn data_error(py: Python<'_>, error: PyErr) -> DataError {
    let mut data_error = DataError::new(ErrorKind::User, describe(py, &error));
    if TERMINATING_RUNS.load(Ordering::SeqCst) > 0 {
        data_error.token = Some(keep(error));
    }
    data_error
}

/// The failure of a connector whose code raised: text and class.
pub(crate) fn failure(py: Python<'_>, error: PyErr) -> (String, FailureClass) {
    (describe(py, &error), FailureClass::User(keep(error)))
}
