//! Frequency texts of fixed length, as pandas writes them: `15min`, `1.5h`, `2h3min`, `D`.

use crate::ExprError;

/// The length in nanoseconds.
///
/// # Errors
/// [`ExprError::Value`] if the text is not a sequence of numbers and units of fixed length.
pub(crate) fn parse_frequency(text: &str) -> Result<i64, ExprError> {
    let fail = || {
        ExprError::Value(format!(
            "{text:?} is not a duration of fixed length; write numbers with the units D, h, min, s, ms, us, ns, \
             for example \"15min\" or \"2h30min\""
        ))
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (sign, after_sign) = match rest.as_bytes()[0] {
            b'-' => (-1, &rest[1..]),
            b'+' => (1, &rest[1..]),
            _ => (1, rest),
        };
        let digits = after_sign.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(after_sign.len());
        let (number, after_number) = after_sign.split_at(digits);
        let after_number = after_number.trim_start();
        let letters = after_number.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after_number.len());
        let (unit, after_unit) = after_number.split_at(letters);
        let unit = unit_length(unit).ok_or_else(fail)?;
        total += sign * scaled(number, unit).ok_or_else(fail)?;
        rest = after_unit.trim_start();
    }
    i64::try_from(total).map_err(|_| fail())
}

/// Nanoseconds of one unit; the one-letter names of older pandas versions are accepted too.
fn unit_length(unit: &str) -> Option<i128> {
    Some(match unit {
        "D" => 86_400_000_000_000,
        "h" | "H" => 3_600_000_000_000,
        "min" | "T" => 60_000_000_000,
        "s" | "S" => 1_000_000_000,
        "ms" | "L" => 1_000_000,
        "us" | "U" => 1_000,
        "ns" | "N" => 1,
        _ => return None,
    })
}

/// `number * unit` with decimals kept exact; no number means one.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    if number.is_empty() {
        return Some(unit);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || fraction.len() > 18 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.into() };
    let numerator: i128 = if fraction.is_empty() { 0 } else { fraction.parse::<i64>().ok()?.into() };
    let product = numerator * unit;
    let scale = 10i128.pow(fraction.len() as u32);
    (product % scale == 0).then_some(whole * unit + product / scale)
}

#[cfg(test)]
mod tests {
    use super::parse_frequency;

    #[test]
    fn lengths() {
        let cases = [
            ("1h", 3_600_000_000_000),
            ("15min", 900_000_000_000),
            ("D", 86_400_000_000_000),
            ("2h3min", 7_380_000_000_000),
            ("14ms22ms14us", 36_014_000),
            ("1.5h", 5_400_000_000_000),
            ("3T", 180_000_000_000),
            ("-1s", -1_000_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_frequency(text), Ok(expected), "{text}");
        }
        for text in ["W", "B", "M", "xyz", "", "1", "1.2.3h", "0.1ns"] {
            assert!(parse_frequency(text).is_err(), "{text}");
        }
    }
}
