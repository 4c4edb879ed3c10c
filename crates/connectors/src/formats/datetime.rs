//! Moments in time from and to text.
//!
//! Read: `2025-01-17`, or with a time after `T` or a space, `2025-01-17T01:02:03`, with an optional
//! fraction (digits beyond nanoseconds are cut off); moments with a zone need `Z`, `+0000` or
//! `+00:00` behind a time. Written: always nine digits of fraction, and `+0000` for UTC.

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Reads a moment without a zone: nanoseconds since 1970.
pub(crate) fn parse_naive(text: &[u8]) -> Result<i64, &'static str> {
    let mut text = Cursor(text);
    let (nanos, _) = text.moment()?;
    if text.0.is_empty() {
        in_range(nanos)
    } else {
        Err("text is left over behind the time (a zone has no place here)")
    }
}

/// Reads a moment with an offset from UTC: nanoseconds since 1970 UTC.
pub(crate) fn parse_utc(text: &[u8]) -> Result<i64, &'static str> {
    let mut text = Cursor(text);
    let (nanos, has_time) = text.moment()?;
    if text.0.is_empty() && !has_time {
        return in_range(nanos);
    }
    let offset = text.offset()?;
    if text.0.is_empty() {
        in_range(nanos - i128::from(offset) * i128::from(NANOS_PER_SECOND))
    } else {
        Err("text is left over behind the offset")
    }
}

fn in_range(nanos: i128) -> Result<i64, &'static str> {
    i64::try_from(nanos).map_err(|_| "the moment is outside of the years 1677 to 2262")
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Between `min` and `max` digits.
    fn digits(&mut self, min: usize, max: usize) -> Option<i64> {
        let len = self.0.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
        if len < min {
            return None;
        }
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }

    /// One of these bytes, if it comes next.
    fn accept(&mut self, bytes: &[u8]) -> bool {
        match self.0 {
            [first, rest @ ..] if bytes.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A date, and the time if there is one: nanoseconds since 1970, and whether there was.
    fn moment(&mut self) -> Result<(i128, bool), &'static str> {
        const DATE: &str = "a date like 2025-01-17 is expected";
        const TIME: &str = "a time like 01:02:03 is expected behind the date";
        let year = self.digits(4, 4).filter(|_| self.accept(b"-")).ok_or(DATE)?;
        let month = self.digits(1, 2).filter(|_| self.accept(b"-")).ok_or(DATE)?;
        let day = self.digits(1, 2).ok_or(DATE)?;
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return Err("there is no such day");
        }
        let days = i128::from(days_from_civil(year, month, day));
        if !self.accept(b"Tt ") {
            return Ok((days * i128::from(SECONDS_PER_DAY * NANOS_PER_SECOND), false));
        }
        let hour = self.digits(1, 2).filter(|_| self.accept(b":")).ok_or(TIME)?;
        let minute = self.digits(1, 2).filter(|_| self.accept(b":")).ok_or(TIME)?;
        let second = self.digits(1, 2).ok_or(TIME)?;
        // Second 60 is a leap second: the first of the next minute.
        if hour > 23 || minute > 59 || second > 60 {
            return Err("there is no such time of day");
        }
        let nanos = if self.accept(b".") {
            self.fraction().ok_or("digits are expected behind the point")?
        } else {
            0
        };
        let seconds = days * i128::from(SECONDS_PER_DAY) + i128::from(hour * 3600 + minute * 60 + second);
        Ok((seconds * i128::from(NANOS_PER_SECOND) + i128::from(nanos), true))
    }

    /// The digits behind the point, as nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let before = self.0.len();
        let mut nanos = self.digits(1, 9)?;
        for _ in before - self.0.len()..9 {
            nanos *= 10;
        }
        while self.digits(1, 1).is_some() {}
        Some(nanos)
    }

    /// `Z`, `+hhmm` or `+hh:mm`, as seconds.
    fn offset(&mut self) -> Result<i64, &'static str> {
        const OFFSET: &str = "an offset like Z, +0000 or +00:00 is expected behind the time";
        if self.accept(b"Zz") {
            return Ok(0);
        }
        let negative = match self.0.first() {
            Some(b'+') => false,
            Some(b'-') => true,
            _ => return Err(OFFSET),
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2, 2).ok_or(OFFSET)?;
        self.accept(b":");
        let minutes = self.digits(2, 2).ok_or(OFFSET)?;
        if hours > 23 || minutes > 59 {
            return Err("there is no such offset");
        }
        let offset = hours * 3600 + minutes * 60;
        Ok(if negative { -offset } else { offset })
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, in years that start in March so that the leap day is the last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Writes `2025-01-17T01:02:03.123456789`.
pub(crate) fn write_naive(nanos: i64, out: &mut Vec<u8>) {
    let mut text = *b"0000-00-00T00:00:00.000000000";
    let seconds = nanos.div_euclid(NANOS_PER_SECOND);
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], second / 3600);
    put(&mut text[14..16], second / 60 % 60);
    put(&mut text[17..19], second % 60);
    put(&mut text[20..29], nanos.rem_euclid(NANOS_PER_SECOND));
    out.extend_from_slice(&text);
}

/// Writes `2025-01-17T01:02:03.123456789+0000`.
pub(crate) fn write_utc(nanos: i64, out: &mut Vec<u8>) {
    write_naive(nanos, out);
    out.extend_from_slice(b"+0000");
}

/// Right-aligned digits.
fn put(digits: &mut [u8], mut value: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests;
