//! How much memory the state of a run may take, and what takes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_schema::ArrowError;

use crate::context::Context;
use crate::stats::Meter;

/// Of the memory of a process, state takes this share at most; the rest is for rows under way, what is sorted to
/// be written, the interpreter and its modules.
const SHARE_OF_STATE: f64 = 0.4;
/// An operator that takes less than this share of the budget is left alone: little would be gained.
const WORTH_IT: usize = 64;

/// The memory that state may take, and where it goes if it takes more.
#[derive(Debug)]
pub struct Budget {
    bytes: usize,
    folder: PathBuf,
    /// A file could not be written: what is in memory stays there.
    full: AtomicBool,
}

/// The bytes of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSize {
    /// The operator, for people.
    pub name: String,
    /// Bytes in memory.
    pub memory: usize,
    /// Bytes in files.
    pub files: usize,
}

impl Budget {
    /// A budget for a process that may take so many bytes; what does not fit goes to files in a folder, which have
    /// no names.
    pub fn of_process(bytes: usize, folder: &Path) -> Budget {
        let bytes = (bytes as f64 * SHARE_OF_STATE) as usize;
        Budget { bytes, folder: folder.to_owned(), full: AtomicBool::new(false) }
    }

    /// Bytes that all state may take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes of changes of one time that may wait in memory in front of an operator.
    pub(crate) fn of_waiting(&self) -> usize {
        self.bytes / 8
    }

    /// Bytes of changes that are applied together.
    pub(crate) fn of_group(&self) -> usize {
        self.bytes / 32
    }

    /// Memory that was freed goes back to the system.
    pub(crate) fn give_back(&self) {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        // SAFETY: it has no conditions; it is safe to call from any thread.
        unsafe {
            libc::malloc_trim(0);
        }
    }

    /// No more files can be written.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// A file could not be written; true if that was not known.
    pub(crate) fn fill(&self) -> bool {
        !self.full.swap(true, Ordering::Relaxed)
    }

    /// A file could not be written: from now on everything stays in memory, and the user is told once.
    pub(crate) fn exhaust(&self, error: &ArrowError, context: &Context) {
        if self.fill() {
            let folder = self.folder.display();
            let text = format!("the state of the run stays in memory from now on: {folder}: {error}");
            context.message(true, &text);
        }
    }
}

/// True if the state of these operators takes more than it may.
pub(crate) fn is_over(meters: &[Arc<Meter>], budget: &Budget) -> bool {
    meters.iter().map(|meter| meter.memory()).sum::<usize>() > budget.bytes
}

/// If the budget does not suffice, the operator that takes most is asked to spill.
pub(crate) fn relieve(meters: &[Arc<Meter>], budget: &Budget) {
    if budget.is_full() || !is_over(meters, budget) {
        return;
    }
    let spilling = meters.iter().filter(|meter| meter.spills());
    let Some(largest) = spilling.max_by_key(|meter| meter.memory()) else { return };
    if largest.memory() > budget.bytes / WORTH_IT {
        largest.ask();
    }
}
