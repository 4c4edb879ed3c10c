//! Operators over ANY and Json, where the values tell the types.

use super::*;
use crate::BinaryOp::{self, *};
use crate::UnaryOp;
use DType::{Any, Bool, Float, Int, Json, Str};

fn binary(op: BinaryOp) -> impl Fn(&[Expr]) -> Result<Expr, ExprError> {
    move |e| Expr::binary(op, e[0].clone(), e[1].clone())
}

fn negated(e: &[Expr]) -> Result<Expr, ExprError> {
    Expr::unary(UnaryOp::Neg, e[0].clone())
}

#[test]
fn arithmetic_on_any() {
    let a = || (Any, vals![7, 0.5, "a", dur(3), ints(&[2], &[1, 2]), N, E, true, json("4"), naive(5)]);
    let b = || (Any, vals![2, 2, "b", dur(4), 1, 1, 1, 1, 1, dur(1)]);
    let sums = vals![9, 2.5, "ab", dur(7), ints(&[2], &[2, 3]), N, E, E, 5, naive(6)];
    check("+", &[a(), b()], binary(Add), Any, &sums);
    let negatives = vals![-7, -0.5, E, dur(-3), ints(&[2], &[-1, -2]), N, E, E, -4, E];
    check("-", &[a()], negated, Any, &negatives);
    let ten = (Int, vals![10, 10, 10, 10]);
    let by = (Any, vals![3, 0, 2.5, "x"]);
    check("//", &[ten, by], binary(FloorDiv), Any, &vals![3, E, 4.0, E]);
    let mixed = (opt(Float), vals![0.5, N]);
    check("float", &[(Any, vals![1, 1]), mixed], binary(Mul), Any, &vals![0.5, N]);
}

#[test]
fn order_of_any() {
    let a = (Any, vals![1, 1.5, "a", N, "a", f64::NAN, tuple(vals![1, 2]), true, json("2")]);
    let b = (Any, vals![1.5, 1, "b", 1, 1, 1.0, tuple(vals![1, 3]), false, 3]);
    check("<", &[a, b], binary(Lt), opt(Bool), &vals![true, false, true, N, E, false, true, false, true]);
}

#[test]
fn arithmetic_on_json() {
    let a =
        || (Json, vec![json("1"), json("0.5"), json(r#""a""#), json("null"), json("true"), json("{}"), E]);
    let one = || (Int, vals![1, 1, 1, 1, 1, 1, 1]);
    check(
        "+ int",
        &[a(), one()],
        binary(Add),
        Json,
        &vals![json("2"), json("1.5"), E, json("null"), E, E, E],
    );
    let texts = (Str, vec![Value::from("b"); 7]);
    check("+ str", &[a(), texts], binary(Add), Json, &vals![E, E, json(r#""ab""#), json("null"), E, E, E]);
    let negatives = vals![json("-1"), json("-0.5"), E, json("null"), E, E, E];
    check("-", &[a()], negated, Json, &negatives);
    let zero = (Json, vec![json("1"), json("1")]);
    check("/", &[zero, (Json, vec![json("4"), json("0.0")])], binary(TrueDiv), Json, &vals![json("0.25"), E]);
    let big = (Json, vec![json("1e308"), json("null")]);
    check("no number", &[big, (Float, vals![10.0, 1.0])], binary(Mul), Json, &vals![E, json("null")]);
    let optional = (opt(Json), vec![json("1"), N, json("null")]);
    check(
        "optional",
        &[optional, (Int, vals![1, 1, 1])],
        binary(Add),
        opt(Json),
        &[json("2"), N, json("null")],
    );
}

#[test]
fn order_of_json() {
    let a = (Json, vec![json("1"), json("2.5"), json(r#""a""#), json("null"), json("{}"), json("[1, 2]")]);
    let b = (Json, vec![json("1.5"), json("2"), json(r#""b""#), json("1"), json("{}"), json("[1, 3]")]);
    check("<", &[a, b], binary(Lt), opt(Bool), &vals![true, false, true, N, E, true]);
}
