//! Selects dissolve, and equal operations become one.
//!
//! Nodes are visited in topological order. A column that a select passes unchanged is an alias of
//! the column it copies; other columns of selects are noted as computed, once per distinct
//! expression. What remains are the *roots*. A root that does what an earlier one does is replaced
//! by that one, which then passes the columns of both; this is left alone where the later root
//! passes columns that were made after the earlier one, for which there would be no order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind};
use pathway_types::DType;
use pathway_types::storage::{arrow_type, is_encoded};

use super::Rewrites;
use super::intern::{Interner, reducer_key};
use super::need::Plan;
use crate::Frame;
use crate::graph::loops::Loop;
use crate::graph::traverse::Mapper;
use crate::graph::{Column, FlattenColumn, JoinColumn, LoopId, Node, NodeId, Op, Output, Rows};
use crate::program::{JoinIds, JoinMode};
use crate::universe::UniverseId;

/// A plan of roots and computed columns.
pub(super) struct Resolved {
    /// Operations that are not row-wise, in topological order; they refer to roots and to columns
    /// where they were made.
    pub(super) roots: BTreeMap<NodeId, Node>,
    /// Columns that selects compute.
    pub(super) computed: HashMap<ColumnRef, Computed>,
    /// The outputs, with the root whose rows they have and their columns.
    pub(super) outputs: Vec<(NodeId, Vec<ColumnRef>, Output)>,
    /// What the columns of each output are called.
    pub(super) output_names: Vec<Vec<Arc<str>>>,
    /// Tables to be computed although nothing reads them.
    pub(super) tables: Vec<(NodeId, Vec<ColumnRef>)>,
    /// The iterations that roots are inside of.
    pub(super) loops: BTreeMap<LoopId, Loop>,
    sources: HashMap<ColumnRef, BTreeSet<NodeId>>,
}

/// A column that a select computes.
pub(super) struct Computed {
    /// What the user calls it.
    pub(super) name: Arc<str>,
    /// What it is, over columns where they were made.
    pub(super) value: Expr,
    /// The user's line.
    pub(super) frame: Option<Frame>,
}

impl Resolved {
    /// The roots that a column is made of.
    pub(super) fn sources(&self, column: ColumnRef) -> BTreeSet<NodeId> {
        self.sources.get(&column).cloned().unwrap_or_else(|| BTreeSet::from([column.source]))
    }
}

/// The columns that an expression reads.
pub(super) fn columns_of(expression: &Expr) -> Vec<ColumnRef> {
    let mut columns = Vec::new();
    expression.visit(&mut |e| {
        if let ExprKind::Column(column) = e.kind() {
            columns.push(*column);
        }
    });
    columns
}

/// Resolves a plan.
pub(super) fn resolve(plan: Plan, rewrites: Rewrites) -> Resolved {
    let mut resolver = Resolver {
        rewrites,
        interner: Interner::new(rewrites.share),
        rows: HashMap::new(),
        universes: HashMap::new(),
        anchors: HashMap::new(),
        known: HashMap::new(),
        distinct: HashMap::new(),
        inside: plan.inside,
        resolved: Resolved {
            roots: BTreeMap::new(),
            computed: HashMap::new(),
            outputs: vec![],
            output_names: vec![],
            tables: vec![],
            loops: plan.loops,
            sources: HashMap::new(),
        },
    };
    let mut names: HashMap<NodeId, Vec<Arc<str>>> = HashMap::new();
    for (id, node) in plan.nodes {
        names.insert(id, node.columns.iter().map(|column| column.name.clone()).collect());
        resolver.node(id, Arc::unwrap_or_clone(node));
    }
    let columns = |resolver: &Resolver, table: NodeId| -> Vec<ColumnRef> {
        let all = 0..names.get(&table).map_or(0, |names| names.len() as u32);
        all.map(|column| resolver.interner.column(ColumnRef { source: table, column })).collect()
    };
    for output in plan.outputs {
        let row = (resolver.rows[&output.table], columns(&resolver, output.table), output);
        let called = names.get(&row.2.table).cloned().unwrap_or_default();
        resolver.resolved.output_names.push(called);
        resolver.resolved.outputs.push(row);
    }
    for table in plan.tables {
        let row = (resolver.rows[&table], columns(&resolver, table));
        resolver.resolved.tables.push(row);
    }
    resolver.resolved
}

struct Resolver {
    rewrites: Rewrites,
    interner: Interner,
    /// The root whose rows a table has.
    rows: HashMap<NodeId, NodeId>,
    /// The universe that stands for another.
    universes: HashMap<UniverseId, UniverseId>,
    /// The first table of each universe.
    anchors: HashMap<UniverseId, NodeId>,
    /// Roots by what they do.
    known: HashMap<String, NodeId>,
    /// Computed columns by universe, iteration and number of the expression.
    distinct: HashMap<(UniverseId, Option<LoopId>, usize), ColumnRef>,
    /// The iterations that tables are inside of.
    inside: HashMap<NodeId, LoopId>,
    resolved: Resolved,
}

impl Mapper for Resolver {
    fn table(&mut self, table: NodeId) -> NodeId {
        self.rows[&table]
    }
    fn column(&mut self, column: ColumnRef) -> ColumnRef {
        self.interner.column(column)
    }
    fn expression(&mut self, expression: &Expr) -> Expr {
        self.interner.canonical(expression)
    }
}

impl Resolver {
    fn universe(&self, universe: UniverseId) -> UniverseId {
        self.universes.get(&universe).copied().unwrap_or(universe)
    }

    fn node(&mut self, id: NodeId, mut node: Node) {
        node.universe = self.universe(node.universe);
        if let (Op::Select { base, expressions, frames }, true) = (&node.op, self.rewrites.wide) {
            self.rows.insert(id, self.rows[base]);
            self.anchor(id, node.universe);
            let names: Vec<Arc<str>> = node.columns.iter().map(|column| column.name.clone()).collect();
            self.select(id, self.rows[base], node.universe, expressions, (frames, &names));
            return;
        }
        node.op = node.op.map(self);
        self.aliases(id, &node);
        if self.rewrites.share {
            // What is inside of an iteration is not known outside.
            let inside = self.inside.get(&id).copied();
            let key = format!("{inside:?} {}", self.key(&node));
            if let Some(earlier) = self.known.get(&key).copied()
                && self.merge(id, &node, earlier)
            {
                return;
            }
            self.known.entry(key).or_insert(id);
        }
        self.rows.insert(id, id);
        self.anchor(id, node.universe);
        self.resolved.roots.insert(id, node);
    }

    /// All tables of a universe have the same row ids, so the first stands for all where ids are
    /// read.
    fn anchor(&mut self, id: NodeId, universe: UniverseId) {
        let anchor = *self.anchors.entry(universe).or_insert(id);
        let root = self.rows.get(&anchor).copied().unwrap_or(anchor);
        self.interner.anchor(id, root);
    }

    fn select(
        &mut self,
        id: NodeId,
        root: NodeId,
        universe: UniverseId,
        expressions: &[Expr],
        (frames, names): (&[Option<Frame>], &[Arc<str>]),
    ) {
        for (i, (expression, frame)) in expressions.iter().zip(frames).enumerate() {
            let column = ColumnRef { source: id, column: i as u32 };
            let value = self.interner.canonical(expression);
            if let Some(copied) = copied_column(&value) {
                self.interner.alias(column, copied);
                continue;
            }
            let number = self.interner.number(&value);
            let place = (universe, self.inside.get(&id).copied(), number);
            if let Some(same) = self.distinct.get(&place).copied()
                && self.rewrites.share
            {
                if let Some(computed) = self.resolved.computed.get_mut(&same) {
                    also_built(&mut computed.frame, frame);
                }
                self.interner.alias(column, same);
                continue;
            }
            self.distinct.insert(place, column);
            let sources: BTreeSet<NodeId> =
                columns_of(&value).into_iter().flat_map(|c| self.resolved.sources(c)).collect();
            let sources = if sources.is_empty() { BTreeSet::from([root]) } else { sources };
            self.resolved.sources.insert(column, sources);
            self.resolved
                .computed
                .insert(column, Computed { name: names[i].clone(), value, frame: frame.clone() });
        }
    }

    /// Columns of a root that are, row by row, a column of one of its inputs with the same universe.
    fn aliases(&mut self, id: NodeId, node: &Node) {
        if !self.rewrites.carry {
            return;
        }
        let mut same = Vec::new();
        match &node.op {
            Op::UpdateCells { input, cells, .. } => {
                let untouched = input.columns.iter().zip(cells).enumerate();
                same.extend(untouched.filter_map(|(i, (value, cell))| match cell {
                    None => Some((i, copied_column(value)?)),
                    Some(_) => None,
                }));
            }
            Op::Join(join) => same.extend(join.columns.iter().enumerate().filter_map(|(i, c)| {
                match (c, join.ids, join.mode) {
                    (JoinColumn::Left(column), JoinIds::Left, JoinMode::Left)
                    | (JoinColumn::Right(column), JoinIds::Right, JoinMode::Right) => Some((i, *column)),
                    _ => None,
                }
            })),
            _ => {}
        }
        for (i, of) in same {
            self.interner.alias(ColumnRef { source: id, column: i as u32 }, of);
        }
    }

    /// Lets `earlier` do what the root `id` does, if it can pass all its columns.
    fn merge(&mut self, id: NodeId, node: &Node, earlier: NodeId) -> bool {
        let Some(target) = self.resolved.roots.get(&earlier) else { return false };
        let mut aliases: Vec<(usize, usize)> = Vec::new();
        let mut added: Vec<(Passed, Column)> = Vec::new();
        match (passed(&node.op), passed(&target.op)) {
            (Some(new), Some(old)) => {
                for (i, item) in new.into_iter().enumerate() {
                    if let Passed::Column(_, column) = item
                        && self.resolved.sources(column).last().is_some_and(|last| *last >= earlier)
                    {
                        return false;
                    }
                    let all = old.iter().chain(added.iter().map(|(item, _)| item));
                    let position = all.into_iter().position(|known| *known == item);
                    let position = position.unwrap_or_else(|| {
                        added.push((item, node.columns[i].clone()));
                        old.len() + added.len() - 1
                    });
                    aliases.push((i, position));
                }
            }
            _ => aliases.extend((0..node.columns.len()).map(|i| (i, i))),
        }
        let Some(target) = self.resolved.roots.get_mut(&earlier) else { return false };
        for (item, column) in added {
            pass(&mut target.op, item);
            target.columns.push(column);
        }
        also_built(&mut target.frame, &node.frame);
        if let (Op::Reduce(target), Op::Reduce(same)) = (&mut target.op, &node.op) {
            let aggregates = target.aggregates.iter_mut().zip(&same.aggregates);
            aggregates.for_each(|(target, same)| also_built(&mut target.frame, &same.frame));
        }
        let universe = target.universe;
        for (i, position) in aliases {
            let column = ColumnRef { source: id, column: i as u32 };
            self.interner.alias(column, ColumnRef { source: earlier, column: position as u32 });
        }
        if node.universe != universe {
            self.universes.insert(node.universe, universe);
        }
        self.rows.insert(id, earlier);
        self.anchor(id, universe);
        true
    }

    /// A text that is equal for roots that do the same (up to the columns they pass).
    fn key(&mut self, node: &Node) -> String {
        let mut key = node.op.name().to_owned();
        let mut add = |part: &dyn std::fmt::Display| _ = write!(key, " {part}");
        let universe = |this: &Self, table: NodeId| this.resolved.roots[&table].universe.0;
        match &node.op {
            // Rows of their own: the same only if they are the very same object.
            Op::Static(rows) => add(&format_args!("{:p}", Arc::as_ptr(&rows.batches))),
            Op::Source(rows) => {
                add(&format_args!("{:p} {:?}", Arc::as_ptr(&rows.source), rows.name));
                add(&format_args!("{:?} {:?}", rows.autocommit, rows.max_backlog));
            }
            Op::DeadLetters { source } => add(&source.0),
            Op::Beside { of } => add(&of.0),
            Op::ErrorLog(logged) => add(logged),
            Op::Select { base, expressions, .. } => {
                add(&universe(self, *base));
                expressions.iter().for_each(|e| add(&self.interner.number(e)));
            }
            Op::Filter { input, condition, .. } => {
                add(&universe(self, *input));
                add(&self.interner.number(condition));
            }
            Op::Reindex { input, pointer, .. } => {
                add(&universe(self, *input));
                add(&self.interner.number(pointer));
            }
            Op::Flatten(flatten) => {
                add(&universe(self, flatten.input));
                add(&self.interner.number(&flatten.sequence));
            }
            Op::Concat { inputs } => self.rows_key(inputs, &mut add),
            Op::Reduce(reduce) => {
                add(&universe(self, reduce.input));
                add(&format_args!("{:?} {}", reduce.ids, reduce.skip_errors));
                let by = reduce.group.iter().chain(&reduce.sort_by).chain(&reduce.row_ids);
                by.for_each(|e| add(&self.interner.number(e)));
                add(&format_args!("{} {}", reduce.sort_by.is_some(), reduce.row_ids.is_some()));
                for aggregate in &reduce.aggregates {
                    add(&reducer_key(&aggregate.reducer));
                    aggregate.arguments.iter().for_each(|e| add(&self.interner.number(e)));
                }
            }
            Op::Join(join) => {
                add(&universe(self, join.left));
                add(&universe(self, join.right));
                add(&format_args!("{:?} {:?} {}", join.mode, join.ids, join.instance));
                add(&format_args!("{} {}", join.left_exactly_once, join.right_exactly_once));
                let on = join.left_on.iter().chain(&join.right_on);
                on.for_each(|e| add(&self.interner.number(e)));
                // Equal texts for times that are equal expressions.
                let matching = join.matching.map(|_, time| self.interner.number(time));
                add(&format_args!("{matching:?}"));
            }
            Op::Lookup(lookup) => {
                add(&universe(self, lookup.asking));
                add(&universe(self, lookup.target));
                add(&format_args!("{} {}", lookup.optional, lookup.allow_misses));
                add(&self.interner.number(&lookup.pointer));
            }
            Op::UpdateRows { old, new } => self.rows_key([old, new], &mut add),
            Op::UpdateCells { input, updates, cells } => {
                self.rows_key([input, updates], &mut add);
                add(&format_args!("{cells:?}"));
            }
            Op::Intersect { input, others, .. } => {
                add(&universe(self, *input));
                others.iter().for_each(|t| add(&universe(self, *t)));
            }
            Op::Difference { input, other, .. } => {
                add(&universe(self, *input));
                add(&universe(self, *other));
            }
            Op::Transform(transform) => {
                add(&format_args!("{:p}", Arc::as_ptr(&transform.transformer)));
                self.rows_key(&transform.inputs, &mut add);
            }
            Op::Stateful(stateful) => {
                add(&stateful.kind.key());
                add(&format_args!("{:?} {:?}", stateful.columns, stateful.name));
                self.rows_key(&stateful.inputs, &mut add);
            }
            Op::Variable(variable) => add(&format_args!("{} {}", variable.of.0, variable.number)),
            Op::Iterated(iterated) => add(&iterated.variable.0),
            Op::Calls(calls) => {
                add(&universe(self, calls.input));
                add(&format_args!("{:p}", Arc::as_ptr(&calls.callee)));
                calls.arguments.iter().chain(&calls.instance).for_each(|e| add(&self.interner.number(e)));
            }
            Op::Answers(answers) => {
                add(&answers.calls.0);
                self.rows_key(&answers.rows, &mut add);
            }
            Op::Restrict { input, to, exact, .. } => {
                add(&universe(self, *input));
                add(&universe(self, *to));
                add(exact);
            }
        }
        key
    }

    fn rows_key<'a>(
        &mut self,
        all: impl IntoIterator<Item = &'a Rows>,
        add: &mut dyn FnMut(&dyn std::fmt::Display),
    ) {
        for rows in all {
            add(&format_args!("of {}", self.resolved.roots[&rows.table].universe.0));
            rows.columns.iter().for_each(|e| add(&self.interner.number(e)));
        }
    }
}

/// Notes that what was built at one line was built at another too.
fn also_built(frame: &mut Option<Frame>, other: &Option<Frame>) {
    if let (Some(frame), Some(other)) = (frame, other) {
        frame.add(other);
    }
}

/// The column that an expression is, relabelled at most in a way that cells do not show.
fn copied_column(value: &Expr) -> Option<ColumnRef> {
    match value.kind() {
        ExprKind::Column(column) => Some(*column),
        ExprKind::DeclareType(inner) if same_cells(inner.dtype(), value.dtype()) => copied_column(inner),
        _ => None,
    }
}

/// True if a relabelling between the two dtypes, one of which is a special case of the other, leaves
/// cells as they are.
fn same_cells(a: &DType, b: &DType) -> bool {
    is_encoded(a.stored()) == is_encoded(b.stored()) && arrow_type(a) == arrow_type(b)
}

/// An item of the list of columns that a root passes.
#[derive(Clone, Copy, PartialEq)]
enum Passed {
    /// A column of the input with this number.
    Column(u8, ColumnRef),
    /// The row id of the input with this number.
    Id(u8),
    /// The time by which rows of the input with this number are joined.
    Time(u8),
    /// What the operation itself makes.
    Own,
}

/// What a root passes, one item per column; `None` if it makes its columns itself.
fn passed(op: &Op) -> Option<Vec<Passed>> {
    let plain =
        |columns: &[ColumnRef], input: u8| Some(columns.iter().map(|c| Passed::Column(input, *c)).collect());
    match op {
        Op::Filter { columns, .. }
        | Op::Reindex { columns, .. }
        | Op::Intersect { columns, .. }
        | Op::Difference { columns, .. }
        | Op::Restrict { columns, .. } => plain(columns, 0),
        Op::Lookup(lookup) => plain(&lookup.columns, 1),
        Op::Flatten(flatten) => {
            let item = |column: &FlattenColumn| match column {
                FlattenColumn::Element => Passed::Own,
                FlattenColumn::Passed(column) => Passed::Column(0, *column),
                FlattenColumn::Origin => Passed::Id(0),
            };
            Some(flatten.columns.iter().map(item).collect())
        }
        Op::Join(join) => {
            let item = |column: &JoinColumn| match column {
                JoinColumn::Left(column) => Passed::Column(0, *column),
                JoinColumn::Right(column) => Passed::Column(1, *column),
                JoinColumn::LeftId => Passed::Id(0),
                JoinColumn::RightId => Passed::Id(1),
                JoinColumn::LeftTime => Passed::Time(0),
                JoinColumn::RightTime => Passed::Time(1),
                JoinColumn::Side => Passed::Own,
            };
            Some(join.columns.iter().map(item).collect())
        }
        _ => None,
    }
}

/// Lets a root pass one more column.
fn pass(op: &mut Op, item: Passed) {
    match (op, item) {
        (
            Op::Filter { columns, .. }
            | Op::Reindex { columns, .. }
            | Op::Intersect { columns, .. }
            | Op::Difference { columns, .. }
            | Op::Restrict { columns, .. },
            Passed::Column(_, column),
        ) => columns.push(column),
        (Op::Lookup(lookup), Passed::Column(_, column)) => lookup.columns.push(column),
        (Op::Flatten(flatten), item) => flatten.columns.push(match item {
            Passed::Column(_, column) => FlattenColumn::Passed(column),
            Passed::Id(_) => FlattenColumn::Origin,
            Passed::Time(_) | Passed::Own => FlattenColumn::Element,
        }),
        (Op::Join(join), item) => join.columns.push(match item {
            Passed::Column(0, column) => JoinColumn::Left(column),
            Passed::Column(_, column) => JoinColumn::Right(column),
            Passed::Id(0) => JoinColumn::LeftId,
            Passed::Id(_) => JoinColumn::RightId,
            Passed::Time(0) => JoinColumn::LeftTime,
            Passed::Time(_) => JoinColumn::RightTime,
            Passed::Own => JoinColumn::Side,
        }),
        (op, _) => debug_assert!(false, "{} passes no such column", op.name()),
    }
}
