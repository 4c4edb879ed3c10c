//! What the names of joined tables mean in the table of a join.
//!
//! A join may be joined again, so operands nest; every underlying table stays reachable by its own
//! columns, and the names of a join are those of its two operands by the rules below.

use std::sync::Arc;

use pathway_expr::Expr;

use crate::PlanError;
use crate::col::Side;
use crate::graph::{Column, NodeId};
use crate::program::JoinMode;

/// An operand of a join, in terms of the columns of the (outermost) join's table.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// A table.
    Table {
        /// Its node.
        node: NodeId,
        /// Its columns' names.
        names: Vec<Arc<str>>,
        /// Where its columns start.
        start: usize,
        /// Where its row id is; `None` if it is that of the outermost table.
        id: Option<usize>,
    },
    /// A join.
    Join(Box<Shape>),
}

/// A join in terms of the columns of the (outermost) join's table.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    mode: JoinMode,
    left: Operand,
    right: Operand,
    /// Names that both sides of a condition have in common.
    keys: Vec<Arc<str>>,
    /// Where the row id of this join is; `None` if it is that of the outermost table.
    id: Option<usize>,
}

/// A column of the outermost table by position, its row id without one.
type At<'a> = &'a dyn Fn(Option<usize>) -> Expr;

impl Operand {
    pub(super) fn table(node: NodeId, columns: &[Column]) -> Operand {
        let names = columns.iter().map(|c| c.name.clone()).collect();
        Operand::Table { node, names, start: 0, id: None }
    }

    /// The same operand, a table, with these columns, of which the first stand for its own.
    pub(super) fn with_columns(self, columns: &[Column]) -> Result<Operand, PlanError> {
        match self {
            Operand::Table { node, .. } => Ok(Operand::table(node, columns)),
            Operand::Join(_) => Err(PlanError::Type(
                "a window join takes tables; select the columns of a join first".to_owned(),
            )),
        }
    }

    /// The same operand with its columns moved, and its row id at a column if it had none.
    fn nested(self, by: usize, own_id: usize) -> Operand {
        let moved = |id: Option<usize>| Some(id.map_or(own_id, |i| i + by));
        match self {
            Operand::Table { node, names, start, id } => {
                Operand::Table { node, names, start: start + by, id: moved(id) }
            }
            Operand::Join(shape) => {
                let Shape { mode, left, right, keys, id } = *shape;
                let (left, right) = (left.nested(by, own_id), right.nested(by, own_id));
                Operand::Join(Box::new(Shape { mode, left, right, keys, id: moved(id) }))
            }
        }
    }

    fn tables(&self) -> Vec<NodeId> {
        match self {
            Operand::Table { node, .. } => vec![*node],
            Operand::Join(shape) => [shape.left.tables(), shape.right.tables()].concat(),
        }
    }

    pub(super) fn shares_table_with(&self, other: &Operand) -> bool {
        let tables = self.tables();
        other.tables().iter().any(|t| tables.contains(t))
    }

    /// Where a column (or the row id) of an underlying table is.
    fn find(&self, table: NodeId, column: Option<u32>) -> Option<Option<usize>> {
        match self {
            Operand::Table { node, start, id, .. } => (*node == table).then(|| match column {
                Some(column) => Some(start + column as usize),
                None => *id,
            }),
            Operand::Join(shape) => shape.find(table, column),
        }
    }

    pub(super) fn id(&self) -> Option<usize> {
        match self {
            Operand::Table { id, .. } => *id,
            Operand::Join(shape) => shape.id,
        }
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        match self {
            Operand::Table { names, .. } => names.clone(),
            Operand::Join(shape) => shape.names(),
        }
    }

    pub(super) fn column(&self, name: &str, at: At<'_>) -> Result<Expr, PlanError> {
        match self {
            Operand::Table { names, start, .. } => match names.iter().position(|n| &**n == name) {
                Some(position) => Ok(at(Some(start + position))),
                None => Err(no_column(name, names)),
            },
            Operand::Join(shape) => shape.column(name, at),
        }
    }
}

fn no_column(name: &str, names: &[Arc<str>]) -> PlanError {
    PlanError::Key(format!("no column with name {name}; there are [{}]", names.join(", ")))
}

impl Shape {
    /// The outermost join of two operands with so many columns.
    pub(super) fn new(
        mode: JoinMode,
        left: Operand,
        right: Operand,
        (left_width, right_width): (usize, usize),
        keys: Vec<Arc<str>>,
    ) -> Shape {
        let ids = left_width + right_width;
        Shape { mode, left: left.nested(0, ids), right: right.nested(left_width, ids + 1), keys, id: None }
    }

    pub(super) fn side(&self, side: Side) -> &Operand {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub(super) fn find(&self, table: NodeId, column: Option<u32>) -> Option<Option<usize>> {
        self.left.find(table, column).or_else(|| self.right.find(table, column))
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let (left, right) = (self.left.names(), self.right.names());
        let key = |name: &Arc<str>| self.keys.contains(name);
        let of_left = left.iter().filter(|n| key(n) || !right.contains(n));
        let of_right = right.iter().filter(|n| !left.contains(n));
        of_left.chain(of_right).cloned().collect()
    }

    pub(super) fn column(&self, name: &str, at: At<'_>) -> Result<Expr, PlanError> {
        if name == "id" {
            return Ok(at(self.id));
        }
        let has = |names: Vec<Arc<str>>| names.iter().any(|n| &**n == name);
        if self.keys.iter().any(|k| &**k == name) {
            let left = self.left.column(name, at)?;
            return match self.mode {
                JoinMode::Inner => Ok(left),
                _ => Ok(Expr::coalesce(vec![left, self.right.column(name, at)?])?),
            };
        }
        match (has(self.left.names()), has(self.right.names())) {
            (true, true) => Err(PlanError::Key(format!(
                "column {name} appears on both left and right inputs of the join; say which with left and right"
            ))),
            (true, false) => self.left.column(name, at),
            (false, true) => self.right.column(name, at),
            (false, false) => Err(no_column(name, &self.names())),
        }
    }
}
