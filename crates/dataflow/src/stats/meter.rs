//! What is measured of one operator on one worker.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use pathway_types::{Diffs, Timestamp};

use super::lock;
use crate::timely::SyncActivator;

/// The step that an operator is a part of, on one worker.
#[derive(Debug)]
pub(crate) struct Place {
    step: usize,
    /// The stage, if the operator does just that one of a row-wise step.
    stage: Option<usize>,
    worker: usize,
    /// The operators of the step so far, by the numbers that timely has for them.
    operators: Mutex<Vec<(usize, Weak<Meter>)>>,
}

impl Place {
    pub(crate) fn new(step: usize, stage: Option<usize>, worker: usize) -> Arc<Place> {
        Arc::new(Place { step, stage, worker, operators: Mutex::default() })
    }

    pub(crate) fn step(&self) -> usize {
        self.step
    }

    pub(crate) fn worker(&self) -> usize {
        self.worker
    }

    /// The step is built: its rows come out of the operator with this number, or else out of the last one.
    pub(crate) fn gives(&self, node: Option<usize>) {
        let operators = lock(&self.operators);
        let last = operators.iter().find(|(number, _)| Some(*number) == node).or(operators.last());
        if let Some(meter) = last.and_then(|(_, meter)| meter.upgrade()) {
            meter.gives.store(true, Relaxed);
        }
    }
}

/// How an operator is connected: the numbers that timely has for it and for those that its inputs come from.
pub(crate) struct Wiring {
    pub(crate) node: usize,
    pub(crate) sources: Vec<usize>,
}

/// The frontier of an operator that has not been called yet.
pub(super) const UNKNOWN: Timestamp = 0;
/// The frontier of an operator that has ended.
pub(super) const DONE: Timestamp = Timestamp::MAX;

/// One operator on one worker, which alone writes what it has done.
#[derive(Debug)]
pub struct Meter {
    /// The operator, for people.
    pub(crate) name: String,
    place: Option<Arc<Place>>,
    /// By input: the rows come from another step.
    from_outside: Vec<bool>,
    /// What it emits is what the step gives.
    gives: AtomicBool,
    received: AtomicU64,
    inserted: AtomicU64,
    deleted: AtomicU64,
    /// Nanoseconds.
    busy: AtomicU64,
    /// It says how far it is.
    tracks: AtomicBool,
    frontier: AtomicU64,
    /// Bytes of state in memory.
    memory: AtomicUsize,
    /// Bytes of state in files.
    files: AtomicUsize,
    /// It can be emptied.
    spills: AtomicBool,
    /// It is to be emptied when it can.
    asked: AtomicBool,
    /// Wakes its worker.
    activator: Mutex<Option<SyncActivator>>,
}

impl Meter {
    /// A meter; without a place if nobody is to look at it.
    pub(crate) fn new(
        name: &str,
        place: Option<Arc<Place>>,
        wiring: Wiring,
        activator: Option<SyncActivator>,
    ) -> Arc<Meter> {
        let Wiring { node, sources } = wiring;
        let inside = |source: &usize| {
            place.iter().any(|place| lock(&place.operators).iter().any(|(number, _)| number == source))
        };
        let from_outside = sources.iter().map(|source| !inside(source)).collect();
        let meter = Arc::new(Meter { from_outside, ..Meter::blank(name, place.clone(), activator) });
        if let Some(place) = place {
            lock(&place.operators).push((node, Arc::downgrade(&meter)));
        }
        meter
    }

    /// The meter of a stage that is done together with others. It reads rows that come to the stage, or gives those
    /// that leave it, or both.
    pub(crate) fn of_stage(place: Arc<Place>, reads: bool, gives: bool) -> Arc<Meter> {
        let blank = Meter::blank("stage", Some(place), None);
        Arc::new(Meter { from_outside: vec![reads], gives: AtomicBool::new(gives), ..blank })
    }

    fn blank(name: &str, place: Option<Arc<Place>>, activator: Option<SyncActivator>) -> Meter {
        Meter {
            name: name.to_owned(),
            place,
            from_outside: Vec::new(),
            gives: AtomicBool::new(false),
            received: AtomicU64::new(0),
            inserted: AtomicU64::new(0),
            deleted: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            tracks: AtomicBool::new(false),
            frontier: AtomicU64::new(UNKNOWN),
            memory: AtomicUsize::new(0),
            files: AtomicUsize::new(0),
            spills: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            activator: Mutex::new(activator),
        }
    }

    /// Rows have come at an input.
    pub(crate) fn received(&self, input: usize, rows: usize) {
        if self.from_outside[input] {
            self.received.fetch_add(rows as u64, Relaxed);
        }
    }

    /// Changes were emitted.
    pub(crate) fn emitted(&self, diffs: &Diffs) {
        self.emitted_signs(signs(diffs));
    }

    /// So many insertions and deletions were emitted.
    pub(crate) fn emitted_signs(&self, (inserted, deleted): (u64, u64)) {
        self.inserted.fetch_add(inserted, Relaxed);
        if deleted > 0 {
            self.deleted.fetch_add(deleted, Relaxed);
        }
    }

    /// The operator has been at work since then, until now.
    pub(crate) fn worked(&self, begin: Instant) -> Instant {
        let end = Instant::now();
        self.busy.fetch_add((end - begin).as_nanos() as u64, Relaxed);
        end
    }

    /// The operator will say how far it is.
    pub(crate) fn tracks(&self) {
        self.tracks.store(true, Relaxed);
    }

    /// Nothing more comes of earlier times; nothing at all, if there is none.
    pub(crate) fn reached(&self, frontier: Option<Timestamp>) {
        self.frontier.store(frontier.unwrap_or(DONE), Relaxed);
    }

    /// The state takes so many bytes in memory and in files.
    pub(crate) fn set(&self, memory: usize, files: usize) {
        self.memory.store(memory, Relaxed);
        self.files.store(files, Relaxed);
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.memory.load(Relaxed)
    }

    /// Bytes of state in memory and in files.
    pub(crate) fn state(&self) -> (usize, usize) {
        (self.memory.load(Relaxed), self.files.load(Relaxed))
    }

    /// True of an operator that may have state.
    pub(crate) fn has_state(&self) -> bool {
        self.tracks.load(Relaxed)
    }

    /// The state can go to files.
    pub(crate) fn can_spill(&self) {
        self.spills.store(true, Relaxed);
    }

    /// True if the state can go to files.
    pub(crate) fn spills(&self) -> bool {
        self.spills.load(Relaxed)
    }

    /// True if the operator is to be emptied when it can.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// The operator was emptied.
    pub(crate) fn is_done(&self) {
        self.asked.store(false, Relaxed);
    }

    /// The operator cannot be emptied after all.
    pub(crate) fn stays(&self) {
        self.spills.store(false, Relaxed);
    }

    /// Asks the operator to be emptied.
    pub(crate) fn ask(&self) {
        if self.asked.swap(true, Relaxed) {
            return;
        }
        if let Some(activator) = &*lock(&self.activator) {
            // Fails only when the worker has gone, and its state with it.
            let _gone = activator.activate();
        }
    }

    /// The step, the stage if it is of one, and the worker.
    pub(super) fn whereabouts(&self) -> Option<(usize, Option<usize>, usize)> {
        self.place.as_ref().map(|place| (place.step, place.stage, place.worker))
    }

    pub(super) fn read(&self) -> Reading {
        let gives = self.gives.load(Relaxed);
        let given = |count: &AtomicU64| if gives { count.load(Relaxed) } else { 0 };
        Reading {
            received: self.received.load(Relaxed),
            inserted: given(&self.inserted),
            deleted: given(&self.deleted),
            busy: Duration::from_nanos(self.busy.load(Relaxed)),
            frontier: self.tracks.load(Relaxed).then(|| self.frontier.load(Relaxed)),
            memory: self.memory.load(Relaxed),
            files: self.files.load(Relaxed),
        }
    }
}

/// What a meter shows, as part of its node.
pub(super) struct Reading {
    pub(super) received: u64,
    pub(super) inserted: u64,
    pub(super) deleted: u64,
    pub(super) busy: Duration,
    pub(super) frontier: Option<Timestamp>,
    pub(super) memory: usize,
    pub(super) files: usize,
}

/// How many insertions and deletions these are.
pub(crate) fn signs(diffs: &Diffs) -> (u64, u64) {
    match diffs {
        Diffs::Ones(rows) => (*rows as u64, 0),
        Diffs::Each(diffs) => {
            // Two sums without branches, which are vectorised. Between the operators of a step diffs may mean
            // something else than how often a row is added, and be as large as there are numbers.
            diffs.iter().fold((0u64, 0u64), |(inserted, deleted), diff| {
                let (more, less) = (diff.max(&0).unsigned_abs(), diff.min(&0).unsigned_abs());
                (inserted.wrapping_add(more), deleted.wrapping_add(less))
            })
        }
    }
}
