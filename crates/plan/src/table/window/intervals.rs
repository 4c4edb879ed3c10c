//! Windows around the values of a column: the rows whose times are close to each of them.

use std::sync::Arc;

use pathway_expr::Expr;
use pathway_types::Value;

use super::super::group::Given;
use super::behavior::Borders;
use super::{END, INSTANCE, KEY, ORIGINAL_ID, START, Table, WindowBy, group_pointer};
use crate::PlanError;
use crate::col::{Col, left, right, right_id};
use crate::graph::GroupIds;
use crate::program::JoinMode;
use crate::table::{InTime, JoinOptions};
use crate::temporal::{Behavior, Role, TimeKind, later};

pub(super) const LOCATION: &str = "_pw_window_location";
/// What the join makes, and what describes windows.
const RESERVED: [&str; 6] = [KEY, LOCATION, START, END, INSTANCE, ORIGINAL_ID];

/// Windows from `at + lower` to `at + upper`, both included, for each value of `at`. They end where whole times end.
#[derive(Clone, Debug)]
pub struct Around {
    /// The table with the values.
    pub probes: Table,
    /// The value, a column of that table.
    pub at: Col,
    /// Where a window starts, seen from the value.
    pub lower: Value,
    /// Where it ends.
    pub upper: Value,
    /// A window without rows is there, too: with one row of None.
    pub outer: bool,
}

impl Table {
    /// An interval join of the values with the rows, grouped by the values.
    #[track_caller]
    pub(super) fn window_by_intervals(
        &self,
        time: Expr,
        around: &Around,
        behavior: Option<&Behavior>,
        instance: Option<Expr>,
    ) -> Result<WindowBy, PlanError> {
        let frame = self.here();
        let at = around.at.resolve(&around.probes)?;
        let [lower, upper] = [&around.lower, &around.upper].map(|bound| Expr::literal(bound.clone()));
        let kind = TimeKind::of(&[
            ("time_expr", Role::Time, time.dtype()),
            ("window.lower_bound", Role::Interval, lower.dtype()),
            ("window.upper_bound", Role::Interval, upper.dtype()),
            ("window.at", Role::Time, at.dtype()),
        ])?;
        let mut probes = around.probes.at(frame.clone()).select([(LOCATION, at)])?.at(frame.clone());
        let owned = instance.is_some();
        let mut computed = vec![(KEY, time)];
        computed.extend(instance.clone().map(|instance| (INSTANCE, instance)));
        let computed = computed.into_iter().map(|(name, e)| (name, e, frame.clone()));
        let hidden: Vec<&str> = self.column_names().filter(|name| RESERVED.contains(name)).collect();
        let mut rows = self.without(hidden)?.at(frame.clone()).with_columns(computed)?.at(frame.clone());
        let mut keeps = false;
        if let Some(behavior) = behavior {
            let limits = Borders::new(behavior, kind, &lower, &upper)?;
            keeps = limits.marks();
            (probes, rows) = limits.apply(probes, rows)?;
        }
        let options = JoinOptions {
            mode: Some(if around.outer { JoinMode::Left } else { JoinMode::Inner }),
            in_time: Some(InTime::Interval {
                behavior: None,
                times: (left(LOCATION), right(KEY)),
                lower: lower.clone(),
                upper: upper.clone(),
            }),
            ..JoinOptions::default()
        };
        let joined = probes.join_with(&rows, [] as [(Col, Col); 0], options)?.at(frame.clone());
        let column = |name: &str, value: Col| (Arc::from(name), value, frame.clone());
        let names = rows.column_names().map(|name| column(name, right(name)));
        let beside = [column(LOCATION, left(LOCATION)), column(ORIGINAL_ID, right_id())];
        let joined = joined.select(names.chain(beside))?.at(frame.clone());
        let location = joined.column(LOCATION)?;
        let owner = if owned { joined.column(INSTANCE)? } else { Expr::literal(Value::None) };
        let about = [
            (LOCATION, location.clone()),
            (START, later(&location, &lower)?),
            (END, later(&location, &upper)?),
            (INSTANCE, owner),
        ];
        let pointer = group_pointer(&about, owned)?;
        let described = about.iter().map(|(name, e)| (*name, e.clone(), frame.clone()));
        let described = joined.with_columns(described)?.at(frame);
        let columns = self.given_columns(&described, about, instance.as_ref())?;
        let given = Given { columns, pointer, groups: None };
        let mut by = vec![location];
        by.extend(owned.then(|| joined.column(INSTANCE)).transpose()?);
        let grouped = described.group_by(&by)?.with_ids(GroupIds::Hash).given(given);
        let grouped = grouped.sort_by(&described.column(KEY)?)?;
        Ok(WindowBy { rows: described, grouped, keeps })
    }
}
