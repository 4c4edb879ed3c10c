//! Local times of time zones.
//!
//! A local time that a clock skipped means the first instant after the gap; one that a clock showed
//! twice means the later instant.

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use pathway_types::DataError;

use super::super::call::Call;
use super::super::{TextLane, int_array, ints, texts};
use super::{SECOND, out_of_range};
use crate::evaluate::cells::{Cells, Strict};

/// A time zone: a place, or a fixed distance from UTC.
#[derive(Clone, Copy)]
pub(super) enum Zone {
    Place(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// The zone of this name: of a place, an abbreviation, or a distance such as `+01:00`.
    pub(super) fn parse(name: &str) -> Option<Zone> {
        match name.parse::<Tz>() {
            Ok(place) => Some(Zone::Place(place)),
            Err(_) => name.parse::<FixedOffset>().ok().map(Zone::Fixed),
        }
    }

    /// Seconds that local clocks are ahead of UTC at this instant.
    fn offset_at(self, utc: NaiveDateTime) -> i64 {
        i64::from(match self {
            Zone::Place(place) => place.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Zone::Fixed(offset) => offset.local_minus_utc(),
        })
    }

    /// The wall clock at an instant.
    fn to_local(self, utc: i64) -> Option<i64> {
        let at = DateTime::from_timestamp_nanos(utc).naive_utc();
        utc.checked_add(self.offset_at(at) * SECOND)
    }

    /// The instant of a wall clock time.
    pub(super) fn to_utc(self, local: i64) -> Option<i64> {
        let place = match self {
            Zone::Fixed(offset) => return local.checked_sub(i64::from(offset.local_minus_utc()) * SECOND),
            Zone::Place(place) => place,
        };
        let clock = DateTime::from_timestamp_nanos(local).naive_utc();
        match place.from_local_datetime(&clock) {
            LocalResult::Single(at) => at.timestamp_nanos_opt(),
            LocalResult::Ambiguous(a, b) => a.max(b).timestamp_nanos_opt(),
            LocalResult::None => self.end_of_gap(local.div_euclid(SECOND))?.checked_mul(SECOND),
        }
    }

    /// The second of the change that skipped this local time.
    fn end_of_gap(self, local: i64) -> Option<i64> {
        let offset = |utc: i64| DateTime::from_timestamp(utc, 0).map(|at| self.offset_at(at.naive_utc()));
        // Local clocks are at most 15 hours ahead of UTC and 12 behind, so the change is in between.
        let (mut low, mut high) = (local - 16 * 3_600, local + 13 * 3_600);
        let old = offset(low)?;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if offset(middle)? == old { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// The zones of a call: one for all rows, or one per row with the last kept.
struct Zones<'a> {
    names: TextLane<'a>,
    last: Option<(&'a str, Option<Zone>)>,
}

impl<'a> Zones<'a> {
    fn new(operand: &'a Cells) -> Self {
        Zones { names: texts(operand), last: None }
    }

    fn get(&mut self, row: usize) -> Result<Zone, DataError> {
        let name = self.names.get(row);
        let zone = match self.last {
            Some((last, zone)) if last == name => zone,
            _ => Zone::parse(name),
        };
        self.last = Some((name, zone));
        zone.ok_or_else(|| {
            DataError::parse(format!(
                "{name:?} is not a time zone; write a name such as \"Europe/Warsaw\" or an offset such as \"+01:00\""
            ))
        })
    }
}

/// A computation in the zone that is the last argument.
fn each(call: &Call<'_>, f: impl Fn(Zone, usize) -> Option<i64>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let Some(zone) = call.operands.last() else {
        return Cells::failed(&out_of_range(), call.dtype, call.rows, None);
    };
    let mut zones = Zones::new(zone);
    let values = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return 0;
        }
        let value = zones.get(row).and_then(|zone| f(zone, row).ok_or_else(out_of_range));
        value.unwrap_or_else(|error| {
            frame.fail(row, error);
            0
        })
    });
    let values = values.collect();
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

/// `dt.to_utc`.
pub(crate) fn to_utc(call: &Call<'_>) -> Cells {
    let local = ints(&call.operands[0]);
    each(call, |zone, row| zone.to_utc(local.get(row)))
}

/// `dt.to_to_naive_in_timezone`.
pub(crate) fn to_naive(call: &Call<'_>) -> Cells {
    let utc = ints(&call.operands[0]);
    each(call, |zone, row| zone.to_local(utc.get(row)))
}

/// `dt.add_duration_in_timezone`.
pub(crate) fn add_duration(call: &Call<'_>) -> Cells {
    let (local, duration) = (ints(&call.operands[0]), ints(&call.operands[1]));
    each(call, |zone, row| zone.to_local(zone.to_utc(local.get(row))?.checked_add(duration.get(row))?))
}

/// `dt.subtract_duration_in_timezone`.
pub(crate) fn subtract_duration(call: &Call<'_>) -> Cells {
    let (local, duration) = (ints(&call.operands[0]), ints(&call.operands[1]));
    each(call, |zone, row| zone.to_local(zone.to_utc(local.get(row))?.checked_sub(duration.get(row))?))
}

/// `dt.subtract_date_time_in_timezone`.
pub(crate) fn subtract_date_time(call: &Call<'_>) -> Cells {
    let (left, right) = (ints(&call.operands[0]), ints(&call.operands[1]));
    each(call, |zone, row| zone.to_utc(left.get(row))?.checked_sub(zone.to_utc(right.get(row))?))
}
