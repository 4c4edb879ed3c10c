//! Tables as streams of events, and back; rows without errors.

use pathway_expr::{Expr, UnaryOp};
use pathway_types::DType;

use super::Made;
use crate::PlanError;
use crate::col::Col;
use crate::graph::{Rows, Stateful};
use crate::stateful::StatefulKind;
use crate::table::Table;
use crate::universe::Definition;

impl Table {
    /// One row for each id that changes at a time: its new row and true, or, if it has none any more, its
    /// old row and false. The flag is the column of this name, the last one unless there is such a column.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn to_stream(&self, flag: &str) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        let stateful = Stateful {
            kind: StatefulKind::ToStream,
            inputs: vec![Rows { table: self.node, columns: vec![] }],
            columns: state.all_columns(self.node),
            // A row that changes in a column that nobody reads is an event too.
            prunable: false,
            name: None,
        };
        let universe = state.universe(&Definition::EmptyWith(vec![self.universe()]));
        let made = Made { universe, id_dtype: None, append_only: true };
        let node = state.add_stateful(stateful, vec![(flag, DType::Bool)], made, frame.clone());
        state.never_retracted(node);
        let events = self.sibling(&state, node);
        drop(state);
        let last = self.columns().len();
        if !self.column_names().any(|name| name == flag) {
            return Ok(events);
        }
        let columns = self.columns().iter().enumerate().map(|(i, column)| {
            let source = if &*column.name == flag { last } else { i };
            (column.name.to_string(), events.column_at(source), frame.clone())
        });
        events.at(frame.clone()).select(columns.collect::<Vec<_>>())
    }

    /// The table that events make: where `is_upsert` is true, the row of the id is set, otherwise it is
    /// removed. All columns are kept.
    ///
    /// # Errors
    /// [`PlanError::Type`] if the flag is not exactly BOOL.
    #[track_caller]
    pub fn stream_to_table(&self, is_upsert: impl Into<Col>) -> Result<Table, PlanError> {
        let frame = self.here();
        let flag = is_upsert.into().resolve(self)?;
        let mut state = self.graph.lock();
        let flag = state.align(&flag, self.node, frame.as_ref())?;
        if *flag.dtype() != DType::Bool {
            return Err(PlanError::Type(format!(
                "Expected 'is_upsert' to be of type 'bool', got {}",
                flag.dtype()
            )));
        }
        let stateful = Stateful {
            kind: StatefulKind::FromStream,
            inputs: vec![Rows { table: self.node, columns: vec![flag] }],
            columns: state.all_columns(self.node),
            prunable: true,
            name: None,
        };
        let universe = state.universe(&Definition::EmptyWith(vec![self.universe()]));
        let made = Made { universe, id_dtype: None, append_only: false };
        let node = state.add_stateful(stateful, vec![], made, frame);
        Ok(self.sibling(&state, node))
    }

    /// The table that two streams make: rows of this one set the row of their id, rows of `deletions`
    /// remove it.
    ///
    /// # Errors
    /// [`PlanError::Value`] for a table of another plan.
    #[track_caller]
    pub fn from_streams(&self, deletions: &Table) -> Result<Table, PlanError> {
        let frame = self.here();
        self.same_graph(&[deletions])?;
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        state.checked(deletions.node)?;
        let rows = |table: &Table| Rows { table: table.node, columns: vec![] };
        let stateful = Stateful {
            kind: StatefulKind::FromStreams,
            inputs: vec![rows(self), rows(deletions)],
            columns: state.all_columns(self.node),
            prunable: true,
            name: None,
        };
        let universe = state.universe(&Definition::EmptyWith(vec![self.universe()]));
        let made = Made { universe, id_dtype: Some(DType::ANY_POINTER), append_only: false };
        let node = state.add_stateful(stateful, vec![], made, frame);
        Ok(self.sibling(&state, node))
    }

    /// The table with all columns append-only. This is a promise: a removal ends the run.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn assert_append_only(&self) -> Result<Table, PlanError> {
        let whole = self.universe();
        let table = self.passing(StatefulKind::AppendOnly, Definition::SubsetOf(whole), true, false)?;
        table.graph.lock().universes.promise_equal(whole, table.universe());
        Ok(table)
    }

    /// The insertions of each time, without its removals.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn keep_insertions(&self) -> Result<Table, PlanError> {
        let universe = Definition::EmptyWith(vec![self.universe()]);
        self.passing(StatefulKind::KeepInsertions, universe, true, false)
    }

    /// Whenever the table changes, all its rows, each with a new id. Nothing is ever removed.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn unpack_snapshots(&self) -> Result<Table, PlanError> {
        let universe = Definition::EmptyWith(vec![self.universe()]);
        let table = self.passing(StatefulKind::Snapshots, universe, false, false)?;
        let mut state = table.graph.lock();
        state.relabel_ids(table.node, DType::ANY_POINTER, Some(false));
        Ok(self.sibling(&state, table.node))
    }

    /// The rows without an error in any column.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn remove_errors(&self) -> Result<Table, PlanError> {
        let frame = self.here();
        // A tuple of cells is an error if one of them is.
        let row = Expr::make_tuple((0..self.columns().len()).map(|i| self.column_at(i)).collect())?;
        let broken = Expr::fill_error(Expr::is_none(row)?, Expr::literal(true))?;
        let condition = Expr::unary(UnaryOp::Not, broken)?;
        let mut state = self.graph.lock();
        let universe = Definition::SubsetOf(self.universe());
        let node = state.add_filter(self.node, &condition, vec![], universe, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// An operation of this kind, without controls, that passes the columns of the table.
    #[track_caller]
    pub(super) fn passing(
        &self,
        kind: StatefulKind,
        universe: Definition,
        append_only: bool,
        prunable: bool,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let mut state = self.graph.lock();
        state.checked(self.node)?;
        let stateful = Stateful {
            kind,
            inputs: vec![Rows { table: self.node, columns: vec![] }],
            columns: state.all_columns(self.node),
            prunable,
            name: None,
        };
        let universe = state.universe(&universe);
        let made = Made { universe, id_dtype: None, append_only };
        let node = state.add_stateful(stateful, vec![], made, frame);
        if append_only {
            state.never_retracted(node);
        }
        Ok(self.sibling(&state, node))
    }
}
