//! `strptime`.

use chrono::format::{Item, ParseErrorKind, Parsed, parse, parse_and_remainder};
use chrono::{NaiveDate, NaiveTime};
use pathway_types::{DType, DataError};

use super::super::call::Call;
use super::super::{int_array, texts};
use super::format::parse_format;
use super::out_of_range;
use super::zones::Zone;
use crate::evaluate::cells::{Cells, Strict};

/// `dt.strptime`.
pub(crate) fn strptime(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let (values, formats) = (texts(&call.operands[0]), texts(&call.operands[1]));
    let utc = *call.dtype == DType::DateTimeUtc;
    let mut prepared: Option<(&str, Result<Format, DataError>)> = None;
    let values = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return 0;
        }
        let format = formats.get(row);
        let items = match &mut prepared {
            Some((last, items)) if *last == format => &*items,
            other => &other.insert((format, prepare(format))).1,
        };
        let parsed = match items {
            Ok(items) => items.parse(values.get(row), utc),
            Err(error) => Err(error.clone()),
        };
        parsed.unwrap_or_else(|error| {
            frame.fail(row, error);
            0
        })
    });
    let values = values.collect();
    frame.finish(|nulls| int_array(values, nulls, call.dtype))
}

/// A format ready for use.
struct Format {
    text: String,
    items: Vec<Item<'static>>,
    /// What follows the name of a time zone, which stands after `items`, if the format has one.
    after_zone: Option<Vec<Item<'static>>>,
}

/// Rewrites Python's `.%f` to the parser's fraction with its dot, lets zones be written in every way (`+01`,
/// `+0100`, `+01:00`, `Z`), and takes the format apart.
fn prepare(format: &str) -> Result<Format, DataError> {
    let mut before_zone = None;
    let mut text = String::with_capacity(format.len());
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('f') => {
                if text.pop() != Some('.') {
                    return Err(DataError::parse(format!(
                        "the format {format:?} has %f without a dot before it; write \".%f\""
                    )));
                }
                text.push_str("%.f");
            }
            Some('z') => text.push_str("%#z"),
            Some(':') if chars.as_str().starts_with('z') => {
                chars.next();
                text.push_str("%#z");
            }
            Some('Z') if before_zone.is_none() => before_zone = Some(std::mem::take(&mut text)),
            Some(other) => {
                text.push('%');
                text.push(other);
            }
            None => text.push('%'),
        }
    }
    let items = |text: &str| -> Result<Vec<Item<'static>>, DataError> {
        Ok(parse_format(text)?.into_iter().map(Item::to_owned).collect())
    };
    let (items, after_zone) = match before_zone {
        Some(before) => (items(&before)?, Some(items(&text)?)),
        None => (items(&text)?, None),
    };
    Ok(Format { text: format.to_owned(), items, after_zone })
}

impl Format {
    /// Nanoseconds since the epoch.
    fn parse(&self, text: &str, utc: bool) -> Result<i64, DataError> {
        let mut parsed = Parsed::new();
        let failed = |kind: ParseErrorKind| self.refuse(text, kind);
        let zone = match &self.after_zone {
            None => {
                parse(&mut parsed, text, self.items.iter()).map_err(|e| failed(e.kind()))?;
                None
            }
            Some(after) => {
                let rest = parse_and_remainder(&mut parsed, text, self.items.iter())
                    .map_err(|e| failed(e.kind()))?;
                let of_name = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
                let (name, rest) = rest.split_at(rest.find(|c| !of_name(c)).unwrap_or(rest.len()));
                parse(&mut parsed, rest, after.iter()).map_err(|e| failed(e.kind()))?;
                Some(name)
            }
        };
        complete_time(&mut parsed).map_err(failed)?;
        let at = match zone {
            Some(name) if utc && parsed.offset().is_none() => {
                let zone = Zone::parse(if name == "Z" { "UTC" } else { name })
                    .ok_or_else(|| DataError::parse(format!("{name:?} in {text:?} is no time zone")))?;
                let local = naive(&parsed).map_err(failed)?.and_utc();
                return local
                    .timestamp_nanos_opt()
                    .and_then(|local| zone.to_utc(local))
                    .ok_or_else(out_of_range);
            }
            _ if utc => parsed.to_datetime().map_err(|e| failed(e.kind()))?.to_utc(),
            _ => naive(&parsed).map_err(failed)?.and_utc(),
        };
        at.timestamp_nanos_opt().ok_or_else(out_of_range)
    }

    fn refuse(&self, text: &str, kind: ParseErrorKind) -> DataError {
        let reason = match kind {
            ParseErrorKind::OutOfRange => "a part of it is out of its range",
            ParseErrorKind::Impossible => "its parts contradict each other",
            ParseErrorKind::NotEnough => "its parts are not enough for a point in time",
            ParseErrorKind::Invalid => "it has a character that the format does not have there",
            ParseErrorKind::TooShort => "it ends before the format does",
            ParseErrorKind::TooLong => "it goes on after the end of the format",
            _ => "the format is not understood",
        };
        DataError::parse(format!(
            "the text {text:?} does not match the datetime format {:?}: {reason}",
            self.text
        ))
    }
}

/// An hour without minutes is a full hour.
fn complete_time(parsed: &mut Parsed) -> Result<(), ParseErrorKind> {
    let has_hour = parsed.hour_div_12().is_some() && parsed.hour_mod_12().is_some();
    if has_hour && parsed.minute().is_none() && parsed.second().is_none() {
        parsed.set_minute(0).map_err(|e| e.kind())?;
    }
    Ok(())
}

/// Date and time as given; a date without a time is midnight, a time without a date is on 1900-01-01. What
/// is missing of a date is the first: month, day, and the year 1900.
fn naive(parsed: &Parsed) -> Result<chrono::NaiveDateTime, ParseErrorKind> {
    if parsed.timestamp().is_some() {
        return parsed.to_naive_datetime_with_offset(0).map_err(|e| e.kind());
    }
    let time = match parsed.to_naive_time() {
        Ok(time) => Some(time),
        Err(e) if e.kind() == ParseErrorKind::NotEnough => None,
        Err(e) => return Err(e.kind()),
    };
    match parsed.to_naive_date() {
        Ok(date) => Ok(date.and_time(time.unwrap_or(NaiveTime::MIN))),
        Err(e) if e.kind() == ParseErrorKind::NotEnough && !has_date(parsed) => {
            let date = NaiveDate::from_ymd_opt(1900, 1, 1).ok_or(ParseErrorKind::Impossible)?;
            Ok(date.and_time(time.ok_or(ParseErrorKind::NotEnough)?))
        }
        Err(e) if e.kind() == ParseErrorKind::NotEnough => {
            let date = complete_date(parsed.clone()).map_err(|e| e.kind())?;
            Ok(date.and_time(time.unwrap_or(NaiveTime::MIN)))
        }
        Err(e) => Err(e.kind()),
    }
}

/// The date with what is missing of year, month and day; not of weeks.
fn complete_date(mut parsed: Parsed) -> chrono::format::ParseResult<NaiveDate> {
    let of_week = parsed.weekday().is_some()
        || parsed.isoweek().is_some()
        || parsed.week_from_sun().is_some()
        || parsed.week_from_mon().is_some();
    if !of_week && parsed.isoyear().is_none() {
        if parsed.year().is_none() && parsed.year_div_100().is_none() && parsed.year_mod_100().is_none() {
            parsed.set_year(1900)?;
        }
        if parsed.ordinal().is_none() {
            if parsed.month().is_none() {
                parsed.set_month(1)?;
            }
            if parsed.day().is_none() {
                parsed.set_day(1)?;
            }
        }
    }
    parsed.to_naive_date()
}

fn has_date(parsed: &Parsed) -> bool {
    let years = [parsed.year(), parsed.year_div_100(), parsed.year_mod_100(), parsed.isoyear()];
    years.iter().any(Option::is_some)
        || parsed.month().is_some()
        || parsed.day().is_some()
        || parsed.ordinal().is_some()
        || parsed.weekday().is_some()
}
