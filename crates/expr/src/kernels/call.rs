//! The implementations of the built-in functions, by name.

use std::fmt;

use pathway_types::DType;

use super::datetime::{fields, format, parse, rounding, units, zones};
use super::numeric;
use super::strings::{affix, case, parse as text_parse, replace, search, slice};
use super::window;
use crate::evaluate::cells::Cells;

/// The arguments of a call.
pub(crate) struct Call<'a> {
    /// The arguments.
    pub(crate) operands: &'a [Cells],
    /// Their dtypes.
    pub(crate) types: &'a [&'a DType],
    /// The dtype of the result.
    pub(crate) dtype: &'a DType,
    /// The number of rows.
    pub(crate) rows: usize,
}

impl<'a> Call<'a> {
    /// An argument and its dtype.
    pub(crate) fn side(&self, i: usize) -> (&'a Cells, &'a DType) {
        (&self.operands[i], self.types[i])
    }
    /// All arguments and their dtypes.
    pub(crate) fn sides(&self) -> Vec<(&'a Cells, &'a DType)> {
        (0..self.operands.len()).map(|i| self.side(i)).collect()
    }
}

/// A function's implementation.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    /// The internal name.
    pub(crate) name: &'static str,
    run: fn(&Call<'_>) -> Cells,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs a function.
pub(crate) fn call(kernel: &Kernel, call: &Call<'_>) -> Cells {
    let operands: Vec<Cells> = call
        .operands
        .iter()
        .zip(call.types)
        .map(|(cells, dtype)| cells.spread_none(dtype, call.rows))
        .collect();
    (kernel.run)(&Call { operands: &operands, ..*call })
}

/// The implementation of a function.
pub(crate) fn kernel(name: &str) -> Option<Kernel> {
    KERNELS.iter().find(|kernel| kernel.name == name).copied()
}

const fn of(name: &'static str, run: fn(&Call<'_>) -> Cells) -> Kernel {
    Kernel { name, run }
}

static KERNELS: &[Kernel] = &[
    of("str.lower", case::lower),
    of("str.upper", case::upper),
    of("str.title", case::title),
    of("str.swap_case", case::swap_case),
    of("str.reverse", slice::reverse),
    of("str.len", slice::len),
    of("str.slice", slice::slice),
    of("str.replace", replace::replace),
    of("str.starts_with", affix::starts_with),
    of("str.ends_with", affix::ends_with),
    of("str.remove_prefix", affix::remove_prefix),
    of("str.remove_suffix", affix::remove_suffix),
    of("str.strip", affix::strip),
    of("str.count", search::count),
    of("str.find", search::find),
    of("str.rfind", search::rfind),
    of("str.parse_int", text_parse::int),
    of("str.parse_float", text_parse::float),
    of("str.parse_bool", text_parse::bool),
    of("num.abs", numeric::abs),
    of("num.round", numeric::round),
    of("num.fill_na", numeric::fill_na),
    of("dt.year", fields::year),
    of("dt.month", fields::month),
    of("dt.day", fields::day),
    of("dt.hour", fields::hour),
    of("dt.minute", fields::minute),
    of("dt.second", fields::second),
    of("dt.millisecond", fields::millisecond),
    of("dt.microsecond", fields::microsecond),
    of("dt.nanosecond", fields::nanosecond),
    of("dt.weekday", fields::weekday),
    of("dt.timestamp", units::timestamp),
    of("dt.strptime", parse::strptime),
    of("dt.strftime", format::strftime),
    of("dt.to_utc", zones::to_utc),
    of("dt.to_to_naive_in_timezone", zones::to_naive),
    of("dt.add_duration_in_timezone", zones::add_duration),
    of("dt.subtract_duration_in_timezone", zones::subtract_duration),
    of("dt.subtract_date_time_in_timezone", zones::subtract_date_time),
    of("dt.round", rounding::round),
    of("dt.floor", rounding::floor),
    of("dt.nanoseconds", units::nanoseconds),
    of("dt.microseconds", units::microseconds),
    of("dt.milliseconds", units::milliseconds),
    of("dt.seconds", units::seconds),
    of("dt.minutes", units::minutes),
    of("dt.hours", units::hours),
    of("dt.days", units::days),
    of("dt.weeks", units::weeks),
    of("dt.to_duration", units::to_duration),
    of("dt.from_timestamp", units::from_timestamp),
    of("dt.utc_from_timestamp", units::from_timestamp),
    of("window.number", window::number),
    of("window.numbers", window::numbers),
];
