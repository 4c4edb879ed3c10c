//! A packet survives the wire.

use pathway_types::{ColumnBuilder, DType, Value};

use super::*;

#[test]
fn round_trip() {
    let dtypes = [DType::optional(DType::Str), DType::Any, DType::tuple([DType::Int, DType::Float])];
    let rows = [
        [Value::from("a"), Value::Int(1), Value::tuple([Value::Int(1), Value::Float(0.5)])],
        [Value::None, Value::from("x"), Value::Error],
        [Value::Error, Value::None, Value::tuple([Value::Int(2), Value::Float(f64::NAN)])],
    ];
    let columns = (0..3).map(|c| {
        let mut builder = ColumnBuilder::new(&dtypes[c], 3);
        rows.iter().for_each(|row| builder.push(&row[c]));
        builder.finish()
    });
    let batch = Batch::new(vec![1, u128::MAX, 7].into(), columns.collect(), vec![1, -1, 2].into());
    let packet = Packet(batch);
    let mut bytes = Vec::new();
    packet.into_bytes(&mut bytes);
    assert_eq!(bytes.len(), packet.length_in_bytes());
    let back = decode(&bytes).unwrap();
    assert_eq!(back.keys.as_slice(), packet.0.keys.as_slice());
    assert_eq!(back.diffs.iter().collect::<Vec<_>>(), [1, -1, 2]);
    for (r, row) in rows.iter().enumerate() {
        for (c, value) in row.iter().enumerate() {
            assert_eq!(&back.columns[c].value(&dtypes[c], r), value);
        }
    }
    assert!(decode(b"nonsense").is_err());
}
