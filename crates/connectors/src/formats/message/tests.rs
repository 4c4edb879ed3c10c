//! Messages in, rows out.

use std::sync::Arc;

use pathway_io::Parsed;
use pathway_types::{DType, Field, Key, Schema, Value};

use super::{KEY, Message, MessageSpec};
use crate::formats::json::JsonSettings;
use crate::formats::testing::cells;
use crate::formats::{DATA, Layout, METADATA, Origin, RowBuilder};

type Parts<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

fn parse(
    spec: &MessageSpec,
    schema: &Schema,
    columns: &[usize],
    by_key: bool,
    messages: &[Parts<'_>],
) -> Parsed {
    let layout = Arc::new(Layout::new(schema, columns));
    let origin = Origin::new("t[0]", b"t[0]", "offset").from_zero();
    let mut rows = RowBuilder::new(&layout, &origin, 10, messages.len(), 100);
    let numbered = messages.iter().zip(10..);
    let messages: Vec<Message<'_>> = numbered
        .map(|((key, value), ordinal)| Message {
            ordinal,
            key: *key,
            value: *value,
            fault: None,
            metadata: b"{\"n\":1}",
        })
        .collect();
    spec.compile(&layout, by_key).decode(&messages, &mut rows);
    rows.finish()
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

#[test]
fn payloads_keep_what_is_missing_apart_from_what_is_empty() {
    let spec = MessageSpec::PlainText;
    let schema = spec.columns(None).unwrap();
    let messages: [Parts<'_>; 4] =
        [(None, Some(b" v ")), (Some(b"k"), None), (Some(b""), Some(b"")), (Some(b"\xff"), Some(b"x"))];
    let parsed = parse(&spec, &schema, &[1, 0], false, &messages);
    let rows = cells(&parsed, &[DType::Str, DType::Str]);
    let expected = [vec![text("v"), Value::None], vec![Value::None, text("k")], vec![text(""), text("")]];
    assert_eq!(rows, expected);
    assert_eq!(parsed.rejected[0].position, "t[0], offset 13");
}

#[test]
fn rows_are_identified_by_ordinals_or_by_keys() {
    let spec = MessageSpec::Raw;
    let schema = spec.columns(None).unwrap();
    let messages: [Parts<'_>; 3] = [(Some(b"k"), Some(b"a")), (Some(b"k"), Some(b"b")), (None, None)];
    let by_place = parse(&spec, &schema, &[1], false, &messages).batch.keys;
    let by_key = parse(&spec, &schema, &[1], true, &messages).batch.keys;
    assert_ne!(by_place.get(0), by_place.get(1));
    assert_eq!(by_key.get(0), by_key.get(1));
    assert_eq!(Some(by_key.get(0)), Key::of(&[Value::Bytes(b"k"[..].into())]));
    assert_eq!(by_key.get(2), by_place.get(2));
}

#[test]
fn json_fields_come_from_value_and_key_and_metadata_is_passed_on() {
    let mut fallback = Field::new("n", DType::Int);
    fallback.default = Some(Value::Int(5));
    let fields = [Field::new("a", DType::Int), Field::new("k", DType::Str), fallback];
    let spec = MessageSpec::Json {
        settings: JsonSettings { field_paths: vec![("k".to_owned(), "/x/1".to_owned())] },
        in_key: vec!["k".to_owned()],
    };
    let mut schema = spec.columns(Some(Schema::new(fields))).unwrap();
    schema.fields.insert(0, Field::new(METADATA, DType::Json));
    let messages: [Parts<'_>; 5] = [
        (Some(b"{\"x\":[0,\"y\"]}"), Some(b"{\"a\":1,\"k\":7}")),
        (Some(b"{\"x\":[0,\"z\"]}"), Some(b"{\"a\":2,\n\"n\":3}")),
        (Some(b"nothing"), Some(b"{\"a\":2}")),
        (None, Some(b"{\"a\":4}")),
        (Some(b"{\"x\":[0,\"z\"]}"), None),
    ];
    let parsed = parse(&spec, &schema, &[0, 2, 1, 3], false, &messages);
    let rows = cells(&parsed, &[DType::Json, DType::Str, DType::Int, DType::Int]);
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0][1..], [text("y"), Value::Int(1), Value::Int(5)]);
    assert_eq!(rows[1][1..], [text("z"), Value::Int(2), Value::Int(3)]);
    assert!(matches!(&rows[0][0], Value::Json(json) if json.as_str() == "{\"n\":1}"));
    assert_eq!(parsed.rejected.len(), 1);
    assert!(parsed.rejected[0].reason.starts_with("the message key"));
    let wrong: Vec<(u32, u32)> = parsed.cell_errors.iter().map(|error| (error.row, error.column)).collect();
    assert_eq!(wrong, [(2, 1), (3, 2)]);
}

#[test]
fn payloads_take_no_schema() {
    let schema = Schema::new([Field::new(DATA, DType::Str)]);
    assert!(MessageSpec::PlainText.columns(Some(schema)).is_err());
    let names: Vec<String> = MessageSpec::Raw.columns(None).unwrap().names().map(str::to_owned).collect();
    assert_eq!(names, [KEY, DATA]);
}
