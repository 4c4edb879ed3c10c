//! JSON objects from rows: the columns in order, then `diff`, then `time`.
//!
//! | dtype | JSON |
//! |---|---|
//! | BOOL, INT, STR | native; text is not escaped beyond what JSON demands |
//! | FLOAT | `2.0`, `1e+300`, `1e-7`; `null` if not finite |
//! | None | `null` |
//! | BYTES, PyObjectWrapper | base64 string |
//! | datetimes, pointer | strings as in CSV |
//! | DURATION | nanoseconds |
//! | Json | the value itself |
//! | sequences | array |
//! | arrays | `{"shape":[…],"elements":[…]}` |

use pathway_io::Encoder;
use pathway_types::{Batch, DType, Schema, Timestamp};

use crate::formats::lanes::{Cells, Lane, write_base64, write_json_string, write_json_value, write_pointer};
use crate::formats::{datetime, number};

/// Writes changes as JSON objects, one per line.
#[derive(Clone, Debug)]
pub struct JsonEncoder {
    dtypes: Vec<DType>,
    /// What precedes each column's value: `{"a":`, `,"b":`.
    keys: Vec<Box<[u8]>>,
}

impl JsonEncoder {
    /// An encoder for rows of `schema`.
    pub fn new(schema: &Schema) -> Self {
        let keys = schema.names().enumerate().map(|(i, name)| {
            let mut key = vec![if i == 0 { b'{' } else { b',' }];
            write_json_string(name, &mut key);
            key.push(b':');
            key.into()
        });
        JsonEncoder { dtypes: schema.dtypes(), keys: keys.collect() }
    }
}

impl JsonEncoder {
    /// Appends the objects of all rows, each with the line end behind it; `row_ends` gets where each ends.
    #[inline]
    pub(crate) fn encode_rows(
        &self,
        batch: &Batch,
        time: Timestamp,
        out: &mut Vec<u8>,
        mut row_ends: impl FnMut(usize),
    ) {
        let lanes = Lane::all(batch, &self.dtypes);
        let before_diff: &[u8] = if self.keys.is_empty() { b"{\"diff\":" } else { b",\"diff\":" };
        let mut end_of_row = b",\"time\":".to_vec();
        number::write_unsigned(time, &mut end_of_row);
        end_of_row.extend_from_slice(b"}\n");
        let keys: usize = self.keys.iter().map(|key| key.len()).sum();
        out.reserve(batch.len() * (12 * lanes.len() + keys + end_of_row.len() + 12));
        for row in 0..batch.len() {
            for (lane, key) in lanes.iter().zip(&self.keys) {
                out.extend_from_slice(key);
                write_cell(lane, row, out);
            }
            out.extend_from_slice(before_diff);
            number::write_int(batch.diffs.get(row), out);
            out.extend_from_slice(&end_of_row);
            row_ends(out.len());
        }
    }
}

impl Encoder for JsonEncoder {
    fn encode(&self, batch: &Batch, time: Timestamp, out: &mut Vec<u8>) {
        self.encode_rows(batch, time, out, |_| {});
    }
}

#[inline]
fn write_cell(lane: &Lane<'_>, row: usize, out: &mut Vec<u8>) {
    if lane.is_none(row) {
        return out.extend_from_slice(b"null");
    }
    match &lane.cells {
        Cells::Bool(cells) => out.extend_from_slice(if cells.value(row) { b"true" } else { b"false" }),
        Cells::Int(cells) | Cells::Duration(cells) => number::write_int(cells[row], out),
        Cells::Float(cells) => number::write_json_float(cells[row], out),
        Cells::Str(cells) => write_json_string(cells.value(row), out),
        Cells::Json(cells) => out.extend_from_slice(cells.value(row).as_bytes()),
        Cells::Bytes(cells) => in_quotes(out, |out| write_base64(cells.value(row), out)),
        Cells::DateTimeNaive(cells) => in_quotes(out, |out| datetime::write_naive(cells[row], out)),
        Cells::DateTimeUtc(cells) => in_quotes(out, |out| datetime::write_utc(cells[row], out)),
        Cells::Pointer(cells) => in_quotes(out, |out| write_pointer(cells[row], out)),
        Cells::Values(cells) => write_json_value(&cells.value(row), out),
    }
}

#[inline]
fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

#[cfg(test)]
mod tests;
