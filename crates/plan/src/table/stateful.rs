//! Operations that depend on the order of changes or of rows.

use std::sync::Arc;

use pathway_expr::{Acceptor, Expr};
use pathway_types::{DType, Value};

use super::Table;
use crate::col::Col;
use crate::graph::{Column, Node, NodeId, Op, Rows, State, Stateful};
use crate::stateful::StatefulKind;
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

mod gradual;
mod order;
mod search;
mod stream;
mod time;

pub(super) use time::{Clock, comparable};

impl Table {
    /// Of the rows of each instance the one that was accepted last: the first one, and each that
    /// `acceptor` prefers to it by its value. Removals are ignored. Its id is the key of the instance, or
    /// of None.
    ///
    /// # Errors
    /// [`PlanError::Type`] if a value comes later, [`PlanError::Value`] for columns of tables with other
    /// row ids.
    #[track_caller]
    pub fn deduplicate(
        &self,
        value: impl Into<Col>,
        instance: Option<Col>,
        acceptor: Arc<dyn Acceptor>,
        name: Option<String>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let value = value.into().resolve(self)?;
        let instance = instance.map(|instance| instance.resolve(self)).transpose()?;
        let mut state = self.graph.lock();
        let value = state.align(&value, self.node, frame.as_ref())?;
        refuse_future("deduplicate", "value", &value)?;
        let instance = match instance {
            Some(instance) => state.align(&instance, self.node, frame.as_ref())?,
            None => Expr::literal(Value::None),
        };
        let pointer = Expr::pointer(vec![instance], false, None)?;
        // Among rows with equal values all columns decide.
        let columns = state.all_columns(self.node);
        let universe = state.universe(&Definition::EmptyWith(vec![self.universe()]));
        let node = state.add_stateful(
            Stateful {
                kind: StatefulKind::Deduplicate { acceptor },
                inputs: vec![Rows { table: self.node, columns: vec![value, pointer] }],
                columns,
                prunable: false,
                name,
            },
            vec![],
            Made { universe, id_dtype: Some(DType::ANY_POINTER), append_only: false },
            frame,
        );
        Ok(self.sibling(&state, node))
    }
}

pub use search::{Asked, Indexed};

/// What a stateful operation says of its rows.
pub(super) struct Made {
    pub(super) universe: UniverseId,
    /// The dtype of the ids, if they are not those of the first input.
    pub(super) id_dtype: Option<DType>,
    /// AND of the flags that decide over rows.
    pub(super) append_only: bool,
}

impl State {
    /// Adds an operation with the columns that it passes on and `own` ones.
    pub(super) fn add_stateful(
        &mut self,
        stateful: Stateful,
        own: Vec<(&str, DType)>,
        made: Made,
        frame: Option<Frame>,
    ) -> NodeId {
        let input = self.node(stateful.inputs[0].table);
        let passed = stateful.columns.iter().map(|c| self.node(c.source).columns[c.column as usize].clone());
        let passed = passed.map(|c| Column { append_only: c.append_only && made.append_only, ..c });
        let own = own.into_iter().map(|(name, dtype)| Column {
            name: Arc::from(name),
            dtype,
            append_only: made.append_only,
        });
        let node = Node {
            columns: passed.chain(own).collect(),
            id_dtype: made.id_dtype.unwrap_or_else(|| input.id_dtype.clone()),
            id_append_only: made.append_only,
            op: Op::Stateful(stateful),
            universe: made.universe,
            frame,
        };
        self.add(node)
    }
}

/// Refuses what is not there at once.
fn refuse_future(operation: &str, what: &str, expression: &Expr) -> Result<(), PlanError> {
    if matches!(expression.dtype(), DType::Future(_)) {
        return Err(PlanError::Type(format!(
            "{operation}: the {what} of type {} is not there yet; use await_futures() before",
            expression.dtype()
        )));
    }
    Ok(())
}
