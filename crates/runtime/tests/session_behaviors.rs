//! Sessions with behaviors against a model that looks at all rows at every time: rows out of order, updates,
//! removals, with 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::{Captured, Changes, Fact, Random, Row, batch, cases, check_shown, facts, net, run_table};
use pathway_dataflow::operator::END_OF_INPUT;
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Graph, Rewrites, SessionGap, StaticOptions, Window, col};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

/// Intervals are these, so that they are exact as floats, too.
const UNIT: f64 = 0.25;

#[derive(Clone, Copy, Debug)]
struct Case {
    gap: i64,
    delay: Option<i64>,
    cutoff: Option<i64>,
    keeps: bool,
    once: bool,
    float: bool,
}

impl Case {
    fn random(random: &mut Random) -> Case {
        let mut maybe = |most: u64| (random.below(3) > 0).then(|| random.below(most) as i64 - 1);
        let (delay, cutoff) = (maybe(8), maybe(6));
        let keeps = cutoff.is_none() || random.below(2) == 0;
        let (once, float) = (random.below(4) == 0, random.below(3) == 0);
        let gap = 1 + random.below(5) as i64;
        let case = Case { gap, delay, cutoff, keeps, once, float };
        if once { Case { cutoff: cutoff.or(Some(0)), keeps: true, delay: None, ..case } } else { case }
    }

    fn value(&self, number: i64) -> Value {
        if self.float { Value::Float(number as f64 * UNIT) } else { Value::Int(number) }
    }

    fn behavior(&self) -> Behavior {
        let value = |number: Option<i64>| number.map(|number| self.value(number));
        match self.once {
            true => Behavior::ExactlyOnce { shift: value(self.cutoff) },
            false => Behavior::Common {
                delay: value(self.delay),
                cutoff: value(self.cutoff),
                keep_results: self.keeps,
            },
        }
    }
}

type Steps = Vec<(Timestamp, Vec<(Fact, i64)>)>;
/// Instance, start, end, number of rows, sum.
type Shown = (i64, i64, i64, i64, i64);

fn sessions(rows: &BTreeSet<Fact>, gap: i64) -> Vec<Vec<Fact>> {
    let mut order: Vec<Fact> = rows.iter().copied().collect();
    order.sort_by_key(|(id, instance, time, _)| (*instance, *time, *id));
    order.chunk_by(|a, b| a.1 == b.1 && b.2 - a.2 < gap).map(<[Fact]>::to_vec).collect()
}

fn end(session: &[Fact]) -> i64 {
    session.iter().map(|row| row.2).max().unwrap()
}

/// What is shown after each time.
fn model(case: &Case, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
    let mut live: BTreeSet<Fact> = BTreeSet::new();
    let mut frozen: BTreeSet<Shown> = BTreeSet::new();
    let mut clock: Option<i64> = None;
    let over = |session: &[Fact], clock: Option<i64>| match (case.cutoff, clock) {
        (Some(cutoff), Some(clock)) => end(session) + case.gap + cutoff <= clock,
        _ => false,
    };
    let result = |session: &[Fact]| {
        let start = session.iter().map(|row| row.2).min().unwrap();
        (
            session[0].1,
            start,
            end(session),
            session.len() as i64,
            session.iter().map(|row| row.3).sum::<i64>(),
        )
    };
    let mut all = Vec::new();
    for (time, changes) in history {
        let net = net(changes);
        if !net.is_empty() {
            for session in sessions(&live, case.gap).iter().filter(|session| over(session, clock)) {
                session.iter().for_each(|row| _ = live.remove(row));
                if case.keeps {
                    frozen.insert(result(session));
                }
            }
        }
        net.iter().filter(|(_, diff)| **diff < 0).for_each(|(row, _)| _ = live.remove(row));
        let new: BTreeSet<Fact> = net.iter().filter(|(_, diff)| **diff > 0).map(|(row, _)| *row).collect();
        live.extend(&new);
        for session in sessions(&live, case.gap).iter().filter(|session| over(session, clock)) {
            session.iter().filter(|row| new.contains(row)).for_each(|row| _ = live.remove(row));
        }
        clock = clock.into_iter().chain(net.keys().map(|row| row.2)).max();
        let is_shown = |session: &&Vec<Fact>| {
            let started =
                case.delay.is_none_or(|delay| clock.is_some_and(|clock| result(session).1 + delay <= clock));
            over(session, clock) || (!case.once && started)
        };
        let shown = sessions(&live, case.gap);
        let shown = shown.iter().filter(is_shown).map(|session| result(session));
        all.push((*time, shown.chain(frozen.iter().copied()).collect()));
    }
    let rest = sessions(&live, case.gap);
    all.push((END_OF_INPUT, rest.iter().map(|session| result(session)).chain(frozen).collect()));
    all
}

fn run(case: &Case, history: &Steps, workers: usize) -> Captured {
    let time = if case.float { DType::Float } else { DType::Int };
    let dtypes = [DType::Int, time, DType::Int];
    let fields = ["i", "t", "n"].into_iter().zip(&dtypes);
    let schema = Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype.clone())));
    let batches = history.iter().map(|(time, changes)| {
        let row = |(id, instance, time, number): &Fact| -> (u128, Row) {
            (*id, vec![Value::Int(*instance), case.value(*time), Value::Int(*number)])
        };
        let changes: Changes = changes.iter().map(|(fact, diff)| (row(fact).0, row(fact).1, *diff)).collect();
        (*time, batch(&dtypes, &changes))
    });
    let rows = Graph::new().static_table(&schema, batches.collect(), StaticOptions::default()).unwrap();
    let window = Window::Session(SessionGap::LessThan(case.value(case.gap)));
    let sessions = rows.window_by(col("t"), &window, Some(&case.behavior()), Some(col("i"))).unwrap();
    let result = sessions.reduce([
        ("owner", col("_pw_instance")),
        ("start", col("_pw_window_start")),
        ("end", col("_pw_window_end")),
        ("rows", reducers::count()),
        ("sum", reducers::sum(col("n"))),
        // Read through the table of sessions, row by row.
        ("ends", reducers::max(col("_pw_window_end"))),
    ]);
    run_table(&result.unwrap(), Rewrites::default(), workers).1
}

fn number(case: &Case, value: &Value) -> i64 {
    match value {
        Value::Float(number) => (number / UNIT) as i64,
        Value::Int(number) if case.float => panic!("{number} is no float"),
        Value::Int(number) => *number,
        other => panic!("{other}"),
    }
}

#[test]
fn are_as_in_the_model() {
    for seed in 0..cases() * 25 {
        let mut random = Random::new(seed + 1);
        let case = Case::random(&mut random);
        let history = facts(&mut random, 14);
        let expected = model(&case, &history);
        for workers in if seed % 10 == 0 { vec![1, 3] } else { vec![1] } {
            let shown = |row: &[Value]| {
                assert_eq!(row[2], row[5]);
                let int =
                    |cell: &Value| if let Value::Int(number) = cell { *number } else { panic!("{cell}") };
                (int(&row[0]), number(&case, &row[1]), number(&case, &row[2]), int(&row[3]), int(&row[4]))
            };
            let about = || format!("{case:?}, seed {seed}, {workers} workers\n{history:?}\n");
            check_shown(&run(&case, &history, workers), &expected, shown, &about);
        }
    }
}
