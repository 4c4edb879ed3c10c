use std::collections::BTreeMap;

use pathway_types::{ColumnBuilder, Value};
use proptest::prelude::*;

use super::*;

/// key, time, id, cell.
type Row = (u128, i64, u128, i64);

fn timed(rows: &[(Row, i64)]) -> Timed {
    let mut cells = ColumnBuilder::new(&DType::Int, rows.len());
    rows.iter().for_each(|((.., cell), _)| cells.push(&Value::Int(*cell)));
    let ids: Vec<u128> = rows.iter().map(|((_, _, id, _), _)| *id).collect();
    let diffs: Vec<i64> = rows.iter().map(|(_, diff)| *diff).collect();
    Timed {
        keys: rows.iter().map(|((key, ..), _)| *key).collect::<Vec<_>>().into(),
        ticks: rows.iter().map(|((_, tick, ..), _)| *tick).collect::<Vec<_>>().into(),
        batch: Batch::new(ids.into(), vec![cells.finish()], diffs.into()),
    }
}

fn apply(store: &mut TimedRows, rows: &[(Row, i64)]) {
    let rows = timed(rows);
    store.apply(&rows.keys, &rows.ticks, &rows.batch, |_| 7);
}

/// All rows in order, with multiplicities.
fn contents(store: &TimedRows) -> BTreeMap<u128, Vec<(Row, i32)>> {
    let mut all = BTreeMap::new();
    for key in store.slots.keys() {
        let entries: Vec<TimeEntry> = store.line(*key).unwrap().iter().collect();
        let rows = entries.iter().map(|e| {
            let batch = store.gather(&[e.row]).unwrap();
            let Value::Int(cell) = batch.columns[0].value(&DType::Int, 0) else { panic!() };
            ((*key, e.tick, store.id(e.row), cell), store.count(e.row))
        });
        let mut rows: Vec<(Row, i32)> = rows.collect();
        assert!(rows.is_sorted_by_key(|((_, tick, id, _), _)| (*tick, *id)));
        // Rows of one id at one time are in no order.
        rows.sort_unstable();
        all.insert(*key, rows);
    }
    all
}

type TimeEntry = super::super::timeline::Entry;

fn expected(model: &BTreeMap<Row, i64>) -> BTreeMap<u128, Vec<(Row, i32)>> {
    let mut all: BTreeMap<u128, Vec<(Row, i32)>> = BTreeMap::new();
    for (row, count) in model {
        all.entry(row.0).or_default().push((*row, *count as i32));
    }
    all
}

#[test]
fn handles_stay_while_rows_move() {
    let mut store = TimedRows::new(vec![DType::Int]);
    // Many small batches make the storage merge its chunks.
    for batch in 0..200i64 {
        let rows: Vec<(Row, i64)> = (0..5).map(|i| ((1, batch * 5 + i, i as u128, batch), 1)).collect();
        apply(&mut store, &rows);
        store.settle();
        for change in store.changes().to_vec() {
            store.set_note(change.entry, batch as i32);
        }
        store.tidy();
    }
    for entry in store.line(1).unwrap().iter() {
        let batch = store.gather(&[entry.row]).unwrap();
        assert_eq!(batch.columns[0].value(&DType::Int, 0), Value::Int(entry.tick / 5));
        assert_eq!(i64::from(store.note(entry.row)), entry.tick / 5);
        assert_eq!(store.id(entry.row), (entry.tick % 5) as u128);
    }
}

#[test]
fn changes_tell_what_was_before() {
    let mut store = TimedRows::new(vec![DType::Int]);
    apply(&mut store, &[((1, 10, 100, 5), 1), ((1, 20, 200, 5), 1)]);
    store.tidy();
    assert!(store.changes().is_empty());
    let entry = store.line(1).unwrap().iter().next().unwrap();
    let first = entry.row;
    store.set_note(entry, 8);
    apply(&mut store, &[((1, 10, 100, 5), -1), ((1, 10, 100, 6), 1)]);
    store.settle();
    let [old, new] = store.changes() else { panic!("{:?}", store.changes()) };
    assert_eq!((old.entry, old.count, old.note), (entry, 1, 7));
    assert_eq!((store.count(first), store.note(first)), (0, 8));
    // The row that left is readable until it is tidied away.
    assert_eq!(store.gather(&[first]).unwrap().columns[0].value(&DType::Int, 0), Value::Int(5));
    assert_eq!((new.count, store.count(new.entry.row)), (0, 1));
}

proptest! {
    #[test]
    fn any_changes(
        batches in prop::collection::vec(
            prop::collection::vec(((0u128..3, 0i64..6, 0u128..3, 0i64..2), any::<bool>()), 0..40), 1..8),
        tidy in prop::collection::vec(any::<bool>(), 8),
    ) {
        let mut store = TimedRows::new(vec![DType::Int]);
        let mut model: BTreeMap<Row, i64> = BTreeMap::new();
        for (changes, tidy) in batches.into_iter().zip(tidy) {
            let rows: Vec<(Row, i64)> = changes.iter().map(|(row, add)| (*row, if *add { 1 } else { -1 })).collect();
            // What is only added is not sorted at once.
            let (added, rest): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|(row, _)| row.2 == 0);
            apply(&mut store, &added.iter().map(|(row, _)| (*row, 1)).collect::<Vec<_>>());
            apply(&mut store, &rest);
            for (row, diff) in added.iter().map(|(row, _)| (*row, 1)).chain(rest) {
                *model.entry(row).or_default() += diff;
            }
            model.retain(|_, count| *count != 0);
            if tidy {
                store.tidy();
                prop_assert_eq!(contents(&store), expected(&model));
            }
        }
        store.tidy();
        prop_assert_eq!(contents(&store), expected(&model));
        let mut loaded = TimedRows::new(vec![DType::Int]);
        for shards in [0..2, 2..65_536] {
            loaded.load(store.save(&shards), 0).unwrap();
        }
        prop_assert_eq!(contents(&loaded), expected(&model));
    }
}
