//! Sliding windows are the same whether rows are summed up by panes or assigned to windows one by one:
//! the same rows with the same ids at the same times, under random insertions, updates and removals, with
//! 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Changes, Input, Random, Row, batch, cases, history, run_table};
use pathway_plan::col::reducers;
use pathway_plan::program::{Program, StepOp};
use pathway_plan::{Col, Graph, Rewrites, Span, StaticOptions, Table, Window, col};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

const PLAIN: Rewrites =
    Rewrites { prune: true, share: true, wide: true, carry: true, fuse: true, ..Rewrites::NONE };
const SECOND: i64 = 1_000_000_000;

/// A time of this kind, close to zero or to where windows of datetimes start.
fn time(random: &mut Random, dtype: &DType) -> Value {
    let number = random.below(40) as i64 - 15;
    match dtype {
        DType::Int => Value::Int(number),
        DType::Float => match random.below(12) {
            0 => Value::Float(f64::NAN),
            1 => Value::Float(f64::INFINITY),
            _ => Value::Float(number as f64 * 0.1),
        },
        _ => Value::DateTimeNaive(94_694_400 * SECOND + number * SECOND / 2),
    }
}

/// Instance (or None), time, an integer, a float of any size.
fn row(random: &mut Random, dtype: &DType) -> Row {
    let instance = if random.below(4) == 0 { Value::None } else { Value::Int(random.below(2) as i64) };
    let float =
        *random.pick(&[0.1, 0.2, -0.3, 1e16, -1e16, 1e-300, 1e300, 7.5, f64::INFINITY, f64::NAN, -0.0]);
    vec![instance, time(random, dtype), Value::Int(random.below(9) as i64 - 4), Value::Float(float)]
}

fn input(dtype: &DType) -> Input {
    let row: fn(&mut Random) -> Row = match dtype {
        DType::Int => |random| row(random, &DType::Int),
        DType::Float => |random| row(random, &DType::Float),
        _ => |random| row(random, &DType::DateTimeNaive),
    };
    Input {
        dtypes: vec![DType::optional(DType::Int), dtype.clone(), DType::Int, DType::Float],
        keys: 30,
        row,
    }
}

/// Rows that come and stay.
fn insertions(input: &Input, random: &mut Random, times: usize) -> Vec<(Timestamp, Changes)> {
    let mut next = 0;
    let mut at = |time: usize| {
        let changes = (0..random.below(25)).map(|_| {
            next += 1;
            (u128::from(next * 0x1_0001_9E37u64), (input.row)(random), 1)
        });
        (2 * time as Timestamp, changes.collect())
    };
    (0..times).map(&mut at).collect()
}

fn windows(dtype: &DType, random: &mut Random) -> Window {
    let of = |number: i64| match dtype {
        DType::Int => Value::Int(number),
        DType::Float => Value::Float(number as f64 * 0.1),
        _ => Value::Duration(number * SECOND),
    };
    let hop = 1 + random.below(4) as i64;
    let span = match (dtype, random.below(2)) {
        (DType::Float, _) | (_, 0) => Span::Ratio(2 + random.below(9) as i64),
        // Not a multiple of the hop.
        _ => Span::Duration(of(2 * hop + random.below(9) as i64)),
    };
    let origin = (random.below(2) == 0).then(|| match dtype {
        DType::Int => Value::Int(*random.pick(&[3, -3, -4, 8, i64::MIN, i64::MIN + 5])),
        DType::Float => Value::Float(-0.3),
        _ => Value::DateTimeNaive(94_694_400 * SECOND - 3),
    });
    Window::Sliding { hop: of(hop), span, origin }
}

fn aggregates(all: bool) -> Vec<(&'static str, Col)> {
    let mut columns = vec![
        ("start", col("_pw_window_start")),
        ("end", col("_pw_window_end")),
        ("owner", col("_pw_instance")),
        ("rows", reducers::count()),
        ("ints", reducers::sum(col("n"))),
        ("mean", reducers::avg(col("n"))),
        ("floats", reducers::sum(col("x"))),
        ("middle", reducers::avg(col("x"))),
        ("spread", reducers::variance(col("x"))),
        ("deviation", reducers::deviation(col("n"))),
        // An error where n is 0, which those of other rows leave alone.
        ("parts", reducers::sum(col("n") * 12 / col("n"))),
        ("whole", reducers::sum(Col::from(12i64).floor_div(col("n")))),
    ];
    if all {
        columns.extend([
            ("least", reducers::min(col("n"))),
            ("last", reducers::max(col("t"))),
            ("most", reducers::max(col("x"))),
        ]);
    }
    columns
}

fn panes_of(program: &Program) -> usize {
    let of = |op: &StepOp| matches!(op, StepOp::Reduce(reduce) if reduce.panes.is_some());
    program.steps.iter().filter(|step| of(&step.op)).count()
}

fn table(dtype: &DType, histories: &[(Timestamp, Changes)], input: &Input) -> Table {
    let names = ["i", "t", "n", "x"].into_iter().zip(&input.dtypes);
    let schema = Schema::new(names.map(|(name, dtype)| Field::new(name, dtype.clone())));
    assert_eq!(&schema.fields[1].dtype, dtype);
    let batches = histories.iter().map(|(time, changes)| (*time, batch(&input.dtypes, changes)));
    Graph::new().static_table(&schema, batches.collect(), StaticOptions::default()).unwrap()
}

fn compare(dtype: &DType, only_insertions: bool) {
    let input = input(dtype);
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        let times = 1 + random.below(6) as usize;
        let changes = match only_insertions {
            true => insertions(&input, &mut random, times),
            false => history(&input, &mut random, times),
        };
        let window = windows(dtype, &mut random);
        let instance = (random.below(2) == 0).then(|| col("i"));
        let result = || {
            let rows = table(dtype, &changes, &input);
            let grouped = rows.window_by(col("t"), &window, None, instance.clone()).unwrap();
            grouped.reduce(aggregates(only_insertions)).unwrap()
        };
        let plain = run_table(&result(), PLAIN, 1);
        assert_eq!(panes_of(&plain.0), 0);
        for workers in [1, 3] {
            let (program, rows) = run_table(&result(), Rewrites::default(), workers);
            assert_eq!(panes_of(&program), 1, "{program}");
            assert_eq!(
                text(&rows),
                text(&plain.1),
                "{window:?}, case {case}, {workers} workers: left is by panes"
            );
        }
    }
}

/// NaN is not equal to itself, but its text is.
fn text(rows: &common::Captured) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

#[test]
fn of_integers() {
    compare(&DType::Int, false);
    compare(&DType::Int, true);
}

#[test]
fn of_floats() {
    compare(&DType::Float, false);
    compare(&DType::Float, true);
}

#[test]
fn of_datetimes() {
    compare(&DType::DateTimeNaive, false);
    compare(&DType::DateTimeNaive, true);
}

/// Whether a reduce of sliding windows is done by panes.
fn is_by_panes(hop: i64, span: Span, columns: Vec<(&'static str, Col)>, removals: bool) -> bool {
    are_by_panes(hop, span, None, columns, removals)
}

fn are_by_panes(
    hop: i64,
    span: Span,
    origin: Option<i64>,
    columns: Vec<(&'static str, Col)>,
    removals: bool,
) -> bool {
    let input = input(&DType::Int);
    let mut random = Random::new(1);
    let changes = if removals { history(&input, &mut random, 9) } else { insertions(&input, &mut random, 3) };
    let window = Window::Sliding { hop: Value::Int(hop), span, origin: origin.map(Value::Int) };
    let rows = table(&DType::Int, &changes, &input);
    let result = rows.window_by(col("t"), &window, None, None).unwrap().reduce(columns).unwrap();
    panes_of(&run_table(&result, Rewrites::default(), 1).0) == 1
}

#[test]
fn only_what_can_be_put_together() {
    let count = || vec![("rows", reducers::count())];
    assert!(is_by_panes(1, Span::Ratio(2), count(), true));
    assert!(is_by_panes(4, Span::Duration(Value::Int(10)), count(), true));
    // Wherever they begin.
    for origin in [i64::MIN, -4, -1, 1, 7, i64::MAX - 20] {
        for hop in [1, 3, 5, 8] {
            assert!(are_by_panes(hop, Span::Duration(Value::Int(3 * hop + 1)), Some(origin), count(), true));
        }
    }
    // Windows that do not overlap, or hardly share anything.
    assert!(!is_by_panes(1, Span::Ratio(1), count(), true));
    assert!(!is_by_panes(97, Span::Duration(Value::Int(1000)), count(), true));
    let least = || vec![("least", reducers::min(col("n")))];
    assert!(is_by_panes(1, Span::Ratio(2), least(), false));
    assert!(!is_by_panes(1, Span::Ratio(2), least(), true));
    assert!(!is_by_panes(1, Span::Ratio(2), vec![("all", reducers::tuple(col("n")))], false));
    // What differs from window to window.
    let since = || reducers::sum(col("t") - col("_pw_window_start"));
    assert!(!is_by_panes(1, Span::Ratio(2), vec![("since", since())], false));
}
