//! Operators and methods over Optional operands: None where an operand is None.

use super::*;
use crate::BinaryOp::{self, *};
use crate::UnaryOp;
use DType::{Bool, DateTimeNaive, Duration, Float, Int, Str};

fn binary(op: BinaryOp) -> impl Fn(&[Expr]) -> Result<Expr, ExprError> {
    move |e| Expr::binary(op, e[0].clone(), e[1].clone())
}

fn method(name: &'static str) -> impl Fn(&[Expr]) -> Result<Expr, ExprError> {
    move |e| Expr::method(name, e.to_vec())
}

#[test]
fn arithmetic() {
    let a = || (opt(Int), vals![7, N, -7, N, E, 3]);
    let b = || (opt(Int), vals![2, 2, N, N, 1, 0]);
    check("+", &[a(), b()], binary(Add), opt(Int), &vals![9, N, N, N, E, 3]);
    check("//", &[a(), b()], binary(FloorDiv), opt(Int), &vals![3, N, N, N, E, E]);
    check(
        "* float",
        &[a(), (Float, vec![Value::from(0.5); 6])],
        binary(Mul),
        opt(Float),
        &vals![3.5, N, -3.5, N, E, 1.5],
    );
    let neg = |e: &[Expr]| Expr::unary(UnaryOp::Neg, e[0].clone());
    check("-", &[a()], neg, opt(Int), &vals![-7, N, 7, N, E, -3]);
    let times = (opt(DateTimeNaive), vec![naive(5), N]);
    check(
        "time",
        &[times, (Duration, vec![dur(1), dur(1)])],
        binary(Sub),
        opt(DateTimeNaive),
        &[naive(4), N],
    );
    let array = (opt(DType::array(Some(1), Int)), vec![ints(&[2], &[1, 2]), N]);
    let sum = DType::array(Some(1), Int);
    check("array", &[array, (Int, vals![1, 1])], binary(Add), opt(sum), &[ints(&[2], &[2, 3]), N]);
}

#[test]
fn order() {
    let a = (opt(Str), vals!["a", N, "c"]);
    check("text", &[a, (Str, vals!["b", "b", "b"])], binary(Lt), opt(Bool), &vals![true, N, false]);
    let pair = |a: i64| tuple(vals![a, 1]);
    let pairs = opt(DType::tuple([Int, Int]));
    let (l, r) = ((pairs.clone(), vec![pair(1), N]), (pairs, vec![pair(2), pair(2)]));
    check("tuples", &[l, r], binary(Lt), opt(Bool), &vals![true, N]);
}

#[test]
fn logic() {
    let a = || (opt(Bool), vals![true, true, true, false, false, false, N, N, N, E, false, N]);
    let b = || (opt(Bool), vals![true, false, N, true, false, N, true, false, N, false, E, E]);
    let and = vals![true, false, N, false, false, false, N, false, N, E, false, E];
    check("&", &[a(), b()], binary(And), opt(Bool), &and);
    let or = vals![true, true, true, true, false, N, true, N, N, E, E, E];
    check("|", &[a(), b()], binary(Or), opt(Bool), &or);
    let xor = vals![false, true, N, true, false, N, N, N, N, E, E, N];
    check("^", &[a(), b()], binary(Xor), opt(Bool), &xor);
    let not = |e: &[Expr]| Expr::unary(UnaryOp::Not, e[0].clone());
    check("~", &[(opt(Bool), vals![true, N, false])], not, opt(Bool), &vals![false, N, true]);
}

#[test]
fn methods() {
    check("upper", &[(opt(Str), vals!["ab", N, E])], method("str.upper"), opt(Str), &vals!["AB", N, E]);
    check("parse", &[(opt(Str), vals!["1", N, "x"])], method("str.parse_int"), opt(Int), &vals![1, N, E]);
    check("abs", &[(opt(Int), vals![-1, N])], method("num.abs"), opt(Int), &vals![1, N]);
    check("year", &[(opt(DateTimeNaive), vec![naive(0), N])], method("dt.year"), opt(Int), &vals![1970, N]);
    let texts = || (opt(Str), vals!["abc", N, "abc"]);
    let find = [texts(), (Str, vals!["b", "b", "b"]), (opt(Int), vals![0, 0, N])];
    check("find", &find, method("str.find"), opt(Int), &vals![1, N, 1]);
    let prefixes = (opt(Str), vals!["a", "a", N]);
    check("prefix", &[texts(), prefixes], method("str.starts_with"), opt(Bool), &vals![true, N, N]);
}

#[test]
fn nothing_fails_where_there_is_no_value() {
    let (a, b) = ((opt(Int), vals![N, N, 1]), (Int, vals![0, 1, 0]));
    let quotient = Expr::binary(FloorDiv, input(0, &opt(Int)), input(1, &Int)).unwrap();
    assert_eq!(kinds(&quotient, &[a, b]), [(2, ErrorKind::ZeroDivision)]);
}
