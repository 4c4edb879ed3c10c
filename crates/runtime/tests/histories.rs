//! Every operator under random insertions, updates and deletions, with 1, 2 and 4 workers, equals a
//! plain model at every time.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{Bag, Input, Random, Row, Table, bag, check, step};
use pathway_expr::{BinaryOp, ColumnRef, Expr, Reducer, SourceId};
use pathway_plan::program::{
    ARGUMENT_ID, GroupKey, JoinIds, JoinMode, JoinStep, LookupStep, Matching, ReduceColumn, ReduceStep,
    Stage, StepOp,
};
use pathway_types::{DType, Key, Value};

fn int(v: i64) -> Value {
    Value::Int(v)
}

/// Columns: a small int group, an optional int, a short text.
fn mixed() -> Input {
    Input {
        dtypes: vec![DType::Int, DType::optional(DType::Int), DType::Str],
        keys: 12,
        row: |random: &mut Random| {
            let optional = if random.below(4) == 0 { Value::None } else { int(random.below(5) as i64) };
            vec![int(random.below(4) as i64), optional, Value::from(*random.pick(&["a", "b", "long enough"]))]
        },
    }
}

fn key_of(values: &[Value]) -> u128 {
    Key::of(values).unwrap().0
}

fn column(input: usize, dtype: DType) -> Expr {
    let reference = ColumnRef { source: SourceId(0), column: input as u32 };
    Expr::column(reference, dtype).bind(&|c| Some(c.column as usize))
}

#[test]
fn stateless_stages() {
    let steps = || {
        let sum = Expr::binary(BinaryOp::Mul, column(0, DType::Int), Expr::literal(3i64)).unwrap();
        let map = Stage::Map { expressions: vec![sum, column(2, DType::Str)], frames: vec![None, None] };
        let condition = Expr::binary(BinaryOp::Gt, column(0, DType::Int), Expr::literal(2i64)).unwrap();
        let filter = Stage::Filter { condition, frame: None };
        vec![step(StepOp::Stateless(vec![map, filter]), &[0], vec![DType::Int, DType::Str])]
    };
    check("select and filter", &[mixed()], steps, |inputs| {
        let rows = inputs[0].iter().filter_map(|(k, row)| match row[0] {
            Value::Int(v) if v * 3 > 2 => Some((*k, vec![int(v * 3), row[2].clone()])),
            _ => None,
        });
        bag(rows)
    });
}

#[test]
fn flatten_text() {
    let steps = || {
        let flatten = Stage::Flatten {
            column: 2,
            sequence: DType::Str,
            element: DType::Str,
            origin_id: false,
            frame: None,
        };
        vec![step(StepOp::Stateless(vec![flatten]), &[0], mixed().dtypes)]
    };
    check("flatten", &[mixed()], steps, |inputs| {
        let mut out = Bag::new();
        for (key, row) in &inputs[0] {
            let Value::Str(text) = &row[2] else { panic!() };
            for (i, c) in text.chars().enumerate() {
                let id = Key::of(&[Value::Pointer(Key(*key)), int(i as i64)]).unwrap().on_shard_of(Key(*key));
                let row = vec![row[0].clone(), row[1].clone(), Value::from(c.to_string())];
                *out.entry((id.0, row)).or_insert(0) += 1;
            }
        }
        out
    });
}

#[test]
fn reindex_and_concat() {
    let steps = || {
        let pointer = |dtype| Expr::pointer(vec![column(2, dtype)], false, None).unwrap();
        let expressions = vec![column(0, DType::Int), pointer(DType::Str)];
        let map = Stage::Map { expressions, frames: vec![None, None] };
        let reindex = Stage::Reindex { column: 1, frame: None };
        let drop = Stage::Map { expressions: vec![column(0, DType::Int)], frames: vec![None] };
        vec![
            step(StepOp::Stateless(vec![map, reindex, drop.clone()]), &[0], vec![DType::Int]),
            step(StepOp::Stateless(vec![drop]), &[1], vec![DType::Int]),
            step(StepOp::Concat, &[2, 3], vec![DType::Int]),
        ]
    };
    check("reindex, concat", &[mixed(), mixed()], steps, |inputs| {
        let first = inputs[0].values().map(|row| (key_of(&row[2..3]), vec![row[0].clone()]));
        bag(first.chain(inputs[1].iter().map(|(k, row)| (*k, vec![row[0].clone()]))))
    });
}

fn groups(table: &Table) -> BTreeMap<Value, Vec<(u128, Row)>> {
    let mut groups: BTreeMap<Value, Vec<(u128, Row)>> = BTreeMap::new();
    for (key, row) in table {
        groups.entry(row[0].clone()).or_default().push((*key, row.clone()));
    }
    groups
}

fn reducer(reducer: Reducer, arguments: &[usize], dtype: DType) -> ReduceColumn {
    ReduceColumn { reducer, arguments: arguments.to_vec(), dtype, frame: None }
}

fn reduce_steps(reducers: Vec<ReduceColumn>, sort_by: Option<usize>) -> Vec<pathway_plan::program::Step> {
    let mut columns = vec![DType::Int];
    columns.extend(reducers.iter().map(|r| r.dtype.clone()));
    let reduce = ReduceStep {
        key: GroupKey::Hash { columns: vec![0], instance: false },
        group_columns: vec![0],
        reducers,
        sort_by,
        skip_errors: true,
        row_ids: None,
        panes: None,
    };
    vec![step(StepOp::Reduce(reduce), &[0], columns)]
}

fn check_reduce(
    name: &str,
    reducers: fn() -> Vec<ReduceColumn>,
    sort_by: Option<usize>,
    model: fn(&[(u128, Row)]) -> Row,
) {
    check(
        name,
        &[mixed()],
        || reduce_steps(reducers(), sort_by),
        |inputs| {
            let rows = groups(&inputs[0]).into_iter().map(|(group, rows)| {
                let mut row = vec![group.clone()];
                row.extend(model(&rows));
                (key_of(&[group]), row)
            });
            bag(rows)
        },
    );
}

#[test]
fn group_by_linear() {
    let reducers = || {
        vec![
            reducer(Reducer::Count, &[], DType::Int),
            reducer(Reducer::Sum { strict: false }, &[0], DType::Int),
            reducer(Reducer::Avg, &[0], DType::Float),
        ]
    };
    check_reduce("count, sum, avg", reducers, None, |rows| {
        let sum: i64 = rows.iter().map(|(_, r)| if let Value::Int(v) = r[0] { v } else { 0 }).sum();
        let count = rows.len() as i64;
        vec![int(count), int(sum), Value::Float(sum as f64 / count as f64)]
    });
}

#[test]
fn group_by_without_reducers_is_distinct() {
    check_reduce("distinct", Vec::new, None, |_| vec![]);
}

#[test]
fn group_by_ordered() {
    let optional = || DType::optional(DType::Int);
    let _ = optional;
    let reducers = || {
        let optional = DType::optional(DType::Int);
        vec![
            reducer(Reducer::Min, &[1], optional.clone()),
            reducer(Reducer::Max, &[2], DType::Str),
            reducer(Reducer::ArgMin, &[1, ARGUMENT_ID], DType::ANY_POINTER),
            reducer(Reducer::ArgMax, &[1, ARGUMENT_ID], DType::ANY_POINTER),
            reducer(Reducer::CountDistinct, &[1], DType::Int),
            reducer(Reducer::SortedTuple { skip_nones: false }, &[1], DType::list(optional)),
        ]
    };
    check_reduce("ordered reducers", reducers, None, |rows| {
        let mut values: Vec<Value> = rows.iter().map(|(_, r)| r[1].clone()).collect();
        values.sort();
        let (least, greatest) = (values[0].clone(), values[values.len() - 1].clone());
        let arg = |value: &Value| {
            let ids = rows.iter().filter(|(_, r)| r[1] == *value).map(|(k, _)| *k);
            Value::Pointer(Key(ids.min().unwrap()))
        };
        let mut distinct = values.clone();
        distinct.dedup();
        vec![
            least.clone(),
            rows.iter().map(|(_, r)| r[2].clone()).max().unwrap(),
            arg(&least),
            arg(&greatest),
            int(distinct.len() as i64),
            Value::tuple(values),
        ]
    });
}

#[test]
fn group_by_sequences() {
    let reducers = || {
        vec![
            reducer(Reducer::Tuple { skip_nones: true }, &[1], DType::list(DType::Int)),
            reducer(Reducer::Any, &[2], DType::Str),
            reducer(Reducer::NdArray { skip_nones: false }, &[0], DType::array(None, DType::Int)),
        ]
    };
    check_reduce("tuple, any, ndarray", reducers, Some(2), |rows| {
        let mut sorted: Vec<_> = rows.to_vec();
        sorted.sort_by_key(|(k, r)| (r[2].clone(), *k));
        let tuple = sorted.iter().map(|(_, r)| r[1].clone()).filter(|v| !v.is_none());
        let pattern = 0x2152_4110_2152_4110_2152_4110_2152_4110u128;
        let any = rows.iter().max_by_key(|(k, _)| k ^ pattern).unwrap().1[2].clone();
        let ints: Vec<i64> =
            sorted.iter().map(|(_, r)| if let Value::Int(v) = r[0] { v } else { 0 }).collect();
        let array = pathway_types::NdArray::new(vec![ints.len()], ints).unwrap();
        vec![Value::tuple(tuple), any, Value::IntArray(array.into())]
    });
}

#[test]
fn unique_is_an_error_while_rows_disagree() {
    let reducers = || vec![reducer(Reducer::Unique, &[2], DType::Str)];
    check_reduce("unique", reducers, None, |rows| {
        let first = &rows[0].1[2];
        let agree = rows.iter().all(|(_, r)| r[2] == *first);
        vec![if agree { first.clone() } else { Value::Error }]
    });
}

fn joined(
    mode: JoinMode,
    ids: JoinIds,
) -> (impl Fn() -> Vec<pathway_plan::program::Step>, impl Fn(&[Table]) -> Bag) {
    let steps = move || {
        let join = JoinStep {
            mode,
            left_on: vec![0],
            right_on: vec![0],
            instance: false,
            matching: Matching::Equal,
            ids,
            left_columns: vec![2],
            right_columns: vec![1, 2],
            left_id: true,
            right_id: true,
            side: false,
            left_exactly_once: false,
            right_exactly_once: false,
        };
        let pointer = DType::optional(DType::ANY_POINTER);
        let text = DType::optional(DType::Str);
        let columns = vec![text.clone(), DType::optional(DType::Int), text, pointer.clone(), pointer];
        vec![step(StepOp::Join(join), &[0, 1], columns)]
    };
    let model = move |inputs: &[Table]| {
        let mut rows: Vec<(u128, Row)> = Vec::new();
        let pointer = |k: Option<u128>| k.map_or(Value::None, |k| Value::Pointer(Key(k)));
        let mut add = |left: Option<(&u128, &Row)>, right: Option<(&u128, &Row)>| {
            let joint = left.or(right).map(|(_, row)| key_of(&row[..1])).unwrap();
            let (l, r) = (left.map(|(k, _)| *k), right.map(|(k, _)| *k));
            let id = match ids {
                JoinIds::Pair => Key::of(&[pointer(l), pointer(r)]).unwrap().on_shard_of(Key(joint)).0,
                JoinIds::Left => l.unwrap(),
                JoinIds::Right => r.unwrap(),
            };
            let cell =
                |row: Option<(&u128, &Row)>, i: usize| row.map_or(Value::None, |(_, row)| row[i].clone());
            rows.push((id, vec![cell(left, 2), cell(right, 1), cell(right, 2), pointer(l), pointer(r)]));
        };
        for left in &inputs[0] {
            let matches: Vec<_> = inputs[1].iter().filter(|(_, row)| row[0] == left.1[0]).collect();
            if matches.is_empty() && matches!(mode, JoinMode::Left | JoinMode::Outer) {
                add(Some(left), None);
            }
            matches.into_iter().for_each(|right| add(Some(left), Some(right)));
        }
        if matches!(mode, JoinMode::Right | JoinMode::Outer) {
            let lonely = inputs[1].iter().filter(|(_, r)| inputs[0].values().all(|l| l[0] != r[0]));
            lonely.for_each(|right| add(None, Some(right)));
        }
        bag(rows)
    };
    (steps, model)
}

#[test]
fn joins() {
    for mode in [JoinMode::Inner, JoinMode::Left, JoinMode::Right, JoinMode::Outer] {
        let (steps, model) = joined(mode, JoinIds::Pair);
        check(&format!("{mode:?} join"), &[mixed(), mixed()], steps, model);
    }
}

/// Pointers into the keys that `mixed` uses, some to nowhere, some None.
fn asking() -> Input {
    Input {
        dtypes: vec![DType::optional(DType::ANY_POINTER), DType::Int],
        keys: 10,
        row: |random| {
            let key = u128::from(random.below(14)).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            let pointer = if random.below(5) == 0 { Value::None } else { Value::Pointer(Key(key)) };
            vec![pointer, int(random.below(9) as i64)]
        },
    }
}

#[test]
fn lookups() {
    for allow_misses in [true, false] {
        let steps = || {
            let lookup =
                LookupStep { pointer: 0, optional: true, allow_misses, keep: vec![1], fetch: vec![2, 0] };
            let columns = vec![DType::Int, DType::optional(DType::Str), DType::optional(DType::Int)];
            vec![step(StepOp::Lookup(lookup), &[0, 1], columns)]
        };
        check("ix", &[asking(), mixed()], steps, |inputs| {
            let rows = inputs[0].iter().map(|(key, row)| {
                let found = match &row[0] {
                    Value::Pointer(p) => match inputs[1].get(&p.0) {
                        Some(found) => [found[2].clone(), found[0].clone()],
                        None if allow_misses => [Value::None, Value::None],
                        None => [Value::Error, Value::Error],
                    },
                    _ => [Value::None, Value::None],
                };
                (*key, [vec![row[1].clone()], found.to_vec()].concat())
            });
            bag(rows)
        });
    }
}

#[test]
fn lookups_report_net_misses_only() {
    // The run ends on the first data error, so anything reported fails the test.
    let lookup = || {
        let lookup =
            LookupStep { pointer: 0, optional: true, allow_misses: false, keep: vec![1], fetch: vec![2] };
        vec![step(StepOp::Lookup(lookup), &[0, 1], vec![DType::Int, DType::Str])]
    };
    let ask = |key, diff| {
        let row = vec![Value::Pointer(Key(key)), int(1)];
        common::batch(&asking().dtypes, &vec![(key + 100, row, diff)])
    };
    let found = |key, diff| {
        let row = vec![int(0), Value::None, Value::from("x")];
        common::batch(&mixed().dtypes, &vec![(key, row, diff)])
    };
    let histories = [
        // The row and what it asks for come at one time.
        (vec![(0, ask(1, 1))], vec![(0, found(1, 1))], 1),
        // An asking row comes and goes at one time.
        (vec![(0, ask(1, 1)), (2, ask(2, 1)), (2, ask(2, -1))], vec![(0, found(1, 1))], 1),
        // Both are removed at one time, the indexed table having ended with it.
        (vec![(0, ask(1, 1)), (2, ask(1, -1))], vec![(0, found(1, 1)), (2, found(1, -1))], 2),
        // What is asked for moves on together with the asking row.
        (
            vec![(0, ask(1, 1)), (2, ask(1, -1)), (2, ask(2, 1))],
            vec![(0, found(1, 1)), (2, found(1, -1)), (2, found(2, 1))],
            3,
        ),
    ];
    for (asks, rows, changes) in histories {
        for workers in [1, 2] {
            let inputs = [(asking().dtypes, asks.clone()), (mixed().dtypes, rows.clone())];
            let out = common::run_steps(&inputs, lookup(), workers, true);
            assert_eq!(out.len(), changes, "{out:?}");
        }
    }
}

#[test]
fn combinations_by_key() {
    let three = || mixed().dtypes;
    let two = || [mixed(), mixed()];
    check(
        "update_rows",
        &two(),
        || vec![step(StepOp::UpdateRows, &[0, 1], three())],
        |inputs| {
            let mut all = inputs[0].clone();
            all.extend(inputs[1].clone());
            bag(all)
        },
    );
    let cells = || StepOp::UpdateCells { cells: vec![(2, 2), (0, 0)] };
    check(
        "update_cells",
        &two(),
        || vec![step(cells(), &[0, 1], three())],
        |inputs| {
            let rows = inputs[0].iter().map(|(key, row)| match inputs[1].get(key) {
                Some(new) => (*key, vec![new[0].clone(), row[1].clone(), new[2].clone()]),
                None => (*key, row.clone()),
            });
            bag(rows)
        },
    );
    check(
        "intersect",
        &two(),
        || vec![step(StepOp::Intersect, &[0, 1], three())],
        |inputs| bag(inputs[0].clone().into_iter().filter(|(k, _)| inputs[1].contains_key(k))),
    );
    check(
        "difference",
        &two(),
        || vec![step(StepOp::Difference, &[0, 1], three())],
        |inputs| bag(inputs[0].clone().into_iter().filter(|(k, _)| !inputs[1].contains_key(k))),
    );
    for exact in [true, false] {
        check(
            "restrict",
            &two(),
            || vec![step(StepOp::Restrict { exact }, &[0, 1], three())],
            |inputs| {
                let rows = inputs[1]
                    .keys()
                    .map(|key| (*key, inputs[0].get(key).cloned().unwrap_or_else(|| vec![Value::Error; 3])));
                bag(rows)
            },
        );
    }
    let six = || [three(), three()].concat();
    check(
        "zip",
        &two(),
        || vec![step(StepOp::Zip, &[0, 1], six())],
        |inputs| {
            let rows = inputs[0]
                .iter()
                .filter_map(|(key, row)| Some((*key, [row.clone(), inputs[1].get(key)?.clone()].concat())));
            bag(rows)
        },
    );
}
