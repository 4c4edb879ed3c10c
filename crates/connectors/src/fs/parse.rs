//! The work of parser threads: rows of chunks, and the difference between two states of a chunk.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::LargeStringArray;
use arrow_buffer::BooleanBuffer;
use pathway_io::{CellError, ParseJob, Parsed};
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType};

use super::chunks::Chunk;
use crate::formats::{Decoder, Layout, Origin, RowBuilder};

/// Everything that the rows of one state of a file have in common.
#[derive(Clone)]
pub(super) struct FileRows {
    pub(super) layout: Arc<Layout>,
    pub(super) decoder: Arc<dyn Decoder>,
    pub(super) origin: Origin,
    /// Where column `_metadata` goes and what it holds, if it is wanted.
    pub(super) metadata: Option<(usize, Arc<str>)>,
}

impl FileRows {
    /// The rows of a chunk, as additions.
    fn parse(&self, chunk: &Chunk) -> Parsed {
        let bytes = chunk.bytes();
        let mut rows =
            RowBuilder::new(&self.layout, &self.origin, chunk.first, chunk.records as usize, bytes.len());
        self.decoder.decode(bytes, &mut rows);
        let mut parsed = rows.finish();
        if let Some((position, text)) = &self.metadata {
            let cells = std::iter::repeat_n(&**text, parsed.batch.len());
            let column = Column::new(Arc::new(LargeStringArray::from_iter_values(cells)));
            parsed.batch.columns.insert(*position, column);
            for error in &mut parsed.cell_errors {
                error.column += u32::from(error.column >= *position as u32);
            }
        }
        parsed
    }

    /// The rows of a chunk, as removals: what was rejected was so when it was added.
    fn parse_removed(&self, chunk: &Chunk) -> Parsed {
        let mut parsed = self.parse(chunk);
        parsed.batch = parsed.batch.negate();
        parsed.rejected.clear();
        parsed
    }

    /// Adds the rows of a chunk.
    pub(super) fn add(&self, chunk: Chunk) -> ParseJob {
        let rows = self.clone();
        Box::new(move || rows.parse(&chunk))
    }

    /// Removes the rows of a chunk.
    pub(super) fn remove(&self, chunk: Chunk) -> ParseJob {
        let rows = self.clone();
        Box::new(move || rows.parse_removed(&chunk))
    }

    /// Replaces the rows of `old_chunk`, made by `old`, by those of `new_chunk`, made by `self`.
    pub(super) fn replace(
        &self,
        old: &FileRows,
        old_chunk: Chunk,
        new_chunk: Chunk,
        dtypes: &Arc<[DType]>,
    ) -> ParseJob {
        let (old, new, dtypes) = (old.clone(), self.clone(), dtypes.clone());
        Box::new(move || {
            let (was, mut is) = (old.parse(&old_chunk), new.parse(&new_chunk));
            let known: HashSet<(&str, &[u8])> =
                was.rejected.iter().map(|r| (&*r.position, &*r.raw)).collect();
            is.rejected.retain(|r| !known.contains(&(&*r.position, &*r.raw)));
            difference(&was, is, &dtypes)
        })
    }
}

/// Removals of the rows of `was` and additions of those of `is`, without the rows that are in both.
fn difference(was: &Parsed, is: Parsed, dtypes: &[DType]) -> Parsed {
    let (gone, come) = unequal_rows(&was.batch, &is.batch, dtypes);
    let (removed, removed_errors) = keep(&was.batch, &was.cell_errors, &gone);
    let (added, added_errors) = keep(&is.batch, &is.cell_errors, &come);
    let shift = removed.len() as u32;
    let mut cell_errors = removed_errors;
    cell_errors.extend(added_errors.into_iter().map(|error| CellError { row: error.row + shift, ..error }));
    let batch = Batch::concat(&[removed.negate(), added]);
    Parsed { batch, cell_errors, rejected: is.rejected }
}

/// The rows set in `kept`, and the errors in them.
fn keep(batch: &Batch, errors: &[CellError], kept: &[bool]) -> (Batch, Vec<CellError>) {
    let mut place = 0;
    let places: Vec<u32> = kept.iter().map(|keep| (place, place += u32::from(*keep)).0).collect();
    let errors = errors.iter().filter(|error| kept[error.row as usize]);
    let errors = errors.map(|error| CellError { row: places[error.row as usize], ..error.clone() });
    (batch.filter(&BooleanBuffer::from(kept.to_vec())), errors.collect())
}

/// For each row of two batches, whether the other batch lacks it. A row that stands several times
/// in both is matched as often as it stands in both.
fn unequal_rows(was: &Batch, is: &Batch, dtypes: &[DType]) -> (Vec<bool>, Vec<bool>) {
    let old: Vec<CellView<'_>> = was.columns.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
    let new: Vec<CellView<'_>> = is.columns.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
    let sorted = |batch: &Batch| {
        let keys = batch.keys.as_slice();
        let mut rows: Vec<usize> = (0..keys.len()).collect();
        rows.sort_by_key(|row| keys[*row]);
        rows
    };
    let (old_rows, new_rows) = (sorted(was), sorted(is));
    let (old_keys, new_keys) = (was.keys.as_slice(), is.keys.as_slice());
    let (mut gone, mut come) = (vec![true; old_rows.len()], vec![true; new_rows.len()]);
    let mut from = 0;
    for row in new_rows {
        while from < old_rows.len() && old_keys[old_rows[from]] < new_keys[row] {
            from += 1;
        }
        let same_key = old_rows[from..].iter().take_while(|other| old_keys[**other] == new_keys[row]);
        let equal = |other: usize| old.iter().zip(&new).all(|(a, b)| a.eq(other, b, row));
        if let Some(other) = same_key.copied().find(|other| gone[*other] && equal(*other)) {
            gone[other] = false;
            come[row] = false;
        }
    }
    (gone, come)
}
