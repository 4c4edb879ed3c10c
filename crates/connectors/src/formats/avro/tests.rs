//! Records as JSON, and rows as records.

use pathway_types::{DType, Value};

use super::decimal::write_decimal;
use super::{AvroEncoder, WriterSchema};
use crate::formats::testing::{batch, every_kind, schema};

fn parse(text: &str) -> Result<WriterSchema, String> {
    WriterSchema::parse(&[text.to_owned()])
}

fn json(schema: &str, record: &[u8]) -> Result<String, &'static str> {
    let mut out = Vec::new();
    parse(schema).unwrap().write_json(record, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn decimals_of_any_size() {
    let cases: [(&[u8], usize, &str); 8] = [
        (&[], 0, "0"),
        (&[], 2, "0.00"),
        (&[0x04, 0xD2], 2, "12.34"),
        (&[0xFB, 0x2E], 2, "-12.34"),
        (&[0xFF], 3, "-0.001"),
        (&[0x80], 0, "-128"),
        (
            &[0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            0,
            "340282366920938463463374607431768211456",
        ),
        (&[0, 0, 0x0A], 0, "10"),
    ];
    for (bytes, scale, expected) in cases {
        let mut out = Vec::new();
        write_decimal(bytes, scale, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn blocks_of_arrays_and_maps() {
    let ints = r#"{"type":"array","items":"int"}"#;
    assert_eq!(json(ints, &[0]).unwrap(), "[]");
    // Two blocks, the second with its size.
    assert_eq!(json(ints, &[2, 2, 3, 4, 4, 6, 0]).unwrap(), "[1,2,3]");
    assert_eq!(json(r#"{"type":"map","values":"null"}"#, &[2, 2, b'"', 0]).unwrap(), r#"{"\"":null}"#);
}

#[test]
fn names_have_namespaces() {
    let text = r#"{"type":"record","name":"a.b.R","fields":[
        {"name":"f","type":{"type":"fixed","name":"F","size":1}},
        {"name":"g","type":["null","a.b.F"]},
        {"name":"next","type":["null","R"]}]}"#;
    let expected = r#"{"f":"AQ==","g":"Ag==","next":{"f":"Aw==","g":null,"next":null}}"#;
    assert_eq!(json(text, &[1, 2, 2, 2, 3, 0, 0]).unwrap(), expected);
}

#[test]
fn schemas_that_are_none() {
    for (text, why) in [
        ("{", "it is no JSON"),
        ("\"strin\"", "there is no type \"strin\""),
        ("7", "7 is no type"),
        ("{}", "without \"type\""),
        (r#"{"type":"record","name":"R"}"#, "has no fields"),
        (r#"{"type":"array"}"#, "has no \"items\""),
    ] {
        assert!(parse(text).unwrap_err().contains(why), "{text}");
    }
    let deep = format!("{}\"int\"{}", "[".repeat(200), "]".repeat(200));
    assert!(parse(&deep).is_err());
}

#[test]
fn records_that_are_none() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"l","type":["null","L"]}]}"#;
    let cases: [(&str, &[u8], &str); 9] = [
        ("\"int\"", &[], "ends too early"),
        ("\"int\"", &[0x80; 11], "too long"),
        ("\"int\"", &[0, 0], "something follows"),
        ("\"boolean\"", &[2], "neither 0 nor 1"),
        ("\"string\"", &[2, 0xFF], "UTF-8"),
        ("\"bytes\"", &[1], "negative"),
        (r#"["null"]"#, &[2], "branch"),
        // Far more items that take no room than anyone means.
        (r#"{"type":"array","items":"null"}"#, &[0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0], "ends too early"),
        (list, &[2; 300], "too deeply"),
    ];
    for (schema, record, why) in cases {
        let flaw = json(schema, record).unwrap_err();
        assert!(flaw.contains(why), "{schema}: {flaw}");
    }
}

#[test]
fn a_row_of_every_kind_comes_back() {
    let (mut columns, mut row) = every_kind();
    // The members of a tuple have one type in Avro.
    let at = columns.fields.iter().position(|field| matches!(field.dtype, DType::Tuple(_))).unwrap();
    columns.fields[at].dtype = DType::Tuple([DType::Str, DType::Str].into());
    row[at] = Value::tuple([Value::from("x"), Value::from("y")]);
    let encoder = AvroEncoder::new(&columns).unwrap();
    let batch = batch(&columns.dtypes(), &[row]);
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    encoder.encode_rows(&batch, &mut out, |end| ends.push(end)).unwrap();
    let mut text = Vec::new();
    let written = WriterSchema::parse(&[encoder.schema("9 lives")]).unwrap();
    written.write_json(&out[..ends[0] - 1], &mut text).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        concat!(
            r#"{"i":1,"f":2.0,"b":true,"s":"a\"b","y":"AP8=","n":"2025-01-17T01:02:03.500000000","#,
            r#""u":"2025-01-17T01:02:03.000000000+0000","d":1500000000,"j":{"b":1,"a":[null]},"l":[1,2],"t":["x","y"],"#,
            r#""a":{"shape":[2,2],"elements":[1,2,3,4]},"o":null}"#,
        )
    );
    assert!(encoder.schema("9 lives").contains(r#""name":"_9_lives""#));
    assert!(AvroEncoder::new(&schema(&[("a", DType::Any)])).is_err());
}
