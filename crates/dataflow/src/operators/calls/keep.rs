//! How calls come back: what waited for an answer is asked for again.
//!
//! Answers are given at times of their own, later than the changes that they belong to. A state at some time
//! has what came before it and was answered at it or later, or not at all. So what was answered lately is kept
//! until that time has passed ([`Recent`]).

use std::collections::{BTreeMap, HashSet, VecDeque};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_types::{Batch, Timestamp};

use super::Calls;
use crate::keep::{CannotComeBack, Journal, Kept, Place, REPEATS};
use crate::kernels::consolidate::consolidate;
use crate::operator::{Operator, WrongState};
use crate::route::Route;

/// The journal of calls, and what was answered lately.
pub(super) struct Keeping {
    pub(super) journal: Box<dyn Journal>,
    /// With the times of the answers: the rows, as they are saved while they wait.
    recent: VecDeque<(Timestamp, Batch)>,
    reached: Timestamp,
}

impl Keeping {
    pub(super) fn new(journal: Box<dyn Journal>) -> Self {
        Keeping { journal, recent: VecDeque::new(), reached: 0 }
    }

    /// Rows were answered at a time.
    pub(super) fn answered(&mut self, time: Timestamp, events: &Batch, rows: Batch) {
        // What is answered is known by its id and the time of its change.
        self.journal.note(time, REPEATS, &events.project(&[0]));
        self.recent.push_back((time, rows));
    }

    /// Everything before `time` has been taken in, and nothing more is answered before it.
    pub(super) fn reached(&mut self, time: Timestamp, calls: &mut Calls) -> Result<(), WrongState> {
        if time <= self.reached {
            return Ok(());
        }
        self.reached = time;
        self.recent.retain(|(answered, _)| *answered >= time);
        if self.journal.reached(time) {
            let mut state = calls.save(0..crate::driver::SHARDS).map_err(|e| WrongState(e.to_string()))?;
            if let Some((_, rows)) = state.tables.first_mut() {
                let recent = self.recent.iter().map(|(_, rows)| rows.clone());
                *rows = Batch::concat(&std::iter::once(rows.clone()).chain(recent).collect::<Vec<_>>());
            }
            self.journal.state(time, state, true);
        }
        Ok(())
    }
}

impl Calls {
    /// Takes up what waited for answers in an earlier run.
    pub(super) fn come_back(
        &mut self,
        kept: &Kept,
        route: Route,
        place: Place,
    ) -> Result<(), CannotComeBack> {
        let mut waiting: BTreeMap<Timestamp, Vec<Batch>> = BTreeMap::new();
        let mut answered: HashSet<(Timestamp, u128)> = HashSet::new();
        for part in kept.states.iter().flat_map(|state| &state.parts) {
            for (_, rows) in part.share(place, &[], false)?.tables {
                for (time, rows) in self.by_time(rows)? {
                    waiting.entry(time).or_default().push(rows);
                }
            }
        }
        for note in kept.notes(&|worker| !place.has_nothing_of(kept, worker)) {
            let note = note?;
            if note.input != REPEATS {
                waiting.entry(note.time).or_default().push(place.share(&note.batch, route));
                continue;
            }
            let times = note.batch.columns.first();
            let times = times.and_then(|times| times.array().as_primitive_opt::<Int64Type>());
            let times = times.ok_or_else(|| WrongState("answers without the times of changes".to_owned()))?;
            let times = times.values().iter().map(|time| *time as Timestamp);
            answered.extend(times.zip(note.batch.keys.as_slice().iter().copied()));
        }
        for (time, batches) in waiting {
            let batch = consolidate(Batch::concat(&batches), &self.inputs);
            let waits = batch.keys.as_slice().iter().map(|key| !answered.contains(&(time, *key)));
            let batch = batch.filter(&waits.collect());
            if !batch.is_empty() {
                self.start(time, batch);
            }
        }
        Ok(())
    }
}
