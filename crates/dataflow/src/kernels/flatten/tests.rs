//! Flatten by dtype.

use super::*;

fn run(sequence: DType, element: DType, values: &[Value]) -> (Vec<Value>, Vec<DataError>) {
    let mut builder = ColumnBuilder::new(&sequence, values.len());
    values.iter().for_each(|v| builder.push(v));
    let keys: Vec<u128> = (0..values.len() as u128).collect();
    let batch = Batch::new(keys.into(), vec![builder.finish()], pathway_types::Diffs::Ones(values.len()));
    let stage =
        Stage::Flatten { column: 0, sequence, element: element.clone(), origin_id: true, frame: None };
    let mut errors = Vec::new();
    let out = flatten(batch, &stage, |_, _, _, error| errors.push(error));
    assert_eq!(out.columns.len(), 2);
    let unique: std::collections::HashSet<u128> = out.keys.as_slice().iter().copied().collect();
    assert_eq!(unique.len(), out.len());
    ((0..out.len()).map(|i| out.columns[0].value(&element, i)).collect(), errors)
}

#[test]
fn kinds_of_sequences() {
    let ints = |v: &[i64]| Value::tuple(v.iter().map(|i| Value::Int(*i)));
    let (out, _) = run(DType::list(DType::Int), DType::Int, &[ints(&[1, 2]), ints(&[]), ints(&[3])]);
    assert_eq!(out, [1, 2, 3].map(Value::Int));
    let (out, _) = run(
        DType::tuple([DType::Int, DType::Float]),
        DType::Float,
        &[Value::tuple([Value::Int(1), Value::Float(2.5)])],
    );
    assert_eq!(out, [1.0, 2.5].map(Value::Float));
    let (out, _) = run(DType::Str, DType::Str, &["aż".into()]);
    assert_eq!(out, ["a", "ż"].map(Value::from));
    let json = |t: &str| Value::Json(JsonText::parse(t).unwrap());
    let (out, errors) = run(DType::Json, DType::Json, &[json("[1,null]"), json("{}")]);
    assert_eq!((out, errors.len()), (vec![json("1"), json("null")], 1));
    let array = Value::IntArray(NdArray::new(vec![2, 2], vec![1, 2, 3, 4]).unwrap().into());
    let rows = |v: [i64; 2]| Value::IntArray(NdArray::new(vec![2], v).unwrap().into());
    let (out, _) = run(DType::array(Some(2), DType::Int), DType::array(Some(1), DType::Int), &[array]);
    assert_eq!(out, [rows([1, 2]), rows([3, 4])]);
    let (out, errors) = run(DType::Any, DType::Any, &[Value::Int(1), ints(&[7]), Value::Error]);
    assert_eq!((out, errors.len()), (vec![Value::Int(7)], 2));
}
