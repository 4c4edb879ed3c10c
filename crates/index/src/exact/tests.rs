use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Change {
    Add(u128, Vec<f64>),
    Remove(u128),
    Search(Vec<(Vec<f64>, usize, bool)>),
}

fn vector() -> impl Strategy<Value = Vec<f64>> {
    // Few values: many equal distances.
    prop::collection::vec(prop::sample::select(vec![-1.0, 0.0, 0.5, 2.0]), 3)
}

fn change() -> impl Strategy<Value = Change> {
    let query = (vector(), 0..6usize, any::<bool>());
    prop_oneof![
        3 => (0..20u128, vector()).prop_map(|(key, vector)| Change::Add(key, vector)),
        1 => (0..20u128).prop_map(Change::Remove),
        1 => prop::collection::vec(query, 1..4).prop_map(Change::Search),
    ]
}

fn distance(metric: Metric, left: &[f64], right: &[f64]) -> f64 {
    let dot = |l: &[f64], r: &[f64]| l.iter().zip(r).map(|(l, r)| l * r).sum::<f64>();
    match metric {
        Metric::SquaredEuclidean => left.iter().zip(right).map(|(l, r)| (l - r) * (l - r)).sum(),
        Metric::InnerProduct => 1.0 - dot(left, right),
        Metric::Cosine => {
            let norms = [dot(left, left).sqrt(), dot(right, right).sqrt()];
            match norms[0] * norms[1] {
                0.0 if norms[0] == norms[1] => 0.0,
                0.0 => 1.0,
                norms => 1.0 - dot(left, right) / norms,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    /// Against sorting all items, for all metrics, with and without a filter.
    #[test]
    fn finds_what_a_sort_finds(
        changes in prop::collection::vec(change(), 1..40),
        metric in prop::sample::select(vec![Metric::SquaredEuclidean, Metric::Cosine, Metric::InnerProduct]),
    ) {
        let (mut index, mut model) = (ExactIndex::new(metric, 3), BTreeMap::new());
        for change in changes {
            match change {
                Change::Add(key, vector) => {
                    index.add(key, &vector);
                    model.insert(key, vector);
                }
                Change::Remove(key) => prop_assert_eq!(index.remove(key), model.remove(&key).is_some()),
                Change::Search(asked) => {
                    let query = |(number, (vector, limit, filtered)): (usize, &(Vec<f64>, usize, bool))| {
                        (vector.clone(), *limit, number, *filtered)
                    };
                    let asked: Vec<_> = asked.iter().enumerate().map(query).collect();
                    let queries: Vec<Query<'_>> = asked
                        .iter()
                        .map(|(vector, limit, number, filtered)| Query {
                            vector, limit: *limit, number: *number, filtered: *filtered,
                        })
                        .collect();
                    let found = index.search(&queries, &mut |number, key| Ok(!(key as usize + number).is_multiple_of(3)));
                    for (query, found) in queries.iter().zip(found) {
                        let mut all: Vec<Match> = model
                            .iter()
                            .filter(|(key, _)| !query.filtered || !(**key as usize + query.number).is_multiple_of(3))
                            .map(|(key, vector)| Match { distance: distance(metric, vector, query.vector), key: *key })
                            .collect();
                        all.sort();
                        all.truncate(query.limit);
                        let found = found.unwrap_or_default();
                        prop_assert_eq!(&found, &all);
                        let keys: Vec<u128> = all.iter().map(|m| m.key).collect();
                        let mut distances = Vec::new();
                        prop_assert!(index.distances(query.vector, &keys, &mut distances));
                        prop_assert_eq!(distances, all.iter().map(|m| m.distance).collect::<Vec<_>>());
                    }
                }
            }
            prop_assert_eq!(index.len(), model.len());
        }
    }
}

#[test]
fn a_failing_filter_fails_its_query_only() {
    let mut index = ExactIndex::new(Metric::SquaredEuclidean, 1);
    index.add(1, &[1.0]);
    let query = |number, filtered| Query { vector: &[0.0], limit: 1, number, filtered };
    let found = index.search(&[query(0, true), query(1, false)], &mut |_, _| Err(FilterError::new("bad")));
    assert!(found[0].is_err());
    assert_eq!(found[1].as_ref().map(Vec::len), Ok(1));
}

#[test]
fn what_is_not_a_number_is_last() {
    let mut index = ExactIndex::new(Metric::SquaredEuclidean, 1);
    index.add(1, &[f64::NAN]);
    index.add(2, &[f64::INFINITY]);
    index.add(3, &[7.0]);
    let query = Query { vector: &[0.0], limit: 3, number: 0, filtered: false };
    let found = index.search(&[query], &mut |_, _| Ok(true));
    let keys: Vec<u128> = found[0].iter().flatten().map(|m| m.key).collect();
    assert_eq!(keys, [3, 2, 1]);
}
