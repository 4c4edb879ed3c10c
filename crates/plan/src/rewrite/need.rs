//! What the outputs need: their tables and everything these are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use pathway_expr::{ColumnRef, Expr, ExprKind, SourceId};

use super::Goal;
use crate::PlanError;
use crate::error_log::Logged;
use crate::graph::loops::Loop;
use crate::graph::traverse::Mapper;
use crate::graph::{LoopId, Node, NodeId, Op, Output, State};

/// The part of a graph that a run needs.
pub(super) struct Plan {
    /// The nodes in topological order.
    pub(super) nodes: BTreeMap<NodeId, Arc<Node>>,
    /// The outputs to be fed.
    pub(super) outputs: Vec<Output>,
    /// Tables to be computed with all their columns although no output reads them.
    pub(super) tables: Vec<NodeId>,
    /// The iterations that nodes are inside of.
    pub(super) inside: HashMap<NodeId, LoopId>,
    /// All iterations of the graph that are needed.
    pub(super) loops: BTreeMap<LoopId, Loop>,
}

/// Collects what `goal` needs, in a debugging run or in an ordinary one.
pub(super) fn collect(state: &State, goal: &Goal, debug: bool) -> Result<Plan, PlanError> {
    let outputs = match goal {
        Goal::Everything => state.outputs.clone(),
        Goal::Tables(_) => vec![],
        Goal::Outputs(ids) => ids
            .iter()
            .map(|id| {
                let output = state.outputs.get(id.0 as usize).cloned();
                output.ok_or_else(|| PlanError::Value(format!("this plan has no output number {}", id.0)))
            })
            .collect::<Result<_, _>>()?,
    };
    let mut tables: Vec<NodeId> = match goal {
        Goal::Everything => (0..state.nodes().len() as u32).map(|i| SourceId(state.base() + i)).collect(),
        Goal::Tables(tables) => {
            let known = tables.iter().map(|table| state.checked(*table).map(|_| *table));
            known.collect::<Result<_, _>>()?
        }
        Goal::Outputs(_) => vec![],
    };
    let needed = needed(outputs.iter().map(|o| o.table).chain(tables.iter().copied()), state);
    let inside = needed.iter().filter_map(|id| Some((*id, state.inside(*id)?))).collect();
    let mut loops = BTreeMap::new();
    for id in &needed {
        if let Op::Variable(variable) = &state.node(*id).op {
            loops.insert(variable.of, state.loops.get(variable.of).clone());
        }
    }
    // What an error log is the history of is computed for its sake.
    for id in &needed {
        if let Op::ErrorLog(Logged::By { table, .. }) = state.node(*id).op
            && state.inside(table).is_none()
            && !tables.contains(&table)
        {
            tables.push(table);
        }
    }
    let node = |id| if debug { state.debugged(id) } else { state.shared(id) };
    let nodes = needed.into_iter().map(|id| (id, node(id))).collect();
    Ok(Plan { nodes, outputs, tables, inside, loops })
}

/// These tables and all that they are made of.
pub(crate) fn needed(tables: impl IntoIterator<Item = NodeId>, state: &State) -> HashSet<NodeId> {
    let mut needed = Needed { seen: HashSet::new(), todo: tables.into_iter().collect() };
    while let Some(id) = needed.todo.pop() {
        if needed.seen.insert(id) {
            let op = &state.node(id).op;
            op.map(&mut needed);
            if let Op::Variable(variable) = op {
                // What comes back to it.
                needed.todo.extend(state.loops.get(variable.of).iterated[variable.number]);
            }
            if let Op::ErrorLog(Logged::By { table, .. }) = op {
                needed.todo.push(*table);
            }
        }
    }
    needed.seen
}

/// Notes every node that an operation refers to.
struct Needed {
    seen: HashSet<NodeId>,
    todo: Vec<NodeId>,
}

impl Mapper for Needed {
    fn table(&mut self, table: NodeId) -> NodeId {
        self.todo.push(table);
        table
    }
    fn column(&mut self, column: ColumnRef) -> ColumnRef {
        self.todo.push(column.source);
        column
    }
    fn expression(&mut self, expression: &Expr) -> Expr {
        expression.visit(&mut |e| match e.kind() {
            ExprKind::Column(column) => self.todo.push(column.source),
            ExprKind::Id(source) => self.todo.push(*source),
            _ => {}
        });
        expression.clone()
    }
}
