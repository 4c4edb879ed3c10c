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
}

/// What is known of an operator.
#[derive(Default)]
struct Written {
    /// By worker of this process, whole states that are written.
    states: Vec<Vec<SavedState>>,
    /// Those that are not.
    unwritten: Vec<(usize, Timestamp, State)>,
    /// Notes that are written for good.
    sealed: Vec<SavedNotes>,
    /// Later notes.
    tail: Vec<Note>,
    /// The state before this run was of other workers: each has to give its own first.
    anew: bool,
}

impl Part {
    pub(super) fn new(checkpoints: Arc<Checkpoints>) -> Self {
        let last = checkpoints.recovered.manifest.as_ref().map_or(0, |manifest| manifest.last);
        Part { checkpoints, last, changed: false, operators: Vec::new() }
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
        let is_whole = |operator: &Written| {
            let has = |worker: usize| {
                let unwritten = operator.unwritten.iter().filter(|(of, ..)| *of == worker);
                let written = operator.states[worker].iter().map(|state| state.before);
                unwritten.map(|(_, before, _)| *before).chain(written).any(|before| before <= time)
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
            let mut written = Written { states: vec![Vec::new(); place.here], ..Written::default() };
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
                        self.operators[operator].tail.push(Note { time, worker, input, batch });
                    }
                    Entry::State { operator, before, state } => {
                        self.operators[operator].unwritten.push((here, before, state));
                    }
                }
            }
        }
    }

    /// Writes the part of the checkpoint with this number, of everything before `time`.
    pub(super) fn write(&mut self, sequence: u64, time: Timestamp) -> Result<Piece, StoreError> {
        let checkpoints = self.checkpoints.clone();
        let store = &*checkpoints.persistence.store;
        self.write_states(store, sequence)?;
        let first = checkpoints.place.first;
        self.operators.iter_mut().for_each(|operator| operator.forget(time, first));
        let mut pack = Pack::new(store, sequence, checkpoints.place.process, "notes");
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
            let states = written.states.iter().filter_map(|states| last_before(states, time));
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

    fn write_states(&mut self, store: &Store, sequence: u64) -> Result<(), StoreError> {
        let place = self.checkpoints.place;
        let mut pack = Pack::new(store, sequence, place.process, "states");
        let mut written = Vec::new();
        for (number, operator) in self.operators.iter().enumerate() {
            for (here, before, state) in &operator.unwritten {
                let mut add =
                    |tables: &[(&'static str, Batch)]| -> Result<Vec<(String, Section)>, StoreError> {
                        tables
                            .iter()
                            .map(|(name, rows)| Ok(((*name).to_owned(), pack.add(store, rows)?)))
                            .collect()
                    };
                let (tables, common) = (add(&state.tables)?, add(&state.common)?);
                let worker = place.first + here;
                written.push((number, SavedState { worker, before: *before, tables, common }));
            }
        }
        pack.write(store)?;
        for (number, state) in written {
            self.operators[number].states[state.worker - place.first].push(state);
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
    /// Forgets what no checkpoint of `time` or later needs; `first_worker` is the first of the process.
    fn forget(&mut self, time: Timestamp, first_worker: usize) {
        for (worker, states) in (first_worker..).zip(self.states.iter_mut()) {
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
