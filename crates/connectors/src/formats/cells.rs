//! One column under construction, filled straight from the bytes of a record.
//!
//! The common dtypes are appended to plain vectors that become Arrow buffers without a copy; the
//! rest goes through [`Value`]. How the text of a CSV cell is read is decided in `text`, how a JSON
//! value is read in `json`; both leave exactly one cell behind, an error cell if they fail.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DurationNanosecondArray, Float64Array, Int64Array,
    LargeBinaryArray, LargeStringArray, TimestampNanosecondArray,
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, OffsetBuffer, ScalarBuffer};
use pathway_types::storage::POINTER;
use pathway_types::{Column, ColumnBuilder, DType, Field, Value};

mod json;
#[cfg(feature = "postgres")]
mod pg;
mod text;

pub(super) use json::Token;

/// A cell could not be converted; the text says why. The builder holds an error cell in its place.
pub(crate) type Fault = Box<str>;

/// Builds one column.
pub(crate) struct CellBuilder {
    name: Box<str>,
    dtype: DType,
    optional: bool,
    default: Option<Value>,
    data: Data,
    /// Rows that are None, ascending.
    nulls: Vec<u32>,
    /// Rows that are errors, ascending.
    errors: Vec<u32>,
    /// Rows whose cells stay what they are, ascending.
    kept: Vec<u32>,
}

/// The cells.
enum Data {
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bool(BooleanBufferBuilder),
    Str(Bytes),
    /// Compact JSON text.
    Json(Bytes),
    Bytes(Bytes),
    DateTimeNaive(Vec<i64>),
    DateTimeUtc(Vec<i64>),
    Duration(Vec<i64>),
    Pointer(Vec<i128>),
    /// Everything else, by value.
    Values(Box<ColumnBuilder>),
}

/// Byte strings one after another.
struct Bytes {
    offsets: Vec<i64>,
    bytes: Vec<u8>,
}

impl Bytes {
    fn new(cells: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(cells + 1);
        offsets.push(0);
        Bytes { offsets, bytes: Vec::with_capacity(bytes) }
    }
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.close();
    }
    /// Ends a cell whose bytes were appended.
    #[inline]
    fn close(&mut self) {
        self.offsets.push(self.bytes.len() as i64);
    }
    /// Drops bytes that were appended to a cell that did not end.
    fn undo(&mut self) {
        let end = self.offsets.last().map_or(0, |end| *end as usize);
        self.bytes.truncate(end);
    }
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }
    fn offsets(offsets: Vec<i64>) -> OffsetBuffer<i64> {
        OffsetBuffer::new(ScalarBuffer::from(offsets))
    }
    fn into_binary(self, nulls: Option<NullBuffer>) -> ArrayRef {
        Arc::new(LargeBinaryArray::new(Bytes::offsets(self.offsets), self.bytes.into(), nulls))
    }
    /// The cells as text. Every cell must be valid UTF-8 by itself.
    fn into_text(self, nulls: Option<NullBuffer>) -> ArrayRef {
        debug_assert!(
            self.offsets.windows(2).all(|range| {
                std::str::from_utf8(&self.bytes[range[0] as usize..range[1] as usize]).is_ok()
            })
        );
        let offsets = Bytes::offsets(self.offsets);
        // SAFETY: each cell is valid UTF-8 by itself: decoders append to text columns only parts of
        // records that they have validated as a whole, cut at ASCII bytes, and characters encoded by
        // `char`. So the concatenation is valid and every offset is a character's border; offsets
        // ascend and end at the length of the bytes by construction.
        Arc::new(unsafe { LargeStringArray::new_unchecked(offsets, self.bytes.into(), nulls) })
    }
}

impl CellBuilder {
    /// An empty builder for a column, with room for `cells` cells and `text` bytes of text.
    pub(super) fn new(field: &Field, cells: usize, text: usize) -> Self {
        let dtype = field.dtype.unoptional().clone();
        let data = match &dtype {
            DType::Int => Data::Int(Vec::with_capacity(cells)),
            DType::Float => Data::Float(Vec::with_capacity(cells)),
            DType::Bool => Data::Bool(BooleanBufferBuilder::new(cells)),
            DType::Str => Data::Str(Bytes::new(cells, text)),
            DType::Json => Data::Json(Bytes::new(cells, text)),
            DType::Bytes => Data::Bytes(Bytes::new(cells, text)),
            DType::DateTimeNaive => Data::DateTimeNaive(Vec::with_capacity(cells)),
            DType::DateTimeUtc => Data::DateTimeUtc(Vec::with_capacity(cells)),
            DType::Duration => Data::Duration(Vec::with_capacity(cells)),
            DType::Pointer(_) => Data::Pointer(Vec::with_capacity(cells)),
            _ => Data::Values(Box::new(ColumnBuilder::new(&field.dtype, cells))),
        };
        CellBuilder {
            name: field.name.clone(),
            dtype,
            optional: field.dtype.is_optional(),
            default: field.default.clone(),
            data,
            nulls: Vec::new(),
            errors: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// The number of cells.
    pub(super) fn len(&self) -> usize {
        match &self.data {
            Data::Int(v) | Data::DateTimeNaive(v) | Data::DateTimeUtc(v) | Data::Duration(v) => v.len(),
            Data::Float(v) => v.len(),
            Data::Bool(b) => b.len(),
            Data::Str(b) | Data::Json(b) | Data::Bytes(b) => b.len(),
            Data::Pointer(v) => v.len(),
            Data::Values(b) => b.len(),
        }
    }

    /// Appends None.
    pub(crate) fn push_none(&mut self) {
        let row = self.len() as u32;
        match &mut self.data {
            Data::Values(b) => return b.push_none(),
            _ => self.push_blank(),
        }
        self.nulls.push(row);
    }

    /// Appends an error cell.
    pub(crate) fn push_error(&mut self) {
        let row = self.len() as u32;
        match &mut self.data {
            Data::Values(b) => return b.push_error(),
            _ => self.push_blank(),
        }
        self.errors.push(row);
    }

    /// Appends a cell that stays what it is in a row that is replaced (see [`pathway_io::Session::Upsert`]).
    #[cfg(feature = "postgres")]
    pub(crate) fn push_kept(&mut self) {
        self.kept.push(self.len() as u32);
        match &mut self.data {
            Data::Values(b) => b.push_none(),
            _ => self.push_blank(),
        }
    }

    /// What stands under a masked cell.
    fn push_blank(&mut self) {
        match &mut self.data {
            Data::Int(v) | Data::DateTimeNaive(v) | Data::DateTimeUtc(v) | Data::Duration(v) => v.push(0),
            Data::Float(v) => v.push(0.0),
            Data::Bool(b) => b.append(false),
            Data::Str(b) | Data::Json(b) | Data::Bytes(b) => b.push(b""),
            Data::Pointer(v) => v.push(0),
            Data::Values(b) => b.push_none(),
        }
    }

    /// Appends a value of the column's dtype.
    pub(super) fn push_value(&mut self, value: &Value) {
        match (&mut self.data, value) {
            (Data::Values(b), value) => b.push(value),
            (Data::Int(v), Value::Int(x))
            | (Data::DateTimeNaive(v), Value::DateTimeNaive(x))
            | (Data::DateTimeUtc(v), Value::DateTimeUtc(x))
            | (Data::Duration(v), Value::Duration(x)) => v.push(*x),
            (Data::Float(v), Value::Float(x)) => v.push(*x),
            (Data::Float(v), Value::Int(x)) => v.push(*x as f64),
            (Data::Bool(b), Value::Bool(x)) => b.append(*x),
            (Data::Str(b), Value::Str(x)) => b.push(x.as_bytes()),
            (Data::Json(b), Value::Json(x)) => b.push(x.as_str().as_bytes()),
            (Data::Bytes(b), Value::Bytes(x)) => b.push(x),
            (Data::Pointer(v), Value::Pointer(x)) => v.push(x.0 as i128),
            (_, Value::None) => self.push_none(),
            _ => self.push_error(),
        }
    }

    /// Appends the default, if the column has one.
    fn push_default(&mut self) -> bool {
        match self.default.clone() {
            Some(value) => {
                self.push_value(&value);
                true
            }
            None => false,
        }
    }

    /// Appends bytes as they are to a column of text or compact JSON (which they must be valid for) or bytes.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        match &mut self.data {
            Data::Str(b) | Data::Json(b) | Data::Bytes(b) => b.push(bytes),
            _ => self.push_error(),
        }
    }

    /// Appends an error cell and tells why, with what was found.
    #[cold]
    fn fail(&mut self, found: &[u8], why: &str) -> Result<(), Fault> {
        self.push_error();
        let mut shown = String::from_utf8_lossy(found);
        if shown.len() > 100 {
            let cut = shown.char_indices().take(80).last().map_or(0, |(at, _)| at);
            shown = format!("{}…", &shown[..cut]).into();
        }
        let dtype = if self.optional { DType::optional(self.dtype.clone()) } else { self.dtype.clone() };
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Err(format!("column {:?} cannot read {shown:?} as {dtype}{why}", self.name).into())
    }

    /// The column of all cells.
    pub(super) fn finish(self) -> Column {
        let len = self.len();
        let mask = |rows: &[u32]| -> Option<BooleanBuffer> {
            if rows.is_empty() {
                return None;
            }
            let mut bits = BooleanBufferBuilder::new(len);
            bits.append_n(len, false);
            rows.iter().for_each(|row| bits.set_bit(*row as usize, true));
            Some(bits.finish())
        };
        let errors = mask(&self.errors);
        let nulls = match (mask(&self.nulls), &errors) {
            (Some(nulls), Some(errors)) => Some(&nulls | errors),
            (nulls, errors) => nulls.or_else(|| errors.clone()),
        };
        let kept = mask(&self.kept);
        let nulls = nulls.map(|mask| NullBuffer::new(!&mask));
        let array: ArrayRef = match self.data {
            Data::Int(v) => Arc::new(Int64Array::new(v.into(), nulls)),
            Data::Float(v) => Arc::new(Float64Array::new(v.into(), nulls)),
            Data::Bool(mut b) => Arc::new(BooleanArray::new(b.finish(), nulls)),
            Data::Str(b) | Data::Json(b) => b.into_text(nulls),
            Data::Bytes(b) => b.into_binary(nulls),
            Data::DateTimeNaive(v) => Arc::new(TimestampNanosecondArray::new(v.into(), nulls)),
            Data::DateTimeUtc(v) => {
                Arc::new(TimestampNanosecondArray::new(v.into(), nulls).with_timezone("UTC"))
            }
            Data::Duration(v) => Arc::new(DurationNanosecondArray::new(v.into(), nulls)),
            Data::Pointer(v) => Arc::new(Decimal128Array::new(v.into(), nulls).with_data_type(POINTER)),
            Data::Values(mut b) => return b.finish().with_pending(kept),
        };
        Column::with_errors(array, errors).with_pending(kept)
    }
}
