//! Times and intervals: which types go together in temporal operations.

use std::fmt;

use pathway_expr::Expr;
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
                "Arguments {} have to be of types {} but are of types {}.",
                list(&|(name, ..)| (*name).to_owned()),
                accepted.join(" or "),
                list(&|(.., dtype)| dtype.to_string())
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
