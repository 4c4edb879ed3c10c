//! Consolidation of mixed changes.

use std::sync::Arc;

use pathway_types::{ColumnBuilder, JsonText, NdArray, PyObject, Value};
use proptest::prelude::*;

use super::*;

fn batch(rows: &[(u128, Value, i64)]) -> Batch {
    let mut builder = ColumnBuilder::new(&DType::optional(DType::Int), rows.len());
    rows.iter().for_each(|(_, v, _)| builder.push(v));
    let keys: Vec<u128> = rows.iter().map(|r| r.0).collect();
    let diffs: Vec<i64> = rows.iter().map(|r| r.2).collect();
    Batch::new(keys.into(), vec![builder.finish()], diffs.into())
}

#[test]
fn equal_rows_add_up() {
    let dtypes = [DType::optional(DType::Int)];
    let int = Value::Int;
    let out = consolidate(
        batch(&[
            (1, int(1), 1),
            (2, int(1), 1),
            (1, int(1), -1),
            (1, int(2), 1),
            (2, int(1), 1),
            (3, Value::None, -1),
            (3, Value::Error, 1),
            (3, Value::None, 1),
        ]),
        &dtypes,
    );
    let rows: Vec<_> = (0..out.len())
        .map(|i| (out.keys.as_slice()[i], out.columns[0].value(&dtypes[0], i), out.diffs.get(i)))
        .collect();
    assert_eq!(rows, [(2, int(1), 2), (1, int(2), 1), (3, Value::Error, 1)]);
    let (removals, additions) = removals_first(batch(&[(1, int(1), 1), (2, int(2), -1)]));
    assert_eq!((removals.keys.as_slice(), additions.keys.as_slice()), (&[2][..], &[1][..]));
}

/// One dtype per kind of layout, with a few values that are easily confused.
fn kinds() -> Vec<(DType, Vec<Value>)> {
    let ints =
        |shape: &[usize], elements: &[i64]| Value::IntArray(Arc::new(NdArray::new(shape, elements).unwrap()));
    let floats =
        |elements: &[f64]| Value::FloatArray(Arc::new(NdArray::new([elements.len()], elements).unwrap()));
    let json = |text: &str| Value::Json(JsonText::parse(text).unwrap());
    let object = |bytes: &[u8]| Value::PyObject(PyObject::new(bytes));
    let optional = |dtype| DType::optional(dtype);
    vec![
        (optional(DType::Int), vec![Value::None, Value::Error, Value::Int(0), Value::Int(1)]),
        (DType::Float, vec![f64::NAN.into(), 0.0.into(), (-0.0).into(), Value::Error, (-f64::NAN).into()]),
        (optional(DType::Str), vec![Value::None, "".into(), "a".into(), Value::Error]),
        (DType::array(None, DType::Int), vec![ints(&[2, 1], &[1, 2]), ints(&[1, 2], &[1, 2]), Value::Error]),
        (DType::array(Some(1), DType::Float), vec![floats(&[f64::NAN]), floats(&[0.0]), floats(&[-0.0])]),
        (DType::Json, vec![json("1"), json("1.0"), json("null"), json("\"1\""), Value::Error]),
        (DType::PyObject("object".into()), vec![object(b"x"), object(b"y"), Value::Error]),
        (
            optional(DType::list(optional(DType::Int))),
            vec![
                Value::None,
                Value::tuple([]),
                Value::tuple([Value::None]),
                Value::tuple([Value::Int(0)]),
                Value::Error,
            ],
        ),
        (DType::Any, vec![Value::None, Value::Int(1), Value::Float(1.0), Value::Bool(true), Value::Error]),
    ]
}

proptest! {
    #[test]
    fn as_adding_up_one_by_one(
        rows in prop::collection::vec((0..3u128, prop::collection::vec(0..8usize, 9), -2..3i64), 0..80),
        few in 1..9usize,
        one_key in any::<bool>(),
    ) {
        let kinds = kinds();
        let mut builders: Vec<_> = kinds.iter().map(|(dtype, _)| ColumnBuilder::new(dtype, 8)).collect();
        let mut expected: Vec<(u128, Vec<Value>, i64)> = Vec::new();
        let (mut keys, mut diffs) = (vec![], vec![]);
        for (key, cells, diff) in rows {
            let key = if one_key { 0 } else { key };
            // Only the first few columns differ, so that equal rows are frequent.
            let cells: Vec<Value> = kinds.iter().zip(cells).enumerate().map(|(i, ((_, values), cell))| {
                values[if i < few { cell % values.len() } else { 0 }].clone()
            }).collect();
            builders.iter_mut().zip(&cells).for_each(|(builder, cell)| builder.push(cell));
            keys.push(key);
            diffs.push(diff);
            match expected.iter_mut().find(|(k, c, _)| *k == key && *c == cells) {
                Some((_, _, sum)) => *sum += diff,
                None => expected.push((key, cells, diff)),
            }
        }
        let dtypes: Vec<DType> = kinds.iter().map(|(dtype, _)| dtype.clone()).collect();
        let columns = builders.into_iter().map(|mut builder| builder.finish()).collect();
        let distinct = expected.len() == keys.len();
        let out = consolidate(Batch::new(keys.into(), columns, diffs.into()), &dtypes);
        let got: Vec<_> = (0..out.len()).map(|row| {
            let cells = out.columns.iter().zip(&dtypes).map(|(c, d)| c.value(d, row)).collect::<Vec<_>>();
            (out.keys.as_slice()[row], cells, out.diffs.get(row))
        }).collect();
        if !distinct {
            expected.retain(|(_, _, sum)| *sum != 0);
        }
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn many_rows_of_one_key_take_linear_time() {
    let rows: Vec<_> =
        (0..200_000i64).map(|i| (7, Value::Int(i / 2), if i % 4 == 0 { -1 } else { 1 })).collect();
    let out = consolidate(batch(&rows), &[DType::optional(DType::Int)]);
    assert_eq!(out.len(), 50_000);
}
