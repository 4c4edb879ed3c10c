//! Checkpoints of a run: what its operators tell is written down while they go on, and brings a later run
//! to where this one was.
//!
//! Every operator with state has a [`Journal`] on each worker ([`journal`]). A thread of its own, the
//! [`recorder`], takes what the journals were told, writes it into packs, and completes a checkpoint with a
//! manifest: that of the latest time which all operators and sinks have reached. Where a run has several
//! processes, each writes its own [`part`], and the first one the manifest. A later run reads the last
//! complete checkpoint ([`recovery`]).

mod journal;
mod notes;
mod objects;
mod outbox;
mod part;
mod recorder;
mod recovery;
mod settings;
mod tracked;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pathway_dataflow::{Context, InputLog, Keeper, Site};
use pathway_io::{ConnectorError, Resume, Sink, Writer};
use pathway_persistence::{Manifest, Store, StoreError};
use pathway_plan::program::{Program, Step};
use pathway_types::Timestamp;

use self::journal::{Asks, Entry, OperatorJournal};
use self::objects::SourceObjects;
use self::outbox::Outbox;
use self::recorder::Recorder;
pub(crate) use self::recorder::{Others, Word};
use self::recovery::Recovered;
pub use self::settings::{Access, InputLogs, Persistence};
use self::tracked::TrackedSink;
use crate::marks::Marks;
use crate::replay::Replayed;

/// The workers of this process among those of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The number of the process.
    pub(crate) process: usize,
    /// The number of its first worker.
    pub(crate) first: usize,
    /// How many workers it has.
    pub(crate) here: usize,
    /// How many the run has.
    pub(crate) all: usize,
}

impl Place {
    /// True if a worker is one of this process.
    fn has(self, worker: usize) -> bool {
        (self.first..self.first + self.here).contains(&worker)
    }

    /// True if this process keeps what a worker of an earlier run noted.
    fn keeps(self, worker: usize) -> bool {
        self.has(worker) || self.process == 0 && worker >= self.all
    }
}

/// The checkpoints of one run.
pub(crate) struct Checkpoints {
    persistence: Persistence,
    place: Place,
    /// The time of the first changes of the run.
    pub(crate) start: Timestamp,
    /// By step, what identifies it.
    identities: Vec<String>,
    names: Vec<String>,
    /// By step: it is computed from sources that start over in each run.
    begins_anew: Vec<bool>,
    recovered: Recovered,
    operators: Mutex<Operators>,
    /// By worker of this process, what its journals were told and the recorder has not taken.
    intake: Vec<Mutex<Vec<(Entry, usize)>>>,
    backlog: Backlog,
    /// Workers of this process that have built all their operators.
    built: AtomicUsize,
    /// How far sources were read, by name.
    sources: Mutex<Vec<(String, Arc<Marks>)>>,
    sinks: Mutex<Vec<Arc<TrackedSink>>>,
    outboxes: Mutex<Vec<Arc<Outbox>>>,
    /// The bytes that wait in them.
    outbox_bytes: Arc<AtomicUsize>,
    /// Tells the run from which all others of the store have gone on from those of other stores.
    origin: String,
    objects: Arc<SourceObjects>,
}

/// The operators that keep state, in the order in which they became known.
#[derive(Default)]
struct Operators {
    numbers: HashMap<(usize, usize), usize>,
    all: Vec<Operator>,
}

#[derive(Clone)]
struct Operator {
    /// It is the log of a source.
    is_log: bool,
    columns: Vec<String>,
    /// The number of its step.
    step: usize,
    identity: String,
    name: String,
    /// By worker of this process, how far it is.
    reached: Arc<[AtomicU64]>,
}

/// The part of a source that is its log.
const LOG: usize = usize::MAX;

/// What the dtypes of the columns of a source are called.
fn names_of(source: &Step) -> Vec<String> {
    source.columns.iter().map(ToString::to_string).collect()
}

/// What identifies the log of a source.
fn log_identity(program: &Program, step: usize) -> String {
    format!("rows of {}", program.persistent_name(step))
}

/// Bytes that were noted and not written.
#[derive(Default)]
struct Backlog {
    bytes: Mutex<usize>,
    changed: Condvar,
}

/// Workers wait while so many bytes have been noted and not written.
const MOST_BYTES: usize = 256 << 20;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backlog {
    fn add(&self, bytes: usize) {
        *lock(&self.bytes) += bytes;
    }
    fn remove(&self, bytes: usize) {
        let mut all = lock(&self.bytes);
        *all = all.saturating_sub(bytes);
        drop(all);
        self.changed.notify_all();
    }
    /// Waits for room, unless the run is over.
    fn wait(&self, context: &Context) {
        let mut bytes = lock(&self.bytes);
        while *bytes > MOST_BYTES && !context.is_stopped() {
            let waited = self.changed.wait_timeout(bytes, Duration::from_millis(50));
            bytes = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Checkpoints are being written.
pub(crate) struct Recording {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Recording {
    /// Writes the last checkpoint. All workers of this process must have ended.
    pub(crate) fn end(self) {
        drop(self.end);
        // Nothing can be done about a recorder that failed: the last checkpoint it completed counts.
        let _failed = self.thread.join();
    }
}

impl Checkpoints {
    /// Looks for the last checkpoint of the store.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) fn open(
        persistence: &Persistence,
        program: &Program,
        place: Place,
        start: Timestamp,
        context: &Context,
    ) -> Result<Arc<Checkpoints>, StoreError> {
        let recovered = recovery::recover(persistence, context)?;
        let start = start.max((recovered.last + 3) & !1);
        let identities = program.identities();
        let starts_over = |step| persistence.restores() && persistence.logs.starts_over(program, step);
        let begins_anew = program.reached(starts_over);
        let recovered = recovered.settle(persistence, program, &identities, &begins_anew, context)?;
        let writes = persistence.access != Access::Read;
        if place.process == 0 && writes {
            Manifest::remove_unfinished(&persistence.store)?;
            objects::collect(&persistence.store, &recovered.objects())?;
        }
        let origin = recovered.origin(&persistence.store);
        let store = persistence.store.clone();
        let own = if writes { None } else { Some(Arc::new(Store::memory()?)) };
        let number = recovered.run() + 1;
        let objects = Arc::new(SourceObjects::new(store, own, number, place.process, context.clone()));
        Ok(Arc::new(Checkpoints {
            persistence: persistence.clone(),
            place,
            start,
            identities,
            names: program.steps.iter().map(|step| step.name.clone()).collect(),
            begins_anew,
            recovered,
            operators: Mutex::default(),
            intake: (0..place.here).map(|_| Mutex::default()).collect(),
            backlog: Backlog::default(),
            built: AtomicUsize::new(0),
            sources: Mutex::default(),
            sinks: Mutex::default(),
            outboxes: Mutex::default(),
            outbox_bytes: Arc::default(),
            origin,
            objects,
        }))
    }

    /// The number of the checkpoint that the run goes on from.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.recovered.manifest.as_ref().map(|manifest| manifest.sequence)
    }

    /// The keeper of an operator of a step on a worker of this process, if state is kept or comes back.
    pub(crate) fn keeper(
        self: &Arc<Self>,
        step: usize,
        part: usize,
        worker: usize,
        context: &Context,
    ) -> Option<Keeper> {
        if !self.persistence.restores() {
            return None;
        }
        let identity = || format!("{}/{part}", self.identities[step]);
        let (number, operator) = self.register(step, part, identity, &[]);
        let kept = self.recovered.kept(step, &operator.identity);
        // What other workers gave is of other parts of the state: it is to be written anew.
        let anew = kept.is_some() && self.recovered.workers != self.place.all;
        let (asks, first) = match self.persistence.keeps_states() {
            true if anew => (Asks::AtOnce, 0),
            true => (Asks::Later, 0),
            false => (Asks::Never, Timestamp::MAX),
        };
        let (reached, context) = (operator.reached, context.clone());
        let journal = OperatorJournal::new(self.clone(), number, worker, reached, asks, first, context);
        Some(Keeper { journal: Box::new(journal), kept })
    }

    /// Makes an operator known; gives its number.
    fn register(
        &self,
        step: usize,
        part: usize,
        identity: impl Fn() -> String,
        columns: &[String],
    ) -> (usize, Operator) {
        let mut operators = lock(&self.operators);
        let next = operators.all.len();
        let number = *operators.numbers.entry((step, part)).or_insert(next);
        if number == next {
            operators.all.push(Operator {
                step,
                identity: identity(),
                is_log: part == LOG,
                columns: columns.to_vec(),
                name: self.names[step].clone(),
                reached: (0..self.place.here).map(|_| AtomicU64::new(0)).collect(),
            });
        }
        (number, operators.all[number].clone())
    }

    /// What keeps the rows of a source on a worker of this process, if they are kept.
    pub(crate) fn log(
        self: &Arc<Self>,
        program: &Program,
        step: usize,
        worker: usize,
        context: &Context,
    ) -> Option<InputLog> {
        if !self.persistence.logs.keeps(program, step) {
            return None;
        }
        let columns = names_of(&program.steps[step]);
        let (number, operator) = self.register(step, LOG, || log_identity(program, step), &columns);
        let (reached, context) = (operator.reached, context.clone());
        let first = if self.persistence.keeps_rows() {
            // What is given once more is kept already.
            self.replayed(step).and_then(|replayed| Some(replayed.rows.last()?.0 + 1)).unwrap_or(0)
        } else {
            Timestamp::MAX
        };
        let journal =
            OperatorJournal::new(self.clone(), number, worker, reached, Asks::Never, first, context);
        Some(InputLog { journal: Box::new(journal), rows: self.recovered.rows(step) })
    }

    /// What the source at a step gives once more.
    pub(crate) fn replayed(&self, step: usize) -> Option<Replayed> {
        let replay = self.persistence.replays()?;
        let (recorded, first) = self.recovered.recorded(step)?;
        Some(replay.pace.replayed(recorded, self.start, first, self.persistence.keeps_rows()))
    }

    /// True if sources are read, after what they give once more.
    pub(crate) fn continues(&self) -> bool {
        self.persistence.continues
    }

    /// What a source goes on with, and where the ends of its minibatches are noted; nothing, if it starts
    /// over in each run.
    pub(crate) fn source(&self, program: &Program, step: usize) -> (Option<Resume>, Option<Arc<Marks>>) {
        if self.persistence.logs.starts_over(program, step) {
            return (None, None);
        }
        let name = &*program.persistent_name(step);
        let records = self.persistence.access == Access::Record;
        let positions = if records { BTreeMap::new() } else { self.recovered.source(name) };
        let run = self.recovered.run() + 1;
        let resume = Resume { positions, objects: self.objects.clone(), run, records };
        let marks = (self.persistence.access != Access::Read).then(|| {
            let marks = Arc::new(Marks::default());
            lock(&self.sources).push((name.to_owned(), marks.clone()));
            marks
        });
        (Some(resume), marks)
    }

    /// True if sources that start over are among those that the output at a step is computed from: there is no
    /// earlier run for it, and everything comes again.
    pub(crate) fn begins_anew(&self, step: usize) -> bool {
        self.begins_anew[step]
    }

    /// Opens the sink of a step: where it was, or for whole checkpoints, after what was kept for it by the
    /// last one.
    ///
    /// # Errors
    /// If the sink fails.
    pub(crate) fn open_sink(
        &self,
        program: &Program,
        (step, sink): (usize, &dyn Sink),
        site: &Site,
        context: &Context,
    ) -> Result<Box<dyn Writer>, ConnectorError> {
        if !self.persistence.restores() {
            return sink.open(None);
        }
        let name = program.persistent_name(step);
        let columns = names_of(&program.steps[program.steps[step].inputs[0].0]).join(", ");
        let identity = format!("{name}: {} ({columns})", sink.description());
        let anew = self.begins_anew(step);
        // What comes again is not sent from an outbox besides.
        let kept = Some(self.recovered.outbox(&identity)).filter(|_| !anew).unwrap_or_default();
        let id = format!("pathway-{}-{name}", self.origin);
        let transactions = if self.persistence.keeps_states() { sink.transactions(&id, anew)? } else { None };
        let Some(mut transactions) = transactions else {
            // Where a run that ended took up its output anew, there is no position.
            let mut writer = sink.open(self.recovered.sink(&name).filter(|_| !anew))?;
            outbox::write(&kept, &mut *writer)?;
            if self.persistence.access == Access::Read {
                return Ok(writer);
            }
            let (writer, sink) = tracked::track(writer, name);
            lock(&self.sinks).extend(sink);
            return Ok(writer);
        };
        if let Some(number) = self.sequence().filter(|_| !kept.is_empty())
            && let Some(found) = transactions.commit(number, &kept, true)?
            && found > number
        {
            let label = program.label(step);
            let text = format!(
                "{label} has what belongs to checkpoint {found}, which cannot be used: what comes after \
                 checkpoint {number} is written a second time"
            );
            context.message(true, &text);
        }
        let outbox = Outbox::new(identity, site.clone(), transactions, self.outbox_bytes.clone());
        lock(&self.outboxes).push(outbox.clone());
        Ok(outbox.writer())
    }

    /// Tells of what was kept for sinks that the program does not have any more; when all are open.
    pub(crate) fn sinks_are_open(&self, context: &Context) {
        for sink in self.recovered.outboxes_left() {
            let text = format!(
                "the program has changed and does not have the output {sink} any more: changes of the last \
                 checkpoint may not have been sent to it"
            );
            context.message(true, &text);
        }
    }

    /// True if so much has been noted that it should be written soon.
    fn is_crowded(&self) -> bool {
        self.outbox_bytes.load(Ordering::Relaxed).max(*lock(&self.backlog.bytes)) > MOST_BYTES / 4
    }

    /// A worker has built all its operators.
    pub(crate) fn built(&self) {
        if self.built.fetch_add(1, Ordering::SeqCst) + 1 == self.place.here {
            self.recovered.release();
        }
    }

    /// The checkpoint of a time is complete.
    fn hold(&self, time: Timestamp) {
        lock(&self.sources).iter().for_each(|(_, marks)| marks.hold(time));
    }

    /// The time that all operators of this process have reached.
    pub(crate) fn reached(&self) -> Timestamp {
        let operators = lock(&self.operators);
        let reached = operators.all.iter().flat_map(|operator| operator.reached.iter());
        let least = reached.map(|reached| reached.load(Ordering::SeqCst)).min();
        least.unwrap_or(Timestamp::MAX)
    }

    /// Starts to write checkpoints, if any are written.
    pub(crate) fn start(
        self: &Arc<Self>,
        others: Option<Others>,
        context: &Context,
    ) -> std::io::Result<Option<Recording>> {
        if self.persistence.access == Access::Read {
            return Ok(None);
        }
        let (end, ended) = channel();
        let recorder = Recorder::new(self.clone(), others, context.clone());
        let thread = std::thread::Builder::new().name("pathway:checkpoints".into());
        Ok(Some(Recording { end, thread: thread.spawn(move || recorder.run(&ended))? }))
    }
}
