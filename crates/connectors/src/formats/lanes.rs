//! Typed access to the cells of a batch, for writing them out: resolved once per column and batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{Array, BooleanArray, LargeBinaryArray, LargeStringArray};
use arrow_buffer::NullBuffer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathway_types::{Batch, Column, DType, Key, Value, storage, view::CellView};

use super::{datetime, number};

/// The cells of one column.
pub(crate) struct Lane<'a> {
    pub(crate) cells: Cells<'a>,
    nulls: Option<&'a NullBuffer>,
}

/// The cells by layout.
pub(crate) enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int(&'a [i64]),
    Float(&'a [f64]),
    Str(&'a LargeStringArray),
    Json(&'a LargeStringArray),
    Bytes(&'a LargeBinaryArray),
    DateTimeNaive(&'a [i64]),
    DateTimeUtc(&'a [i64]),
    Duration(&'a [i64]),
    Pointer(&'a [i128]),
    /// Sequences, arrays, dynamic columns.
    Values(CellView<'a>),
}

impl<'a> Lane<'a> {
    /// Reads the columns of a batch as `dtypes`.
    pub(crate) fn all(batch: &'a Batch, dtypes: &[DType]) -> Vec<Self> {
        batch.columns.iter().zip(dtypes).map(|(column, dtype)| Lane::new(column, dtype)).collect()
    }

    /// Reads `column` as `dtype`.
    pub(crate) fn new(column: &'a Column, dtype: &DType) -> Self {
        let array = column.array();
        let cells = match dtype.stored() {
            dtype if storage::is_encoded(dtype) => Cells::Values(CellView::new(column, dtype)),
            DType::Bool => Cells::Bool(array.as_boolean()),
            DType::Int => Cells::Int(array.as_primitive::<Int64Type>().values()),
            DType::Float => Cells::Float(array.as_primitive::<Float64Type>().values()),
            DType::Str => Cells::Str(array.as_string()),
            DType::Json => Cells::Json(array.as_string()),
            DType::Bytes | DType::PyObject(_) => Cells::Bytes(array.as_binary()),
            DType::DateTimeNaive => {
                Cells::DateTimeNaive(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DType::DateTimeUtc => {
                Cells::DateTimeUtc(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DType::Duration => Cells::Duration(array.as_primitive::<DurationNanosecondType>().values()),
            DType::Pointer(_) => Cells::Pointer(array.as_primitive::<Decimal128Type>().values()),
            dtype => Cells::Values(CellView::new(column, dtype)),
        };
        let nulls = match cells {
            Cells::Values(_) => None,
            _ => array.nulls(),
        };
        Lane { cells, nulls }
    }

    /// True if the cell is None (columns of [`Cells::Values`] tell it by the value itself).
    #[inline]
    pub(crate) fn is_none(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

/// Appends a JSON string.
pub(crate) fn write_json_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[*byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        match escape {
            b'u' => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            escape => out.extend_from_slice(&[b'\\', escape]),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// What follows the backslash for bytes that a JSON string must escape; zero for the others.
static ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = b'u';
        control += 1;
    }
    escapes[0x08] = b'b';
    escapes[0x09] = b't';
    escapes[0x0A] = b'n';
    escapes[0x0C] = b'f';
    escapes[0x0D] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

/// Appends base64 with padding.
pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The room is exactly what the encoding takes.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

/// Appends a row key as text.
pub(crate) fn write_pointer(bits: i128, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to a vector cannot fail.
    let _ = write!(out, "{}", Key(bits as u128));
}

/// Appends any value as JSON.
pub(crate) fn write_json_value(value: &Value, out: &mut Vec<u8>) {
    let quoted = |out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>)| {
        out.push(b'"');
        write(out);
        out.push(b'"');
    };
    match value {
        Value::None | Value::Pending | Value::Error => out.extend_from_slice(b"null"),
        Value::Bool(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        Value::Int(v) | Value::Duration(v) => number::write_int(*v, out),
        Value::Float(v) => number::write_json_float(*v, out),
        Value::Pointer(v) => quoted(out, &|out| write_pointer(v.0 as i128, out)),
        Value::Str(v) => write_json_string(v, out),
        Value::Bytes(v) => quoted(out, &|out| write_base64(v, out)),
        Value::PyObject(v) => quoted(out, &|out| write_base64(v.bytes(), out)),
        Value::DateTimeNaive(v) => quoted(out, &|out| datetime::write_naive(*v, out)),
        Value::DateTimeUtc(v) => quoted(out, &|out| datetime::write_utc(*v, out)),
        Value::Json(v) => out.extend_from_slice(v.as_str().as_bytes()),
        Value::Tuple(members) => write_list(members.iter(), out, write_json_value),
        Value::IntArray(array) => {
            write_array(array.shape(), array.elements(), out, |v, out| number::write_int(*v, out))
        }
        Value::FloatArray(array) => {
            write_array(array.shape(), array.elements(), out, |v, out| number::write_json_float(*v, out));
        }
    }
}

/// Appends `[…]`.
fn write_list<T>(items: impl Iterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Appends `{"shape":[…],"elements":[…]}`.
fn write_array<T>(shape: &[usize], elements: &[T], out: &mut Vec<u8>, write: impl FnMut(&T, &mut Vec<u8>)) {
    out.extend_from_slice(b"{\"shape\":");
    write_list(shape.iter(), out, |dim, out| number::write_unsigned(*dim as u64, out));
    out.extend_from_slice(b",\"elements\":");
    write_list(elements.iter(), out, write);
    out.push(b'}');
}
