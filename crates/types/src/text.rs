//! Text forms of values: what `to_string` gives, and the plain form of floats that casts and text
//! formats use.
//!
//! Everything appends to a `String`, so that a column of text can be written in one buffer.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike};
use ndarray::{ArrayViewD, IxDyn};

use crate::{Key, NdArray, Value};

/// Appends formatted text; appending to a `String` cannot fail.
macro_rules! append {
    ($out:expr, $($arguments:tt)*) => {{
        let _ = write!($out, $($arguments)*);
    }};
}

/// The text form of any value.
///
/// `nested` values stand inside a tuple, where text is quoted.
fn write_any(out: &mut String, value: &Value, nested: bool) {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(v) => out.push_str(if *v { "True" } else { "False" }),
        Value::Int(v) => write_int(out, *v),
        Value::Float(v) => write_float(out, *v),
        Value::Pointer(v) => write_pointer(out, *v),
        Value::Str(v) if nested => append!(out, "{v:?}"),
        Value::Str(v) => out.push_str(v),
        Value::Bytes(v) => write_bytes(out, v),
        Value::Tuple(members) => {
            out.push('(');
            for (i, member) in members.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_any(out, member, true);
            }
            out.push(')');
        }
        Value::IntArray(array) => write_array(out, array),
        Value::FloatArray(array) => write_array(out, array),
        Value::DateTimeNaive(v) => write_naive(out, *v),
        Value::DateTimeUtc(v) => write_utc(out, *v),
        Value::Duration(v) => write_duration(out, *v),
        Value::Json(v) => out.push_str(v.as_str()),
        Value::PyObject(v) => append!(out, "PyObjectWrapper({})", v.text()),
        Value::Pending => out.push_str("Pending"),
        Value::Error => out.push_str("Error"),
    }
}

/// The text form of any value.
pub fn write_value(out: &mut String, value: &Value) {
    write_any(out, value, false);
}

/// Decimal digits.
#[inline]
pub fn write_int(out: &mut String, value: i64) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Always with a fraction or an exponent: `1.0`, `1e16`, `1e-5`, `NaN`, `inf`.
#[inline]
pub fn write_float(out: &mut String, value: f64) {
    if (1e-4..f64::INFINITY).contains(&value.abs()) || value == 0.0 {
        out.push_str(ryu::Buffer::new().format_finite(value));
    } else {
        // Small numbers take an exponent earlier here than the fast printer gives them one.
        append!(out, "{value:?}");
    }
}

/// Plain decimal notation, never an exponent and no trailing `.0`: `1`, `0.0000001`, `NaN`, `inf`.
#[inline]
pub fn write_plain_float(out: &mut String, value: f64) {
    if (1e-4..1e15).contains(&value.abs()) || value == 0.0 {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(value);
        out.push_str(text.strip_suffix(".0").unwrap_or(text));
    } else {
        append!(out, "{value}");
    }
}

/// `^` and 26 characters.
pub fn write_pointer(out: &mut String, value: Key) {
    append!(out, "{value}");
}

/// The bytes as numbers: `[97, 98, 255]`.
pub fn write_bytes(out: &mut String, value: &[u8]) {
    out.push('[');
    for (i, byte) in value.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(itoa::Buffer::new().format(*byte));
    }
    out.push(']');
}

/// `2020-01-02T03:04:05.000000006`.
pub fn write_naive(out: &mut String, nanoseconds: i64) {
    let at = DateTime::from_timestamp_nanos(nanoseconds).naive_utc();
    // The range of 64-bit nanoseconds is inside the years of four digits.
    push_digits(out, at.year() as u32, 4);
    out.push('-');
    push_digits(out, at.month(), 2);
    out.push('-');
    push_digits(out, at.day(), 2);
    out.push('T');
    push_digits(out, at.hour(), 2);
    out.push(':');
    push_digits(out, at.minute(), 2);
    out.push(':');
    push_digits(out, at.second(), 2);
    out.push('.');
    push_digits(out, at.nanosecond(), 9);
}

/// `2020-01-02T03:04:05.000000006+0000`.
pub fn write_utc(out: &mut String, nanoseconds: i64) {
    write_naive(out, nanoseconds);
    out.push_str("+0000");
}

fn push_digits(out: &mut String, value: u32, digits: u32) {
    for i in (0..digits).rev() {
        let digit = value / 10u32.pow(i) % 10;
        out.push(char::from(b'0' + digit as u8));
    }
}

/// The components that are not zero, each with the sign: `400d 3h 4m 5s 6007008ns`, `-2d -3h`; `0ns` for
/// nothing at all.
pub fn write_duration(out: &mut String, nanoseconds: i64) {
    const UNITS: [(i64, &str); 5] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1, "ns"),
    ];
    let mut rest = nanoseconds;
    let mut first = true;
    for (unit, name) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count != 0 || (nanoseconds, unit) == (0, 1) {
            if !first {
                out.push(' ');
            }
            first = false;
            out.push_str(itoa::Buffer::new().format(count));
            out.push_str(name);
        }
    }
}

/// Rows in brackets, one below the other; whole floats without `.0`, long axes elided.
pub fn write_array<T: std::fmt::Display>(out: &mut String, array: &NdArray<T>) {
    match ArrayViewD::from_shape(IxDyn(array.shape()), array.elements()) {
        Ok(view) => append!(out, "{view}"),
        // `NdArray` checks its shape, so only an overflow of the index type could lead here.
        Err(error) => append!(out, "array of shape {:?} ({error})", array.shape()),
    }
}

#[cfg(test)]
mod tests;
