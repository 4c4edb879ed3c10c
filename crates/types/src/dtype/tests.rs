//! Rules of dtypes: normalisation, subtypes, common types, notation.

use super::*;
use DType::{Any, Bool, Float, Int, Json, None as NoneType, Str};

fn opt(t: DType) -> DType {
    DType::optional(t)
}

#[test]
fn normalisation() {
    assert_eq!(opt(opt(Int)), opt(Int));
    assert_eq!(opt(Any), Any);
    assert_eq!(opt(NoneType), NoneType);
    assert_eq!(DType::future(DType::future(Int)), DType::future(Int));
    assert_eq!(DType::array(Some(2), DType::array(Some(2), Int)), DType::array(Some(4), Int));
}

#[test]
fn subtypes() {
    let yes = [
        (Int, Float),
        (Int, Any),
        (NoneType, opt(Int)),
        (Int, opt(Float)),
        (opt(Int), opt(Float)),
        (DType::list(Int), DType::tuple([Int, Int])),
        (DType::tuple([Int, Int]), DType::list(Int)),
        (DType::any_tuple(), DType::tuple([Int, Str])),
        (DType::tuple([Int]), DType::tuple([Float])),
        (DType::array(None, Int), DType::array(Some(2), Int)),
        (DType::array(Some(2), Any), DType::array(Some(2), Float)),
        (DType::pointer([Int]), DType::ANY_POINTER),
        (DType::ANY_POINTER, DType::pointer([Int])),
    ];
    for (left, right) in yes {
        assert!(left.is_subtype_of(&right, true), "{left} ≤ {right}");
    }
    let no = [
        (Float, Int),
        (Bool, Int),
        (Any, Int),
        (opt(Int), Int),
        (NoneType, Int),
        (Json, Str),
        (DType::tuple([Int]), DType::tuple([Int, Int])),
        (DType::pointer([Int]), DType::pointer([Float])),
        (DType::pointer([Int]), DType::pointer([Int, Int])),
        (DType::array(Some(1), Int), DType::array(Some(2), Int)),
        (DType::array(Some(1), Int), DType::array(Some(1), Float)),
        (DType::future(Int), Int),
    ];
    for (left, right) in no {
        assert!(!left.is_subtype_of(&right, true), "{left} not ≤ {right}");
    }
    assert!(!Int.is_subtype_of(&Float, false));
}

#[test]
fn common_types() {
    let ok = [
        (Int, Float, Float),
        (NoneType, Int, opt(Int)),
        (opt(Int), Float, opt(Float)),
        (Any, Int, Any),
        (DType::list(Int), DType::tuple([Float, Int]), DType::tuple([Float, Int])),
        (DType::tuple([Int, Int]), DType::tuple([Float, Int]), DType::tuple([Float, Int])),
        (DType::any_tuple(), DType::tuple([Int]), DType::any_tuple()),
        (DType::array(Some(1), Int), DType::array(Some(2), Int), DType::array(None, Int)),
        (DType::pointer([Int]), DType::ANY_POINTER, DType::ANY_POINTER),
        (DType::pointer([Int]), DType::pointer([opt(Int)]), DType::pointer([opt(Int)])),
    ];
    for (left, right, expected) in ok {
        assert_eq!(DType::common_type(&left, &right), Ok(expected.clone()), "{left} {right}");
        assert_eq!(DType::common_type(&right, &left), Ok(expected), "{right} {left}");
    }
    let fails = [
        (Bool, Int),
        (Int, Str),
        (DType::tuple([Int]), DType::tuple([Int, Int])),
        (DType::pointer([Int]), DType::pointer([Float])),
        (DType::array(None, Int), DType::array(None, Float)),
    ];
    for (left, right) in fails {
        assert!(DType::common_type(&left, &right).is_err(), "{left} {right}");
    }
    assert_eq!(DType::common_type_or_any(&Bool, &Int), Any);
    assert_eq!(
        DType::common_type_or_any(
            &DType::tuple([Int, DType::pointer([Int])]),
            &DType::list(DType::pointer([Str]))
        ),
        DType::tuple([Any, DType::pointer([Any])])
    );
    assert_eq!(
        DType::common_type_or_any(&DType::pointer([Int]), &opt(DType::pointer([Int, Int]))),
        opt(DType::ANY_POINTER)
    );
    assert_eq!(
        DType::common_type_or_any(&DType::array(Some(2), Int), &DType::array(Some(2), Float)),
        DType::array(Some(2), Any)
    );
    assert_eq!(
        DType::common_type_or_any(&DType::tuple([Int]), &DType::tuple([Int, Int])),
        DType::any_tuple()
    );
}

#[test]
fn notation_round_trips() {
    let types = [
        Int,
        Any,
        Json,
        opt(Str),
        DType::tuple([Int, opt(Float)]),
        DType::list(DType::DateTimeUtc),
        DType::array(Some(2), Float),
        DType::array(None, Any),
        DType::future(Int),
        DType::ANY_POINTER,
    ];
    for dtype in types {
        let notation = dtype.to_notation().unwrap();
        assert_eq!(DType::from_notation(&notation).unwrap(), dtype, "{notation}");
    }
    assert!(DType::from_notation(&serde_json::json!({"type": "NO"})).is_err());
    assert_eq!(DType::tuple([Int, opt(Str)]).to_string(), "Tuple(INT, Optional(STR))");
}
