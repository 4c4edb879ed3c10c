//! Durations and instants as numbers of a unit, and back.

use pathway_types::{DType, DataError, Value};

use super::super::call::Call;
use super::super::duration::{exact, out_of_range};
use super::super::{Lane, float_array, floats, int_array, ints, map, texts};
use super::{DAY, SECOND};
use crate::evaluate::cells::{Cells, Data, Strict};

/// The total length in units, truncated toward zero.
fn length(call: &Call<'_>, unit: i64) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let values = map(ints(&call.operands[0]), call.rows, |v| v / unit);
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

/// `dt.nanoseconds`.
pub(crate) fn nanoseconds(call: &Call<'_>) -> Cells {
    length(call, 1)
}
/// `dt.microseconds`.
pub(crate) fn microseconds(call: &Call<'_>) -> Cells {
    length(call, 1_000)
}
/// `dt.milliseconds`.
pub(crate) fn milliseconds(call: &Call<'_>) -> Cells {
    length(call, 1_000_000)
}
/// `dt.seconds`.
pub(crate) fn seconds(call: &Call<'_>) -> Cells {
    length(call, SECOND)
}
/// `dt.minutes`.
pub(crate) fn minutes(call: &Call<'_>) -> Cells {
    length(call, 60 * SECOND)
}
/// `dt.hours`.
pub(crate) fn hours(call: &Call<'_>) -> Cells {
    length(call, 3_600 * SECOND)
}
/// `dt.days`.
pub(crate) fn days(call: &Call<'_>) -> Cells {
    length(call, DAY)
}
/// `dt.weeks`.
pub(crate) fn weeks(call: &Call<'_>) -> Cells {
    length(call, 7 * DAY)
}

/// Nanoseconds of the unit in the constant argument, which the constructor has checked.
fn constant_unit(call: &Call<'_>) -> i64 {
    match call.operands.get(1).map(|unit| &unit.data) {
        Some(Data::Scalar(Value::Str(unit))) => match &**unit {
            "s" => SECOND,
            "ms" => 1_000_000,
            "us" => 1_000,
            _ => 1,
        },
        _ => 1,
    }
}

/// `dt.timestamp`: FLOAT in a unit, or INT nanoseconds.
pub(crate) fn timestamp(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let at = ints(&call.operands[0]);
    if *call.dtype == DType::Int {
        let values = map(at, call.rows, |v| v);
        return frame.finish(|nulls| int_array(values, nulls, call.dtype));
    }
    let unit = constant_unit(call) as f64;
    let values = map(at, call.rows, |v| v as f64 / unit);
    frame.finish(|nulls| float_array(values, nulls))
}

/// `dt.from_timestamp`, `dt.utc_from_timestamp`: integers fit or fail, floats are truncated to nanoseconds
/// and saturate, NaN is the epoch.
pub(crate) fn from_timestamp(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let unit = constant_unit(call);
    let values = match call.types[0].unoptional() {
        DType::Float => map(floats(&call.operands[0]), call.rows, |v| (v * unit as f64) as i64),
        _ => exact(ints(&call.operands[0]), Lane::One(unit), &mut frame, i64::overflowing_mul),
    };
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

/// `dt.to_duration`.
pub(crate) fn to_duration(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let (counts, units) = (ints(&call.operands[0]), texts(&call.operands[1]));
    if let Some(unit) = units.one().and_then(unit_length) {
        let values = exact(counts, Lane::One(unit), &mut frame, i64::overflowing_mul);
        return frame.finish(|nulls| int_array(values, nulls, call.dtype));
    }
    let values = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return 0;
        }
        match unit_length(units.get(row)) {
            Some(unit) => Lane::get(&counts, row).checked_mul(unit).unwrap_or_else(|| {
                frame.fail(row, out_of_range());
                0
            }),
            None => {
                let message = format!(
                    "{:?} is not a unit of time; units are W, D, h, m, s, ms, us, ns and their names",
                    units.get(row)
                );
                frame.fail(row, DataError::value(message));
                0
            }
        }
    });
    let values = values.collect();
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

/// Nanoseconds of a unit by any of its names.
fn unit_length(unit: &str) -> Option<i64> {
    Some(match unit {
        "W" | "week" | "weeks" => 7 * DAY,
        "D" | "day" | "days" => DAY,
        "h" | "hr" | "hour" | "hours" => 3_600 * SECOND,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND,
        "s" | "sec" | "second" | "seconds" => SECOND,
        "ms" | "millisecond" | "milliseconds" | "millis" | "milli" => 1_000_000,
        "us" | "microsecond" | "microseconds" | "micros" | "micro" => 1_000,
        "ns" | "nanosecond" | "nanoseconds" | "nanos" | "nano" => 1,
        _ => return None,
    })
}
