//! Evaluation of a graph over the rows of a batch, or over some of them.
//!
//! A frame is a set of rows together with the nodes already computed for all of them. A branch that
//! only some rows take is computed in a frame of its own, whose results never get into the frame
//! above. It reads columns from there in one of two ways: if few rows take the branch, filtered to
//! them; if many do, whole, with the other rows marked as errors without a cause, which every
//! operation passes over and the chooser above ignores.

use std::cell::RefCell;

use arrow_buffer::BooleanBuffer;
use hashbrown::HashMap;
use pathway_types::{Column, DType, DataError, ErrorKind, Keys};

use super::cells::{Causes, Cells, Data, or_masks};
use super::compile::{Graph, Node, NodeId, Op};
use super::{Input, Outcome, branch, user};
use crate::build::operators::{is_arithmetic, is_dynamic};
use crate::kernels::call::Call;
use crate::kernels::select::expand;
use crate::kernels::{
    arithmetic, arrays, boolean, call, cast, compare, convert, duration, dynamic, index, json,
};
use crate::kernels::{nullify, pointer, strings, to_string};
use crate::{BinaryOp, UnaryOp};

/// The results of a graph's expressions.
pub(super) fn evaluate(graph: &Graph, input: &Input<'_>) -> Vec<Outcome> {
    let rows = input.keys.len();
    let frame = Frame {
        graph,
        source: Source::Input(input),
        rows,
        checks: input.check_types,
        done: RefCell::default(),
    };
    for id in graph.eager() {
        frame.get(*id);
    }
    let outcome = |id: &NodeId| {
        let node = graph.node(*id);
        let cells = match node.op {
            // What is only passed on is nobody's result.
            Op::Input(position) => frame.input(position, &node.dtype),
            _ => frame.get(*id),
        };
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
    Filtered(&'a Frame<'a>, &'a BooleanBuffer),
    /// They are the rows of another frame; only those where the mask is set count.
    Masked(&'a Frame<'a>, &'a BooleanBuffer),
}

/// Rows, and the nodes that have been computed for all of them.
pub(super) struct Frame<'a> {
    graph: &'a Graph,
    source: Source<'a>,
    rows: usize,
    /// A None where the type has none is an error.
    checks: bool,
    done: RefCell<HashMap<NodeId, Cells>>,
}

/// A branch taken by fewer than one row in this many is evaluated over filtered columns.
const SPARSE: usize = 8;

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
    /// The rows that count, if not all do.
    pub(super) fn mask(&self) -> Option<&BooleanBuffer> {
        match self.source {
            Source::Masked(_, mask) => Some(mask),
            Source::Input(_) | Source::Filtered(..) => None,
        }
    }
    /// The row keys.
    pub(super) fn keys(&self) -> Keys {
        match &self.source {
            Source::Input(input) => input.keys.clone(),
            Source::Filtered(parent, mask) => parent.keys().filter(mask),
            Source::Masked(parent, _) => parent.keys(),
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
    /// None, maybe an error, maybe what they would have been.
    pub(super) fn get_where(&self, id: NodeId, wanted: &BooleanBuffer) -> Cells {
        if !self.node(id).is_heavy() {
            return self.get(id);
        }
        if let Some(cells) = self.known(id) {
            return cells;
        }
        self.part(wanted, self.dtype(id), |part| part.get(id))
    }

    /// What `compute` gives in a frame of the rows of `wanted`, whose dtype is told; the other rows hold
    /// nothing of meaning.
    pub(super) fn part(
        &self,
        wanted: &BooleanBuffer,
        dtype: &DType,
        compute: impl FnOnce(&Frame<'_>) -> Cells,
    ) -> Cells {
        let counting = self.mask().map(|mask| wanted & mask);
        let wanted = counting.as_ref().unwrap_or(wanted);
        let count = wanted.count_set_bits();
        if count == self.rows {
            return compute(self);
        }
        if count == 0 {
            return Cells::rows(Column::nulls(dtype, self.rows));
        }
        let (graph, checks) = (self.graph, self.checks);
        let part = |source, rows| Frame { graph, source, rows, checks, done: RefCell::default() };
        if count * SPARSE < self.rows {
            expand(&compute(&part(Source::Filtered(self, wanted), count)), wanted)
        } else {
            compute(&part(Source::Masked(self, wanted), self.rows))
        }
    }

    /// The cells of a node that has been computed here, or in the frame above.
    fn known(&self, id: NodeId) -> Option<Cells> {
        if let Some(cells) = self.done.borrow().get(&id) {
            return Some(cells.clone());
        }
        let (parent, mask) = match &self.source {
            Source::Input(_) => return None,
            Source::Filtered(parent, mask) | Source::Masked(parent, mask) => (*parent, *mask),
        };
        let above = match self.node(id).op {
            // Inputs are never computed, and brought down level by level.
            Op::Input(_) | Op::InputId => parent.get(id),
            _ => parent.known(id)?,
        };
        let cells = match above.data {
            Data::Scalar(_) => above,
            Data::Rows(column) if self.mask().is_some() => {
                let causes = above.causes.filter(|row| mask.value(row));
                Cells::with_causes(mark_others(&column, mask), causes)
            }
            Data::Rows(column) => {
                let mut rank = vec![0u32; mask.len()];
                let causes = above.causes.filter(|row| mask.value(row));
                if !causes.is_empty() {
                    mask.set_indices().enumerate().for_each(|(at, place)| rank[place] = at as u32);
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
            Op::Failed(error) => Cells::failed(error, &node.dtype, self.rows, self.mask()),
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
        let settled = if let DType::Future(inner) = &node.dtype { inner } else { &node.dtype };
        if self.checks && !settled.admits_none() { self.refuse_none(cells, &node.dtype) } else { cells }
    }

    /// The cells, each None an error.
    fn refuse_none(&self, cells: Cells, dtype: &DType) -> Cells {
        let Some(mut nones) = cells.nones(dtype, self.rows) else { return cells };
        if let Some(mask) = self.mask() {
            nones = &nones & mask;
        }
        let column = cells.column(dtype, self.rows);
        let error = DataError::new(ErrorKind::Type, format!("Value None is not of type {dtype}."));
        let causes = nones.set_indices().map(|row| (row as u32, error.clone())).collect();
        let errors = or_masks(Some(nones), column.errors());
        let pending = column.pending().cloned();
        let column = Column::with_errors(column.array().clone(), errors).with_pending(pending);
        Cells::with_causes(column, cells.causes.or(&Causes::new(causes)))
    }

    /// An input column; in the frame of the batch, since the others get it from there.
    fn input(&self, position: usize, dtype: &DType) -> Cells {
        let columns = match &self.source {
            Source::Input(input) => input.columns,
            Source::Filtered(parent, _) | Source::Masked(parent, _) => return parent.input(position, dtype),
        };
        match columns.get(position) {
            Some(column) => Cells::rows(column.clone()),
            None => {
                let message = format!(
                    "the expression reads input column {position}, there are {}; this is an error of the planner",
                    columns.len()
                );
                Cells::failed(&DataError::new(ErrorKind::Engine, message), dtype, self.rows, None)
            }
        }
    }
}

/// The column with the rows outside of the mask made errors; the values stay where they are.
fn mark_others(column: &Column, mask: &BooleanBuffer) -> Column {
    let others = !mask;
    let array = nullify(column.array(), &others);
    let errors = or_masks(Some(others), column.errors());
    let pending = column.pending().map(|pending| pending & mask);
    Column::with_errors(array, errors).with_pending(pending)
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
                DType::Any | DType::Json => dynamic::negate((&operand, types[0]), dtype, rows),
                DType::Array { .. } => arrays::negate((&operand, types[0]), dtype, rows),
                _ => arithmetic::negate_int(&operand, dtype, rows),
            }
        }
        Op::IsNone => branch::is_none(side(0), rows, true),
        Op::IsNotNone => branch::is_none(side(0), rows, false),
        Op::IsReady => branch::is_ready(operands, rows),
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
pub(crate) fn binary(
    op: BinaryOp,
    (left, left_type): (&Cells, &DType),
    (right, right_type): (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, MatMul, Mul, Ne, Xor};
    let (l, r) = (&left.spread_none(left_type, rows), &right.spread_none(right_type, rows));
    match (op, left_type, right_type) {
        (op, l, r)
            if (is_arithmetic(op) || matches!(op, Lt | Le | Gt | Ge)) && (is_dynamic(l) || is_dynamic(r)) =>
        {
            dynamic::binary(op, (left, l), (right, r), dtype, rows)
        }
        (Eq | Ne | Lt | Le | Gt | Ge, ..) => {
            compare::compare(op, (left, left_type), (right, right_type), rows)
        }
        (MatMul, ..) => arrays::matrix_product((l, left_type), (r, right_type), dtype, rows),
        (_, DType::Array { .. }, _) | (_, _, DType::Array { .. }) => {
            arrays::elementwise(op, (l, left_type), (r, right_type), dtype, rows)
        }
        (Xor, DType::Bool, _) => boolean::xor(l, r, rows),
        (_, DType::Int, DType::Int) => arithmetic::int(op, l, r, rows),
        (_, DType::Float, DType::Float) => arithmetic::float(op, l, r, rows),
        (_, DType::Str, DType::Str) => strings::concat::concat(l, r, rows),
        (Mul, DType::Str, DType::Int) => strings::concat::repeat(l, r, rows),
        (Mul, DType::Int, DType::Str) => strings::concat::repeat(r, l, rows),
        _ => duration::binary(op, (l, left_type), (r, right_type), dtype, rows),
    }
}
