//! A loop inside of a loop: reachability with a budget.
//!
//! The outer loop takes one toll edge per round, the inner one follows free edges to the end. The
//! value of a node is the least number of tolls with which it is reached.

use std::collections::BTreeMap;

use pathway_expr::{BinaryOp, Expr, Reducer};
use pathway_plan::program::{GroupKey, JoinIds, ReduceColumn, ReduceStep, Stage};
use pathway_types::{DType, Timestamp, Value};
use proptest::prelude::*;

use super::harness::{Bag, SETUPS, Table, check, run, stages};
use super::loops::{edge_dtypes, edges, starts, switches, value_dtypes};
use crate::context::{Context, Site};
use crate::driver::Edge;
use crate::lattice::join::{JoinShape, join, ship};
use crate::lattice::loops::{enter, leave, leave_level};
use crate::lattice::reduce::{group, reduce};
use crate::lattice::stateless::stateless;
use crate::lattice::time::next_round;
use crate::lattice::{Flow, LoopTime, arrange, changes};
use crate::operators::join::{JoinKey, ShipSide};
use crate::timely::{LoopVariable, Scope};

/// Edges of this weight are free, the others cost a toll of 1.
const FREE: i64 = 1;

fn least<'s>(candidates: Flow<'s>, context: &Context) -> Flow<'s> {
    let reducers =
        vec![ReduceColumn { reducer: Reducer::Min, arguments: vec![1], dtype: DType::Int, frame: None }];
    let (key, group_columns) = (GroupKey::Pointer(0), vec![0]);
    let step = ReduceStep {
        key,
        group_columns,
        reducers,
        sort_by: None,
        skip_errors: true,
        row_ids: None,
        panes: None,
    };
    let groups = group(candidates, &step, &value_dtypes(), context.clone(), Site::default());
    changes(reduce(groups, &step, &value_dtypes(), "least", context.clone(), &Site::default()).unwrap())
}

/// The values at the ends of edges, with the toll added.
fn follow<'s>(values: Flow<'s>, edges: Flow<'s>, toll: i64, context: &Context) -> Flow<'s> {
    let key = JoinKey::Pointer(0);
    let side = ShipSide { inputs: edge_dtypes(), columns: vec![1], key, preserved: false, side: 0 };
    let edges = arrange(ship(edges, side, context.clone(), Site::default()), "edges");
    let keyed_by_id = [true, false];
    let shape = JoinShape { ids: JoinIds::Pair, row_ids: [false, false], keyed_by_id, join_key: false };
    let pairs = join(arrange(values, "values"), edges, "follow", shape);
    let value = Expr::binary(BinaryOp::Add, Expr::input(1, DType::Int), Expr::literal(toll)).unwrap();
    let expressions = vec![Expr::input(2, DType::ANY_POINTER), value];
    let map = Stage::Map { expressions, frames: vec![None, None] };
    stateless(pairs, stages(&[map], context), "reach", context.clone())
}

fn only<'s>(edges: Flow<'s>, free: bool, context: &Context) -> Flow<'s> {
    let op = if free { BinaryOp::Eq } else { BinaryOp::Ne };
    let condition = Expr::binary(op, Expr::input(2, DType::Int), Expr::literal(FREE)).unwrap();
    stateless(edges, stages(&[Stage::Filter { condition, frame: None }], context), "only", context.clone())
}

fn tolls<'s>(scope: Scope<'s, Timestamp>, inputs: Vec<Edge<'s>>, context: &Context) -> Edge<'s> {
    let [starts, edges]: [Edge<'s>; 2] = inputs.try_into().unwrap();
    scope.scoped::<LoopTime, _, _>("loops", |inner| {
        let (starts, edges) = (enter(starts, inner), enter(edges, inner));
        let (free, toll) = (only(edges.clone(), true, context), only(edges, false, context));
        let (variable, values) = LoopVariable::new_from(starts.clone(), next_round(1));
        let closed = {
            let (variable, inside) = LoopVariable::new_from(values.clone(), next_round(2));
            let result = least(follow(inside, free, 0, context).concat(values), context);
            variable.set(result.clone());
            leave_level(result, 2)
        };
        let result = least(follow(closed.clone(), toll, 1, context).concat(closed).concat(starts), context);
        variable.set(result.clone());
        leave(result, scope, value_dtypes(), context.clone())
    })
}

fn model(starts: &Table, edges: &Table, time: Timestamp) -> Bag {
    let int = |value: &Value| if let Value::Int(v) = value { *v } else { panic!() };
    let mut least: BTreeMap<u128, i64> =
        starts.at(time).keys().map(|(key, row)| (*key, int(&row[1]))).collect();
    let edges = edges.at(time);
    loop {
        let before = least.clone();
        for (_, row) in edges.keys() {
            let [Value::Pointer(from), Value::Pointer(to), weight] = row.as_slice() else { panic!() };
            if let Some(from) = least.get(&from.0).copied() {
                let reached = from + i64::from(int(weight) != FREE);
                let now = least.entry(to.0).or_insert(reached);
                *now = reached.min(*now);
            }
        }
        if before == least {
            break;
        }
    }
    let row = |(key, value)| ((key, vec![Value::Pointer(pathway_types::Key(key)), Value::Int(value)]), 1);
    least.into_iter().map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn inner_loops_run_to_their_end_in_every_round(switches in switches(3)) {
        let (starts, edges) = (starts([(0, 0)].into_iter()), edges(&switches, false));
        let times: Vec<Timestamp> = (0..switches.len() as Timestamp).map(|time| 2 * time).collect();
        for setup in SETUPS {
            let output = run(setup, &[starts.clone(), edges.clone()], &value_dtypes(), tolls);
            check(&output, &times, |time| model(&starts, &edges, time), &format!("{setup:?}"));
        }
    }
}
