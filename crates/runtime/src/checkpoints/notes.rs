//! Notes as rows: their time is the last column.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_dataflow::Note;
use pathway_dataflow::keep::REPEATS;
use pathway_persistence::{SavedNotes, Section, StoreError};
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
pub(super) fn unpack(saved: &SavedNotes, rows: Batch, end: Timestamp) -> Result<Vec<Note>, StoreError> {
    let input = saved.input.unwrap_or(REPEATS);
    let parts = by_time(&saved.rows, rows)?.into_iter().filter(|(time, _)| *time < end);
    Ok(parts.map(|(time, batch)| Note { time, worker: saved.worker, input, batch }).collect())
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
