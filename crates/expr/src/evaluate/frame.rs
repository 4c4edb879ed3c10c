//! Evaluation of a graph over the rows of a batch, or over some of them.
//!
//! A frame is a set of rows together with the nodes already computed for all of them. A branch that
//! only some rows take is computed in a frame of its own, whose results never get into the frame
//! above: it reads columns from there, filtered to its rows, and leaves nothing behind.

use std::cell::RefCell;

use arrow_buffer::BooleanBuffer;
use hashbrown::HashMap;
use pathway_types::{Column, DType, DataError, ErrorKind, Keys};

use super::cells::{Cells, Data};
use super::compile::{Graph, Node, NodeId, Op};
use super::{Input, Outcome, branch, user};
use crate::kernels::call::Call;
use crate::kernels::select::expand;
use crate::kernels::{arithmetic, arrays, boolean, call, cast, compare, convert, duration, index, json};
use crate::kernels::{pointer, strings, to_string};
use crate::{BinaryOp, UnaryOp};

/// The results of a graph's expressions.
pub(super) fn evaluate(graph: &Graph, input: &Input<'_>) -> Vec<Outcome> {
    let rows = input.keys.len();
    let frame = Frame { graph, source: Source::Input(input), rows, done: RefCell::default() };
    for id in graph.eager() {
        frame.get(*id);
    }
    let outcome = |id: &NodeId| {
        let cells = frame.get(*id);
        let column = cells.column(&graph.node(*id).dtype, rows);
        Outcome { column, causes: cells.causes.into_vec() }
    };
    graph.root_ids().iter().map(outcome).collect()
}

/// Where a frame's rows come from.
enum Source<'a> {
    /// They are the batch.
    Input(&'a Input<'a>),
    /// They are the rows of another frame where the mask is set.
    Part(&'a Frame<'a>, &'a BooleanBuffer),
}

/// Rows, and the nodes that have been computed for all of them.
pub(super) struct Frame<'a> {
    graph: &'a Graph,
    source: Source<'a>,
    rows: usize,
    done: RefCell<HashMap<NodeId, Cells>>,
}

impl Frame<'_> {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
    /// A node of the graph.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.graph.node(id)
    }
    /// The dtype of a node.
    pub(super) fn dtype(&self, id: NodeId) -> &DType {
        &self.graph.node(id).dtype
    }
    /// The row keys.
    pub(super) fn keys(&self) -> Keys {
        match &self.source {
            Source::Input(input) => input.keys.clone(),
            Source::Part(parent, mask) => parent.keys().filter(mask),
        }
    }

    /// The cells of a node for all rows of the frame.
    pub(super) fn get(&self, id: NodeId) -> Cells {
        if let Some(cells) = self.known(id) {
            return cells;
        }
        let cells = self.compute(id);
        self.done.borrow_mut().insert(id, cells.clone());
        cells
    }

    /// The cells of a node for the rows of `wanted`. The other rows hold nothing of meaning: maybe
    /// None, maybe what they would have been.
    pub(super) fn get_where(&self, id: NodeId, wanted: &BooleanBuffer) -> Cells {
        let count = wanted.count_set_bits();
        if count == self.rows || !self.node(id).is_heavy() {
            return self.get(id);
        }
        if let Some(cells) = self.known(id) {
            return cells;
        }
        let dtype = self.dtype(id);
        if count == 0 {
            return Cells::rows(Column::nulls(dtype, self.rows));
        }
        let part = Frame {
            graph: self.graph,
            source: Source::Part(self, wanted),
            rows: count,
            done: RefCell::default(),
        };
        expand(&part.get(id), wanted, dtype)
    }

    /// The cells of a node that has been computed here, or in the frame above.
    fn known(&self, id: NodeId) -> Option<Cells> {
        if let Some(cells) = self.done.borrow().get(&id) {
            return Some(cells.clone());
        }
        let Source::Part(parent, mask) = &self.source else { return None };
        let above = match self.node(id).op {
            // Inputs are never computed, and cheaper to filter once than once a level.
            Op::Input(_) | Op::InputId => parent.get(id),
            _ => parent.known(id)?,
        };
        let cells = match above.data {
            Data::Scalar(_) => above,
            Data::Rows(column) => {
                let mut rank = vec![0u32; mask.len()];
                let places = mask.set_indices();
                let causes = above.causes.filter(|row| mask.value(row));
                if !causes.is_empty() {
                    places.enumerate().for_each(|(at, place)| rank[place] = at as u32);
                }
                Cells::with_causes(column.filter(mask), causes.rename(|row| rank[row]))
            }
        };
        self.done.borrow_mut().insert(id, cells.clone());
        Some(cells)
    }

    fn compute(&self, id: NodeId) -> Cells {
        let node = self.node(id);
        let cells = match &node.op {
            Op::IfElse => branch::if_else(self, node),
            Op::Coalesce => branch::coalesce(self, node),
            Op::Require => branch::require(self, node),
            Op::FillError => branch::fill_error(self, node),
            Op::Binary(op @ (BinaryOp::And | BinaryOp::Or)) if node.dtype == DType::Bool => {
                branch::and_or(self, node, *op)
            }
            Op::Udf(udf) => user::call(self, node, &**udf),
            Op::Input(position) => self.input(*position, &node.dtype),
            Op::InputId => Cells::rows(self.keys().to_column()),
            Op::Constant(value) => Cells::scalar(value.clone(), &node.dtype, self.rows),
            Op::Failed(error) => Cells::failed(error, &node.dtype, self.rows),
            _ => {
                let operands: Vec<Cells> = node.operands.iter().map(|id| self.get(*id)).collect();
                let types: Vec<&DType> = node.operands.iter().map(|id| self.dtype(*id)).collect();
                strict(node, &operands, &types, self.rows)
            }
        };
        #[cfg(debug_assertions)]
        if let Data::Rows(column) = &cells.data {
            let expected = pathway_types::storage::arrow_type(&node.dtype);
            debug_assert_eq!(column.array().data_type(), &expected, "layout of {:?}", node.op);
            debug_assert_eq!(column.len(), self.rows, "rows of {:?}", node.op);
        }
        cells
    }

    fn input(&self, position: usize, dtype: &DType) -> Cells {
        match &self.source {
            Source::Input(input) => match input.columns.get(position) {
                Some(column) => Cells::rows(column.clone()),
                None => {
                    let message = format!(
                        "the expression reads input column {position}, there are {}; this is an error of the planner",
                        input.columns.len()
                    );
                    Cells::failed(&DataError::new(ErrorKind::Engine, message), dtype, self.rows)
                }
            },
            // `known` has answered for inputs of parts.
            Source::Part(parent, mask) => match parent.input(position, dtype).data {
                Data::Rows(column) => Cells::rows(column.filter(mask)),
                Data::Scalar(value) => Cells::scalar(value, dtype, self.rows),
            },
        }
    }
}

/// An operation that looks at all its operands in every row.
fn strict(node: &Node, operands: &[Cells], types: &[&DType], rows: usize) -> Cells {
    let dtype = &node.dtype;
    let side = |i: usize| (&operands[i], types[i]);
    match &node.op {
        Op::Binary(op) => binary(*op, side(0), side(1), dtype, rows),
        Op::Unary(UnaryOp::Not) => boolean::not(&operands[0].spread_none(types[0], rows), rows),
        Op::Unary(UnaryOp::Neg) => {
            let operand = operands[0].spread_none(types[0], rows);
            match dtype {
                DType::Float => arithmetic::negate_float(&operand, rows),
                _ => arithmetic::negate_int(&operand, dtype, rows),
            }
        }
        Op::IsNone => branch::is_none(side(0), rows, true),
        Op::IsNotNone => branch::is_none(side(0), rows, false),
        Op::Unwrap => branch::unwrap(side(0), dtype, rows),
        Op::MakeTuple => index::make_tuple(operands, types, dtype, rows),
        Op::Cast => cast::cast(&operands[0], types[0], dtype, rows),
        Op::DeclareType => convert::convert(&operands[0], types[0], dtype, rows),
        Op::Pointer { optional, instance } => pointer::key(operands, types, *optional, *instance, rows),
        Op::GetItem if *types[0] == DType::Json => json::get_item(side(0), side(1), rows),
        Op::GetItem => index::get_item(side(0), side(1), dtype, rows),
        Op::Get if *types[0] == DType::Json => json::get(side(0), side(1), side(2), dtype, rows),
        Op::Get => index::get(side(0), side(1), side(2), dtype, rows),
        Op::FromJson { default, unwrap } => {
            json::convert(side(0), default.then(|| side(1)), *unwrap, dtype, rows)
        }
        Op::ToString => to_string::to_string(side(0), rows),
        Op::Call(kernel) => call::call(kernel, &Call { operands, types, dtype, rows }),
        // All other kinds were dealt with by the frame.
        _ => Cells::rows(Column::nulls(dtype, rows)),
    }
}

/// A binary operator other than `&` and `|` on BOOL.
fn binary(
    op: BinaryOp,
    (left, left_type): (&Cells, &DType),
    (right, right_type): (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, MatMul, Mul, Ne, Xor};
    let (l, r) = (&left.spread_none(left_type, rows), &right.spread_none(right_type, rows));
    match (op, left_type, right_type) {
        (Eq | Ne | Lt | Le | Gt | Ge, ..) => {
            compare::compare(op, (left, left_type), (right, right_type), rows)
        }
        (MatMul, ..) => arrays::matrix_product((l, left_type), (r, right_type), dtype, rows),
        (Xor, DType::Bool, _) => boolean::xor(l, r, rows),
        (_, DType::Int, DType::Int) => arithmetic::int(op, l, r, rows),
        (_, DType::Float, DType::Float) => arithmetic::float(op, l, r, rows),
        (_, DType::Str, DType::Str) => strings::concat::concat(l, r, rows),
        (Mul, DType::Str, DType::Int) => strings::concat::repeat(l, r, rows),
        (Mul, DType::Int, DType::Str) => strings::concat::repeat(r, l, rows),
        _ => duration::binary(op, (l, left_type), (r, right_type), dtype, rows),
    }
}
