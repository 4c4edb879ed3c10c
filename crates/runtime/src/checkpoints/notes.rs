//! Notes as rows: their time is the last column.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_dataflow::Note;
use pathway_dataflow::keep::REPEATS;
use pathway_persistence::{Manifest, OperatorState, SavedNotes, Section, Store, StoreError};
use pathway_types::{Batch, Column, Timestamp};

/// What identifies the input of a note in a manifest.
pub(super) fn saved_input(input: usize) -> Option<usize> {
    (input != REPEATS).then_some(input)
}

/// The notes of one input, in one batch.
pub(super) fn pack<'a>(notes: impl Iterator<Item = &'a Note>) -> Batch {
    let with_time = |note: &Note| {
        let mut batch = note.batch.clone();
        let times = Int64Array::from(vec![note.time as i64; batch.len()]);
        batch.columns.push(Column::new(Arc::new(times)));
        batch
    };
    Batch::concat(&notes.map(with_time).collect::<Vec<_>>())
}

/// Notes that were written, of which some are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) saved: SavedNotes,
    /// The wanted times.
    times: Range<Timestamp>,
}

/// What was noted of an operator after its last states.
pub(super) fn wanted(manifest: &Manifest, saved: &OperatorState) -> Vec<Wanted> {
    let wanted = |notes: &SavedNotes| {
        let states = saved.states.iter().filter(|state| state.worker == notes.worker);
        let first = states.map(|state| state.before).max().unwrap_or(0);
        Wanted { saved: notes.clone(), times: first..notes.end.min(manifest.time) }
    };
    saved.notes.iter().map(wanted).collect()
}

/// Reads notes in the order of their times and workers; those of one time and worker are in the order in which
/// they were written. What is not needed yet is not read.
pub(super) struct NoteReader {
    store: Arc<Store>,
    /// By their earliest times, with their places among those that were written.
    unread: Peekable<std::vec::IntoIter<(usize, Wanted)>>,
    /// By time, worker, place of the section, and place in it.
    read: BTreeMap<(Timestamp, usize, usize, usize), Note>,
}

impl NoteReader {
    /// Reads these.
    pub(super) fn new(store: Arc<Store>, notes: Vec<Wanted>) -> Self {
        let mut unread: Vec<(usize, Wanted)> = notes.into_iter().enumerate().collect();
        unread.sort_by_key(|(_, notes)| notes.saved.first);
        NoteReader { store, unread: unread.into_iter().peekable(), read: BTreeMap::new() }
    }

    fn read(&mut self, section: usize, notes: &Wanted) -> Result<(), StoreError> {
        let Wanted { saved, times } = notes;
        let (worker, input) = (saved.worker, saved.input.unwrap_or(REPEATS));
        let rows = saved.rows.read(&self.store)?;
        for (place, (time, batch)) in by_time(&saved.rows, rows)?.into_iter().enumerate() {
            if times.contains(&time) {
                self.read.insert((time, worker, section, place), Note { time, worker, input, batch });
            }
        }
        Ok(())
    }
}

impl Iterator for NoteReader {
    type Item = Result<Note, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let least = self.read.first_key_value().map(|((time, ..), _)| *time);
            let is_needed =
                |(_, notes): &(usize, Wanted)| least.is_none_or(|least| notes.saved.first <= least);
            let Some((section, notes)) = self.unread.next_if(is_needed) else {
                return self.read.pop_first().map(|(_, note)| Ok(note));
            };
            if let Err(error) = self.read(section, &notes) {
                return Some(Err(error));
            }
        }
    }
}

/// The rows of a section by their times, which are the last column.
pub(super) fn by_time(section: &Section, mut rows: Batch) -> Result<Vec<(Timestamp, Batch)>, StoreError> {
    let damaged = || StoreError::Damaged { object: section.pack.clone(), cause: "rows have no times".into() };
    let times = rows.columns.pop().ok_or_else(damaged)?;
    let times = times.array().as_primitive_opt::<Int64Type>().ok_or_else(damaged)?;
    let mut start = 0;
    let parts = times.values().chunk_by(|a, b| a == b).map(|run| {
        let part = (run[0] as Timestamp, rows.slice(start, run.len()));
        start += run.len();
        part
    });
    Ok(parts.collect())
}
