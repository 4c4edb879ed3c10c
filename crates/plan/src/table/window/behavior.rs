//! Behaviors of windows: which records are late, held back and forgotten.
//!
//! A record is a row in one of its windows. Records pass three operators, each with a clock of its own:
//! the late ones are dropped, what is too early is held back, and what is over is forgotten. If results are
//! kept, the removals of what is forgotten are marked, and are taken out of the result.

use pathway_expr::{BinaryOp, Expr};
use pathway_types::Value;

use super::super::stateful::comparable;
use super::grid::Grid;
use super::{KEY, NUMBER, Table};
use crate::PlanError;
use crate::temporal::{Behavior, Role, TimeKind};

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
                fits(grid.kind, &[("behavior.delay", &delay), ("behavior.cutoff", &cutoff)])?;
                Ok(Limits { delay, cutoff, keep_results: *keep_results })
            }
            Behavior::ExactlyOnce { shift } => {
                let shift = limit("shift", shift)?;
                fits(grid.kind, &[("behavior.shift", &shift)])?;
                let shift = shift.unwrap_or_else(|| Expr::literal(grid.kind.zero()));
                let delay = Expr::binary(BinaryOp::Add, grid.span().clone(), shift.clone())?;
                Ok(Limits { delay: Some(delay), cutoff: Some(shift), keep_results: true })
            }
        }
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
        let end = |records: &Table, cutoff: &Expr| {
            Expr::binary(BinaryOp::Add, grid.end(&records.column(NUMBER)?)?, cutoff.clone())
                .map_err(PlanError::from)
        };
        if let Some(cutoff) = &self.cutoff {
            records = records.freeze_windows(end(&records, cutoff)?, key(&records)?)?.at(frame.clone());
        }
        if let Some(delay) = &self.delay {
            let due = |records: &Table| {
                Expr::binary(BinaryOp::Add, grid.start(&records.column(NUMBER)?)?, delay.clone())
                    .map_err(PlanError::from)
            };
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

/// Checks that intervals can be added to times of a kind.
fn fits(kind: TimeKind, intervals: &[(&str, &Option<Expr>)]) -> Result<(), PlanError> {
    let time = kind.dtype(Role::Time);
    let mut arguments = vec![("time_expr", Role::Time, &time)];
    for (name, interval) in intervals {
        arguments.extend(interval.iter().map(|interval| (*name, Role::Interval, interval.dtype())));
    }
    TimeKind::of(&arguments).map(|_| ())
}
