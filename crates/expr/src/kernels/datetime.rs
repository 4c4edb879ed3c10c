//! `.dt`: all values are whole nanoseconds of 64 bits, since 1970-01-01T00:00:00 for datetimes.

pub(crate) mod fields;
pub(crate) mod format;
pub(crate) mod parse;
pub(crate) mod rounding;
pub(crate) mod units;
pub(crate) mod zones;

use pathway_types::DataError;

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// The instant lies outside of what 64-bit nanoseconds can tell.
pub(crate) fn out_of_range() -> DataError {
    DataError::parse(
        "the datetime is outside of the range from 1677-09-21 to 2262-04-11 that nanoseconds can tell",
    )
}
