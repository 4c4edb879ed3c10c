//! Cells in the binary form that PostgreSQL copies.
//!
//! | dtype | column that is made | also |
//! |---|---|---|
//! | BOOL | boolean | |
//! | INT | bigint | smallint, integer |
//! | FLOAT | double precision | real |
//! | STR | text | varchar, char, name, enums, uuid; inet, cidr, macaddr, geometry, geography by a cast |
//! | BYTES, PyObjectWrapper | bytea | |
//! | naive / UTC datetime | timestamp (also date) / timestamptz | |
//! | DURATION | bigint, microseconds | interval, time |
//! | Json | jsonb | json |
//! | pointer | text | varchar |
//! | List, Tuple of one type | array | arrays of narrower elements |
//! | Array | array (`bigint[]`, `double precision[]`) | pgvector's vector, halfvec |

use pathway_types::{DType, Key, Value};

use super::catalog::PgType;
use crate::formats::lanes::{Cells, Lane};

/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
pub(super) const EPOCH_US: i64 = 946_684_800_000_000;
const DAY_US: i64 = 86_400_000_000;

/// How the cells of a column are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Encoding {
    Bool,
    /// Of so many bytes.
    Int(u8),
    Float(u8),
    /// Text, JSON, pointers.
    Text,
    /// JSON with a number of a version in front.
    Jsonb,
    Uuid,
    Bytes,
    /// Microseconds since 2000, of datetimes.
    Timestamp,
    /// Days since 2000.
    Date,
    /// Microseconds.
    DurationUs,
    Interval,
    TimeOfDay,
    /// Of elements of a type with this oid.
    Array(Box<Encoding>, u32),
    /// Of single or half precision.
    Vector(u8),
    /// Text that the server converts to the type of the column, of this name.
    Cast(String),
}

/// What a column for this dtype is declared as; none if there is no such type.
pub(super) fn declared(dtype: &DType) -> Option<String> {
    let text = match dtype.unoptional() {
        DType::Bool => "BOOLEAN",
        DType::Int | DType::Duration => "BIGINT",
        DType::Float => "DOUBLE PRECISION",
        DType::Str | DType::Pointer(_) => "TEXT",
        DType::Bytes | DType::PyObject(_) => "BYTEA",
        DType::DateTimeNaive => "TIMESTAMP",
        DType::DateTimeUtc => "TIMESTAMPTZ",
        DType::Json => "JSONB",
        DType::Array { element, .. } => match **element {
            DType::Int => "BIGINT[]",
            _ => "DOUBLE PRECISION[]",
        },
        sequence => {
            let element = declared(&member(sequence)?)?;
            // Arrays of arrays are arrays of more dimensions, of the same type.
            return Some(format!("{}[]", element.trim_end_matches("[]")));
        }
    };
    Some(text.to_owned())
}

/// The one type of the members of a sequence.
fn member(dtype: &DType) -> Option<DType> {
    match dtype {
        DType::List(member) => Some((**member).clone()),
        DType::Tuple(members) => {
            let first = members.first()?;
            let same = members.iter().all(|member| member.unoptional() == first.unoptional());
            let optional = members.iter().any(DType::is_optional);
            let first = first.unoptional().clone();
            same.then(|| if optional { DType::optional(first) } else { first })
        }
        _ => None,
    }
}

/// How cells of a dtype are written to a column of a type; none if they cannot be.
pub(super) fn encoding(dtype: &DType, kind: &PgType) -> Option<Encoding> {
    match &kind.element {
        None => scalar(dtype, &kind.name, &kind.shown, kind.is_enum),
        Some((oid, name)) => {
            let mut inner = dtype.unoptional().clone();
            if let DType::Array { element, .. } = &inner {
                let element = if **element == DType::Any { DType::Float } else { (**element).clone() };
                return Some(Encoding::Array(Box::new(scalar(&element, name, name, false)?), *oid));
            }
            inner = member(&inner)?;
            while let Some(deeper) = member(inner.unoptional()) {
                inner = deeper;
            }
            match scalar(&inner, name, name, false)? {
                Encoding::Cast(_) => None,
                element => Some(Encoding::Array(Box::new(element), *oid)),
            }
        }
    }
}

fn scalar(dtype: &DType, name: &str, shown: &str, is_enum: bool) -> Option<Encoding> {
    Some(match (dtype.unoptional(), name) {
        (DType::Bool, "bool") => Encoding::Bool,
        (DType::Int, "int8") => Encoding::Int(8),
        (DType::Int, "int4") => Encoding::Int(4),
        (DType::Int, "int2") => Encoding::Int(2),
        (DType::Float, "float8") => Encoding::Float(8),
        (DType::Float, "float4") => Encoding::Float(4),
        (DType::Str, "text" | "varchar" | "bpchar" | "name" | "citext") => Encoding::Text,
        (DType::Str, _) if is_enum => Encoding::Text,
        (DType::Str, "uuid") => Encoding::Uuid,
        (DType::Str, "inet" | "cidr" | "macaddr" | "geometry" | "geography") => {
            Encoding::Cast(shown.to_owned())
        }
        (DType::Pointer(_), "text" | "varchar") => Encoding::Text,
        (DType::Bytes | DType::PyObject(_), "bytea") => Encoding::Bytes,
        (DType::DateTimeNaive, "timestamp") | (DType::DateTimeUtc, "timestamptz") => Encoding::Timestamp,
        (DType::DateTimeNaive, "date") => Encoding::Date,
        (DType::Duration, "int8") => Encoding::DurationUs,
        (DType::Duration, "interval") => Encoding::Interval,
        (DType::Duration, "time") => Encoding::TimeOfDay,
        (DType::Json, "jsonb") => Encoding::Jsonb,
        (DType::Json, "json") => Encoding::Text,
        (DType::Array { element, .. }, "vector" | "halfvec") if **element != DType::Int => {
            Encoding::Vector(if name == "vector" { 4 } else { 2 })
        }
        (DType::List(member), "vector" | "halfvec") if **member == DType::Float => {
            Encoding::Vector(if name == "vector" { 4 } else { 2 })
        }
        _ => return None,
    })
}

/// Appends a field: its length, then its bytes.
fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What a field without a value has for a length.
const NULL: [u8; 4] = (-1i32).to_be_bytes();

fn int(value: i64, width: u8, out: &mut Vec<u8>) -> Result<(), String> {
    let outside = |name: &str| format!("{value} is outside the range of {name}");
    match width {
        8 => field(out, &value.to_be_bytes()),
        4 => field(out, &i32::try_from(value).map_err(|_| outside("integer"))?.to_be_bytes()),
        _ => field(out, &i16::try_from(value).map_err(|_| outside("smallint"))?.to_be_bytes()),
    }
    Ok(())
}

fn float(value: f64, width: u8, out: &mut Vec<u8>) -> Result<(), String> {
    if width == 8 {
        field(out, &value.to_be_bytes());
        return Ok(());
    }
    let narrow = value as f32;
    if narrow.is_infinite() && value.is_finite() {
        return Err(format!("{value} is outside the range of real"));
    }
    field(out, &narrow.to_be_bytes());
    Ok(())
}

fn text(value: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    if memchr::memchr(0, value).is_some() {
        return Err("the text has a NUL character, which PostgreSQL cannot store".to_owned());
    }
    field(out, value);
    Ok(())
}

fn json(value: &str, encoding: &Encoding, out: &mut Vec<u8>) -> Result<(), String> {
    if *encoding == Encoding::Jsonb {
        out.extend_from_slice(&(value.len() as u32 + 1).to_be_bytes());
        out.push(1);
        out.extend_from_slice(value.as_bytes());
        return Ok(());
    }
    text(value.as_bytes(), out)
}

fn datetime(nanos: i64, encoding: &Encoding, out: &mut Vec<u8>) {
    let micros = nanos.div_euclid(1000) - EPOCH_US;
    match encoding {
        Encoding::Date => field(out, &(micros.div_euclid(DAY_US) as i32).to_be_bytes()),
        _ => field(out, &micros.to_be_bytes()),
    }
}

fn duration(nanos: i64, encoding: &Encoding, out: &mut Vec<u8>) -> Result<(), String> {
    let micros = nanos / 1000;
    match encoding {
        Encoding::Interval => {
            out.extend_from_slice(&16u32.to_be_bytes());
            out.extend_from_slice(&micros.to_be_bytes());
            // Days and months are none.
            out.extend_from_slice(&[0; 8]);
        }
        Encoding::TimeOfDay if !(0..=DAY_US).contains(&micros) => {
            return Err(format!("a duration of {micros} µs is no time of a day"));
        }
        _ => field(out, &micros.to_be_bytes()),
    }
    Ok(())
}

fn uuid(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let mut value: u128 = 0;
    let mut digits = 0;
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    for c in inner.chars().filter(|c| *c != '-') {
        let digit = c.to_digit(16).filter(|_| digits < 32);
        value = value << 4 | u128::from(digit.ok_or_else(|| format!("{text:?} is no UUID"))?);
        digits += 1;
    }
    if digits != 32 {
        return Err(format!("{text:?} is no UUID"));
    }
    field(out, &value.to_be_bytes());
    Ok(())
}

impl Encoding {
    /// Appends a cell.
    #[inline]
    pub(super) fn write(&self, lane: &Lane<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if lane.is_none(row) {
            out.extend_from_slice(&NULL);
            return Ok(());
        }
        match (&lane.cells, self) {
            (Cells::Int(cells), Encoding::Int(width)) => return int(cells[row], *width, out),
            (Cells::Float(cells), Encoding::Float(width)) => return float(cells[row], *width, out),
            (Cells::Bool(cells), _) => field(out, &[u8::from(cells.value(row))]),
            (Cells::Str(cells), Encoding::Uuid) => return uuid(cells.value(row), out),
            (Cells::Str(cells), _) => return text(cells.value(row).as_bytes(), out),
            (Cells::Json(cells), _) => return json(cells.value(row), self, out),
            (Cells::Bytes(cells), _) => field(out, cells.value(row)),
            (Cells::DateTimeNaive(cells) | Cells::DateTimeUtc(cells), _) => datetime(cells[row], self, out),
            (Cells::Duration(cells), _) => return duration(cells[row], self, out),
            (Cells::Pointer(cells), _) => field(out, Key(cells[row] as u128).to_string().as_bytes()),
            (Cells::Values(view), _) => return self.write_value(&view.value(row), out),
            _ => return Err("its type does not fit".to_owned()),
        }
        Ok(())
    }

    /// Appends a value.
    pub(super) fn write_value(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match (value, self) {
            (Value::None, _) => out.extend_from_slice(&NULL),
            (Value::Bool(v), Encoding::Bool) => field(out, &[u8::from(*v)]),
            (Value::Int(v), Encoding::Int(width)) => return int(*v, *width, out),
            (Value::Int(v), Encoding::Float(width)) => return float(*v as f64, *width, out),
            (Value::Float(v), Encoding::Float(width)) => return float(*v, *width, out),
            (Value::Str(v), Encoding::Uuid) => return uuid(v, out),
            (Value::Str(v), Encoding::Text | Encoding::Cast(_)) => return text(v.as_bytes(), out),
            (Value::Json(v), Encoding::Text | Encoding::Jsonb) => return json(v.as_str(), self, out),
            (Value::Pointer(v), Encoding::Text) => field(out, v.to_string().as_bytes()),
            (Value::Bytes(v), Encoding::Bytes) => field(out, v),
            (Value::PyObject(v), Encoding::Bytes) => field(out, v.bytes()),
            (Value::DateTimeNaive(v) | Value::DateTimeUtc(v), Encoding::Timestamp | Encoding::Date) => {
                datetime(*v, self, out);
            }
            (Value::Duration(v), Encoding::DurationUs | Encoding::Interval | Encoding::TimeOfDay) => {
                return duration(*v, self, out);
            }
            (value, Encoding::Array(element, oid)) => return array(value, element, *oid, out),
            (value, Encoding::Vector(width)) => return vector(value, *width, out),
            (value, _) => return Err(format!("{value} does not fit its type")),
        }
        Ok(())
    }
}

/// Appends an array of any number of dimensions.
fn array(value: &Value, element: &Encoding, oid: u32, out: &mut Vec<u8>) -> Result<(), String> {
    let mut shape = Vec::new();
    let mut elements = Vec::new();
    match value {
        Value::IntArray(array) => {
            shape.extend_from_slice(array.shape());
            elements.extend(array.elements().iter().copied().map(Value::Int));
        }
        Value::FloatArray(array) => {
            shape.extend_from_slice(array.shape());
            elements.extend(array.elements().iter().copied().map(Value::Float));
        }
        Value::Tuple(_) => {
            shape = shape_of(value);
            flatten(value, &shape, &mut elements)?;
        }
        other => return Err(format!("{other} is no array")),
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let int = |number: usize, out: &mut Vec<u8>| out.extend_from_slice(&(number as u32).to_be_bytes());
    // An array without elements has no dimensions.
    let dimensions: &[usize] = if elements.is_empty() { &[] } else { &shape };
    int(dimensions.len(), out);
    int(usize::from(elements.iter().any(Value::is_none)), out);
    out.extend_from_slice(&oid.to_be_bytes());
    for dimension in dimensions {
        int(*dimension, out);
        int(1, out);
    }
    for value in &elements {
        element.write_value(value, out)?;
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// The lengths of nested sequences, along their first members.
fn shape_of(value: &Value) -> Vec<usize> {
    let mut shape = Vec::new();
    let mut value = value;
    while let Value::Tuple(members) = value {
        shape.push(members.len());
        match members.first() {
            Some(first) => value = first,
            None => break,
        }
    }
    shape
}

fn flatten(value: &Value, shape: &[usize], elements: &mut Vec<Value>) -> Result<(), String> {
    match (value, shape.split_first()) {
        (Value::Tuple(members), Some((length, rest))) if members.len() == *length => {
            members.iter().try_for_each(|member| flatten(member, rest, elements))
        }
        (Value::Tuple(_), _) | (_, Some(_)) => {
            Err("its members have different lengths, which an array cannot have".to_owned())
        }
        (value, None) => {
            elements.push(value.clone());
            Ok(())
        }
    }
}

/// Appends a vector of pgvector: its length, a zero, its elements.
fn vector(value: &Value, width: u8, out: &mut Vec<u8>) -> Result<(), String> {
    let elements: Vec<f64> = match value {
        Value::FloatArray(array) if array.shape().len() == 1 => array.elements().to_vec(),
        Value::IntArray(array) if array.shape().len() == 1 => {
            array.elements().iter().map(|v| *v as f64).collect()
        }
        Value::Tuple(members) => {
            let number = |member: &Value| match member {
                Value::Float(v) => Some(*v),
                Value::Int(v) => Some(*v as f64),
                _ => None,
            };
            let numbers: Option<_> = members.iter().map(number).collect();
            numbers.ok_or_else(|| "a vector has numbers only".to_owned())?
        }
        _ => return Err("a vector has one dimension".to_owned()),
    };
    let length = u16::try_from(elements.len()).map_err(|_| "a vector is that long never".to_owned())?;
    out.extend_from_slice(&(4 + u32::from(width) * u32::from(length)).to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    for element in elements {
        match width {
            4 => out.extend_from_slice(&(element as f32).to_be_bytes()),
            _ => out.extend_from_slice(&half(element as f32).to_be_bytes()),
        }
    }
    Ok(())
}

/// The bits of the nearest number of half precision; ties go to the even one.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let exponent = (bits >> 23 & 0xFF) as i32 - 127;
    let fraction = bits & 0x007F_FFFF;
    if exponent == 128 {
        return sign | 0x7C00 | if fraction == 0 { 0 } else { 0x0200 };
    }
    if exponent > 15 {
        return sign | 0x7C00;
    }
    // Below 2^-14 the numbers are multiples of 2^-24.
    let shift = if exponent >= -14 { 13 } else { (13 + (-14 - exponent)).min(30) as u32 };
    let significand = fraction | 0x0080_0000;
    let kept = if shift > 24 { 0 } else { significand >> shift };
    let rest = significand & ((1 << shift) - 1);
    let middle = 1 << (shift - 1);
    let up = u32::from(rest > middle || rest == middle && kept & 1 == 1);
    let rounded = if exponent >= -14 {
        // The leading bit counts one into the exponent.
        (((exponent + 14) as u32) << 10) + kept + up
    } else {
        kept + up
    };
    sign | rounded as u16
}

#[cfg(test)]
mod tests;
