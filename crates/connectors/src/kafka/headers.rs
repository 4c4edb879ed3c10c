//! Headers of messages from rows: the time, the sign of the change, and what the user adds.

use pathway_types::{Batch, DType, Timestamp, Value, text};
use rdkafka::message::{Header, OwnedHeaders};

use crate::formats::lanes::{Cells, Lane, write_base64, write_json_value, write_pointer};
use crate::formats::{datetime, number};

/// The headers that every message has.
pub(super) const TIME: &str = "pathway_time";
pub(super) const DIFF: &str = "pathway_diff";

/// The headers of the rows of a batch.
pub(super) struct HeaderLanes<'a> {
    time: String,
    lanes: Vec<(&'a str, Lane<'a>)>,
}

impl<'a> HeaderLanes<'a> {
    pub(super) fn new(
        headers: &'a [(String, usize)],
        batch: &'a Batch,
        dtypes: &[DType],
        time: Timestamp,
    ) -> Self {
        let lane = |column: usize| Lane::new(&batch.columns[column], &dtypes[column]);
        HeaderLanes {
            time: time.to_string(),
            lanes: headers.iter().map(|(name, column)| (&**name, lane(*column))).collect(),
        }
    }

    /// Those of a row.
    pub(super) fn row(&self, row: usize, diff: i64, keep: &mut Vec<u8>) -> OwnedHeaders {
        let mut headers = OwnedHeaders::new_with_capacity(self.lanes.len() + 2)
            .insert(Header { key: TIME, value: Some(self.time.as_bytes()) })
            .insert(Header { key: DIFF, value: Some(if diff < 0 { &b"-1"[..] } else { b"1" }) });
        for (name, lane) in &self.lanes {
            keep.clear();
            let value = write_header(lane, row, keep).then_some(&keep[..]);
            headers = headers.insert(Header { key: name, value });
        }
        headers
    }
}

/// Appends the value of a header; false if it has none.
fn write_header(lane: &Lane<'_>, row: usize, out: &mut Vec<u8>) -> bool {
    if lane.is_none(row) {
        return false;
    }
    match &lane.cells {
        Cells::Bool(cells) => write_bool(cells.value(row), out),
        Cells::Int(cells) => number::write_int(cells[row], out),
        Cells::Float(cells) => number::write_float(cells[row], out),
        Cells::Str(cells) | Cells::Json(cells) => out.extend_from_slice(cells.value(row).as_bytes()),
        Cells::Bytes(cells) => out.extend_from_slice(cells.value(row)),
        Cells::DateTimeNaive(cells) => datetime::write_naive(cells[row], out),
        Cells::DateTimeUtc(cells) => datetime::write_utc(cells[row], out),
        Cells::Duration(cells) => write_duration(cells[row], out),
        Cells::Pointer(cells) => write_pointer(cells[row], out),
        Cells::Values(cells) => match cells.value(row) {
            Value::None | Value::Pending | Value::Error => return false,
            Value::Str(text) => out.extend_from_slice(text.as_bytes()),
            Value::Bytes(bytes) => out.extend_from_slice(&bytes),
            other => write_value(&other, out),
        },
    }
    true
}

/// Appends a value of a column that is not stored by kind, or a member of a tuple.
fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::None => out.extend_from_slice(b"None"),
        Value::Bool(value) => write_bool(*value, out),
        Value::Float(value) => number::write_float(*value, out),
        Value::Pointer(key) => write_pointer(key.0 as i128, out),
        Value::DateTimeNaive(value) => datetime::write_naive(*value, out),
        Value::DateTimeUtc(value) => datetime::write_utc(*value, out),
        Value::Duration(value) => write_duration(*value, out),
        Value::PyObject(object) => write_base64(object.bytes(), out),
        Value::Tuple(members) => {
            out.push(b'(');
            for (place, member) in members.iter().enumerate() {
                out.extend_from_slice(if place == 0 { b"" } else { b", " });
                write_value(member, out);
            }
            out.push(b')');
        }
        other => write_json_value(other, out),
    }
}

fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"True" } else { b"False" });
}

/// Appends days, hours, minutes, seconds and nanoseconds, those that are not 0: `1h 30m`, `-1s -500ns`.
fn write_duration(nanos: i64, out: &mut Vec<u8>) {
    let mut duration = String::new();
    text::write_duration(&mut duration, nanos);
    out.extend_from_slice(duration.as_bytes());
}
