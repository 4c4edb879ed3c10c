//! The built-in functions: names, signatures, and which of them can fail on a value.
//!
//! A call takes the first overload whose types are supertypes of the arguments' types. Functions
//! whose result depends on a constant argument have typing code of their own in `special`.

use pathway_types::{DType, Value};

use super::{special, window};
use crate::{Expr, ExprError};

/// One function.
pub(crate) struct Entry {
    /// The internal name.
    pub(crate) name: &'static str,
    /// How a call is typed.
    pub(crate) typing: Typing,
    /// A row can become an error by this function.
    pub(crate) fallible: bool,
}

/// How a call is typed.
pub(crate) enum Typing {
    /// By a list of signatures.
    Overloads {
        /// Tried in this order.
        overloads: &'static [Overload],
        /// Values of trailing arguments that are left out.
        defaults: &'static [Literal],
    },
    /// By code, since constants decide.
    Special(fn(&'static str, Vec<Expr>) -> Result<Expr, ExprError>),
}

/// One signature.
pub(crate) struct Overload {
    pub(crate) arguments: &'static [Type],
    pub(crate) result: Type,
}

/// The dtypes that occur in signatures.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    Int,
    Float,
    Bool,
    Str,
    Naive,
    Utc,
    Duration,
    OptionalInt,
    OptionalStr,
}

impl Type {
    /// The dtype.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Type::Int => DType::Int,
            Type::Float => DType::Float,
            Type::Bool => DType::Bool,
            Type::Str => DType::Str,
            Type::Naive => DType::DateTimeNaive,
            Type::Utc => DType::DateTimeUtc,
            Type::Duration => DType::Duration,
            Type::OptionalInt => DType::optional(DType::Int),
            Type::OptionalStr => DType::optional(DType::Str),
        }
    }
}

/// The default of an argument.
#[derive(Clone, Copy)]
pub(crate) enum Literal {
    None,
    Int(i64),
}

impl Literal {
    /// The value.
    pub(crate) fn value(self) -> Value {
        match self {
            Literal::None => Value::None,
            Literal::Int(value) => Value::Int(value),
        }
    }
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    let name = match name {
        // The public names of methods whose internal name differs.
        "str.reversed" => "str.reverse",
        "str.startswith" => "str.starts_with",
        "str.endswith" => "str.ends_with",
        "str.swapcase" => "str.swap_case",
        "str.removeprefix" => "str.remove_prefix",
        "str.removesuffix" => "str.remove_suffix",
        "dt.to_naive_in_timezone" => "dt.to_to_naive_in_timezone",
        other => other,
    };
    FUNCTIONS.iter().find(|entry| entry.name == name)
}

/// The internal names of all built-in functions.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|entry| entry.name)
}

macro_rules! overloads {
    ($(($($argument:ident),*) -> $result:ident),* $(; $($default:expr),*)?) => {
        Typing::Overloads {
            overloads: &[$(Overload { arguments: &[$(Type::$argument),*], result: Type::$result }),*],
            defaults: &[$($($default),*)?],
        }
    };
}

const fn total(name: &'static str, typing: Typing) -> Entry {
    Entry { name, typing, fallible: false }
}

const fn fallible(name: &'static str, typing: Typing) -> Entry {
    Entry { name, typing, fallible: true }
}

use Literal::{Int as LitInt, None as LitNone};

static FUNCTIONS: &[Entry] = &[
    total("str.lower", overloads!((Str) -> Str)),
    total("str.upper", overloads!((Str) -> Str)),
    total("str.title", overloads!((Str) -> Str)),
    total("str.swap_case", overloads!((Str) -> Str)),
    total("str.reverse", overloads!((Str) -> Str)),
    total("str.len", overloads!((Str) -> Int)),
    total("str.replace", overloads!((Str, Str, Str, Int) -> Str; LitInt(-1))),
    total("str.starts_with", overloads!((Str, Str) -> Bool)),
    total("str.ends_with", overloads!((Str, Str) -> Bool)),
    total("str.strip", overloads!((Str, OptionalStr) -> Str; LitNone)),
    total("str.count", overloads!((Str, Str, OptionalInt, OptionalInt) -> Int; LitNone, LitNone)),
    total("str.find", overloads!((Str, Str, OptionalInt, OptionalInt) -> Int; LitNone, LitNone)),
    total("str.rfind", overloads!((Str, Str, OptionalInt, OptionalInt) -> Int; LitNone, LitNone)),
    total("str.remove_prefix", overloads!((Str, Str) -> Str)),
    total("str.remove_suffix", overloads!((Str, Str) -> Str)),
    total("str.slice", overloads!((Str, Int, Int) -> Str)),
    fallible("str.parse_int", Typing::Special(special::parse_number)),
    fallible("str.parse_float", Typing::Special(special::parse_number)),
    fallible("str.parse_bool", Typing::Special(special::parse_bool)),
    total("num.abs", overloads!((Int) -> Int, (Float) -> Float)),
    total("num.round", overloads!((Int, Int) -> Int, (Float, Int) -> Float; LitInt(0))),
    total("num.fill_na", Typing::Special(special::fill_na)),
    total("dt.year", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.month", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.day", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.hour", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.minute", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.second", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.millisecond", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.microsecond", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.nanosecond", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.weekday", overloads!((Naive) -> Int, (Utc) -> Int)),
    total("dt.timestamp", Typing::Special(special::timestamp)),
    fallible("dt.strptime", Typing::Special(special::strptime)),
    fallible("dt.strftime", overloads!((Naive, Str) -> Str, (Utc, Str) -> Str)),
    fallible("dt.to_utc", overloads!((Naive, Str) -> Utc)),
    fallible("dt.to_to_naive_in_timezone", overloads!((Utc, Str) -> Naive)),
    fallible("dt.add_duration_in_timezone", overloads!((Naive, Duration, Str) -> Naive)),
    fallible("dt.subtract_duration_in_timezone", overloads!((Naive, Duration, Str) -> Naive)),
    fallible("dt.subtract_date_time_in_timezone", overloads!((Naive, Naive, Str) -> Duration)),
    fallible("dt.round", Typing::Special(special::round_to)),
    fallible("dt.floor", Typing::Special(special::round_to)),
    total("dt.nanoseconds", overloads!((Duration) -> Int)),
    total("dt.microseconds", overloads!((Duration) -> Int)),
    total("dt.milliseconds", overloads!((Duration) -> Int)),
    total("dt.seconds", overloads!((Duration) -> Int)),
    total("dt.minutes", overloads!((Duration) -> Int)),
    total("dt.hours", overloads!((Duration) -> Int)),
    total("dt.days", overloads!((Duration) -> Int)),
    total("dt.weeks", overloads!((Duration) -> Int)),
    fallible("dt.to_duration", overloads!((Int, Str) -> Duration)),
    fallible("dt.from_timestamp", Typing::Special(special::from_timestamp)),
    fallible("dt.utc_from_timestamp", Typing::Special(special::from_timestamp)),
    fallible("window.number", Typing::Special(window::number)),
    fallible("window.numbers", Typing::Special(window::numbers)),
];
