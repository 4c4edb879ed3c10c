//! Arithmetic with durations and datetimes, all in whole nanoseconds of 64 bits, wrapping.

use pathway_types::DType;

use super::arithmetic::{divide, floor_div, floor_mod, guard_zeros};
use super::{float_array, floats, int_array, ints, zip};
use crate::BinaryOp;
use crate::evaluate::cells::{Cells, Strict};

/// `left op right` where one of them is a duration or both are datetimes.
pub(crate) fn binary(
    op: BinaryOp,
    (left, left_type): (&Cells, &DType),
    (right, right_type): (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let mut frame = Strict::of(&[(left, left_type), (right, right_type)], rows);
    let values = match (op, left_type, right_type) {
        (BinaryOp::Mul, _, DType::Float) => zip(ints(left), floats(right), rows, scale),
        (BinaryOp::Mul, DType::Float, _) => zip(floats(left), ints(right), rows, |f, d| scale(d, f)),
        (BinaryOp::TrueDiv, _, DType::Float) => {
            guard_zeros(floats(right), 0.0, &mut frame);
            zip(ints(left), floats(right), rows, |d, f| (d as f64 / f) as i64)
        }
        (BinaryOp::TrueDiv, _, DType::Duration) => {
            guard_zeros(ints(right), 0, &mut frame);
            let values = zip(ints(left), ints(right), rows, |a, b| a as f64 / b as f64);
            return frame.finish(|nulls| float_array(values, nulls));
        }
        (BinaryOp::TrueDiv, ..) => {
            divide(ints(left), ints(right), &mut frame, |a, b| a / b, i64::wrapping_div)
        }
        (BinaryOp::FloorDiv, ..) => divide(ints(left), ints(right), &mut frame, |a, b| a / b, floor_div),
        (BinaryOp::Mod, ..) => divide(ints(left), ints(right), &mut frame, |a, b| a % b, floor_mod),
        (BinaryOp::Mul, ..) => zip(ints(left), ints(right), rows, i64::wrapping_mul),
        (BinaryOp::Sub, ..) => zip(ints(left), ints(right), rows, i64::wrapping_sub),
        _ => zip(ints(left), ints(right), rows, i64::wrapping_add),
    };
    frame.finish(|nulls| int_array(values, nulls, dtype))
}

/// Truncated toward zero; NaN gives zero, infinities the longest duration.
#[inline(always)]
fn scale(duration: i64, factor: f64) -> i64 {
    (duration as f64 * factor) as i64
}
