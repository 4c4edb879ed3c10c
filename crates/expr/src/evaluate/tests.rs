//! Evaluation tests: a table of values for each operation (`operators`, `nulls`, `conversions`,
//! `methods`, `dates`), laziness, and random inputs against a model (`model`).

// One macro writes the lists of values, whether they are kept or only borrowed.
#![allow(clippy::useless_vec)]

use std::sync::Arc;

use pathway_types::{Column, ColumnBuilder, DType, DataError, ErrorKind, Keys, NdArray, Value};

use super::{Evaluator, Input, Outcome};
use crate::{Expr, ExprError, ExprKind};

mod conversions;
mod dates;
mod dynamic;
mod laziness;
mod methods;
mod model;
mod nulls;
mod operators;
mod optional;
mod text_methods;
mod window;

/// None and Error cells in tables of values.
const N: Value = Value::None;
const E: Value = Value::Error;

/// A list of values.
macro_rules! vals {
    ($($value:expr),* $(,)?) => { vec![$(Value::from($value)),*] };
}
use vals;

fn input(position: usize, dtype: &DType) -> Expr {
    Expr::node(ExprKind::Input(position), dtype.clone())
}

fn column(dtype: &DType, values: &[Value]) -> Column {
    let mut builder = ColumnBuilder::new(dtype, values.len());
    values.iter().for_each(|value| builder.push(value));
    builder.finish()
}

fn keys(rows: usize) -> Keys {
    (1..=rows as u128).collect::<Vec<_>>().into()
}

/// Evaluates one expression and checks what must hold of every outcome.
fn evaluate(expr: &Expr, columns: &[Column], rows: usize) -> Outcome {
    let keys = keys(rows);
    let evaluator = Evaluator::new(vec![expr.clone()]);
    let mut outcomes = evaluator.evaluate(&Input { columns, keys: &keys, check_types: false });
    let outcome = outcomes.pop().unwrap();
    assert_eq!(outcome.column.len(), rows);
    assert!(outcome.causes.is_sorted_by(|a, b| a.0 < b.0), "causes ascend");
    for (row, cause) in &outcome.causes {
        assert!(outcome.column.is_error(*row as usize), "row {row} has the cause {cause} but is no error");
    }
    outcome
}

fn values(outcome: &Outcome, dtype: &DType) -> Vec<Value> {
    (0..outcome.column.len()).map(|row| outcome.column.value(dtype, row)).collect()
}

/// Equality that tells `0.0` from `-0.0`.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(l), Value::Float(r)) => l.is_nan() && r.is_nan() || l.to_bits() == r.to_bits(),
        (Value::Tuple(l), Value::Tuple(r)) => {
            l.len() == r.len() && l.iter().zip(r.iter()).all(|(l, r)| same(l, r))
        }
        _ => left == right,
    }
}

fn assert_same(got: &[Value], expected: &[Value], what: &str) {
    let equal = got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| same(g, e));
    assert!(equal, "{what}:\n got      {got:?}\n expected {expected:?}");
}

/// An operation on inputs of these types gives these values, of this type: over columns, over parts
/// of larger columns, over many rows, and with any of the inputs constant.
#[track_caller]
fn check(
    name: &str,
    inputs: &[(DType, Vec<Value>)],
    build: impl Fn(&[Expr]) -> Result<Expr, ExprError>,
    dtype: DType,
    expected: &[Value],
) {
    let exprs: Vec<Expr> = inputs.iter().enumerate().map(|(i, (dtype, _))| input(i, dtype)).collect();
    let expr = build(&exprs).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(*expr.dtype(), dtype, "{name}: type of the result");
    let rows = expected.len();

    let plain: Vec<Column> = inputs.iter().map(|(dtype, values)| column(dtype, values)).collect();
    let outcome = evaluate(&expr, &plain, rows);
    assert_same(&values(&outcome, &dtype), expected, name);
    check_causes(name, inputs, &outcome);

    let padded: Vec<Column> = inputs
        .iter()
        .map(|(dtype, values)| {
            let around: Vec<Value> = values.iter().rev().chain(values).chain(values).cloned().collect();
            column(dtype, &around).slice(rows, rows)
        })
        .collect();
    let outcome = evaluate(&expr, &padded, rows);
    assert_same(&values(&outcome, &dtype), expected, &format!("{name} over slices"));

    let times = 150 / rows.max(1) + 1;
    let repeat = |values: &[Value]| values.iter().cycle().take(rows * times).cloned().collect::<Vec<_>>();
    let long: Vec<Column> = inputs.iter().map(|(dtype, values)| column(dtype, &repeat(values))).collect();
    let outcome = evaluate(&expr, &long, rows * times);
    assert_same(&values(&outcome, &dtype), &repeat(expected), &format!("{name} over many rows"));

    // Every choice of inputs as constants, row by row.
    for row in 0..rows {
        for choice in 1..1u32 << inputs.len() {
            let constant = |i: usize| choice >> i & 1 == 1 && !inputs[i].1[row].is_error();
            let mixed: Vec<Expr> = inputs
                .iter()
                .enumerate()
                .map(|(i, (dtype, values))| match constant(i) {
                    true => Expr::constant(values[row].clone(), dtype.clone()).unwrap(),
                    false => input(i, dtype),
                })
                .collect();
            // Constants can be refused or typed otherwise (an index into a tuple, a None in coalesce).
            let Ok(expr) = build(&mixed) else { continue };
            if *expr.dtype() != dtype {
                continue;
            }
            let part: Vec<Column> = plain.iter().map(|column| column.slice(row, 1)).collect();
            let outcome = evaluate(&expr, &part, 1);
            let what = format!("{name}, row {row}, constants {choice:b}");
            assert_same(&values(&outcome, &dtype), &expected[row..=row], &what);
        }
    }
}

/// An error cell has a cause unless an input was an error already.
fn check_causes(name: &str, inputs: &[(DType, Vec<Value>)], outcome: &Outcome) {
    for row in 0..outcome.column.len() {
        let came_in = inputs.iter().any(|(_, values)| values[row].is_error());
        let has_cause = outcome.causes.iter().any(|(at, _)| *at as usize == row);
        if outcome.column.is_error(row) && !came_in {
            assert!(has_cause, "{name}: row {row} is an error without a cause");
        }
    }
}

/// The kinds of the causes of an expression over these inputs, by row.
fn kinds(expr: &Expr, inputs: &[(DType, Vec<Value>)]) -> Vec<(u32, ErrorKind)> {
    let rows = inputs.first().map_or(1, |(_, values)| values.len());
    let columns: Vec<Column> = inputs.iter().map(|(dtype, values)| column(dtype, values)).collect();
    evaluate(expr, &columns, rows).causes.into_iter().map(|(row, cause)| (row, cause.kind)).collect()
}

fn opt(dtype: DType) -> DType {
    DType::optional(dtype)
}

fn ints(shape: &[usize], elements: &[i64]) -> Value {
    Value::IntArray(Arc::new(NdArray::new(shape, elements).unwrap()))
}

fn floats(shape: &[usize], elements: &[f64]) -> Value {
    Value::FloatArray(Arc::new(NdArray::new(shape, elements).unwrap()))
}

fn json(text: &str) -> Value {
    Value::Json(pathway_types::JsonText::parse(text).unwrap())
}

fn tuple(members: impl IntoIterator<Item = Value>) -> Value {
    Value::tuple(members)
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(Arc::from(bytes))
}

fn dur(nanoseconds: i64) -> Value {
    Value::Duration(nanoseconds)
}

fn naive(nanoseconds: i64) -> Value {
    Value::DateTimeNaive(nanoseconds)
}

fn utc(nanoseconds: i64) -> Value {
    Value::DateTimeUtc(nanoseconds)
}

fn pointer(value: u128) -> Value {
    Value::Pointer(pathway_types::Key(value))
}

/// A constant of its own type.
fn lit(value: impl Into<Value>) -> Expr {
    Expr::literal(value)
}

/// A user function that fails in every row, with the message `user`.
fn user_failure() -> DataError {
    DataError::new(ErrorKind::User, "user")
}
