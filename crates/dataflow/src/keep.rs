//! How stateful operators come back in a later run.
//!
//! While an operator runs, its [`Journal`] is told every change that is applied, and how far the
//! operator is. Now and then the journal asks for the whole state; what was noted of earlier times is
//! not needed any more then. To come back at a time T, which may be any that all operators have reached,
//! an operator loads a state of a time before T and applies once more what was noted from there up to T
//! ([`come_back`]). Nobody waits for anybody: each operator gives its state when it suits it.
//!
//! What an operator emits while it does so was emitted before, and is dropped; so are changes that reach it
//! of times that its state knows of. Steps that have no state from before are fed from the logs of
//! sources at time 0, like those behind them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use pathway_types::{Batch, DataError, Keys, Timestamp};

use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::route::Route;

/// Takes what is needed to bring one operator back; each worker has its own.
pub trait Journal {
    /// Changes that the operator applies, or those it says are to be repeated in their place.
    fn note(&mut self, time: Timestamp, input: usize, batch: &Batch);

    /// Everything of times before `frontier` has been noted and applied. True if the whole state is wanted.
    fn reached(&mut self, frontier: Timestamp) -> bool;

    /// A part of the whole state, of everything before `frontier`; with the last part it is whole.
    fn state(&mut self, frontier: Timestamp, part: State, is_last: bool);
}

/// Changes that an operator applied.
#[derive(Clone, Debug)]
pub struct Note {
    /// The time of the changes.
    pub time: Timestamp,
    /// The worker that applied them.
    pub worker: usize,
    /// The input they came on, or [`REPEATS`].
    pub input: usize,
    /// The changes.
    pub batch: Batch,
}

/// The input number of what an operator repeats instead of its inputs.
pub const REPEATS: usize = usize::MAX;

/// The whole state of an operator on one worker.
#[derive(Debug)]
pub struct KeptState {
    /// The worker.
    pub worker: usize,
    /// Everything of earlier times is in the state.
    pub before: Timestamp,
    /// Its parts, in the order in which they were given.
    pub parts: Vec<KeptPart>,
}

/// A part of a state.
pub enum KeptPart {
    /// Here.
    Read(State),
    /// Where it was written; it can be read, or it is told why not.
    Written(Box<dyn Fn() -> Result<State, String> + Send + Sync>),
}

impl std::fmt::Debug for KeptPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeptPart::Read(state) => f.debug_tuple("Read").field(state).finish(),
            KeptPart::Written(_) => f.debug_tuple("Written").finish_non_exhaustive(),
        }
    }
}

impl KeptPart {
    /// What of it belongs to a worker, with what all know or without.
    pub(crate) fn share(
        &self,
        place: Place,
        routes: &[Route],
        with_common: bool,
    ) -> Result<State, CannotComeBack> {
        let read;
        let state = match self {
            KeptPart::Read(state) => state,
            KeptPart::Written(written) => {
                read = written().map_err(CannotComeBack::Unreadable)?;
                &read
            }
        };
        Ok(place.of_state(state, routes, with_common))
    }
}

/// Notes in the order of their times; those of one time and worker as they were applied.
pub enum KeptNotes {
    /// Here.
    Read(Vec<Note>),
    /// Where they were written: those of the workers that are wanted can be read.
    Written(Box<ReadNotes>),
}

/// Reads the notes of the workers that are wanted.
pub type ReadNotes = dyn Fn(&dyn Fn(usize) -> bool) -> Notes + Send + Sync;

/// Notes as they are read, or why they cannot be.
pub type Notes = Box<dyn Iterator<Item = Result<Note, String>>>;

impl std::fmt::Debug for KeptNotes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeptNotes::Read(notes) => f.debug_tuple("Read").field(notes).finish(),
            KeptNotes::Written(_) => f.debug_tuple("Written").finish_non_exhaustive(),
        }
    }
}

/// Why an operator does not come back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotComeBack {
    #[error("{0}")]
    Wrong(#[from] WrongState),
    #[error("{0}")]
    Unreadable(String),
    #[error("state in files cannot be read: {0}")]
    Files(#[from] ArrowError),
}

/// What is known of an operator from an earlier run.
#[derive(Debug)]
pub struct Kept {
    /// The number of workers of that run.
    pub workers: usize,
    /// Their states.
    pub states: Vec<KeptState>,
    /// What was noted later.
    pub notes: KeptNotes,
    /// What is known is of times before this one.
    pub until: Timestamp,
    /// Changes of times before this one are known, if they come again.
    pub known: Timestamp,
}

impl Kept {
    /// What these workers noted of the time of the state and before the end of what is known, at least.
    pub(crate) fn notes<'a>(
        &'a self,
        wanted: &dyn Fn(usize) -> bool,
    ) -> impl Iterator<Item = Result<Note, CannotComeBack>> + 'a {
        let notes: Box<dyn Iterator<Item = Result<Note, String>> + 'a> = match &self.notes {
            KeptNotes::Read(notes) => Box::new(notes.iter().cloned().map(Ok)),
            KeptNotes::Written(read) => read(wanted),
        };
        let is_known =
            |note: &Result<Note, String>| note.as_ref().map_or(true, |note| note.time < self.until);
        notes.take_while(is_known).map(|note| note.map_err(CannotComeBack::Unreadable))
    }

    /// The worker whose state is of the earliest time: what all know is to be that of where the notes begin,
    /// and to follow them from there.
    fn earliest(&self) -> usize {
        let before = |worker: usize| {
            let own = self.states.iter().filter(|state| state.worker == worker);
            own.map(|state| state.before).max().unwrap_or(0)
        };
        (0..self.workers).min_by_key(|worker| before(*worker)).unwrap_or(0)
    }
}

/// What brings an operator back on one worker, and is told what it does.
pub struct Keeper {
    /// Where it is told.
    pub journal: Box<dyn Journal>,
    /// What there is of an earlier run.
    pub kept: Option<Arc<Kept>>,
}

/// What keeps the rows that a source gives, and gives those of earlier runs to steps that have to see them.
pub struct InputLog {
    /// Where the rows are noted.
    pub journal: Box<dyn Journal>,
    /// The rows of earlier runs, where they are wanted.
    pub rows: Vec<Batch>,
}

/// Passes changes on.
pub(crate) struct Pass;

impl Operator for Pass {
    fn apply(&mut self, _input: usize, batch: Batch, _progress: &Progress, out: &mut Emitter) {
        out.emit(batch);
    }
    fn flush(&mut self, _progress: &Progress, _out: &mut Emitter) {}
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
}

/// A worker among others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) worker: usize,
    pub(crate) workers: usize,
}

impl Place {
    /// The rows that this worker gets by such a route.
    pub(crate) fn share(self, batch: &Batch, route: Route) -> Batch {
        let keys = match route {
            Route::Worker(worker) if worker != self.worker => return batch.slice(0, 0),
            Route::Worker(_) | Route::All => return batch.clone(),
            _ if self.workers == 1 => return batch.clone(),
            Route::Local | Route::Key => batch.keys.clone(),
            Route::Column(column) => Keys::of_column(&batch.columns[column]),
        };
        let mine = (0..batch.len()).map(|row| keys.get(row).worker(self.workers) == self.worker);
        batch.filter(&mine.collect::<BooleanBuffer>())
    }

    /// True if nothing of the state of a worker belongs to this one, whatever it is.
    pub(crate) fn has_nothing_of(self, kept: &Kept, worker: usize) -> bool {
        kept.workers == self.workers && worker != self.worker
    }

    /// What of a state belongs to this worker, with what all know or without.
    fn of_state(self, state: &State, routes: &[Route], with_common: bool) -> State {
        let one_worker = routes.iter().find(|route| matches!(route, Route::Worker(_)));
        let route = one_worker.copied().unwrap_or(Route::Key);
        let tables = state.tables.iter().map(|(name, rows)| (*name, self.share(rows, route)));
        let common = if with_common { state.common.clone() } else { Vec::new() };
        State { tables: tables.collect(), common }
    }
}

/// Where state goes while an operator comes back, if there is too much.
pub(crate) trait Room<O> {
    /// The operator has more state than before.
    fn relieve(&mut self, operator: &mut O);

    /// Gives the operator the state of the keys of changes of an input that it is about to apply.
    fn prepare(&mut self, operator: &mut O, input: usize, batch: &Batch) -> Result<(), CannotComeBack>;
}

/// Brings an operator to where it was. Gives the times at which it wants to be called.
///
/// # Errors
/// If the state is of another operator, or cannot be read.
pub(crate) fn come_back<O: Operator>(
    operator: &mut O,
    kept: &Kept,
    routes: &[Route],
    place: Place,
    room: &mut impl Room<O>,
) -> Result<Vec<Timestamp>, CannotComeBack> {
    let earliest = kept.earliest();
    for KeptState { worker, parts, .. } in &kept.states {
        let with_common = *worker == earliest;
        if place.has_nothing_of(kept, *worker) && !with_common {
            continue;
        }
        for part in parts {
            operator.load(part.share(place, routes, with_common)?)?;
            room.relieve(operator);
        }
    }
    let (mut due, mut out) = (BTreeSet::new(), Emitter::default());
    operator.start(&mut out);
    due.extend(out.drain_wakes());
    let inputs = routes.len();
    let mut progress = Progress {
        time: 0,
        complete: vec![true; inputs],
        applied: vec![true; inputs],
        ended: vec![false; inputs],
    };
    let mut notes = kept.notes(&|worker| worker == earliest || !place.has_nothing_of(kept, worker));
    let mut next = notes.next().transpose()?;
    loop {
        let noted = next.as_ref().map(|note| note.time);
        let Some(time) = noted.into_iter().chain(due.first().copied()).min() else { break };
        if time >= kept.until {
            break;
        }
        due.remove(&time);
        progress.time = time;
        let mut now = Vec::new();
        while let Some(note) = next.take_if(|note| note.time == time) {
            next = notes.next().transpose()?;
            let route = routes.get(note.input).copied().unwrap_or(Route::Key);
            // What went to all was noted by each.
            if route != Route::All || note.worker == earliest {
                now.push((note.input, place.share(&note.batch, route)));
            }
        }
        now.retain(|(_, batch)| !batch.is_empty());
        for (input, applied) in progress.applied.iter_mut().enumerate() {
            *applied = now.iter().all(|(other, _)| *other != input);
        }
        let mut now = now.into_iter().peekable();
        let mut repeats = Vec::new();
        while let Some((input, batch)) = now.next() {
            if input == REPEATS {
                repeats.push(batch);
                continue;
            }
            room.prepare(operator, input, &batch)?;
            operator.apply(input, batch, &progress, &mut out);
            if now.peek().is_none_or(|(next, _)| *next != input) {
                progress.applied[input] = true;
            }
        }
        if repeats.is_empty() {
            operator.flush(&progress, &mut out);
        } else {
            for batch in repeats {
                room.prepare(operator, REPEATS, &batch)?;
                operator.repeat(batch)?;
            }
        }
        room.relieve(operator);
        out.drain();
        out.drain_later();
        due.extend(out.drain_wakes().filter(|wake| *wake > time));
    }
    operator.came_back(&mut out);
    due.extend(out.drain_wakes());
    Ok(due.into_iter().collect())
}
