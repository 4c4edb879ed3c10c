//! Arithmetic with durations and datetimes, all in whole nanoseconds of 64 bits. What does not fit is an error.

use pathway_types::{DType, DataError};

use super::arithmetic::{divide, floor_div, floor_mod, guard_zeros};
use super::{Lane, float_array, floats, int_array, ints, zip, zip_bits};
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
        (BinaryOp::Mul, ..) => exact(ints(left), ints(right), &mut frame, i64::overflowing_mul),
        (BinaryOp::Sub, ..) => exact(ints(left), ints(right), &mut frame, i64::overflowing_sub),
        _ => exact(ints(left), ints(right), &mut frame, i64::overflowing_add),
    };
    frame.finish(|nulls| int_array(values, nulls, dtype))
}

/// `op` on each pair; rows whose result does not fit fail.
#[inline]
pub(crate) fn exact(
    left: Lane<'_, i64>,
    right: Lane<'_, i64>,
    frame: &mut Strict,
    op: impl Fn(i64, i64) -> (i64, bool),
) -> Vec<i64> {
    let rows = frame.rows();
    let beyond = zip_bits(left, right, rows, |a, b| op(a, b).1);
    for row in beyond.set_indices().filter(|row| frame.is_valid(*row)).collect::<Vec<_>>() {
        frame.fail(row, out_of_range());
    }
    zip(left, right, rows, |a, b| op(a, b).0)
}

/// A result that is too far away.
pub(crate) fn out_of_range() -> DataError {
    DataError::value(
        "the result is out of range: 64 bits of nanoseconds reach from 1677 to 2262, and are 292 years",
    )
}

/// Truncated toward zero; NaN gives zero, infinities the longest duration.
#[inline(always)]
fn scale(duration: i64, factor: f64) -> i64 {
    (duration as f64 * factor) as i64
}
