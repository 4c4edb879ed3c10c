//! Connected components and shortest paths, kept up to date while edges come and go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pathway_expr::{BinaryOp, Expr, Reducer};
use pathway_plan::program::{GroupKey, JoinIds, ReduceColumn, ReduceStep, Stage};
use pathway_types::{DType, Key, Timestamp, Value};
use proptest::prelude::*;

use super::harness::{Bag, SETUPS, Table, check, run, stages};
use crate::context::{Context, Site};
use crate::driver::Edge;
use crate::lattice::join::{JoinShape, join, ship};
use crate::lattice::loops::{enter, leave};
use crate::lattice::reduce::{group, reduce};
use crate::lattice::stateless::stateless;
use crate::lattice::time::next_round;
use crate::lattice::{Flow, LoopTime, arrange, changes};
use crate::operators::join::{JoinKey, ShipSide};
use crate::operators::stateless::per_batch;
use crate::timely::{LoopVariable, Scope, concatenate};

/// Nodes of the random graphs.
const NODES: u8 = 7;

fn node(number: u8) -> Key {
    Key::of(&[Value::Int(i64::from(number))]).unwrap()
}

/// Columns of the table that a loop develops: the node, and its value.
pub(super) fn value_dtypes() -> Vec<DType> {
    vec![DType::ANY_POINTER, DType::Int]
}

pub(super) fn edge_dtypes() -> Vec<DType> {
    vec![DType::ANY_POINTER, DType::ANY_POINTER, DType::Int]
}

/// Nodes with a start value each.
pub(super) fn starts(values: impl Iterator<Item = (u8, i64)>) -> Table {
    let row = |(n, value)| (node(n).0, vec![Value::Pointer(node(n)), Value::Int(value)], 1);
    Table { dtypes: value_dtypes(), steps: vec![(0, values.map(row).collect())] }
}

/// A weighted edge.
pub(super) type Weighted = (u8, u8, u8);

/// Edges that are switched on or off at each time.
pub(super) fn edges(switches: &[Vec<Weighted>], both_ways: bool) -> Table {
    let mut present: BTreeMap<(u8, u8), u8> = BTreeMap::new();
    let mut steps = Vec::new();
    for (time, switched) in switches.iter().enumerate() {
        let mut changes = Vec::new();
        let mut change = |(a, b): (u8, u8), weight: u8, diff: i64| {
            let mut add = |from: u8, to: u8| {
                let key = Key::of(&[Value::Int(i64::from(from)), Value::Int(i64::from(to))]).unwrap();
                let row =
                    vec![Value::Pointer(node(from)), Value::Pointer(node(to)), Value::Int(weight.into())];
                changes.push((key.0, row, diff));
            };
            add(a, b);
            if both_ways && a != b {
                add(b, a);
            }
        };
        for (a, b, weight) in switched {
            let ends = if both_ways { (*a.min(b), *a.max(b)) } else { (*a, *b) };
            match present.remove(&ends) {
                Some(old) => change(ends, old, -1),
                None => {
                    present.insert(ends, *weight);
                    change(ends, *weight, 1);
                }
            }
        }
        steps.push((2 * time as Timestamp, changes));
    }
    Table { dtypes: edge_dtypes(), steps }
}

/// The least value that reaches each node along edges, which add their weight if so told.
pub(super) fn least_values<'s>(
    scope: Scope<'s, Timestamp>,
    inputs: Vec<Edge<'s>>,
    context: &Context,
    weighted: bool,
) -> Edge<'s> {
    let [starts, edges]: [Edge<'s>; 2] = inputs.try_into().unwrap();
    scope.scoped::<LoopTime, _, _>("loop", |inner| {
        let starts = enter(starts, inner);
        let edges = enter(edges, inner);
        let (variable, values) = LoopVariable::new_from(starts.clone(), next_round(1));
        let step = ReduceStep {
            key: GroupKey::Pointer(0),
            group_columns: vec![0],
            reducers: vec![ReduceColumn {
                reducer: Reducer::Min,
                arguments: vec![1],
                dtype: DType::Int,
                frame: None,
            }],
            sort_by: None,
            skip_errors: true,
            row_ids: None,
            panes: None,
        };
        let result = step_along_edges(values, edges, starts, &step, context, weighted);
        variable.set(result.clone());
        leave(result, scope, value_dtypes(), context.clone())
    })
}

fn step_along_edges<'s>(
    values: Flow<'s>,
    edges: Flow<'s>,
    starts: Flow<'s>,
    step: &ReduceStep,
    context: &Context,
    weighted: bool,
) -> Flow<'s> {
    let side = ShipSide {
        inputs: edge_dtypes(),
        columns: vec![1, 2],
        key: JoinKey::Pointer(0),
        preserved: false,
        side: 0,
    };
    let edges = arrange(ship(edges, side, context.clone(), Site::default()), "edges");
    let keyed_by_id = [true, false];
    let shape = JoinShape { ids: JoinIds::Pair, row_ids: [false, false], keyed_by_id, join_key: false };
    // Columns: from, value, to, weight.
    let pairs = join(arrange(values, "values"), edges, "follow", shape);
    let value = Expr::input(1, DType::Int);
    let reached = if weighted {
        Expr::binary(BinaryOp::Add, value, Expr::input(3, DType::Int)).unwrap()
    } else {
        value
    };
    let expressions = vec![Expr::input(2, DType::ANY_POINTER), reached];
    let map = Stage::Map { expressions, frames: vec![None, None] };
    let proposals = stateless(pairs, stages(&[map], context), "reach", context.clone());
    let candidates = proposals.concat(starts);
    let groups = group(candidates, step, &value_dtypes(), context.clone(), Site::default());
    changes(reduce(groups, step, &value_dtypes(), "least", context.clone(), &Site::default()).unwrap())
}

/// The same from scratch.
fn model(starts: &Table, edges: &Table, time: Timestamp, weighted: bool) -> Bag {
    let value = |row: &[Value]| if let Value::Int(v) = row[1] { v } else { panic!() };
    let mut least: BTreeMap<u128, i64> = BTreeMap::new();
    for (key, row) in starts.at(time).keys() {
        least.insert(*key, value(row));
    }
    let edges = edges.at(time);
    loop {
        let before = least.clone();
        for (_, row) in edges.keys() {
            let [Value::Pointer(from), Value::Pointer(to), Value::Int(weight)] = row.as_slice() else {
                panic!()
            };
            if let Some(from) = least.get(&from.0).copied() {
                let reached = from + if weighted { *weight } else { 0 };
                let now = least.entry(to.0).or_insert(reached);
                *now = reached.min(*now);
            }
        }
        if before == least {
            break;
        }
    }
    least.into_iter().map(|(k, v)| ((k, vec![Value::Pointer(Key(k)), Value::Int(v)]), 1)).collect()
}

fn check_loop(switches: &[Vec<Weighted>], weighted: bool) {
    // Components start with every node's own number, paths with one node.
    let start =
        if weighted { starts([(0, 0)].into_iter()) } else { starts((0..NODES).map(|n| (n, n.into()))) };
    let edges = edges(switches, !weighted);
    let times: Vec<Timestamp> = (0..switches.len() as Timestamp).map(|time| 2 * time).collect();
    for setup in SETUPS {
        let tables = [start.clone(), edges.clone()];
        let output = run(setup, &tables, &value_dtypes(), move |scope, inputs, context| {
            least_values(scope, inputs, context, weighted)
        });
        check(&output, &times, |time| model(&start, &edges, time, weighted), &format!("{setup:?}"));
    }
}

/// A few edges switched at each of a few times.
pub(super) fn switches(weights: u8) -> impl Strategy<Value = Vec<Vec<Weighted>>> {
    let edge = (0..NODES, 0..NODES, 1..=weights);
    prop::collection::vec(prop::collection::vec(edge, 0..6), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn components_follow_their_edges(switches in switches(4)) {
        check_loop(&switches, false);
    }

    #[test]
    fn shortest_paths_follow_their_edges(switches in switches(4)) {
        check_loop(&switches, true);
    }
}

#[test]
fn a_long_cycle_is_cut_and_closed() {
    let all: Vec<Weighted> = (0..NODES).map(|n| (n, (n + 1) % NODES, 1)).collect();
    let cut = vec![all[2], all[5]];
    check_loop(&[all.clone(), cut.clone(), vec![], cut, all], false);
}

#[test]
fn what_indexes_take_is_told_by_one_of_a_worker() {
    let all: Vec<Weighted> = (0..NODES).map(|n| (n, (n + 1) % NODES, 1)).collect();
    let tables = [starts((0..NODES).map(|n| (n, n.into()))), edges(&[all.clone(), all], true)];
    let told: Arc<Mutex<Vec<Vec<usize>>>> = Arc::default();
    let tells = told.clone();
    run(SETUPS[1], &tables, &value_dtypes(), move |scope, inputs, context| {
        let [starts, edges]: [Edge<'_>; 2] = inputs.try_into().unwrap();
        let twice = [0, 1].map(|_| least_values(scope, vec![starts.clone(), edges.clone()], context, false));
        let (statistics, tells) = (context.clone(), tells.clone());
        per_batch(concatenate(scope, twice.into_iter()), "look", context.clone(), move |_, batch| {
            let meters = statistics.statistics().meters();
            let bytes = meters.iter().map(|meter| meter.memory()).filter(|bytes| *bytes > 0);
            tells.lock().unwrap().push(bytes.collect());
            batch
        })
    });
    let told = told.lock().unwrap();
    assert!(told.len() >= 2, "{told:?}");
    // An index of the rows of seven vertices, and one of their fourteen edges, at the least.
    assert!(told.iter().all(|meters| meters.len() == 1 && meters[0] > 21 * 16), "{told:?}");
}
