//! `.num`: absolute values, Python's `round`, and the replacement of NaN and None.

use std::fmt::Write;

use arrow_buffer::BooleanBuffer;
use pathway_types::DType;

use super::call::Call;
use super::select::select;
use super::{Lane, float_array, floats, int_array, ints, map, zip, zip_bits};
use crate::evaluate::cells::{Cells, Strict, or_masks};

/// `num.abs`.
pub(crate) fn abs(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    if *call.dtype == DType::Float {
        let values = map(floats(&call.operands[0]), call.rows, f64::abs);
        return frame.finish(|nulls| float_array(values, nulls));
    }
    let values = map(ints(&call.operands[0]), call.rows, i64::wrapping_abs);
    frame.finish(|nulls| int_array(values, nulls, &DType::Int))
}

/// `num.round`: halves to even, negative numbers of decimals round before the point.
pub(crate) fn round(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let decimals = ints(&call.operands[1]);
    if *call.dtype == DType::Float {
        let values = match decimals {
            Lane::One(0) => map(floats(&call.operands[0]), call.rows, f64::round_ties_even),
            _ => {
                let mut digits = String::new();
                let values = floats(&call.operands[0]);
                (0..call.rows)
                    .map(|row| round_float(values.get(row), decimals.get(row), &mut digits))
                    .collect()
            }
        };
        return frame.finish(|nulls| float_array(values, nulls));
    }
    let values = zip(ints(&call.operands[0]), decimals, call.rows, round_int);
    frame.finish(|nulls| int_array(values, nulls, &DType::Int))
}

/// An integer to a multiple of a power of ten; wraps like all integer arithmetic.
fn round_int(value: i64, decimals: i64) -> i64 {
    if decimals >= 0 {
        return value;
    }
    // Half of 10^20 is more than any 64-bit integer.
    if decimals < -19 {
        return 0;
    }
    let step = 10i128.pow(decimals.unsigned_abs() as u32);
    let value = i128::from(value);
    let (quotient, rest) = (value.div_euclid(step), value.rem_euclid(step));
    let up = rest * 2 > step || rest * 2 == step && quotient % 2 != 0;
    ((quotient + i128::from(up)) * step) as i64
}

/// The float nearest to the exact value of `value` rounded at that decimal, halves to even.
fn round_float(value: f64, decimals: i64, digits: &mut String) -> f64 {
    if !value.is_finite() || decimals > 323 {
        return value;
    }
    if decimals < -308 {
        return 0.0f64.copysign(value);
    }
    if (0..=22).contains(&decimals) {
        let scale = 10f64.powi(decimals as i32);
        let scaled = value * scale;
        // Far enough from a tie that the product's own rounding cannot matter, and small enough
        // that the quotient of two exact numbers is the nearest float.
        if scaled.abs() < 4_503_599_627_370_496.0 {
            let distance = (scaled - scaled.trunc()).abs() - 0.5;
            if distance.abs() > 1e-6 + scaled.abs() * 1e-15 {
                return (scaled.round() / scale).copysign(value);
            }
        }
    }
    digits.clear();
    // Both notations are exact, rounded half to even; writing to a string cannot fail.
    if decimals >= 0 {
        let _ = write!(digits, "{value:.*}", decimals as usize);
    } else {
        let _ = write!(digits, "{value:e}");
        let exponent = digits.rsplit('e').next().and_then(|e| e.parse::<i64>().ok()).unwrap_or(0);
        let significant = exponent + decimals;
        digits.clear();
        match significant {
            0.. => {
                let _ = write!(digits, "{value:.*e}", significant as usize);
            }
            // The first digit is one place below the last that is kept: up to a half is nothing.
            -1 => {
                let step = 10f64.powi(-decimals as i32);
                let nearest = if value.abs() > step / 2.0 { step } else { 0.0 };
                return nearest.copysign(value);
            }
            _ => return 0.0f64.copysign(value),
        }
    }
    digits.parse().unwrap_or(value)
}

/// `num.fill_na`: the default where the number is NaN or None.
pub(crate) fn fill_na(call: &Call<'_>) -> Cells {
    let (operand, dtype) = call.side(0);
    let mut missing: Option<BooleanBuffer> = operand.nones(dtype, call.rows);
    if *dtype.unoptional() == DType::Float {
        let nan = zip_bits(floats(operand), Lane::One(()), call.rows, |value, ()| value.is_nan());
        let nan = match operand.errors() {
            Some(errors) => &nan & &!errors,
            None => nan,
        };
        missing = or_masks(missing, Some(&nan));
    }
    match missing {
        Some(missing) if missing.count_set_bits() > 0 => {
            select(&missing, &call.operands[1], operand, call.dtype)
        }
        _ => operand.clone(),
    }
}
