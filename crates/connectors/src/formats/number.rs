//! Numbers from and to text.

/// Reads an optional sign and digits that fit 64 bits.
#[inline]
pub(crate) fn parse_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() > 18 {
        return parse_long_int(text);
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[cold]
fn parse_long_int(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads a decimal or scientific number, `nan`, `inf` or `infinity` in any case.
#[inline]
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    fast_float2::parse(text).ok()
}

/// Writes an integer.
#[inline]
pub(crate) fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes an unsigned integer.
#[inline]
pub(crate) fn write_unsigned(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes the shortest text that reads back as the same float: `2.0`, `1e300`, `1e-5`, `NaN`, `-inf`.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let magnitude = value.abs();
    if (1e-5..1e-4).contains(&magnitude) {
        // zmij writes these positionally (`0.00001`); here they are scientific (`1e-5`).
        return write_small(text, out);
    }
    if magnitude < 1e16 {
        return out.extend_from_slice(text);
    }
    out.extend(text.iter().filter(|byte| **byte != b'+'));
}

/// Rewrites `0.0000ddd` as `d.dde-5`.
fn write_small(text: &[u8], out: &mut Vec<u8>) {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (&b"-"[..], digits),
        digits => (&b""[..], digits),
    };
    let digits = digits.strip_prefix(b"0.0000").unwrap_or(digits);
    out.extend_from_slice(sign);
    match digits {
        [first] => out.push(*first),
        [first, rest @ ..] => {
            out.extend_from_slice(&[*first, b'.']);
            out.extend_from_slice(rest);
        }
        [] => out.push(b'0'),
    }
    out.extend_from_slice(b"e-5");
}

/// Writes a float as a JSON number, `null` if it is not finite.
pub(crate) fn write_json_float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests;
