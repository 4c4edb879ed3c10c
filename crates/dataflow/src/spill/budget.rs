//! How much memory the state of a run may take, and what takes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::ArrowError;

use crate::context::Context;
use crate::timely::SyncActivator;

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

/// The state of one operator on one worker.
#[derive(Debug)]
pub(crate) struct Meter {
    /// The operator, for people.
    pub name: String,
    /// Bytes in memory.
    memory: AtomicUsize,
    /// Bytes in files.
    files: AtomicUsize,
    /// It can be emptied.
    spills: AtomicBool,
    /// It is to be emptied when it can.
    asked: AtomicBool,
    /// Wakes its worker.
    activator: Mutex<Option<SyncActivator>>,
}

/// What takes memory in a run.
#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<Vec<Arc<Meter>>>);

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

impl Meters {
    /// The meter of an operator on a worker.
    pub(crate) fn add(&self, name: &str, spills: bool, activator: SyncActivator) -> Arc<Meter> {
        let meter = Arc::new(Meter {
            name: name.to_owned(),
            memory: AtomicUsize::new(0),
            files: AtomicUsize::new(0),
            spills: AtomicBool::new(spills),
            asked: AtomicBool::new(false),
            activator: Mutex::new(Some(activator)),
        });
        self.all().push(meter.clone());
        meter
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Meter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each operator takes, on all workers.
    pub(crate) fn read(&self) -> Vec<StateSize> {
        let one = |meter: &Arc<Meter>| StateSize {
            name: meter.name.clone(),
            memory: meter.memory.load(Ordering::Relaxed),
            files: meter.files.load(Ordering::Relaxed),
        };
        self.all().iter().map(one).collect()
    }

    /// True if the budget does not suffice.
    pub(crate) fn is_over(&self, budget: &Budget) -> bool {
        self.taken() > budget.bytes
    }

    fn taken(&self) -> usize {
        self.all().iter().map(|meter| meter.memory.load(Ordering::Relaxed)).sum()
    }

    /// If the budget does not suffice, the operator that takes most is asked to spill.
    pub(crate) fn relieve(&self, budget: &Budget) {
        if budget.is_full() {
            return;
        }
        if !self.is_over(budget) {
            return;
        }
        let meters = self.all();
        let spilling = meters.iter().filter(|meter| meter.spills.load(Ordering::Relaxed));
        let Some(largest) = spilling.max_by_key(|meter| meter.memory.load(Ordering::Relaxed)) else { return };
        if largest.memory.load(Ordering::Relaxed) > budget.bytes / WORTH_IT {
            largest.ask();
        }
    }
}

impl Meter {
    /// The operator takes so much.
    pub(crate) fn set(&self, memory: usize, files: usize) {
        self.memory.store(memory, Ordering::Relaxed);
        self.files.store(files, Ordering::Relaxed);
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    /// True if the operator is to be emptied when it can.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The operator was emptied.
    pub(crate) fn is_done(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// The operator cannot be emptied after all.
    pub(crate) fn stays(&self) {
        self.spills.store(false, Ordering::Relaxed);
    }

    fn ask(&self) {
        if self.asked.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(activator) = &*self.activator.lock().unwrap_or_else(PoisonError::into_inner) {
            // Fails only when the worker has gone, and its state with it.
            let _gone = activator.activate();
        }
    }
}
