//! Batches: gathers, hashing, partitioning.

use super::*;
use crate::{ColumnBuilder, Value};

fn column(dtype: &DType, values: &[Value]) -> Column {
    let mut builder = ColumnBuilder::new(dtype, values.len());
    values.iter().for_each(|v| builder.push(v));
    builder.finish()
}

#[test]
fn rows_hash_as_their_values() {
    let ints = column(&DType::optional(DType::Int), &[Value::Int(1), Value::None, Value::Error]);
    let text = column(&DType::Str, &["x".into(), "y".into(), "z".into()]);
    let hashed = hash_rows(
        &[(&ints, &DType::optional(DType::Int)), (&text, &DType::Str)],
        Some((&text, &DType::Str)),
        3,
    );
    let expected = Key::with_instance(&[Value::Int(1), "x".into()], &"x".into()).unwrap();
    assert_eq!(hashed.keys.get(0), expected);
    assert_eq!(hashed.keys.get(1), Key::with_instance(&[Value::None, "y".into()], &"y".into()).unwrap());
    assert!(hashed.errors.unwrap().value(2));
}

#[test]
fn gathers_keep_masks() {
    let dtype = DType::optional(DType::Int);
    let a = column(&dtype, &[Value::Int(1), Value::Error, Value::None]);
    let b = column(&dtype, &[Value::Int(4)]);
    let joined = Column::concat(&[&a, &b]);
    let values = |c: &Column| (0..c.len()).map(|i| c.value(&dtype, i)).collect::<Vec<_>>();
    assert_eq!(values(&joined), [Value::Int(1), Value::Error, Value::None, Value::Int(4)]);
    let mixed = Column::interleave(&[&a, &b], &[(1, 0), (0, 1), (0, 0)]);
    assert_eq!(values(&mixed), [Value::Int(4), Value::Error, Value::Int(1)]);
    let kept = joined.filter(&BooleanBuffer::from(vec![false, true, false, true]));
    assert_eq!(values(&kept), [Value::Error, Value::Int(4)]);
    assert_eq!(values(&joined.slice(1, 2)), [Value::Error, Value::None]);
}

#[test]
fn keys_and_pointer_columns_are_the_same_bits() {
    let keys: Keys = vec![1, u128::MAX, 7].into();
    let column = keys.to_column();
    assert_eq!(column.value(&DType::ANY_POINTER, 1), Value::Pointer(Key(u128::MAX)));
    assert_eq!(Keys::of_column(&column.slice(1, 2)).as_slice(), &[u128::MAX, 7]);
}

#[test]
fn partition_covers_every_row_once() {
    let keys: Vec<u128> = (0..100).map(|i| i * 7919).collect();
    let parts = partition_rows(&keys, 3);
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 100);
    for (worker, rows) in parts.iter().enumerate() {
        assert!(rows.iter().all(|r| Key(keys[*r as usize]).worker(3) == worker));
    }
}

#[test]
fn single_columns_hash_as_their_values() {
    let long = "x".repeat(1000);
    let cases = [
        (DType::Int, [1, -1, 7].map(Value::Int).to_vec()),
        (DType::Str, ["", "ab", &long].map(Value::from).to_vec()),
        (DType::optional(DType::Str), vec!["a".into(), Value::None]),
    ];
    for (dtype, values) in cases {
        let all = column(&dtype, &values);
        for offset in 0..values.len() {
            let part = all.slice(offset, values.len() - offset);
            let hashed = hash_rows(&[(&part, &dtype)], None, part.len());
            for (i, value) in values[offset..].iter().enumerate() {
                assert_eq!(hashed.keys.get(i), Key::of(std::slice::from_ref(value)).unwrap(), "{value}");
            }
        }
    }
}
