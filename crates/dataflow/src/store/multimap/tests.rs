//! A multimap under random histories equals a plain map.

use std::collections::BTreeMap;

use pathway_types::{ColumnBuilder, Value};

use super::*;

fn batch(rows: &[(u128, i64, i64)]) -> Batch {
    let mut builder = ColumnBuilder::new(&DType::Int, rows.len());
    rows.iter().for_each(|(_, v, _)| builder.push(&Value::Int(*v)));
    let keys: Vec<u128> = rows.iter().map(|r| r.0).collect();
    let diffs: Vec<i64> = rows.iter().map(|r| r.2).collect();
    Batch::new(keys.into(), vec![builder.finish()], diffs.into())
}

fn contents(map: &MultiMap) -> BTreeMap<(u128, i64), i64> {
    let mut out = BTreeMap::new();
    for (key, entries) in map.iter() {
        for entry in entries {
            let value = match map.rows().columns(entry.row)[0].value(&DType::Int, entry.row.row as usize) {
                Value::Int(v) => v,
                other => panic!("{other}"),
            };
            *out.entry((key, value)).or_insert(0) += i64::from(entry.count);
        }
    }
    out
}

#[test]
fn removal_may_come_before_its_insertion() {
    let mut map = MultiMap::new(vec![DType::Int]);
    for rows in
        [vec![(1, 5, 1)], vec![(1, 6, 1)], vec![(1, 5, -1)], vec![(1, 6, -1), (1, 7, -1)], vec![(1, 7, 1)]]
    {
        let batch = batch(&rows);
        map.apply(&batch.keys.clone(), &batch);
    }
    assert!(map.is_empty());
    map.tidy();
    assert_eq!(map.len(), 0);
}

#[test]
fn random_histories() {
    let mut seed = 7u64;
    let mut next = move |n: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) % n
    };
    let mut map = MultiMap::new(vec![DType::Int]);
    let mut model: BTreeMap<(u128, i64), i64> = BTreeMap::new();
    for _ in 0..500 {
        let rows: Vec<(u128, i64, i64)> = (0..next(9) + 1)
            .map(|_| (u128::from(next(20)), next(3) as i64, if next(2) == 0 { 1 } else { -1 }))
            .collect();
        for (k, v, d) in &rows {
            let count = model.entry((*k, *v)).or_insert(0);
            *count += d;
            if *count == 0 {
                model.remove(&(*k, *v));
            }
        }
        let batch = batch(&rows);
        map.apply(&batch.keys.clone(), &batch);
        map.tidy();
        assert_eq!(contents(&map), model);
    }
    let saved = map.save(&(0..65536));
    let mut other = MultiMap::new(vec![DType::Int]);
    other.load(saved).unwrap();
    assert_eq!(contents(&other), model);
}
