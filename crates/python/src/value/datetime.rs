//! Moments and lengths of time: nanoseconds here, pandas objects there.

use chrono::NaiveDate;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTimeAccess, PyTzInfoAccess};

use super::{Rejected, classes, describe};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// True if a datetime carries a time zone.
pub(super) fn has_zone(object: &Bound<'_, PyAny>) -> Result<bool, Rejected> {
    Ok(moment(object, "a date and time")?.get_tzinfo().is_some())
}

/// Nanoseconds since 1970 of a datetime without a time zone.
pub(super) fn naive(object: &Bound<'_, PyAny>) -> Result<i64, Rejected> {
    let moment = moment(object, "DATE_TIME_NAIVE")?;
    if moment.get_tzinfo().is_some() {
        return Err(Rejected::value_error(format!(
            "DATE_TIME_NAIVE cannot hold {}: it has a time zone; declare DATE_TIME_UTC, or drop the zone first",
            describe(object)
        )));
    }
    nanoseconds(moment)
}

/// Nanoseconds since 1970 UTC of a datetime with a time zone.
pub(super) fn utc(object: &Bound<'_, PyAny>) -> Result<i64, Rejected> {
    let moment = moment(object, "DATE_TIME_UTC")?;
    if moment.get_tzinfo().is_none() {
        return Err(Rejected::value_error(format!(
            "DATE_TIME_UTC cannot hold {}: it has no time zone; declare DATE_TIME_NAIVE, or attach a zone first",
            describe(object)
        )));
    }
    nanoseconds(moment)
}

fn moment<'a, 'py>(
    object: &'a Bound<'py, PyAny>,
    target: &str,
) -> Result<&'a Bound<'py, PyDateTime>, Rejected> {
    let refuse = || {
        let hint = "a datetime.datetime or pandas.Timestamp is needed";
        Rejected::value_error(format!("{target} cannot hold {}: {hint}", describe(object)))
    };
    let moment = object.cast::<PyDateTime>().map_err(|_| refuse())?;
    if is_not_a_time(object) { Err(refuse()) } else { Ok(moment) }
}

/// pandas' NaT passes for a datetime.
pub(super) fn is_not_a_time(object: &Bound<'_, PyAny>) -> bool {
    object.get_type().name().is_ok_and(|name| name == "NaTType")
}

fn nanoseconds(moment: &Bound<'_, PyDateTime>) -> Result<i64, Rejected> {
    let out_of_range = || {
        let range = "the engine counts nanoseconds in 64 bits, from the year 1677 to 2262";
        Rejected::value_error(format!("{} is out of range: {range}", describe(moment)))
    };
    if classes::is_timestamp(moment) {
        // pandas counts nanoseconds itself, with and without a zone.
        return own_nanoseconds(moment).ok_or_else(out_of_range);
    }
    let date = NaiveDate::from_ymd_opt(moment.get_year(), moment.get_month().into(), moment.get_day().into());
    let time = date.and_then(|date| {
        let (hour, minute, second) = (moment.get_hour(), moment.get_minute(), moment.get_second());
        date.and_hms_micro_opt(hour.into(), minute.into(), second.into(), moment.get_microsecond())
    });
    let local = time.and_then(|time| time.and_utc().timestamp_nanos_opt()).ok_or_else(out_of_range)?;
    if moment.get_tzinfo().is_none() {
        return Ok(local);
    }
    let offset = moment.call_method0(intern!(moment.py(), "utcoffset"));
    let offset = offset.map_err(|error| Rejected::value_error(format!("{}: {error}", describe(moment))))?;
    local.checked_sub(duration(&offset)?).ok_or_else(out_of_range)
}

/// `.value` of pandas' objects: nanoseconds, whatever their unit.
fn own_nanoseconds(object: &Bound<'_, PyAny>) -> Option<i64> {
    object.getattr(intern!(object.py(), "value")).ok()?.extract().ok()
}

/// Nanoseconds of a `datetime.timedelta` or `pandas.Timedelta`.
pub(super) fn duration(object: &Bound<'_, PyAny>) -> Result<i64, Rejected> {
    let delta = match object.cast::<PyDelta>() {
        Ok(delta) if !is_not_a_time(object) => delta,
        _ => {
            let hint = "a datetime.timedelta or pandas.Timedelta is needed";
            return Err(Rejected::object(object, "DURATION", hint));
        }
    };
    let nanoseconds = if classes::is_timedelta(object) {
        own_nanoseconds(object)
    } else {
        let rest =
            i64::from(delta.get_seconds()) * 1_000_000_000 + i64::from(delta.get_microseconds()) * 1000;
        i64::from(delta.get_days()).checked_mul(NANOS_PER_DAY).and_then(|days| days.checked_add(rest))
    };
    nanoseconds.ok_or_else(|| {
        let range = "the engine counts nanoseconds in 64 bits, about 292 years either way";
        Rejected::value_error(format!("{} is out of range: {range}", describe(object)))
    })
}

/// ISO 8601 with nine fractional digits and the offset, if there is one: the form inside Json.
pub(super) fn iso_text(object: &Bound<'_, PyAny>) -> Result<String, Rejected> {
    let moment = moment(object, "Json")?;
    let nanosecond: u32 = match object.getattr_opt(intern!(object.py(), "nanosecond")) {
        Ok(Some(nanosecond)) => nanosecond.extract().unwrap_or(0),
        _ => 0,
    };
    let fraction = moment.get_microsecond() * 1000 + nanosecond;
    let (year, month, day) = (moment.get_year(), moment.get_month(), moment.get_day());
    let (hour, minute, second) = (moment.get_hour(), moment.get_minute(), moment.get_second());
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}");
    if moment.get_tzinfo().is_some() {
        let offset = moment.call_method0(intern!(moment.py(), "utcoffset"));
        let offset =
            offset.map_err(|error| Rejected::value_error(format!("{}: {error}", describe(object))))?;
        let minutes = duration(&offset)? / 60_000_000_000;
        let sign = if minutes < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
    }
    Ok(text)
}

/// A moment without a zone.
pub(super) fn naive_to_python<'py>(py: Python<'py>, nanoseconds: i64) -> PyResult<Bound<'py, PyAny>> {
    classes::timestamp(py)?.call1((nanoseconds,))
}

/// A moment in UTC.
pub(super) fn utc_to_python<'py>(py: Python<'py>, nanoseconds: i64) -> PyResult<Bound<'py, PyAny>> {
    naive_to_python(py, nanoseconds)?.call_method1(intern!(py, "tz_localize"), (classes::tz_utc(py)?,))
}

/// A length of time.
pub(super) fn duration_to_python<'py>(py: Python<'py>, nanoseconds: i64) -> PyResult<Bound<'py, PyAny>> {
    classes::timedelta(py)?.call1((nanoseconds,))
}

/// What a column of 64-bit nanoseconds holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Naive,
    Utc,
    Durations,
}

/// A whole column as a list of pandas objects.
pub(super) fn list_to_python<'py>(
    py: Python<'py>,
    nanoseconds: &[i64],
    kind: Times,
) -> PyResult<Bound<'py, PyAny>> {
    let bytes: Vec<u8> = nanoseconds.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let memory = pyo3::types::PyByteArray::new(py, &bytes);
    let dtype = if kind == Times::Durations { "m8[ns]" } else { "M8[ns]" };
    let array = classes::np_frombuffer(py)?.call1((memory, dtype))?;
    let index = match kind {
        Times::Naive => classes::datetime_index(py)?.call1((array,))?,
        Times::Utc => classes::datetime_index(py)?
            .call1((array,))?
            .call_method1(intern!(py, "tz_localize"), (classes::tz_utc(py)?,))?,
        Times::Durations => classes::timedelta_index(py)?.call1((array,))?,
    };
    index.call_method0(intern!(py, "tolist"))
}
