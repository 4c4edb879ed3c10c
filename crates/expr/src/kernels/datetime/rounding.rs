//! `round` and `floor` to multiples of a duration, counted from 1970-01-01T00:00:00.

use pathway_types::DataError;

use super::super::call::Call;
use super::super::{int_array, ints};
use crate::evaluate::cells::{Cells, Strict};

/// `dt.floor`.
pub(crate) fn floor(call: &Call<'_>) -> Cells {
    each(call, |at, step| at.checked_sub(at.rem_euclid(step)))
}

/// `dt.round`: halves go to the later multiple.
pub(crate) fn round(call: &Call<'_>) -> Cells {
    each(call, |at, step| {
        let rest = at.rem_euclid(step);
        if rest >= step - rest { at.checked_add(step - rest) } else { at.checked_sub(rest) }
    })
}

fn each(call: &Call<'_>, multiple: impl Fn(i64, i64) -> Option<i64>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let (instants, steps) = (ints(&call.operands[0]), ints(&call.operands[1]));
    let values = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return 0;
        }
        let step = steps.get(row);
        if step <= 0 {
            frame.fail(row, DataError::value("datetimes can be rounded to positive durations only"));
            return 0;
        }
        multiple(instants.get(row), step).unwrap_or_else(|| {
            frame.fail(row, super::out_of_range());
            0
        })
    });
    let values = values.collect();
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}
