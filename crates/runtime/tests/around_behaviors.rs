//! Windows around values with behaviors against a model that looks at all rows and values at every time.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Captured, Changes, Random, batch, cases, check_shown, net, run_table};
use pathway_dataflow::operator::END_OF_INPUT;
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Around, Graph, Rewrites, StaticOptions, Table, Window, col};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

#[derive(Clone, Copy, Debug)]
struct Case {
    lower: i64,
    upper: i64,
    delay: Option<i64>,
    cutoff: Option<i64>,
    keeps: bool,
    once: bool,
    outer: bool,
}

impl Case {
    fn random(random: &mut Random) -> Case {
        let mut maybe = |most: u64| (random.below(3) > 0).then(|| random.below(most) as i64);
        let (delay, cutoff) = (maybe(9), maybe(6));
        let keeps = cutoff.is_none() || random.below(2) == 0;
        let lower = random.below(7) as i64 - 4;
        let upper = lower + random.below(6) as i64;
        let (once, outer) = (random.below(4) == 0, random.below(2) == 0);
        let case = Case { lower, upper, delay, cutoff, keeps, once, outer };
        if once { Case { cutoff: cutoff.or(Some(0)), keeps: true, delay: None, ..case } } else { case }
    }

    fn behavior(&self) -> Behavior {
        let value = |number: Option<i64>| number.map(Value::Int);
        match self.once {
            true => Behavior::ExactlyOnce { shift: value(self.cutoff) },
            false => Behavior::Common {
                delay: value(self.delay),
                cutoff: value(self.cutoff),
                keep_results: self.keeps,
            },
        }
    }

    fn is_over(&self, value: i64, clock: Option<i64>) -> bool {
        let over = self.cutoff.map(|cutoff| value + self.upper + cutoff);
        over.is_some_and(|over| clock.is_some_and(|clock| over <= clock))
    }

    fn is_shown(&self, value: i64, clock: Option<i64>) -> bool {
        let started = |delay: i64| clock.is_some_and(|clock| value + self.lower + delay <= clock);
        self.is_over(value, clock) || (!self.once && self.delay.is_none_or(started))
    }
}

/// Id, time, number (of a value: none).
type Fact = (u128, i64, i64);
type Steps = Vec<(Timestamp, Vec<(Fact, i64)>)>;
/// Value, number of rows, numbers in order.
type Shown = (i64, i64, Vec<Option<i64>>);

fn history(random: &mut Random, steps: i64, pace: i64) -> Steps {
    let mut state: BTreeMap<u128, Fact> = BTreeMap::new();
    let mut all = Vec::new();
    for step in 0..steps {
        let mut changes = Vec::new();
        for _ in 0..random.below(4) {
            let id = u128::from(random.below(14)).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            let old = state.remove(&id);
            changes.extend(old.map(|old| (old, -1)));
            if old.is_none() || random.below(2) == 0 {
                let fact = (id, step * pace + random.below(12) as i64 - 6, random.below(100) as i64);
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

fn changes_at(steps: &Steps, time: Timestamp) -> BTreeMap<Fact, i64> {
    let changes = steps.iter().filter(|(at, _)| *at == time).flat_map(|(_, changes)| changes.iter().copied());
    net(&changes.collect::<Vec<_>>())
}

fn apply(state: &mut BTreeSet<Fact>, changes: &BTreeMap<Fact, i64>) {
    changes.iter().filter(|(_, diff)| **diff < 0).for_each(|(row, _)| _ = state.remove(row));
    state.extend(changes.iter().filter(|(_, diff)| **diff > 0).map(|(row, _)| *row));
}

/// What is shown after each time.
fn model(case: &Case, rows: &Steps, values: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
    let (mut live, mut open): (BTreeSet<Fact>, BTreeSet<Fact>) = Default::default();
    let mut frozen: BTreeSet<Shown> = BTreeSet::new();
    let mut clock: Option<i64> = None;
    let results = |live: &BTreeSet<Fact>, open: &BTreeSet<Fact>, which: &dyn Fn(i64) -> bool| {
        let wanted: BTreeSet<i64> = open.iter().map(|value| value.1).filter(|value| which(*value)).collect();
        let of = |value: i64| -> Option<Shown> {
            let inside = |t: i64| value + case.lower <= t && t <= value + case.upper;
            let mut numbers: Vec<Option<i64>> = Vec::new();
            for _ in open.iter().filter(|other| other.1 == value) {
                numbers.extend(live.iter().filter(|row| inside(row.1)).map(|row| Some(row.2)));
                if case.outer && !live.iter().any(|row| inside(row.1)) {
                    numbers.push(None);
                }
            }
            numbers.sort_unstable();
            (!numbers.is_empty()).then_some((value, numbers.len() as i64, numbers))
        };
        wanted.into_iter().filter_map(of).collect::<BTreeSet<Shown>>()
    };
    let times: BTreeSet<Timestamp> = rows.iter().chain(values).map(|(time, _)| *time).collect();
    let mut all = Vec::new();
    for time in times {
        let (mut changes, mut new) = (changes_at(rows, time), changes_at(values, time));
        let now = clock.into_iter().chain(changes.keys().map(|row| row.1)).max();
        let needed = case.upper - case.lower;
        changes.retain(|row, _| {
            case.cutoff.is_none_or(|cutoff| clock.is_none_or(|clock| row.1 + needed + cutoff > clock))
        });
        new.retain(|value, _| !case.is_over(value.1, clock));
        if case.keeps || !changes.is_empty() {
            open.retain(|value| !case.is_over(value.1, clock));
        }
        apply(&mut open, &new);
        apply(&mut live, &changes);
        clock = now;
        let shown = results(&live, &open, &|value| case.is_shown(value, clock));
        let mut both = frozen.clone();
        both.extend(shown);
        all.push((time, both));
        if case.keeps {
            frozen.extend(results(&live, &open, &|value| case.is_over(value, clock)));
            open.retain(|value| !case.is_over(value.1, clock));
        }
    }
    frozen.extend(results(&live, &open, &|_| true));
    all.push((END_OF_INPUT, frozen));
    all
}

fn table(graph: &Graph, steps: &Steps) -> Table {
    let dtypes = [DType::Int, DType::Int];
    let schema = Schema::new(["t", "n"].map(|name| Field::new(name, DType::Int)));
    let batches = steps.iter().map(|(time, changes)| {
        let changes: Changes = changes
            .iter()
            .map(|((id, time, number), diff)| (*id, vec![Value::Int(*time), Value::Int(*number)], *diff))
            .collect();
        (*time, batch(&dtypes, &changes))
    });
    graph.static_table(&schema, batches.collect(), StaticOptions::default()).unwrap()
}

fn run(case: &Case, rows: &Steps, values: &Steps, workers: usize) -> Captured {
    let graph = Graph::new();
    let (rows, probes) = (table(&graph, rows), table(&graph, values));
    let [lower, upper] = [case.lower, case.upper].map(Value::Int);
    let at = probes.col("t").unwrap();
    let window = Window::Around(Box::new(Around { probes, at, lower, upper, outer: case.outer }));
    let grouped = rows.window_by(col("t"), &window, Some(&case.behavior()), None).unwrap();
    let result = grouped.reduce([
        ("at", col("_pw_window_location")),
        ("rows", reducers::count()),
        ("numbers", reducers::sorted_tuple(col("n"))),
    ]);
    run_table(&result.unwrap(), Rewrites::default(), workers).1
}

fn shown(row: &[Value]) -> Shown {
    let int = |cell: &Value| match cell {
        Value::Int(number) => Some(*number),
        Value::None => None,
        other => panic!("{other}"),
    };
    let Value::Tuple(numbers) = &row[2] else { panic!("{}", row[2]) };
    (int(&row[0]).unwrap(), int(&row[1]).unwrap(), numbers.iter().map(int).collect())
}

#[test]
fn are_as_in_the_model() {
    for seed in 0..cases() * 20 {
        let mut random = Random::new(seed + 1);
        let case = Case::random(&mut random);
        let (steps, pace) = (1 + random.below(12) as i64, random.below(4) as i64);
        let rows = history(&mut random, steps, pace);
        let values = history(&mut random, steps, pace);
        let expected = model(&case, &rows, &values);
        for workers in if seed % 10 == 0 { vec![1, 3] } else { vec![1] } {
            let about =
                || format!("{case:?}, seed {seed}, {workers} workers\nrows {rows:?}\nvalues {values:?}\n");
            check_shown(&run(&case, &rows, &values, workers), &expected, shown, &about);
        }
    }
}
