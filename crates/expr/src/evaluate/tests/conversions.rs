use super::*;
use DType::{Any, Bool, Bytes, DateTimeNaive, DateTimeUtc, Duration, Float, Int, Json, Str};

#[track_caller]
fn cast(from: DType, values: Vec<Value>, to: DType, expected: &[Value]) {
    let target = to.clone();
    check(
        &format!("cast {from} to {to}"),
        &[(from, values)],
        |e| Expr::cast(target.clone(), e[0].clone()),
        to,
        expected,
    );
}

#[test]
fn casts_between_simple_types() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    cast(Int, vals![3, -2, E], Float, &vals![3.0, -2.0, E]);
    cast(Int, vals![0, -2], Bool, &vals![false, true]);
    cast(Int, vals![-5, 0], Str, &vals!["-5", "0"]);
    cast(Float, vals![1.9, -1.9, 1e300, nan], Int, &vals![1, -1, i64::MAX, 0]);
    cast(Float, vals![0.0, -0.0, 0.1, nan], Bool, &vals![false, false, true, true]);
    cast(
        Float,
        vals![1.0, 1e16, 1e-7, nan, inf, -0.0, 0.1],
        Str,
        &vals!["1", "10000000000000000", "0.0000001", "NaN", "inf", "-0", "0.1"],
    );
    cast(Bool, vals![true, false, E], Int, &vals![1, 0, E]);
    cast(Bool, vals![true, false], Float, &vals![1.0, 0.0]);
    cast(Bool, vals![true, false], Str, &vals!["True", "False"]);
    cast(
        Str,
        vals![" 12 ", "+7", "-0", "abc", "1.0", "", "9223372036854775808"],
        Int,
        &vals![12, 7, 0, E, E, E, E],
    );
    cast(
        Str,
        vals![" 1.5e3", ".5", "5.", "-inf", "nan", "Infinity", "1e999", "x", "."],
        Float,
        &vals![1500.0, 0.5, 5.0, -inf, nan, inf, inf, E, E],
    );
    cast(Str, vals!["", "False", "x"], Bool, &vals![false, true, true]);
    let expr = Expr::cast(Int, input(0, &Str)).unwrap();
    assert_eq!(kinds(&expr, &[(Str, vals!["abc"])]), [(0, ErrorKind::Parse)]);
}

#[test]
fn casts_and_optional() {
    cast(opt(Int), vals![1, N, E], Float, &vals![1.0, E, E]);
    cast(opt(Int), vals![1, N, E], opt(Float), &vals![1.0, N, E]);
    cast(opt(Int), vals![1, N], opt(Str), &vals!["1", N]);
    cast(Int, vals![1, E], opt(Float), &vals![1.0, E]);
    cast(Int, vals![1, E], opt(Int), &vals![1, E]);
    cast(DType::None, vals![N, E], opt(Int), &vals![N, E]);
    let expr = Expr::cast(Float, input(0, &opt(Int))).unwrap();
    assert_eq!(kinds(&expr, &[(opt(Int), vals![N])]), [(0, ErrorKind::Type)]);
}

#[test]
fn casts_to_more_general_types() {
    cast(Int, vals![1, E], Any, &vals![1, E]);
    cast(opt(Str), vals!["a", N], Any, &vals!["a", N]);
    cast(Bytes, vals![bytes(b"a")], Any, &vals![bytes(b"a")]);
    cast(DType::tuple([Int, Int]), vals![tuple(vals![1, 2])], DType::list(Int), &vals![tuple(vals![1, 2])]);
    cast(
        DType::list(Int),
        vals![tuple(vals![1, 2]), tuple(vals![1])],
        DType::tuple([Int, Int]),
        &vals![tuple(vals![1, 2]), E],
    );
    cast(
        DType::any_tuple(),
        vals![tuple(vals![1, "a"]), tuple(vals!["a", 1])],
        DType::tuple([Int, Str]),
        &vals![tuple(vals![1, "a"]), E],
    );
    cast(
        DType::tuple([Int, Str]),
        vals![tuple(vals![1, "a"]), E],
        DType::any_tuple(),
        &vals![tuple(vals![1, "a"]), E],
    );
    cast(
        DType::list(Int),
        vals![tuple(vals![1]), tuple(vals![])],
        DType::list(Float),
        &vals![tuple(vals![1.0]), tuple(vals![])],
    );
    cast(
        DType::array(Some(1), Int),
        vals![ints(&[1], &[3])],
        DType::array(None, Any),
        &vals![ints(&[1], &[3])],
    );
    cast(
        DType::array(None, Any),
        vals![ints(&[1], &[3]), floats(&[1], &[3.0])],
        DType::array(Some(1), Int),
        &vals![ints(&[1], &[3]), E],
    );
    cast(DType::pointer([Int]), vals![pointer(7)], DType::pointer([Str]), &vals![pointer(7)]);
    cast(
        DType::tuple([Bytes]),
        vals![tuple(vals![bytes(b"x")])],
        DType::tuple([Any]),
        &vals![tuple(vals![bytes(b"x")])],
    );
}

#[track_caller]
fn declare(from: DType, values: Vec<Value>, to: DType, expected: &[Value]) {
    let target = to.clone();
    check(
        &format!("declare {from} as {to}"),
        &[(from, values)],
        |e| Expr::declare_type(target.clone(), e[0].clone()),
        to,
        expected,
    );
}

#[test]
fn declarations() {
    declare(Any, vals![1, "a", N, E], Int, &vals![1, E, E, E]);
    declare(Any, vals![1, N], opt(Int), &vals![1, N]);
    declare(Int, vals![1, E], Any, &vals![1, E]);
    declare(opt(Int), vals![1, N], Int, &vals![1, N]);
    declare(Int, vals![1], opt(Int), &vals![1]);
    declare(Int, vals![1], Float, &vals![1.0]);
    declare(Float, vals![1.0], Int, &vals![E]);
    declare(
        DType::any_tuple(),
        vals![tuple(vals![1]), tuple(vals!["a"])],
        DType::list(Int),
        &vals![tuple(vals![1]), E],
    );
    declare(DType::ANY_POINTER, vals![pointer(1)], DType::pointer([Int]), &vals![pointer(1)]);
}

#[test]
fn text_forms() {
    let build = |e: &[Expr]| Expr::to_string(e[0].clone());
    let text = |dtype: DType, values: Vec<Value>, expected: Vec<Value>| {
        check(&format!("to_string {dtype}"), &[(dtype, values)], build, Str, &expected);
    };
    text(Int, vals![-5, E], vals!["-5", E]);
    text(opt(Int), vals![-5, N], vals!["-5", "None"]);
    text(Float, vals![1.0, 1e16, 1e-5, f64::NAN], vals!["1.0", "1e16", "1e-5", "NaN"]);
    text(Bool, vals![true, false], vals!["True", "False"]);
    text(opt(Bool), vals![true, N], vals!["True", "None"]);
    text(Str, vals!["a", E], vals!["a", E]);
    text(opt(Str), vals!["a", N], vals!["a", "None"]);
    text(Bytes, vals![bytes(b"ab\xff")], vals!["[97, 98, 255]"]);
    text(DType::None, vals![N], vals!["None"]);
    text(DateTimeNaive, vals![naive(1)], vals!["1970-01-01T00:00:00.000000001"]);
    text(DateTimeUtc, vals![utc(-1)], vals!["1969-12-31T23:59:59.999999999+0000"]);
    text(Duration, vals![dur(0), dur(-90_000_000_000)], vals!["0ns", "-1m -30s"]);
    text(Json, vals![json("{\"a\": [1, null]}")], vals!["{\"a\":[1,null]}"]);
    text(
        DType::ANY_POINTER,
        vals![Value::Pointer(pathway_types::Key::of(&vals![1]).unwrap())],
        vals!["^YYY4HABTRW7T8VX2Q429ZYV70W"],
    );
    text(
        DType::tuple([Int, opt(Str)]),
        vals![tuple(vals![1, "q"]), tuple(vals![1, N])],
        vals!["(1, \"q\")", "(1, None)"],
    );
    text(Any, vals![1, N, "x"], vals!["1", "None", "x"]);
    text(DType::array(Some(1), Int), vals![ints(&[2], &[1, 2])], vals!["[1, 2]"]);
    text(DType::future(Int), vals![1, Value::Pending], vals!["1", "Pending"]);
}

#[test]
fn elements_of_sequences() {
    let item = |e: &[Expr]| Expr::get_item(e[0].clone(), e[1].clone());
    let at = |i: i64| move |e: &[Expr]| Expr::get_item(e[0].clone(), lit(i));
    let pair = || (DType::tuple([Int, Str]), vals![tuple(vals![1, "a"]), tuple(vals![2, "b"]), E]);
    check("tuple[0]", &[pair()], at(0), Int, &vals![1, 2, E]);
    check("tuple[-1]", &[pair()], at(-1), Str, &vals!["a", "b", E]);
    check("tuple[i]", &[pair(), (Int, vals![0, -1, 0])], item, Any, &vals![1, "b", E]);
    let numbers = (DType::tuple([Int, Float]), vec![tuple(vals![1, 0.5]); 3]);
    check("numbers[i]", &[numbers, (Int, vals![0, 1, 2])], item, Float, &vals![1.0, 0.5, E]);
    let list =
        || (DType::list(Int), vals![tuple(vals![1, 2]), tuple(vals![]), E, tuple(vals![3]), tuple(vals![4])]);
    check("list[i]", &[list(), (Int, vals![-1, 0, 0, E, 0])], item, Int, &vals![2, E, E, E, 4]);
    let dynamic = vals![tuple(vals![1, N]), tuple(vals!["a"]), E];
    check(
        "list of any",
        &[(DType::any_tuple(), dynamic), (Int, vals![1, 0, 0])],
        item,
        Any,
        &vals![N, "a", E],
    );
    check("any", &[(Any, vals![tuple(vals![1]), 5]), (Int, vals![0, 0])], item, Any, &vals![1, E]);
    let matrix = DType::array(Some(2), Int);
    check(
        "matrix[i]",
        &[(matrix, vals![ints(&[2, 2], &[1, 2, 3, 4])])],
        at(1),
        DType::array(Some(1), Int),
        &vals![ints(&[2], &[3, 4])],
    );
    check(
        "vector[i]",
        &[(DType::array(Some(1), Float), vals![floats(&[2], &[1.0, 2.0])])],
        at(-1),
        Float,
        &vals![2.0],
    );
    check(
        "array[i]",
        &[(DType::array(None, Int), vals![ints(&[2], &[1, 2])])],
        at(0),
        DType::array(None, Int),
        &vals![ints(&[], &[1])],
    );
    let unknown = DType::array(None, Any);
    let arrays = vals![floats(&[1], &[1.5]), ints(&[1, 1], &[1]), floats(&[0], &[])];
    check(
        "ndarray[i]",
        &[(unknown.clone(), arrays.clone())],
        at(0),
        unknown.clone(),
        &vals![1.5, ints(&[1], &[1]), E],
    );
    let get = |e: &[Expr]| Expr::get(e[0].clone(), lit(0), lit(0.5));
    check("ndarray.get", &[(unknown.clone(), arrays)], get, unknown, &vals![1.5, ints(&[1], &[1]), 0.5]);
    let expr = Expr::get_item(input(0, &DType::list(Int)), lit(5)).unwrap();
    assert_eq!(kinds(&expr, &[(DType::list(Int), vals![tuple(vals![1])])]), [(0, ErrorKind::Index)]);
}

#[test]
fn elements_with_a_default() {
    let get = |e: &[Expr]| Expr::get(e[0].clone(), e[1].clone(), e[2].clone());
    let at = |i: i64| move |e: &[Expr]| Expr::get(e[0].clone(), lit(i), e[1].clone());
    let pair = || {
        (DType::tuple([Int, Str]), vals![tuple(vals![1, "a"]), tuple(vals![2, "b"]), E, tuple(vals![3, "c"])])
    };
    check("tuple.get(0)", &[pair(), (DType::None, vals![N, N, N, N])], at(0), Int, &vals![1, 2, E, 3]);
    check(
        "tuple.get(0) with an error default",
        &[pair(), (Int, vals![0, E, 0, 0])],
        at(0),
        Int,
        &vals![1, E, E, 3],
    );
    check("tuple.get(7)", &[pair(), (Float, vals![0.5, 0.5, 0.5, E])], at(7), Float, &vals![0.5, 0.5, E, E]);
    let list = || (DType::list(Int), vals![tuple(vals![1, 2]), tuple(vals![]), E, tuple(vals![3])]);
    let index = || (Int, vals![-1, 0, 0, 5]);
    check("list.get", &[list(), index(), (Int, vals![9, 9, 9, 9])], get, Int, &vals![2, 9, E, 9]);
    check(
        "list.get none",
        &[list(), index(), (DType::None, vals![N, N, N, N])],
        get,
        opt(Int),
        &vals![2, N, E, N],
    );
    check(
        "list.get float",
        &[list(), index(), (Float, vals![0.5, 0.5, 0.5, E])],
        get,
        Float,
        &vals![2.0, 0.5, E, E],
    );
    check(
        "any.get",
        &[
            (DType::any_tuple(), vals![tuple(vals![1]), tuple(vals![])]),
            (Int, vals![0, 0]),
            (Str, vals!["x", "x"]),
        ],
        get,
        Any,
        &vals![1, "x"],
    );
    let vector = (DType::array(Some(1), Int), vals![ints(&[1], &[5]), ints(&[0], &[])]);
    check("vector.get", &[vector, (Int, vals![0, 0]), (Int, vals![7, 7])], get, Int, &vals![5, 7]);
}

#[test]
fn json_access() {
    let item = |e: &[Expr]| Expr::get_item(e[0].clone(), e[1].clone());
    let get = |e: &[Expr]| Expr::get(e[0].clone(), e[1].clone(), e[2].clone());
    let documents =
        || (Json, vals![json(r#"{"a":{"b":[1,2]},"é":null}"#), json("[1,[2]]"), json("5"), json("null"), E]);
    let keys = || (Str, vals!["a", "a", "a", "a", "a"]);
    check(
        "json[key]",
        &[documents(), keys()],
        item,
        Json,
        &vals![json(r#"{"b":[1,2]}"#), json("null"), json("null"), json("null"), E],
    );
    let positions = || (Int, vals![0, 1, 0, 0, 0]);
    check(
        "json[i]",
        &[documents(), positions()],
        item,
        Json,
        &vals![json("null"), json("[2]"), json("null"), json("null"), E],
    );
    check(
        "json[-1]",
        &[(Json, vals![json("[1, 2]"), json("[]")]), (Int, vals![-1, -1])],
        item,
        Json,
        &vals![json("2"), json("null")],
    );
    check(
        "json[any]",
        &[documents(), (Any, vals!["é", 0, "a", N, 1])],
        item,
        Json,
        &vals![json("null"), json("1"), json("null"), E, E],
    );
    let none = || (DType::None, vals![N, N, N, N, N]);
    check(
        "json.get",
        &[documents(), keys(), none()],
        get,
        opt(Json),
        &vals![json(r#"{"b":[1,2]}"#), N, N, N, E],
    );
    let default = (Json, vals![json("0"), json("0"), json("0"), E, json("0")]);
    check(
        "json.get default",
        &[documents(), keys(), default],
        get,
        Json,
        &vals![json(r#"{"b":[1,2]}"#), json("0"), json("0"), E, E],
    );
    check(
        "json null is there",
        &[(Json, vals![json(r#"{"a":null}"#)]), (Str, vals!["a"]), (Json, vals![json("1")])],
        get,
        Json,
        &vals![json("null")],
    );
    let expr = Expr::get_item(input(0, &Json), input(1, &Float)).unwrap();
    assert_eq!(kinds(&expr, &[(Json, vals![json("[1]")]), (Float, vals![0.0])]), [(0, ErrorKind::Value)]);
}

#[test]
fn json_to_plain_types() {
    let plain = |target: DType, unwrap: bool| {
        move |e: &[Expr]| Expr::from_json(target.clone(), e[0].clone(), e.get(1).cloned(), unwrap)
    };
    let documents = || {
        (
            opt(Json),
            vals![json("1"), json("1.5"), json("\"a\\n\""), json("true"), json("null"), N, E, json("1e3")],
        )
    };
    check("as_int", &[documents()], plain(Int, false), opt(Int), &vals![1, E, E, E, N, N, E, E]);
    check(
        "as_float",
        &[documents()],
        plain(Float, false),
        opt(Float),
        &vals![1.0, 1.5, E, E, N, N, E, 1000.0],
    );
    check("as_str", &[documents()], plain(Str, false), opt(Str), &vals![E, E, "a\n", E, N, N, E, E]);
    check("as_bool", &[documents()], plain(Bool, false), opt(Bool), &vals![E, E, E, true, N, N, E, E]);
    check("as_int unwrap", &[documents()], plain(Int, true), Int, &vals![1, E, E, E, E, E, E, E]);
    let default = (Int, vals![7, 7, 7, 7, 7, 7, 7, 7]);
    check(
        "as_int default",
        &[documents(), default.clone()],
        plain(Int, false),
        Int,
        &vals![1, E, E, E, 7, 7, E, E],
    );
    check(
        "as_float default",
        &[documents(), default],
        plain(Float, false),
        Float,
        &vals![1.0, 1.5, E, E, 7.0, 7.0, E, 1000.0],
    );
    let default = (opt(Str), vals!["x", "x", "x", "x", "x", N, "x", "x"]);
    check(
        "as_str default",
        &[documents(), default.clone()],
        plain(Str, false),
        opt(Str),
        &vals![E, E, "a\n", E, "x", N, E, E],
    );
    check(
        "as_str unwrap",
        &[documents(), default],
        plain(Str, true),
        Str,
        &vals![E, E, "a\n", E, "x", E, E, E],
    );
    check("eager default", &[(Json, vals![json("1")]), (Int, vals![E])], plain(Int, false), Int, &vals![E]);
    check("too large", &[(Json, vals![json("9223372036854775808")])], plain(Int, true), Int, &vals![E]);
}

#[test]
fn keys_of_values() {
    let key = |values: &[Value]| Value::Pointer(pathway_types::Key::of(values).unwrap());
    let build = |e: &[Expr]| Expr::pointer(e.to_vec(), false, None);
    let inputs = || [(Int, vals![1, 2, E]), (opt(Str), vals!["a", N, "b"])];
    let expected = vals![key(&vals![1, "a"]), key(&vals![2, N]), E];
    check("pointer", &inputs(), build, DType::pointer([Int, opt(Str)]), &expected);
    let optional = |e: &[Expr]| Expr::pointer(e.to_vec(), true, None);
    let expected = vals![key(&vals![1, "a"]), N, E];
    check("optional pointer", &inputs(), optional, opt(DType::pointer([Int, Str])), &expected);
    check("optional of values", &[(Int, vals![1])], optional, DType::pointer([Int]), &[key(&vals![1])]);
    let instance = |e: &[Expr]| Expr::pointer(vec![e[0].clone()], false, Some(e[1].clone()));
    let with = |value: Value, instance: Value| {
        Value::Pointer(pathway_types::Key::with_instance(&[value], &instance).unwrap())
    };
    let expected = vals![with(1.into(), "a".into()), with(2.into(), N), E];
    check("instance", &inputs(), instance, DType::pointer([Int, opt(Str)]), &expected);
    let error_and_none = [(opt(Int), vals![N]), (opt(Str), vals![E])];
    check("error beside none", &error_and_none, optional, opt(DType::pointer([Int, Str])), &vals![E]);
    let none = Expr::pointer(vec![], false, None).unwrap();
    assert_eq!(values(&evaluate(&none, &[], 1), none.dtype()), [Value::Pointer(pathway_types::Key::EMPTY)]);
}
