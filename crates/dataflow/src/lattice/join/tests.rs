//! Joins inside loops against all pairs of rows, and against the join of the outer scope.

use pathway_plan::program::JoinMode;
use pathway_types::{DType, Key, KeyHasher, Timestamp, Value};
use proptest::prelude::*;

use super::*;
use crate::driver::{Edge, drive};
use crate::lattice::arrange;
use crate::lattice::loops::{enter, leave, timed, untimed};
use crate::lattice::tests::harness::{
    Bag, Inside, Row, SETUPS, Table, bag, each_time, in_rounds, inside_at, keep, rounds_at, run, table,
};
use crate::lattice::time::LoopTime;
use crate::operators::join::{Join, JoinKey, JoinSpec, Pad, pair_id};
use crate::operators::stateless::per_batch;
use crate::route::Route;
use crate::timely::Scope;

const ROUNDS: u32 = 3;

/// Group, an optional text, round.
fn dtypes() -> Vec<DType> {
    vec![DType::Int, DType::optional(DType::Str), DType::Int]
}

/// Some rows set or removed at each time.
type Steps = Vec<Vec<(u8, Option<Row>)>>;

fn steps(keys: u8, groups: i64, changes: usize, times: usize) -> impl Strategy<Value = Steps> {
    let text =
        prop_oneof![Just(Value::None), Just(Value::from("a")), Just(Value::from("long enough to be apart"))];
    let row = (0..groups, text, 0..i64::from(ROUNDS))
        .prop_map(|(group, text, round)| vec![Value::Int(group), text, Value::Int(round)]);
    prop::collection::vec(
        prop::collection::vec((0..keys, prop::option::weighted(0.7, row)), 0..changes),
        1..times,
    )
}

fn side() -> ShipSide {
    let key = JoinKey::Hash { columns: vec![0], instance: false };
    ShipSide { inputs: dtypes(), columns: vec![0, 1, 2], key, preserved: false, side: 0 }
}

/// Columns of both sides, then both ids.
fn output_dtypes() -> Vec<DType> {
    [dtypes(), dtypes(), vec![DType::ANY_POINTER, DType::ANY_POINTER]].concat()
}

fn shape(ids: JoinIds) -> JoinShape {
    JoinShape { ids, row_ids: [true, true], keyed_by_id: [false, false], join_key: false }
}

fn join_flows<'s, T: LatticeTime>(flows: [Flow<'s, T>; 2], ids: JoinIds, context: &Context) -> Flow<'s, T> {
    let [left, right] =
        flows.map(|flow| arrange(ship(flow, side(), context.clone(), Site::default()), "side"));
    join(left, right, "join", shape(ids))
}

/// All pairs with equal groups.
fn pairs(left: &Bag, right: &Bag, ids: JoinIds) -> Bag {
    let mut hasher = KeyHasher::default();
    let mut out = Vec::new();
    for ((l, l_row), l_count) in left {
        for ((r, r_row), r_count) in right.iter().filter(|((_, row), _)| row[0] == l_row[0]) {
            let joint = Key::of(&l_row[..1]).unwrap();
            let id = match ids {
                JoinIds::Pair => pair_id(&mut hasher, Some(Key(*l)), Some(Key(*r)), joint),
                JoinIds::Left => *l,
                JoinIds::Right => *r,
            };
            let ids = vec![Value::Pointer(Key(*l)), Value::Pointer(Key(*r))];
            out.push((id, [l_row.clone(), r_row.clone(), ids].concat(), l_count * r_count));
        }
    }
    bag(out.into_iter())
}

/// The rows as the outer scope shows them: where a row lends its id and has several matches, once, with errors
/// in the columns of the other side. Loops pass all pairs on.
fn settled(pairs: Bag, ids: JoinIds) -> Bag {
    let others: &[usize] = match ids {
        JoinIds::Pair => return pairs,
        JoinIds::Left => &[3, 4, 5, 7],
        JoinIds::Right => &[0, 1, 2, 6],
    };
    let mut matches = std::collections::BTreeMap::<u128, i64>::new();
    pairs.iter().for_each(|((id, _), count)| *matches.entry(*id).or_default() += count);
    let shown = pairs.into_iter().map(|((id, mut row), count)| {
        if matches[&id] == 1 {
            return ((id, row), count);
        }
        others.iter().for_each(|column| row[*column] = Value::Error);
        ((id, row), 1)
    });
    shown.collect()
}

fn check_at_every_time(tables: [Table; 2], ids: JoinIds) {
    for setup in SETUPS {
        let kept = Inside::default();
        let inside = kept.clone();
        run(setup, &tables, &output_dtypes(), move |scope, edges, context| {
            let inside = inside.clone();
            scope.scoped::<LoopTime, _, _>("loop", |inner| {
                let [left, right]: [Edge<'_>; 2] = edges.try_into().unwrap();
                let flows = [left, right].map(|edge| in_rounds(enter(edge, inner), 2));
                let joined = keep(join_flows(flows, ids, context), &output_dtypes(), inside);
                leave(joined, scope, output_dtypes(), context.clone())
            })
        });
        let times = tables.iter().map(|table| table.steps.len()).max().unwrap();
        each_time(times, ROUNDS, |outer, round, time| {
            let [left, right] = [0, 1].map(|side: usize| rounds_at(&tables[side], 2, outer, round));
            assert_eq!(inside_at(&kept, &time), pairs(&left, &right, ids), "{setup:?} at {time:?}");
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pairs_at_every_time(left in steps(8, 3, 6, 6), right in steps(8, 3, 6, 6)) {
        check_at_every_time([table(&dtypes(), &left), table(&dtypes(), &right)], JoinIds::Pair);
    }

    #[test]
    fn many_rows_under_one_key(left in steps(40, 1, 60, 4), right in steps(40, 1, 60, 4)) {
        check_at_every_time([table(&dtypes(), &left), table(&dtypes(), &right)], JoinIds::Pair);
    }

    #[test]
    fn as_in_the_outer_scope(
        left in steps(8, 5, 6, 6),
        right in steps(8, 5, 6, 6),
        ids in prop::sample::select(vec![JoinIds::Pair, JoinIds::Left, JoinIds::Right]),
    ) {
        let tables = [table(&dtypes(), &left), table(&dtypes(), &right)];
        for setup in SETUPS {
            let total = run(setup, &tables, &output_dtypes(), move |scope, edges, context| outer_join(scope, edges, ids, context));
            let lattice = run(setup, &tables, &output_dtypes(), move |_, edges, context| {
                let [left, right]: [Edge<'_>; 2] = edges.try_into().unwrap();
                untimed(join_flows([timed(left), timed(right)], ids, context), output_dtypes(), context.clone())
            });
            for time in 0..left.len().max(right.len()) as Timestamp {
                let at = |output: &[(Timestamp, (u128, Row, i64))]| {
                    bag(output.iter().filter(|(t, _)| *t <= 2 * time).map(|(_, change)| change.clone()))
                };
                assert_eq!(settled(at(&lattice), ids), at(&total), "{setup:?} at {time}");
            }
        }
    }
}

fn outer_join<'s>(
    scope: Scope<'s, Timestamp>,
    edges: Vec<Edge<'s>>,
    ids: JoinIds,
    context: &Context,
) -> Edge<'s> {
    let inputs = edges.into_iter().map(|edge| {
        let (side, shipping) = (side(), context.clone());
        let shipped = per_batch(edge, "keys", context.clone(), move |_, batch| {
            side.apply(batch, &mut shipping.clone(), &Site::default())
        });
        (shipped, Route::Column(3))
    });
    let spec = JoinSpec {
        mode: JoinMode::Inner,
        ids,
        dtypes: [dtypes(), dtypes()],
        row_ids: [true, true],
        pad: Pad::None,
        once: [false, false],
    };
    let join = Join::new(spec, context.clone(), Site::default());
    drive(scope, "join", inputs.collect(), context.clone(), None, join)
}

#[test]
fn packets_are_bounded_and_complete() {
    use crate::lattice::chunk::Sorter;
    use crate::timely::{ChunkBatch, ContainerBuilder, PushInto};
    let side = |rows: u64| {
        let mut sorter = Sorter::default();
        let columns = vec![pathway_types::Keys::from((0..u128::from(rows)).collect::<Vec<_>>()).to_column()];
        let diffs = pathway_types::Diffs::Ones(rows as usize);
        let batch = pathway_types::Batch::new(vec![5; rows as usize].into(), columns, diffs);
        sorter.push_into(&mut TimedPacket::at(0u64, batch));
        vec![Rc::new(ChunkBatch::new(vec![sorter.finish().map(std::mem::take).unwrap()]))]
    };
    let mut tactic = Tactic { shape: Rc::new(shape(JoinIds::Pair)) };
    let packets: Vec<TimedPacket<u64>> = tactic.prep(side(700), side(300), Fresh::Input1, 0).collect();
    assert_eq!(packets.iter().map(TimedPacket::len).sum::<usize>(), 700 * 300);
    assert!(packets.len() > 5 && packets.iter().all(|packet| packet.len() < 40_000));
    let ids: std::collections::BTreeSet<u128> =
        packets.iter().flat_map(|packet| packet.batch.keys.as_slice().to_vec()).collect();
    assert_eq!(ids.len(), 700 * 300);
}
