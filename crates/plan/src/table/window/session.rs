//! Sessions: windows of rows that follow each other closely.

use std::sync::Arc;

use pathway_expr::Expr;
use pathway_types::{DType, Value};

use super::super::group::Given;
use super::super::stateful::Made;
use super::behavior::of_sessions;
use super::{END, INSTANCE, ORIGINAL_ID, START, Table, WINDOW, WindowBy, group_pointer};
use crate::PlanError;
use crate::graph::{Column, GroupIds, Node, Op, Rows, Stateful};
use crate::stateful::{SessionBehavior, SessionGap, StatefulKind};
use crate::temporal::{Behavior, Role, TimeKind};
use crate::universe::Definition;

pub(super) const TIME: &str = "_pw_time";
pub(super) const SESSION: &str = "_pw_session";

/// The kind of the times, and the gap as one of that kind.
pub(super) fn checked(
    times: &[(&str, &Expr)],
    gap: &SessionGap,
) -> Result<(TimeKind, SessionGap), PlanError> {
    let mut arguments: Vec<_> = times.iter().map(|(name, e)| (*name, Role::Time, e.dtype())).collect();
    let SessionGap::LessThan(distance) = gap else { return Ok((TimeKind::of(&arguments)?, gap.clone())) };
    let distance = Expr::literal(distance.clone());
    arguments.push(("window.max_gap", Role::Interval, distance.dtype()));
    let kind = TimeKind::of(&arguments)?;
    not_negative(&distance)?;
    arguments.pop();
    if let (Ok(TimeKind::Int), Some(Value::Float(gap))) = (TimeKind::of(&arguments), distance.as_constant()) {
        // Whole numbers that are less than 1.5 apart are less than 2 apart.
        return Ok((TimeKind::Int, SessionGap::LessThan(Value::Int(gap.ceil() as i64))));
    }
    let gap = kind.convert(&distance)?.as_constant().cloned().unwrap_or(Value::None);
    Ok((kind, SessionGap::LessThan(gap)))
}

fn not_negative(gap: &Expr) -> Result<(), PlanError> {
    let text = match gap.as_constant() {
        Some(Value::Float(gap)) if gap.is_nan() || *gap < 0.0 => format!(", not {gap}"),
        Some(Value::Int(gap)) if *gap < 0 => format!(", not {gap}"),
        Some(Value::Duration(gap)) if *gap < 0 => String::new(),
        _ => return Ok(()),
    };
    Err(PlanError::Value(format!("the max_gap of a session must not be negative{text}: no rows are closer")))
}

impl Table {
    #[track_caller]
    pub(super) fn window_by_session(
        &self,
        time: Expr,
        gap: &SessionGap,
        behavior: Option<&Behavior>,
        instance: Option<Expr>,
    ) -> Result<WindowBy, PlanError> {
        let frame = self.here();
        let mut limits = None;
        let (time, gap) = match gap {
            SessionGap::LessThan(_) => {
                let (kind, gap) = checked(&[("time_expr", &time)], gap)?;
                if let (SessionGap::LessThan(distance), Some(behavior)) = (&gap, behavior) {
                    limits = Some(of_sessions(behavior, kind, distance)?);
                }
                (kind.convert(&time)?, gap)
            }
            SessionGap::Asked(_) if behavior.is_some() => {
                return Err(PlanError::Value(
                    "sessions by a predicate cannot have a behavior: nothing says from when on no row can belong to \
                     a session any more. Use session(max_gap=...)."
                        .to_owned(),
                ));
            }
            SessionGap::Asked(asked) => (time, SessionGap::Asked(asked.clone())),
        };
        let own = instance.clone();
        let owned = instance.is_some();
        let mut computed = vec![(TIME, time.clone())];
        computed.extend(instance.map(|instance| (INSTANCE, instance)));
        let computed = computed.into_iter().map(|(name, e)| (name, e, frame.clone()));
        let plain = self.with_columns(computed)?.at(frame.clone());
        let owner = if owned { plain.column(INSTANCE)? } else { Expr::literal(Value::None) };
        let keeps = limits.as_ref().is_some_and(|limits| limits.keeps && limits.over.is_some());
        let (rows, sessions) = plain.sessions(gap, limits, owner.clone())?;
        let [start, end, last] = ["start", "end", "last"].map(|name| sessions.column(name));
        let owner = if owned { rows.column(INSTANCE)? } else { owner };
        let about = [(WINDOW, last?), (START, start?), (END, end?), (INSTANCE, owner.clone())];
        let pointer = group_pointer(&about, owned)?;
        // Inside of reducers: a lookup, which is there only if it is used.
        let found = sessions.at(frame.clone()).ix(rows.column(SESSION)?, &rows, false, false)?;
        let mut described = vec![(ORIGINAL_ID, rows.row_id()), (INSTANCE, owner)];
        for (name, of) in [(WINDOW, "last"), (START, "start"), (END, "end")] {
            described.push((name, found.column(of)?));
        }
        let described = described.into_iter().map(|(name, e)| (name, e, frame.clone()));
        let described = rows.with_columns(described)?.at(frame.clone()).without([TIME, SESSION])?.at(frame);
        let columns = self.given_columns(&described, about, own.as_ref())?;
        let given = Given { columns, pointer, groups: Some(sessions) };
        let mut by = vec![rows.column(SESSION)?];
        by.extend(owned.then(|| rows.column(INSTANCE)).transpose()?);
        let grouped = described.group_by(&by)?.with_ids(GroupIds::Pointer).given(given);
        Ok(WindowBy { rows: described, grouped, keeps })
    }

    /// The rows with the session they are in, a pointer in the column `_pw_session`, and the sessions:
    /// `start`, `end`, and `last`, the id of the last row.
    pub(super) fn sessions(
        &self,
        gap: SessionGap,
        behavior: Option<SessionBehavior>,
        instance: Expr,
    ) -> Result<(Table, Table), PlanError> {
        let frame = self.here();
        let time = self.column(TIME)?;
        let pointer = Expr::pointer(vec![instance], false, None)?;
        let mut state = self.graph.lock();
        let columns = state.all_columns(self.node);
        let id_dtype = state.node(self.node).id_dtype.clone();
        let stateful = Stateful {
            kind: StatefulKind::Sessions { gap, behavior },
            inputs: vec![Rows { table: self.node, columns: vec![time.clone(), pointer] }],
            columns,
            prunable: true,
            name: None,
        };
        let subset = state.universe(&Definition::SubsetOf(self.universe()));
        let made = Made { universe: subset, id_dtype: None, append_only: false };
        let rows = state.add_stateful(stateful, vec![(SESSION, DType::ANY_POINTER)], made, frame.clone());
        let column = |name: &str, dtype: &DType| Column {
            name: Arc::from(name),
            dtype: dtype.clone(),
            append_only: false,
        };
        let universe = state.universe(&Definition::EmptyWith(vec![self.universe()]));
        let sessions = state.add(Node {
            op: Op::Beside { of: rows },
            columns: vec![
                column("start", time.dtype()),
                column("end", time.dtype()),
                column("last", &id_dtype),
            ],
            id_dtype: DType::ANY_POINTER,
            id_append_only: false,
            universe,
            frame,
        });
        Ok((self.sibling(&state, rows), self.sibling(&state, sessions)))
    }
}
