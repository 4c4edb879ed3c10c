//! Reduces inside loops against plain groups of rows, and against the group-by of the outer scope.

use std::collections::BTreeMap;
use std::sync::Arc;

use pathway_expr::Reducer;
use pathway_expr::node::{CustomGroup, CustomReducer};
use pathway_plan::program::{ARGUMENT_ID, GroupKey, ReduceColumn, ReduceStep};
use pathway_types::{DType, DataError, Key, Timestamp, Value};
use proptest::prelude::*;

use super::*;
use crate::context::{Context, Site};
use crate::driver::{Edge, drive};
use crate::lattice::loops::{enter, leave, timed, untimed};
use crate::lattice::tests::harness::{
    Bag, Inside, Row, SETUPS, Table, bag, each_time, in_rounds, inside_at, keep, rounds_at, run, table,
};
use crate::lattice::time::LoopTime;
use crate::lattice::{Flow, changes};
use crate::operators::reduce::{Prepare, Reduce};
use crate::operators::stateless::per_batch;
use crate::route::Route;
use crate::timely::Scope;

const ROUNDS: u32 = 3;

/// Group, optional int, float, text, round.
fn dtypes() -> Vec<DType> {
    vec![DType::Int, DType::optional(DType::Int), DType::Float, DType::Str, DType::Int]
}

type Steps = Vec<Vec<(u8, Option<Row>)>>;

fn steps() -> impl Strategy<Value = Steps> {
    let optional = prop_oneof![Just(Value::None), (0..3i64).prop_map(Value::Int), Just(Value::Error)];
    let float = prop::sample::select(vec![0.1, 0.2, -7.5, f64::NAN]).prop_map(Value::Float);
    let text = prop::sample::select(vec!["", "a", "b"]).prop_map(Value::from);
    let row = (0..3i64, optional, float, text, 0..i64::from(ROUNDS)).prop_map(
        |(group, int, float, text, round)| vec![Value::Int(group), int, float, text, Value::Int(round)],
    );
    let set = (0..10u8, prop::option::weighted(0.7, row));
    prop::collection::vec(prop::collection::vec(set, 0..7), 1..6)
}

fn column(reducer: Reducer, arguments: &[usize], dtype: DType) -> ReduceColumn {
    ReduceColumn { reducer, arguments: arguments.to_vec(), dtype, frame: None }
}

fn step(reducers: Vec<ReduceColumn>, sort_by: Option<usize>, skip_errors: bool) -> ReduceStep {
    let key = GroupKey::Hash { columns: vec![0], instance: false };
    ReduceStep { key, group_columns: vec![0], reducers, sort_by, skip_errors, row_ids: None, panes: None }
}

fn output_dtypes(step: &ReduceStep) -> Vec<DType> {
    let reducers = step.reducers.iter().map(|column| column.dtype.clone());
    std::iter::once(DType::Int).chain(reducers).collect()
}

fn reduce_flow<'s, T: LatticeTime>(flow: Flow<'s, T>, step: &ReduceStep, context: &Context) -> Flow<'s, T> {
    let groups = group(flow, step, &dtypes(), context.clone(), Site::default());
    changes(reduce(groups, step, &dtypes(), "reduce", context.clone(), &Site::default()).unwrap())
}

/// Runs `inside` on rows that happen in rounds; checks what it gives at every time.
fn check_at_every_time(
    table: &Table,
    step: &ReduceStep,
    output: &[DType],
    inside: for<'s> fn(Flow<'s>, &ReduceStep, &Context) -> Flow<'s>,
    model: impl Fn(&Bag) -> Bag,
) {
    for setup in SETUPS {
        let kept = Inside::default();
        let (keeping, step, dtypes) = (kept.clone(), step.clone(), output.to_vec());
        run(setup, std::slice::from_ref(table), output, move |scope, edges, context| {
            let keeping = keeping.clone();
            scope.scoped::<LoopTime, _, _>("loop", |inner| {
                let [edge]: [Edge<'_>; 1] = edges.try_into().unwrap();
                let given = inside(in_rounds(enter(edge, inner), 4), &step, context);
                leave(keep(given, &dtypes, keeping), scope, dtypes.clone(), context.clone())
            })
        });
        each_time(table.steps.len(), ROUNDS, |outer, round, time| {
            let expected = model(&rounds_at(table, 4, outer, round));
            assert_eq!(inside_at(&kept, &time), expected, "{setup:?} at {time:?}");
        });
    }
}

fn groups(rows: &Bag) -> BTreeMap<Value, Vec<Row>> {
    let mut groups: BTreeMap<Value, Vec<Row>> = BTreeMap::new();
    for (_, row) in rows.keys() {
        groups.entry(row[0].clone()).or_default().push(row.clone());
    }
    groups
}

/// Every reducer that works inside loops.
fn all_reducers() -> Vec<ReduceColumn> {
    let optional = DType::optional(DType::Int);
    let list = DType::list(optional.clone());
    vec![
        column(Reducer::Count, &[], DType::Int),
        column(Reducer::Count, &[1], DType::Int),
        column(Reducer::Sum { strict: false }, &[4], DType::Int),
        column(Reducer::Sum { strict: false }, &[2], DType::Float),
        column(Reducer::Avg, &[2], DType::Float),
        column(Reducer::Min, &[1], optional.clone()),
        column(Reducer::Max, &[3], DType::Str),
        column(Reducer::Min, &[4], DType::Int),
        column(Reducer::ArgMin, &[3, ARGUMENT_ID], DType::ANY_POINTER),
        column(Reducer::ArgMax, &[1, ARGUMENT_ID], DType::ANY_POINTER),
        column(Reducer::Unique, &[3], DType::Str),
        column(Reducer::Any, &[3], DType::Str),
        column(Reducer::Tuple { skip_nones: false }, &[1], list.clone()),
        column(Reducer::SortedTuple { skip_nones: true }, &[1], list),
        column(Reducer::CountDistinct, &[1, 3], DType::Int),
        column(Reducer::Custom(Arc::new(Longest)), &[3], DType::optional(DType::Str)),
    ]
}

/// Reducers of which only sums matter: groups are indexed as numbers that add up.
fn sums() -> Vec<ReduceColumn> {
    vec![
        column(Reducer::Count, &[], DType::Int),
        column(Reducer::Count, &[1], DType::Int),
        column(Reducer::Sum { strict: false }, &[1], DType::Int),
        column(Reducer::Sum { strict: false }, &[4], DType::Int),
        column(Reducer::Avg, &[4], DType::Float),
    ]
}

/// The longest text of a group; no row for groups without text.
#[derive(Debug)]
struct Longest;

impl CustomReducer for Longest {
    fn name(&self) -> &str {
        "longest"
    }
    fn return_type(&self) -> &DType {
        static DTYPE: std::sync::LazyLock<DType> = std::sync::LazyLock::new(|| DType::optional(DType::Str));
        &DTYPE
    }
    fn new_group(&self) -> Box<dyn CustomGroup> {
        Box::new(Texts::default())
    }
}

#[derive(Default)]
struct Texts(BTreeMap<Value, i64>);

impl CustomGroup for Texts {
    fn update(&mut self, rows: &[(Vec<Value>, i64)]) -> Result<(), DataError> {
        rows.iter().for_each(|(row, count)| *self.0.entry(row[0].clone()).or_insert(0) += count);
        self.0.retain(|_, count| *count != 0);
        Ok(())
    }
    fn result(&mut self) -> Result<Option<Value>, DataError> {
        let longest = self.0.keys().max_by_key(|text| text.to_string().len());
        Ok(longest.filter(|text| **text != Value::from("")).cloned())
    }
    fn save(&mut self) -> Result<Vec<u8>, DataError> {
        Err(DataError::value("not saved"))
    }
    fn load(&mut self, _bytes: &[u8]) -> Result<(), DataError> {
        Err(DataError::value("not saved"))
    }
}

fn outer_reduce<'s>(
    scope: Scope<'s, Timestamp>,
    edge: Edge<'s>,
    step: &ReduceStep,
    context: &Context,
) -> Edge<'s> {
    let site = Site::default();
    let mut prepare = Prepare::new(step.clone(), &dtypes(), false, context.clone(), site.clone());
    let reduce = Reduce::new(step, &dtypes(), false, context.clone(), &site);
    let shipped = per_batch(edge, "keys", context.clone(), move |_, batch| prepare.apply(batch));
    drive(scope, "reduce", vec![(shipped, Route::Key)], context.clone(), None, reduce)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn groups_at_every_time(steps in steps()) {
        let reducers = vec![column(Reducer::Count, &[], DType::Int), column(Reducer::Max, &[3], DType::Str)];
        let step = step(reducers, None, true);
        let output = output_dtypes(&step);
        check_at_every_time(&table(&dtypes(), &steps), &step, &output, reduce_flow, |rows| {
            let row = |(group, rows): (Value, Vec<Row>)| {
                let greatest = rows.iter().map(|row| row[3].clone()).max().unwrap();
                let key = Key::of(std::slice::from_ref(&group)).unwrap();
                (key.0, vec![group, Value::Int(rows.len() as i64), greatest], 1)
            };
            bag(groups(rows).into_iter().map(row))
        });
    }

    #[test]
    fn groups_without_reducers_at_every_time(steps in steps()) {
        let step = step(Vec::new(), None, true);
        check_at_every_time(&table(&dtypes(), &steps), &step, &[DType::Int], reduce_flow, |rows| {
            let key = |group: &Value| Key::of(std::slice::from_ref(group)).unwrap().0;
            bag(groups(rows).into_keys().map(|group| (key(&group), vec![group], 1)))
        });
    }

    #[test]
    fn as_in_the_outer_scope(steps in steps(), skip_errors: bool, sorted: bool, sums_only: bool) {
        let reducers = if sums_only { sums() } else { all_reducers() };
        let step = step(reducers, sorted.then_some(3), skip_errors);
        let (table, output) = (table(&dtypes(), &steps), output_dtypes(&step));
        for setup in SETUPS {
            let (outer, inner) = (step.clone(), step.clone());
            let total = run(setup, std::slice::from_ref(&table), &output, move |scope, mut edges, context| {
                outer_reduce(scope, edges.remove(0), &outer, context)
            });
            let lattice = run(setup, std::slice::from_ref(&table), &output, move |_, mut edges, context| {
                let reduced = reduce_flow(timed(edges.remove(0)), &inner, context);
                untimed(reduced, output_dtypes(&inner), context.clone())
            });
            for time in 0..steps.len() as Timestamp {
                let at = |output: &[(Timestamp, (u128, Row, i64))]| {
                    bag(output.iter().filter(|(t, _)| *t <= 2 * time).map(|(_, change)| change.clone()))
                };
                assert_eq!(at(&lattice), at(&total), "{setup:?} at {time}");
            }
        }
    }
}

#[test]
fn times_of_arrival_have_no_meaning_in_loops() {
    let step = step(vec![column(Reducer::Latest, &[3], DType::Str)], None, true);
    let table = table(&dtypes(), &[]);
    run(SETUPS[0], &[table], &[DType::Int], move |_, mut edges, context| {
        let edge = edges.remove(0);
        let groups = group(timed(edge.clone()), &step, &dtypes(), context.clone(), Site::default());
        let error =
            reduce(groups, &step, &dtypes(), "reduce", context.clone(), &Site::default()).err().unwrap();
        assert!(error.to_string().contains("latest"), "{error}");
        edge
    });
}
