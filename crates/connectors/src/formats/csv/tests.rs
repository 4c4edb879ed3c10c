//! CSV in and out: the conversion tables, broken input, and the `csv` crate as an oracle.

use std::sync::Arc;

use pathway_types::{DType, Field, JsonText, Key, NdArray, Schema, Value};
use proptest::prelude::*;

use super::*;
use crate::formats::FormatSpec;
use crate::formats::testing::{cells, column, decode_columns, decode_whole, outcome, schema};

const E: Value = Value::Error;
const N: Value = Value::None;

fn spec() -> FormatSpec {
    FormatSpec::Csv(CsvSettings::default())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Reads each text as a cell of the field.
fn check(field: Field, cases: &[(&str, Value)]) {
    let mut document = "a\n".to_owned();
    for (text, _) in cases {
        document += &quoted(text);
        document.push('\n');
    }
    let expected: Vec<Value> = cases.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(column(&spec(), field, &document), expected);
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

#[test]
fn cells_of_every_dtype() {
    let (t, f) = (Value::Bool(true), Value::Bool(false));
    check(
        field(DType::Int),
        &[("5", 5.into()), ("+5", 5.into()), (" 5", E), ("5.0", E), ("", E), ("none", E)],
    );
    check(field(DType::Int), &[("9223372036854775807", i64::MAX.into()), ("9223372036854775808", E)]);
    check(
        field(DType::Float),
        &[("1", 1.0.into()), ("-.5e1", (-5.0).into()), ("INFINITY", f64::INFINITY.into())],
    );
    check(field(DType::Float), &[("nan", f64::NAN.into()), ("x", E), ("", E), (" 1", E)]);
    for (texts, value) in
        [(["TRUE", "t", "1", "Yes", "y", " on "], &t), (["false", "F", "0", "NO", "n", "oFF"], &f)]
    {
        check(field(DType::Bool), &texts.map(|text| (text, value.clone())));
    }
    check(field(DType::Bool), &[("2", E), ("", E), ("yess", E)]);
    check(field(DType::Str), &[(" x ", " x ".into()), ("", "".into()), ("None", "None".into())]);
    check(field(DType::Any), &[("1", "1".into()), ("", "".into())]);
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.into());
    check(field(DType::Bytes), &[("AP8=", bytes(&[0, 255])), ("", bytes(b"")), ("AP8", E), ("AP9=", E)]);
    check(
        field(DType::Json),
        &[("{\"b\": 1, \"a\":[null ]}", json("{\"b\":1,\"a\":[null]}")), ("null", json("null"))],
    );
    check(field(DType::Json), &[("", E), ("none", E), ("NULL", E), ("1.50", json("1.5"))]);
    check(field(DType::Duration), &[("-5", Value::Duration(-5)), ("5.0", E)]);
    let naive = Value::DateTimeNaive(1_735_787_045_500_000_000);
    check(
        field(DType::DateTimeNaive),
        &[("2025-01-02T03:04:05.5", naive), ("2025-01-02T03:04:05Z", E), ("", E)],
    );
    let utc = Value::DateTimeUtc(1_735_787_045_000_000_000);
    check(
        field(DType::DateTimeUtc),
        &[("2025-01-02T03:04:05+00:00", utc.clone()), ("2025-01-02 03:04:05Z", utc)],
    );
    let key = Key::of(&[Value::Int(1)]).unwrap();
    check(field(DType::ANY_POINTER), &[(&key.to_string(), key.into()), ("xx", E), ("^x", E)]);
}

#[test]
fn cells_of_nested_dtypes() {
    let ints = |ints: &[i64]| Value::tuple(ints.iter().map(|i| Value::Int(*i)));
    let list = field(DType::list(DType::Int));
    check(
        list,
        &[("[1, 2]", ints(&[1, 2])), ("[]", ints(&[])), ("[1.0]", E), ("[null]", E), ("1", E), ("", E)],
    );
    check(field(DType::list(DType::Float)), &[("[1,2.5]", Value::tuple([1.0.into(), 2.5.into()]))]);
    let pair = DType::tuple([DType::Int, DType::optional(DType::Str)]);
    check(
        field(pair),
        &[
            ("[1,\"x\"]", Value::tuple([1.into(), "x".into()])),
            ("[1,null]", Value::tuple([1.into(), N])),
            ("[1]", E),
            ("[1,\"x\",3]", E),
            ("[\"x\",1]", E),
        ],
    );
    let int_array =
        |shape: &[usize], elements: &[i64]| Value::IntArray(Arc::new(NdArray::new(shape, elements).unwrap()));
    check(
        field(DType::array(None, DType::Int)),
        &[
            ("{\"shape\":[2],\"elements\":[1,2]}", int_array(&[2], &[1, 2])),
            ("{\"elements\":[1,2],\"shape\":[1,2]}", int_array(&[1, 2], &[1, 2])),
            ("{\"shape\":[3],\"elements\":[1,2]}", E),
            ("{\"shape\":[2],\"elements\":[1,2.5]}", E),
            ("{\"shape\":[18446744073709551615,2],\"elements\":[]}", E),
            ("{\"elements\":[1]}", E),
            ("[1,2]", E),
        ],
    );
    let float_array = Value::FloatArray(Arc::new(NdArray::new([2], [1.0, 2.5]).unwrap()));
    check(
        field(DType::array(Some(1), DType::Float)),
        &[("{\"shape\":[2],\"elements\":[1,2.5]}", float_array.clone())],
    );
    check(field(DType::array(Some(2), DType::Float)), &[("{\"shape\":[2],\"elements\":[1,2.5]}", E)]);
    check(field(DType::array(None, DType::Any)), &[("{\"shape\":[2],\"elements\":[1,2.5]}", float_array)]);
}

#[test]
fn none_and_defaults() {
    check(optional(DType::Int), &[("", N), ("none", N), (" NULL ", N), ("5", 5.into()), ("x", E)]);
    check(optional(DType::Bool), &[("  ", N), ("None", N), ("1", true.into())]);
    check(optional(DType::DateTimeNaive), &[("", N), ("None", N), ("x", E)]);
    check(optional(DType::Str), &[("", "".into()), ("none", "none".into())]);
    check(optional(DType::Bytes), &[("", Value::Bytes([].into())), ("None!", E)]);
    check(
        optional(DType::Json),
        &[("", N), ("none", N), ("NULL", N), ("null", json("null")), ("5", json("5"))],
    );
    check(optional(DType::list(DType::Int)), &[("", N), ("null", N), ("[1]", Value::tuple([1.into()]))]);
    check(field(DType::None), &[("", N), ("none", N), ("x", E)]);

    let with = |field: Field, value: Value| field.default_value(value);
    check(with(optional(DType::Int), 7.into()), &[("", 7.into()), ("none", N), ("5", 5.into())]);
    check(with(optional(DType::Int), N), &[("", N)]);
    check(with(field(DType::Int), 7.into()), &[("", 7.into()), ("none", E)]);
    check(with(field(DType::Bool), true.into()), &[("", true.into()), ("  ", E)]);
    check(with(field(DType::Bytes), Value::Bytes(b"D"[..].into())), &[("", Value::Bytes(b"D"[..].into()))]);
    check(with(field(DType::Json), json("{}")), &[("", json("{}"))]);
    check(with(field(DType::Str), "D".into()), &[("", "".into()), ("x", "x".into())]);
    check(with(field(DType::Any), "D".into()), &[("", "".into())]);
}

#[test]
fn headers_decide_where_columns_are() {
    let columns = schema(&[("a", DType::Int), ("b", DType::Str)]);
    let read = |document: &str| {
        let parsed = decode_whole(&spec(), &columns, document);
        let reasons: Vec<String> = parsed.rejected.iter().map(|r| r.reason.clone()).collect();
        (cells(&parsed, &columns.dtypes()), reasons)
    };
    let row = |a: i64, b: &str| vec![Value::Int(a), Value::from(b)];
    assert_eq!(read("b,x,a,y\nu,1,2,3\n").0, [row(2, "u")]);
    assert_eq!(read("\u{FEFF}a,b\r\n1,x\r\n2,y").0, [row(1, "x"), row(2, "y")]);
    assert_eq!(read("\"a\",\"b\"\n1,x,more,fields\n").0, [row(1, "x")]);
    assert_eq!(read("\n\na,b\n\n1,x\n\r\n\n2,y\n\n").0, [row(1, "x"), row(2, "y")]);
    assert_eq!(read("a,b\r1,x\r2,y\r").0, [row(1, "x"), row(2, "y")]);
    assert_eq!(read(""), (vec![], vec![]));
    assert_eq!(read("a,b"), (vec![], vec![]));
    assert_eq!(read("a,b\n"), (vec![], vec![]));

    let (rows, reasons) = read("a, b\n1,2\n3,4\n");
    assert!(rows.is_empty());
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("lacks the column \"b\"") && reasons[0].contains("\" b\""), "{reasons:?}");
    let (rows, reasons) = read("a,b,a\n1,2,3\n");
    assert!(rows.is_empty() && reasons[0].contains("twice"), "{reasons:?}");
    let (rows, reasons) = read("a,b,c\n1\n1,x\n  \n");
    assert_eq!(rows, [row(1, "x")]);
    assert!(reasons.iter().all(|r| r.contains("1 field(s)")) && reasons.len() == 2, "{reasons:?}");
}

#[test]
fn quotes() {
    let columns = schema(&[("a", DType::Str), ("b", DType::Int)]);
    let text = "a,b\n\"x\"y,1\nx\"y,2\n\"x\"\"y\",3\n\"x\ny\",4\n\"p,q\",5\n\"\"\"\",6\n\"\",7\n\"x\" \"y,\"\"8\"\n\"open,9\n";
    let parsed = decode_whole(&spec(), &columns, text);
    let texts: Vec<Value> =
        cells(&parsed, &columns.dtypes()).into_iter().map(|mut row| row.remove(0)).collect();
    let expected = ["xy", "x\"y", "x\"y", "x\ny", "p,q", "\"", "", "x \"y"];
    assert_eq!(texts, expected.map(Value::from));
    // `"8"` after an empty quoted part reads as `8"`, which is no integer.
    assert_eq!(parsed.cell_errors.len(), 1);
    assert_eq!((parsed.cell_errors[0].row, parsed.cell_errors[0].column), (7, 1));
    assert_eq!(parsed.rejected.len(), 1);
    assert_eq!(parsed.rejected[0].raw, b"\"open,9\n");
}

#[test]
fn other_settings() {
    let columns = schema(&[("a", DType::Str), ("b", DType::Str)]);
    let read = |settings: CsvSettings, document: &str| {
        let parsed = decode_whole(&FormatSpec::Csv(settings), &columns, document);
        assert!(parsed.rejected.is_empty(), "{:?}", parsed.rejected);
        let rows = cells(&parsed, &columns.dtypes()).into_iter();
        rows.map(|row| format!("{} {}", row[0], row[1])).collect::<Vec<_>>()
    };
    let new =
        |d, q, e, double, quoting, comment| CsvSettings::new(d, q, e, double, quoting, comment).unwrap();
    assert_eq!(
        read(new(';', '\'', None, true, true, None), "a;b\n'x;''y';\"z\"\n"),
        ["String(\"x;'y\") String(\"\\\"z\\\"\")"]
    );
    assert_eq!(
        read(new(',', '"', None, true, false, None), "a,b\n\"x,y\"\n"),
        ["String(\"\\\"x\") String(\"y\\\"\")"]
    );
    assert_eq!(
        read(new(',', '"', Some('\\'), true, true, None), "a,b\n\"x\\\"y\",z\n"),
        ["String(\"x\\\"y\") String(\"z\")"]
    );
    assert_eq!(
        read(new(',', '"', None, true, true, Some('#')), "#c,\"\na,b\n#x\"\n1,2\n\n#\n"),
        ["String(\"1\") String(\"2\")"]
    );
    assert_eq!(
        read(new(',', '"', None, false, true, None), "a,b\n\"x\"\"y\",z\n"),
        ["String(\"x\\\"y\\\"\") String(\"z\")"]
    );
}

#[test]
fn settings_that_make_no_sense() {
    for (d, q, e, c) in [
        ('§', '"', None, None),
        ('\n', '"', None, None),
        ('"', '"', None, None),
        (',', '"', Some(','), None),
        (',', '"', None, Some(',')),
        (',', '"', None, Some('"')),
        (',', '"', Some('é'), None),
    ] {
        let error = CsvSettings::new(d, q, e, true, true, c).unwrap_err();
        assert_eq!(error.class, pathway_io::FailureClass::Value);
    }
    assert!(CsvSettings::new('"', '"', None, true, false, None).is_ok());
}

#[test]
fn invalid_utf8_costs_its_record_only() {
    let columns = schema(&[("a", DType::Str), ("b", DType::Int)]);
    for settings in
        [CsvSettings::default(), CsvSettings::new(',', '"', Some('\\'), true, true, None).unwrap()]
    {
        let (rows, rejected) =
            outcome(&FormatSpec::Csv(settings), &columns, b"a,b\nx,1\n\xFF\xFE,2\n\xC3\xA9,3\n", &[]);
        assert_eq!(rows.iter().map(|(_, row)| row[1].clone()).collect::<Vec<_>>(), [1.into(), 3.into()]);
        assert_eq!(rejected, [("doc, record 2".to_owned(), b"\xFF\xFE,2".to_vec())]);
    }
}

#[test]
fn cell_errors_tell_where_and_why() {
    let columns = schema(&[("a", DType::Int), ("b", DType::Int)]);
    let parsed = decode_whole(&spec(), &columns, "a,b\n1,2\n3,x\n\ny,6\n");
    let errors: Vec<_> =
        parsed.cell_errors.iter().map(|e| (e.row, e.column, &*e.record.raw, &*e.record.position)).collect();
    assert_eq!(errors, [(1, 1, &b"3,x"[..], "doc, record 2"), (2, 0, &b"y,6"[..], "doc, record 3")]);
    let cause = parsed.cell_errors[0].cause.to_string();
    assert!(cause.contains("\"b\"") && cause.contains("\"x\"") && cause.contains("INT"), "{cause}");
}

#[test]
fn rows_without_a_readable_primary_key_are_rejected() {
    let columns = Schema::new([
        Field::new("v", DType::Int),
        Field::new("k", DType::Int).primary_key(),
        Field::new("l", DType::Str).primary_key(),
    ]);
    let document = b"v,k,l\n1,1,x\n2,zz,x\nbad,3,x\n";
    let parsed = decode_columns(&spec(), &columns, &[0], document, &[]).remove(0);
    assert_eq!(cells(&parsed, &[DType::Int]), [[1.into()], [E]]);
    assert_eq!(parsed.batch.keys.get(0), Key::of(&[1.into(), "x".into()]).unwrap());
    assert_eq!(parsed.batch.keys.get(1), Key::of(&[3.into(), "x".into()]).unwrap());
    assert_eq!(parsed.cell_errors.len(), 1);
    assert_eq!((parsed.cell_errors[0].row, parsed.cell_errors[0].column), (1, 0));
    assert_eq!(parsed.rejected.len(), 1);
    assert_eq!(parsed.rejected[0].position, "doc, record 2");
    assert_eq!(parsed.rejected[0].raw, b"2,zz,x");
}

#[test]
fn positions_give_distinct_keys_that_do_not_depend_on_the_columns() {
    let columns = schema(&[("a", DType::Int), ("b", DType::Int)]);
    let mut document = b"a,b\n".to_vec();
    for i in 0..1000 {
        document.extend(format!("{i},{i}\n").bytes());
    }
    let keys = |wanted: &[usize]| {
        let parsed = decode_columns(&spec(), &columns, wanted, &document, &[]).remove(0);
        parsed.batch.keys.as_slice().to_vec()
    };
    let all = keys(&[0, 1]);
    assert_eq!(all, keys(&[1]));
    assert_eq!(all, keys(&[]));
    let shards: std::collections::HashSet<u128> = all.iter().map(|key| key & 0xFFFF).collect();
    assert!(shards.len() > 980, "{} shards", shards.len());
}

/// The records of a document as the `csv` crate reads them, header included.
fn oracle(document: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(document);
    let records = reader.byte_records();
    records.map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
}

/// Text that looks like CSV, well-formed or not.
fn csv_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-c]{1,3}",
        4 => Just(",".to_owned()),
        3 => Just("\"".to_owned()),
        1 => Just("\"\"".to_owned()),
        3 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just(" ".to_owned()),
        1 => Just("é".to_owned()),
        1 => "[x]{60,70}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate(body in csv_like()) {
        let document = format!("f0,f1,f2\n{body}");
        let columns = schema(&[("f0", DType::Str), ("f1", DType::Str)]);
        let expected: Vec<Vec<Value>> = oracle(document.as_bytes())
            .iter()
            .skip(1)
            .filter(|record| record.len() >= 2)
            .map(|record| record[..2].iter().map(|field| Value::from(std::str::from_utf8(field).unwrap())).collect())
            .collect();
        let (rows, rejected) = outcome(&spec(), &columns, document.as_bytes(), &[]);
        let found: Vec<Vec<Value>> = rows.iter().map(|(_, row)| row.clone()).collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(found.len() + rejected.len(), oracle(document.as_bytes()).len() - 1);
        // The general path is another implementation of the same.
        let escaping = CsvSettings { escape: Some(b'~'), ..CsvSettings::default() };
        let (general, _) = outcome(&FormatSpec::Csv(escaping), &columns, document.as_bytes(), &[]);
        prop_assert_eq!(&general, &rows);
    }

    #[test]
    fn cutting_anywhere_changes_nothing(body in csv_like(), limit in 1u64..5) {
        let document = format!("f0,f1\n{body}").into_bytes();
        let columns = schema(&[("f0", DType::Str), ("f1", DType::Str)]);
        let simple = CsvSettings::default();
        for settings in [simple, CsvSettings { comment: Some(b'#'), ..simple }] {
            let spec = FormatSpec::Csv(settings);
            let whole = outcome(&spec, &columns, &document, &[]);
            for end in 0..document.len() {
                prop_assert_eq!(&outcome(&spec, &columns, &document, &[end]), &whole, "cut at {}", end);
            }
            // Counting quotes gives what walking from record to record gives.
            if settings == simple {
                for end in [false, true] {
                    for start in [0, document.len() / 3] {
                        let data = &document[start..];
                        let counted = scan::cut(&settings, data, end, u64::MAX);
                        let walked = scan::cut(&settings, data, end, u64::MAX - 1);
                        prop_assert_eq!(counted.records, walked.records);
                        prop_assert!(counted.bytes == walked.bytes || data[walked.bytes.min(counted.bytes)..walked.bytes.max(counted.bytes)].iter().all(|b| b"\r\n".contains(b)));
                    }
                }
            }
            // Cuts with a limit are prefixes of longer ones and take as many records as they may.
            let format = spec.compile(&columns, &[]);
            let body = body.as_bytes();
            let all = format.cut(body, true, u64::MAX);
            let some = format.cut(body, true, limit);
            prop_assert_eq!(some.records, limit.min(all.records));
            let rest = format.cut(&body[some.bytes..], true, u64::MAX);
            prop_assert_eq!(some.records + rest.records, all.records);
            prop_assert_eq!(some.bytes + rest.bytes, body.len());
        }
    }

    #[test]
    fn well_formed_records_come_back(rows in proptest::collection::vec(("[a\",\n\r é]{0,8}", any::<i64>(), any::<f64>()), 0..20)) {
        let columns = schema(&[("s", DType::Str), ("i", DType::Int), ("f", DType::Float)]);
        let mut document = "s,i,f\n".to_owned();
        for (s, i, f) in &rows {
            document += &format!("{},{i},{}\n", quoted(s), quoted(&f.to_string()));
        }
        let parsed = decode_whole(&spec(), &columns, &document);
        let expected: Vec<Vec<Value>> =
            rows.iter().map(|(s, i, f)| vec![s.as_str().into(), (*i).into(), (*f).into()]).collect();
        prop_assert_eq!(cells(&parsed, &columns.dtypes()), expected);
        prop_assert!(parsed.rejected.is_empty());
    }
}
