//! JSON of cells, and reading back what was written.

use pathway_types::{DType, Key, PyObject, Value};
use proptest::prelude::*;

use super::*;
use crate::formats::FormatSpec;
use crate::formats::json::JsonSettings;
use crate::formats::testing::{
    cells, decode_whole, encoded, every_kind, round_trip_rows, round_trip_schema, schema,
};

#[test]
fn a_row_of_every_kind() {
    let (schema, row) = every_kind();
    let expected = concat!(
        r#"{"i":1,"f":2.0,"b":true,"s":"a\"b","y":"AP8=","n":"2025-01-17T01:02:03.500000000","#,
        r#""u":"2025-01-17T01:02:03.000000000+0000","d":1500000000,"j":{"b":1,"a":[null]},"l":[1,2],"t":[1,"x"],"#,
        r#""a":{"shape":[2,2],"elements":[1,2,3,4]},"o":null,"diff":1,"time":0}"#,
        "\n"
    );
    assert_eq!(encoded(&JsonEncoder::new(&schema), &schema, &[row]), expected);
}

#[test]
fn dynamic_cells_and_names() {
    let key = Key::of(&[Value::Int(1)]).unwrap();
    let columns =
        schema(&[("a\"\n", DType::Any), ("p", DType::ANY_POINTER), ("o", DType::PyObject("X".into()))]);
    let object = Value::PyObject(PyObject::new(*b"\x80\x05"));
    let cases = [
        (Value::None, "null"),
        (true.into(), "true"),
        (1.into(), "1"),
        (f64::NAN.into(), "null"),
        (1e16.into(), "1e+16"),
        ("é\u{1}\u{7f}\t".into(), "\"é\\u0001\u{7f}\\t\""),
        (Value::tuple([Value::Bytes([0].into()), key.into(), Value::None, Value::DateTimeNaive(0)]), ""),
    ];
    for (value, text) in cases {
        let nested = format!("[\"AA==\",\"{key}\",null,\"1970-01-01T00:00:00.000000000\"]");
        let text = if text.is_empty() { &nested } else { text };
        let expected =
            format!("{{\"a\\\"\\n\":{text},\"p\":\"{key}\",\"o\":\"gAU=\",\"diff\":1,\"time\":0}}\n");
        assert_eq!(
            encoded(&JsonEncoder::new(&columns), &columns, &[vec![value, key.into(), object.clone()]]),
            expected
        );
    }
    let none = schema(&[]);
    assert_eq!(encoded(&JsonEncoder::new(&none), &none, &[vec![]]), "{\"diff\":1,\"time\":0}\n");
}

proptest! {
    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in any::<String>()) {
        let mut out = Vec::new();
        write_json_string(&text, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn what_is_written_reads_back(rows in round_trip_rows()) {
        let schema = round_trip_schema();
        let document = encoded(&JsonEncoder::new(&schema), &schema, &rows);
        let parsed = decode_whole(&FormatSpec::Json(JsonSettings::default()), &schema, &document);
        prop_assert_eq!(cells(&parsed, &schema.dtypes()), rows);
    }
}
