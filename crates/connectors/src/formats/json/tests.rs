//! JSON in and out: the conversion tables, broken input, and `serde_json` as an oracle.

use std::sync::Arc;

use pathway_types::{DType, Field, JsonText, Key, NdArray, Schema, Value};
use proptest::prelude::*;

use super::*;
use crate::formats::testing::{cells, column, decode_columns, decode_whole, outcome, schema};
use crate::formats::{FormatSpec, Origin, RowBuilder};

const E: Value = Value::Error;
const N: Value = Value::None;

fn spec() -> FormatSpec {
    FormatSpec::Json(JsonSettings::default())
}

fn field(dtype: DType) -> Field {
    Field::new("a", dtype)
}

fn optional(dtype: DType) -> Field {
    Field::new("a", DType::optional(dtype))
}

fn json(text: &str) -> Value {
    Value::Json(JsonText::from_compact(text))
}

/// Reads each JSON text as the value of the field; an empty text stands for no such field.
fn check(field: Field, cases: &[(&str, Value)]) {
    let mut document = String::new();
    for (text, _) in cases {
        document +=
            &if text.is_empty() { "{}\n".to_owned() } else { format!("{{\"x\": 1, \"a\": {text} }}\n") };
    }
    let expected: Vec<Value> = cases.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(column(&spec(), field, &document), expected);
}

#[test]
fn cells_of_every_dtype() {
    let max = (i64::MAX.to_string(), i64::MIN.to_string());
    check(
        field(DType::Int),
        &[("5", 5.into()), (&max.0, i64::MAX.into()), (&max.1, i64::MIN.into()), ("-0", 0.into())],
    );
    check(
        field(DType::Int),
        &[
            ("5.0", E),
            ("\"2\"", E),
            ("true", E),
            ("1e20", E),
            ("9223372036854775808", E),
            ("null", E),
            ("", E),
        ],
    );
    check(field(DType::Float), &[("5", 5.0.into()), ("-0.5e+2", (-50.0).into()), ("1e-400", 0.0.into())]);
    check(
        field(DType::Float),
        &[
            ("\"5\"", E),
            ("1e400", E),
            ("null", E),
            ("123456789012345678901234567890", 1.234_567_890_123_456_8e29.into()),
        ],
    );
    check(field(DType::Bool), &[("true", true.into()), ("false", false.into()), ("1", E), ("\"true\"", E)]);
    check(field(DType::Str), &[("\"x\"", "x".into()), ("\"\"", "".into()), ("1", E), ("null", E), ("[]", E)]);
    check(
        field(DType::Str),
        &[
            (r#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te".into()),
            (r#""\u0041\u00e9\ud83d\ude00\u0000x""#, "Aé😀\0x".into()),
            ("\"é😀\"", "é😀".into()),
        ],
    );
    check(
        field(DType::Bytes),
        &[
            ("\"AP8=\"", Value::Bytes([0, 255].into())),
            ("\"\"", Value::Bytes([].into())),
            ("\"AP8\"", E),
            ("1", E),
        ],
    );
    check(field(DType::Duration), &[("-5", Value::Duration(-5)), ("5.0", E), ("\"5\"", E)]);
    let naive = Value::DateTimeNaive(1_735_787_045_000_000_000);
    check(
        field(DType::DateTimeNaive),
        &[("\"2025-01-02T03:04:05\"", naive), ("\"2025-01-02T03:04:05+0000\"", E), ("5", E)],
    );
    let utc = Value::DateTimeUtc(1_735_787_045_000_000_000);
    check(
        field(DType::DateTimeUtc),
        &[("\"2025-01-02T03:04:05Z\"", utc.clone()), ("\"2025-01-02T04:04:05+0100\"", utc), ("\"x\"", E)],
    );
    let key = Key::of(&[Value::Int(1)]).unwrap();
    check(field(DType::ANY_POINTER), &[(&format!("\"{key}\""), key.into()), ("\"x\"", E), ("5", E)]);
    check(
        field(DType::Any),
        &[
            ("1", 1.into()),
            ("1.5", 1.5.into()),
            ("\"x\"", "x".into()),
            (r#""\n""#, "\n".into()),
            ("true", true.into()),
        ],
    );
    check(
        field(DType::Any),
        &[
            ("null", E),
            ("[1]", E),
            ("{}", E),
            ("", E),
            ("18446744073709551615", 1.844_674_407_370_955_2e19.into()),
        ],
    );
}

#[test]
fn cells_of_nested_dtypes() {
    check(
        field(DType::Json),
        &[
            ("null", E),
            ("{ \"x\": 1.50, \"x\": 2, \"y\": \"\\u0041\\/\" }", json("{\"x\":2,\"y\":\"A/\"}")),
            ("1e2", json("100.0")),
            ("18446744073709551615", json("18446744073709551615")),
            ("\"q\"", json("\"q\"")),
            ("\"\\u0041\"", json("\"A\"")),
            ("true", json("true")),
            ("-0", json("-0.0")),
            ("[ ]", json("[]")),
            ("1e400", E),
        ],
    );
    check(
        field(DType::list(DType::optional(DType::Int))),
        &[("[1, null]", Value::tuple([1.into(), N])), ("[1.0]", E), ("null", E), ("\"x\"", E)],
    );
    check(
        field(DType::any_tuple()),
        &[("[1,\"x\",true]", Value::tuple([1.into(), "x".into(), true.into()])), ("[[1]]", E)],
    );
    let pair = DType::tuple([DType::list(DType::Float), DType::Json]);
    check(
        field(pair),
        &[("[[1],{\"k\": 1}]", Value::tuple([Value::tuple([1.0.into()]), json("{\"k\":1}")])), ("[[1]]", E)],
    );
    let floats = Value::FloatArray(Arc::new(NdArray::new([2], [1.0, 2.0]).unwrap()));
    check(
        field(DType::array(None, DType::Float)),
        &[
            ("{\"elements\":[1,2],\"shape\":[2],\"x\":1}", floats),
            ("[1,2]", E),
            ("{\"shape\":[2],\"elements\":[1.5,null]}", E),
        ],
    );
}

#[test]
fn none_and_defaults() {
    check(optional(DType::Int), &[("null", N), ("5", 5.into()), ("", N)]);
    check(optional(DType::Json), &[("null", N), ("", N), ("5", json("5"))]);
    check(optional(DType::list(DType::Int)), &[("null", N), ("", N)]);
    check(optional(DType::Str).default_value("D".into()), &[("null", N), ("", "D".into())]);
    check(field(DType::Int).default_value(7.into()), &[("null", E), ("", 7.into())]);
    check(field(DType::Any).default_value(7.into()), &[("null", E), ("", 7.into())]);
    check(field(DType::None), &[("null", N), ("", N), ("1", E)]);
}

#[test]
fn records_that_are_no_objects() {
    let columns = Schema::new([field(DType::Int).default_value(8.into())]);
    let document = "\n  \n{\"a\":2}\r\n[1]\n5\n\"s\"\nnull\n{\"a\":3} \t\n   ";
    let parsed = decode_whole(&spec(), &columns, document);
    assert_eq!(cells(&parsed, &[DType::Int]), [[Value::Int(2)], [Value::Int(3)]]);
    let rejected: Vec<(&str, &[u8])> = parsed.rejected.iter().map(|r| (&*r.position, &*r.raw)).collect();
    assert_eq!(
        rejected,
        [
            ("doc, line 4", &b"[1]"[..]),
            ("doc, line 5", b"5"),
            ("doc, line 6", b"\"s\""),
            ("doc, line 7", b"null")
        ]
    );
    assert!(parsed.rejected[0].reason.contains("no object"));
}

#[test]
fn broken_records_cost_themselves_only() {
    let broken = [
        "notjson",
        "{",
        "{}}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":nul}",
        "{\"a\":1} x",
        "{\"a\":\"x\ty\"}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud83d\"}",
        "{\"a\":\"\\ude00\"}",
        "{\"a\":\"\\ud83dx\"}",
        "{\"a\":\"\\ud83d\\u0041\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":{1:1}}",
        "{\"a\":[{]}",
        "{,}",
        "{\"a\":}",
        "{\"a\":1,,\"b\":1}",
        "[1,2",
        "\"open",
        "{\"a\":\"\\",
        "{\"a\":NaN}",
        "{\"a\":'x'}",
        "{\"a\":1;\"b\":2}",
    ];
    let columns = schema(&[("z", DType::optional(DType::Int))]);
    for text in broken {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        let document = format!("{{\"z\":1}}\n{text}\n{{\"z\":2}}\n");
        let parsed = decode_whole(&spec(), &columns, &document);
        assert_eq!(cells(&parsed, &columns.dtypes()), [[Value::Int(1)], [Value::Int(2)]], "{text}");
        assert_eq!(parsed.rejected.len(), 1, "{text}");
        assert_eq!(parsed.rejected[0].raw, text.as_bytes());
        assert_eq!(parsed.rejected[0].position, "doc, line 2");
    }
}

#[test]
fn nesting_is_bounded() {
    let columns = schema(&[("z", DType::optional(DType::Int))]);
    let nested = |levels: usize| format!("{{\"a\":{}{}}}\n", "[".repeat(levels), "]".repeat(levels));
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    assert!(parse(&nested(126)).is_ok() && parse(&nested(127)).is_err());
    assert_eq!(decode_whole(&spec(), &columns, &nested(126)).rejected.len(), 0);
    assert_eq!(decode_whole(&spec(), &columns, &nested(127)).rejected.len(), 1);
    assert_eq!(decode_whole(&spec(), &columns, &nested(1_000_000)).rejected.len(), 1);
}

#[test]
fn invalid_utf8_costs_its_record_only() {
    let columns = schema(&[("a", DType::Str)]);
    let (rows, rejected) =
        outcome(&spec(), &columns, b"{\"a\":\"x\"}\n{\"a\":\"\xFF\"}\n{\"a\":\"\xC3\xA9\"}", &[]);
    assert_eq!(
        rows.iter().map(|(_, row)| row[0].clone()).collect::<Vec<_>>(),
        ["x".into(), Value::from("é")]
    );
    assert_eq!(rejected, [("doc, line 2".to_owned(), b"{\"a\":\"\xFF\"}".to_vec())]);
}

#[test]
fn fields_in_any_order_and_number() {
    let columns = schema(&[("a", DType::optional(DType::Int)), ("b", DType::optional(DType::Int))]);
    let document = "{\"a\":1,\"b\":2}\n{\"b\":3,\"a\":4}\n{\"x\":{\"a\":9},\"b\":5}\n{}\n{\"a\":1,\"a\":6}\n{ \"\\u0061\" : 7 , \"b\" : 8 }\n{\"ab\":1,\"a\":0}\n";
    let parsed = decode_whole(&spec(), &columns, document);
    let (int, none) = (Value::Int, N);
    let expected = [
        [int(1), int(2)],
        [int(4), int(3)],
        [none.clone(), int(5)],
        [none.clone(), none.clone()],
        [int(6), none.clone()],
        [int(7), int(8)],
        [int(0), none],
    ];
    assert_eq!(cells(&parsed, &columns.dtypes()), expected);
    let only_b = decode_columns(&spec(), &columns, &[1], document.as_bytes(), &[]).remove(0);
    assert_eq!(cells(&only_b, &columns.dtypes()[1..]), expected.map(|[_, b]| [b]));
    assert_eq!(only_b.batch.keys.as_slice(), parsed.batch.keys.as_slice());
}

#[test]
fn paths_lead_to_values() {
    let paths = |paths: &[(&str, &str)]| JsonSettings {
        field_paths: paths.iter().map(|(c, p)| ((*c).to_owned(), (*p).to_owned())).collect(),
    };
    let columns = schema(&[
        ("x", DType::optional(DType::Int)),
        ("y", DType::optional(DType::Str)),
        ("z", DType::optional(DType::Json)),
        ("w", DType::optional(DType::Int)),
    ]);
    let settings = paths(&[("x", "/a/b~1c/1"), ("z", ""), ("w", "/n")]);
    let document = "{\"a\":{\"b/c\":[5, 6]},\"y\":\"q\", \"n\":1}\n{\"a\":{\"b/c\":[5]},\"n\":2}\n{\"a\":{\"b/c\":0,\"b\\/c\":[0,7]}}\n";
    let parsed = decode_whole(&FormatSpec::Json(settings), &columns, document);
    let rows = cells(&parsed, &columns.dtypes());
    assert_eq!(
        rows[0],
        [6.into(), "q".into(), json("{\"a\":{\"b/c\":[5,6]},\"y\":\"q\",\"n\":1}"), 1.into()]
    );
    assert_eq!(rows[1], [N, N, json("{\"a\":{\"b/c\":[5]},\"n\":2}"), 2.into()]);
    assert_eq!(rows[2][0], 7.into());

    let both = paths(&[("x", "/n"), ("w", "/n")]);
    let parsed = decode_whole(&FormatSpec::Json(both), &columns, "{\"n\":3}\n");
    assert_eq!(cells(&parsed, &columns.dtypes()), [[3.into(), N, N, Value::Int(3)]]);

    let elements = FormatSpec::Json(paths(&[("x", "/0"), ("y", "/1"), ("z", "/2"), ("w", "/03")]));
    let parsed = decode_whole(&elements, &columns, "[1,\"s\",[],4]\n5\n");
    assert_eq!(cells(&parsed, &columns.dtypes()), [[1.into(), "s".into(), json("[]"), N], [N, N, N, N]]);

    for (column, path) in [("nope", "/a"), ("x", "a"), ("_metadata", "/a")] {
        let spec = FormatSpec::Json(paths(&[(column, path)]));
        assert_eq!(spec.columns(Some(columns.clone())).unwrap_err().class, pathway_io::FailureClass::Value);
    }
}

#[test]
fn messages_may_span_lines() {
    let columns = schema(&[("a", DType::optional(DType::Int))]);
    let format = spec().compile(&columns, &[0]);
    let origin = Origin::new("queue", b"queue", "message");
    let mut rows = RowBuilder::new(format.layout(), &origin, 0, 4, 100);
    let decoder = format.decoder(b"");
    for (ordinal, message) in
        ["{\n \"a\": 1\n}\n", "", "{\"a\":2} {\"a\":3}", "{\"a\":4}"].into_iter().enumerate()
    {
        rows.set_ordinal(10 + ordinal as u64);
        decoder.decode_record(message.as_bytes(), &mut rows);
    }
    let parsed = rows.finish();
    assert_eq!(cells(&parsed, &columns.dtypes()), [[Value::Int(1)], [Value::Int(4)]]);
    assert_eq!(parsed.batch.keys.as_slice(), [origin.key(10), origin.key(13)]);
    let rejected: Vec<&str> = parsed.rejected.iter().map(|r| &*r.position).collect();
    assert_eq!(rejected, ["queue, message 12", "queue, message 13"]);
}

#[test]
fn byte_order_marks_are_skipped() {
    assert_eq!(
        column(&spec(), field(DType::Int), "\u{FEFF}{\"a\":1}\n{\"a\":2}\n"),
        [1.into(), Value::Int(2)]
    );
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-d\"\\\\\u{0}-\u{1f}é😀]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec(("[a-c\"\\\\]{0,2}", inner), 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = serde_json::Value> {
    proptest::collection::vec(("[a-c]{1,2}", any_json()), 0..6)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn agrees_with_serde_json(objects in proptest::collection::vec((any_object(), any::<bool>()), 0..8)) {
        let columns = schema(&[("a", DType::optional(DType::Json)), ("ab", DType::optional(DType::Json)), ("b", DType::optional(DType::Json))]);
        let mut document = String::new();
        let mut expected = Vec::new();
        for (object, spaced) in &objects {
            let compact = object.to_string();
            document += &if *spaced { serde_json::to_string_pretty(object).unwrap().replace('\n', " ") } else { compact };
            document.push('\n');
            expected.push(["a", "ab", "b"].map(|name| match object.get(name) {
                None | Some(serde_json::Value::Null) => N,
                Some(value) => json(&value.to_string()),
            }));
        }
        let (rows, rejected) = outcome(&spec(), &columns, document.as_bytes(), &[]);
        prop_assert!(rejected.is_empty(), "{:?}", rejected);
        prop_assert_eq!(rows.iter().map(|(_, row)| row.clone()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn accepts_exactly_what_serde_json_accepts(text in "[\\[\\]{}:,\"a\\\\u0-9.eE+\\- truefalsn]{0,24}") {
        let columns = schema(&[("z", DType::optional(DType::Int))]);
        let document = format!("{{\"a\": {text} }}\n");
        let parsed = decode_whole(&spec(), &columns, &document);
        let oracle = serde_json::from_str::<serde_json::Value>(&document);
        // Numbers out of range are found only where they are wanted.
        let fine = oracle.is_ok() || oracle.is_err_and(|error| error.to_string().contains("out of range"));
        prop_assert_eq!(parsed.rejected.is_empty(), fine, "{}", document);
    }

    #[test]
    fn cutting_anywhere_changes_nothing(objects in proptest::collection::vec(any_object(), 0..5), junk in "[a-c{}\\[\"\n\r ]{0,10}") {
        let columns = schema(&[("a", DType::optional(DType::Json)), ("b", DType::optional(DType::Json))]);
        let mut document = String::new();
        for object in &objects {
            document += &object.to_string();
            document.push('\n');
        }
        document += &junk;
        let whole = outcome(&spec(), &columns, document.as_bytes(), &[]);
        for end in 0..document.len() {
            prop_assert_eq!(&outcome(&spec(), &columns, document.as_bytes(), &[end]), &whole);
        }
    }

    #[test]
    fn strings_come_back(text in any::<String>()) {
        let line = serde_json::json!({ "a": text }).to_string();
        prop_assert_eq!(column(&spec(), field(DType::Str), &line), [Value::from(text)]);
    }
}
