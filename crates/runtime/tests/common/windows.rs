//! Runs windows with behaviors over random histories, with 1 and 3 workers, and compares what they show with
//! a model.

use std::collections::BTreeSet;
use std::fmt::Debug;

use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Col, Graph, Rewrites, StaticOptions, Window, col};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

use super::{Captured, Changes, Fact, Random, Row, batch, cases, check_shown, facts, run_table};

/// Times and intervals are so many of these, so that they are exact as floats, too.
const UNIT: f64 = 0.25;

pub type Steps = Vec<(Timestamp, Vec<(Fact, i64)>)>;
/// Instance, start, end, number of rows, sum, and what the case has more.
pub type Shown = (i64, i64, i64, i64, i64, i64);

/// Windows and their behavior.
pub trait Case: Debug + Sized {
    fn random(random: &mut Random) -> Self;
    /// Times are floats.
    fn is_float(&self) -> bool;
    fn window(&self) -> Window;
    fn behavior(&self) -> Option<Behavior>;
    /// One more number of a window.
    fn more() -> Col;
    /// What is shown after each time, and at the end.
    fn model(&self, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)>;

    /// A time or an interval.
    fn value(&self, number: i64) -> Value {
        if self.is_float() { Value::Float(number as f64 * UNIT) } else { Value::Int(number) }
    }
}

/// Checks so many histories for each that is asked for.
pub fn are_as_in_the_model<C: Case>(histories: u64) {
    for seed in 0..cases() * histories {
        let mut random = Random::new(seed + 1);
        let case = C::random(&mut random);
        let history = facts(&mut random, 14);
        let expected = case.model(&history);
        for workers in if seed % 10 == 0 { vec![1, 3] } else { vec![1] } {
            let about = || format!("{case:?}, seed {seed}, {workers} workers\n{history:?}\n");
            check_shown(&run(&case, &history, workers), &expected, |row| shown(&case, row), &about);
        }
    }
}

fn run<C: Case>(case: &C, history: &Steps, workers: usize) -> Captured {
    let time = if case.is_float() { DType::Float } else { DType::Int };
    let dtypes = [DType::Int, time, DType::Int];
    let fields = ["i", "t", "n"].into_iter().zip(&dtypes);
    let schema = Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype.clone())));
    let batches = history.iter().map(|(time, changes)| {
        let row = |(_, instance, time, number): &Fact| -> Row {
            vec![Value::Int(*instance), case.value(*time), Value::Int(*number)]
        };
        let changes: Changes = changes.iter().map(|(fact, diff)| (fact.0, row(fact), *diff)).collect();
        (*time, batch(&dtypes, &changes))
    });
    let rows = Graph::new().static_table(&schema, batches.collect(), StaticOptions::default()).unwrap();
    let windows = rows.window_by(col("t"), &case.window(), case.behavior().as_ref(), Some(col("i"))).unwrap();
    let result = windows.reduce([
        ("owner", col("_pw_instance")),
        ("start", col("_pw_window_start")),
        ("end", col("_pw_window_end")),
        ("rows", reducers::count()),
        ("sum", reducers::sum(col("n"))),
        ("more", C::more()),
    ]);
    run_table(&result.unwrap(), Rewrites::default(), workers).1
}

fn shown<C: Case>(case: &C, row: &[Value]) -> Shown {
    let number = |cell: &Value| match cell {
        Value::Int(number) => *number,
        Value::Float(number) => (number / UNIT) as i64,
        other => panic!("{other}"),
    };
    for time in &row[1..3] {
        assert_eq!(matches!(time, Value::Float(_)), case.is_float(), "{time}");
    }
    let [owner, start, end, rows, sum, more] = row else { panic!("{row:?}") };
    (number(owner), number(start), number(end), number(rows), number(sum), number(more))
}
