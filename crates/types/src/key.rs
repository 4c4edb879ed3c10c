//! Row keys: 128-bit hashes of values, their encoding and their text form.
//!
//! A key is XXH3-128 (seed 0) over the concatenated encodings of the hashed values (one tag byte,
//! then little-endian contents). It is a pure function of the values: the same in every run,
//! process and thread count. The low 16 bits are the *shard*, which places a row on a worker;
//! operations with an instance take them from the instance's key.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;

use crate::{PyObject, Value};

/// The low bits of a key that choose the worker.
pub const SHARD_MASK: u128 = 0xFFFF;

/// The alphabet of Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A row id: a 128-bit unsigned integer, ordered as such.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Key(pub u128);

impl Key {
    /// The key of no values.
    pub const EMPTY: Key = Key(0x40108d33b7);

    /// The key of these values in this order. `None` if one of them cannot be hashed (an error).
    pub fn of(values: &[Value]) -> Option<Key> {
        let mut hasher = KeyHasher::default();
        for value in values {
            hasher.value(value).ok()?;
        }
        Some(hasher.finish())
    }

    /// The key of `values` followed by `instance`, placed on the worker of the instance.
    pub fn with_instance(values: &[Value], instance: &Value) -> Option<Key> {
        let mut hasher = KeyHasher::default();
        for value in values {
            hasher.value(value).ok()?;
        }
        hasher.value(instance).ok()?;
        let key = hasher.finish();
        Some(key.on_shard_of(Key::of(std::slice::from_ref(instance))?))
    }

    /// This key with its shard replaced by that of `other`.
    #[inline]
    pub fn on_shard_of(self, other: Key) -> Key {
        Key((self.0 & !SHARD_MASK) | (other.0 & SHARD_MASK))
    }

    /// The worker among `workers` that owns this key.
    #[inline]
    pub fn worker(self, workers: usize) -> usize {
        (self.0 & SHARD_MASK) as usize % workers
    }

    /// Parses the text form `^` + 26 characters.
    pub fn parse(text: &str) -> Option<Key> {
        let digits = text.strip_prefix('^')?.as_bytes();
        if digits.len() != 26 {
            return None;
        }
        let mut bytes = [0u8; 16];
        let (mut acc, mut bits, mut at) = (0u32, 0u32, 0usize);
        for digit in digits {
            let value = ALPHABET.iter().position(|c| c == digit)? as u32;
            acc = (acc << 5) | value;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                if at < 16 {
                    bytes[at] = (acc >> bits) as u8;
                    at += 1;
                }
                acc &= (1 << bits) - 1;
            }
        }
        (acc == 0).then_some(Key(u128::from_le_bytes(bytes)))
    }
}

impl fmt::Display for Key {
    /// `^` and the Crockford base 32 of the 16 little-endian bytes, 26 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'^'; 27];
        let (mut acc, mut bits, mut at) = (0u32, 0u32, 1usize);
        for byte in self.0.to_le_bytes() {
            acc = (acc << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text[at] = ALPHABET[(acc >> bits) as usize & 31];
                at += 1;
            }
            acc &= (1 << bits) - 1;
        }
        text[at] = ALPHABET[(acc << (5 - bits)) as usize & 31];
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The tag byte in front of each encoded value.
pub mod tag {
    #![allow(missing_docs)]
    pub const NONE: u8 = 0x00;
    pub const BOOL: u8 = 0x01;
    pub const INT: u8 = 0x02;
    pub const FLOAT: u8 = 0x03;
    pub const POINTER: u8 = 0x04;
    pub const STR: u8 = 0x05;
    pub const TUPLE: u8 = 0x06;
    pub const INT_ARRAY: u8 = 0x07;
    pub const FLOAT_ARRAY: u8 = 0x08;
    pub const DATE_TIME_NAIVE: u8 = 0x09;
    pub const DATE_TIME_UTC: u8 = 0x0A;
    pub const DURATION: u8 = 0x0B;
    pub const BYTES: u8 = 0x0C;
    pub const JSON: u8 = 0x0D;
    pub const PY_OBJECT: u8 = 0x0F;
}

/// The value cannot be part of a key: it is (or holds) an error or a pending result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unhashable;

/// Collects the encodings of values and hashes them to a [`Key`]. Reusable: [`KeyHasher::clear`].
#[derive(Clone, Debug, Default)]
pub struct KeyHasher {
    buffer: Vec<u8>,
}

impl KeyHasher {
    /// Forgets what was added.
    #[inline]
    pub fn clear(&mut self) {
        self.buffer.clear();
    }
    /// The key of what was added so far.
    #[inline]
    pub fn finish(&self) -> Key {
        if self.buffer.is_empty() { Key::EMPTY } else { Key(xxh3_128(&self.buffer)) }
    }
    /// Adds None.
    #[inline]
    pub fn none(&mut self) {
        self.buffer.push(tag::NONE);
    }
    /// Adds a boolean.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.buffer.extend_from_slice(&[tag::BOOL, u8::from(value)]);
    }
    /// Adds a 64-bit integer under `tag` (int, datetimes, duration).
    #[inline]
    pub fn i64(&mut self, tag: u8, value: i64) {
        self.buffer.push(tag);
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }
    /// Adds a float: `-0.0` as `0.0`, every NaN alike.
    #[inline]
    pub fn float(&mut self, value: f64) {
        self.buffer.push(tag::FLOAT);
        self.float_bits(value);
    }
    #[inline]
    fn float_bits(&mut self, value: f64) {
        let bits = if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
        self.buffer.extend_from_slice(&bits.to_le_bytes());
    }
    /// Adds a pointer.
    #[inline]
    pub fn pointer(&mut self, value: Key) {
        self.buffer.push(tag::POINTER);
        self.buffer.extend_from_slice(&value.0.to_le_bytes());
    }
    /// Adds length-prefixed bytes under `tag` (str, bytes, Json text, serialised object).
    #[inline]
    pub fn bytes(&mut self, tag: u8, value: &[u8]) {
        self.buffer.push(tag);
        self.buffer.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(value);
    }
    /// Adds a serialised object: what its serialiser gave, whichever serialiser that is.
    #[inline]
    pub fn py_object(&mut self, bytes: &[u8]) {
        let content = PyObject::split(bytes).map_or(bytes, |(_, content)| content);
        self.bytes(tag::PY_OBJECT, content);
    }
    /// Starts a tuple of `len` members, which are to be added next.
    #[inline]
    pub fn tuple(&mut self, len: usize) {
        self.buffer.push(tag::TUPLE);
        self.buffer.extend_from_slice(&(len as u64).to_le_bytes());
    }
    /// Adds any value.
    pub fn value(&mut self, value: &Value) -> Result<(), Unhashable> {
        match value {
            Value::None => self.none(),
            Value::Bool(v) => self.bool(*v),
            Value::Int(v) => self.i64(tag::INT, *v),
            Value::Float(v) => self.float(*v),
            Value::Pointer(v) => self.pointer(*v),
            Value::Str(v) => self.bytes(tag::STR, v.as_bytes()),
            Value::Bytes(v) => self.bytes(tag::BYTES, v),
            Value::Tuple(members) => {
                self.tuple(members.len());
                for member in members.iter() {
                    self.value(member)?;
                }
            }
            Value::IntArray(array) => {
                self.shape(tag::INT_ARRAY, array.shape());
                for v in array.elements() {
                    self.buffer.extend_from_slice(&v.to_le_bytes());
                }
            }
            Value::FloatArray(array) => {
                self.shape(tag::FLOAT_ARRAY, array.shape());
                for v in array.elements() {
                    self.float_bits(*v);
                }
            }
            Value::DateTimeNaive(v) => self.i64(tag::DATE_TIME_NAIVE, *v),
            Value::DateTimeUtc(v) => self.i64(tag::DATE_TIME_UTC, *v),
            Value::Duration(v) => self.i64(tag::DURATION, *v),
            Value::Json(v) => self.bytes(tag::JSON, v.as_str().as_bytes()),
            Value::PyObject(v) => self.py_object(v.bytes()),
            Value::Error | Value::Pending => return Err(Unhashable),
        }
        Ok(())
    }
    fn shape(&mut self, tag: u8, shape: &[usize]) {
        self.buffer.push(tag);
        self.buffer.extend_from_slice(&(shape.len() as u64).to_le_bytes());
        for dim in shape {
            self.buffer.extend_from_slice(&(*dim as u64).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
