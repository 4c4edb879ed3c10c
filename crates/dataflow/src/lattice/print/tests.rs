//! Rows print alike exactly if their cells are equal.

use pathway_types::view::CellView;
use pathway_types::{ColumnBuilder, DType, JsonText, Key, NdArray, Value};
use proptest::prelude::*;
use std::sync::Arc;

use super::*;

/// Values of every layout, with several that are equal and several that are nearly so.
fn cases() -> Vec<(DType, Vec<Value>)> {
    let text = |t: &str| Value::from(t);
    let ints = |shape: Vec<usize>, v: &[i64]| Value::IntArray(Arc::new(NdArray::new(shape, v).unwrap()));
    let floats = |shape: Vec<usize>, v: &[f64]| Value::FloatArray(Arc::new(NdArray::new(shape, v).unwrap()));
    let array = |element| DType::Array { n_dim: None, element: Arc::new(element) };
    let (int, float) = (Value::Int, Value::Float);
    vec![
        (
            DType::optional(DType::Int),
            vec![int(0), int(1), int(-1), int(i64::MIN), Value::None, Value::Error],
        ),
        (
            DType::optional(DType::Float),
            vec![
                float(0.0),
                float(-0.0),
                float(f64::NAN),
                float(-f64::NAN),
                float(1.0),
                float(f64::INFINITY),
                Value::None,
            ],
        ),
        (
            DType::optional(DType::Bool),
            vec![Value::Bool(true), Value::Bool(false), Value::None, Value::Error],
        ),
        (
            DType::future(DType::Str),
            vec![text(""), text("a"), text("ab"), Value::None, Value::Pending, Value::Error],
        ),
        (DType::Json, vec![Value::Json(JsonText::null()), Value::Json(JsonText::from_compact("[1]"))]),
        (
            DType::optional(DType::ANY_POINTER),
            vec![Value::Pointer(Key(0)), Value::Pointer(Key(u128::MAX)), Value::None],
        ),
        (DType::Duration, vec![Value::Duration(1), Value::Duration(2)]),
        (
            DType::Any,
            vec![
                int(1),
                float(1.0),
                text("1"),
                Value::None,
                Value::Error,
                float(f64::NAN),
                float(-0.0),
                float(0.0),
            ],
        ),
        (
            DType::optional(DType::tuple([DType::Int, DType::optional(DType::Str)])),
            vec![
                Value::tuple([int(0), Value::None]),
                Value::tuple([int(0), text("")]),
                Value::tuple([int(1), text("")]),
                Value::None,
            ],
        ),
        (
            DType::optional(DType::list(DType::optional(DType::Int))),
            vec![
                Value::tuple([]),
                Value::tuple([int(0)]),
                Value::tuple([Value::None]),
                Value::tuple([int(0), int(0)]),
                Value::None,
            ],
        ),
        (array(DType::Int), vec![ints(vec![2], &[1, 2]), ints(vec![1, 2], &[1, 2]), ints(vec![0], &[])]),
        (
            array(DType::Float),
            vec![
                floats(vec![2], &[0.0, 2.0]),
                floats(vec![2], &[-0.0, 2.0]),
                floats(vec![2], &[f64::NAN, 2.0]),
            ],
        ),
        (DType::None, vec![Value::None]),
    ]
}

proptest! {
    #[test]
    fn equal_cells_print_alike(picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 2..12)) {
        let cases = cases();
        for (dtype, values) in &cases {
            for (other_dtype, other_values) in &cases {
                let dtypes = [dtype, other_dtype];
                let mut builders = dtypes.map(|dtype| ColumnBuilder::new(dtype, 0));
                for (a, b) in &picks {
                    builders[0].push(a.get(values));
                    builders[1].push(b.get(other_values));
                }
                let columns = builders.map(|mut builder| builder.finish());
                let views = [CellView::new(&columns[0], dtype), CellView::new(&columns[1], other_dtype)];
                let all = prints(&columns, picks.len());
                // The same cells in columns of their own, from the middle of others.
                let tail: Vec<Column> = columns.iter().map(|c| c.slice(1, picks.len() - 1)).collect();
                assert_eq!(prints(&tail, picks.len() - 1), all[1..]);
                for left in 0..picks.len() {
                    for right in 0..picks.len() {
                        let equal = views.iter().all(|view| view.eq(left, view, right));
                        assert_eq!(all[left] == all[right], equal, "{dtype} {other_dtype} {left} {right} {picks:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn rows_without_columns_print_alike() {
    assert_eq!(prints(&[], 2), [ROW, ROW]);
}

#[test]
fn what_a_chunk_keeps_gives_the_prints_of_its_rows() {
    let mut all: Vec<Vec<Column>> = vec![Vec::new()];
    for (dtype, values) in cases() {
        let mut builder = ColumnBuilder::new(&dtype, 0);
        values.iter().for_each(|value| builder.push(value));
        let column = builder.finish();
        all.push(vec![column.clone(), column.clone()]);
        all.push(vec![column]);
    }
    for columns in all {
        let rows = columns.first().map_or(3, Column::len);
        let known = prints(&columns, rows);
        let kept = Prints::new(&columns, known.clone());
        let each: Vec<u128> = (0..rows).map(|row| kept.get(row)).collect();
        assert_eq!(each, known);
        let mut tail = Vec::new();
        kept.slice(1, rows - 1).add_to(0..rows - 1, &mut tail);
        assert_eq!(tail, known[1..]);
    }
}

#[test]
fn neighbouring_numbers_spread() {
    let mut builder = [ColumnBuilder::new(&DType::Int, 0), ColumnBuilder::new(&DType::Int, 0)];
    for a in 0..64 {
        for b in 0..64 {
            builder[0].push_int(a);
            builder[1].push_int(b);
        }
    }
    let columns = builder.map(|mut builder| builder.finish());
    let prints = prints(&columns, 64 * 64);
    let distinct = |part: fn(u128) -> u64| {
        let mut halves: Vec<u64> = prints.iter().map(|print| part(*print)).collect();
        halves.sort_unstable();
        halves.dedup();
        halves.len()
    };
    assert_eq!(distinct(|print| print as u64), 64 * 64);
    assert_eq!(distinct(|print| (print >> 64) as u64), 64 * 64);
}
