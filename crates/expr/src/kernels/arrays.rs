//! The matrix product of arrays, by numpy's rules: one-dimensional operands are row or column, more
//! than two dimensions are stacks of matrices that broadcast.

use std::sync::Arc;

use pathway_types::{DType, DataError, NdArray, Value};

use super::by_values;
use crate::evaluate::cells::Cells;

/// `left @ right`.
pub(crate) fn matrix_product(
    left: (&Cells, &DType),
    right: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    by_values(&[left, right], dtype, rows, |values| match values {
        [Value::IntArray(a), Value::IntArray(b)] => {
            let product = product(a, b, 0, |sum, a: i64, b| sum.wrapping_add(a.wrapping_mul(b)))?;
            Ok(Value::IntArray(Arc::new(product)))
        }
        [Value::FloatArray(a), Value::FloatArray(b)] => {
            Ok(Value::FloatArray(Arc::new(product(a, b, 0.0, |sum, a, b| sum + a * b)?)))
        }
        [Value::IntArray(_), Value::FloatArray(_)] | [Value::FloatArray(_), Value::IntArray(_)] => {
            Err(DataError::value(
                "an array of ints and an array of floats cannot be multiplied; convert one of them",
            ))
        }
        [Value::IntArray(_) | Value::FloatArray(_), other] | [other, ..] => {
            Err(DataError::type_mismatch("array", other))
        }
        [] => Err(DataError::value("a matrix product needs two arrays")),
    })
}

fn product<T: Copy>(
    a: &NdArray<T>,
    b: &NdArray<T>,
    zero: T,
    multiply_add: impl Fn(T, T, T) -> T,
) -> Result<NdArray<T>, DataError> {
    let mismatch = || {
        DataError::value(format!("arrays of shapes {:?} and {:?} cannot be multiplied", a.shape(), b.shape()))
    };
    let (stack_a, rows, inner) = match a.shape() {
        [] => return Err(mismatch()),
        [inner] => (&[][..], 1, *inner),
        [stack @ .., rows, inner] => (stack, *rows, *inner),
    };
    let (stack_b, inner_b, columns) = match b.shape() {
        [] => return Err(mismatch()),
        [inner] => (&[][..], *inner, 1),
        [stack @ .., inner, columns] => (stack, *inner, *columns),
    };
    let stack = broadcast(stack_a, stack_b).filter(|_| inner == inner_b).ok_or_else(mismatch)?;
    let count: usize = stack.iter().product();
    let mut out = Vec::with_capacity(count * rows * columns);
    for index in 0..count {
        let a = &a.elements()[source(&stack, stack_a, index) * rows * inner..][..rows * inner];
        let b = &b.elements()[source(&stack, stack_b, index) * inner * columns..][..inner * columns];
        for row in 0..rows {
            for column in 0..columns {
                let pairs = (0..inner).map(|k| (a[row * inner + k], b[k * columns + column]));
                out.push(pairs.fold(zero, |sum, (a, b)| multiply_add(sum, a, b)));
            }
        }
    }
    let mut shape = stack;
    if a.shape().len() > 1 {
        shape.push(rows);
    }
    if b.shape().len() > 1 {
        shape.push(columns);
    }
    NdArray::new(shape, out).ok_or_else(mismatch)
}

/// The shape that both shapes stretch to.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let len = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(len).map_or(1, |i| shape[i]);
    (0..len)
        .map(|i| match (at(a, i), at(b, i)) {
            (1, n) | (n, 1) => Some(n),
            (n, m) => (n == m).then_some(n),
        })
        .collect()
}

/// Which matrix of a stack stands at a position of the stretched stack.
fn source(stretched: &[usize], stack: &[usize], mut index: usize) -> usize {
    let (mut source, mut step) = (0, 1);
    for (i, len) in stretched.iter().enumerate().rev() {
        let position = index % len;
        index /= len;
        if let Some(i) = (i + stack.len()).checked_sub(stretched.len()) {
            if stack[i] != 1 {
                source += position * step;
            }
            step *= stack[i];
        }
    }
    source
}
