//! Collects the rows of one chunk: cells, keys, and what went wrong.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use pathway_io::{CellError, Parsed, Rejected};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, Column, DataError, Diffs, Key, Keys};
use xxhash_rust::xxh3::xxh3_128;

use super::Layout;
use super::cells::CellBuilder;

/// A sequence of records: its name in positions, and the keys of rows that have no primary key.
///
/// The key of a row is a pure function of the sequence's identity and the record's ordinal, so it
/// is the same in every run, and appending records leaves the keys of earlier ones alone.
#[derive(Clone, Debug)]
pub struct Origin {
    name: Arc<str>,
    unit: &'static str,
    /// How the first record is numbered for people.
    first: u64,
    low: u64,
    high: u64,
}

impl Origin {
    /// A sequence with this `identity`, shown as `name`, of records called `unit`.
    pub fn new(name: impl Into<Arc<str>>, identity: &[u8], unit: &'static str) -> Self {
        let hash = xxh3_128(identity);
        Origin { name: name.into(), unit, first: 1, low: hash as u64, high: (hash >> 64) as u64 }
    }

    /// The same sequence, whose records are numbered from 0 for people, too.
    pub fn from_zero(self) -> Self {
        Origin { first: 0, ..self }
    }

    /// The key of the record with this ordinal. Distinct for all ordinals of one sequence.
    #[inline]
    pub fn key(&self, ordinal: u64) -> u128 {
        let low = mix(self.low ^ ordinal);
        let high = mix(self.high.wrapping_add(ordinal.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        (u128::from(high) << 64) | u128::from(low)
    }

    /// Where the record with this ordinal stands, counted from 1 unless it is said otherwise.
    pub fn position(&self, ordinal: u64) -> String {
        match self.unit {
            "" => self.name.to_string(),
            unit => format!("{}, {unit} {}", self.name, ordinal + self.first),
        }
    }
}

/// A bijection of 64-bit integers that spreads every input bit over all output bits (Stafford's
/// variant 13 of the finaliser of MurmurHash3).
#[inline]
fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A cell that could not be converted.
struct Fault {
    row: u32,
    column: u32,
    ordinal: u64,
    message: Box<str>,
    raw: Box<[u8]>,
}

/// Collects rows in the columns of a [`Layout`].
pub struct RowBuilder {
    layout: Arc<Layout>,
    origin: Origin,
    /// One builder per field of the layout. Between rows all have the same length.
    pub(crate) cells: Vec<CellBuilder>,
    keys: Vec<u128>,
    rows: u32,
    /// Rows that are removed, ascending.
    removed: Vec<u32>,
    ordinal: u64,
    /// That of the row that ends next, if it is not made of its ordinal.
    next_key: Option<u128>,
    faults: Vec<Fault>,
    rejected: Vec<Rejected>,
}

impl RowBuilder {
    /// An empty builder for records of `origin` from ordinal `first` on: about `records` of them,
    /// in `bytes` bytes.
    pub fn new(layout: &Arc<Layout>, origin: &Origin, first: u64, records: usize, bytes: usize) -> Self {
        let fields = layout.fields();
        let text = bytes / (2 * fields.len()).max(1);
        RowBuilder {
            layout: layout.clone(),
            origin: origin.clone(),
            cells: fields.iter().map(|field| CellBuilder::new(field, records, text)).collect(),
            keys: Vec::with_capacity(if layout.primary_key().is_empty() { records } else { 0 }),
            rows: 0,
            removed: Vec::new(),
            ordinal: first,
            next_key: None,
            faults: Vec::new(),
            rejected: Vec::new(),
        }
    }

    /// Sets the ordinal of the next record, for inputs that number them by themselves.
    pub fn set_ordinal(&mut self, ordinal: u64) {
        self.ordinal = ordinal;
    }

    /// The next record gave one cell in every builder: the row is complete.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        if self.layout.primary_key().is_empty() {
            let key = self.next_key.take();
            self.keys.push(key.unwrap_or_else(|| self.origin.key(self.ordinal)));
        }
        self.rows += 1;
        self.ordinal += 1;
    }

    /// The next record gave one cell in every builder, and the row has this key.
    #[inline]
    pub(crate) fn end_row_as(&mut self, key: Key) {
        self.next_row_is(key);
        self.end_row();
    }

    /// The next record removes the row of which it gave the key, and one cell in every builder.
    pub(crate) fn end_removal(&mut self) {
        self.removed.push(self.rows);
        self.end_row();
    }

    /// The row that ends next has this key, unless there is a primary key.
    pub(super) fn next_row_is(&mut self, key: Key) {
        self.next_key = Some(key.0);
    }

    /// The next record is blank: it counts, but is no row.
    #[inline]
    pub(super) fn skip(&mut self) {
        self.ordinal += 1;
    }

    /// The next record is no row; no cell of it was added.
    #[cold]
    pub(crate) fn reject(&mut self, raw: &[u8], reason: impl Into<String>) {
        let position = self.origin.position(self.ordinal);
        self.rejected.push(Rejected { raw: raw.to_vec(), position, reason: reason.into() });
        self.ordinal += 1;
    }

    /// The cell just added for this field of the next row is an error.
    #[cold]
    pub(crate) fn fault(&mut self, field: usize, message: impl Into<Box<str>>, raw: &[u8]) {
        self.faults.push(Fault {
            row: self.rows,
            column: field as u32,
            ordinal: self.ordinal,
            message: message.into(),
            raw: raw.into(),
        });
    }

    /// Everything collected.
    pub fn finish(self) -> Parsed {
        let RowBuilder { layout, origin, cells, keys, rows, removed, faults, mut rejected, .. } = self;
        let rows = rows as usize;
        let columns: Vec<Column> = cells.into_iter().map(CellBuilder::finish).collect();
        let diffs = if removed.is_empty() {
            Diffs::Ones(rows)
        } else {
            let mut diffs = vec![1; rows];
            removed.iter().for_each(|row| diffs[*row as usize] = -1);
            diffs.into()
        };
        if layout.primary_key().is_empty() {
            let outputs = layout.output().iter().map(|i| columns[*i].clone()).collect();
            let batch = Batch::new(keys.into(), outputs, diffs);
            let cell_errors = cell_errors(&layout, &origin, faults, None);
            return Parsed { batch, cell_errors, rejected };
        }
        let key_columns = layout.primary_key().iter().map(|i| (&columns[*i], &layout.fields()[*i].dtype));
        let row_keys = hash_rows(&key_columns.collect::<Vec<_>>(), None, rows);
        let outputs: Vec<Column> = layout.output().iter().map(|i| columns[*i].clone()).collect();
        let keys: Keys = row_keys.keys;
        let batch = Batch::new(keys, outputs, diffs);
        let Some(failed) = row_keys.errors else {
            let cell_errors = cell_errors(&layout, &origin, faults, None);
            return Parsed { batch, cell_errors, rejected };
        };
        let mut last = None;
        for fault in &faults {
            let in_key = layout.primary_key().contains(&(fault.column as usize));
            if in_key && last.replace(fault.row) != Some(fault.row) {
                let position = origin.position(fault.ordinal);
                let reason = format!("error in primary key, skipping the row: {}", fault.message);
                rejected.push(Rejected { raw: fault.raw.to_vec(), position, reason });
            }
        }
        let kept = !&failed;
        let cell_errors = cell_errors(&layout, &origin, faults, Some(&kept));
        Parsed { batch: batch.filter(&kept), cell_errors, rejected }
    }
}

/// The faults of columns that are handed out, in rows that are kept.
fn cell_errors(
    layout: &Layout,
    origin: &Origin,
    faults: Vec<Fault>,
    kept: Option<&BooleanBuffer>,
) -> Vec<CellError> {
    if faults.is_empty() {
        return Vec::new();
    }
    // The position of every row after rows were dropped.
    let moved: Option<Vec<Option<u32>>> = kept.map(|kept| {
        let mut next = 0;
        let places = kept.iter().map(|keep| keep.then(|| (next, next += 1).0));
        places.collect()
    });
    let mut errors = Vec::new();
    for fault in faults {
        let row = match &moved {
            None => Some(fault.row),
            Some(moved) => moved[fault.row as usize],
        };
        let Some(row) = row else { continue };
        for (column, field) in layout.output().iter().enumerate() {
            if *field != fault.column as usize {
                continue;
            }
            errors.push(CellError {
                row,
                column: column as u32,
                cause: DataError::parse(fault.message.clone()),
                record: Rejected {
                    raw: fault.raw.to_vec(),
                    position: origin.position(fault.ordinal),
                    reason: fault.message.to_string(),
                },
            });
        }
    }
    errors
}
