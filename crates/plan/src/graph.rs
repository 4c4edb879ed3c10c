//! The plan under construction: an arena of nodes, the universes of their rows, and the outputs.
//!
//! A [`Graph`] is a cheap handle; front ends in several languages may hold one. Nodes are never
//! changed after they were added and refer to earlier nodes only, so the arena is in topological
//! order. [`crate::Table`] is the handle to one node and has the operations.

use std::sync::Arc;

use parking_lot::Mutex;
use pathway_expr::{ColumnRef, SourceId};
use pathway_io::Sink;
use pathway_types::DType;

use crate::error_log::Logs;
use crate::graph::loops::Loops;
use crate::universe::{Definition, UniverseId, Universes};
use crate::{Frame, PlanError, Warning};

pub(crate) mod align;
pub(crate) mod flags;
pub(crate) mod loops;
mod op;
pub(crate) mod traverse;

pub use loops::LoopId;
pub use op::{
    Aggregate, Answers, Calls, ExternalRows, Flatten, FlattenColumn, GroupIds, Iterated, Join, JoinColumn,
    Lookup, Op, Reduce, Rows, Stateful, StaticRows, Transform, Variable,
};

/// The position of a node in its graph, and what expressions call a source.
pub type NodeId = SourceId;

/// A column of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name.
    pub name: Arc<str>,
    /// The dtype of its cells.
    pub dtype: DType,
    /// Its cells are never retracted.
    pub append_only: bool,
}

/// One table of the plan.
#[derive(Clone, Debug)]
pub struct Node {
    /// How it is made.
    pub op: Op,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The dtype of its row ids.
    pub id_dtype: DType,
    /// Its rows are never removed.
    pub id_append_only: bool,
    /// The set of its row ids.
    pub universe: UniverseId,
    /// The user's line.
    pub frame: Option<Frame>,
}

impl Node {
    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| &*c.name == name)
    }

    /// The position of a column named by the user.
    pub(crate) fn require(&self, name: &str) -> Result<usize, PlanError> {
        self.position(name).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|c| &*c.name).collect();
            PlanError::Key(format!(
                "table has no column with name {name}; its columns are [{}]",
                names.join(", ")
            ))
        })
    }
}

/// A sink and the table it is fed with.
#[derive(Clone, Debug)]
pub struct Output {
    /// The table.
    pub table: NodeId,
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// Its unique name.
    pub name: Option<String>,
    /// Changes of one time are ordered by these columns of the table.
    pub sort_by: Option<Vec<usize>>,
    /// Rows with error cells are delivered too.
    pub keep_errors: bool,
    /// The user's line.
    pub frame: Option<Frame>,
}

/// The number of an output of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutputId(pub u32);

/// A plan under construction; clones are the same plan.
#[derive(Clone, Default)]
pub struct Graph(Arc<Mutex<State>>);

/// What a [`Graph`] holds.
#[derive(Default)]
pub(crate) struct State {
    /// The id of the first node; ids below it were cleared away.
    base: u32,
    nodes: Vec<Arc<Node>>,
    pub(crate) universes: Universes,
    /// The node that made each universe, for operations that keep some rows of their input.
    subsets: hashbrown::HashMap<UniverseId, NodeId>,
    /// Tables aligned to another's universe without the user asking.
    aligned: hashbrown::HashMap<(NodeId, UniverseId), NodeId>,
    pub(crate) outputs: Vec<Output>,
    /// The static tables that stand for sources in debugging runs.
    debug: hashbrown::HashMap<NodeId, NodeId>,
    warnings: Vec<Warning>,
    /// Tables that turn out to be empty are nothing to warn of.
    expects_empty: bool,
    pub(crate) logs: Logs,
    pub(crate) loops: Loops,
}

impl Graph {
    /// An empty plan.
    pub fn new() -> Self {
        Graph::default()
    }

    /// Forgets all tables, outputs, universe facts and warnings. Tables made before are refused by
    /// later operations.
    pub fn clear(&self) {
        let mut state = self.lock();
        let base = state.end();
        let mut universes = std::mem::take(&mut state.universes);
        universes.clear();
        *state = State { base, universes, loops: state.loops.cleared(), ..State::default() };
    }

    /// Lets the rows of a static table stand for a source in debugging runs.
    ///
    /// # Errors
    /// If one of them has been cleared, is of another kind, or they have different columns.
    pub fn debug_as(&self, source: &crate::Table, rows: &crate::Table) -> Result<(), PlanError> {
        let mut state = self.lock();
        state.checked(source.node())?;
        state.checked(rows.node())?;
        let (from, to) = (state.node(source.node()), state.node(rows.node()));
        let columns = |node: &Node| -> Vec<_> {
            node.columns.iter().map(|column| (column.name.clone(), column.dtype.clone())).collect()
        };
        let fits = matches!(from.op, Op::Source(_)) && matches!(to.op, Op::Static(_));
        if !fits || columns(from) != columns(to) {
            return Err(PlanError::Value("wrong schema of debug data".to_owned()));
        }
        state.debug.insert(source.node(), rows.node());
        Ok(())
    }

    /// Warnings since the last call.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.lock().warnings)
    }

    /// The number of tables.
    pub fn len(&self) -> usize {
        self.lock().nodes.len()
    }

    /// True without tables.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All outputs registered so far.
    pub fn outputs(&self) -> Vec<OutputId> {
        (0..self.lock().outputs.len() as u32).map(OutputId).collect()
    }

    /// A description of one output.
    ///
    /// # Errors
    /// [`PlanError::Value`] if there is no such output.
    pub fn output(&self, id: OutputId) -> Result<Output, PlanError> {
        let state = self.lock();
        let output = state.outputs.get(id.0 as usize).cloned();
        output.ok_or_else(|| PlanError::Value(format!("this plan has no output number {}", id.0)))
    }

    /// A table of the plan.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if it was cleared.
    pub fn table(&self, id: NodeId) -> Result<crate::Table, PlanError> {
        let state = self.lock();
        state.checked(id)?;
        Ok(crate::Table::new(self, &state, id))
    }

    pub(crate) fn lock(&self) -> parking_lot::MutexGuard<'_, State> {
        self.0.lock()
    }

    pub(crate) fn is_same(&self, other: &Graph) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Graph({} tables)", self.len())
    }
}

impl State {
    fn end(&self) -> u32 {
        self.base + self.nodes.len() as u32
    }

    /// The nodes in topological order.
    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// The id of the first node.
    pub(crate) fn base(&self) -> u32 {
        self.base
    }

    /// A node that is known to exist.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[(id.0 - self.base) as usize]
    }

    /// A node that is known to exist, to be kept.
    pub(crate) fn shared(&self, id: NodeId) -> Arc<Node> {
        self.nodes[(id.0 - self.base) as usize].clone()
    }

    /// A node as it is in debugging runs.
    pub(crate) fn debugged(&self, id: NodeId) -> Arc<Node> {
        let node = self.shared(id);
        let op = match &node.op {
            Op::Source(_) => self.debug.get(&id).map(|rows| self.node(*rows).op.clone()),
            // Rows that are given hold no records that cannot be parsed.
            Op::DeadLetters { source } if self.debug.contains_key(source) => Some(Op::Static(StaticRows {
                batches: Arc::new(vec![]),
                shards: None,
                known_at_start: false,
            })),
            _ => None,
        };
        match op {
            Some(op) => Arc::new(Node { op, ..Node::clone(&node) }),
            None => node,
        }
    }

    /// A node that was just added and that no table has been made of.
    fn fresh(&mut self, id: NodeId) -> &mut Node {
        Arc::make_mut(&mut self.nodes[(id.0 - self.base) as usize])
    }

    /// A node named by the user.
    pub(crate) fn checked(&self, id: NodeId) -> Result<&Node, PlanError> {
        let node = id.0.checked_sub(self.base).and_then(|index| self.nodes.get(index as usize));
        let node = node.map(|node| &**node).ok_or_else(|| {
            PlanError::Runtime(
                "a table of a plan that has been cleared (or of another plan) cannot be used; build it again"
                    .to_owned(),
            )
        })?;
        self.check_open(id)?;
        Ok(node)
    }

    /// Adds a node and reports universes that turned out empty by it.
    pub(crate) fn add(&mut self, mut node: Node) -> NodeId {
        self.logs.mark(&mut node);
        let id = SourceId(self.end());
        let inside = self.inside_of(&node.op);
        self.loops.place(inside);
        if matches!(node.op, Op::Filter { .. } | Op::Intersect { .. } | Op::Difference { .. }) {
            self.subsets.entry(node.universe).or_insert(id);
        }
        let frame = node.frame.clone();
        self.nodes.push(Arc::new(node));
        self.report_empty(frame);
        id
    }

    /// A new universe.
    pub(crate) fn universe(&mut self, definition: &Definition) -> UniverseId {
        self.universes.add(definition)
    }

    /// Refuses universes of a plan that has been cleared.
    pub(crate) fn check_universes(&self, universes: &[UniverseId]) -> Result<(), PlanError> {
        if universes.iter().all(|universe| self.universes.contains(*universe)) {
            return Ok(());
        }
        Err(PlanError::Runtime(
            "the universe belongs to a plan that has been cleared (or to another plan)".to_owned(),
        ))
    }

    /// Warns of universes that turned out to be empty.
    pub(crate) fn report_empty(&mut self, frame: Option<Frame>) {
        let found = self.universes.take_found_empty();
        let expected = self.expects_empty;
        for _ in found.iter().filter(|_| !expected) {
            self.warn(
                "this makes the set of rows of a table always empty although it was not declared empty; \
                 probably a promise about universes is wrong, or an input is empty that should not be",
                frame.clone(),
            );
        }
    }

    /// Says whether tables may turn out to be empty without a warning; gives what was said before.
    pub(crate) fn expect_empty(&mut self, expected: bool) -> bool {
        std::mem::replace(&mut self.expects_empty, expected)
    }

    /// Records a warning.
    pub(crate) fn warn(&mut self, message: impl Into<String>, frame: Option<Frame>) {
        self.warnings.push(Warning { message: message.into(), frame });
    }

    /// How error messages call a table.
    pub(crate) fn table_name(&self, id: NodeId) -> String {
        format!("<table{}>", id.0.wrapping_sub(self.base))
    }

    /// What error messages call these tables, and the end of such a message: where the tables were made.
    pub(crate) fn table_names<const N: usize>(&self, tables: [NodeId; N]) -> ([String; N], String) {
        let names = std::array::from_fn(|i| format!("<table{}>", i + 1));
        let mut made = String::new();
        for (table, name) in tables.iter().zip(&names) {
            let frame = self.checked(*table).ok().and_then(|node| node.frame.as_ref()?.known());
            if let Some(frame) = frame {
                made += &format!("\n\t{name} created in {frame}");
            }
        }
        if !made.is_empty() {
            made.insert_str(0, "\nwith tables:");
        }
        (names, made)
    }

    /// The name of a column, `id` for row ids.
    pub(crate) fn name_in_table(&self, column: ColumnRef) -> &str {
        if column.column == u32::MAX {
            return "id";
        }
        let name = self.checked(column.source).ok().and_then(|n| n.columns.get(column.column as usize));
        name.map_or("?", |c| &c.name)
    }

    /// The column that another is nothing but a copy of, through selects: where it was made.
    pub(crate) fn origin(&self, column: ColumnRef) -> ColumnRef {
        let mut at = column;
        while let Op::Select { expressions, .. } = &self.node(at.source).op {
            match expressions[at.column as usize].as_column() {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }
}

impl State {
    /// Lets a node that was just added have a column that is never None.
    pub(crate) fn narrow(&mut self, node: NodeId, column: usize) {
        let column = &mut self.fresh(node).columns[column];
        column.dtype = column.dtype.unoptional().clone();
    }

    /// Gives a column of a node that was just added another dtype of the same cells.
    pub(crate) fn relabel(&mut self, node: NodeId, column: usize, dtype: DType) {
        self.fresh(node).columns[column].dtype = dtype;
    }

    /// Lets all columns of a node that was just added be append-only.
    pub(crate) fn never_retracted(&mut self, node: NodeId) {
        let node = self.fresh(node);
        node.columns.iter_mut().for_each(|column| column.append_only = true);
        node.id_append_only = true;
    }

    /// Gives a node that was just added other row id properties.
    pub(crate) fn relabel_ids(&mut self, node: NodeId, dtype: DType, append_only: Option<bool>) {
        let node = self.fresh(node);
        node.id_dtype = dtype;
        if let Some(append_only) = append_only {
            node.id_append_only = append_only;
        }
    }
}
