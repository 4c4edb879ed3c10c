//! What one process gives for a checkpoint: it writes what its operators tell, and says where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_schema::DataType;
use pathway_dataflow::Note;
use pathway_dataflow::operator::{END_OF_INPUT, State};
use pathway_io::Position;
use pathway_persistence::{
    OperatorState, Pack, SavedNotes, SavedPosition, SavedState, Section, Store, StoreError,
};
use pathway_types::{Batch, Timestamp};
use serde::{Deserialize, Serialize};

use super::journal::Entry;
use super::{Access, Checkpoints, lock, notes};

/// What one process gives for a checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// What its operators keep.
    pub(super) operators: BTreeMap<String, OperatorState>,
    /// How far its parts of sources were read in this run; none for parts that are gone.
    pub(super) sources: BTreeMap<String, BTreeMap<String, Option<SavedPosition>>>,
    /// How far its sinks are written.
    pub(super) sinks: BTreeMap<String, SavedPosition>,
    /// What is to be sent to those that take whole checkpoints.
    pub(super) outboxes: BTreeMap<String, Vec<Section>>,
    /// The latest time of anything that it knows.
    pub(super) last: Timestamp,
    /// The packs that a later checkpoint may name.
    pub(super) packs: BTreeSet<String>,
}

/// Whether a process can take part in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// A checkpoint can be of this time.
    pub(super) time: Timestamp,
    /// Something is new.
    pub(super) is_new: bool,
}

/// Writes what the journals of a process are told.
pub(super) struct Part {
    checkpoints: Arc<Checkpoints>,
    /// The latest time of anything that was told.
    last: Timestamp,
    /// Something was told since.
    changed: bool,
    operators: Vec<Written>,
    /// The number of the next checkpoint.
    next: u64,
    /// Bytes of states and of later notes that are not written, and how many packs were.
    unwritten: usize,
    noted: usize,
    packs: u64,
}

/// What is known of an operator.
#[derive(Default)]
struct Written {
    /// By worker of this process, whole states that are written, in parts of one time.
    states: Vec<Vec<SavedState>>,
    /// The same of states that are not whole yet.
    unfinished: Vec<Vec<SavedState>>,
    /// Parts that are not written.
    unwritten: Vec<Unwritten>,
    /// Notes that are written for good.
    sealed: Vec<SavedNotes>,
    /// Later notes.
    tail: Vec<Note>,
    /// The state before this run was of other workers: each has to give its own first.
    anew: bool,
}

/// A part of a state of a worker of this process.
struct Unwritten {
    here: usize,
    before: Timestamp,
    part: State,
    is_last: bool,
}

impl Part {
    pub(super) fn new(checkpoints: Arc<Checkpoints>) -> Self {
        let last = checkpoints.recovered.manifest.as_ref().map_or(0, |manifest| manifest.last);
        let next = checkpoints.recovered.sequence + 1;
        let operators = Vec::new();
        Part { checkpoints, last, changed: false, operators, next, unwritten: 0, noted: 0, packs: 0 }
    }

    /// The latest time, `limit` at most, of which this process can give its part; none while its operators
    /// are not built, or have not given the states that a checkpoint needs.
    pub(super) fn ready(&mut self, limit: Timestamp) -> Option<Ready> {
        let workers = self.checkpoints.place.here;
        if self.checkpoints.built.load(Ordering::SeqCst) < workers {
            return None;
        }
        self.meet();
        // What was told before an operator said how far it is comes with it.
        let time = self.boundary(self.checkpoints.reached().min(limit));
        self.take();
        let most = self.checkpoints.persistence.unwritten;
        // What cannot be written now is written with the next checkpoint, which tells if it cannot.
        if self.unwritten > most {
            let _later = self.write_states();
        }
        if self.noted > most {
            let _later = self.write_notes(|_| true);
        }
        let is_whole = |operator: &Written| {
            let has = |worker: usize| {
                let unwritten = operator.unwritten.iter().filter(|part| part.here == worker && part.is_last);
                let written = operator.states[worker].iter().map(|state| state.before);
                unwritten.map(|part| part.before).chain(written).any(|before| before <= time)
            };
            !operator.anew || (0..workers).all(has)
        };
        let is_new = self.changed || self.has_moved(time);
        self.operators.iter().all(is_whole).then_some(Ready { time, is_new })
    }

    /// Takes up the operators that have become known.
    fn meet(&mut self) {
        let checkpoints = self.checkpoints.clone();
        if checkpoints.persistence.access == Access::Positions {
            return;
        }
        let operators = lock(&checkpoints.operators);
        let recovered = &checkpoints.recovered;
        for operator in &operators.all[self.operators.len()..] {
            let place = checkpoints.place;
            let none = vec![Vec::new(); place.here];
            let mut written = Written { states: none.clone(), unfinished: none, ..Written::default() };
            let earlier = recovered
                .manifest
                .as_ref()
                .filter(|_| operator.is_log || recovered.is_kept(operator.step, &operator.identity));
            if let Some((manifest, saved)) =
                earlier.and_then(|m| Some((m, m.operators.get(&operator.identity)?)))
            {
                if operator.is_log || recovered.workers == place.all {
                    for state in saved.states.iter().filter(|state| place.has(state.worker)) {
                        written.states[state.worker - place.first].push(state.clone());
                    }
                    written
                        .sealed
                        .extend(saved.notes.iter().filter(|notes| place.keeps(notes.worker)).cloned());
                    written.sealed.iter_mut().for_each(|notes| notes.end = notes.end.min(manifest.time));
                } else {
                    written.anew = true;
                }
            }
            self.operators.push(written);
        }
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
        sources
            || lock(&self.checkpoints.sinks).iter().any(|sink| sink.has_before(time))
            || lock(&self.checkpoints.outboxes).iter().any(|outbox| outbox.has_before(time))
    }

    /// Takes what the journals were told.
    fn take(&mut self) {
        for here in 0..self.checkpoints.place.here {
            let entries = std::mem::take(&mut *lock(&self.checkpoints.intake[here]));
            for (entry, bytes) in entries {
                self.checkpoints.backlog.remove(bytes);
                self.changed = true;
                match entry {
                    Entry::Note { operator, time, input, batch } => {
                        if time < END_OF_INPUT {
                            self.last = self.last.max(time);
                        }
                        let worker = self.checkpoints.place.first + here;
                        self.noted += batch.memory_size();
                        self.operators[operator].tail.push(Note { time, worker, input, batch });
                    }
                    Entry::State { operator, before, part, is_last } => {
                        self.unwritten += part.memory_size();
                        let unwritten = Unwritten { here, before, part, is_last };
                        self.operators[operator].unwritten.push(unwritten);
                    }
                }
            }
        }
    }

    /// Writes the part of the checkpoint with this number, of everything before `time`.
    pub(super) fn write(&mut self, sequence: u64, time: Timestamp) -> Result<Piece, StoreError> {
        let checkpoints = self.checkpoints.clone();
        self.next = sequence;
        self.write_states()?;
        let first = checkpoints.place.first;
        self.operators.iter_mut().for_each(|operator| operator.forget(time, first));
        self.noted = self.operators.iter().map(Written::noted).sum();
        let tails = self.write_notes(|bytes| bytes >= checkpoints.persistence.seal_after)?;
        self.next += 1;
        let registered = lock(&checkpoints.operators).all.clone();
        let mut operators = BTreeMap::new();
        for ((registered, written), tail) in registered.iter().zip(&self.operators).zip(tails) {
            let states = written.states.iter().flat_map(|states| last_before(states, time));
            let state = OperatorState {
                name: registered.name.clone(),
                is_log: registered.is_log,
                columns: registered.columns.clone(),
                states: states.cloned().collect(),
                notes: written.sealed.iter().cloned().chain(tail).collect(),
            };
            operators.insert(registered.identity.clone(), state);
        }
        let (sources, sinks) = (self.sources(time), self.sinks(time)?);
        let outboxes = self.outboxes(sequence, time)?;
        let read = lock(&checkpoints.sources).iter().map(|(_, marks)| marks.last()).max();
        self.last = self.last.max(read.unwrap_or(0));
        self.changed = false;
        Ok(Piece { operators, sources, sinks, outboxes, last: self.last, packs: self.named() })
    }

    /// Writes what is to be sent to sinks when the checkpoint is complete.
    fn outboxes(&self, sequence: u64, time: Timestamp) -> Result<BTreeMap<String, Vec<Section>>, StoreError> {
        let store = &*self.checkpoints.persistence.store;
        let mut pack = Pack::new(store, sequence, self.checkpoints.place.process, "outbox");
        let mut all = BTreeMap::new();
        for outbox in lock(&self.checkpoints.outboxes).iter() {
            let sections = outbox.pack(time, &mut pack, store)?;
            if !sections.is_empty() {
                all.insert(outbox.name.clone(), sections);
            }
        }
        pack.write(store)?;
        Ok(all)
    }

    /// How far sources were read at a time.
    fn sources(&self, time: Timestamp) -> BTreeMap<String, BTreeMap<String, Option<SavedPosition>>> {
        let saved = |position: Position| SavedPosition { value: position.value, objects: position.objects };
        let sources = lock(&self.checkpoints.sources);
        let sources = sources.iter().map(|(name, marks)| {
            let parts = marks.positions(time).into_iter();
            (name.clone(), parts.map(|(part, position)| (part, position.map(saved))).collect())
        });
        sources.collect()
    }

    /// How far sinks are written at a time.
    fn sinks(&self, time: Timestamp) -> Result<BTreeMap<String, SavedPosition>, StoreError> {
        let sinks = lock(&self.checkpoints.sinks).clone();
        let sinks = sinks.iter().map(|sink| {
            let value = sink.position(time).map_err(|error| StoreError::Failed {
                action: "keeping the output",
                object: sink.name.clone(),
                cause: error.to_string(),
            })?;
            Ok((sink.name.clone(), SavedPosition { value, objects: Vec::new() }))
        });
        sinks.collect()
    }

    /// Writes later notes: if a pack of so many bytes `seals`, for good. Gives those, by operator, that are not.
    ///
    /// # Errors
    /// What the store says; what could not be written is there as before.
    fn write_notes(&mut self, seals: impl Fn(usize) -> bool) -> Result<Vec<Vec<SavedNotes>>, StoreError> {
        let checkpoints = self.checkpoints.clone();
        let store = &*checkpoints.persistence.store;
        let name = format!("notes{}", self.packs);
        let mut pack = Pack::new(store, self.next, checkpoints.place.process, &name);
        let tails = self.operators.iter().map(|operator| operator.pack_tail(&mut pack, store));
        let mut tails = tails.collect::<Result<Vec<_>, _>>()?;
        let seals = seals(pack.len());
        pack.write(store)?;
        self.packs += 1;
        if seals {
            for (operator, tail) in self.operators.iter_mut().zip(&mut tails) {
                operator.sealed.append(tail);
                operator.tail.clear();
            }
            self.noted = 0;
        }
        Ok(tails)
    }

    /// Writes the parts of states that are not written.
    ///
    /// # Errors
    /// What the store says; what could not be written is there as before.
    fn write_states(&mut self) -> Result<(), StoreError> {
        let checkpoints = self.checkpoints.clone();
        let (store, place) = (&*checkpoints.persistence.store, checkpoints.place);
        loop {
            let name = format!("states{}", self.packs);
            let mut pack = Pack::new(store, self.next, place.process, &name);
            // By operator, the parts that are in the pack: the first ones of those that are unwritten.
            let mut packed: Vec<Vec<SavedState>> = Vec::new();
            for operator in &self.operators {
                let mut states = Vec::new();
                for Unwritten { here, before, part, .. } in &operator.unwritten {
                    if pack.len() > checkpoints.persistence.unwritten {
                        break;
                    }
                    let mut add = |tables: &[(&'static str, Batch)]| -> Result<Vec<_>, StoreError> {
                        let section =
                            |(name, rows): &(&str, Batch)| Ok(((*name).to_owned(), pack.add(store, rows)?));
                        tables.iter().map(section).collect()
                    };
                    let (tables, common) = (add(&part.tables)?, add(&part.common)?);
                    let worker = place.first + here;
                    states.push(SavedState { worker, before: *before, tables, common });
                }
                packed.push(states);
            }
            pack.write(store)?;
            self.packs += 1;
            for (operator, packed) in self.operators.iter_mut().zip(packed) {
                let parts = operator.unwritten.drain(..packed.len());
                for (Unwritten { here, part, is_last, .. }, saved) in parts.zip(packed) {
                    self.unwritten -= part.memory_size();
                    operator.unfinished[here].push(saved);
                    if is_last {
                        operator.states[here].append(&mut operator.unfinished[here]);
                    }
                }
            }
            if self.operators.iter().all(|operator| operator.unwritten.is_empty()) {
                return Ok(());
            }
        }
    }

    /// All packs that a later checkpoint may name.
    fn named(&self) -> BTreeSet<String> {
        let operators = self.operators.iter();
        let sections = operators.flat_map(|operator| {
            let states = operator.states.iter().chain(&operator.unfinished).flatten();
            let tables = states.flat_map(|state| state.tables.iter().chain(&state.common));
            tables.map(|(_, rows)| rows).chain(operator.sealed.iter().map(|notes| &notes.rows))
        });
        sections.map(|section| section.pack.clone()).collect()
    }
}

/// The parts of the latest state that is not of a later time.
fn last_before(states: &[SavedState], time: Timestamp) -> impl Iterator<Item = &SavedState> {
    let last = states.iter().map(|state| state.before).filter(|before| *before <= time).max();
    states.iter().filter(move |state| Some(state.before) == last)
}

impl Written {
    /// Forgets what no checkpoint of `time` or later needs; `first_worker` is the first of the process.
    fn forget(&mut self, time: Timestamp, first_worker: usize) {
        for (worker, states) in (first_worker..).zip(self.states.iter_mut()) {
            let Some(first) = last_before(states, time).next().map(|state| state.before) else { continue };
            states.retain(|state| state.before >= first);
            self.sealed.retain(|notes| notes.worker != worker || notes.last >= first);
            self.tail.retain(|note| note.worker != worker || note.time >= first);
        }
    }

    /// Bytes of the notes of the tail.
    fn noted(&self) -> usize {
        self.tail.iter().map(|note| note.batch.memory_size()).sum()
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
                first: group.iter().map(|note| note.time).min().unwrap_or(0),
                last: group.iter().map(|note| note.time).max().unwrap_or(0),
                end: Timestamp::MAX,
                rows: pack.add(store, &notes::pack(group.into_iter()))?,
            })
        });
        saved.collect()
    }
}
