//! Operations that give rows other ids.

use pathway_expr::Expr;
use pathway_types::DType;

use super::{Derived, Table};
use crate::col::{Col, as_reference};
use crate::graph::{NodeId, Op, State};
use crate::universe::Definition;
use crate::{Frame, PlanError};

impl Table {
    /// The rows under the ids that a pointer column gives. Ids must come out unique.
    ///
    /// # Errors
    /// [`PlanError::Type`] if it is no column or no pointer, or may be None.
    #[track_caller]
    pub fn with_id(&self, pointer: impl Into<Col>) -> Result<Table, PlanError> {
        let frame = self.here();
        let pointer = pointer.into().resolve(self)?;
        if as_reference(&pointer).is_none() {
            return Err(PlanError::Type(
                "with_id() takes a column; add the expression as a column first, or use with_id_from()"
                    .to_owned(),
            ));
        }
        let mut state = self.graph.lock();
        let node = state.add_reindex(self.node, &pointer, frame)?;
        Ok(self.sibling(&state, node))
    }

    /// The rows under the ids that the values of some columns give.
    ///
    /// # Errors
    /// [`PlanError::Type`] if a value may still be pending.
    #[track_caller]
    pub fn with_id_from(
        &self,
        values: impl IntoIterator<Item = impl Into<Col>>,
        instance: Option<Col>,
    ) -> Result<Table, PlanError> {
        let frame = self.here();
        let pointer = match instance {
            None => Col::pointer(values),
            Some(instance) => Col::pointer_with_instance(values, instance),
        };
        let pointer = pointer.resolve(self)?;
        let mut state = self.graph.lock();
        let node = state.add_reindex(self.node, &pointer, frame)?;
        Ok(self.sibling(&state, node))
    }
}

impl State {
    /// Adds the rows of a table under other ids.
    pub(super) fn add_reindex(
        &mut self,
        input: NodeId,
        pointer: &Expr,
        frame: Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let pointer = self.align(pointer, input, frame.as_ref())?;
        if !pointer.dtype().is_pointer() {
            return Err(PlanError::Type(format!(
                "row ids must be of type POINTER, not {}{}",
                pointer.dtype(),
                match pointer.dtype() {
                    DType::Optional(_) => "; remove None first, with unwrap or a filter",
                    _ => "; pointer_from() and with_id_from() make pointers of any values",
                }
            )));
        }
        let append_only = self.is_append_only(input, &pointer);
        let id_dtype = pointer.dtype().clone();
        let (columns, universe) = (self.all_columns(input), self.node(input).universe);
        let op = Op::Reindex { input, pointer, columns };
        let universe = Definition::EmptyWith(vec![universe]);
        let node = self.add_derived(op, Derived { of: input, universe, append_only, frame: &frame });
        self.relabel_ids(node, id_dtype, None);
        Ok(node)
    }
}
