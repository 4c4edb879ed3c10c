//! Notes as rows: their time is the last column.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_dataflow::Note;
use pathway_dataflow::keep::REPEATS;
use pathway_persistence::{SavedNotes, StoreError};
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

/// The notes that were packed into these rows, without those of times from `end` on.
pub(super) fn unpack(saved: &SavedNotes, mut rows: Batch, end: Timestamp) -> Result<Vec<Note>, StoreError> {
    let damaged =
        || StoreError::Damaged { object: saved.rows.pack.clone(), cause: "notes have no times".into() };
    let times = rows.columns.pop().ok_or_else(damaged)?;
    let times = times.array().as_primitive_opt::<Int64Type>().ok_or_else(damaged)?;
    let times: Vec<Timestamp> = times.values().iter().map(|time| *time as Timestamp).collect();
    let mut notes = Vec::new();
    let mut start = 0;
    for run in times.chunk_by(|a, b| a == b) {
        if run[0] < end {
            notes.push(Note {
                time: run[0],
                worker: saved.worker,
                input: saved.input.unwrap_or(REPEATS),
                batch: rows.slice(start, run.len()),
            });
        }
        start += run.len();
    }
    Ok(notes)
}
