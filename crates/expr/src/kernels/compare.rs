//! Comparison. Floats compare as IEEE says; `==` and `!=` also take None, which equals None only.

use arrow_buffer::BooleanBuffer;
use pathway_types::DType;
use pathway_types::view::CellView;

use super::{BytesLane, bool_array, bools, byte_strings, floats, ints, pointers, sequence, zip_bits};
use crate::BinaryOp;
use crate::evaluate::cells::{Cells, Strict};

/// `left op right` for the six comparisons.
pub(crate) fn compare(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), rows: usize) -> Cells {
    if sequence::needs_values(left.1, right.1) {
        return sequence::compare(op, left, right, rows);
    }
    let null_aware =
        matches!(op, BinaryOp::Eq | BinaryOp::Ne) && (left.1.admits_none() || right.1.admits_none());
    if null_aware {
        return equal_or_none(op, left, right, rows);
    }
    let frame = Strict::of(&[left, right], rows);
    let bits = values(op, left, right, rows);
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// Equality where None may occur on either side.
fn equal_or_none(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), rows: usize) -> Cells {
    let frame = Strict::none_allowed(&[left, right], rows);
    let none = |side: (&Cells, &DType)| side.0.nones(side.1, rows);
    let mut equal = if *left.1.stored() == DType::None || *right.1.stored() == DType::None {
        BooleanBuffer::new_unset(rows)
    } else {
        values(BinaryOp::Eq, left, right, rows)
    };
    match (none(left), none(right)) {
        (None, None) => {}
        (Some(nones), None) | (None, Some(nones)) => equal = &equal & &!&nones,
        (Some(l), Some(r)) => equal = &(&equal & &!&(&l | &r)) | &(&l & &r),
    }
    let bits = if op == BinaryOp::Eq { equal } else { !&equal };
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// The comparison of what stands in the cells; for cells without a value the answer means nothing.
fn values(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), rows: usize) -> BooleanBuffer {
    if matches!(left.1, DType::Future(_)) || matches!(right.1, DType::Future(_)) {
        // A pending cell holds nothing to compare, which only the cell-wise path knows.
        return cells(op, left, right, rows);
    }
    match left.1.stored() {
        DType::Int | DType::DateTimeNaive | DType::DateTimeUtc | DType::Duration => {
            ordered(op, ints(left.0), ints(right.0), rows)
        }
        DType::Float => ordered(op, floats(left.0), floats(right.0), rows),
        DType::Bool => booleans(op, &bools(left.0, rows), &bools(right.0, rows)),
        DType::Pointer(_) => {
            let (a, b) = (pointers(left.0), pointers(right.0));
            match op {
                BinaryOp::Eq => zip_bits(a, b, rows, |a, b| a == b),
                BinaryOp::Ne => zip_bits(a, b, rows, |a, b| a != b),
                BinaryOp::Lt => zip_bits(a, b, rows, |a, b| (a as u128) < (b as u128)),
                BinaryOp::Le => zip_bits(a, b, rows, |a, b| (a as u128) <= (b as u128)),
                BinaryOp::Gt => zip_bits(a, b, rows, |a, b| (a as u128) > (b as u128)),
                _ => zip_bits(a, b, rows, |a, b| (a as u128) >= (b as u128)),
            }
        }
        DType::Str | DType::Json | DType::Bytes | DType::PyObject(_) => {
            strings(op, byte_strings(left.0), byte_strings(right.0), rows)
        }
        DType::None => BooleanBuffer::new_set(rows),
        _ => cells(op, left, right, rows),
    }
}

/// The six comparisons over values that Rust orders as they should be.
fn ordered<T: Copy + PartialOrd>(
    op: BinaryOp,
    a: super::Lane<'_, T>,
    b: super::Lane<'_, T>,
    rows: usize,
) -> BooleanBuffer {
    match op {
        BinaryOp::Eq => zip_bits(a, b, rows, |a, b| a == b),
        BinaryOp::Ne => zip_bits(a, b, rows, |a, b| a != b),
        BinaryOp::Lt => zip_bits(a, b, rows, |a, b| a < b),
        BinaryOp::Le => zip_bits(a, b, rows, |a, b| a <= b),
        BinaryOp::Gt => zip_bits(a, b, rows, |a, b| a > b),
        _ => zip_bits(a, b, rows, |a, b| a >= b),
    }
}

/// False is less than true; 64 rows at a time.
fn booleans(op: BinaryOp, a: &BooleanBuffer, b: &BooleanBuffer) -> BooleanBuffer {
    match op {
        BinaryOp::Eq => !&(a ^ b),
        BinaryOp::Ne => a ^ b,
        BinaryOp::Lt => &!a & b,
        BinaryOp::Le => &!a | b,
        BinaryOp::Gt => a & &!b,
        _ => a | &!b,
    }
}

/// Byte order, which for UTF-8 is the order of code points.
fn strings(op: BinaryOp, a: BytesLane<'_>, b: BytesLane<'_>, rows: usize) -> BooleanBuffer {
    let by =
        |f: &dyn Fn(&[u8], &[u8]) -> bool| BooleanBuffer::collect_bool(rows, |row| f(a.get(row), b.get(row)));
    match op {
        BinaryOp::Eq => equal_strings(a, b, rows),
        BinaryOp::Ne => !&equal_strings(a, b, rows),
        BinaryOp::Lt => by(&|a, b| a < b),
        BinaryOp::Le => by(&|a, b| a <= b),
        BinaryOp::Gt => by(&|a, b| a > b),
        _ => by(&|a, b| a >= b),
    }
}

fn equal_strings(a: BytesLane<'_>, b: BytesLane<'_>, rows: usize) -> BooleanBuffer {
    match (a, b) {
        (BytesLane::Each { offsets, bytes }, BytesLane::One(one))
        | (BytesLane::One(one), BytesLane::Each { offsets, bytes }) => {
            let len = one.len() as i64;
            // Lengths differ for most rows, which the offsets alone tell.
            BooleanBuffer::collect_bool(rows, |row| {
                let (start, end) = (offsets[row], offsets[row + 1]);
                end - start == len && &bytes[start as usize..end as usize] == one
            })
        }
        _ => BooleanBuffer::collect_bool(rows, |row| a.get(row) == b.get(row)),
    }
}

/// Cell by cell, for tuples, lists and arrays of one dtype and for dynamic columns.
fn cells(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), rows: usize) -> BooleanBuffer {
    let (l, r) = (left.0.column(left.1, rows), right.0.column(right.1, rows));
    let (l, r) = (CellView::new(&l, left.1), CellView::new(&r, right.1));
    let by = |f: &dyn Fn(std::cmp::Ordering) -> bool| {
        BooleanBuffer::collect_bool(rows, |row| f(l.cmp(row, &r, row)))
    };
    match op {
        BinaryOp::Eq => by(&std::cmp::Ordering::is_eq),
        BinaryOp::Ne => by(&std::cmp::Ordering::is_ne),
        BinaryOp::Lt => by(&std::cmp::Ordering::is_lt),
        BinaryOp::Le => by(&std::cmp::Ordering::is_le),
        BinaryOp::Gt => by(&std::cmp::Ordering::is_gt),
        _ => by(&std::cmp::Ordering::is_ge),
    }
}
