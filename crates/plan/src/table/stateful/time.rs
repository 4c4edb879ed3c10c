//! Rows and a clock: what is late, what is held back, what is forgotten.

use pathway_expr::Expr;
use pathway_types::DType;

use super::{Made, refuse_future};
use crate::PlanError;
use crate::col::Col;
use crate::graph::{Rows, Stateful};
use crate::stateful::{Forgetting, StatefulKind};
use crate::table::Table;
use crate::universe::Definition;

/// The rows whose largest time so far is a clock.
pub(in crate::table) struct Clock {
    pub(in crate::table) rows: Table,
    pub(in crate::table) time: Expr,
}

impl Table {
    /// The rows that are not late: whose threshold the clock has not reached before they come. The clock
    /// is the largest `time` so far, of rows with equal `instance` if that is given.
    ///
    /// # Errors
    /// [`PlanError::Type`] if time and threshold cannot be compared, [`PlanError::Value`] for columns of
    /// tables with other row ids.
    #[track_caller]
    pub fn freeze(
        &self,
        threshold: impl Into<Col>,
        time: impl Into<Col>,
        instance: Option<Col>,
    ) -> Result<Table, PlanError> {
        let kind = StatefulKind::Freeze { instance: instance.is_some(), apart: false, replaces: true };
        self.timed(kind, threshold.into(), (self, time.into()), instance)
    }

    /// As [`Table::freeze`], but a row whose removal is late stays for good, even if another row with its id
    /// passes: that belongs to another window.
    #[track_caller]
    pub(in crate::table) fn freeze_windows(&self, threshold: Expr, time: Expr) -> Result<Table, PlanError> {
        let kind = StatefulKind::Freeze { instance: false, apart: false, replaces: false };
        self.timed(kind, (&threshold).into(), (self, (&time).into()), None)
    }

    /// As [`Table::freeze_windows`], by the clock of another table.
    #[track_caller]
    pub(in crate::table) fn freeze_by(&self, threshold: &Expr, clock: &Clock) -> Result<Table, PlanError> {
        let kind = StatefulKind::Freeze { instance: false, apart: true, replaces: false };
        self.timed(kind, threshold.into(), (&clock.rows, (&clock.time).into()), None)
    }

    /// As [`Table::buffer`], by the clock of another table.
    #[track_caller]
    pub(in crate::table) fn buffer_by(&self, threshold: &Expr, clock: &Clock) -> Result<Table, PlanError> {
        let kind = StatefulKind::Buffer { instance: false, apart: true };
        self.timed(kind, threshold.into(), (&clock.rows, (&clock.time).into()), None)
    }

    /// As [`Table::forget`], by the clock of another table or of this one. With `marks`, rows are removed at
    /// once when the clock reaches their thresholds.
    #[track_caller]
    pub(in crate::table) fn forget_by(
        &self,
        threshold: &Expr,
        clock: &Clock,
        marks: bool,
    ) -> Result<Table, PlanError> {
        let when = if marks { Forgetting::Marked } else { Forgetting::Later };
        let kind = StatefulKind::Forget { instance: false, apart: clock.rows.node != self.node, when };
        self.timed(kind, threshold.into(), (&clock.rows, (&clock.time).into()), None)
    }

    /// The rows from when the clock has reached their threshold; what is left at the end of the input comes
    /// then. For the clock, see [`Table::freeze`].
    ///
    /// # Errors
    /// As [`Table::freeze`].
    #[track_caller]
    pub fn buffer(
        &self,
        threshold: impl Into<Col>,
        time: impl Into<Col>,
        instance: Option<Col>,
    ) -> Result<Table, PlanError> {
        let kind = StatefulKind::Buffer { instance: instance.is_some(), apart: false };
        self.timed(kind, threshold.into(), (self, time.into()), instance)
    }

    /// The rows until the clock has reached their threshold; they are removed when rows come after that, or,
    /// with `marks`, at the odd time that follows. For the clock, see [`Table::freeze`].
    ///
    /// # Errors
    /// As [`Table::freeze`].
    #[track_caller]
    pub fn forget(
        &self,
        threshold: impl Into<Col>,
        time: impl Into<Col>,
        instance: Option<Col>,
        marks: bool,
    ) -> Result<Table, PlanError> {
        let when = if marks { Forgetting::LaterMarked } else { Forgetting::Later };
        let kind = StatefulKind::Forget { instance: instance.is_some(), apart: false, when };
        self.timed(kind, threshold.into(), (self, time.into()), instance)
    }

    /// True if no row ever changes or goes.
    fn only_grows(&self) -> bool {
        self.is_append_only() && self.is_id_append_only()
    }

    #[track_caller]
    fn timed(
        &self,
        kind: StatefulKind,
        threshold: Col,
        (clock, time): (&Table, Col),
        instance: Option<Col>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let (threshold, time) = (threshold.resolve(self)?, time.resolve(clock)?);
        let instance = instance.map(|instance| instance.resolve(self)).transpose()?;
        // A row that changes in another column than its time moves the clock, too.
        let others = (0..clock.columns().len()).filter(|_| !clock.only_grows()).map(|i| clock.column_at(i));
        let others: Vec<Expr> = others.collect();
        let mut state = self.graph.lock();
        let time = state.align(&time, clock.node, frame.as_ref())?;
        let mut align = |e: &Expr| state.align(e, self.node, frame.as_ref());
        let threshold = align(&threshold)?;
        let instance = instance.as_ref().map(align).transpose()?;
        refuse_future(kind.name(), "threshold", &threshold)?;
        refuse_future(kind.name(), "time", &time)?;
        let (time, threshold) = comparable(kind.name(), time, threshold)?;
        let apart = clock.node != self.node;
        let mut controls = vec![if apart { threshold.clone() } else { time.clone() }, threshold];
        if let Some(instance) = instance {
            controls.push(Expr::pointer(vec![instance], false, None)?);
        }
        let forgets = matches!(kind, StatefulKind::Forget { .. });
        let append_only = !forgets && controls.iter().all(|e| state.is_append_only(self.node, e));
        let mut inputs = vec![Rows { table: self.node, columns: controls }];
        if apart {
            let columns = [vec![time.clone(), time], others].concat();
            inputs.push(Rows { table: clock.node, columns });
        }
        let stateful = Stateful {
            kind,
            inputs,
            columns: state.all_columns(self.node),
            // A row that changes in a column that nobody reads still moves the clock.
            prunable: self.only_grows(),
            name: None,
        };
        let universe = state.universe(&Definition::SubsetOf(self.universe()));
        let made = Made { universe, id_dtype: None, append_only };
        let node = state.add_stateful(stateful, vec![], made, frame);
        Ok(self.sibling(&state, node))
    }

    /// The rows at the time when they come only: they are removed at the odd time after it.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn forget_immediately(&self) -> Result<Table, PlanError> {
        let universe = Definition::SubsetOf(self.universe());
        self.passing(StatefulKind::ForgetImmediately, universe, false, true)
    }

    /// Without the changes at odd times, that is, without all that came of forgetting. With `consistent`,
    /// insertions and removals are made to fit what is there.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn filter_out_results_of_forgetting(&self, consistent: bool) -> Result<Table, PlanError> {
        let kind = StatefulKind::DropForgetting { consistent };
        let table = self.passing(kind, Definition::Unrelated, false, true)?;
        table.graph.lock().universes.promise_subset(self.universe(), table.universe());
        Ok(table)
    }
}

/// Time and threshold as values that compare: numbers of one type.
pub(in crate::table) fn comparable(
    operation: &str,
    time: Expr,
    threshold: Expr,
) -> Result<(Expr, Expr), PlanError> {
    let (a, b) = (time.dtype().clone(), threshold.dtype().clone());
    let as_float = |e: Expr| {
        let optional = e.dtype() != e.dtype().unoptional();
        Expr::cast(if optional { DType::optional(DType::Float) } else { DType::Float }, e)
    };
    match (a.unoptional(), b.unoptional()) {
        (DType::Int, DType::Float) => Ok((as_float(time)?, threshold)),
        (DType::Float, DType::Int) => Ok((time, as_float(threshold)?)),
        (DType::Any, DType::Any) => Ok((time, threshold)),
        (DType::Any, _) => Ok((time, Expr::cast(DType::Any, threshold)?)),
        (_, DType::Any) => Ok((Expr::cast(DType::Any, time)?, threshold)),
        (a, b) if a == b => Ok((time, threshold)),
        _ => Err(PlanError::Type(format!(
            "{operation}: a time of type {a} cannot be compared with a threshold of type {b}"
        ))),
    }
}
