//! Arithmetic of arrays by numpy's rules: element by element, where dimensions are matched from the last and one
//! of length 1 stretches; and the matrix product, where one-dimensional operands are row or column, more than two
//! dimensions are stacks of matrices.

use std::borrow::Cow;
use std::sync::Arc;

use pathway_types::{DType, DataError, NdArray, Value};

use super::{arithmetic, by_values};
use crate::BinaryOp;
use crate::evaluate::cells::Cells;

/// `left op right` for arithmetic; one of them may be a number.
pub(crate) fn elementwise(
    op: BinaryOp,
    left: (&Cells, &DType),
    right: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let ints: fn(i64, i64) -> i64 = match op {
        BinaryOp::Add => i64::wrapping_add,
        BinaryOp::Sub => i64::wrapping_sub,
        BinaryOp::FloorDiv => arithmetic::floor_div,
        BinaryOp::Mod => arithmetic::floor_mod,
        BinaryOp::Pow => arithmetic::int_pow,
        _ => i64::wrapping_mul,
    };
    let floats = |a: f64, b: f64| match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::TrueDiv => a / b,
        BinaryOp::FloorDiv => (a / b).floor(),
        BinaryOp::Mod => arithmetic::float_mod(a, b),
        BinaryOp::Pow => a.powf(b),
        _ => a * b,
    };
    by_values(&[left, right], dtype, rows, |values| {
        let [left, right] = values else { return Err(DataError::value("an operator needs two operands")) };
        Ok(match (Side::of(left)?, Side::of(right)?) {
            (Side::Ints(a), Side::Ints(b)) if op != BinaryOp::TrueDiv => {
                check_ints(op, &b)?;
                Value::IntArray(Arc::new(stretched(&a, &b, ints)?))
            }
            (a, b) => Value::FloatArray(Arc::new(stretched(&a.floats(), &b.floats(), floats)?)),
        })
    })
}

/// Integers have no quotient by zero and no power below zero.
fn check_ints(op: BinaryOp, right: &NdArray<i64>) -> Result<(), DataError> {
    match op {
        BinaryOp::FloorDiv | BinaryOp::Mod if right.elements().contains(&0) => {
            Err(DataError::division_by_zero())
        }
        BinaryOp::Pow if right.elements().iter().any(|exponent| *exponent < 0) => Err(DataError::value(
            "an array of ints has no powers with negative exponents; use floats, 2.0 instead of 2",
        )),
        _ => Ok(()),
    }
}

/// `-operand`.
pub(crate) fn negate(operand: (&Cells, &DType), dtype: &DType, rows: usize) -> Cells {
    by_values(&[operand], dtype, rows, |values| match values {
        [value, ..] => negated(value).ok_or_else(|| DataError::type_mismatch("array", value)),
        [] => Err(DataError::value("an operator needs an operand")),
    })
}

/// `-value` for an array; `None` if it is none.
pub(super) fn negated(value: &Value) -> Option<Value> {
    match value {
        Value::IntArray(array) => {
            Some(Value::IntArray(Arc::new(array.map(|element| element.wrapping_neg()))))
        }
        Value::FloatArray(array) => Some(Value::FloatArray(Arc::new(array.map(|element| -element)))),
        _ => None,
    }
}

/// An operand; a number is an array without dimensions.
enum Side<'a> {
    Ints(Cow<'a, NdArray<i64>>),
    Floats(Cow<'a, NdArray<f64>>),
}

impl<'a> Side<'a> {
    fn of(value: &'a Value) -> Result<Side<'a>, DataError> {
        let no_array = || DataError::type_mismatch("array or number", value);
        Ok(match value {
            Value::IntArray(array) => Side::Ints(Cow::Borrowed(&**array)),
            Value::FloatArray(array) => Side::Floats(Cow::Borrowed(&**array)),
            Value::Int(number) => {
                Side::Ints(Cow::Owned(NdArray::new([0usize; 0], [*number]).ok_or_else(no_array)?))
            }
            Value::Float(number) => {
                Side::Floats(Cow::Owned(NdArray::new([0usize; 0], [*number]).ok_or_else(no_array)?))
            }
            _ => return Err(no_array()),
        })
    }

    fn floats(self) -> Cow<'a, NdArray<f64>> {
        match self {
            Side::Floats(array) => array,
            Side::Ints(array) => Cow::Owned(array.map(|element| *element as f64)),
        }
    }
}

/// `f` of each two elements that belong together.
fn stretched<T: Copy>(
    a: &NdArray<T>,
    b: &NdArray<T>,
    f: impl Fn(T, T) -> T,
) -> Result<NdArray<T>, DataError> {
    let mismatch = || {
        DataError::value(format!("arrays of shapes {:?} and {:?} do not fit together", a.shape(), b.shape()))
    };
    if a.shape() == b.shape() {
        let elements: Vec<T> = a.elements().iter().zip(b.elements()).map(|(a, b)| f(*a, *b)).collect();
        return NdArray::new(a.shape(), elements).ok_or_else(mismatch);
    }
    let shape = broadcast(a.shape(), b.shape()).ok_or_else(mismatch)?;
    let element = |of: &NdArray<T>, index| of.elements()[source(&shape, of.shape(), index)];
    let count: usize = shape.iter().product();
    let elements: Vec<T> = (0..count).map(|index| f(element(a, index), element(b, index))).collect();
    NdArray::new(shape, elements).ok_or_else(mismatch)
}

/// `left @ right`.
pub(crate) fn matrix_product(
    left: (&Cells, &DType),
    right: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    // The product of two vectors is a number, if the types tell that they are vectors.
    let number = matches!(dtype, DType::Int | DType::Float);
    by_values(&[left, right], dtype, rows, |values| match values {
        [Value::IntArray(a), Value::IntArray(b)] => {
            let product = product(a, b, 0, |sum, a: i64, b| sum.wrapping_add(a.wrapping_mul(b)))?;
            Ok(match product.elements() {
                [element] if number => Value::Int(*element),
                _ => Value::IntArray(Arc::new(product)),
            })
        }
        [Value::FloatArray(a), Value::FloatArray(b)] => {
            let product = product(a, b, 0.0, |sum, a, b| sum + a * b)?;
            Ok(match product.elements() {
                [element] if number => Value::Float(*element),
                _ => Value::FloatArray(Arc::new(product)),
            })
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
