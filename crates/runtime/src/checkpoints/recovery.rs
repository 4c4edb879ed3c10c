//! What a run finds of an earlier one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use pathway_dataflow::kernels::consolidate::consolidate;
use pathway_dataflow::operator::State;
use pathway_dataflow::{Context, Kept, KeptNotes, KeptPart, KeptState, Note, Notes};
use pathway_io::Position;
use pathway_persistence::{
    Manifest, OperatorState, SavedPosition, SavedState, Section, Store, StoreError, latest,
};
use pathway_plan::program::{Program, StepOp};
use pathway_types::{Batch, Timestamp};

use super::notes::NoteReader;
use super::{Persistence, lock, log_identity, names_of, notes, outbox};

/// What was read of a checkpoint.
#[derive(Default)]
pub(super) struct Recovered {
    pub(super) manifest: Option<Manifest>,
    /// The greatest number of a checkpoint, be it damaged.
    pub(super) sequence: u64,
    /// What was to be sent to sinks when the checkpoint was complete, by what identifies them.
    outboxes: Mutex<BTreeMap<String, Vec<(Timestamp, Batch)>>>,
    /// The number of workers of that run.
    pub(super) workers: usize,
    /// The latest time of anything that it knows.
    pub(super) last: Timestamp,
    /// By what identifies an operator, until all have come back.
    operators: HashMap<String, Mutex<Option<Arc<Kept>>>>,
    /// By step: it goes on with its state.
    restored: Vec<bool>,
    /// By step, the rows that a source gave, where some step has to see them.
    rows: HashMap<usize, Vec<Batch>>,
    /// By step, the minibatches that a source gives once more.
    recorded: HashMap<usize, Vec<(Timestamp, Batch)>>,
}

/// Reads the last checkpoint of a store of which nothing is missing or damaged.
pub(super) fn recover(persistence: &Persistence, context: &Context) -> Result<Recovered, StoreError> {
    let store = &*persistence.store;
    let mut operators = HashMap::new();
    let mut outboxes = BTreeMap::new();
    let found = latest(store, |manifest| {
        operators.clear();
        outboxes.clear();
        if !persistence.restores() {
            return Ok(());
        }
        for (sink, sections) in &manifest.outboxes {
            outboxes.insert(sink.clone(), outbox::read(sections, store)?);
        }
        for (identity, saved) in manifest.operators.iter().filter(|(_, saved)| !saved.is_log) {
            let kept = load(persistence, manifest, saved)?;
            operators.insert(identity.clone(), Mutex::new(Some(Arc::new(kept))));
        }
        Ok(())
    })?;
    for damage in &found.damaged {
        context.message(true, &format!("{damage}: an earlier checkpoint is used"));
    }
    let Some(manifest) = found.manifest else {
        return Ok(Recovered { sequence: found.sequence, ..Recovered::default() });
    };
    Ok(Recovered {
        sequence: found.sequence,
        outboxes: Mutex::new(outboxes),
        workers: manifest.workers,
        last: manifest.last,
        operators,
        restored: Vec::new(),
        rows: HashMap::new(),
        recorded: HashMap::new(),
        manifest: Some(manifest),
    })
}

/// What is known of an operator.
fn load(persistence: &Persistence, manifest: &Manifest, saved: &OperatorState) -> Result<Kept, StoreError> {
    let store = &persistence.store;
    let is_large = |sections: &mut dyn Iterator<Item = &Section>| -> Result<bool, StoreError> {
        let sections: Vec<&Section> = sections.collect();
        let bytes: u64 = sections.iter().map(|section| section.length).sum();
        let is_large = bytes > persistence.read_at_once;
        if is_large {
            sections.iter().try_for_each(|section| section.check(store))?;
        }
        Ok(is_large)
    };
    let mut states: Vec<KeptState> = Vec::new();
    let read_later = is_large(&mut saved.states.iter().flat_map(sections))?;
    for part in &saved.states {
        let (worker, before) = (part.worker, part.before);
        let part = if read_later {
            let (store, part) = (store.clone(), part.clone());
            let read = move || load_state(&store, &part).map_err(|error| error.to_string());
            KeptPart::Written(Box::new(read))
        } else {
            KeptPart::Read(load_state(store, part)?)
        };
        match states.iter_mut().find(|state| state.worker == worker) {
            Some(state) => state.parts.push(part),
            None => states.push(KeptState { worker, before, parts: vec![part] }),
        }
    }
    let notes = if is_large(&mut saved.notes.iter().map(|notes| &notes.rows))? {
        let (store, all) = (store.clone(), notes::wanted(manifest, saved));
        let read = move |wanted: &dyn Fn(usize) -> bool| -> Notes {
            let all = all.iter().filter(|notes| wanted(notes.saved.worker)).cloned();
            Box::new(
                NoteReader::new(store.clone(), all.collect()).map(|note| note.map_err(|e| e.to_string())),
            )
        };
        KeptNotes::Written(Box::new(read))
    } else {
        KeptNotes::Read(read_notes(store, manifest, saved)?)
    };
    let known = manifest.time.min(manifest.last + 1);
    Ok(Kept { workers: manifest.workers, states, notes, until: manifest.time, known })
}

/// What was noted after the last states.
fn read_notes(
    store: &Arc<Store>,
    manifest: &Manifest,
    saved: &OperatorState,
) -> Result<Vec<Note>, StoreError> {
    NoteReader::new(store.clone(), notes::wanted(manifest, saved)).collect()
}

fn sections(state: &SavedState) -> impl Iterator<Item = &Section> {
    state.tables.iter().chain(&state.common).map(|(_, section)| section)
}

fn load_state(store: &Store, saved: &SavedState) -> Result<State, StoreError> {
    let read = |tables: &[(String, Section)]| -> Result<Vec<(&'static str, Batch)>, StoreError> {
        tables.iter().map(|(name, rows)| Ok((static_name(name), rows.read(store)?))).collect()
    };
    Ok(State { tables: read(&saved.tables)?, common: read(&saved.common)? })
}

/// Operators know their tables by static names, of which there are few.
fn static_name(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = lock(&NAMES);
    if let Some(known) = names.get(name) {
        return known;
    }
    let known: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(known);
    known
}

/// A step that was not there has to see all there was: so what it is computed from is computed once more.
/// That may give other ids and other results than before, so all that is computed from it is computed anew
/// as well. Rows of sources stay what they are. The same goes for outputs that begin anew.
fn spread(program: &Program, restored: &mut [bool], sees_all: impl Fn(usize) -> bool) {
    let steps = &program.steps;
    let computes = |step: usize| !matches!(steps[step].op, StepOp::Source(_) | StepOp::Static { .. });
    let mut before = usize::MAX;
    loop {
        let mut anew: Vec<bool> = (0..steps.len()).map(|step| !restored[step] && sees_all(step)).collect();
        for step in (0..steps.len()).rev() {
            if !anew[step] {
                continue;
            }
            for input in steps[step].inputs.iter().filter(|input| computes(input.0)) {
                (anew[input.0], restored[input.0]) = (true, false);
            }
        }
        for step in 0..steps.len() {
            if steps[step].inputs.iter().any(|input| computes(input.0) && !restored[input.0]) {
                restored[step] = false;
            }
        }
        let left = restored.iter().filter(|restored| **restored).count();
        if left == before {
            return;
        }
        before = left;
    }
}

fn unusable(store: &Store, cause: String) -> StoreError {
    StoreError::Unusable { store: store.full_name(""), cause }
}

/// The rows that were kept of the source at a step, if they were.
fn log_of<'a>(
    store: &Store,
    manifest: &'a Manifest,
    program: &Program,
    step: usize,
) -> Result<Option<&'a OperatorState>, StoreError> {
    let saved = manifest.operators.get(&log_identity(program, step));
    let columns = names_of(&program.steps[step]);
    match saved.filter(|saved| saved.columns != columns) {
        None => Ok(saved),
        Some(saved) => Err(unusable(
            store,
            format!(
                "the columns of the source {} were of the types ({}) and are now of ({}); give the source another \
                 name, or use another store",
                program.persistent_name(step),
                saved.columns.join(", "),
                columns.join(", "),
            ),
        )),
    }
}

impl Recovered {
    /// Decides which steps go on with their state.
    pub(super) fn settle(
        mut self,
        persistence: &Persistence,
        program: &Program,
        identities: &[String],
        begins_anew: &[bool],
        context: &Context,
    ) -> Result<Recovered, StoreError> {
        self.find_recorded(persistence, program)?;
        let Some(manifest) = self.manifest.as_ref().filter(|_| persistence.restores()) else {
            return Ok(self);
        };
        let known: HashSet<&String> = manifest.steps.iter().collect();
        let mut restored: Vec<bool> = identities.iter().map(|identity| known.contains(identity)).collect();
        for (number, step) in program.steps.iter().enumerate() {
            if step.inputs.iter().any(|input| persistence.logs.starts_over(program, input.0)) {
                restored[number] = false;
            }
        }
        let is_output = |step: usize| matches!(program.steps[step].op, StepOp::Output(_));
        let sees_all = |step| program.has_state(step) || begins_anew[step] && is_output(step);
        spread(program, &mut restored, sees_all);
        let names = |of: &dyn Fn(usize) -> bool| -> Vec<&str> {
            let anew = (0..program.steps.len()).filter(|step| !restored[*step] && of(*step));
            anew.map(|step| &*program.steps[step].name).collect()
        };
        let anew = names(&|step| program.has_state(step));
        if !anew.is_empty() {
            let text = format!("computed anew, as the program has changed: {}", anew.join(", "));
            context.message(false, &text);
        }
        for (number, step) in program.steps.iter().enumerate() {
            let is_read = || {
                let readers = program.steps.iter().enumerate();
                let mut readers = readers.filter(|(_, reader)| reader.inputs.iter().any(|i| i.0 == number));
                readers.any(|(reader, _)| !restored[reader])
            };
            let name = program.persistent_name(number);
            if !matches!(step.op, StepOp::Source(_)) || !manifest.sources.contains_key(&name) {
                continue;
            }
            let saved = log_of(&persistence.store, manifest, program, number)?;
            if !is_read() {
                continue;
            }
            if let Some(saved) = saved {
                let notes = read_notes(&persistence.store, manifest, saved)?;
                let batches: Vec<Batch> = notes.into_iter().map(|note| note.batch).collect();
                self.rows.insert(number, vec![consolidate(Batch::concat(&batches), &step.columns)]);
            } else if let needing = names(&sees_all)
                && !needing.is_empty()
            {
                return Err(unusable(
                    &persistence.store,
                    format!(
                        "the program has changed, and {} has to be computed from rows of {name} that were not kept; \
                     start with another store, or have the rows of sources kept",
                        needing.join(", ")
                    ),
                ));
            }
        }
        self.restored = restored;
        Ok(self)
    }

    /// Looks for what sources are to give once more.
    fn find_recorded(&mut self, persistence: &Persistence, program: &Program) -> Result<(), StoreError> {
        let Some(replay) = persistence.replays() else { return Ok(()) };
        let mut found = HashMap::new();
        for number in 0..program.steps.len() {
            if !persistence.logs.keeps(program, number) {
                continue;
            }
            let name = program.persistent_name(number);
            let recorded = match (&replay.given, &self.manifest) {
                (Some(given), _) => given.get(&name).cloned().unwrap_or_default(),
                (None, Some(manifest)) => match log_of(&persistence.store, manifest, program, number)? {
                    Some(saved) => {
                        let notes = read_notes(&persistence.store, manifest, saved)?;
                        notes.into_iter().map(|note| (note.time, note.batch)).collect()
                    }
                    None => Vec::new(),
                },
                (None, None) => Vec::new(),
            };
            let removes = |(_, batch): &(Timestamp, Batch)| batch.diffs.iter().any(|diff| diff < 0);
            if program.steps[number].insert_only && recorded.iter().any(removes) {
                let text = format!(
                    "{name} has recorded removals of rows, and the program was made without Rewrites::replays"
                );
                return Err(unusable(&persistence.store, text));
            }
            if !recorded.is_empty() {
                found.insert(number, recorded);
            }
        }
        self.recorded = found;
        Ok(())
    }

    /// The minibatches that the source at a step gives once more, if it does, and the time of the first of all.
    pub(super) fn recorded(&self, step: usize) -> Option<(Vec<(Timestamp, Batch)>, Timestamp)> {
        let recorded = self.recorded.get(&step)?.clone();
        let first = self.recorded.values().filter_map(|rows| Some(rows.first()?.0)).min()?;
        Some((recorded, first))
    }

    /// Puts into a later manifest what is left as it is where only positions are written.
    pub(super) fn keep_as_it_is(&self, later: &mut Manifest) {
        let Some(manifest) = &self.manifest else { return };
        later.workers = manifest.workers;
        later.steps.clone_from(&manifest.steps);
        later.operators.clone_from(&manifest.operators);
        later.outboxes.clone_from(&manifest.outboxes);
        let notes = later.operators.values_mut().flat_map(|operator| &mut operator.notes);
        notes.for_each(|notes| notes.end = notes.end.min(manifest.time));
    }

    /// The number of that run.
    pub(super) fn run(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |manifest| manifest.run)
    }

    /// The names of what its sources keep.
    pub(super) fn objects(&self) -> BTreeSet<&str> {
        self.manifest.iter().flat_map(|manifest| manifest.objects()).map(String::as_str).collect()
    }

    /// How far a source was read.
    pub(super) fn source(&self, name: &str) -> BTreeMap<String, Position> {
        let parts = self.manifest.as_ref().and_then(|manifest| manifest.sources.get(name));
        let position =
            |saved: &SavedPosition| Position { value: saved.value.clone(), objects: saved.objects.clone() };
        parts.into_iter().flatten().map(|(part, saved)| (part.clone(), position(saved))).collect()
    }

    /// How far a sink was written, unless that run had come to its end.
    pub(super) fn sink(&self, name: &str) -> Option<&[u8]> {
        let manifest = self.manifest.as_ref().filter(|manifest| !manifest.finished)?;
        manifest.sinks.get(name).map(|saved| &*saved.value)
    }

    /// What tells the run from which all others of the store have gone on from those of other stores.
    pub(super) fn origin(&self, store: &Store) -> String {
        let known =
            self.manifest.as_ref().map(|manifest| &*manifest.origin).filter(|origin| !origin.is_empty());
        known.unwrap_or(store.token()).to_owned()
    }

    /// Takes what was to be sent to a sink.
    pub(super) fn outbox(&self, identity: &str) -> Vec<(Timestamp, Batch)> {
        lock(&self.outboxes).remove(identity).unwrap_or_default()
    }

    /// The sinks of which nobody has taken what was to be sent.
    pub(super) fn outboxes_left(&self) -> Vec<String> {
        lock(&self.outboxes).keys().cloned().collect()
    }

    /// True if an operator goes on with its state.
    pub(super) fn is_kept(&self, step: usize, identity: &str) -> bool {
        self.restored.get(step).is_some_and(|restored| *restored) && self.operators.contains_key(identity)
    }

    /// The rows that the source at a step gave, if some step has to see them.
    pub(super) fn rows(&self, step: usize) -> Vec<Batch> {
        self.rows.get(&step).cloned().unwrap_or_default()
    }

    /// The state of an operator of a step.
    pub(super) fn kept(&self, step: usize, identity: &str) -> Option<Arc<Kept>> {
        let kept = self.operators.get(identity).filter(|_| self.is_kept(step, identity))?;
        lock(kept).clone()
    }

    /// All operators have come back: nobody asks for their states any more.
    pub(super) fn release(&self) {
        self.operators.values().for_each(|kept| drop(lock(kept).take()));
    }
}
