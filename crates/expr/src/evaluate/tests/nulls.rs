use super::*;
use DType::{Any, Bool, Float, Int, Json, Str};

#[test]
fn none_tests() {
    let is_none = |e: &[Expr]| Expr::is_none(e[0].clone());
    let is_not_none = |e: &[Expr]| Expr::is_not_none(e[0].clone());
    for (dtype, values, nones) in [
        (Int, vals![1, E], vals![false, E]),
        (opt(Int), vals![1, N, E], vals![false, true, E]),
        (Any, vals![1, N, E], vals![false, true, E]),
        (DType::None, vals![N, E], vals![true, E]),
        (opt(Json), vals![json("null"), N], vals![false, true]),
        (opt(DType::any_tuple()), vals![tuple(vals![]), N], vals![false, true]),
        (opt(DType::tuple([Int])), vals![tuple(vals![1]), N, E], vals![false, true, E]),
    ] {
        let others: Vec<Value> =
            nones.iter().map(|v| if let Value::Bool(b) = v { Value::Bool(!b) } else { E }).collect();
        check("is_none", &[(dtype.clone(), values.clone())], is_none, Bool, &nones);
        check("is_not_none", &[(dtype, values)], is_not_none, Bool, &others);
    }
}

/// Values of a type, for operations that take any.
fn samples() -> Vec<(DType, Value, Value)> {
    vec![
        (Int, 1.into(), 2.into()),
        (Float, 1.5.into(), (-0.0).into()),
        (Bool, true.into(), false.into()),
        (Str, "a".into(), "żółw".into()),
        (DType::Bytes, bytes(b"a"), bytes(b"")),
        (DType::ANY_POINTER, pointer(1), pointer(u128::MAX)),
        (Json, json("[1]"), json("null")),
        (DType::DateTimeNaive, naive(1), naive(-1)),
        (DType::DateTimeUtc, utc(1), utc(-1)),
        (DType::Duration, dur(1), dur(-1)),
        (DType::tuple([Int, opt(Str)]), tuple(vals![1, "a"]), tuple(vals![2, N])),
        (DType::list(Int), tuple(vals![1]), tuple(vals![])),
        (DType::any_tuple(), tuple(vals![1, "a"]), tuple(vals![N])),
        (DType::array(Some(1), Int), ints(&[1], &[1]), ints(&[0], &[])),
        (DType::array(None, Any), floats(&[1], &[1.0]), ints(&[0], &[])),
        (
            DType::PyObject(Arc::from("X")),
            Value::PyObject(pathway_types::PyObject::new(&b"a"[..])),
            Value::PyObject(pathway_types::PyObject::new(&b""[..])),
        ),
    ]
}

#[test]
fn branches() {
    for (dtype, a, b) in samples() {
        let condition = (Bool, vals![true, false, true, false, E, true, false]);
        let then = (dtype.clone(), vals![a.clone(), a.clone(), E, E, a.clone(), b.clone(), b.clone()]);
        let otherwise = (dtype.clone(), vals![b.clone(), b.clone(), b.clone(), b.clone(), b.clone(), E, E]);
        let expected = vals![a, b.clone(), E, b.clone(), E, b, E];
        let build = |e: &[Expr]| Expr::if_else(e[0].clone(), e[1].clone(), e[2].clone());
        check(&format!("if_else {dtype}"), &[condition, then, otherwise], build, dtype, &expected);
    }
    let build = |e: &[Expr]| Expr::if_else(e[0].clone(), e[1].clone(), e[2].clone());
    let condition = || (Bool, vals![true, false]);
    check(
        "if_else mixed",
        &[condition(), (Int, vals![1, 1]), (Float, vals![2.5, 2.5])],
        build,
        Float,
        &vals![1.0, 2.5],
    );
    check(
        "if_else none",
        &[condition(), (Int, vals![1, 1]), (DType::None, vals![N, N])],
        build,
        opt(Int),
        &vals![1, N],
    );
    let (a, b) = (
        (DType::list(Int), vals![tuple(vals![1]), tuple(vals![1])]),
        (DType::list(Float), vals![tuple(vals![1.5]), tuple(vals![1.5])]),
    );
    check(
        "if_else lists",
        &[condition(), a, b],
        build,
        DType::list(Float),
        &vals![tuple(vals![1.0]), tuple(vals![1.5])],
    );
    let (a, b) = (
        (DType::tuple([Int, DType::None]), vec![tuple(vals![1, N]); 2]),
        (DType::tuple([Float, Str]), vec![tuple(vals![1.5, "a"]); 2]),
    );
    let both = DType::tuple([Float, opt(Str)]);
    check(
        "if_else tuples",
        &[condition(), a, b],
        build,
        both,
        &vals![tuple(vals![1.0, N]), tuple(vals![1.5, "a"])],
    );
}

#[test]
fn narrowed_branches() {
    // `if_else(a.is_not_none(), a + 1, 0)` sees `a` without Optional in the branch.
    let build = |e: &[Expr]| {
        let one_more = Expr::binary(crate::BinaryOp::Add, Expr::narrow(e[0].clone()), lit(1))?;
        Expr::if_else(Expr::is_not_none(e[0].clone())?, one_more, lit(0))
    };
    check("narrowed", &[(opt(Int), vals![1, N, E])], build, Int, &vals![2, 0, E]);
    // A None where a declaration promised a value is an error of the operation that needs it.
    let declared =
        |e: &[Expr]| Expr::binary(crate::BinaryOp::Add, Expr::declare_type(Int, e[0].clone())?, lit(1));
    check("untrue declaration", &[(opt(Int), vals![1, N])], declared, Int, &vals![2, E]);
    let expr = declared(&[input(0, &opt(Int))]).unwrap();
    assert_eq!(kinds(&expr, &[(opt(Int), vals![1, N])]), [(1, ErrorKind::Type)]);
}

#[test]
fn coalescing() {
    let build = |e: &[Expr]| Expr::coalesce(e.to_vec());
    for (dtype, a, b) in samples() {
        let first = (opt(dtype.clone()), vals![a.clone(), N, E, N, N]);
        let second = (opt(dtype.clone()), vals![E, b.clone(), a.clone(), E, N]);
        let last = (dtype.clone(), vals![b.clone(), a.clone(), a.clone(), a.clone(), b.clone()]);
        check(
            &format!("coalesce {dtype}"),
            &[first, second, last],
            build,
            dtype,
            &vals![a, b.clone(), E, E, b],
        );
    }
    check(
        "coalesce optional",
        &[(opt(Int), vals![N, 1]), (opt(Int), vals![N, 2])],
        build,
        opt(Int),
        &vals![N, 1],
    );
    check(
        "coalesce mixed",
        &[(opt(Int), vals![1, N]), (Float, vals![0.5, 0.5])],
        build,
        Float,
        &vals![1.0, 0.5],
    );
    check(
        "coalesce any",
        &[(Any, vals![1, N, E]), (Any, vals!["a", "b", "c"])],
        build,
        Any,
        &vals![1, "b", E],
    );
}

#[test]
fn requiring() {
    let build = |e: &[Expr]| Expr::require(e[0].clone(), e[1..].to_vec());
    let value = || (Int, vals![1, 2, 3, 4, E]);
    let first = (opt(Int), vals![1, N, N, E, 1]);
    let second = (opt(Str), vals!["a", "b", E, N, "c"]);
    check("require", &[value(), first, second], build, opt(Int), &vals![1, N, N, E, E]);
    check("require nothing", &[value()], build, opt(Int), &vals![1, 2, 3, 4, E]);
    check(
        "require later error",
        &[(Int, vals![1]), (Int, vals![1]), (Str, vals![E])],
        build,
        opt(Int),
        &vals![E],
    );
    check("require of none", &[(DType::None, vals![N]), (Int, vals![1])], build, DType::None, &vals![N]);
    check("require of any", &[(Any, vals![1, "a"]), (opt(Int), vals![1, N])], build, Any, &vals![1, N]);
}

#[test]
fn unwrapping() {
    let build = |e: &[Expr]| Expr::unwrap(e[0].clone());
    for (dtype, a, _) in samples() {
        let values = vals![a.clone(), N, E];
        check(&format!("unwrap {dtype}"), &[(opt(dtype.clone()), values)], build, dtype, &vals![a, E, E]);
    }
    check("unwrap any", &[(Any, vals![1, N])], build, Any, &vals![1, E]);
    let expr = Expr::unwrap(input(0, &opt(Int))).unwrap();
    assert_eq!(kinds(&expr, &[(opt(Int), vals![1, N, E])]), [(1, ErrorKind::Value)]);
}

#[test]
fn filling_errors() {
    let build = |e: &[Expr]| Expr::fill_error(e[0].clone(), e[1].clone());
    for (dtype, a, b) in samples() {
        let values = vals![a.clone(), E, E];
        let replacement = vals![E, b.clone(), E];
        check(
            &format!("fill_error {dtype}"),
            &[(dtype.clone(), values), (dtype.clone(), replacement)],
            build,
            dtype,
            &vals![a, b, E],
        );
    }
    check(
        "fill_error none",
        &[(Int, vals![1, E]), (DType::None, vals![N, N])],
        build,
        opt(Int),
        &vals![1, N],
    );
    check(
        "fill_error keeps none",
        &[(opt(Int), vals![N, E]), (Int, vals![1, 1])],
        build,
        opt(Int),
        &vals![N, 1],
    );
    check(
        "fill_error mixed",
        &[(Int, vals![1, E]), (Float, vals![0.5, 0.5])],
        build,
        Float,
        &vals![1.0, 0.5],
    );
}

#[test]
fn causes_consumed_by_fill_error_vanish() {
    let quotient = Expr::binary(crate::BinaryOp::FloorDiv, input(0, &Int), input(1, &Int)).unwrap();
    let filled = Expr::fill_error(quotient.clone(), lit(-1)).unwrap();
    let inputs = [(Int, vals![6, 5, E]), (Int, vals![2, 0, 1])];
    assert_eq!(kinds(&filled, &inputs), []);
    let partly = Expr::binary(crate::BinaryOp::Add, filled.clone(), quotient.clone()).unwrap();
    assert_eq!(kinds(&partly, &inputs), [(1, ErrorKind::ZeroDivision)]);
    // A replacement that fails is a new error.
    let failing = Expr::unwrap(input(2, &opt(Int))).unwrap();
    let refilled = Expr::fill_error(quotient, failing).unwrap();
    let inputs = [inputs[0].clone(), inputs[1].clone(), (opt(Int), vals![N, N, 7])];
    assert_eq!(kinds(&refilled, &inputs), [(1, ErrorKind::Value)]);
}

#[test]
fn one_cause_a_row() {
    let zero = || Expr::binary(crate::BinaryOp::FloorDiv, input(0, &Int), lit(0)).unwrap();
    let none = Expr::unwrap(input(1, &opt(Int))).unwrap();
    let both = Expr::binary(crate::BinaryOp::Add, zero(), none).unwrap();
    let inputs = [(Int, vals![1, E]), (opt(Int), vals![N, N])];
    // The left operand fails first; where it came in as an error, the right one tells why it fails.
    assert_eq!(kinds(&both, &inputs), [(0, ErrorKind::ZeroDivision), (1, ErrorKind::Value)]);
}

#[test]
fn tuples_are_made() {
    let build = |e: &[Expr]| Expr::make_tuple(e.to_vec());
    let inputs = [(Int, vals![1, 2, E]), (opt(Str), vals!["a", N, "c"]), (Any, vals![1.5, N, N])];
    let expected = vals![tuple(vals![1, "a", 1.5]), tuple(vals![2, N, N]), E];
    check("make_tuple", &inputs, build, DType::tuple([Int, opt(Str), Any]), &expected);
    check(
        "nested",
        &[(Int, vals![1])],
        |e| Expr::make_tuple(vec![e[0].clone(), Expr::make_tuple(vec![e[0].clone(), lit("x")])?]),
        DType::tuple([Int, DType::tuple([Int, Str])]),
        &vals![tuple(vals![1, tuple(vals![1, "x"])])],
    );
    let empty = Expr::make_tuple(vec![]).unwrap();
    assert_eq!(values(&evaluate(&empty, &[], 2), empty.dtype()), vals![tuple([]), tuple([])]);
}
