//! Behaviors of windows: which records are late, held back and forgotten.
//!
//! A record is a row in one of its windows. Records pass three operators, each with a clock of its own:
//! the late ones are dropped, what is too early is held back, and what is over is forgotten. If results are
//! kept, the removals of what is forgotten are marked, and are taken out of the result.

use pathway_expr::{BinaryOp, Expr};
use pathway_types::Value;

use super::super::stateful::{Clock, comparable};
use super::grid::Grid;
use super::intervals::LOCATION;
use super::{KEY, NUMBER, Table};
use crate::PlanError;
use crate::stateful::SessionBehavior;
use crate::temporal::{Behavior, Role, TimeKind, constant_like, later, whole};

/// A behavior by distances from the borders of windows.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    delay: Option<Expr>,
    cutoff: Option<Expr>,
    keep_results: bool,
}

impl Limits {
    /// What a behavior means for windows of this kind and length.
    pub(super) fn new(behavior: &Behavior, grid: &Grid) -> Result<Limits, PlanError> {
        Ok(match parts(behavior, grid.kind)? {
            Parts::Common { delay, cutoff, keep_results } => Limits { delay, cutoff, keep_results },
            Parts::ExactlyOnce { shift } => {
                let delay = later(grid.span(), &shift)?;
                Limits { delay: Some(delay), cutoff: Some(shift), keep_results: true }
            }
        })
    }

    /// True if results have to be told from what forgetting makes of them.
    pub(super) fn marks(&self) -> bool {
        self.cutoff.is_some() && self.keep_results
    }

    /// The records that come through, when they come through; their time is then at least that of the delay.
    #[track_caller]
    pub(super) fn apply(&self, records: Table, grid: &Grid) -> Result<Table, PlanError> {
        let frame = records.here();
        let mut records = records;
        let key = |records: &Table| records.column(KEY);
        let end = |records: &Table, cutoff: &Expr| later(&grid.end(&records.column(NUMBER)?)?, cutoff);
        if let Some(cutoff) = &self.cutoff {
            records = records.freeze_windows(end(&records, cutoff)?, key(&records)?)?.at(frame.clone());
        }
        if let Some(delay) = &self.delay {
            let due = |records: &Table| later(&grid.start(&records.column(NUMBER)?)?, delay);
            records = records.buffer(&due(&records)?, &key(&records)?, None)?.at(frame.clone());
            let (time, due) = comparable("windowby", key(&records)?, due(&records)?)?;
            let early = Expr::binary(BinaryOp::Lt, time.clone(), due.clone())?;
            let shown = Expr::if_else(early, due, time)?;
            records = records.with_columns([(KEY, shown, frame.clone())])?.at(frame.clone());
        }
        if let Some(cutoff) = &self.cutoff {
            let marks = self.keep_results;
            records = records.forget(&end(&records, cutoff)?, &key(&records)?, None, marks)?.at(frame);
        }
        Ok(records)
    }
}

/// A behavior whose intervals go with times of some kind.
pub(super) enum Parts {
    Common { delay: Option<Expr>, cutoff: Option<Expr>, keep_results: bool },
    ExactlyOnce { shift: Expr },
}

/// The intervals of a behavior, for times of this kind.
pub(super) fn parts(behavior: &Behavior, kind: TimeKind) -> Result<Parts, PlanError> {
    let limit = |name: &str, value: &Option<Value>| match value {
        None => Ok(None),
        Some(Value::Float(value)) if value.is_nan() => {
            Err(PlanError::Value(format!("the {name} of a behavior must be a number, not nan")))
        }
        Some(value) => Ok(Some(Expr::literal(value.clone()))),
    };
    match behavior {
        Behavior::Common { cutoff: None, keep_results: false, .. } => Err(PlanError::Value(
            "without a cutoff no window is closed, so that keep_results=False has no meaning".to_owned(),
        )),
        Behavior::Common { delay, cutoff, keep_results } => {
            let (delay, cutoff) = (limit("delay", delay)?, limit("cutoff", cutoff)?);
            fits(kind, &[("behavior.delay", &delay), ("behavior.cutoff", &cutoff)])?;
            Ok(Parts::Common { delay, cutoff, keep_results: *keep_results })
        }
        Behavior::ExactlyOnce { shift } => {
            let shift = limit("shift", shift)?;
            fits(kind, &[("behavior.shift", &shift)])?;
            Ok(Parts::ExactlyOnce { shift: shift.unwrap_or_else(|| Expr::literal(kind.zero())) })
        }
    }
}

/// What a behavior means for sessions with this gap. A session is over when the clock has come so far that
/// no row in time can join it, and then the cutoff.
pub(super) fn of_sessions(
    behavior: &Behavior,
    kind: TimeKind,
    gap: &Value,
) -> Result<SessionBehavior, PlanError> {
    let interval = |limit: &Expr| {
        let limit = kind.convert(limit)?;
        // Whole times have come so far when they have come to the next whole number.
        Ok::<Value, PlanError>(match limit.as_constant() {
            Some(Value::Float(limit)) if kind != TimeKind::Float => Value::Int(limit.ceil() as i64),
            Some(limit) => limit.clone(),
            None => kind.zero(),
        })
    };
    let over = |cutoff: &Expr| {
        Ok::<Value, PlanError>(match (interval(cutoff)?, gap) {
            (Value::Int(cutoff), Value::Int(gap)) => Value::Int(gap.saturating_add(cutoff)),
            (Value::Duration(cutoff), Value::Duration(gap)) => Value::Duration(gap.saturating_add(cutoff)),
            (Value::Float(cutoff), Value::Float(gap)) => Value::Float(gap + cutoff),
            (cutoff, gap) => {
                return Err(PlanError::Type(format!(
                    "{cutoff} cannot be added to the gap {gap} of sessions"
                )));
            }
        })
    };
    Ok(match parts(behavior, kind)? {
        Parts::Common { delay, cutoff, keep_results } => SessionBehavior {
            delay: delay.as_ref().map(interval).transpose()?,
            once: false,
            over: cutoff.as_ref().map(over).transpose()?,
            keeps: keep_results,
        },
        Parts::ExactlyOnce { shift } => {
            SessionBehavior { delay: None, once: true, over: Some(over(&shift)?), keeps: true }
        }
    })
}

/// A behavior of windows around values. Their clock goes by the times of the rows. A window is over when the
/// clock has reached its end and then the cutoff: its value is then forgotten, or not taken any more, so
/// that no rows join it. Rows are needed as long as a window may hold them that is not over.
pub(super) struct Borders {
    /// From the value to where the window is shown.
    shown: Option<Expr>,
    /// From the value to where it is over.
    over: Option<Expr>,
    /// From a row to where all windows are over that may hold it.
    needed: Option<Expr>,
    keep_results: bool,
}

impl Borders {
    /// What a behavior means for windows between these distances from their values.
    pub(super) fn new(
        behavior: &Behavior,
        kind: TimeKind,
        lower: &Expr,
        upper: &Expr,
    ) -> Result<Borders, PlanError> {
        let length = match (whole(upper), whole(lower)) {
            (Some(end), Some(start)) => constant_like(upper, end.saturating_sub(start)),
            _ => Expr::binary(BinaryOp::Sub, upper.clone(), lower.clone())?,
        };
        Ok(match parts(behavior, kind)? {
            Parts::Common { delay, cutoff, keep_results } => Borders {
                shown: delay.as_ref().map(|delay| later(lower, delay)).transpose()?,
                over: cutoff.as_ref().map(|cutoff| later(upper, cutoff)).transpose()?,
                needed: cutoff.as_ref().map(|cutoff| later(&length, cutoff)).transpose()?,
                keep_results,
            },
            Parts::ExactlyOnce { shift } => {
                let over = Some(later(upper, &shift)?);
                Borders {
                    shown: over.clone(),
                    over,
                    needed: Some(later(&length, &shift)?),
                    keep_results: true,
                }
            }
        })
    }

    /// True if results have to be told from what forgetting makes of them.
    pub(super) fn marks(&self) -> bool {
        self.over.is_some() && self.keep_results
    }

    /// The values and the rows, when they are there.
    #[track_caller]
    pub(super) fn apply(&self, values: Table, rows: Table) -> Result<(Table, Table), PlanError> {
        let frame = rows.here();
        let (mut values, mut rows) = (values, rows);
        let clock =
            |rows: &Table| Ok::<Clock, PlanError>(Clock { rows: rows.clone(), time: rows.column(KEY)? });
        let after = |table: &Table, column: &str, distance: &Expr| later(&table.column(column)?, distance);
        if let (Some(over), Some(needed)) = (&self.over, &self.needed) {
            values = values.freeze_by(&after(&values, LOCATION, over)?, &clock(&rows)?)?.at(frame.clone());
            rows = rows.freeze_windows(after(&rows, KEY, needed)?, rows.column(KEY)?)?.at(frame.clone());
        }
        let clock = clock(&rows)?;
        if let Some(shown) = &self.shown {
            let mut at = after(&values, LOCATION, shown)?;
            if let Some(over) = &self.over {
                // What is over is shown, whatever the delay.
                let over = after(&values, LOCATION, over)?;
                let (a, b) = comparable("windowby", at, over)?;
                at = Expr::if_else(Expr::binary(BinaryOp::Lt, a.clone(), b.clone())?, a, b)?;
            }
            values = values.buffer_by(&at, &clock)?.at(frame.clone());
        }
        if let (Some(over), Some(needed)) = (&self.over, &self.needed) {
            let marks = self.keep_results;
            values = values.forget_by(&after(&values, LOCATION, over)?, &clock, marks)?.at(frame.clone());
            rows = rows.forget_by(&after(&rows, KEY, needed)?, &clock, marks)?.at(frame);
        }
        Ok((values, rows))
    }
}

/// Checks that intervals can be added to times of a kind.
fn fits(kind: TimeKind, intervals: &[(&str, &Option<Expr>)]) -> Result<(), PlanError> {
    let time = kind.dtype(Role::Time);
    let mut arguments = vec![("time_expr", Role::Time, &time)];
    for (name, interval) in intervals {
        arguments.extend(interval.iter().map(|interval| (*name, Role::Interval, interval.dtype())));
    }
    TimeKind::of(&arguments).map(|_| ())
}
