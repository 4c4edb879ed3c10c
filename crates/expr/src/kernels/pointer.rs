//! Row keys from values.

use pathway_types::batch::hash_rows;
use pathway_types::{Column, DType};

use super::pointer_array;
use crate::evaluate::cells::{Cells, Strict};

/// The key of the operands, the last of which is the instance if so told. With `optional`, a None in
/// any gives None.
pub(crate) fn key(
    operands: &[Cells],
    types: &[&DType],
    optional: bool,
    instance: bool,
    rows: usize,
) -> Cells {
    let sides: Vec<(&Cells, &DType)> = operands.iter().zip(types.iter().copied()).collect();
    let mut frame = Strict::none_allowed(&sides, rows);
    if optional {
        for (cells, dtype) in &sides {
            if let Some(nones) = cells.nones(dtype, rows) {
                frame.give_none(&nones);
            }
        }
    }
    let columns: Vec<Column> = sides.iter().map(|(cells, dtype)| cells.column(dtype, rows)).collect();
    let columns: Vec<(&Column, &DType)> = columns.iter().zip(types.iter().copied()).collect();
    let (arguments, instance) = match columns.split_last() {
        Some((last, rest)) if instance => (rest, Some(*last)),
        _ => (&columns[..], None),
    };
    let keys = hash_rows(arguments, instance, rows).keys;
    let values = keys.as_slice().iter().map(|key| *key as i128).collect();
    frame.finish(|nulls| pointer_array(values, nulls))
}
