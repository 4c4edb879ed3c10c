//! Logic on BOOL.

use arrow_buffer::BooleanBuffer;
use pathway_types::DType;

use super::{bool_array, bools};
use crate::BinaryOp;
use crate::evaluate::cells::{Cells, Strict};

/// `left ^ right`.
pub(crate) fn xor(left: &Cells, right: &Cells, rows: usize) -> Cells {
    let frame = Strict::of(&[(left, &DType::Bool), (right, &DType::Bool)], rows);
    let bits = &bools(left, rows) ^ &bools(right, rows);
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// `~operand`.
pub(crate) fn not(operand: &Cells, rows: usize) -> Cells {
    let frame = Strict::of(&[(operand, &DType::Bool)], rows);
    let bits = !&bools(operand, rows);
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// `left & right` or `left | right` where `right` is known for every row in which `left` does not
/// decide; elsewhere its cells do not count, be they errors or not.
pub(crate) fn decide(op: BinaryOp, left: &Cells, right: &Cells, rows: usize) -> Cells {
    let mut frame = Strict::of(&[(left, &DType::Bool)], rows);
    let bits = bools(left, rows);
    let open = undecided(op, &frame, &bits);
    frame.add_where(right, &DType::Bool, &open);
    let result = if op == BinaryOp::And { &bits & &bools(right, rows) } else { &bits | &bools(right, rows) };
    frame.finish(|nulls| bool_array(result, nulls))
}

/// The rows in which the left side has a value that leaves the result open.
pub(crate) fn undecided(op: BinaryOp, left: &Strict, bits: &BooleanBuffer) -> BooleanBuffer {
    let open = if op == BinaryOp::And { bits.clone() } else { !bits };
    match left.validity() {
        Some(valid) => &open & valid.inner(),
        None => open,
    }
}
