//! What a behavior does to the rows of the two sides of a join in time, and to its results.
//!
//! Rows are held back (delay), then late ones are dropped, and old ones forgotten (cutoff), each side by a
//! clock of its own. What is forgotten is removed at odd times where results are kept.

use pathway_expr::{BinaryOp, Expr};

use super::Table;
use crate::PlanError;
use crate::col::as_reference;
use crate::graph::{Join, NodeId, Op, State, Stateful};
use crate::program::Matching;
use crate::stateful::{Forgetting, StatefulKind};
use crate::temporal::{Behavior, Role, TimeKind};

/// The time among the columns of the rows, which no column of a table is named.
const TIME: &str = "\0time";

/// The rows of a side that a join sees: its columns and what was added to them.
#[derive(Clone)]
pub(super) struct Rows {
    /// The table of these rows.
    pub(super) table: Table,
    /// The node of the side.
    side: NodeId,
}

impl Rows {
    /// All rows of the side.
    pub(super) fn all(side: &Table) -> Rows {
        Rows { table: side.clone(), side: side.node }
    }

    /// Rows made from those of the side; their first columns are those of the side.
    pub(super) fn made(side: &Table, table: Table) -> Rows {
        Rows { table, side: side.node }
    }

    /// An expression over the rows of the side as one over these.
    pub(super) fn moved(&self, expression: &Expr) -> Expr {
        if self.table.node == self.side {
            return expression.clone();
        }
        expression.rewrite(&mut |e| match as_reference(e)? {
            (table, _) if table != self.side => None,
            (_, None) => Some(self.table.row_id()),
            (_, Some(column)) => Some(self.table.column_at(column as usize)),
        })
    }

    /// The rows of the side that a behavior lets through, and their time.
    #[track_caller]
    pub(super) fn behaving(
        side: &Table,
        time: &Expr,
        behavior: &Behavior,
    ) -> Result<(Rows, Expr), PlanError> {
        let Behavior::Common { delay, cutoff, keep_results } = behavior else {
            return Err(PlanError::Value(
                "The behavior argument of join should be of type pathway.temporal.CommonBehavior.".to_owned(),
            ));
        };
        let frame = side.here();
        let mut rows = side.with_columns([(TIME, time.clone(), frame.clone())])?.at(frame.clone());
        let threshold = |rows: &Table, name: &str, distance: &Expr| -> Result<(Expr, Expr), PlanError> {
            let time = rows.column(TIME)?;
            let kind = TimeKind::of(&[
                ("time", Role::Time, time.dtype()),
                (name, Role::Interval, distance.dtype()),
            ])?;
            let threshold = Expr::binary(BinaryOp::Add, kind.convert(&time)?, kind.convert(distance)?)?;
            Ok((threshold, time))
        };
        if let Some(delay) = delay {
            let (until, time) = threshold(&rows, "behavior.delay", &Expr::literal(delay.clone()))?;
            rows = rows.buffer(until, time, None)?.at(frame.clone());
        }
        if let Some(cutoff) = cutoff {
            let cutoff = Expr::literal(cutoff.clone());
            let (end, time) = threshold(&rows, "behavior.cutoff", &cutoff)?;
            rows = rows.freeze(end, time, None)?.at(frame.clone());
            let (end, time) = threshold(&rows, "behavior.cutoff", &cutoff)?;
            rows = rows.forget(end, time, None, *keep_results)?.at(frame);
        }
        let time = rows.column(TIME)?;
        Ok((Rows::made(side, rows), time))
    }
}

/// What has to be done for results to stay when the rows are forgotten that they came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Nothing: nothing is forgotten, or results go, too.
    Nothing,
    /// The join itself keeps them.
    ByJoin,
    /// The join keeps them, but rows with ids that are there already replace those.
    ReplacingIds,
    /// The changes of odd times are taken out of the results.
    ByTime,
}

impl Keeping {
    /// What a join of these sides does with this behavior.
    pub(super) fn of(state: &State, join: &Join, behavior: Option<&Behavior>, sides: [&Table; 2]) -> Keeping {
        let keeps = matches!(behavior, Some(Behavior::Common { cutoff: Some(_), keep_results: true, .. }));
        let is_asof = matches!(join.matching, Matching::AsOf { .. });
        let marked = sides.iter().any(|side| state.may_have_marks(side.node));
        let removes = sides.iter().any(|side| !side.is_id_append_only() || !side.is_append_only());
        match (is_asof, keeps) {
            (true, true) => Keeping::ByTime,
            (true, false) if marked && behavior.is_none_or(|b| !b.drops_results()) => Keeping::ByTime,
            (true, false) | (false, false) => Keeping::Nothing,
            (false, true) if marked => Keeping::ByTime,
            (false, true) if removes => Keeping::ReplacingIds,
            (false, true) => Keeping::ByJoin,
        }
    }

    pub(super) fn is_by_join(self) -> bool {
        matches!(self, Keeping::ByJoin | Keeping::ReplacingIds)
    }

    /// The results that are shown.
    #[track_caller]
    pub(super) fn apply(self, results: Table) -> Result<Table, PlanError> {
        match self {
            Keeping::Nothing | Keeping::ByJoin => Ok(results),
            Keeping::ReplacingIds | Keeping::ByTime => {
                let frame = results.here();
                Ok(results.filter_out_results_of_forgetting(true)?.at(frame))
            }
        }
    }
}

impl Behavior {
    /// Results go with the rows that they came from.
    fn drops_results(&self) -> bool {
        matches!(self, Behavior::Common { keep_results: false, .. })
    }
}

impl State {
    /// True if the rows of a table may be removed at odd times.
    pub(super) fn may_have_marks(&self, table: NodeId) -> bool {
        let (mut seen, mut open) = (vec![table], vec![table]);
        while let Some(id) = open.pop() {
            let op = &self.node(id).op;
            match op {
                Op::Stateful(Stateful { kind, .. }) => match kind {
                    StatefulKind::ForgetImmediately
                    | StatefulKind::Forget { when: Forgetting::LaterMarked | Forgetting::Marked, .. } => {
                        return true;
                    }
                    StatefulKind::DropForgetting { .. } => continue,
                    _ => {}
                },
                Op::Join(Join { matching: Matching::Interval { keeps: true, .. }, .. }) => continue,
                _ => {}
            }
            for input in op.inputs() {
                if !seen.contains(&input) {
                    seen.push(input);
                    open.push(input);
                }
            }
        }
        false
    }
}
