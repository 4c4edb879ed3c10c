//! Calls of user functions: rows with an error (or, if the function asks for it, with None) among
//! the arguments are taken out before the call.

use arrow_buffer::BooleanBuffer;
use pathway_types::{Column, DType, Key};

use super::cells::{Causes, Cells, Strict, or_masks};
use super::compile::Node;
use super::frame::Frame;
use crate::Udf;
use crate::kernels::convert::convert;
use crate::kernels::select::expand;

/// The results of a call.
pub(super) fn call(frame: &Frame<'_>, node: &Node, udf: &dyn Udf) -> Cells {
    let rows = frame.rows();
    let operands: Vec<Cells> = node.operands.iter().map(|id| frame.get(*id)).collect();
    let sides: Vec<(&Cells, &DType)> =
        operands.iter().zip(node.operands.iter()).map(|(cells, id)| (cells, frame.dtype(*id))).collect();
    let (nulls, sealed) = Strict::none_allowed(&sides, rows).seal();
    let mut called = match nulls {
        Some(nulls) => nulls.into_inner(),
        None => BooleanBuffer::new_set(rows),
    };
    if udf.propagates_none() {
        for (cells, dtype) in &sides {
            if let Some(nones) = cells.nones(dtype, rows) {
                called = &called & &!&nones;
            }
        }
    }
    let unwanted = frame.mask().map(|mask| !mask);
    if let Some(unwanted) = &unwanted {
        called = &called & &!unwanted;
    }
    let pending = pending(&operands);
    if let Some(pending) = &pending {
        called = &called & &!pending;
    }
    let count = called.count_set_bits();
    let results = match count {
        0 => Cells::rows(Column::nulls(&node.dtype, rows)),
        _ => {
            let whole = count == rows;
            let arguments: Vec<(Column, DType)> = sides
                .iter()
                .map(|(cells, dtype)| {
                    let column = cells.column(dtype, rows);
                    (if whole { column } else { column.filter(&called) }, (*dtype).clone())
                })
                .collect();
            let keys = if whole { frame.keys() } else { frame.keys().filter(&called) };
            let keys: Vec<Key> = keys.as_slice().iter().map(|key| Key(*key)).collect();
            let outcome = udf.call(&arguments, &keys, count);
            let cells = Cells::with_causes(outcome.column, Causes::new(outcome.causes));
            let cells = convert(&cells, udf.return_type(), &node.dtype, count);
            if whole { cells } else { expand(&cells, &called) }
        }
    };
    let column = results.column(&node.dtype, rows);
    let errors = or_masks(or_masks(column.errors().cloned(), sealed.errors()), unwanted.as_ref());
    let pending = or_masks(pending, column.pending());
    // Rows that were not called are null in the column already.
    let column = Column::with_errors(column.array().clone(), errors).with_pending(pending);
    Cells::with_causes(column, sealed.causes().or(&results.causes))
}

/// Rows with a pending argument: their result is pending too.
fn pending(operands: &[Cells]) -> Option<BooleanBuffer> {
    operands.iter().fold(None, |mask, cells| match &cells.data {
        super::cells::Data::Rows(column) => or_masks(mask, column.pending()),
        super::cells::Data::Scalar(_) => mask,
    })
}
