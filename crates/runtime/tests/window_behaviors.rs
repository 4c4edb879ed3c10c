//! Tumbling and sliding windows with and without behaviors against a model that goes from record to record, a
//! record being a row in one of its windows: rows out of order, updates, removals, with 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Captured, Changes, Fact, Random, Row, batch, cases, check_shown, facts, net, run_table};
use pathway_dataflow::operator::END_OF_INPUT;
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Graph, Rewrites, Span, StaticOptions, Window, col};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

/// Times and intervals are so many of these, so that they are exact as floats, too.
const UNIT: f64 = 0.25;

#[derive(Clone, Copy, Debug)]
struct Case {
    hop: i64,
    /// In hops, or else as a length.
    ratio: Option<i64>,
    length: i64,
    origin: Option<i64>,
    /// Without one, windows follow every row.
    behaves: bool,
    delay: Option<i64>,
    cutoff: Option<i64>,
    keeps: bool,
    once: bool,
    float: bool,
}

impl Case {
    fn random(random: &mut Random) -> Case {
        let hop = 1 + random.below(5) as i64;
        let ratio = (random.below(3) > 0).then(|| 1 + random.below(4) as i64);
        // Less than a hop: there are gaps.
        let length = ratio.map_or(1 + random.below(12) as i64, |ratio| hop * ratio);
        let origin = (random.below(3) == 0).then(|| random.below(9) as i64 - 4);
        let mut maybe = |most: u64| (random.below(3) > 0).then(|| random.below(most) as i64 - 2);
        let (delay, cutoff) = (maybe(14), maybe(8));
        let keeps = cutoff.is_none() || random.below(2) == 0;
        let (behaves, once) = (random.below(8) > 0, random.below(4) == 0);
        let case = Case {
            hop,
            ratio,
            length,
            origin,
            behaves,
            delay: delay.filter(|_| behaves),
            cutoff: cutoff.filter(|_| behaves),
            keeps: keeps || !behaves,
            once: once && behaves,
            float: random.below(3) == 0,
        };
        if !case.once {
            return case;
        }
        let shift = cutoff.unwrap_or(0);
        Case { delay: Some(length + shift), cutoff: Some(shift), keeps: true, ..case }
    }

    fn value(&self, number: i64) -> Value {
        if self.float { Value::Float(number as f64 * UNIT) } else { Value::Int(number) }
    }

    fn window(&self) -> Window {
        let span = self.ratio.map_or(Span::Duration(self.value(self.length)), Span::Ratio);
        let origin = self.origin.map(|origin| self.value(origin));
        Window::Sliding { hop: self.value(self.hop), span, origin }
    }

    fn behavior(&self) -> Option<Behavior> {
        let value = |number: Option<i64>| number.map(|number| self.value(number));
        let common = Behavior::Common {
            delay: value(self.delay),
            cutoff: value(self.cutoff),
            keep_results: self.keeps,
        };
        let once = Behavior::ExactlyOnce { shift: value(self.cutoff) };
        self.behaves.then_some(if self.once { once } else { common })
    }

    /// The row in each of its windows.
    fn records(&self, row: Fact) -> Vec<Record> {
        let origin = self.origin.unwrap_or(0);
        let starts = -40..60;
        let starts =
            starts.map(|k| k * self.hop + origin).filter(|start| self.origin.is_none_or(|o| *start >= o));
        let inside = |start: &i64| *start <= row.2 && row.2 < start + self.length;
        starts.filter(inside).map(|start| Record { row, start, end: start + self.length }).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    row: Fact,
    start: i64,
    end: i64,
}

/// The largest time so far.
#[derive(Default)]
struct Clock(Option<i64>);

impl Clock {
    fn has_reached(&self, threshold: Option<i64>) -> bool {
        threshold.is_some_and(|threshold| self.0.is_some_and(|clock| threshold <= clock))
    }
    fn hear(&mut self, times: impl IntoIterator<Item = i64>) {
        self.0 = self.0.into_iter().chain(times).max();
    }
}

/// Instance, start, end, number of rows, sum, greatest.
type Shown = (i64, i64, i64, i64, i64, i64);

struct Model<'a> {
    case: &'a Case,
    /// Of what is late, what is held back, what is forgotten.
    clocks: [Clock; 3],
    held: BTreeMap<Record, i64>,
    live: BTreeSet<Record>,
    frozen: BTreeSet<Shown>,
}

impl Model<'_> {
    fn over(&self, record: &Record) -> Option<i64> {
        self.case.cutoff.map(|cutoff| record.end + cutoff)
    }

    /// When it is shown.
    fn due(&self, record: &Record) -> Option<i64> {
        self.case.delay.map(|delay| record.start + delay)
    }

    fn step(&mut self, changes: &BTreeMap<Record, i64>) {
        let mut passing = changes.clone();
        passing.retain(|record, _| !self.clocks[0].has_reached(self.over(record)));
        self.clocks[0].hear(changes.keys().map(|record| record.row.2));
        if self.case.delay.is_some() {
            self.clocks[1].hear(passing.keys().map(|record| record.row.2));
            passing.iter().for_each(|(record, diff)| *self.held.entry(*record).or_default() += diff);
            self.held.retain(|_, diff| *diff != 0);
            let all = std::mem::take(&mut self.held);
            (passing, self.held) =
                all.into_iter().partition(|(record, _)| self.clocks[1].has_reached(self.due(record)));
        }
        self.take(&passing);
    }

    fn take(&mut self, changes: &BTreeMap<Record, i64>) {
        changes.iter().filter(|(_, diff)| **diff < 0).for_each(|(record, _)| _ = self.live.remove(record));
        self.live.extend(changes.iter().filter(|(_, diff)| **diff > 0).map(|(record, _)| *record));
        if changes.is_empty() {
            return;
        }
        let over = |record: &&Record| self.clocks[2].has_reached(self.over(record));
        let forgotten: Vec<Record> = self.live.iter().filter(over).copied().collect();
        if self.case.keeps {
            // Windows go as a whole: all their records are over at once.
            let gone: BTreeSet<Record> = forgotten.iter().copied().collect();
            self.frozen.extend(results(&gone));
        }
        forgotten.iter().for_each(|record| _ = self.live.remove(record));
        let key = |record: &Record| self.due(record).map_or(record.row.2, |due| due.max(record.row.2));
        let keys: Vec<i64> = changes.keys().map(key).collect();
        self.clocks[2].hear(keys);
    }

    fn shown(&self) -> BTreeSet<Shown> {
        results(&self.live).chain(self.frozen.iter().copied()).collect()
    }
}

fn results(records: &BTreeSet<Record>) -> impl Iterator<Item = Shown> {
    let mut windows: BTreeMap<(i64, i64, i64), Vec<i64>> = BTreeMap::new();
    for record in records {
        windows.entry((record.row.1, record.start, record.end)).or_default().push(record.row.3);
    }
    windows.into_iter().map(|((instance, start, end), numbers)| {
        let most = numbers.iter().max().copied().unwrap();
        (instance, start, end, numbers.len() as i64, numbers.iter().sum(), most)
    })
}

type Steps = Vec<(Timestamp, Vec<(Fact, i64)>)>;

/// What is shown after each time.
fn model(case: &Case, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
    let mut model = Model {
        case,
        clocks: Default::default(),
        held: BTreeMap::new(),
        live: BTreeSet::new(),
        frozen: BTreeSet::new(),
    };
    let mut all = Vec::new();
    for (time, changes) in history {
        let changes = net(changes).into_iter();
        let records = changes.flat_map(|(row, diff)| case.records(row).into_iter().map(move |r| (r, diff)));
        model.step(&records.collect());
        all.push((*time, model.shown()));
    }
    let rest = std::mem::take(&mut model.held);
    model.take(&rest);
    all.push((END_OF_INPUT, model.shown()));
    all
}

fn run(case: &Case, history: &Steps, workers: usize) -> Captured {
    let time = if case.float { DType::Float } else { DType::Int };
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
        ("most", reducers::max(col("n"))),
    ]);
    run_table(&result.unwrap(), Rewrites::default(), workers).1
}

#[test]
fn are_as_in_the_model() {
    for seed in 0..cases() * 40 {
        let mut random = Random::new(seed + 1);
        let case = Case::random(&mut random);
        let history = facts(&mut random, 14);
        let expected = model(&case, &history);
        for workers in if seed % 10 == 0 { vec![1, 3] } else { vec![1] } {
            let shown = |row: &[Value]| {
                let int =
                    |cell: &Value| if let Value::Int(number) = cell { *number } else { panic!("{cell}") };
                let time = |cell: &Value| match cell {
                    Value::Float(number) if case.float => (number / UNIT) as i64,
                    other => int(other),
                };
                (int(&row[0]), time(&row[1]), time(&row[2]), int(&row[3]), int(&row[4]), int(&row[5]))
            };
            let about = || format!("{case:?}, seed {seed}, {workers} workers\n{history:?}\n");
            check_shown(&run(&case, &history, workers), &expected, shown, &about);
        }
    }
}
