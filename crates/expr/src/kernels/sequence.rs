//! Comparison of tuples and lists whose members differ in type, or are of any type.
//!
//! Lexicographic, a proper prefix is smaller; int and float members compare as numbers. All member
//! pairs are looked at, so that kinds which do not compare are an error whatever comes before them.

use std::cmp::Ordering;

use pathway_types::value::float_order;
use pathway_types::{DType, DataError, Value};

use super::by_values_in;
use crate::BinaryOp;
use crate::evaluate::cells::{Cells, Strict};

/// True if a comparison of these dtypes cannot rely on one layout on both sides.
pub(crate) fn needs_values(left: &DType, right: &DType) -> bool {
    let (left, right) = (left.stored(), right.stored());
    left.is_sequence() && right.is_sequence() && (left != right || has_any(left))
}

fn has_any(dtype: &DType) -> bool {
    match dtype.stored() {
        DType::Any => true,
        DType::Tuple(members) => members.iter().any(has_any),
        DType::List(member) => has_any(member),
        _ => false,
    }
}

/// `left op right` by values.
pub(crate) fn compare(op: BinaryOp, left: (&Cells, &DType), right: (&Cells, &DType), rows: usize) -> Cells {
    let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
    let operands = [left, right];
    let frame = if equality { Strict::none_allowed(&operands, rows) } else { Strict::of(&operands, rows) };
    by_values_in(frame, &operands, &DType::Bool, |values| {
        let [left, right] = values else { return Ok(Value::Error) };
        Ok(Value::Bool(match op {
            BinaryOp::Eq => equal(left, right)?,
            BinaryOp::Ne => !equal(left, right)?,
            BinaryOp::Lt => order(left, right)?.is_lt(),
            BinaryOp::Le => order(left, right)?.is_le(),
            BinaryOp::Gt => order(left, right)?.is_gt(),
            _ => order(left, right)?.is_ge(),
        }))
    })
}

fn equal(left: &Value, right: &Value) -> Result<bool, DataError> {
    match (left, right) {
        (Value::None, Value::None) => Ok(true),
        (Value::None, _) | (_, Value::None) => Ok(false),
        (Value::Int(l), Value::Float(r)) => Ok(*l as f64 == *r),
        (Value::Float(l), Value::Int(r)) => Ok(*l == *r as f64),
        (Value::Tuple(l), Value::Tuple(r)) => {
            let mut same = l.len() == r.len();
            for (l, r) in l.iter().zip(r.iter()) {
                same &= equal(l, r)?;
            }
            Ok(same)
        }
        (l, r) if std::mem::discriminant(l) == std::mem::discriminant(r) => Ok(l == r),
        (l, r) => Err(not_comparable(l, r)),
    }
}

/// The order of two values that compare.
pub(crate) fn order(left: &Value, right: &Value) -> Result<Ordering, DataError> {
    match (left, right) {
        (Value::Int(l), Value::Float(r)) => Ok(float_order(*l as f64, *r)),
        (Value::Float(l), Value::Int(r)) => Ok(float_order(*l, *r as f64)),
        (Value::Tuple(l), Value::Tuple(r)) => {
            let mut first = Ordering::Equal;
            for (l, r) in l.iter().zip(r.iter()) {
                first = first.then(order(l, r)?);
            }
            Ok(first.then(l.len().cmp(&r.len())))
        }
        (
            Value::Json(_) | Value::PyObject(_) | Value::IntArray(_) | Value::FloatArray(_) | Value::Pending,
            _,
        ) => Err(not_comparable(left, right)),
        (l, r) if std::mem::discriminant(l) == std::mem::discriminant(r) => Ok(l.cmp(r)),
        (l, r) => Err(not_comparable(l, r)),
    }
}

fn not_comparable(left: &Value, right: &Value) -> DataError {
    let name = |value: &Value| crate::layout::kind_name(&value.natural_dtype()).to_owned();
    DataError::value(format!(
        "a member of kind {} does not compare with one of kind {}",
        name(left),
        name(right)
    ))
}
