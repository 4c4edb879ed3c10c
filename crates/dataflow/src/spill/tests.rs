//! What is cold and what waits against small models.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use pathway_types::{Batch, Column, Diffs, Keys};
use proptest::prelude::*;

use super::*;
use crate::operator::State;

/// Rows by key: each a number.
type Model = BTreeMap<u128, Vec<i64>>;

/// Keys of few shards, some of which have many rows.
fn key(number: u64) -> u128 {
    let shard = (u128::from(number % 5) * 0x1234) & 0xFFFF;
    (u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) << 16) | shard
}

fn batch(rows: &[(u128, i64)]) -> Batch {
    let keys: Keys = rows.iter().map(|(key, _)| *key).collect::<Vec<_>>().into();
    let numbers: Int64Array = rows.iter().map(|(_, number)| *number).collect();
    Batch::new(keys, vec![Column::new(Arc::new(numbers))], Diffs::Ones(rows.len()))
}

fn rows_of(batch: &Batch) -> Vec<(u128, i64)> {
    let numbers = batch.columns[0].array().as_primitive::<Int64Type>();
    batch.keys.as_slice().iter().copied().zip(numbers.values().iter().copied()).collect()
}

fn budget(bytes: usize) -> Budget {
    Budget::of_process(bytes, &std::env::temp_dir())
}

fn put(cold: &mut Cold, model: &Model) {
    let save = |shards: std::ops::Range<u32>| {
        let own = model.iter().filter(|(key, _)| shards.contains(&((**key & 0xFFFF) as u32)));
        let rows: Vec<_> = own.flat_map(|(key, numbers)| numbers.iter().map(|n| (*key, *n))).collect();
        let even: Vec<_> = rows.iter().copied().filter(|(_, number)| number % 2 == 0).collect();
        Ok(State::of_tables([("all", batch(&rows)), ("even", batch(&even))]))
    };
    cold.put(&budget(0), save).unwrap();
}

fn models(state: &State) -> [Model; 2] {
    [0, 1].map(|table| {
        let mut model = Model::new();
        for (key, number) in rows_of(&state.tables[table].1) {
            model.entry(key).or_default().push(number);
        }
        model.values_mut().for_each(|numbers| numbers.sort_unstable());
        model
    })
}

fn even(model: &Model) -> Model {
    let even = model.iter().map(|(key, numbers)| {
        (*key, numbers.iter().copied().filter(|number| number % 2 == 0).collect::<Vec<_>>())
    });
    even.filter(|(_, numbers)| !numbers.is_empty()).collect()
}

/// One thing that is done with cold state.
#[derive(Clone, Debug)]
enum Deed {
    /// Keys from a number on, so many of them with so many rows, are put; those that are there are not.
    Put(u64, u64, usize),
    /// Keys from a number on are taken, each of so many.
    Take(u64, u64, u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..4000u64, 1..3000u64, prop_oneof![Just(1), Just(2), Just(700)])
            .prop_map(|(from, keys, rows)| Deed::Put(from, if rows > 2 { keys % 5 } else { keys }, rows)),
        (0..4000u64, 1..4000u64, 1..50u64).prop_map(|(from, keys, each)| Deed::Take(from, keys, each)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_taken_is_what_was_put(deeds in prop::collection::vec(deed(), 1..30)) {
        let (mut cold, mut model) = (Cold::default(), Model::new());
        let mut next = 0;
        for deed in deeds {
            match deed {
                Deed::Put(from, keys, rows) => {
                    let mut new = Model::new();
                    for number in from..from + keys {
                        let numbers: Vec<i64> = (0..rows).map(|_| { next += 1; next }).collect();
                        if !model.contains_key(&key(number)) {
                            new.insert(key(number), numbers);
                        }
                    }
                    put(&mut cold, &new);
                    cold.tidy(&budget(0)).unwrap();
                    model.extend(new);
                }
                Deed::Take(from, keys, each) => {
                    let keys = (from..from + keys).step_by(each as usize).map(key);
                    let mut ranks: Vec<u128> = keys.clone().map(rank).collect();
                    ranks.sort_unstable();
                    let expected: Model = keys.filter_map(|key| model.remove_entry(&key)).collect();
                    let state = cold.take(&ranks).unwrap();
                    prop_assert_eq!(state.is_some(), !expected.is_empty());
                    if let Some(state) = state {
                        prop_assert_eq!(models(&state), [expected.clone(), even(&expected)]);
                    }
                }
            }
            prop_assert_eq!(cold.is_empty(), model.is_empty());
            for shards in [0..SHARD_COUNT, 0x1000..0x2000, 0x1234..0x1235, 0x4000..SHARD_COUNT] {
                let state = cold.read(shards.clone()).unwrap();
                let mut expected = model.clone();
                expected.retain(|key, _| shards.contains(&((key & 0xFFFF) as u32)));
                if !state.tables.is_empty() {
                    prop_assert_eq!(models(&state), [expected.clone(), even(&expected)]);
                }
            }
        }
    }

    #[test]
    fn groups_have_all_changes_of_their_keys(
        bytes in prop_oneof![Just(0usize), Just(50_000), Just(1_000_000), Just(usize::MAX / 4)],
        inputs in prop::collection::vec((0..2usize, 0..3000u64, 1..2500usize, 1..40u64), 1..12),
    ) {
        let budget = budget(bytes);
        let routes = [Route::Key, Route::Column(1)];
        let mut waiting = Waiting::new(&routes);
        let mut model: BTreeMap<(usize, u128), Vec<i64>> = BTreeMap::new();
        let mut next = 0;
        for (input, from, rows, distinct) in inputs {
            let rows: Vec<(u128, i64)> = (0..rows as u64).map(|row| {
                next += 1;
                (key(from + row % distinct), next)
            }).collect();
            rows.iter().for_each(|(key, n)| model.entry((input, *key)).or_default().push(*n));
            let mut changes = batch(&rows);
            if input == 1 {
                // The key by which the row is routed is not that of the row.
                changes.columns.push(changes.keys.to_column());
                changes.keys = rows.iter().map(|(_, n)| *n as u128).collect::<Vec<_>>().into();
            }
            waiting.push(input, changes, &budget).unwrap();
        }
        let mut seen = BTreeMap::new();
        let mut done = BTreeSet::new();
        waiting.settle(&budget).unwrap();
        let mut groups = waiting.into_groups(&budget);
        while let Some(group) = groups.next().unwrap() {
            let mut own = BTreeSet::new();
            for (input, changes) in group {
                let keys = route_keys(&changes, routes[input]);
                let numbers = changes.columns[0].array().as_primitive::<Int64Type>();
                for (key, number) in keys.as_slice().iter().zip(numbers.values()) {
                    seen.entry((input, *key)).or_insert_with(Vec::new).push(*number);
                    own.insert(*key);
                }
            }
            assert!(own.iter().all(|key| done.insert(*key)), "a key is in two groups");
        }
        seen.values_mut().for_each(|numbers| numbers.sort_unstable());
        prop_assert_eq!(seen, model);
    }
}

const SHARD_COUNT: u32 = crate::driver::SHARDS;

#[test]
fn a_folder_that_is_gone_leaves_changes_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget::of_process(0, &folder.path().join("gone"));
    let mut waiting = Waiting::new(&[Route::Key]);
    assert!(waiting.push(0, batch(&[(1, 1)]), &budget).is_err());
    assert!(budget.fill(), "it is told once");
    assert!(!budget.fill());
    waiting.push(0, batch(&[(2, 2)]), &budget).unwrap();
    let mut rows = Vec::new();
    let mut groups = waiting.into_groups(&budget);
    while let Some(group) = groups.next().unwrap() {
        rows.extend(group.iter().flat_map(|(_, changes)| rows_of(changes)));
    }
    assert_eq!(rows, [(1, 1), (2, 2)]);
}

#[test]
fn a_folder_that_goes_leaves_what_comes_later_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget::of_process(0, folder.path());
    let mut waiting = Waiting::new(&[Route::Key]);
    waiting.push(0, batch(&[(1, 1), (3, 3)]), &budget).unwrap();
    drop(folder);
    assert!(waiting.push(0, batch(&[(1, 4), (2, 2)]), &budget).is_err());
    assert!(waiting.settle(&budget).is_err());
    budget.fill();
    waiting.settle(&budget).unwrap();
    let mut seen = Vec::new();
    let mut groups = waiting.into_groups(&budget);
    while let Some(group) = groups.next().unwrap() {
        seen.push(group.iter().flat_map(|(_, changes)| rows_of(changes)).collect::<BTreeSet<_>>());
    }
    assert_eq!(seen, [BTreeSet::from([(1, 1), (1, 4), (2, 2), (3, 3)])]);
}

#[test]
fn a_queue_keeps_the_order() {
    for bytes in [0, 100_000, usize::MAX / 4] {
        let budget = budget(bytes);
        let mut queue = Queue::default();
        for part in 0..50 {
            let rows: Vec<_> = (0..100).map(|row| (key(row), part * 100 + row as i64)).collect();
            queue.push(batch(&rows), (bytes != 100_000 || part > 10).then_some(&budget)).unwrap();
        }
        let mut seen = Vec::new();
        let taken: Result<(), arrow_schema::ArrowError> = queue.drain(|batch| {
            seen.extend(rows_of(batch).into_iter().map(|(_, number)| number));
            Ok(())
        });
        taken.unwrap();
        assert!(seen.into_iter().eq(0..5000));
    }
}
