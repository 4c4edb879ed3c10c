//! Rows stay findable through merges and forgetting.

use pathway_types::{ColumnBuilder, DType, Value};

use super::super::hash::{KeyMap, new_key_map};
use super::*;

fn column(values: &[i64]) -> Column {
    let mut builder = ColumnBuilder::new(&DType::Int, values.len());
    values.iter().for_each(|v| builder.push(&Value::Int(*v)));
    builder.finish()
}

#[test]
fn rows_survive_merges() {
    let mut store = RowStore::default();
    let mut index: KeyMap<RowId> = new_key_map();
    for i in 0..1000u128 {
        let chunk = store.insert(vec![i].into(), vec![column(&[i as i64 * 10])], vec![i].into());
        index.insert(i, RowId { chunk, row: 0 });
        if i % 3 == 0 {
            store.forget(index.remove(&i).unwrap());
        }
        store.tidy(|anchor, from, to| match index.get_mut(&anchor) {
            Some(row) if *row == from => {
                *row = to;
                true
            }
            _ => false,
        });
    }
    assert_eq!(store.len(), index.len());
    assert!(store.chunks.iter().flatten().count() < 40, "small chunks are merged");
    let mut keys: Vec<u128> = index.keys().copied().collect();
    keys.sort_unstable();
    let rows: Vec<RowId> = keys.iter().map(|k| index[k]).collect();
    let batch = store.gather_batch(&rows, 0..1).unwrap();
    assert_eq!(batch.keys.as_slice(), keys);
    for (i, key) in keys.iter().enumerate() {
        assert_eq!(batch.columns[0].value(&DType::Int, i), Value::Int(*key as i64 * 10));
    }
}

#[test]
fn sparse_chunks_are_rewritten() {
    let mut store = RowStore::default();
    let n = 1000;
    let values: Vec<i64> = (0..n).collect();
    let keys: Vec<u128> = (0..n as u128).collect();
    let chunk = store.insert(keys.clone().into(), vec![column(&values)], keys.into());
    (0..900).for_each(|row| store.forget(RowId { chunk, row }));
    let mut moved = 0;
    store.tidy(|anchor, _, _| {
        moved += 1;
        anchor >= 900
    });
    assert_eq!((moved, store.len()), (1000, 100));
    assert_eq!(store.chunks.iter().flatten().map(|c| c.ids.len()).sum::<usize>(), 100);
}
