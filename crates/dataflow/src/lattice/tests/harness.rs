//! Runs a dataflow over tables that change, with several workers, and gives what comes out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pathway_plan::program::Stage;
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, ColumnBuilder, DType, Timestamp, Value};

use crate::context::{Context, Monitor, Report, Site};
use crate::driver::Edge;
use crate::input::static_table;
use crate::lattice::arrange::per_packet;
use crate::lattice::time::Rounds;
use crate::lattice::{Flow, LoopTime, TimedPacket, Times};
use crate::operators::stateless::{Stages, per_batch};
use crate::packet::Packet;
use crate::timely::{
    CommunicationConfig, Config, Input, InputHandle, NoopBuilder, PartialOrder, Probe, ProbeHandle, Product,
    Scope, WorkerConfig, execute,
};

pub(crate) type Row = Vec<Value>;
pub(crate) type Changes = Vec<(u128, Row, i64)>;
/// Rows with multiplicities.
pub(crate) type Bag = BTreeMap<(u128, Row), i64>;

/// A table's columns and its changes at ascending times.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) dtypes: Vec<DType>,
    pub(crate) steps: Vec<(Timestamp, Changes)>,
}

impl Table {
    /// The rows at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Bag {
        let past = self.steps.iter().filter(|(t, _)| *t <= time);
        bag(past.flat_map(|(_, changes)| changes.iter().cloned()))
    }
}

pub(crate) fn bag(changes: impl Iterator<Item = (u128, Row, i64)>) -> Bag {
    let mut bag = Bag::new();
    for (key, row, diff) in changes {
        *bag.entry((key, row)).or_insert(0) += diff;
    }
    bag.retain(|_, count| *count != 0);
    bag
}

/// How the changes are fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// All times at once, so that the loop works on many of them at a time.
    AtOnce,
    /// The next time when the last one is through.
    StepByStep,
}

/// How many workers there are and whether what they exchange goes through bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) workers: usize,
    pub(crate) bytes: bool,
    pub(crate) pace: Pace,
}

/// The setups that tests go through.
pub(crate) const SETUPS: [Setup; 4] = [
    Setup { workers: 1, bytes: false, pace: Pace::AtOnce },
    Setup { workers: 1, bytes: false, pace: Pace::StepByStep },
    Setup { workers: 2, bytes: true, pace: Pace::StepByStep },
    Setup { workers: 4, bytes: false, pace: Pace::AtOnce },
];

/// Keeps reports.
#[derive(Default)]
struct Reports(Mutex<Vec<String>>);

impl Monitor for Reports {
    fn report(&self, report: Report<'_>) {
        if let Report::Error { message, .. } = report {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }
}

pub(crate) fn context() -> Context {
    Context::new(false, 1000, Arc::new(Reports::default()))
}

pub(crate) fn stages(stages: &[Stage], context: &Context) -> Stages {
    Stages::new(stages, context.clone(), Site::default())
}

pub(crate) fn column(dtype: &DType, values: impl IntoIterator<Item = Value>) -> Column {
    let mut builder = ColumnBuilder::new(dtype, 0);
    values.into_iter().for_each(|value| builder.push(&value));
    builder.finish()
}

pub(crate) fn batch(dtypes: &[DType], changes: &[(u128, Row, i64)]) -> Batch {
    let keys: Vec<u128> = changes.iter().map(|change| change.0).collect();
    let diffs: Vec<i64> = changes.iter().map(|change| change.2).collect();
    let columns = dtypes.iter().enumerate().map(|(i, d)| column(d, changes.iter().map(|c| c.1[i].clone())));
    Batch::new(keys.into(), columns.collect(), diffs.into())
}

/// The rows of a batch.
pub(crate) fn rows(dtypes: &[DType], batch: &Batch) -> Changes {
    let row = |row: usize| -> Row {
        batch.columns.iter().zip(dtypes).map(|(column, dtype)| column.value(dtype, row)).collect()
    };
    (0..batch.len()).map(|r| (batch.keys.as_slice()[r], row(r), batch.diffs.get(r))).collect()
}

/// What a dataflow gave: changes with their times.
pub(crate) type Output = Vec<(Timestamp, (u128, Row, i64))>;

/// Runs what `build` builds of the tables.
pub(crate) fn run<B>(setup: Setup, tables: &[Table], dtypes: &[DType], build: B) -> Output
where
    B: for<'s> Fn(Scope<'s, Timestamp>, Vec<Edge<'s>>, &Context) -> Edge<'s> + Send + Sync + 'static,
{
    let communication = match (setup.workers, setup.bytes) {
        (1, _) => CommunicationConfig::Thread,
        (workers, true) => CommunicationConfig::ProcessBinary(workers),
        (workers, false) => CommunicationConfig::Process(workers),
    };
    let config = Config { communication, worker: WorkerConfig::default() };
    let output: Arc<Mutex<Output>> = Arc::default();
    let context = context();
    let feeds: Vec<Arc<Vec<(Timestamp, Batch)>>> = tables
        .iter()
        .map(|table| Arc::new(table.steps.iter().map(|(t, c)| (*t, batch(&table.dtypes, c))).collect()))
        .collect();
    let (captured, dtypes, pace) = (output.clone(), dtypes.to_vec(), setup.pace);
    let guards = execute(config, move |worker| {
        let probe = ProbeHandle::new();
        let mut handles: Vec<InputHandle<Timestamp, NoopBuilder<Packet>>> = Vec::new();
        worker.dataflow::<Timestamp, _, _>(|scope| {
            let edges = feeds.iter().map(|feed| match pace {
                Pace::AtOnce => static_table(scope, "table", feed.clone(), None, &context),
                Pace::StepByStep => {
                    let (handle, edge) = scope.new_input_with_builder::<NoopBuilder<Packet>>();
                    handles.push(handle);
                    edge
                }
            });
            let edges = edges.collect();
            let (captured, dtypes) = (captured.clone(), dtypes.clone());
            let result = build(scope, edges, &context);
            per_batch(result, "capture", context.clone(), move |time, batch| {
                captured.lock().unwrap().extend(rows(&dtypes, &batch).into_iter().map(|row| (time, row)));
                batch
            })
            .probe_with(&probe);
        });
        if pace == Pace::StepByStep {
            let mut times: Vec<Timestamp> =
                feeds.iter().flat_map(|f| f.iter().map(|(time, _)| *time)).collect();
            times.sort_unstable();
            times.dedup();
            for time in times {
                for (handle, feed) in handles.iter_mut().zip(&feeds) {
                    handle.advance_to(time);
                    for (_, batch) in feed.iter().filter(|(t, _)| *t == time && worker.index() == 0) {
                        handle.send_batch(&mut Packet(batch.clone()));
                    }
                    handle.advance_to(time + 1);
                }
                worker.step_while(|| probe.less_than(&(time + 1)));
            }
        }
        drop(handles);
        while worker.has_dataflows() {
            worker.step_or_park(None);
        }
    });
    for result in guards.unwrap().join() {
        result.unwrap();
    }
    std::mem::take(&mut *output.lock().unwrap())
}

/// The output is the net change of each time, and adds up to `model` at every time.
pub(crate) fn check(output: &Output, times: &[Timestamp], model: impl Fn(Timestamp) -> Bag, what: &str) {
    let mut seen = std::collections::BTreeSet::new();
    for (time, (key, row, diff)) in output {
        assert!(seen.insert((time, key, row)), "{what}: {row:?} changes twice at {time}");
        assert_ne!(*diff, 0, "{what}: {row:?} does not change at {time}");
    }
    for time in times {
        let now = bag(output.iter().filter(|(t, _)| t <= time).map(|(_, change)| change.clone()));
        assert_eq!(now, model(*time), "{what}: at time {time}");
    }
}

/// A table of which each row may have one version per key: at each time, rows are set or removed.
pub(crate) fn table(dtypes: &[DType], steps: &[Vec<(u8, Option<Row>)>]) -> Table {
    let mut present: BTreeMap<u128, Row> = BTreeMap::new();
    let step = |(time, sets): (usize, &Vec<(u8, Option<Row>)>)| {
        let mut changes = Changes::new();
        for (key, row) in sets {
            // Spread over the shards.
            let key = u128::from(*key).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            changes.extend(present.remove(&key).map(|old| (key, old, -1)));
            if let Some(row) = row {
                changes.push((key, row.clone(), 1));
                present.insert(key, row.clone());
            }
        }
        (2 * time as Timestamp, changes)
    };
    Table { dtypes: dtypes.to_vec(), steps: steps.iter().enumerate().map(step).collect() }
}

/// Rows that happen in the round that an int column tells.
pub(crate) fn in_rounds(flow: Flow<'_>, column: usize) -> Flow<'_> {
    per_packet(flow, "rounds", move |packet| {
        let rounds = CellView::new(&packet.batch.columns[column], &DType::Int);
        let time = |row: usize| {
            let Value::Int(round) = rounds.value(row) else { panic!() };
            let outer = packet.times.get(row).outer;
            Product::new(outer, Rounds::first(round as u32))
        };
        let times = Times::new((0..packet.len()).map(time).collect(), (0..packet.len() as u32).collect());
        TimedPacket::new(packet.batch.clone(), times)
    })
}

/// Changes with their times in a loop.
pub(crate) type Inside = Arc<Mutex<Vec<(LoopTime, (u128, Row, i64))>>>;

/// Keeps what passes inside of a loop.
pub(crate) fn keep<'s>(flow: Flow<'s>, dtypes: &[DType], kept: Inside) -> Flow<'s> {
    let dtypes = dtypes.to_vec();
    per_packet(flow, "keep", move |packet| {
        let rows = rows(&dtypes, &packet.batch).into_iter().enumerate();
        kept.lock().unwrap().extend(rows.map(|(row, change)| (*packet.times.get(row), change)));
        packet
    })
}

/// What is there in the loop at a time.
pub(crate) fn inside_at(kept: &Inside, time: &LoopTime) -> Bag {
    let kept = kept.lock().unwrap();
    bag(kept.iter().filter(|(t, _)| t.less_equal(time)).map(|(_, change)| change.clone()))
}

/// The rows of a table, whose int column tells their round, at a time of a loop.
pub(crate) fn rounds_at(table: &Table, column: usize, outer: Timestamp, round: i64) -> Bag {
    let mut rows = table.at(outer);
    rows.retain(|(_, row), _| row[column] <= Value::Int(round));
    rows
}

/// Calls `check` with all times of a loop that matter.
pub(crate) fn each_time(outer: usize, rounds: u32, mut check: impl FnMut(Timestamp, i64, LoopTime)) {
    for time in 0..outer as Timestamp {
        for round in 0..rounds {
            check(2 * time, round.into(), Product::new(2 * time, Rounds::first(round)));
        }
    }
}
