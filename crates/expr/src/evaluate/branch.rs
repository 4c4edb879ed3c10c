//! Operations that look at an operand in some rows only: branches, and what replaces None or errors.

use arrow_buffer::BooleanBuffer;
use pathway_types::{Column, DType, DataError};

use super::cells::{Causes, Cells, Data, Strict, or_masks};
use super::compile::{Node, NodeId};
use super::frame::Frame;
use crate::BinaryOp;
use crate::kernels::convert::convert;
use crate::kernels::select::{overlay, select};
use crate::kernels::{bool_array, boolean, bools, nullify};

/// `then` where the condition holds, `otherwise` where it does not.
pub(super) fn if_else(frame: &Frame<'_>, node: &Node) -> Cells {
    let rows = frame.rows();
    let [condition, then, otherwise] = *node.operands else { return missing(frame, node) };
    let condition = frame.get(condition).spread_none(&DType::Bool, rows);
    let decided = Strict::of(&[(&condition, &DType::Bool)], rows);
    let holds = bools(&condition, rows);
    let (yes, no) = match decided.validity() {
        Some(valid) => (&holds & valid.inner(), &!&holds & valid.inner()),
        None => (holds.clone(), !&holds),
    };
    let then = frame.get_where(then, &yes);
    let otherwise = frame.get_where(otherwise, &no);
    overlay(decided, &select(&yes, &then, &otherwise, &node.dtype), &node.dtype, rows)
}

/// True where no operand is pending.
pub(super) fn is_ready(operands: &[Cells], rows: usize) -> Cells {
    let pending = operands.iter().filter_map(|cells| match &cells.data {
        Data::Rows(column) => column.pending().cloned(),
        Data::Scalar(_) => None,
    });
    let pending = pending.reduce(|a, b| &a | &b);
    let ready = pending.map_or_else(|| BooleanBuffer::new_set(rows), |mask| !&mask);
    Cells::rows(Column::from(bool_array(ready, None)))
}

/// The first operand that is not None.
pub(super) fn coalesce(frame: &Frame<'_>, node: &Node) -> Cells {
    let rows = frame.rows();
    let Some((first, rest)) = node.operands.split_first() else { return missing(frame, node) };
    let mut result = frame.get(*first);
    let mut open = result.nones(frame.dtype(*first), rows);
    for id in rest {
        let Some(rows_left) = open else { break };
        let next = frame.get_where(*id, &rows_left);
        result = select(&rows_left, &next, &result, &node.dtype);
        open = next.nones(frame.dtype(*id), rows).map(|nones| &nones & &rows_left);
        open = open.filter(|mask| mask.count_set_bits() > 0);
    }
    result
}

/// The value, or None where a dependency is None; the first dependency that is None or an error
/// decides.
pub(super) fn require(frame: &Frame<'_>, node: &Node) -> Cells {
    let Some((value, dependencies)) = node.operands.split_first() else { return missing(frame, node) };
    required(frame, *value, dependencies, &node.dtype)
}

/// Each dependency is looked at where those before it leave the result open, in a frame inside of
/// theirs: what was computed for a dependency is there when the value is.
fn required(frame: &Frame<'_>, value: NodeId, dependencies: &[NodeId], dtype: &DType) -> Cells {
    let rows = frame.rows();
    let Some((first, rest)) = dependencies.split_first() else {
        return convert(&frame.get(value), frame.dtype(value), dtype, rows);
    };
    let dependency = frame.get(*first);
    let nones = dependency.nones(frame.dtype(*first), rows);
    let errors = dependency.errors();
    if nones.is_none() && errors.is_none() {
        return required(frame, value, rest, dtype);
    }
    let mut open = BooleanBuffer::new_set(rows);
    for closed in errors.into_iter().chain(&nones) {
        open = &open & &!closed;
    }
    let is_heavy = rest.iter().chain([&value]).any(|id| frame.node(*id).is_heavy());
    let inner = match is_heavy {
        true => frame.part(&open, dtype, |part| required(part, value, rest, dtype)),
        false => required(frame, value, rest, dtype),
    };
    let column = inner.column(dtype, rows);
    let errors = or_masks(column.errors().map(|mask| mask & &open), errors);
    let causes = dependency.causes.or(&inner.causes.filter(|row| open.value(row)));
    let array = nullify(column.array(), &!&open);
    Cells::with_causes(Column::with_errors(array, errors), causes)
}

/// The operand, or the replacement where it is an error.
pub(super) fn fill_error(frame: &Frame<'_>, node: &Node) -> Cells {
    let [operand, replacement] = *node.operands else { return missing(frame, node) };
    let operand = frame.get(operand);
    let errors = match (operand.errors(), frame.mask()) {
        (None, _) => return operand,
        (Some(errors), Some(mask)) => errors & mask,
        (Some(errors), None) => errors.clone(),
    };
    select(&errors, &frame.get_where(replacement, &errors), &operand, &node.dtype)
}

/// `&` and `|` on BOOL.
pub(super) fn and_or(frame: &Frame<'_>, node: &Node, op: BinaryOp) -> Cells {
    let rows = frame.rows();
    let [left, right] = *node.operands else { return missing(frame, node) };
    let left = frame.get(left).spread_none(&DType::Bool, rows);
    let open = boolean::undecided(op, &Strict::of(&[(&left, &DType::Bool)], rows), &bools(&left, rows));
    let right = frame.get_where(right, &open).spread_none(&DType::Bool, rows);
    boolean::decide(op, &left, &right, rows)
}

/// The None test; `none` tells which answer None gets.
pub(super) fn is_none((operand, dtype): (&Cells, &DType), rows: usize, none: bool) -> Cells {
    let frame = Strict::none_allowed(&[(operand, dtype)], rows);
    let nones = operand.nones(dtype, rows).unwrap_or_else(|| BooleanBuffer::new_unset(rows));
    let bits = if none { nones } else { !&nones };
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// The operand with None made an error.
pub(super) fn unwrap((operand, from): (&Cells, &DType), dtype: &DType, rows: usize) -> Cells {
    let Some(nones) = operand.nones(from, rows) else { return operand.clone() };
    let column = match &operand.data {
        Data::Scalar(_) => Column::nulls(dtype, rows),
        Data::Rows(column) => column.clone(),
    };
    let error =
        || DataError::value("None was found where unwrap expects a value; use coalesce for a default");
    let new = Causes::new(nones.set_indices().map(|row| (row as u32, error())).collect());
    let errors = or_masks(column.errors().cloned(), Some(&nones));
    // In dynamic columns None is an encoded value, which an error must not keep.
    let array = nullify(column.array(), &nones);
    Cells::with_causes(Column::with_errors(array, errors), operand.causes.or(&new))
}

/// A node without the operands its kind has, which the constructors do not make.
fn missing(frame: &Frame<'_>, node: &Node) -> Cells {
    Cells::rows(Column::nulls(&node.dtype, frame.rows()))
}
