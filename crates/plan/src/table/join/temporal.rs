//! Joins in which times matter.

use pathway_expr::Expr;
use pathway_types::Value;

use super::comparable;
use crate::PlanError;
use crate::col::Col;
use crate::program::{Bounds, Direction, JoinMode, Matching};
use crate::table::Window;
use crate::temporal::{Behavior, Role, TimeKind, later_if_any};

/// How times decide which rows of a join match.
#[derive(Clone, Debug)]
pub enum InTime {
    /// Rows whose times are so far apart.
    Interval {
        /// The time of a left row and that of a right row.
        times: (Col, Col),
        /// The right time minus the left one: at least.
        lower: Expr,
        /// And at most.
        upper: Expr,
        /// Which rows are held back, dropped and forgotten.
        behavior: Option<Behavior>,
    },
    /// Each row with the nearest one of the other side; the mode says which rows.
    AsOf {
        /// The time of a left row and that of a right row.
        times: (Col, Col),
        /// Where the nearest one is.
        direction: Direction,
        /// Which rows are held back, dropped and forgotten.
        behavior: Option<Behavior>,
    },
    /// Rows that are in one window, once for each such window.
    Window {
        /// The time of a left row and that of a right row.
        times: (Col, Col),
        /// How times are put into windows; sessions are made of the rows of both sides.
        window: Window,
    },
    /// Each left row with the right rows that are there at the end of the time at which it comes; inner
    /// or left.
    AsOfNow,
}

/// What of it is left to the operator, and what is one more equality.
pub(super) enum Temporal {
    Matching(Matching<Expr>),
    Equality(Expr, Expr),
}

impl InTime {
    pub(super) fn times(&self) -> Option<&(Col, Col)> {
        match self {
            InTime::Interval { times, .. } | InTime::AsOf { times, .. } | InTime::Window { times, .. } => {
                Some(times)
            }
            InTime::AsOfNow => None,
        }
    }

    /// The windows that rows have in common.
    pub(super) fn window(&self) -> Option<&Window> {
        match self {
            InTime::Window { window, .. } => Some(window),
            _ => None,
        }
    }

    pub(super) fn behavior(&self) -> Option<&Behavior> {
        match self {
            InTime::Interval { behavior, .. } | InTime::AsOf { behavior, .. } => behavior.as_ref(),
            InTime::Window { .. } | InTime::AsOfNow => None,
        }
    }

    /// Refuses times that do not go together.
    pub(super) fn check(&self, left: &Expr, right: &Expr, mode: JoinMode) -> Result<(), PlanError> {
        self.matching(Some([left.clone(), right.clone()]), mode).map(drop)
    }

    /// True if results stay when the rows are forgotten that they came from.
    fn keeps(&self) -> bool {
        matches!(self.behavior(), Some(Behavior::Common { cutoff: Some(_), keep_results: true, .. }))
    }

    /// What it decides of rows with these times, which are checked and brought to one type.
    pub(super) fn matching(&self, times: Option<[Expr; 2]>, mode: JoinMode) -> Result<Temporal, PlanError> {
        let matching = match (self, times) {
            (InTime::Interval { lower, upper, .. }, Some([left, right])) => {
                return interval(left, right, lower, upper, self.keeps());
            }
            (InTime::AsOf { .. }, _) if mode == JoinMode::Inner => {
                return Err(PlanError::Value("Unsupported asof join mode: inner.".to_owned()));
            }
            (InTime::AsOf { direction, .. }, Some([left, right])) => {
                let times = [("t_left", Role::Time, left.dtype()), ("t_right", Role::Time, right.dtype())];
                let kind = TimeKind::of(&times)?;
                let times = [kind.convert(&left)?, kind.convert(&right)?];
                Matching::AsOf { times, direction: *direction }
            }
            (InTime::Window { .. }, _) => Matching::Equal,
            _ if matches!(mode, JoinMode::Right | JoinMode::Outer) => {
                return Err(PlanError::Value(
                    "asof_now_join can only use modes inner and left: a right row is never joined by itself"
                        .to_owned(),
                ));
            }
            _ => Matching::AsOfNow,
        };
        Ok(Temporal::Matching(matching))
    }
}

/// The rows that are so far apart.
///
/// With `keeps`, a difference is no equality: that does not tell forgotten rows.
fn interval(left: Expr, right: Expr, lower: &Expr, upper: &Expr, keeps: bool) -> Result<Temporal, PlanError> {
    let kind = TimeKind::of(&[
        ("self_time_expression", Role::Time, left.dtype()),
        ("other_time_expression", Role::Time, right.dtype()),
        ("lower_bound", Role::Interval, lower.dtype()),
        ("upper_bound", Role::Interval, upper.dtype()),
    ])?;
    let (left, right) = (kind.convert(&left)?, kind.convert(&right)?);
    let (lower, upper) = (kind.convert(lower)?, kind.convert(upper)?);
    let bounds = match (lower.as_constant(), upper.as_constant()) {
        (
            Some(Value::Int(lower) | Value::Duration(lower)),
            Some(Value::Int(upper) | Value::Duration(upper)),
        ) => Bounds::Int(*lower, *upper),
        (Some(Value::Float(lower)), Some(Value::Float(upper))) => Bounds::Float(*lower, *upper),
        _ => return Err(PlanError::Type("the bounds of an interval are constants".to_owned())),
    };
    let (is_point, is_interval) = match bounds {
        Bounds::Int(lower, upper) => (lower == upper, lower <= upper),
        Bounds::Float(lower, upper) => (lower == upper, lower <= upper),
    };
    if !is_interval {
        return Err(PlanError::Value(
            "lower_bound has to be less than or equal to the upper_bound in the Table.interval_join()."
                .to_owned(),
        ));
    }
    if is_point && !keeps {
        // The times that are exactly so far apart are equal when one is shifted. None is equal to no time.
        let (shifted, right) = comparable(later_if_any(&left, &lower)?, right)?;
        return Ok(Temporal::Equality(shifted, right));
    }
    Ok(Temporal::Matching(Matching::Interval { times: [left, right], bounds, keeps: false }))
}
