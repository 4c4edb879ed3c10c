//! Records from rows: all columns in their order.
//!
//! | dtype | Avro |
//! |---|---|
//! | BOOL, INT, FLOAT, STR, BYTES | `boolean`, `long`, `double`, `string`, `bytes` |
//! | DateTimeNaive, DateTimeUtc | `local-timestamp-micros`, `timestamp-micros` |
//! | DURATION | `long`, of nanoseconds |
//! | Json | `string` that Debezium and Kafka Connect know as JSON |
//! | pointers, PyObjectWrapper | `string` as in CSV, `bytes` |
//! | Optional | union with `null`, which is the default |
//! | sequences of one type | `array` |
//! | arrays of one type | record of `shape` and `elements` |

use pathway_io::{ConnectorError, FailureClass};
use pathway_types::{Batch, DType, Schema, Value};
use serde_json::json;

use super::schema::JSON_NAME;
use crate::formats::invalid;
use crate::formats::lanes::{Cells, Lane, write_pointer};

/// Writes changes as records.
#[derive(Debug)]
pub(crate) struct AvroEncoder {
    dtypes: Vec<DType>,
    fields: serde_json::Value,
}

impl AvroEncoder {
    /// An encoder for rows of `schema`.
    ///
    /// # Errors
    /// If a column has a name or a type that Avro does not have.
    pub(crate) fn new(schema: &Schema) -> Result<Self, ConnectorError> {
        let mut described = Vec::new();
        let fields = schema.fields.iter().map(|field| {
            let named = |problem: String| invalid("avro", format!("column {:?}: {problem}", &*field.name));
            if !is_name(&field.name) {
                return Err(named("names in Avro consist of letters, digits and underscores".to_owned()));
            }
            let kind = describe(&field.dtype, &mut described).map_err(named)?;
            Ok(match &field.dtype {
                DType::Optional(_) => json!({"name": *field.name, "type": kind, "default": null}),
                _ => json!({"name": *field.name, "type": kind}),
            })
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?.into();
        Ok(AvroEncoder { dtypes: schema.dtypes(), fields })
    }

    /// The schema of the records, which get this name, as far as it is one.
    pub(crate) fn schema(&self, name: &str) -> String {
        let mut name: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !is_name(&name) {
            name.insert(0, '_');
        }
        json!({"type": "record", "name": name, "namespace": "pathway", "fields": self.fields}).to_string()
    }

    /// Appends the records of all rows, each with a byte behind it; `row_ends` gets where each ends.
    ///
    /// # Errors
    /// If a cell has no value of its column's type.
    pub(crate) fn encode_rows(
        &self,
        batch: &Batch,
        out: &mut Vec<u8>,
        mut row_ends: impl FnMut(usize),
    ) -> Result<(), ConnectorError> {
        let lanes = Lane::all(batch, &self.dtypes);
        for row in 0..batch.len() {
            for (lane, dtype) in lanes.iter().zip(&self.dtypes) {
                write_cell(lane, dtype, row, out)?;
            }
            out.push(0);
            row_ends(out.len());
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

/// The type of cells; `described` has the records that have been told already.
fn describe(dtype: &DType, described: &mut Vec<&'static str>) -> Result<serde_json::Value, String> {
    let refused = || format!("values of type {dtype} have no type in Avro: convert the column first");
    Ok(match dtype {
        DType::None => json!("null"),
        DType::Bool => json!("boolean"),
        DType::Int | DType::Duration => json!("long"),
        DType::Float => json!("double"),
        DType::Str | DType::Pointer(_) => json!("string"),
        DType::Bytes | DType::PyObject(_) => json!("bytes"),
        DType::DateTimeNaive => json!({"type": "long", "logicalType": "local-timestamp-micros"}),
        DType::DateTimeUtc => json!({"type": "long", "logicalType": "timestamp-micros"}),
        DType::Json => json!({"type": "string", "connect.name": JSON_NAME}),
        DType::Optional(inner) => json!(["null", describe(inner, described)?]),
        DType::List(inner) => json!({"type": "array", "items": describe(inner, described)?}),
        DType::Tuple(members) => match &**members {
            [] => json!({"type": "array", "items": "null"}),
            [first, others @ ..] if others.iter().all(|other| other == first) => {
                json!({"type": "array", "items": describe(first, described)?})
            }
            _ => return Err(refused()),
        },
        DType::Array { element, .. } => {
            let (name, items) = match &**element {
                DType::Int => ("IntArray", "long"),
                DType::Float => ("FloatArray", "double"),
                _ => return Err(refused()),
            };
            let full_name = format!("pathway.{name}");
            if described.contains(&name) {
                return Ok(full_name.into());
            }
            described.push(name);
            let list = |items: &str| json!({"type": "array", "items": items});
            let fields = json!([
                {"name": "shape", "type": list("long")},
                {"name": "elements", "type": list(items)},
            ]);
            json!({"type": "record", "name": full_name, "fields": fields})
        }
        DType::Any | DType::Future(_) | DType::Callable(..) => return Err(refused()),
    })
}

fn write_cell(lane: &Lane<'_>, dtype: &DType, row: usize, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
    if let Cells::Values(cells) = &lane.cells {
        return write_value(&cells.value(row), dtype, out);
    }
    if let DType::Optional(_) = dtype {
        // The branch of the union.
        write_long(i64::from(!lane.is_none(row)), out);
    }
    if lane.is_none(row) {
        return Ok(());
    }
    match &lane.cells {
        Cells::Bool(cells) => out.push(u8::from(cells.value(row))),
        Cells::Int(cells) | Cells::Duration(cells) => write_long(cells[row], out),
        Cells::Float(cells) => out.extend_from_slice(&cells[row].to_le_bytes()),
        Cells::Str(cells) | Cells::Json(cells) => write_bytes(cells.value(row).as_bytes(), out),
        Cells::Bytes(cells) => write_bytes(cells.value(row), out),
        Cells::DateTimeNaive(cells) | Cells::DateTimeUtc(cells) => {
            write_long(cells[row].div_euclid(1000), out);
        }
        Cells::Pointer(cells) => write_key(cells[row], out),
        Cells::Values(_) => {}
    }
    Ok(())
}

fn write_value(value: &Value, dtype: &DType, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
    match (value, dtype) {
        (Value::None, DType::None) => {}
        (Value::None, DType::Optional(_)) => write_long(0, out),
        (value, DType::Optional(inner)) => {
            write_long(1, out);
            write_value(value, inner, out)?;
        }
        (Value::Bool(v), DType::Bool) => out.push(u8::from(*v)),
        (Value::Int(v), DType::Int) | (Value::Duration(v), DType::Duration) => write_long(*v, out),
        (Value::Float(v), DType::Float) => out.extend_from_slice(&v.to_le_bytes()),
        (Value::Str(v), DType::Str) => write_bytes(v.as_bytes(), out),
        (Value::Json(v), DType::Json) => write_bytes(v.as_str().as_bytes(), out),
        (Value::Pointer(v), DType::Pointer(_)) => write_key(v.0 as i128, out),
        (Value::Bytes(v), DType::Bytes) => write_bytes(v, out),
        (Value::PyObject(v), DType::PyObject(_)) => write_bytes(v.bytes(), out),
        (Value::DateTimeNaive(v), DType::DateTimeNaive) | (Value::DateTimeUtc(v), DType::DateTimeUtc) => {
            write_long(v.div_euclid(1000), out);
        }
        (Value::Tuple(members), DType::List(inner)) => {
            write_list(members, out, |member, out| write_value(member, inner, out))?;
        }
        (Value::Tuple(members), DType::Tuple(dtypes)) => {
            let inner = dtypes.first().unwrap_or(&DType::None);
            write_list(members, out, |member, out| write_value(member, inner, out))?;
        }
        (Value::IntArray(array), DType::Array { .. }) => {
            write_shape(array.shape(), out);
            write_list(array.elements(), out, |v, out| {
                write_long(*v, out);
                Ok(())
            })?;
        }
        (Value::FloatArray(array), DType::Array { .. }) => {
            write_shape(array.shape(), out);
            write_list(array.elements(), out, |v, out| {
                out.extend_from_slice(&v.to_le_bytes());
                Ok(())
            })?;
        }
        (value, dtype) => {
            let message = format!("a row has {value:?} in a column of type {dtype}");
            return Err(ConnectorError::new("avro", FailureClass::Value, message));
        }
    }
    Ok(())
}

/// The items in one block, and the end.
fn write_list<T>(
    items: &[T],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), ConnectorError>,
) -> Result<(), ConnectorError> {
    if !items.is_empty() {
        write_long(items.len() as i64, out);
        items.iter().try_for_each(|item| write(item, out))?;
    }
    write_long(0, out);
    Ok(())
}

fn write_shape(shape: &[usize], out: &mut Vec<u8>) {
    if !shape.is_empty() {
        write_long(shape.len() as i64, out);
        shape.iter().for_each(|length| write_long(*length as i64, out));
    }
    write_long(0, out);
}

/// Seven bits in a byte, the last ones first, zigzag.
fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left > 0x7F {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

fn write_key(bits: i128, out: &mut Vec<u8>) {
    let mut text = Vec::new();
    write_pointer(bits, &mut text);
    write_bytes(&text, out);
}
