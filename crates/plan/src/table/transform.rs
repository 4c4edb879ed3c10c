//! User code over whole tables.

use std::sync::Arc;

use pathway_expr::{BinaryOp, ColumnRef, Expr, Transformer};
use pathway_types::DType;

use super::Table;
use crate::graph::{Column, FlattenColumn, Graph, JoinColumn, Node, NodeId, Op, Rows, State, Transform};
use crate::universe::Definition;
use crate::{Frame, PlanError};

/// A table that a transformer makes: which of its inputs has its row ids, and its columns.
pub type Part<'a> = (usize, Vec<(&'a str, DType)>);

impl Graph {
    /// The tables that a transformer makes of expressions over tables. In the changes that the
    /// transformer gives, the first column is the number of the part, followed by the columns of all
    /// parts, None for those of the others.
    ///
    /// # Errors
    /// [`PlanError::Value`] for columns of tables with other row ids, and if there is no input.
    #[track_caller]
    pub fn transform(
        &self,
        inputs: &[(&Table, Vec<Expr>)],
        transformer: Arc<dyn Transformer>,
        parts: &[Part<'_>],
        frame: Option<Frame>,
    ) -> Result<Vec<Table>, PlanError> {
        let frame = match frame {
            Some(frame) => Some(frame),
            None => Some(Frame::of_caller()),
        };
        let tables: Vec<&Table> = inputs.iter().map(|(table, _)| *table).collect();
        let Some((first, others)) = tables.split_first() else {
            return Err(PlanError::Value(format!("{} needs a table", transformer.name())));
        };
        first.same_graph(others)?;
        let mut state = self.lock();
        let mut rows = Vec::with_capacity(inputs.len());
        for (table, expressions) in inputs {
            let columns = expressions
                .iter()
                .map(|e| state.align(e, table.node, frame.as_ref()))
                .collect::<Result<_, _>>()?;
            rows.push(Rows { table: table.node, columns });
        }
        let whole = state.add_transform(rows, transformer, parts, &frame);
        let mut start = 1;
        let mut made = Vec::with_capacity(parts.len());
        for (number, (input, columns)) in parts.iter().enumerate() {
            let like = inputs[*input].0.node;
            made.push(state.add_part(whole, (number, start), like, columns, &frame)?);
            start += columns.len();
        }
        Ok(made.into_iter().map(|node| Table::new(self, &state, node)).collect())
    }

    /// The column that operations pass on, row by row unchanged, until it is this expression: its node
    /// and name. `None` if the expression is not just a column.
    pub fn passed_from(&self, expression: &Expr) -> Option<(NodeId, Arc<str>)> {
        let column = expression.as_column()?;
        let state = self.lock();
        state.checked(column.source).ok()?;
        let origin = state.passed_from(column);
        let column = state.node(origin.source).columns.get(origin.column as usize)?;
        Some((origin.source, column.name.clone()))
    }
}

impl State {
    /// The union of all parts of a transformer's output.
    fn add_transform(
        &mut self,
        inputs: Vec<Rows>,
        transformer: Arc<dyn Transformer>,
        parts: &[Part<'_>],
        frame: &Option<Frame>,
    ) -> NodeId {
        let column = |name: &str, dtype| Column { name: Arc::from(name), dtype, append_only: false };
        let mut columns = vec![column("part", DType::Int)];
        for (_, part) in parts {
            columns.extend(part.iter().map(|(name, dtype)| column(name, DType::optional(dtype.clone()))));
        }
        let universe = self.universe(&Definition::Unrelated);
        self.add(Node {
            op: Op::Transform(Transform { inputs, transformer }),
            columns,
            id_dtype: DType::ANY_POINTER,
            id_append_only: false,
            universe,
            frame: frame.clone(),
        })
    }

    /// One part, whose row ids are those of the table `like`.
    fn add_part(
        &mut self,
        whole: NodeId,
        (number, start): (usize, usize),
        like: NodeId,
        columns: &[(&str, DType)],
        frame: &Option<Frame>,
    ) -> Result<NodeId, PlanError> {
        let part = Expr::column(ColumnRef { source: whole, column: 0 }, DType::Int);
        let condition = Expr::binary(BinaryOp::Eq, part, Expr::literal(number as i64))?;
        let of_part = start..start + columns.len();
        let passed = of_part.map(|column| ColumnRef { source: whole, column: column as u32 }).collect();
        let columns = columns.iter().map(|(name, dtype)| Column {
            name: Arc::from(*name),
            dtype: dtype.clone(),
            append_only: false,
        });
        let (id_dtype, universe) = (self.node(like).id_dtype.clone(), self.node(like).universe);
        let node = Node {
            op: Op::Filter { input: whole, condition, columns: passed },
            columns: columns.collect(),
            id_dtype,
            id_append_only: self.node(like).id_append_only,
            universe,
            frame: frame.clone(),
        };
        Ok(self.add(node))
    }

    /// Where a column that operations pass on, row by row unchanged, comes from.
    fn passed_from(&self, column: ColumnRef) -> ColumnRef {
        let mut at = column;
        while let Some(next) = self.passed_once(at) {
            at = next;
        }
        at
    }

    fn passed_once(&self, at: ColumnRef) -> Option<ColumnRef> {
        let i = at.column as usize;
        match &self.node(at.source).op {
            Op::Select { expressions, .. } => expressions[i].as_column(),
            Op::Filter { columns, input, .. } => {
                // A part of a transformer's output is where its columns come from.
                let is_part = matches!(self.node(*input).op, Op::Transform(_));
                (!is_part).then(|| columns[i])
            }
            Op::Reindex { columns, .. }
            | Op::Intersect { columns, .. }
            | Op::Difference { columns, .. }
            | Op::Restrict { columns, .. } => Some(columns[i]),
            Op::Lookup(lookup) => Some(lookup.columns[i]),
            Op::Flatten(flatten) => match flatten.columns[i] {
                FlattenColumn::Passed(column) => Some(column),
                FlattenColumn::Element | FlattenColumn::Origin => None,
            },
            Op::Join(join) => match join.columns[i] {
                JoinColumn::Left(column) | JoinColumn::Right(column) => Some(column),
                _ => None,
            },
            Op::Stateful(stateful) => stateful.columns.get(i).copied(),
            Op::Reduce(reduce) => reduce.group.get(i)?.as_column(),
            Op::Concat { inputs } => self.passed_by_all(inputs.iter(), i),
            Op::UpdateRows { old, new } => self.passed_by_all([old, new].into_iter(), i),
            Op::UpdateCells { input, updates, cells } => match cells[i] {
                None => input.columns[i].as_column(),
                Some(cell) => {
                    let (old, new) = (input.columns[i].as_column()?, updates.columns[cell].as_column()?);
                    let (old, new) = (self.passed_from(old), self.passed_from(new));
                    (old == new).then_some(old)
                }
            },
            _ => None,
        }
    }

    /// The one column that all of these tables have at a position.
    fn passed_by_all<'a>(&self, all: impl Iterator<Item = &'a Rows>, i: usize) -> Option<ColumnRef> {
        let mut origins = all.map(|rows| Some(self.passed_from(rows.columns[i].as_column()?)));
        let first = origins.next()??;
        origins.all(|origin| origin == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests;
