//! The rows of a table as they are: copied as text, taken apart on parser threads.

use std::sync::Arc;

use pathway_io::{CLEAR, ParseJob, Parsed, SourceOutput};
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, Column, DType};
use postgres_protocol::escape::escape_identifier;

use super::catalog::TableName;
use super::client::Client;
use super::source::Break;
use crate::formats::{Layout, Origin, RowBuilder};

/// Bytes that are handed over at once.
const CHUNK: usize = 1 << 20;

/// The statement that copies the columns of a layout.
pub(super) fn copy_statement(table: &TableName, layout: &Layout, filter: Option<&str>) -> String {
    let columns: Vec<String> = layout.fields().iter().map(|field| escape_identifier(&field.name)).collect();
    let filter = filter.map(|filter| format!(" WHERE {filter}")).unwrap_or_default();
    format!("COPY (SELECT {} FROM {}{filter}) TO STDOUT", columns.join(", "), table.quoted())
}

/// Hands over all rows of a copy.
pub(super) fn scan(
    client: &mut Client,
    statement: &str,
    layout: &Arc<Layout>,
    origin: &Origin,
    output: &mut dyn SourceOutput,
) -> Result<u64, Break> {
    client.copy_out(statement)?;
    let mut rows = 0;
    loop {
        let mut bytes = Vec::with_capacity(CHUNK + 8192);
        let goes_on = client.copied(&mut bytes, CHUNK)?;
        let count = memchr::memchr_iter(b'\n', &bytes).count();
        if count > 0 {
            output.parse(job(bytes, count, rows, layout.clone(), origin.clone()))?;
            rows += count as u64;
        }
        if !goes_on {
            return Ok(rows);
        }
    }
}

/// Removes all rows: a record for each shard of keys.
pub(super) fn cleared(layout: &Layout) -> Parsed {
    let keys: Vec<u128> = (0..=SHARD_MASK).collect();
    let dtypes: Vec<&DType> = layout.output().iter().map(|field| &layout.fields()[*field].dtype).collect();
    let columns = dtypes.into_iter().map(|dtype| Column::nulls(dtype, keys.len())).collect();
    let diffs = vec![CLEAR; keys.len()].into();
    Parsed { batch: Batch::new(keys.into(), columns, diffs), ..Parsed::default() }
}

/// The work that makes rows of copied text.
fn job(bytes: Vec<u8>, count: usize, first: u64, layout: Arc<Layout>, origin: Origin) -> ParseJob {
    Box::new(move || parse(&bytes, count, first, &layout, &origin))
}

fn parse(bytes: &[u8], count: usize, first: u64, layout: &Arc<Layout>, origin: &Origin) -> Parsed {
    let mut rows = RowBuilder::new(layout, origin, first, count, bytes.len());
    // The server was told to send UTF-8; a row that is something else is no row.
    let valid = simdutf8::basic::from_utf8(bytes).is_ok();
    let fields = layout.fields().len();
    let mut scratch = Vec::new();
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if !valid && std::str::from_utf8(line).is_err() {
            rows.reject(line, "the row is not UTF-8");
            continue;
        }
        let mut left = Some(line);
        for field in 0..fields {
            let cell = match left {
                Some(text) => match memchr::memchr(b'\t', text) {
                    Some(at) => {
                        left = Some(&text[at + 1..]);
                        &text[..at]
                    }
                    None => {
                        left = None;
                        text
                    }
                },
                None => b"\\N",
            };
            let cell = match cell {
                b"\\N" => None,
                text if memchr::memchr(b'\\', text).is_some() => {
                    scratch.clear();
                    unescape(text, &mut scratch);
                    Some(scratch.as_slice())
                }
                text => Some(text),
            };
            if let Err(why) = rows.cells[field].push_pg(cell) {
                rows.fault(field, why, line);
            }
        }
        rows.end_row();
    }
    rows.finish()
}

/// Appends text without the escapes of a copy.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.extend(bytes.next().map(|escaped| match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => *other,
        }));
    }
}

/// Why columns of a table cannot be read as they are declared, if they cannot.
pub(super) fn misread(dtype: &DType, kind: &super::catalog::PgType) -> Option<String> {
    let is_vector = matches!(kind.name.as_str(), "vector" | "halfvec");
    let fits = match (dtype.unoptional(), &kind.element) {
        // Every value has a text.
        (DType::Str | DType::Any, _) => true,
        (DType::List(_) | DType::Tuple(_) | DType::Array { .. }, None) => is_vector,
        (DType::List(_) | DType::Tuple(_) | DType::Array { .. }, Some(_)) => true,
        (_, Some(_)) => false,
        (dtype, None) => {
            let names: &[&str] = match dtype {
                DType::Int => &["int2", "int4", "int8", "numeric", "oid"],
                DType::Float => &["int2", "int4", "int8", "numeric", "float4", "float8"],
                DType::Bool => &["bool"],
                DType::Bytes | DType::PyObject(_) => &["bytea"],
                DType::DateTimeNaive => &["timestamp", "date"],
                DType::DateTimeUtc => &["timestamptz"],
                DType::Duration => &["int2", "int4", "int8", "interval", "time"],
                DType::Json => &["json", "jsonb"],
                DType::Pointer(_) => &["text", "varchar", "bpchar"],
                _ => &[],
            };
            names.contains(&kind.name.as_str())
        }
    };
    (!fits).then(|| format!("has the type {} in the table, which is not read as {dtype}", kind.shown))
}

#[cfg(test)]
mod tests;
