use std::sync::Arc;

use super::*;
use crate::JsonText;

fn text(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

#[test]
fn simple_values() {
    let cases = [
        (Value::Int(-5), "-5"),
        (Value::Bool(true), "True"),
        (Value::Float(1.0), "1.0"),
        (Value::Float(0.1), "0.1"),
        (Value::Float(1e16), "1e16"),
        (Value::Float(1e-5), "1e-5"),
        (Value::Float(0.0001), "0.0001"),
        (Value::Float(1.2345678901234568e16), "1.2345678901234568e16"),
        (Value::Float(f64::NAN), "NaN"),
        (Value::Float(f64::INFINITY), "inf"),
        (Value::Float(-0.0), "-0.0"),
        (Value::from("a \"b\""), "a \"b\""),
        (Value::Bytes(Arc::from(&b"ab\xff"[..])), "[97, 98, 255]"),
        (Value::None, "None"),
        (Value::DateTimeNaive(1_577_934_245_000_000_006), "2020-01-02T03:04:05.000000006"),
        (Value::DateTimeUtc(-500_000_000), "1969-12-31T23:59:59.500000000+0000"),
        (Value::Json(JsonText::from_compact("{\"a\":[1,null]}")), "{\"a\":[1,null]}"),
        (Value::Pending, "Pending"),
    ];
    for (value, expected) in cases {
        assert_eq!(text(&value), expected);
    }
    assert_eq!(text(&Value::Pointer(Key::of(&[Value::Int(1)]).unwrap())), "^YYY4HABTRW7T8VX2Q429ZYV70W");
}

#[test]
fn durations() {
    let hour = 3_600_000_000_000;
    let cases = [
        (400 * 24 * hour + 3 * hour + 4 * 60_000_000_000 + 5_006_007_008, "400d 3h 4m 5s 6007008ns"),
        (-(2 * 24 * hour + 3 * hour), "-2d -3h"),
        (1000, "1000ns"),
        (0, "0ns"),
    ];
    for (value, expected) in cases {
        assert_eq!(text(&Value::Duration(value)), expected);
    }
}

#[test]
fn compound_values() {
    let members = [
        Value::Int(1),
        Value::None,
        Value::Float(2.0),
        Value::tuple([Value::Bool(true), Value::Bytes(Arc::from(&b"a"[..]))]),
        Value::from("q"),
        Value::Duration(1),
    ];
    assert_eq!(text(&Value::tuple(members)), "(1, None, 2.0, (True, [97]), \"q\", 1ns)");
    assert_eq!(text(&Value::tuple([Value::Int(1)])), "(1)");
    assert_eq!(text(&Value::tuple([])), "()");
    let ints = NdArray::new([2], [1i64, 2]).unwrap();
    assert_eq!(text(&Value::IntArray(Arc::new(ints))), "[1, 2]");
    let floats = NdArray::new([2, 2], [1.0, 2.5, 3.0, 4.0]).unwrap();
    assert_eq!(text(&Value::FloatArray(Arc::new(floats))), "[[1, 2.5],\n [3, 4]]");
}

#[test]
fn plain_floats() {
    let cases = [
        (1.0, "1"),
        (1e16, "10000000000000000"),
        (1e-7, "0.0000001"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-inf"),
        (-0.0, "-0"),
    ];
    for (value, expected) in cases {
        let mut out = String::new();
        write_plain_float(&mut out, value);
        assert_eq!(out, expected);
    }
}

#[test]
fn fast_and_slow_floats_agree() {
    let mut state = 1u64;
    for i in 0..200_000u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = match i % 4 {
            0 => f64::from_bits(state),
            1 => (state >> 40) as f64 / 1000.0,
            2 => (state >> 11) as f64,
            _ => (state >> 40) as f64 * 1e-9,
        };
        // Where two shortest texts are equally close the printers may choose differently.
        let same = |fast: &str, slow: String| {
            let agree = fast.len() == slow.len() && fast.parse::<f64>() == slow.parse::<f64>();
            assert!(agree || value.is_nan() && fast == slow, "{fast} {slow}");
        };
        let mut out = String::new();
        write_float(&mut out, value);
        same(&out, format!("{value:?}"));
        out.clear();
        write_plain_float(&mut out, value);
        same(&out, format!("{value}"));
    }
}
