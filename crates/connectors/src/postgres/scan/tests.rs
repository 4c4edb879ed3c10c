use pathway_types::{DType, Field, Schema, Value};

use super::*;

fn parsed(text: &[u8]) -> Parsed {
    let schema = Schema::new([
        Field::new("a", DType::Int).primary_key(),
        Field::new("b", DType::optional(DType::Str)),
    ]);
    let layout = Arc::new(Layout::new(&schema, &[1]));
    let count = memchr::memchr_iter(b'\n', text).count();
    parse(text, count, 0, &layout, &Origin::new("t", b"t", "row"))
}

#[test]
fn copied_text_is_taken_apart() {
    let parsed = parsed(b"tab\\tand\\nline\\\\\t1\n\\N\t2\n\t3\n");
    let dtype = DType::optional(DType::Str);
    let values: Vec<Value> = (0..3).map(|row| parsed.batch.columns[0].value(&dtype, row)).collect();
    assert_eq!(values, [Value::from("tab\tand\nline\\"), Value::None, Value::from("")]);
    let keys: Vec<_> = (1..4).map(|k| pathway_types::Key::of(&[Value::Int(k)]).unwrap().0).collect();
    assert_eq!(parsed.batch.keys.as_slice(), keys);
    assert!(parsed.cell_errors.is_empty() && parsed.rejected.is_empty());
}

#[test]
fn what_is_no_row_is_told() {
    let parsed = parsed(b"x\t\\N\n\xff\t2\nx\t3\n");
    assert_eq!(parsed.batch.len(), 1);
    let mut reasons: Vec<&str> = parsed.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    reasons.sort_unstable();
    assert!(reasons[0].starts_with("error in primary key"), "{reasons:?}");
    assert_eq!(reasons[1..], ["the row is not UTF-8"]);
}
