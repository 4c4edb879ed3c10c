//! Writes checkpoints while the run goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use arrow_schema::DataType;
use pathway_dataflow::operator::{END_OF_INPUT, State};
use pathway_dataflow::{Context, Note};
use pathway_io::Position;
use pathway_persistence::{
    Manifest, OperatorState, Pack, SavedNotes, SavedPosition, SavedState, Section, Store, StoreError,
};
use pathway_types::{Batch, Timestamp};

use super::journal::Entry;
use super::{Checkpoints, lock, notes, objects};

/// The least time between two checkpoints.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);
/// How many checkpoints are kept besides the last.
const KEPT: usize = 1;

/// Writes what the journals are told.
pub(super) struct Recorder {
    checkpoints: Arc<Checkpoints>,
    context: Context,
    /// The number of the next checkpoint.
    sequence: u64,
    run: u64,
    /// The time of the last checkpoint.
    time: Timestamp,
    /// The latest time of anything that was told.
    last: Timestamp,
    /// Something was told since.
    changed: bool,
    operators: Vec<Written>,
    /// The objects of sources that the last two checkpoints name.
    objects: [BTreeSet<String>; 2],
}

type Sources = BTreeMap<String, BTreeMap<String, SavedPosition>>;
type Sinks = BTreeMap<String, SavedPosition>;

/// What is known of an operator.
#[derive(Default)]
struct Written {
    /// By worker, whole states that are written, and those that are not.
    states: Vec<Vec<SavedState>>,
    unwritten: Vec<(usize, Timestamp, State)>,
    /// Notes that are written for good.
    sealed: Vec<SavedNotes>,
    /// Later notes.
    tail: Vec<Note>,
    /// The state before this run was of other workers: each has to give its own first.
    anew: bool,
}

impl Recorder {
    pub(super) fn new(checkpoints: Arc<Checkpoints>, context: Context) -> Self {
        let earlier = checkpoints.recovered.manifest.as_ref();
        let (sequence, run, last) = earlier.map_or((1, 1, 0), |m| (m.sequence + 1, m.run + 1, m.last));
        let objects = [BTreeSet::new(), earlier.iter().flat_map(|m| m.objects()).cloned().collect()];
        let operators = Vec::new();
        Recorder { checkpoints, context, sequence, run, time: 0, last, changed: false, operators, objects }
    }

    /// Writes checkpoints until the run has ended, and a last one then.
    pub(super) fn run(mut self, ended: &Receiver<()>) {
        let interval = self.checkpoints.persistence.interval.max(LEAST_INTERVAL);
        loop {
            let goes_on = ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout);
            if self.checkpoints.built.load(Ordering::SeqCst) == self.checkpoints.workers
                && let Err(error) = self.step()
            {
                let text =
                    format!("no checkpoint can be written ({error}); a restart would repeat more work");
                self.context.message(true, &text);
            }
            if !goes_on {
                return;
            }
        }
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.meet();
        // What was told before an operator said how far it is comes with it.
        let time = self.boundary(self.reached());
        self.take();
        if time <= self.time || !(self.changed || self.has_moved(time) || time == Timestamp::MAX) {
            return Ok(());
        }
        let workers = self.checkpoints.workers;
        let is_whole = |operator: &Written| {
            let has = |worker: usize| {
                let unwritten = operator.unwritten.iter().filter(|(of, ..)| *of == worker);
                let written = operator.states[worker].iter().map(|state| state.before);
                unwritten.map(|(_, before, _)| *before).chain(written).any(|before| before <= time)
            };
            !operator.anew || (0..workers).all(has)
        };
        if !self.operators.iter().all(is_whole) {
            return Ok(());
        }
        self.write(time)?;
        self.time = time;
        self.changed = false;
        Ok(())
    }

    /// Takes up the operators that have become known.
    fn meet(&mut self) {
        let checkpoints = self.checkpoints.clone();
        let operators = lock(&checkpoints.operators);
        let recovered = &checkpoints.recovered;
        for operator in &operators.all[self.operators.len()..] {
            let mut written = Written { states: vec![Vec::new(); checkpoints.workers], ..Written::default() };
            let earlier = recovered
                .manifest
                .as_ref()
                .filter(|_| operator.is_log || recovered.is_kept(operator.step, &operator.identity));
            if let Some((manifest, saved)) =
                earlier.and_then(|m| Some((m, m.operators.get(&operator.identity)?)))
            {
                if operator.is_log || recovered.workers == checkpoints.workers {
                    saved.states.iter().for_each(|state| written.states[state.worker].push(state.clone()));
                    written.sealed.clone_from(&saved.notes);
                    written.sealed.iter_mut().for_each(|notes| notes.end = notes.end.min(manifest.time));
                } else {
                    written.anew = true;
                }
            }
            self.operators.push(written);
        }
    }

    /// The time that everybody has reached.
    fn reached(&self) -> Timestamp {
        let operators = lock(&self.checkpoints.operators);
        let reached = operators.all.iter().flat_map(|operator| operator.reached.iter());
        let least = reached.map(|reached| reached.load(Ordering::SeqCst)).min();
        least.unwrap_or(Timestamp::MAX).min(self.context.completed().frontier())
    }

    /// The latest time, `limit` at most, at which the positions of all sources cover what they gave.
    fn boundary(&self, limit: Timestamp) -> Timestamp {
        let sources = lock(&self.checkpoints.sources);
        let mut time = limit;
        loop {
            let least = sources.iter().map(|(_, marks)| marks.boundary(time)).min().unwrap_or(time);
            if least == time {
                return time;
            }
            time = least;
        }
    }

    /// True if sources or sinks have got further before this time.
    fn has_moved(&self, time: Timestamp) -> bool {
        let sources = lock(&self.checkpoints.sources).iter().any(|(_, marks)| marks.has_before(time));
        sources || lock(&self.checkpoints.sinks).iter().any(|sink| sink.has_before(time))
    }

    /// Takes what the journals were told.
    fn take(&mut self) {
        for worker in 0..self.checkpoints.workers {
            let entries = std::mem::take(&mut *lock(&self.checkpoints.intake[worker]));
            for (entry, bytes) in entries {
                self.checkpoints.backlog.remove(bytes);
                self.changed = true;
                match entry {
                    Entry::Note { operator, time, input, batch } => {
                        if time < END_OF_INPUT {
                            self.last = self.last.max(time);
                        }
                        self.operators[operator].tail.push(Note { time, worker, input, batch });
                    }
                    Entry::State { operator, before, state } => {
                        self.operators[operator].unwritten.push((worker, before, state));
                    }
                }
            }
        }
    }

    /// Writes the checkpoint of everything before `time`.
    fn write(&mut self, time: Timestamp) -> Result<(), StoreError> {
        let checkpoints = self.checkpoints.clone();
        let store = &*checkpoints.persistence.store;
        self.write_states(store)?;
        self.operators.iter_mut().for_each(|operator| operator.forget(time));
        let mut pack = Pack::new(self.sequence, 0, "notes");
        let mut tails = Vec::with_capacity(self.operators.len());
        for operator in &self.operators {
            tails.push(operator.pack_tail(&mut pack, store)?);
        }
        let seals = pack.len() >= checkpoints.persistence.seal_after;
        pack.write(store)?;
        if seals {
            for (operator, tail) in self.operators.iter_mut().zip(&mut tails) {
                operator.sealed.append(tail);
                operator.tail.clear();
            }
        }
        let registered = lock(&checkpoints.operators).all.clone();
        let mut operators = BTreeMap::new();
        for ((registered, written), tail) in registered.iter().zip(&self.operators).zip(tails) {
            let state = OperatorState {
                name: registered.name.clone(),
                is_log: registered.is_log,
                columns: registered.columns.clone(),
                states: written
                    .states
                    .iter()
                    .filter_map(|states| last_before(states, time))
                    .cloned()
                    .collect(),
                notes: written.sealed.iter().cloned().chain(tail).collect(),
            };
            operators.insert(registered.identity.clone(), state);
        }
        let (sources, sinks) = self.positions(time)?;
        let manifest = Manifest {
            sequence: self.sequence,
            run: self.run,
            time,
            last: self.last,
            finished: time == Timestamp::MAX,
            workers: checkpoints.workers,
            steps: checkpoints.identities.iter().cloned().collect(),
            operators,
            sources,
            sinks,
        };
        manifest.write(store)?;
        lock(&checkpoints.sources).iter().for_each(|(_, marks)| marks.hold(time));
        self.sequence += 1;
        self.delete_objects(store, &manifest)?;
        manifest.collect(store, KEPT, &self.named())
    }

    /// How far sources and sinks are at a time.
    fn positions(&self, time: Timestamp) -> Result<(Sources, Sinks), StoreError> {
        let saved = |position: Position| SavedPosition { value: position.value, objects: position.objects };
        let sources = lock(&self.checkpoints.sources);
        let sources = sources.iter().map(|(name, marks)| {
            let parts = marks.positions(time).into_iter();
            (name.clone(), parts.map(|(part, position)| (part, saved(position))).collect())
        });
        let sinks = lock(&self.checkpoints.sinks).clone();
        let sinks = sinks.iter().map(|sink| {
            let value = sink.position(time).map_err(|error| StoreError::Failed {
                action: "keeping the output",
                object: sink.name.clone(),
                cause: error.to_string(),
            })?;
            Ok((sink.name.clone(), SavedPosition { value, objects: Vec::new() }))
        });
        Ok((sources.collect(), sinks.collect::<Result<_, StoreError>>()?))
    }

    /// Deletes what sources kept for the checkpoint that is not kept any more.
    fn delete_objects(&mut self, store: &Store, manifest: &Manifest) -> Result<(), StoreError> {
        let named: BTreeSet<String> = manifest.objects().cloned().collect();
        // The checkpoint before this one is kept too.
        let gone: Vec<String> = self.objects[0].difference(&self.objects[1]).cloned().collect();
        for name in gone.iter().filter(|name| !named.contains(*name)) {
            objects::delete(store, name)?;
        }
        self.objects = [std::mem::take(&mut self.objects[1]), named];
        Ok(())
    }

    fn write_states(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut pack = Pack::new(self.sequence, 0, "states");
        let mut written = Vec::new();
        for (number, operator) in self.operators.iter().enumerate() {
            for (worker, before, state) in &operator.unwritten {
                let mut add =
                    |tables: &[(&'static str, Batch)]| -> Result<Vec<(String, Section)>, StoreError> {
                        tables
                            .iter()
                            .map(|(name, rows)| Ok(((*name).to_owned(), pack.add(store, rows)?)))
                            .collect()
                    };
                let (tables, common) = (add(&state.tables)?, add(&state.common)?);
                written.push((number, SavedState { worker: *worker, before: *before, tables, common }));
            }
        }
        pack.write(store)?;
        for (number, state) in written {
            self.operators[number].states[state.worker].push(state);
        }
        self.operators.iter_mut().for_each(|operator| operator.unwritten.clear());
        Ok(())
    }

    /// All packs that a later checkpoint may name.
    fn named(&self) -> BTreeSet<String> {
        let operators = self.operators.iter();
        let sections = operators.flat_map(|operator| {
            let tables = operator.states.iter().flatten().flat_map(|s| s.tables.iter().chain(&s.common));
            tables.map(|(_, rows)| rows).chain(operator.sealed.iter().map(|notes| &notes.rows))
        });
        sections.map(|section| section.pack.clone()).collect()
    }
}

/// The latest state that is not of a later time.
fn last_before(states: &[SavedState], time: Timestamp) -> Option<&SavedState> {
    states.iter().filter(|state| state.before <= time).max_by_key(|state| state.before)
}

impl Written {
    /// Forgets what no checkpoint of `time` or later needs.
    fn forget(&mut self, time: Timestamp) {
        for (worker, states) in self.states.iter_mut().enumerate() {
            let Some(first) = last_before(states, time).map(|state| state.before) else { continue };
            states.retain(|state| state.before >= first);
            self.sealed.retain(|notes| notes.worker != worker || notes.last >= first);
            self.tail.retain(|note| note.worker != worker || note.time >= first);
        }
    }

    /// Puts the notes of the tail into a pack, those of each worker and input together.
    fn pack_tail(&self, pack: &mut Pack, store: &Store) -> Result<Vec<SavedNotes>, StoreError> {
        // An input may bring columns of several layouts.
        let mut groups: BTreeMap<(usize, usize, Vec<&DataType>), Vec<&Note>> = BTreeMap::new();
        for note in &self.tail {
            let layout = note.batch.columns.iter().map(|column| column.array().data_type()).collect();
            groups.entry((note.worker, note.input, layout)).or_default().push(note);
        }
        let saved = groups.into_iter().map(|((worker, input, _), group)| {
            Ok(SavedNotes {
                worker,
                input: notes::saved_input(input),
                last: group.iter().map(|note| note.time).max().unwrap_or(0),
                end: Timestamp::MAX,
                rows: pack.add(store, &notes::pack(group.into_iter()))?,
            })
        });
        saved.collect()
    }
}
