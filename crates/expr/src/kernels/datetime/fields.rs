//! Fields of a datetime. UTC values are read in UTC.

use chrono::{Datelike, NaiveDate};

use super::super::call::Call;
use super::super::{int_array, ints, map};
use super::{DAY, SECOND};
use crate::evaluate::cells::{Cells, Strict};

/// Days from 0001-01-01 (which is day 1) to 1970-01-01.
const EPOCH_DAY: i32 = 719_163;

fn each(call: &Call<'_>, field: impl Fn(i64) -> i64) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let values = map(ints(&call.operands[0]), call.rows, field);
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

fn date(at: i64) -> NaiveDate {
    // 64-bit nanoseconds span less than 300 years around 1970.
    NaiveDate::from_num_days_from_ce_opt(EPOCH_DAY + at.div_euclid(DAY) as i32).unwrap_or_default()
}

/// The year.
pub(crate) fn year(call: &Call<'_>) -> Cells {
    each(call, |at| i64::from(date(at).year()))
}
/// 1 to 12.
pub(crate) fn month(call: &Call<'_>) -> Cells {
    each(call, |at| i64::from(date(at).month()))
}
/// 1 to 31.
pub(crate) fn day(call: &Call<'_>) -> Cells {
    each(call, |at| i64::from(date(at).day()))
}
/// 0 to 23.
pub(crate) fn hour(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(DAY) / (3_600 * SECOND))
}
/// 0 to 59.
pub(crate) fn minute(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(3_600 * SECOND) / (60 * SECOND))
}
/// 0 to 59.
pub(crate) fn second(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(60 * SECOND) / SECOND)
}
/// The part below a second in milliseconds.
pub(crate) fn millisecond(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(SECOND) / 1_000_000)
}
/// The part below a second in microseconds.
pub(crate) fn microsecond(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(SECOND) / 1_000)
}
/// The part below a second in nanoseconds.
pub(crate) fn nanosecond(call: &Call<'_>) -> Cells {
    each(call, |at| at.rem_euclid(SECOND))
}
/// Monday is 0, Sunday 6. 1970-01-01 was a Thursday.
pub(crate) fn weekday(call: &Call<'_>) -> Cells {
    each(call, |at| (at.div_euclid(DAY) + 3).rem_euclid(7))
}
