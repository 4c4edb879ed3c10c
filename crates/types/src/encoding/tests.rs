//! The encoding keeps the order of values and reads back.

use super::*;

fn samples() -> Vec<Value> {
    let mut values = vec![Value::None, Value::Bool(false), Value::Bool(true)];
    values.extend([i64::MIN, -1, 0, 1, 255, 256, i64::MAX].map(Value::Int));
    values
        .extend([f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 1.5, f64::INFINITY, f64::NAN].map(Value::Float));
    values.extend([Key(0), Key(1), Key(u128::MAX)].map(Value::Pointer));
    values.extend(["", "\0", "\0a", "a", "a\0", "a\0b", "ab", "b", "ż"].map(Value::from));
    values.push(Value::Bytes(vec![].into()));
    values.push(Value::Bytes(vec![0, 0, 255].into()));
    values.push(Value::tuple([]));
    values.push(Value::tuple([Value::Int(1)]));
    values.push(Value::tuple([Value::Int(1), Value::from("x")]));
    values.push(Value::tuple([Value::Int(2)]));
    values.push(Value::IntArray(Arc::new(NdArray::new(vec![2], vec![1, 2]).unwrap())));
    values.push(Value::IntArray(Arc::new(NdArray::new(vec![1, 2], vec![1, 3]).unwrap())));
    values.push(Value::FloatArray(Arc::new(NdArray::new(vec![2], vec![1.0, f64::NAN]).unwrap())));
    values.extend([Value::DateTimeNaive(-1), Value::DateTimeUtc(5), Value::Duration(-7)]);
    values.push(Value::Json(JsonText::null()));
    values.push(Value::PyObject(PyObject::new(vec![1, 0, 2])));
    values.extend([Value::Pending, Value::Error]);
    values
}

#[test]
fn order_and_round_trip() {
    let values = samples();
    let encoded = |v: &Value| {
        let mut out = Vec::new();
        encode(v, &mut out);
        out
    };
    for left in &values {
        assert_eq!(&decode(&encoded(left)).unwrap(), left);
        for right in &values {
            assert_eq!(encoded(left).cmp(&encoded(right)), left.cmp(right), "{left} {right}");
        }
    }
}

#[test]
fn broken_bytes_are_refused() {
    for bytes in [&[][..], &[0x01], &[0x30, 1], &[0x60, b'a'], &[0x80, 1], &[0x10, 0x10]] {
        assert_eq!(decode(bytes), Err(DecodeError));
    }
}
