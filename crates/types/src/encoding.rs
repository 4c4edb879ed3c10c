//! An order-preserving binary encoding of values, the layout of dynamically typed columns.
//!
//! Comparing two encodings byte by byte gives the order of [`Value`]. One rank byte (see the order
//! of the variants), then: integers big-endian with the sign bit flipped; floats as their bits,
//! flipped to sort; text and bytes with `00` escaped as `00 FF` and ended by `00 00`; tuples as
//! `01 member` per member, ended by `00`; arrays as their shape, then their elements.

use std::sync::Arc;

use crate::json::JsonText;
use crate::key::Key;
use crate::ndarray::NdArray;
use crate::value::{PyObject, Value};

mod rank {
    pub(super) const NONE: u8 = 0x10;
    pub(super) const FALSE: u8 = 0x20;
    pub(super) const TRUE: u8 = 0x21;
    pub(super) const INT: u8 = 0x30;
    pub(super) const FLOAT: u8 = 0x40;
    pub(super) const POINTER: u8 = 0x50;
    pub(super) const STR: u8 = 0x60;
    pub(super) const BYTES: u8 = 0x70;
    pub(super) const TUPLE: u8 = 0x80;
    pub(super) const INT_ARRAY: u8 = 0x90;
    pub(super) const FLOAT_ARRAY: u8 = 0xA0;
    pub(super) const DATE_TIME_NAIVE: u8 = 0xB0;
    pub(super) const DATE_TIME_UTC: u8 = 0xC0;
    pub(super) const DURATION: u8 = 0xD0;
    pub(super) const JSON: u8 = 0xE0;
    pub(super) const PY_OBJECT: u8 = 0xE8;
    pub(super) const PENDING: u8 = 0xF0;
    pub(super) const ERROR: u8 = 0xF8;
}

/// The bytes are not an encoded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not an encoded value")]
pub struct DecodeError;

/// Appends the encoding of `value`.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::None => out.push(rank::NONE),
        Value::Bool(v) => out.push(if *v { rank::TRUE } else { rank::FALSE }),
        Value::Int(v) => encode_i64(rank::INT, *v, out),
        Value::Float(v) => {
            out.push(rank::FLOAT);
            encode_f64(*v, out);
        }
        Value::Pointer(v) => {
            out.push(rank::POINTER);
            out.extend_from_slice(&v.0.to_be_bytes());
        }
        Value::Str(v) => encode_bytes(rank::STR, v.as_bytes(), out),
        Value::Bytes(v) => encode_bytes(rank::BYTES, v, out),
        Value::Tuple(members) => {
            out.push(rank::TUPLE);
            for member in members.iter() {
                out.push(1);
                encode(member, out);
            }
            out.push(0);
        }
        Value::IntArray(array) => {
            encode_shape(rank::INT_ARRAY, array.shape(), out);
            for v in array.elements() {
                out.extend_from_slice(&((*v as u64) ^ (1 << 63)).to_be_bytes());
            }
        }
        Value::FloatArray(array) => {
            encode_shape(rank::FLOAT_ARRAY, array.shape(), out);
            for v in array.elements() {
                encode_f64(*v, out);
            }
        }
        Value::DateTimeNaive(v) => encode_i64(rank::DATE_TIME_NAIVE, *v, out),
        Value::DateTimeUtc(v) => encode_i64(rank::DATE_TIME_UTC, *v, out),
        Value::Duration(v) => encode_i64(rank::DURATION, *v, out),
        Value::Json(v) => encode_bytes(rank::JSON, v.as_str().as_bytes(), out),
        Value::PyObject(v) => encode_bytes(rank::PY_OBJECT, v.bytes(), out),
        Value::Pending => out.push(rank::PENDING),
        Value::Error => out.push(rank::ERROR),
    }
}

fn encode_i64(rank: u8, value: i64, out: &mut Vec<u8>) {
    out.push(rank);
    out.extend_from_slice(&((value as u64) ^ (1 << 63)).to_be_bytes());
}

fn encode_f64(value: f64, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { u64::MAX >> 1 } else { (value + 0.0).to_bits() };
    let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn encode_bytes(rank: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(rank);
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn encode_shape(rank: u8, shape: &[usize], out: &mut Vec<u8>) {
    out.push(rank);
    for dim in shape {
        out.push(1);
        out.extend_from_slice(&(*dim as u64).to_be_bytes());
    }
    out.push(0);
}

/// Reads one encoded value that fills `bytes`.
///
/// # Errors
/// [`DecodeError`] if the bytes were not written by [`encode`].
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut input = bytes;
    let value = take_value(&mut input)?;
    if input.is_empty() { Ok(value) } else { Err(DecodeError) }
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (head, tail) = input.split_first_chunk::<N>().ok_or(DecodeError)?;
    *input = tail;
    Ok(*head)
}

fn take_i64(input: &mut &[u8]) -> Result<i64, DecodeError> {
    Ok((u64::from_be_bytes(take(input)?) ^ (1 << 63)) as i64)
}

fn take_f64(input: &mut &[u8]) -> Result<f64, DecodeError> {
    let ordered = u64::from_be_bytes(take(input)?);
    let bits = if ordered >> 63 == 1 { ordered ^ (1 << 63) } else { !ordered };
    Ok(f64::from_bits(bits))
}

fn take_bytes(input: &mut &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    loop {
        let [byte] = take(input)?;
        if byte != 0 {
            out.push(byte);
            continue;
        }
        match take(input)? {
            [0xFF] => out.push(0),
            [0] => return Ok(out),
            _ => return Err(DecodeError),
        }
    }
}

fn take_text(input: &mut &[u8]) -> Result<Arc<str>, DecodeError> {
    String::from_utf8(take_bytes(input)?).map(Arc::from).map_err(|_| DecodeError)
}

fn take_shape(input: &mut &[u8]) -> Result<Vec<usize>, DecodeError> {
    let mut shape = Vec::new();
    loop {
        match take(input)? {
            [0] => return Ok(shape),
            [1] => shape.push(u64::from_be_bytes(take(input)?) as usize),
            _ => return Err(DecodeError),
        }
    }
}

fn take_value(input: &mut &[u8]) -> Result<Value, DecodeError> {
    let [rank] = take(input)?;
    Ok(match rank {
        rank::NONE => Value::None,
        rank::FALSE => Value::Bool(false),
        rank::TRUE => Value::Bool(true),
        rank::INT => Value::Int(take_i64(input)?),
        rank::FLOAT => Value::Float(take_f64(input)?),
        rank::POINTER => Value::Pointer(Key(u128::from_be_bytes(take(input)?))),
        rank::STR => Value::Str(take_text(input)?),
        rank::BYTES => Value::Bytes(take_bytes(input)?.into()),
        rank::TUPLE => {
            let mut members = Vec::new();
            loop {
                match take(input)? {
                    [0] => break Value::Tuple(members.into()),
                    [1] => members.push(take_value(input)?),
                    _ => return Err(DecodeError),
                }
            }
        }
        rank::INT_ARRAY => {
            let shape = take_shape(input)?;
            let len = shape.iter().product::<usize>();
            let elements = (0..len).map(|_| take_i64(input)).collect::<Result<Vec<_>, _>>()?;
            Value::IntArray(Arc::new(NdArray::new(shape, elements).ok_or(DecodeError)?))
        }
        rank::FLOAT_ARRAY => {
            let shape = take_shape(input)?;
            let len = shape.iter().product::<usize>();
            let elements = (0..len).map(|_| take_f64(input)).collect::<Result<Vec<_>, _>>()?;
            Value::FloatArray(Arc::new(NdArray::new(shape, elements).ok_or(DecodeError)?))
        }
        rank::DATE_TIME_NAIVE => Value::DateTimeNaive(take_i64(input)?),
        rank::DATE_TIME_UTC => Value::DateTimeUtc(take_i64(input)?),
        rank::DURATION => Value::Duration(take_i64(input)?),
        rank::JSON => Value::Json(JsonText::from_compact(take_text(input)?)),
        rank::PY_OBJECT => Value::PyObject(PyObject::new(take_bytes(input)?)),
        rank::PENDING => Value::Pending,
        rank::ERROR => Value::Error,
        _ => return Err(DecodeError),
    })
}

#[cfg(test)]
mod tests;
