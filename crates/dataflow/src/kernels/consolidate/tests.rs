//! Consolidation of mixed changes.

use pathway_types::{ColumnBuilder, Value};

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
