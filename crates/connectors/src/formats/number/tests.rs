//! Texts of numbers, against the standard library and `serde_json`.

use proptest::prelude::*;

use super::*;

fn float_text(value: f64) -> String {
    let mut out = Vec::new();
    write_float(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn json_text(value: f64) -> String {
    let mut out = Vec::new();
    write_json_float(value, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn integers_take_a_sign_and_digits_only() {
    let cases: [(&str, Option<i64>); 12] = [
        ("5", Some(5)),
        ("+5", Some(5)),
        ("-0", Some(0)),
        ("007", Some(7)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("", None),
        ("-", None),
        (" 5", None),
        ("1_0", None),
        ("5.0", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_int(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(parse_int("٣".as_bytes()), None);
}

#[test]
fn floats_take_the_usual_forms() {
    for text in ["+5", ".5", "5.", "1e5", "1E+5", "-inf", "+Infinity", "INF", "1e400", "-0.0"] {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(parse_float(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text:?}");
    }
    assert!(parse_float(b"NAN").unwrap().is_nan());
    for text in ["1_0.0", "0x10", " 5", "5 ", ".", "e5", "", "-"] {
        assert_eq!(parse_float(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn float_texts_of_the_contract() {
    let csv = [
        (1.5, "1.5"),
        (2.0, "2.0"),
        (1e300, "1e300"),
        (1e-7, "1e-7"),
        (1e-5, "1e-5"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (-0.0, "-0.0"),
    ];
    for (value, text) in csv {
        assert_eq!(float_text(value), text);
    }
    let json = [
        (2.0, "2.0"),
        (1.5, "1.5"),
        (1e300, "1e+300"),
        (1e-7, "1e-7"),
        (1e16, "1e+16"),
        (0.00001, "0.00001"),
        (f64::NAN, "null"),
        (f64::INFINITY, "null"),
    ];
    for (value, text) in json {
        assert_eq!(json_text(value), text);
    }
}

proptest! {
    #[test]
    fn integers_agree_with_the_standard_library(text in "[+-]?[0-9]{0,22}") {
        prop_assert_eq!(parse_int(text.as_bytes()), text.parse().ok());
    }

    #[test]
    fn floats_print_as_debug_and_as_serde_json(bits in any::<u64>(), exponent in -25i32..25, digits in 0u64..100_000) {
        for value in [f64::from_bits(bits), digits as f64 * 10f64.powi(exponent), -(digits as f64) * 10f64.powi(exponent)] {
            // Of two shortest texts that are equally near, the standard library takes the other one.
            let (ours, std) = (float_text(value), format!("{value:?}"));
            prop_assert!(ours == std || ours.len() == std.len() && std.parse() == Ok(value), "{ours} {std}");
            prop_assert_eq!(json_text(value), serde_json::to_string(&value).unwrap());
            if value.is_finite() {
                prop_assert_eq!(parse_float(float_text(value).as_bytes()).map(f64::to_bits), Some(value.to_bits()));
            }
        }
    }
}
