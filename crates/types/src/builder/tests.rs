//! Every dtype goes into a column and comes back.

use super::*;
use crate::{JsonText, Key, NdArray, PyObject};

#[test]
fn round_trip_of_every_dtype() {
    let ints = Value::IntArray(Arc::new(NdArray::new(vec![1, 2], vec![3, 4]).unwrap()));
    let floats = Value::FloatArray(Arc::new(NdArray::new(vec![2], vec![0.5, f64::NAN]).unwrap()));
    let cases: Vec<(DType, Vec<Value>)> = vec![
        (DType::Int, vec![Value::Int(-3), Value::Int(i64::MAX)]),
        (DType::Float, vec![Value::Float(0.5), Value::Float(f64::NAN)]),
        (DType::Bool, vec![true.into(), false.into()]),
        (DType::Str, vec!["".into(), "ż".into()]),
        (DType::Bytes, vec![Value::Bytes(vec![0, 255].into())]),
        (DType::None, vec![Value::None, Value::None]),
        (DType::Any, vec![Value::Int(1), Value::None, "x".into(), Value::tuple([Value::Float(1.0)])]),
        (DType::ANY_POINTER, vec![Value::Pointer(Key(u128::MAX)), Value::Pointer(Key(1))]),
        (
            DType::tuple([DType::Int, DType::optional(DType::Str)]),
            vec![Value::tuple([Value::Int(1), "a".into()]), Value::tuple([Value::Int(2), Value::None])],
        ),
        (DType::tuple([]), vec![Value::tuple([])]),
        (DType::list(DType::Int), vec![Value::tuple([]), Value::tuple([Value::Int(1), Value::Int(2)])]),
        (DType::any_tuple(), vec![Value::tuple([Value::Int(1), "a".into()])]),
        (DType::array(Some(2), DType::Int), vec![ints.clone()]),
        (DType::array(None, DType::Float), vec![floats.clone()]),
        (DType::array(None, DType::Any), vec![ints, floats]),
        (DType::Json, vec![Value::Json(JsonText::null())]),
        (DType::DateTimeNaive, vec![Value::DateTimeNaive(-5)]),
        (DType::DateTimeUtc, vec![Value::DateTimeUtc(7)]),
        (DType::Duration, vec![Value::Duration(-9)]),
        (DType::PyObject("object".into()), vec![Value::PyObject(PyObject::new(vec![1]))]),
    ];
    for (dtype, values) in cases {
        let optional = DType::optional(dtype.clone());
        let mut all = values.clone();
        all.extend([Value::None, Value::Error]);
        let mut builder = ColumnBuilder::new(&optional, 0);
        for value in &all {
            assert!(ColumnBuilder::accepts(&optional, value), "{optional} {value}");
            builder.push(value);
        }
        let column = builder.finish();
        assert_eq!(column.array().data_type(), &crate::storage::arrow_type(&optional));
        let back: Vec<Value> = (0..column.len()).map(|i| column.value(&optional, i)).collect();
        assert_eq!(back, all, "{optional}");
        let last = column.len() - 1;
        assert!(column.is_error(last));
    }
}

#[test]
fn tuples_that_hold_errors_are_errors() {
    let nested = Value::tuple([Value::Int(1), Value::tuple([Value::Error])]);
    let fine = Value::tuple([Value::Int(1), Value::tuple([Value::Int(2)])]);
    let typed = DType::tuple([DType::Int, DType::list(DType::Int)]);
    for dtype in [typed.clone(), DType::optional(typed), DType::any_tuple(), DType::Any] {
        let mut builder = ColumnBuilder::new(&dtype, 0);
        [&nested, &fine, &nested].into_iter().for_each(|value| builder.push(value));
        let column = builder.finish();
        let back: Vec<Value> = (0..3).map(|i| column.value(&dtype, i)).collect();
        assert_eq!(back, [Value::Error, fine.clone(), Value::Error], "{dtype}");
        assert_eq!([0, 1, 2].map(|i| column.is_error(i)), [true, false, true]);
    }
}

#[test]
fn other_kinds_become_errors() {
    let mut builder = ColumnBuilder::new(&DType::Int, 0);
    builder.push(&"x".into());
    builder.push(&Value::Int(1));
    let column = builder.finish();
    assert_eq!(column.value(&DType::Int, 0), Value::Error);
    assert_eq!(column.value(&DType::Int, 1), Value::Int(1));
    assert!(!ColumnBuilder::accepts(&DType::Float, &Value::Int(1)));
}
