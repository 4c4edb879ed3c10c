//! Helpers for tests of formats: documents in, rows out.

use pathway_io::Parsed;
use pathway_types::{DType, Field, Schema, Value};

use super::{FormatSpec, Origin, RowBuilder};

/// A schema of plain columns.
pub(crate) fn schema(fields: &[(&str, DType)]) -> Schema {
    Schema::new(fields.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())))
}

/// The cells of all rows, an error as [`Value::Error`].
pub(crate) fn cells(parsed: &Parsed, dtypes: &[DType]) -> Vec<Vec<Value>> {
    let batch = &parsed.batch;
    assert_eq!(batch.columns.len(), dtypes.len());
    let row = |row| batch.columns.iter().zip(dtypes).map(|(c, d)| c.value(d, row)).collect();
    (0..batch.len()).map(row).collect()
}

/// Decodes a document that comes in pieces which end at these positions (and at its end).
pub(crate) fn decode(spec: &FormatSpec, schema: &Schema, document: &[u8], ends: &[usize]) -> Vec<Parsed> {
    let all: Vec<usize> = (0..schema.fields.len()).collect();
    decode_columns(spec, schema, &all, document, ends)
}

/// The same for some of the columns.
pub(crate) fn decode_columns(
    spec: &FormatSpec,
    schema: &Schema,
    columns: &[usize],
    document: &[u8],
    ends: &[usize],
) -> Vec<Parsed> {
    let format = spec.compile(schema, columns);
    let origin = Origin::new("doc", b"doc", format.unit());
    let (mut at, mut ordinal, mut decoder) = (0, 0, None);
    let mut parsed = Vec::new();
    for end in ends.iter().copied().chain([document.len()]) {
        let is_last = end == document.len();
        if decoder.is_none() {
            let Some(len) = format.preamble(&document[at..end], is_last) else { continue };
            decoder = Some(format.decoder(&document[at..at + len]));
            at += len;
        }
        let cut = format.cut(&document[at..end], is_last, u64::MAX);
        let mut rows = RowBuilder::new(format.layout(), &origin, ordinal, cut.records as usize, cut.bytes);
        decoder.as_ref().unwrap().decode(&document[at..at + cut.bytes], &mut rows);
        parsed.push(rows.finish());
        at += cut.bytes;
        ordinal += cut.records;
    }
    assert_eq!(at, document.len(), "the document was not used up");
    parsed
}

/// Keys and cells of all rows, and positions and texts of what was rejected.
pub(crate) type Outcome = (Vec<(u128, Vec<Value>)>, Vec<(String, Vec<u8>)>);

/// What a document gives when it comes in pieces.
pub(crate) fn outcome(spec: &FormatSpec, schema: &Schema, document: &[u8], ends: &[usize]) -> Outcome {
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    for parsed in decode(spec, schema, document, ends) {
        let keys = parsed.batch.keys.as_slice().to_vec();
        rows.extend(keys.into_iter().zip(cells(&parsed, &schema.dtypes())));
        rejected.extend(parsed.rejected.into_iter().map(|r| (r.position, r.raw)));
    }
    (rows, rejected)
}

/// Decodes a whole document.
pub(crate) fn decode_whole(spec: &FormatSpec, schema: &Schema, document: &str) -> Parsed {
    let mut parsed = decode(spec, schema, document.as_bytes(), &[]);
    assert_eq!(parsed.len(), 1);
    parsed.remove(0)
}

/// The cells of one column, an error as [`Value::Error`], for each of these records.
pub(crate) fn column(spec: &FormatSpec, field: Field, document: &str) -> Vec<Value> {
    let dtype = field.dtype.clone();
    let parsed = decode_whole(spec, &Schema::new([field]), document);
    assert!(parsed.rejected.is_empty(), "{:?}", parsed.rejected);
    let values: Vec<Value> = cells(&parsed, &[dtype]).into_iter().flatten().collect();
    let errors: Vec<u32> =
        (0..values.len() as u32).filter(|row| values[*row as usize] == Value::Error).collect();
    assert_eq!(parsed.cell_errors.iter().map(|e| e.row).collect::<Vec<_>>(), errors);
    values
}

/// A batch of added rows.
pub(crate) fn batch(dtypes: &[DType], rows: &[Vec<Value>]) -> pathway_types::Batch {
    let columns = dtypes.iter().enumerate().map(|(i, dtype)| {
        let mut builder = pathway_types::ColumnBuilder::new(dtype, rows.len());
        rows.iter().for_each(|row| builder.push(&row[i]));
        builder.finish()
    });
    let keys: Vec<u128> = (0..rows.len() as u128).collect();
    pathway_types::Batch::new(keys.into(), columns.collect(), pathway_types::Diffs::Ones(rows.len()))
}

/// A column of every kind, and one row of them.
pub(crate) fn every_kind() -> (Schema, Vec<Value>) {
    use pathway_types::{JsonText, NdArray};
    let fields = schema(&[
        ("i", DType::Int),
        ("f", DType::Float),
        ("b", DType::Bool),
        ("s", DType::Str),
        ("y", DType::Bytes),
        ("n", DType::DateTimeNaive),
        ("u", DType::DateTimeUtc),
        ("d", DType::Duration),
        ("j", DType::Json),
        ("l", DType::list(DType::Int)),
        ("t", DType::tuple([DType::Int, DType::Str])),
        ("a", DType::array(Some(2), DType::Int)),
        ("o", DType::optional(DType::Int)),
    ]);
    let row = vec![
        1.into(),
        2.0.into(),
        true.into(),
        "a\"b".into(),
        Value::Bytes([0, 255].into()),
        Value::DateTimeNaive(1_737_075_723_500_000_000),
        Value::DateTimeUtc(1_737_075_723_000_000_000),
        Value::Duration(1_500_000_000),
        Value::Json(JsonText::from_compact("{\"b\":1,\"a\":[null]}")),
        Value::tuple([1.into(), 2.into()]),
        Value::tuple([1.into(), "x".into()]),
        Value::IntArray(std::sync::Arc::new(NdArray::new([2, 2], [1, 2, 3, 4]).unwrap())),
        Value::None,
    ];
    (fields, row)
}

/// What an encoder writes for these rows at time 0.
pub(crate) fn encoded(encoder: &dyn pathway_io::Encoder, schema: &Schema, rows: &[Vec<Value>]) -> String {
    let mut out = Vec::new();
    encoder.encode(&batch(&schema.dtypes(), rows), 0, &mut out);
    String::from_utf8(out).unwrap()
}

/// Rows of scalar columns whose texts read back as the same values.
pub(crate) fn round_trip_rows() -> impl proptest::strategy::Strategy<Value = Vec<Vec<Value>>> {
    use proptest::prelude::*;
    let row = (
        any::<i64>(),
        any::<f64>(),
        any::<bool>(),
        any::<String>(),
        any::<Vec<u8>>(),
        any::<(i64, i64, i64)>(),
    );
    let row = row.prop_map(|(i, f, b, s, y, (n, u, d))| {
        vec![
            i.into(),
            f.into(),
            b.into(),
            s.as_str().into(),
            Value::Bytes(y.into()),
            Value::DateTimeNaive(n),
            Value::DateTimeUtc(u),
            Value::Duration(d),
        ]
    });
    proptest::collection::vec(row, 0..6)
}

/// The schema of [`round_trip_rows`].
pub(crate) fn round_trip_schema() -> Schema {
    Schema::new(every_kind().0.fields.into_iter().take(8))
}
