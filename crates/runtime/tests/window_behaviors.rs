//! Tumbling and sliding windows with and without behaviors against a model that goes from record to record, a
//! record being a row in one of its windows: rows out of order, updates, removals, with 1 and 3 workers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::windows::{Case, Shown, Steps, are_as_in_the_model};
use common::{Fact, Random, net};
use pathway_dataflow::operator::END_OF_INPUT;
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Col, Span, Window, col};
use pathway_types::Timestamp;

#[derive(Clone, Copy, Debug)]
struct Grid {
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

impl Case for Grid {
    fn random(random: &mut Random) -> Grid {
        let hop = 1 + random.below(5) as i64;
        let ratio = (random.below(3) > 0).then(|| 1 + random.below(4) as i64);
        // Less than a hop: there are gaps.
        let length = ratio.map_or(1 + random.below(12) as i64, |ratio| hop * ratio);
        let origin = (random.below(3) == 0).then(|| random.below(9) as i64 - 4);
        let mut maybe = |most: u64| (random.below(3) > 0).then(|| random.below(most) as i64 - 2);
        let (delay, cutoff) = (maybe(14), maybe(8));
        let keeps = cutoff.is_none() || random.below(2) == 0;
        let (behaves, once) = (random.below(8) > 0, random.below(4) == 0);
        let case = Grid {
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
        Grid { delay: Some(length + shift), cutoff: Some(shift), keeps: true, ..case }
    }

    fn is_float(&self) -> bool {
        self.float
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

    fn more() -> Col {
        reducers::max(col("n"))
    }

    fn model(&self, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
        model(self, history)
    }
}

impl Grid {
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

struct Model<'a> {
    case: &'a Grid,
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

/// What is shown after each time.
fn model(case: &Grid, history: &Steps) -> Vec<(Timestamp, BTreeSet<Shown>)> {
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

#[test]
fn windows_are_as_in_the_model() {
    are_as_in_the_model::<Grid>(40);
}
