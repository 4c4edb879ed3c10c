//! Sessions with behaviors against a model that looks at all rows at every time: rows out of order, updates,
//! removals, with 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Captured, Changes, Random, Row, batch, cases, run_table};
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

/// Id, instance, time, number.
type Fact = (u128, i64, i64, i64);

/// Changes whose times go on, with rows that are late or early.
fn history(random: &mut Random) -> Vec<(Timestamp, Vec<(Fact, i64)>)> {
    let mut state: BTreeMap<u128, Fact> = BTreeMap::new();
    let mut all = Vec::new();
    let pace = random.below(4) as i64;
    for step in 0..1 + random.below(14) as i64 {
        let mut changes = Vec::new();
        for _ in 0..random.below(5) {
            let id = u128::from(random.below(16)).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            let old = state.remove(&id);
            changes.extend(old.map(|old| (old, -1)));
            if old.is_none() || random.below(2) == 0 {
                let time = step * pace + random.below(14) as i64 - 7;
                let fact = (id, random.below(2) as i64, time, random.below(100) as i64);
                state.insert(id, fact);
                changes.push((fact, 1));
            }
        }
        if !changes.is_empty() {
            all.push((2 * step as Timestamp + 2, changes));
        }
    }
    all
}

/// Start, end, number of rows, sum.
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
fn model(case: &Case, history: &[(Timestamp, Vec<(Fact, i64)>)]) -> Vec<(Timestamp, BTreeSet<Shown>)> {
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
        let mut net: BTreeMap<Fact, i64> = BTreeMap::new();
        changes.iter().for_each(|(row, diff)| *net.entry(*row).or_default() += diff);
        net.retain(|_, diff| *diff != 0);
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

fn run(case: &Case, history: &[(Timestamp, Vec<(Fact, i64)>)], workers: usize) -> Captured {
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
        let history = history(&mut random);
        let expected = model(&case, &history);
        for workers in if seed % 10 == 0 { vec![1, 3] } else { vec![1] } {
            let rows = run(&case, &history, workers);
            let mut ids: BTreeMap<(u128, Shown), i64> = BTreeMap::new();
            let mut left = rows.iter().peekable();
            for (time, shown) in &expected {
                let mut net: BTreeMap<(u128, Shown), i64> = BTreeMap::new();
                while let Some((at, id, row, diff)) = left.next_if(|row| row.0 <= *time) {
                    assert_eq!(
                        at, time,
                        "{case:?}, seed {seed}: output at a time of its own: {row:?}\n{history:?}"
                    );
                    assert_eq!(row[2], row[5]);
                    let int =
                        |cell: &Value| if let Value::Int(number) = cell { *number } else { panic!("{cell}") };
                    let cells = (
                        int(&row[0]),
                        number(&case, &row[1]),
                        number(&case, &row[2]),
                        int(&row[3]),
                        int(&row[4]),
                    );
                    *net.entry((*id, cells)).or_default() += diff;
                    *ids.entry((*id, cells)).or_default() += diff;
                }
                assert!(net.values().all(|diff| diff.abs() == 1), "{case:?}, seed {seed}: {net:?}");
                ids.retain(|_, count| *count != 0);
                assert!(ids.values().all(|count| *count == 1), "{case:?}, seed {seed}, time {time}: {ids:?}");
                let found: BTreeSet<Shown> = ids.keys().map(|(_, cells)| *cells).collect();
                assert_eq!(
                    &found, shown,
                    "{case:?}, seed {seed}, {workers} workers, time {time}: left is the engine's\n{history:?}"
                );
            }
            assert_eq!(left.next(), None);
        }
    }
}
