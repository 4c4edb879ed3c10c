//! Random columns: the vectorised operators agree with a plain per-row reading of the rules.

use proptest::prelude::*;

use super::*;
use crate::BinaryOp::{self, *};
use DType::{Bool, Float, Int, Str};

/// Cells of a type with None and errors in between; small values, so that operands meet.
fn cells(dtype: &DType) -> BoxedStrategy<Vec<Value>> {
    let value: BoxedStrategy<Value> = match dtype.unoptional() {
        Int => prop_oneof![-3i64..4, any::<i64>(), Just(i64::MIN)].prop_map(Value::Int).boxed(),
        Float => prop_oneof![
            (-3i64..4).prop_map(|v| v as f64 / 2.0),
            any::<f64>(),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(-0.0),
        ]
        .prop_map(Value::Float)
        .boxed(),
        Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        _ => "[abż]{0,3}".prop_map(Value::from).boxed(),
    };
    let cell = match dtype.is_optional() {
        true => prop_oneof![6 => value, 2 => Just(N), 1 => Just(E)].boxed(),
        false => prop_oneof![8 => value, 1 => Just(E)].boxed(),
    };
    prop::collection::vec(cell, 200).boxed()
}

/// A condition that nearly always is `answer`.
fn mostly(answer: bool) -> BoxedStrategy<Vec<Value>> {
    let cell = prop_oneof![30 => Just(Value::Bool(answer)), 1 => Just(Value::Bool(!answer)), 1 => Just(E)];
    prop::collection::vec(cell, 200).boxed()
}

/// The result for one row; errors of operands have been dealt with.
fn model(op: BinaryOp, left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::None, Value::None) if matches!(op, Eq | Ne) => Value::Bool(op == Eq),
        (Value::None, _) | (_, Value::None) if matches!(op, Eq | Ne) => Value::Bool(op == Ne),
        (Value::None, Value::Bool(b)) | (Value::Bool(b), Value::None) if *b == (op == Or) && op != Xor => {
            if matches!(op, And | Or) { Value::Bool(*b) } else { N }
        }
        (Value::None, _) | (_, Value::None) => N,
        (Value::Int(a), Value::Int(b)) => int_model(op, *a, *b),
        (Value::Float(a), Value::Float(b)) => float_model(op, *a, *b),
        (Value::Bool(a), Value::Bool(b)) => Value::Bool(match op {
            And => *a && *b,
            Or => *a || *b,
            Xor => a != b,
            _ => return compare_model(op, a.partial_cmp(b)),
        }),
        (Value::Str(a), Value::Str(b)) if op == Add => format!("{a}{b}").into(),
        (Value::Str(a), Value::Str(b)) => compare_model(op, a.partial_cmp(b)),
        (Value::Str(a), Value::Int(b)) | (Value::Int(b), Value::Str(a)) => {
            if *b > 100_000_000 && !a.is_empty() { E } else { a.repeat((*b).clamp(0, 1000) as usize).into() }
        }
        _ => panic!("{left} {op:?} {right}"),
    }
}

fn compare_model(op: BinaryOp, order: Option<std::cmp::Ordering>) -> Value {
    Value::Bool(match op {
        Eq => order.is_some_and(|o| o.is_eq()),
        Ne => !order.is_some_and(|o| o.is_eq()),
        Lt => order.is_some_and(|o| o.is_lt()),
        Le => order.is_some_and(|o| o.is_le()),
        Gt => order.is_some_and(|o| o.is_gt()),
        _ => order.is_some_and(|o| o.is_ge()),
    })
}

fn int_model(op: BinaryOp, a: i64, b: i64) -> Value {
    let (wide_a, wide_b) = (i128::from(a), i128::from(b));
    let floored = |a: i128, b: i128| {
        let quotient = a / b;
        if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
    };
    match op {
        Add => Value::Int((wide_a + wide_b) as i64),
        Sub => Value::Int((wide_a - wide_b) as i64),
        Mul => Value::Int((wide_a * wide_b) as i64),
        FloorDiv | Mod | TrueDiv if b == 0 => E,
        FloorDiv => Value::Int(floored(wide_a, wide_b) as i64),
        Mod => Value::Int((wide_a - floored(wide_a, wide_b) * wide_b) as i64),
        TrueDiv => Value::Float(a as f64 / b as f64),
        And => Value::Int(a & b),
        Or => Value::Int(a | b),
        Xor => Value::Int(a ^ b),
        LShift => Value::Int(((a as u64) << (b & 63)) as i64),
        RShift => Value::Int(a >> (b & 63)),
        _ => compare_model(op, a.partial_cmp(&b)),
    }
}

fn float_model(op: BinaryOp, a: f64, b: f64) -> Value {
    match op {
        Add => Value::Float(a + b),
        Sub => Value::Float(a - b),
        Mul => Value::Float(a * b),
        TrueDiv | FloorDiv | Mod if b == 0.0 => E,
        TrueDiv => Value::Float(a / b),
        FloorDiv => Value::Float((a / b).floor()),
        Mod => {
            let remainder = a % b;
            Value::Float(match () {
                () if remainder == 0.0 => 0.0f64.copysign(b),
                () if (remainder < 0.0) == (b < 0.0) => remainder,
                () => remainder + b,
            })
        }
        Pow => Value::Float(a.powf(b)),
        _ => compare_model(op, a.partial_cmp(&b)),
    }
}

fn agrees(op: BinaryOp, left: &DType, right: &DType, a: Vec<Value>, b: Vec<Value>) {
    let lazy = *left.unoptional() == Bool && matches!(op, And | Or);
    let equality = matches!(op, Eq | Ne);
    let expected: Vec<Value> = a
        .iter()
        .zip(&b)
        .map(|(a, b)| match (a, b) {
            (Value::Error, _) => E,
            (Value::Bool(a), _) if lazy && *a == (op == Or) => Value::Bool(*a),
            (Value::None, Value::Error) if !equality && !lazy => N,
            (_, Value::Error) => E,
            (a, b) => model(op, a, b),
        })
        .collect();
    let dtype = Expr::binary(op, input(0, left), input(1, right)).unwrap().dtype().clone();
    let expr = Expr::binary(op, input(0, left), input(1, right)).unwrap();
    let columns = [column(left, &a), column(right, &b)];
    let outcome = evaluate(&expr, &columns, a.len());
    assert_same(&values(&outcome, &dtype), &expected, &format!("{left} {op:?} {right}"));
    // The first right cell as a constant.
    if let Some(constant) = b.first().filter(|v| !v.is_error()) {
        let expr = Expr::binary(op, input(0, left), Expr::constant(constant.clone(), right.clone()).unwrap())
            .unwrap();
        let expected: Vec<Value> = a
            .iter()
            .map(|a| match a {
                Value::Error => E,
                Value::Bool(a) if lazy && *a == (op == Or) => Value::Bool(*a),
                a => model(op, a, constant),
            })
            .collect();
        let outcome = evaluate(&expr, &columns[..1], a.len());
        assert_same(&values(&outcome, &dtype), &expected, &format!("{left} {op:?} constant {constant}"));
    }
}

macro_rules! agreement {
    ($($name:ident: $left:expr, $right:expr, [$($op:expr),*];)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(24))]
            $(#[test]
            fn $name(a in cells(&$left), b in cells(&$right)) {
                for op in [$($op),*] {
                    agrees(op, &$left, &$right, a.clone(), b.clone());
                }
            })*
        }
    };
}

agreement! {
    int_operators: Int, Int, [Add, Sub, Mul, FloorDiv, Mod, TrueDiv, And, Or, Xor, LShift, RShift, Eq, Ne, Lt, Le, Gt, Ge];
    float_operators: Float, Float, [Add, Sub, Mul, TrueDiv, FloorDiv, Mod, Pow, Eq, Ne, Lt, Le, Gt, Ge];
    bool_operators: Bool, Bool, [And, Or, Xor, Eq, Ne, Lt, Le, Gt, Ge];
    text_operators: Str, Str, [Add, Eq, Ne, Lt, Le, Gt, Ge];
    optional_int: DType::optional(Int), DType::optional(Int), [Eq, Ne];
    optional_float: DType::optional(Float), Float, [Eq, Ne];
    optional_text: Str, DType::optional(Str), [Eq, Ne];
    optional_bool: DType::optional(Bool), DType::optional(Bool), [Eq, Ne, And, Or, Xor, Lt, Ge];
    values_of_optional_int: DType::optional(Int), Int, [Add, Mul, FloorDiv, TrueDiv, LShift, And, Lt, Ge];
    values_of_optional_float: DType::optional(Float), DType::optional(Float), [Sub, Mod, Pow, Le, Gt];
    values_of_optional_text: DType::optional(Str), Str, [Add, Lt, Ge];
    unknown_beside_bool: Bool, DType::optional(Bool), [And, Or, Xor];
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Branches that fail and branches that do not give the same as choosing row by row.
    #[test]
    fn branches_choose_row_by_row(
        c in prop_oneof![cells(&Bool), mostly(true), mostly(false)],
        a in cells(&Int),
        b in cells(&Int),
    ) {
        let condition = input(0, &Bool);
        let (x, y) = (input(1, &Int), input(2, &Int));
        let quotient = Expr::binary(FloorDiv, x.clone(), y.clone()).unwrap();
        let product = Expr::binary(Mul, x, y).unwrap();
        let expr = Expr::if_else(condition, quotient, product).unwrap();
        let expected: Vec<Value> = (0..c.len()).map(|i| match (&c[i], &a[i], &b[i]) {
            (Value::Error, ..) | (_, Value::Error, _) | (_, _, Value::Error) => E,
            (chosen, Value::Int(a), Value::Int(b)) => {
                int_model(if *chosen == Value::Bool(true) { FloorDiv } else { Mul }, *a, *b)
            }
            _ => panic!("not an int"),
        }).collect();
        let columns = [column(&Bool, &c), column(&Int, &a), column(&Int, &b)];
        let outcome = evaluate(&expr, &columns, c.len());
        assert_same(&values(&outcome, &Int), &expected, "if_else");
        let zero = |i: usize| c[i] == Value::Bool(true) && b[i] == Value::Int(0) && !a[i].is_error();
        let failing: Vec<u32> = (0..c.len()).filter(|i| zero(*i)).map(|i| i as u32).collect();
        prop_assert_eq!(outcome.causes.iter().map(|(row, _)| *row).collect::<Vec<_>>(), failing);
    }
}
