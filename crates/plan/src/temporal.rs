//! Times and intervals: which types go together in temporal operations.

use std::fmt;

use pathway_expr::{BinaryOp, Expr, numbers_of_windows};
use pathway_types::{DType, Value};

use crate::PlanError;

/// 1973-01-01, a Monday, in nanoseconds since 1970.
const FIRST_MONDAY_1973: i64 = 94_694_400 * 1_000_000_000;

/// What a temporal operation computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// INT times, INT intervals.
    Int,
    /// FLOAT times, FLOAT intervals; INT is converted.
    Float,
    /// Naive datetimes and durations.
    Naive,
    /// UTC datetimes and durations.
    Utc,
}

/// When rows and results that depend on time are shown, and from when on they stay as they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Behavior {
    /// By distances from the times of rows, or from the borders of windows.
    Common {
        /// Nothing is shown before the clock is so far after the start.
        delay: Option<Value>,
        /// What comes when the clock is so far after the end is ignored, and state is dropped.
        cutoff: Option<Value>,
        /// Results stay when their state is dropped.
        keep_results: bool,
    },
    /// Each result is shown once, when the clock is so far after its end.
    ExactlyOnce {
        /// How far; zero if not given.
        shift: Option<Value>,
    },
}

/// What to write instead, where the types tell.
fn way_out(arguments: &[(&str, Role, &DType)]) -> &'static str {
    let any =
        |fits: &dyn Fn(Role, &DType) -> bool| arguments.iter().any(|(_, role, dtype)| fits(*role, dtype));
    let times = |dtype: DType| any(&|role, found| role == Role::Time && *found == dtype);
    let dates = times(DType::DateTimeNaive) || times(DType::DateTimeUtc);
    if any(&|_, dtype| matches!(dtype, DType::Optional(_))) {
        " Remove None, with filter(column.is_not_none()) or coalesce."
    } else if times(DType::Str) {
        " Times that are texts become dates with dt.strptime, or numbers with str.parse_int."
    } else if times(DType::Any) {
        " Tell the type of Any with declare_type."
    } else if times(DType::Json) {
        " Convert Json, for example with as_int."
    } else if times(DType::DateTimeNaive) && times(DType::DateTimeUtc) {
        " Dates without a zone get one with dt.to_utc."
    } else if dates && any(&|role, dtype| role == Role::Interval && *dtype != DType::Duration) {
        " Lengths of time between dates are datetime.timedelta."
    } else if !dates && any(&|role, dtype| role == Role::Interval && *dtype == DType::Duration) {
        " Lengths of time between numbers are numbers."
    } else {
        ""
    }
}

/// What an argument of a temporal operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A point in time.
    Time,
    /// A distance between two.
    Interval,
}

impl TimeKind {
    const ALL: [TimeKind; 4] = [TimeKind::Int, TimeKind::Float, TimeKind::Naive, TimeKind::Utc];

    /// The kind that all arguments have in common.
    ///
    /// # Errors
    /// [`PlanError::Type`] that names all arguments and their types if there is none.
    pub fn of(arguments: &[(&str, Role, &DType)]) -> Result<TimeKind, PlanError> {
        let fits = |kind: &TimeKind| {
            arguments.iter().all(|(_, role, dtype)| dtype.is_subtype_of(&kind.dtype(*role), true))
        };
        TimeKind::ALL.into_iter().find(fits).ok_or_else(|| {
            let list = |one: &dyn Fn(&(&str, Role, &DType)) -> String| {
                format!("({})", arguments.iter().map(one).collect::<Vec<_>>().join(", "))
            };
            let accepted = TimeKind::ALL.map(|kind| list(&|(_, role, _)| kind.dtype(*role).to_string()));
            PlanError::Type(format!(
                "Arguments {} have to be of types {} but are of types {}.{}",
                list(&|(name, ..)| (*name).to_owned()),
                accepted.join(" or "),
                list(&|(.., dtype)| dtype.to_string()),
                way_out(arguments)
            ))
        })
    }

    /// The dtype of its times or intervals.
    pub fn dtype(self, role: Role) -> DType {
        match (self, role) {
            (TimeKind::Int, _) => DType::Int,
            (TimeKind::Float, _) => DType::Float,
            (TimeKind::Naive, Role::Time) => DType::DateTimeNaive,
            (TimeKind::Utc, Role::Time) => DType::DateTimeUtc,
            (TimeKind::Naive | TimeKind::Utc, Role::Interval) => DType::Duration,
        }
    }

    /// An argument as this kind computes with it: INT becomes FLOAT where that is the kind.
    ///
    /// # Errors
    /// [`PlanError::Type`] if it is no argument of this kind.
    pub fn convert(self, argument: &Expr) -> Result<Expr, PlanError> {
        if self != TimeKind::Float || *argument.dtype() == DType::Float {
            return Ok(argument.clone());
        }
        match argument.as_constant() {
            Some(value) => Ok(Expr::constant(value.clone(), DType::Float)?),
            None => Ok(Expr::cast(DType::Float, argument.clone())?),
        }
    }

    /// An interval of no length.
    pub(crate) fn zero(self) -> Value {
        match self {
            TimeKind::Int => Value::Int(0),
            TimeKind::Float => Value::Float(0.0),
            TimeKind::Naive | TimeKind::Utc => Value::Duration(0),
        }
    }

    /// Where windows start unless told otherwise.
    pub(crate) fn origin(self) -> Value {
        match self {
            TimeKind::Int => Value::Int(0),
            TimeKind::Float => Value::Float(0.0),
            TimeKind::Naive => Value::DateTimeNaive(FIRST_MONDAY_1973),
            TimeKind::Utc => Value::DateTimeUtc(FIRST_MONDAY_1973),
        }
    }
}

impl fmt::Display for TimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.dtype(Role::Time))
    }
}

#[cfg(test)]
mod tests;

/// A time or an interval that is a constant, as a whole number.
pub(crate) fn whole(constant: &Expr) -> Option<i64> {
    match constant.as_constant() {
        Some(
            Value::Int(number)
            | Value::Duration(number)
            | Value::DateTimeNaive(number)
            | Value::DateTimeUtc(number),
        ) => Some(*number),
        _ => None,
    }
}

/// The numbers of the first and the last window of a grid; none is before the `least`. Windows are
/// `ratio` hops long, or, where that is 0, as long as the span.
pub(crate) fn windows(hop: &Expr, span: &Expr, ratio: i64, origin: &Expr, least: i64) -> (i64, i64) {
    let (first, last) = match (whole(hop), whole(span), whole(origin)) {
        (Some(hop), _, Some(origin)) if ratio > 0 => {
            numbers_of_windows(hop, i128::from(hop) * i128::from(ratio), origin)
        }
        (Some(hop), Some(span), Some(origin)) => numbers_of_windows(hop, span.into(), origin),
        _ => (i64::MIN, i64::MAX),
    };
    (first.max(least), last)
}

/// A constant of the dtype of an expression over whole times or intervals.
pub(crate) fn constant_like(whole: &Expr, number: i64) -> Expr {
    Expr::literal(match whole.dtype() {
        DType::DateTimeNaive => Value::DateTimeNaive(number),
        DType::DateTimeUtc => Value::DateTimeUtc(number),
        DType::Duration => Value::Duration(number),
        _ => Value::Int(number),
    })
}

/// The time so much later. Where whole times have none so much later, it is the last one there is (or, for a negative
/// distance, the first).
pub(crate) fn later(time: &Expr, distance: &Expr) -> Result<Expr, PlanError> {
    let sum = Expr::binary(BinaryOp::Add, time.clone(), distance.clone())?;
    let (Some(length), false) = (whole(distance), *time.dtype() == DType::Float) else { return Ok(sum) };
    if let Some(time_is) = whole(time) {
        return Ok(constant_like(time, time_is.saturating_add(length)));
    }
    Ok(match beyond(time, length)? {
        Some((is_beyond, end)) => Expr::if_else(is_beyond, constant_like(time, end), sum)?,
        None => sum,
    })
}

/// The time so much later, or None where whole times have none so much later.
pub(crate) fn later_if_any(time: &Expr, distance: &Expr) -> Result<Expr, PlanError> {
    let sum = Expr::binary(BinaryOp::Add, time.clone(), distance.clone())?;
    let (Some(length), false) = (whole(distance), *time.dtype() == DType::Float) else { return Ok(sum) };
    Ok(match beyond(time, length)? {
        Some((is_beyond, _)) => Expr::if_else(is_beyond, Expr::literal(Value::None), sum)?,
        None => sum,
    })
}

/// Whether what is so much later than a whole time is beyond all times, if that can be, and which is the last of these.
fn beyond(time: &Expr, length: i64) -> Result<Option<(Expr, i64)>, PlanError> {
    let (is_beyond, border, end) = match length {
        0 => return Ok(None),
        1.. => (BinaryOp::Gt, i64::MAX - length, i64::MAX),
        _ => (BinaryOp::Lt, i64::MIN - length, i64::MIN),
    };
    Ok(Some((Expr::binary(is_beyond, time.clone(), constant_like(time, border))?, end)))
}
