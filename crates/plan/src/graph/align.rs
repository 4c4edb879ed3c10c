//! Expressions over several tables: every column must belong to a table with the row ids of the
//! table the operation works on.
//!
//! Tables that share its universe are taken as they are. A table whose universe provably holds all
//! of these ids is aligned on the way: through the filters that lead from one to the other where
//! there are such, by a restriction otherwise. Everything else is refused.

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind};

use super::{Node, NodeId, Op, State};
use crate::universe::UniverseId;
use crate::{Frame, PlanError};

impl State {
    /// The expression with all its columns brought to the rows of `context`.
    ///
    /// # Errors
    /// [`PlanError::Value`] for columns of unrelated tables and for reducers,
    /// [`PlanError::Runtime`] for tables that are not of this plan.
    pub(crate) fn align(
        &mut self,
        expression: &Expr,
        context: NodeId,
        frame: Option<&Frame>,
    ) -> Result<Expr, PlanError> {
        let universe = self.checked(context)?.universe;
        let mut sources: Vec<ColumnRef> = Vec::new();
        let mut reducer = None;
        expression.visit(&mut |e| match e.kind() {
            ExprKind::Column(column) => sources.push(*column),
            ExprKind::Id(source) => sources.push(ColumnRef { source: *source, column: u32::MAX }),
            ExprKind::Reducer(found, _) => reducer = Some(found.name().to_owned()),
            _ => {}
        });
        if let Some(name) = reducer {
            return Err(PlanError::Value(format!(
                "the reducer {name} makes sense in reduce() only, outside of the arguments of other reducers"
            )));
        }
        let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
        for column in sources {
            let node = self.checked(column.source)?;
            if column.column != u32::MAX && column.column as usize >= node.columns.len() {
                return Err(PlanError::Runtime(format!(
                    "{} has no column number {}; the expression was built for another table",
                    self.table_name(column.source),
                    column.column
                )));
            }
            if node.universe != universe && !moved.contains_key(&column.source) {
                match self.aligned(column.source, context, frame) {
                    Some(aligned) => _ = moved.insert(column.source, aligned),
                    None => return Err(self.foreign_universe(column, context)),
                }
            }
        }
        let expression = self.take_out_later(expression, context, frame)?;
        if moved.is_empty() {
            return Ok(expression);
        }
        Ok(expression.rewrite(&mut |e| match e.kind() {
            ExprKind::Column(column) => moved
                .get(&column.source)
                .map(|source| Expr::column(ColumnRef { source: *source, ..*column }, e.dtype().clone())),
            ExprKind::Id(source) => moved.get(source).map(|source| Expr::id(*source, e.dtype().clone())),
            _ => None,
        }))
    }

    /// The table `from` for the rows of `context`, if it provably has them all.
    fn aligned(&mut self, from: NodeId, context: NodeId, frame: Option<&Frame>) -> Option<NodeId> {
        let to = self.node(context).universe;
        if let Some(aligned) = self.aligned.get(&(from, to)).copied()
            && self.checked(aligned).is_ok()
        {
            return Some(aligned);
        }
        let universe = self.node(from).universe;
        if !self.universes.is_subset(to, universe) {
            return None;
        }
        let aligned = match self.path(universe, to) {
            Some(path) => path.into_iter().fold(from, |table, step| self.repeat(step, table, frame)),
            None => {
                let exact = self.universes.are_equal(to, universe);
                self.add_restrict(from, context, exact, frame.cloned())
            }
        };
        self.aligned.insert((from, to), aligned);
        Some(aligned)
    }

    /// The operations that lead from the rows of one universe to those of another by keeping some.
    fn path(&self, from: UniverseId, to: UniverseId) -> Option<Vec<NodeId>> {
        let mut path = Vec::new();
        let mut at = to;
        while at != from {
            let id = *self.subsets.get(&at)?;
            let node = self.node(id);
            if let Op::Filter { condition, .. } = &node.op
                && !condition.is_deterministic()
            {
                return None;
            }
            path.push(id);
            at = self.node(node.op.inputs()[0]).universe;
        }
        path.reverse();
        Some(path)
    }

    /// The same choice of rows as `step` makes, for a table over the universe of its input.
    fn repeat(&mut self, step: NodeId, table: NodeId, frame: Option<&Frame>) -> NodeId {
        let model = self.node(step);
        let (universe, controls) = (model.universe, model.id_append_only);
        let columns = self.all_columns(table);
        let op = match &model.op {
            Op::Filter { condition, .. } => {
                Op::Filter { input: table, condition: condition.clone(), columns }
            }
            Op::Intersect { others, .. } => Op::Intersect { input: table, others: others.clone(), columns },
            Op::Difference { other, .. } => Op::Difference { input: table, other: *other, columns },
            other => {
                debug_assert!(false, "{} does not keep some rows of its input", other.name());
                return table;
            }
        };
        let input = self.node(table);
        let mut columns = input.columns.clone();
        columns.iter_mut().for_each(|c| c.append_only &= controls);
        self.add(Node {
            op,
            columns,
            id_dtype: input.id_dtype.clone(),
            id_append_only: controls,
            universe,
            frame: frame.cloned(),
        })
    }

    /// Adds the rows of `input` for the ids of `to`.
    pub(crate) fn add_restrict(
        &mut self,
        input: NodeId,
        to: NodeId,
        exact: bool,
        frame: Option<Frame>,
    ) -> NodeId {
        let columns = self.all_columns(input);
        let (node, target) = (self.node(input), self.node(to));
        let both = node.id_append_only && target.id_append_only;
        // Equal sets of ids: what is true of one is true of the other.
        let id_append_only = if exact { node.id_append_only || target.id_append_only } else { both };
        let mut new = node.columns.clone();
        new.iter_mut().for_each(|c| c.append_only &= exact || both);
        let new = Node {
            op: Op::Restrict { input, to, exact, columns },
            columns: new,
            id_dtype: node.id_dtype.clone(),
            id_append_only,
            universe: target.universe,
            frame,
        };
        self.add(new)
    }

    /// References to all columns of a table.
    pub(crate) fn all_columns(&self, table: NodeId) -> Vec<ColumnRef> {
        let count = self.node(table).columns.len() as u32;
        (0..count).map(|column| ColumnRef { source: table, column }).collect()
    }

    fn foreign_universe(&self, column: ColumnRef, context: NodeId) -> PlanError {
        let ([foreign, own], tables) = self.table_names([column.source, context]);
        let name = format!("{foreign}.{}", self.name_in_table(column));
        PlanError::Value(format!(
            "you cannot use {name} in this context: {foreign} has a different universe (set of row ids) than {own}, \
             whose rows the operation works on. If their row ids are equal, use \
             {foreign}.with_universe_of({own}); if {foreign} has at least the row ids of {own}, promise it with \
             promise_universe_is_subset_of; to fetch rows by a pointer, use {foreign}.ix(...){tables}"
        ))
    }
}
