//! Lines and whole documents.

use pathway_types::{DType, Value};

use crate::formats::testing::{cells, decode_columns, outcome};
use crate::formats::{FormatSpec, Framing};

fn texts(spec: &FormatSpec, document: &[u8]) -> (Vec<String>, usize) {
    let columns = spec.columns(None).unwrap();
    let (rows, rejected) = outcome(spec, &columns, document, &[]);
    let text = |row: &Vec<Value>| match &row[0] {
        Value::Str(text) => text.to_string(),
        other => panic!("{other} is not text"),
    };
    (rows.iter().map(|(_, row)| text(row)).collect(), rejected.len())
}

#[test]
fn lines_are_stripped() {
    let (lines, rejected) = texts(&FormatSpec::PlainText, "  a \nb\r\n\nlast\rx\n\u{a0}c\u{2003}".as_bytes());
    assert_eq!(lines, ["a", "b", "", "last\rx", "c"]);
    assert_eq!(rejected, 0);
    assert_eq!(texts(&FormatSpec::PlainText, b""), (vec![], 0));
    assert_eq!(texts(&FormatSpec::PlainText, b"\n"), (vec![String::new()], 0));
    assert_eq!(texts(&FormatSpec::PlainText, b"a\n\xFF\nb"), (vec!["a".to_owned(), "b".to_owned()], 1));
}

#[test]
fn cutting_lines_anywhere_changes_nothing() {
    let document = "a\r\n\nbb\n ccc \nd\n\nlast".as_bytes();
    let columns = FormatSpec::PlainText.columns(None).unwrap();
    let whole = outcome(&FormatSpec::PlainText, &columns, document, &[]);
    assert_eq!(whole.0.len(), 7);
    for end in 0..document.len() {
        assert_eq!(outcome(&FormatSpec::PlainText, &columns, document, &[end]), whole);
    }
}

#[test]
fn whole_documents() {
    let (text, rejected) = texts(&FormatSpec::PlainTextByFile, "\n \u{FEFF}a\nb \n".as_bytes());
    assert_eq!((text, rejected), (vec!["\u{FEFF}a\nb".to_owned()], 0));
    assert_eq!(texts(&FormatSpec::PlainTextByFile, b""), (vec![String::new()], 0));
    assert_eq!(texts(&FormatSpec::PlainTextByFile, b"\xFF"), (vec![], 1));

    let columns = FormatSpec::Binary.columns(None).unwrap();
    for document in [&b""[..], b" \xFF\n "] {
        let (rows, _) = outcome(&FormatSpec::Binary, &columns, document, &[]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].1, [Value::Bytes(document.into())]);
    }
}

#[test]
fn content_that_nobody_wants_is_not_read() {
    let columns = FormatSpec::Binary.columns(None).unwrap();
    assert_eq!(FormatSpec::Binary.compile(&columns, &[0]).framing(), Framing::Document);
    assert_eq!(FormatSpec::Binary.compile(&columns, &[]).framing(), Framing::Nothing);
    let columns = FormatSpec::OnlyMetadata.columns(None).unwrap();
    assert_eq!(FormatSpec::OnlyMetadata.compile(&columns, &[]).framing(), Framing::Nothing);
    let columns = FormatSpec::PlainText.columns(None).unwrap();
    let parsed = decode_columns(&FormatSpec::PlainText, &columns, &[], b"a\nb\n", &[]).remove(0);
    assert_eq!(cells(&parsed, &[]), vec![Vec::<Value>::new(); 2]);
    let twice = decode_columns(&FormatSpec::PlainText, &columns, &[0, 0], b"a\n", &[]).remove(0);
    assert_eq!(cells(&twice, &[DType::Str, DType::Str]), [["a".into(), Value::from("a")]]);
}

#[test]
fn schemas_belong_to_formats_with_fields() {
    use crate::formats::csv::CsvSettings;
    use crate::formats::json::JsonSettings;
    use crate::formats::testing::schema;
    let some = schema(&[("a", DType::Int)]);
    let csv = FormatSpec::Csv(CsvSettings::default());
    let json = FormatSpec::Json(JsonSettings::default());
    for spec in [&csv, &json] {
        assert!(spec.columns(None).unwrap_err().to_string().contains("schema"));
        assert!(spec.columns(Some(some.clone())).is_ok());
        assert!(
            spec.columns(Some(schema(&[("_metadata", DType::Json)])))
                .unwrap_err()
                .to_string()
                .contains("reserved")
        );
        assert!(spec.columns(Some(schema(&[("a", DType::future(DType::Int))]))).is_err());
    }
    for spec in
        [FormatSpec::PlainText, FormatSpec::PlainTextByFile, FormatSpec::Binary, FormatSpec::OnlyMetadata]
    {
        assert!(spec.columns(Some(some.clone())).is_err());
        assert!(spec.columns(None).is_ok());
    }
}
