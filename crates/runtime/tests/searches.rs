//! Searches for what is nearest, against a plain model: random histories of queries and items, at every
//! time, with 1, 2 and 4 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{
    Bag, Captured, Input, Random, Row, Table, bag, batch, cases, check, history, run_steps, state_at, step,
};
use pathway_index::Metric;
use pathway_plan::program::{StatefulStep, Step, StepOp};
use pathway_plan::{Search, StatefulKind};
use pathway_types::{DType, JsonText, Key, KeyHasher, Timestamp, Value};

fn vector(random: &mut Random) -> Value {
    let elements: Vec<Value> = (0..2).map(|_| Value::Float(*random.pick(&[-1.0, 0.0, 0.5, 2.0]))).collect();
    Value::Tuple(elements.into())
}

/// A vector, a number, a filter that may be None or wrong.
fn queries() -> Input {
    Input {
        dtypes: vec![DType::list(DType::Float), DType::Int, DType::optional(DType::Str)],
        keys: 8,
        row: |random| {
            let filter = *random.pick(&["", "", "n == `1`", "contains(n, 'x')", "n =="]);
            let filter = if filter.is_empty() { Value::None } else { Value::from(filter) };
            vec![vector(random), Value::Int(random.below(4) as i64), filter]
        },
    }
}

/// A vector, metadata, a number and a text.
fn items() -> Input {
    Input {
        dtypes: vec![DType::list(DType::Float), DType::Json, DType::Int, DType::optional(DType::Str)],
        keys: 12,
        row: |random| {
            let metadata = *random.pick(&["{\"n\":1}", "{\"n\":2}", "{\"n\":1}", "{\"n\":\"x\"}"]);
            let text = random.pick(&[Value::None, Value::from("a"), Value::from("long enough")]).clone();
            let metadata = Value::Json(JsonText::from_compact(metadata));
            vec![vector(random), metadata, Value::Int(random.below(3) as i64), text]
        },
    }
}

fn search(as_of_now: bool, collapsed: bool) -> Vec<Step> {
    let how = Search {
        metric: Metric::SquaredEuclidean,
        dimensions: 2,
        filtered: true,
        lenient: true,
        as_of_now,
        collapsed,
    };
    let spec = StatefulStep { kind: StatefulKind::Search(how), controls: 3, name: None };
    let (id, text) = (DType::ANY_POINTER, DType::optional(DType::Str));
    let columns = match collapsed {
        true => [id, DType::Float, DType::Int, text].map(DType::list).to_vec(),
        false => vec![
            id.clone(),
            DType::optional(id),
            DType::optional(DType::Float),
            DType::optional(DType::Int),
            text,
        ],
    };
    vec![step(StepOp::Stateful(spec), &[0, 1], columns)]
}

fn distance(left: &Value, right: &Value) -> f64 {
    let (Value::Tuple(left), Value::Tuple(right)) = (left, right) else { panic!("vectors") };
    let squares = left.iter().zip(right.iter()).map(|(l, r)| match (l, r) {
        (Value::Float(l), Value::Float(r)) => (l - r) * (l - r),
        _ => panic!("numbers"),
    });
    squares.sum()
}

/// The items of a query's answer with their distances, nearest first.
fn answer<'a>(query: &Row, items: &'a Table) -> Vec<(f64, u128, &'a Row)> {
    let Value::Int(limit) = query[1] else { panic!("a number") };
    let mut all: Vec<(f64, u128, &Row)> =
        items.iter().map(|(key, row)| (distance(&query[0], &row[0]), *key, row)).collect();
    all.sort_by(|l, r| l.0.total_cmp(&r.0).then(l.1.cmp(&r.1)));
    let metadata = |row: &Row| row[1].to_string();
    let mut found = Vec::new();
    for item in all {
        if found.len() == limit as usize {
            break;
        }
        let accepted = match &query[2] {
            Value::None => true,
            Value::Str(filter) if **filter == *"n == `1`" => metadata(item.2).contains('1'),
            // The number 1 or 2 contains nothing: the query fails.
            Value::Str(filter) if filter.starts_with("contains") && metadata(item.2).contains('x') => true,
            _ => return Vec::new(),
        };
        if accepted {
            found.push(item);
        }
    }
    found
}

fn rows(key: u128, query: &Row, items: &Table, collapsed: bool) -> Vec<(u128, Row)> {
    let found = answer(query, items);
    if collapsed {
        let list = |cell: &dyn Fn(&(f64, u128, &Row)) -> Value| {
            Value::Tuple(found.iter().map(cell).collect::<Vec<_>>().into())
        };
        let row = vec![
            list(&|f| Value::Pointer(Key(f.1))),
            list(&|f| Value::Float(f.0)),
            list(&|f| f.2[2].clone()),
            list(&|f| f.2[3].clone()),
        ];
        return vec![(key, row)];
    }
    let id = |item: Option<u128>| {
        let mut hasher = KeyHasher::default();
        hasher.pointer(Key(key));
        match item {
            Some(item) => hasher.pointer(Key(item)),
            None => hasher.none(),
        }
        hasher.finish().0
    };
    if found.is_empty() {
        let none = || Value::None;
        return vec![(id(None), vec![Value::Pointer(Key(key)), none(), none(), none(), none()])];
    }
    let row = |f: &(f64, u128, &Row)| {
        let cells = [Value::Pointer(Key(key)), Value::Pointer(Key(f.1)), Value::Float(f.0)];
        (id(Some(f.1)), cells.into_iter().chain(f.2[2..].iter().cloned()).collect())
    };
    found.iter().map(row).collect()
}

#[test]
fn answers_follow_the_items() {
    for collapsed in [true, false] {
        let model = |inputs: &[Table]| {
            bag(inputs[0].iter().flat_map(|(key, query)| rows(*key, query, &inputs[1], collapsed)))
        };
        check("search", &[queries(), items()], || search(false, collapsed), model);
    }
}

/// Each query row has the answer that there was when it came, until it is removed.
fn as_of_now(
    queries: &[(Timestamp, common::Changes)],
    items: &[(Timestamp, common::Changes)],
    at: Timestamp,
) -> Bag {
    let mut shown: BTreeMap<(u128, Row), (u128, Row)> = BTreeMap::new();
    for (time, _) in queries.iter().filter(|(time, _)| *time <= at) {
        let (now, items) = (state_at(queries, *time), state_at(items, *time));
        shown.retain(|(key, row), _| now.get(key) == Some(row));
        for (key, query) in &now {
            shown.entry((*key, query.clone())).or_insert_with(|| rows(*key, query, &items, true).remove(0));
        }
    }
    bag(shown.into_values())
}

#[test]
fn answers_as_of_now_stay() {
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        let inputs = [queries(), items()];
        let histories: Vec<_> = inputs.iter().map(|input| history(input, &mut random, 6)).collect();
        let timed = inputs.iter().zip(&histories).map(|(input, history)| {
            let batches = history.iter().map(|(time, changes)| (*time, batch(&input.dtypes, changes)));
            (input.dtypes.clone(), batches.collect::<Vec<_>>())
        });
        let timed: Vec<_> = timed.collect();
        for workers in [1, 2, 4] {
            let rows: Captured = run_steps(&timed, search(true, true), workers, false);
            let times = histories[0].iter().map(|(time, _)| *time);
            assert!(
                rows.iter().all(|(time, ..)| times.clone().any(|t| t == *time)),
                "only queries give rows"
            );
            for at in times {
                let mut seen = Bag::new();
                for (_, key, row, diff) in rows.iter().filter(|(time, ..)| *time <= at) {
                    *seen.entry((*key, row.clone())).or_insert(0) += diff;
                }
                seen.retain(|_, count| *count != 0);
                assert_eq!(
                    seen,
                    as_of_now(&histories[0], &histories[1], at),
                    "case {case}, {workers} workers"
                );
            }
        }
    }
}
