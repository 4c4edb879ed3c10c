//! Arithmetic on INT and FLOAT with Python's rules for `//` and `%`.
//!
//! Integers wrap at 64 bits. Division by zero, of floats too, is an error. Shift counts are taken
//! modulo 64. A negative exponent gives what is left of the fraction: 0, or ±1 for the bases ±1.

use pathway_types::{DType, DataError};

use super::{Lane, float_array, floats, int_array, ints, map, zip};
use crate::BinaryOp;
use crate::evaluate::cells::{Cells, Strict};

/// `left op right` on INT.
pub(crate) fn int(op: BinaryOp, left: &Cells, right: &Cells, rows: usize) -> Cells {
    let mut frame = Strict::of(&[(left, &DType::Int), (right, &DType::Int)], rows);
    let (a, b) = (ints(left), ints(right));
    if op == BinaryOp::TrueDiv {
        guard_zeros(b, 0, &mut frame);
        let values = zip(a, b, rows, |a, b| a as f64 / b as f64);
        return frame.finish(|nulls| float_array(values, nulls));
    }
    let values = match op {
        BinaryOp::Add => zip(a, b, rows, i64::wrapping_add),
        BinaryOp::Sub => zip(a, b, rows, i64::wrapping_sub),
        BinaryOp::Mul => zip(a, b, rows, i64::wrapping_mul),
        BinaryOp::FloorDiv => divide(a, b, &mut frame, |a, b| a / b, floor_div),
        BinaryOp::Mod => divide(a, b, &mut frame, |a, b| a % b, floor_mod),
        BinaryOp::Pow => zip(a, b, rows, int_pow),
        // The count modulo 64, as the shifts of the processor do.
        BinaryOp::LShift => zip(a, b, rows, |a, b| a.wrapping_shl(b as u32)),
        BinaryOp::RShift => zip(a, b, rows, |a, b| a.wrapping_shr(b as u32)),
        BinaryOp::And => zip(a, b, rows, |a, b| a & b),
        BinaryOp::Or => zip(a, b, rows, |a, b| a | b),
        _ => zip(a, b, rows, |a, b| a ^ b),
    };
    frame.finish(|nulls| int_array(values, nulls, &DType::Int))
}

/// `left op right` on FLOAT.
pub(crate) fn float(op: BinaryOp, left: &Cells, right: &Cells, rows: usize) -> Cells {
    let mut frame = Strict::of(&[(left, &DType::Float), (right, &DType::Float)], rows);
    let (a, b) = (floats(left), floats(right));
    if matches!(op, BinaryOp::TrueDiv | BinaryOp::FloorDiv | BinaryOp::Mod) {
        guard_zeros(b, 0.0, &mut frame);
    }
    let values = match op {
        BinaryOp::Add => zip(a, b, rows, |a, b| a + b),
        BinaryOp::Sub => zip(a, b, rows, |a, b| a - b),
        BinaryOp::Mul => zip(a, b, rows, |a, b| a * b),
        BinaryOp::TrueDiv => zip(a, b, rows, |a, b| a / b),
        BinaryOp::FloorDiv => zip(a, b, rows, |a, b| (a / b).floor()),
        BinaryOp::Mod => zip(a, b, rows, float_mod),
        _ => zip(a, b, rows, f64::powf),
    };
    frame.finish(|nulls| float_array(values, nulls))
}

/// `-operand` on INT and DURATION.
pub(crate) fn negate_int(operand: &Cells, dtype: &DType, rows: usize) -> Cells {
    let frame = Strict::of(&[(operand, dtype)], rows);
    let values = map(ints(operand), rows, i64::wrapping_neg);
    frame.finish(|nulls| int_array(values, nulls, dtype))
}

/// `-operand` on FLOAT.
pub(crate) fn negate_float(operand: &Cells, rows: usize) -> Cells {
    let frame = Strict::of(&[(operand, &DType::Float)], rows);
    let values = map(floats(operand), rows, |a| -a);
    frame.finish(|nulls| float_array(values, nulls))
}

/// Makes the valid rows with a zero divisor fail. True if a divisor is zero anywhere.
pub(crate) fn guard_zeros<T: Copy + PartialEq>(divisor: Lane<'_, T>, zero: T, frame: &mut Strict) -> bool {
    match divisor {
        Lane::One(value) if value == zero => {
            for row in 0..frame.rows() {
                if frame.is_valid(row) {
                    frame.fail(row, DataError::division_by_zero());
                }
            }
            true
        }
        Lane::One(_) => false,
        Lane::Each(values) => {
            // Nearly always the answer is no, and then this one pass is all there is to it.
            if !values.contains(&zero) {
                return false;
            }
            for (row, value) in values.iter().enumerate() {
                if *value == zero && frame.is_valid(row) {
                    frame.fail(row, DataError::division_by_zero());
                }
            }
            true
        }
    }
}

/// An integer division. Where both operands are small and not negative, `short`, on the processor's
/// much faster 32-bit division, stands for `long`.
pub(crate) fn divide(
    left: Lane<'_, i64>,
    right: Lane<'_, i64>,
    frame: &mut Strict,
    short: impl Fn(u32, u32) -> u32,
    long: impl Fn(i64, i64) -> i64,
) -> Vec<i64> {
    let rows = frame.rows();
    if guard_zeros(right, 0, frame) {
        return zip(left, right, rows, |a, b| if b == 0 { 0 } else { long(a, b) });
    }
    zip(left, right, rows, |a, b| {
        if (a | b) as u64 >> 32 == 0 { i64::from(short(a as u32, b as u32)) } else { long(a, b) }
    })
}

/// Quotient rounded toward minus infinity; the divisor is not zero.
#[inline(always)]
pub(crate) fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a.wrapping_div(b);
    let inexact = quotient.wrapping_mul(b) != a;
    quotient.wrapping_sub(i64::from(inexact & ((a ^ b) < 0)))
}

/// Remainder with the sign of the divisor, which is not zero.
#[inline(always)]
pub(crate) fn floor_mod(a: i64, b: i64) -> i64 {
    let remainder = a.wrapping_rem(b);
    if remainder != 0 && (remainder ^ b) < 0 { remainder + b } else { remainder }
}

/// Remainder with the sign of the divisor.
#[inline(always)]
pub(crate) fn float_mod(a: f64, b: f64) -> f64 {
    let remainder = a % b;
    if remainder == 0.0 {
        return 0.0f64.copysign(b);
    }
    if (remainder < 0.0) == (b < 0.0) { remainder } else { remainder + b }
}

/// Wrapping power.
#[inline]
pub(crate) fn int_pow(base: i64, exponent: i64) -> i64 {
    if exponent < 0 {
        return match base {
            1 => 1,
            -1 if exponent % 2 == 0 => 1,
            -1 => -1,
            _ => 0,
        };
    }
    let (mut base, mut exponent, mut power) = (base, exponent as u64, 1i64);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    power
}
