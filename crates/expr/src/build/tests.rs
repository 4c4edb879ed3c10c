//! Typing tests: what each constructor refuses, and with which class of error.

use super::*;
use crate::{BinaryOp, Reducer, UnaryOp};
use DType::{Any, Bool, Bytes, DateTimeNaive, DateTimeUtc, Duration, Float, Int, Json, Str};

/// A column of a type.
fn col(dtype: DType) -> Expr {
    Expr::column(ColumnRef { source: SourceId(0), column: 0 }, dtype)
}

fn opt(dtype: DType) -> DType {
    DType::optional(dtype)
}

fn future() -> DType {
    DType::future(Int)
}

/// The class of an error.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Class {
    Type,
    Attribute,
    Index,
    Value,
}

#[track_caller]
fn refused(what: &str, result: Result<Expr, ExprError>, class: Class) {
    let error = match result {
        Ok(expr) => panic!("{what} is accepted and gives {}", expr.dtype()),
        Err(error) => error,
    };
    let (got, message) = match &error {
        ExprError::Type(message) => (Class::Type, message),
        ExprError::Attribute(message) => (Class::Attribute, message),
        ExprError::Index(message) => (Class::Index, message),
        ExprError::Value(message) => (Class::Value, message),
    };
    assert_eq!(got, class, "{what}: {message}");
    assert!(message.len() > 20, "{what}: {message}");
}

#[track_caller]
fn gives(what: &str, result: Result<Expr, ExprError>, dtype: DType) {
    match result {
        Ok(expr) => assert_eq!(*expr.dtype(), dtype, "{what}"),
        Err(error) => panic!("{what}: {error}"),
    }
}

#[test]
fn binary_operators_refuse() {
    use BinaryOp::*;
    let pairs: Vec<(BinaryOp, DType, DType)> = vec![
        (Add, Int, Str),
        (Add, Bytes, Bytes),
        (Add, Bool, Bool),
        (Add, Bool, Int),
        (Add, DateTimeNaive, DateTimeNaive),
        (Add, DType::array(None, Int), Str),
        (Add, opt(Int), Str),
        (Add, opt(Int), DType::None),
        (Add, Any, Bytes),
        (Add, Any, future()),
        (Add, Json, Duration),
        (Add, Json, DType::list(Int)),
        (Add, Json, Bool),
        (Add, Any, Bool),
        (Sub, Str, Any),
        (Mul, DateTimeUtc, Any),
        (LShift, Any, Int),
        (And, opt(Bool), Int),
        (Add, future(), Int),
        (Sub, Str, Str),
        (Sub, DateTimeNaive, DateTimeUtc),
        (Sub, Duration, DateTimeNaive),
        (Mul, Str, Float),
        (TrueDiv, Float, Duration),
        (FloorDiv, Duration, Float),
        (Mod, Duration, Int),
        (Pow, Str, Int),
        (LShift, Float, Int),
        (And, Bool, Int),
        (And, Float, Float),
        (MatMul, Int, Int),
        (MatMul, DType::array(None, Int), Int),
        (Eq, Int, Str),
        (Eq, Int, Bool),
        (Eq, DateTimeNaive, DateTimeUtc),
        (Eq, Any, Int),
        (Eq, DType::pointer([Int]), DType::pointer([Int, Int])),
        (Eq, DType::pointer([Int]), DType::pointer([Float])),
        (Eq, opt(DType::pointer([Int])), DType::pointer([Str])),
        (Eq, DType::tuple([Int]), DType::tuple([Str])),
        (Eq, DType::tuple([Int]), DType::tuple([Int, Int])),
        (Eq, DType::list(Int), DType::tuple([Int, Str])),
        (Lt, Bytes, Bytes),
        (Lt, DType::None, DType::None),
        (Lt, opt(Int), Str),
        (Lt, Json, DateTimeUtc),
        (Lt, DType::tuple([opt(Int)]), DType::tuple([Int])),
        (Lt, opt(DType::tuple([opt(Int)])), DType::tuple([Int])),
        (Lt, DateTimeNaive, DateTimeUtc),
    ];
    for (op, left, right) in pairs {
        let what = format!("{left} {op:?} {right}");
        refused(&what, Expr::binary(op, col(left), col(right)), Class::Type);
    }
}

#[test]
fn binary_operators_accept() {
    use BinaryOp::*;
    for (op, left, right, dtype) in [
        (Eq, opt(Int), Str, None),
        (Eq, opt(Int), opt(Float), Some(Bool)),
        (Eq, Int, DType::None, Some(Bool)),
        (Eq, future(), future(), Some(Bool)),
        (Eq, DType::list(Int), DType::tuple([Int, Float]), Some(Bool)),
        (Eq, DType::any_tuple(), DType::tuple([Str]), Some(Bool)),
        (Eq, DType::tuple([opt(Int)]), DType::tuple([Float]), Some(Bool)),
        (Lt, DType::tuple([Int, Str]), DType::list(Int), None),
        (Le, DType::list(Int), DType::list(Float), Some(Bool)),
        (Lt, DType::pointer([Int]), DType::ANY_POINTER, Some(Bool)),
        (Add, opt(Int), Float, Some(opt(Float))),
        (Sub, DateTimeUtc, opt(DateTimeUtc), Some(opt(Duration))),
        (And, opt(Bool), Bool, Some(opt(Bool))),
        (Xor, Bool, opt(Bool), Some(opt(Bool))),
        (Or, opt(Int), Int, Some(opt(Int))),
        (Lt, opt(Int), Float, Some(opt(Bool))),
        (Lt, opt(DType::tuple([Int])), opt(DType::tuple([Int])), Some(opt(Bool))),
        (Add, Any, opt(Int), Some(Any)),
        (Mul, Duration, Any, Some(Any)),
        (Ge, Any, Any, Some(opt(Bool))),
        (Lt, Bool, Json, Some(opt(Bool))),
        (Lt, DType::list(Int), Json, Some(opt(Bool))),
        (Add, Json, Int, Some(Json)),
        (Add, opt(Json), Str, Some(opt(Json))),
        (TrueDiv, Json, Any, Some(Any)),
        (Gt, Float, Json, Some(opt(Bool))),
        (Mul, Json, DType::array(None, Int), Some(Any)),
        (Add, DType::array(None, Int), opt(Int), Some(opt(DType::array(None, Int)))),
        (FloorDiv, DType::array(None, Int), Int, Some(DType::array(None, Int))),
        (Mod, Float, DType::array(Some(1), Int), Some(DType::array(Some(1), Float))),
        (MatMul, DType::array(Some(1), Float), DType::array(Some(1), Float), Some(Float)),
        (Add, DType::array(Some(1), Int), DType::array(Some(2), Int), Some(DType::array(Some(2), Int))),
        (Sub, DType::array(Some(1), Int), Float, Some(DType::array(Some(1), Float))),
        (TrueDiv, Int, DType::array(None, Any), Some(DType::array(None, Float))),
        (MatMul, DType::array(Some(2), Int), DType::array(None, Int), Some(DType::array(None, Int))),
        (MatMul, DType::array(Some(3), Int), DType::array(Some(2), Float), Some(DType::array(Some(3), Any))),
    ] {
        let what = format!("{left} {op:?} {right}");
        match dtype {
            Some(dtype) => gives(&what, Expr::binary(op, col(left), col(right)), dtype),
            None => refused(&what, Expr::binary(op, col(left), col(right)), Class::Type),
        }
    }
}

#[test]
fn unary_operators() {
    for dtype in [Str, Bool, opt(Str), DType::None] {
        refused(&format!("-{dtype}"), Expr::unary(UnaryOp::Neg, col(dtype)), Class::Type);
    }
    for dtype in [Int, opt(Int), Any] {
        refused(&format!("~{dtype}"), Expr::unary(UnaryOp::Not, col(dtype)), Class::Type);
    }
    for dtype in [Any, Json, opt(Int), opt(Json), DType::array(Some(1), Int)] {
        gives("-", Expr::unary(UnaryOp::Neg, col(dtype.clone())), dtype);
    }
    gives("~", Expr::unary(UnaryOp::Not, col(opt(Bool))), opt(Bool));
    let not = |e: Expr| Expr::unary(UnaryOp::Not, e).unwrap();
    let flag = col(Bool);
    assert!(not(not(flag.clone())).is_same(&flag));
    let is_none = Expr::is_none(col(opt(Int))).unwrap();
    assert!(matches!(not(is_none.clone()).kind(), ExprKind::IsNotNone(_)));
    assert!(matches!(not(not(is_none)).kind(), ExprKind::IsNone(_)));
}

#[test]
fn conditionals_refuse() {
    let if_else = |a: DType, b: DType, c: DType| Expr::if_else(col(a), col(b), col(c));
    refused("condition", if_else(opt(Bool), Int, Int), Class::Type);
    refused("condition", if_else(Int, Int, Int), Class::Type);
    refused("branches", if_else(Bool, Int, Str), Class::Type);
    gives("any", if_else(Bool, Any, Any), Any);
    refused("any", if_else(Bool, Any, Int), Class::Type);
    refused("tuples", if_else(Bool, DType::tuple([Int]), DType::tuple([Int, Int])), Class::Type);
    refused("coalesce of nothing", Expr::coalesce(vec![]), Class::Value);
    refused("coalesce", Expr::coalesce(vec![col(Int), col(Str)]), Class::Type);
    refused("coalesce any", Expr::coalesce(vec![col(Any), col(Str)]), Class::Type);
    refused("fill_error", Expr::fill_error(col(Int), col(Str)), Class::Type);
    refused("fill_error any", Expr::fill_error(col(Int), col(Any)), Class::Type);
    gives("fill_error of any", Expr::fill_error(col(Any), col(Int)), Any);
    gives(
        "fill_error of tuples",
        Expr::fill_error(col(DType::tuple([Int, Int])), col(DType::tuple([Int, Str]))),
        DType::tuple([Int, Any]),
    );
    gives("coalesce of None", Expr::coalesce(vec![Expr::literal(Value::None)]), DType::None);
    let none = || Expr::literal(Value::None);
    gives("coalesce None first", Expr::coalesce(vec![none(), col(opt(Int))]), opt(Int));
    gives("coalesce non-optional first", Expr::coalesce(vec![col(Int), col(opt(Int))]), Int);
    gives("require", Expr::require(col(opt(Int)), vec![col(Str)]), opt(Int));
    gives("require any", Expr::require(col(Any), vec![col(Str)]), Any);
    gives("unwrap", Expr::unwrap(col(Str)), Str);
}

#[test]
fn futures_are_refused() {
    let f = || col(future());
    for (what, result) in [
        ("is_none", Expr::is_none(f())),
        ("is_not_none", Expr::is_not_none(f())),
        ("coalesce", Expr::coalesce(vec![f()])),
        ("require", Expr::require(f(), vec![])),
        ("require", Expr::require(col(Int), vec![f()])),
        ("unwrap", Expr::unwrap(f())),
        ("make_tuple", Expr::make_tuple(vec![f()])),
        ("pointer", Expr::pointer(vec![f()], false, None)),
        ("instance", Expr::pointer(vec![], false, Some(f()))),
        ("reducer", Expr::reducer(Reducer::Max, vec![f()])),
        ("cast", Expr::cast(Int, f())),
        ("if_else", Expr::if_else(col(Bool), f(), col(Int))),
    ] {
        refused(what, result, Class::Type);
    }
    refused("method", Expr::method("num.abs", vec![f()]), Class::Attribute);
    gives("to_string", Expr::to_string(f()), Str);
}

#[test]
fn casts_refuse() {
    for (from, to) in [
        (Any, Int),
        (Json, Int),
        (opt(Int), Int),
        (opt(Str), Str),
        (Bytes, Str),
        (Str, Bytes),
        (DateTimeNaive, Int),
        (Int, DateTimeNaive),
        (DateTimeNaive, DateTimeUtc),
        (Int, Duration),
        (DType::tuple([Int]), DType::tuple([Str])),
        (DType::list(Float), DType::list(Int)),
        (DType::array(None, Int), DType::array(None, Float)),
        (DType::ANY_POINTER, Int),
        (DType::None, Int),
        (Int, DType::None),
        (Str, Json),
    ] {
        refused(&format!("cast {from} to {to}"), Expr::cast(to, col(from)), Class::Type);
    }
    for (from, to) in [(Int, Str), (opt(Int), Str), (DType::list(Int), DType::list(Str)), (Json, Int)] {
        refused(&format!("declare {from} as {to}"), Expr::declare_type(to, col(from)), Class::Type);
    }
    let int = col(Int);
    assert!(Expr::cast(Int, int.clone()).unwrap().is_same(&int));
    assert!(Expr::declare_type(Int, int.clone()).unwrap().is_same(&int));
    assert!(Expr::narrow(int.clone()).is_same(&int));
    gives("narrow", Ok(Expr::narrow(col(opt(Int)))), Int);
}

#[test]
fn json_conversions_refuse() {
    let json = |default: DType| Expr::from_json(Int, col(Json), Some(col(default)), false);
    refused("as_int of int", Expr::from_json(Int, col(Int), None, false), Class::Type);
    refused("as_int of any", Expr::from_json(Int, col(Any), None, false), Class::Type);
    refused("as_tuple", Expr::from_json(DType::any_tuple(), col(Json), None, false), Class::Type);
    refused("default str", json(Str), Class::Type);
    refused("default float", json(Float), Class::Type);
    gives("default int", json(Int), Int);
    gives("default optional", json(opt(Int)), opt(Int));
    gives("default none", json(DType::None), opt(Int));
    gives("float with int", Expr::from_json(Float, col(Json), Some(col(Int)), false), Float);
}

#[test]
fn indexing_refuses() {
    let item = |object: DType, index: DType| Expr::get_item(col(object), col(index));
    refused("str", item(Str, Int), Class::Type);
    refused("int", item(Int, Int), Class::Type);
    refused("optional tuple", item(opt(DType::any_tuple()), Int), Class::Type);
    refused("optional json", item(opt(Json), Str), Class::Type);
    refused("bool index", item(DType::any_tuple(), Bool), Class::Type);
    refused("float index", item(DType::array(None, Int), Float), Class::Type);
    refused("optional index", item(DType::any_tuple(), opt(Int)), Class::Type);
    let pair = || col(DType::tuple([Int, Str]));
    refused("outside", Expr::get_item(pair(), Expr::literal(2)), Class::Index);
    refused("outside", Expr::get_item(pair(), Expr::literal(-3)), Class::Index);
    refused(
        "get of optional json",
        Expr::get(col(opt(Json)), col(Str), Expr::literal(Value::None)),
        Class::Type,
    );
    refused("json default", Expr::get(col(Json), col(Str), col(Int)), Class::Type);
    refused("get of str", Expr::get(col(Str), col(Int), col(Int)), Class::Type);
    gives("json by any", item(Json, Any), Json);
    gives("empty tuple", item(DType::tuple([]), Int), Any);
}

#[test]
fn methods_refuse() {
    let method = |name: &str, types: &[DType]| Expr::method(name, types.iter().cloned().map(col).collect());
    refused("unknown", method("str.nothing", &[Str]), Class::Attribute);
    refused("on int", method("str.lower", &[Int]), Class::Attribute);
    refused("on optional int", method("str.lower", &[opt(Int)]), Class::Attribute);
    refused("window of an optional", method("window.number", &[opt(Int), Int, Int]), Class::Attribute);
    refused("on any", method("num.abs", &[Any]), Class::Attribute);
    refused("too many", method("str.lower", &[Str, Str]), Class::Attribute);
    refused("too few", method("str.slice", &[Str, Int]), Class::Attribute);
    refused("none", method("str.lower", &[]), Class::Attribute);
    refused("optional argument", method("str.starts_with", &[Str, opt(Int)]), Class::Attribute);
    refused("float for int", method("str.slice", &[Str, Int, Float]), Class::Attribute);
    refused("year of duration", method("dt.year", &[Duration]), Class::Attribute);
    refused("round to int", method("dt.round", &[DateTimeNaive, Int]), Class::Attribute);
    refused("fill_na of str", method("num.fill_na", &[Str, Int]), Class::Attribute);
    refused("fill_na column", method("num.fill_na", &[Float, Int]), Class::Type);
    let with =
        |name: &str, dtype: DType, text: &str| Expr::method(name, vec![col(dtype), Expr::literal(text)]);
    refused("unit", with("dt.timestamp", DateTimeUtc, "m"), Class::Value);
    refused("unit", with("dt.from_timestamp", Int, "h"), Class::Value);
    refused("unit column", method("dt.from_timestamp", &[Int, Str]), Class::Value);
    refused("frequency", with("dt.floor", DateTimeUtc, "W"), Class::Value);
    refused("format column", method("dt.strptime", &[Str, Str]), Class::Value);
    gives("strptime", with("dt.strptime", Str, "%Y %z"), DateTimeUtc);
    gives("strptime", with("dt.strptime", Str, "%Y %%z"), DateTimeNaive);
    gives("strptime", with("dt.strptime", Str, "%Y %:z"), DateTimeUtc);
    gives("int for optional int", method("str.count", &[Str, Str, Int]), Int);
    gives("optional int", method("str.count", &[Str, Str, opt(Int)]), Int);
    gives("on optional", method("str.lower", &[opt(Str)]), opt(Str));
    gives("on optional, with optional int", method("str.count", &[opt(Str), Str, opt(Int)]), opt(Int));
    gives("optional argument", method("str.starts_with", &[Str, opt(Str)]), opt(Bool));
    gives(
        "both optional",
        method("dt.add_duration_in_timezone", &[opt(DateTimeNaive), opt(Duration), Str]),
        opt(DateTimeNaive),
    );
    gives("numbers of optional texts", method("str.parse_int", &[opt(Str)]), opt(Int));
    gives("public name", method("str.startswith", &[Str, Str]), Bool);
}

#[test]
fn reducers() {
    let reducer =
        |reducer: Reducer, types: &[DType]| Expr::reducer(reducer, types.iter().cloned().map(col).collect());
    let sum = || Reducer::Sum { strict: false };
    for (what, result) in [
        ("sum of str", reducer(sum(), &[Str])),
        ("sum of optional", reducer(sum(), &[opt(Int)])),
        ("sum of two", reducer(sum(), &[Int, Int])),
        ("avg of bool", reducer(Reducer::Avg, &[Bool])),
        ("variance of optional", reducer(Reducer::Variance { root: false }, &[opt(Float)])),
        ("argmin of one", reducer(Reducer::ArgMin, &[Int])),
        ("ndarray of str", reducer(Reducer::NdArray { skip_nones: false }, &[Str])),
        ("ndarray of optional", reducer(Reducer::NdArray { skip_nones: false }, &[opt(Int)])),
    ] {
        refused(what, result, Class::Type);
    }
    refused("precision", reducer(Reducer::CountDistinctApproximate { precision: 3 }, &[Int]), Class::Value);
    let array = DType::array(Some(1), Float);
    for (what, result, dtype) in [
        ("count", reducer(Reducer::Count, &[]), Int),
        ("sum", reducer(sum(), std::slice::from_ref(&array)), array.clone()),
        ("avg", reducer(Reducer::Avg, &[Int]), Float),
        ("deviation", reducer(Reducer::Variance { root: true }, &[Int]), Float),
        ("min", reducer(Reducer::Min, &[opt(Str)]), opt(Str)),
        ("argmax", reducer(Reducer::ArgMax, &[Int, DType::ANY_POINTER]), DType::ANY_POINTER),
        ("tuple", reducer(Reducer::Tuple { skip_nones: false }, &[opt(Int)]), DType::list(opt(Int))),
        ("sorted_tuple", reducer(Reducer::SortedTuple { skip_nones: true }, &[opt(Int)]), DType::list(Int)),
        ("ndarray", reducer(Reducer::NdArray { skip_nones: true }, &[opt(Int)]), DType::array(None, Any)),
        ("count_distinct", reducer(Reducer::CountDistinct, &[Int, Str]), Int),
        ("latest", reducer(Reducer::Latest, &[Json]), Json),
    ] {
        gives(what, result, dtype);
    }
}

#[test]
fn constants() {
    refused("int as str", Expr::constant(Value::Int(1), Str), Class::Type);
    refused("none as int", Expr::constant(Value::None, Int), Class::Type);
    let float = Expr::constant(Value::Int(1), Float).unwrap();
    assert!(matches!(float.as_constant(), Some(Value::Float(v)) if *v == 1.0));
    assert_eq!(*Expr::literal(Value::tuple([Value::Int(1)])).dtype(), DType::any_tuple());
    assert_eq!(*Expr::literal("a").dtype(), Str);
}
