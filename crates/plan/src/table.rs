//! Handles to tables of a plan: what they are and what can be done with them.
//!
//! Operations never change a table; each adds a node to the plan and returns its handle. They are
//! grouped in the modules below by what they do.

use std::sync::Arc;

use pathway_expr::{ColumnRef, Expr};
use pathway_io::ReadMode;
use pathway_types::DType;

use crate::col::Col;
use crate::graph::{Column, Graph, Node, NodeId, Op, State};
use crate::rewrite::needed;
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

mod columns;
mod combine;
mod group;
mod ids;
mod inputs;
mod iterate;
mod join;
mod later;
mod lookup;
mod output;
mod rows;
mod stateful;
mod transform;
mod universes;
mod window;

pub use columns::Named;
pub use group::GroupBy;
pub use inputs::{SourceOptions, StaticOptions};
pub use iterate::{Argument, Iteration};
pub use join::{GroupedJoin, InTime, JoinOptions, JoinResult, Joinable};
pub use later::Answered;
pub use output::OutputOptions;
pub use stateful::{Asked, Indexed};
pub use transform::Part;
pub use window::{Around, Span, Window, WindowBy};

/// A table of a plan: a cheap, immutable handle. It keeps its description after the plan was
/// cleared, but no operation takes it any more.
#[derive(Clone)]
pub struct Table {
    pub(crate) graph: Graph,
    pub(crate) node: NodeId,
    about: Arc<Node>,
    frame: Option<Frame>,
}

impl Table {
    pub(crate) fn new(graph: &Graph, state: &State, node: NodeId) -> Self {
        Table { graph: graph.clone(), node, about: state.shared(node), frame: None }
    }

    /// The same table; operations called on this handle are attributed to this line of the user's
    /// program instead of the caller's line in Rust.
    pub fn at(&self, frame: Option<Frame>) -> Table {
        Table { frame, ..self.clone() }
    }

    /// The plan it belongs to.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Its node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.about.columns
    }

    /// The names of its columns.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.about.columns.iter().map(|c| &*c.name)
    }

    /// The set of its row ids.
    pub fn universe(&self) -> UniverseId {
        self.about.universe
    }

    /// The dtype of its row ids.
    pub fn id_dtype(&self) -> &DType {
        &self.about.id_dtype
    }

    /// True if its rows are never removed.
    pub fn is_id_append_only(&self) -> bool {
        self.about.id_append_only
    }

    /// True if none of its cells is ever retracted.
    pub fn is_append_only(&self) -> bool {
        self.about.columns.iter().all(|c| c.append_only)
    }

    /// True if its rows come to an end: no source that it depends on goes on watching for more.
    pub fn is_bounded(&self) -> bool {
        self.has_end(|state, id| state.shared(id))
    }

    /// The same in debugging runs, in which other rows may stand for those of sources.
    pub fn is_bounded_in_debug(&self) -> bool {
        self.has_end(State::debugged)
    }

    fn has_end(&self, node: impl Fn(&State, NodeId) -> Arc<Node>) -> bool {
        let state = self.graph.lock();
        needed([self.node], &state).into_iter().all(|id| match &node(&state, id).op {
            Op::Source(rows) => rows.source.mode() == ReadMode::Static,
            _ => true,
        })
    }

    /// The user's line that made it.
    pub fn frame(&self) -> Option<&Frame> {
        self.about.frame.as_ref()
    }

    /// True if the plan still has it.
    pub fn is_alive(&self) -> bool {
        self.graph.lock().checked(self.node).is_ok()
    }

    /// A column as a typed expression.
    ///
    /// # Errors
    /// [`PlanError::Key`] if there is no such column.
    pub fn column(&self, name: &str) -> Result<Expr, PlanError> {
        self.about.require(name).map(|position| self.column_at(position))
    }

    /// A column by position.
    fn column_at(&self, position: usize) -> Expr {
        let reference = ColumnRef { source: self.node, column: position as u32 };
        Expr::column(reference, self.about.columns[position].dtype.clone())
    }

    /// The row id as a typed expression.
    pub fn row_id(&self) -> Expr {
        Expr::id(self.node, self.about.id_dtype.clone())
    }

    /// A column, to build expressions with.
    ///
    /// # Errors
    /// [`PlanError::Key`] if there is no such column.
    pub fn col(&self, name: &str) -> Result<Col, PlanError> {
        self.column(name)?;
        Ok(Col::of(self, name))
    }

    /// The row id, to build expressions with.
    pub fn id(&self) -> Col {
        Col::id_of(self)
    }

    /// The dtype an expression over this table would have.
    ///
    /// # Errors
    /// As building it.
    pub fn dtype_of(&self, expression: impl Into<Col>) -> Result<DType, PlanError> {
        Ok(expression.into().resolve(self)?.dtype().clone())
    }

    /// The line of an operation: the one set by [`Table::at`], or the caller's.
    #[track_caller]
    pub(crate) fn here(&self) -> Option<Frame> {
        // Not `unwrap_or_else`: the line would be that of the standard library.
        match &self.frame {
            Some(frame) => Some(frame.clone()),
            None => Some(Frame::of_caller()),
        }
    }

    /// A handle to a node of the same plan.
    fn sibling(&self, state: &State, node: NodeId) -> Table {
        Table::new(&self.graph, state, node)
    }

    /// Refuses tables of other plans.
    fn same_graph(&self, others: &[&Table]) -> Result<(), PlanError> {
        if others.iter().all(|other| other.graph.is_same(&self.graph)) {
            return Ok(());
        }
        Err(PlanError::Value("tables of different plans cannot be combined".to_owned()))
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut columns = f.debug_struct("Table");
        for column in &self.about.columns {
            columns.field(&column.name, &column.dtype);
        }
        columns.finish()
    }
}

/// A column of a node by position.
fn column_at(state: &State, node: NodeId, column: usize) -> Expr {
    let dtype = state.node(node).columns[column].dtype.clone();
    Expr::column(ColumnRef { source: node, column: column as u32 }, dtype)
}

/// What most operations that keep rows and columns of one table have in common.
struct Derived<'a> {
    /// The table whose columns the result has.
    of: NodeId,
    /// Its universe.
    universe: Definition,
    /// AND of the flags that decide over rows.
    append_only: bool,
    /// The user's line.
    frame: &'a Option<Frame>,
}

impl State {
    /// Adds a node with the columns and id dtype of another.
    fn add_derived(&mut self, op: Op, derived: Derived<'_>) -> NodeId {
        let universe = self.universe(&derived.universe);
        let node = self.node(derived.of);
        let mut columns = node.columns.clone();
        columns.iter_mut().for_each(|c| c.append_only &= derived.append_only);
        let node = Node {
            op,
            columns,
            id_dtype: node.id_dtype.clone(),
            id_append_only: node.id_append_only && derived.append_only,
            universe,
            frame: derived.frame.clone(),
        };
        self.add(node)
    }
}

#[cfg(test)]
mod tests;
