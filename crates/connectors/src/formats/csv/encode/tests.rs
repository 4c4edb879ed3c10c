//! Texts of cells, and reading back what was written.

use pathway_types::{DType, Diffs, Key, PyObject, Value};
use proptest::prelude::*;

use super::*;
use crate::formats::FormatSpec;
use crate::formats::csv::CsvSettings;
use crate::formats::testing::{
    batch, cells, decode_whole, encoded, every_kind, round_trip_rows, round_trip_schema, schema,
};

#[test]
fn a_row_of_every_kind() {
    let (schema, row) = every_kind();
    let expected = concat!(
        r#""1","2.0","True","a""b","AP8=","2025-01-17T01:02:03.500000000","2025-01-17T01:02:03.000000000+0000","#,
        r#""1500000000","{""b"":1,""a"":[null]}","[1,2]","[1,""x""]","{""shape"":[2,2],""elements"":[1,2,3,4]}","#,
        r#""None","0","1""#,
        "\n"
    );
    assert_eq!(encoded(&CsvEncoder::new(&schema, b','), &schema, &[row]), expected);
}

#[test]
fn header_and_delimiter() {
    let columns = schema(&[("k", DType::Int), ("a\"b", DType::Str), ("time", DType::Int)]);
    let mut out = Vec::new();
    CsvEncoder::new(&columns, b';').header(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "\"k\";\"a\"\"b\";\"time\";\"time\";\"diff\"\n");
    let row = vec![1.into(), "x;y".into(), 5.into()];
    assert_eq!(
        encoded(&CsvEncoder::new(&columns, b';'), &columns, &[row]),
        "\"1\";\"x;y\";\"5\";\"0\";\"1\"\n"
    );
    let none = schema(&[]);
    let encoder = CsvEncoder::new(&none, b',');
    let mut out = Vec::new();
    encoder.header(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "\"time\",\"diff\"\n");
    assert_eq!(encoded(&encoder, &none, &[vec![]]), "\"0\",\"1\"\n");
}

#[test]
fn dynamic_cells_removals_and_pointers() {
    let key = Key::of(&[Value::Int(1)]).unwrap();
    let columns = schema(&[
        ("a", DType::Any),
        ("p", DType::optional(DType::ANY_POINTER)),
        ("o", DType::PyObject("X".into())),
    ]);
    let object = Value::PyObject(PyObject::new(*b"\x80\x05"));
    let values =
        [Value::None, true.into(), 1.into(), f64::NAN.into(), "a\"".into(), Value::tuple(["\"".into()])];
    let rows: Vec<Vec<Value>> = values.map(|value| vec![value, key.into(), object.clone()]).into();
    let mut changes = batch(&columns.dtypes(), &rows);
    changes.diffs = Diffs::from(vec![-1, 1, 1, 1, 1, 1]);
    let mut out = Vec::new();
    CsvEncoder::new(&columns, b',').encode(&changes, 7, &mut out);
    let texts = ["None", "True", "1", "NaN", "a\"\"", "[\"\"\\\"\"\"\"]"];
    let expected: String = texts
        .iter()
        .enumerate()
        .map(|(i, text)| format!("\"{text}\",\"{key}\",\"gAU=\",\"7\",\"{}\"\n", if i == 0 { -1 } else { 1 }))
        .collect();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(rows in round_trip_rows()) {
        let schema = round_trip_schema();
        let encoder = CsvEncoder::new(&schema, b',');
        let mut document = Vec::new();
        encoder.header(&mut document);
        document.extend(encoded(&encoder, &schema, &rows).bytes());
        let spec = FormatSpec::Csv(CsvSettings::default());
        let parsed = decode_whole(&spec, &schema, std::str::from_utf8(&document).unwrap());
        prop_assert_eq!(cells(&parsed, &schema.dtypes()), rows);
    }
}
