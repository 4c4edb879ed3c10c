//! CSV from rows: every field in quotes, `time` and `diff` last.
//!
//! | dtype | text |
//! |---|---|
//! | BOOL | `True`, `False` |
//! | FLOAT | shortest that reads back: `1.5`, `2.0`, `1e300`, `NaN`, `inf` |
//! | None | `None` |
//! | BYTES, PyObjectWrapper | base64 |
//! | datetimes | `2025-01-17T01:02:03.123456789`, with `+0000` for UTC |
//! | DURATION | nanoseconds |
//! | Json, sequences, arrays | JSON |
//! | pointer | `^` and 26 characters |

use pathway_io::Encoder;
use pathway_types::{Batch, DType, Schema, Timestamp, Value};

use crate::formats::lanes::{Cells, Lane, write_base64, write_json_value, write_pointer};
use crate::formats::{datetime, number};

/// Writes changes as CSV records.
#[derive(Clone, Debug)]
pub struct CsvEncoder {
    names: Vec<Box<str>>,
    dtypes: Vec<DType>,
    /// What stands between two fields: quote, delimiter, quote.
    separator: [u8; 3],
}

impl CsvEncoder {
    /// An encoder for rows of `schema`, with an ASCII `delimiter` between fields.
    pub fn new(schema: &Schema, delimiter: u8) -> Self {
        CsvEncoder {
            names: schema.names().map(Box::from).collect(),
            dtypes: schema.dtypes(),
            separator: [b'"', delimiter, b'"'],
        }
    }

    /// Appends the header line.
    pub fn header(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        for name in &self.names {
            write_text(name.as_bytes(), out);
            out.extend_from_slice(&self.separator);
        }
        out.extend_from_slice(b"time");
        out.extend_from_slice(&self.separator);
        out.extend_from_slice(b"diff\"\n");
    }

    /// Appends the records of all rows, each with the line end behind it; `row_ends` gets where each ends.
    #[inline]
    pub(crate) fn encode_rows(
        &self,
        batch: &Batch,
        time: Timestamp,
        out: &mut Vec<u8>,
        mut row_ends: impl FnMut(usize),
    ) {
        let lanes = Lane::all(batch, &self.dtypes);
        let mut end_of_row = Vec::new();
        number::write_unsigned(time, &mut end_of_row);
        end_of_row.extend_from_slice(&self.separator);
        let mut scratch = Vec::new();
        out.reserve(batch.len() * (16 * lanes.len() + end_of_row.len() + 8));
        for row in 0..batch.len() {
            out.push(b'"');
            for lane in &lanes {
                write_cell(lane, row, &mut scratch, out);
                out.extend_from_slice(&self.separator);
            }
            out.extend_from_slice(&end_of_row);
            number::write_int(batch.diffs.get(row), out);
            out.extend_from_slice(b"\"\n");
            row_ends(out.len());
        }
    }
}

impl Encoder for CsvEncoder {
    fn encode(&self, batch: &Batch, time: Timestamp, out: &mut Vec<u8>) {
        self.encode_rows(batch, time, out, |_| {});
    }
}

/// Appends the text of a cell, without the quotes around it.
#[inline]
fn write_cell(lane: &Lane<'_>, row: usize, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if lane.is_none(row) {
        return out.extend_from_slice(b"None");
    }
    match &lane.cells {
        Cells::Bool(cells) => write_bool(cells.value(row), out),
        Cells::Int(cells) | Cells::Duration(cells) => number::write_int(cells[row], out),
        Cells::Float(cells) => number::write_float(cells[row], out),
        Cells::Str(cells) | Cells::Json(cells) => write_text(cells.value(row).as_bytes(), out),
        Cells::Bytes(cells) => write_base64(cells.value(row), out),
        Cells::DateTimeNaive(cells) => datetime::write_naive(cells[row], out),
        Cells::DateTimeUtc(cells) => datetime::write_utc(cells[row], out),
        Cells::Pointer(cells) => write_pointer(cells[row], out),
        Cells::Values(cells) => write_value(&cells.value(row), scratch, out),
    }
}

fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"True" } else { b"False" });
}

/// Appends text with its quotes doubled.
#[inline]
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    for at in memchr::memchr_iter(b'"', text) {
        out.extend_from_slice(&text[start..=at]);
        start = at;
    }
    out.extend_from_slice(&text[start..]);
}

/// Appends a value of a column that is not stored by kind.
fn write_value(value: &Value, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    match value {
        Value::None | Value::Pending | Value::Error => out.extend_from_slice(b"None"),
        Value::Bool(v) => write_bool(*v, out),
        Value::Int(v) | Value::Duration(v) => number::write_int(*v, out),
        Value::Float(v) => number::write_float(*v, out),
        Value::Pointer(v) => write_pointer(v.0 as i128, out),
        Value::Str(v) => write_text(v.as_bytes(), out),
        Value::Bytes(v) => write_base64(v, out),
        Value::PyObject(v) => write_base64(v.bytes(), out),
        Value::DateTimeNaive(v) => datetime::write_naive(*v, out),
        Value::DateTimeUtc(v) => datetime::write_utc(*v, out),
        Value::Json(_) | Value::Tuple(_) | Value::IntArray(_) | Value::FloatArray(_) => {
            scratch.clear();
            write_json_value(value, scratch);
            write_text(scratch, out);
        }
    }
}

#[cfg(test)]
mod tests;
