//! Records that leave cells as they are, and records that remove all rows of a shard, against a plain model.

use std::ops::Range;
use std::sync::Mutex;

use arrow_buffer::BooleanBuffer;
use pathway_io::CLEAR;
use pathway_types::Timestamp;
use pathway_types::key::SHARD_MASK;

use super::*;
use crate::driver::drive;
use crate::input::static_table;
use crate::operator::{State, WrongState};
use crate::route::Route;
use crate::spill::Budget;
use crate::timely::{Config, execute};

type Rows = BTreeMap<u128, Vec<Value>>;

/// A record: its key, the cells that it sets, and whether it sets any, removes the row, or all rows of the shard.
struct Record {
    key: u128,
    cells: Vec<Option<Value>>,
    diff: i64,
}

fn record(rows: &Rows, random: &mut Random) -> Record {
    let key = u128::from(random.below(3)) * 977 + (u128::from(random.below(2)) << 16);
    let (cells, diff) = match random.below(12) {
        0 => (vec![Some(Value::None); 3], CLEAR),
        1 | 2 => (vec![Some(Value::None); 3], -1),
        _ => {
            let cells = [
                Value::Int(random.below(3) as i64),
                if random.below(2) == 0 { Value::None } else { Value::Float(0.5) },
                Value::from("x".repeat(random.below(3) as usize)),
            ];
            // Only a row that is there has cells that can stay.
            let known = rows.contains_key(&key);
            let cells = cells.into_iter().map(|cell| (!known || random.below(2) == 0).then_some(cell));
            (cells.collect(), 1)
        }
    };
    Record { key, cells, diff }
}

fn apply(rows: &mut Rows, record: &Record) {
    match record.diff {
        CLEAR => rows.retain(|key, _| (key ^ record.key) & SHARD_MASK != 0),
        -1 => {
            rows.remove(&record.key);
        }
        _ => {
            let old = rows.get(&record.key).cloned();
            let cell = |(place, cell): (usize, &Option<Value>)| match (cell, &old) {
                (Some(cell), _) => cell.clone(),
                (None, Some(old)) => old[place].clone(),
                (None, None) => Value::Error,
            };
            rows.insert(record.key, record.cells.iter().enumerate().map(cell).collect());
        }
    }
}

fn batch(records: &[Record]) -> Batch {
    let columns = dtypes().into_iter().enumerate().map(|(place, dtype)| {
        let mut builder = ColumnBuilder::new(&dtype, records.len());
        let cell = |record: &Record| record.cells[place].clone().unwrap_or(Value::None);
        records.iter().for_each(|record| match cell(record) {
            Value::None => builder.push_none(),
            value => builder.push(&value),
        });
        let kept: BooleanBuffer = records.iter().map(|record| record.cells[place].is_none()).collect();
        let is_whole = kept.count_set_bits() == 0;
        builder.finish().with_pending((!is_whole).then_some(kept))
    });
    let keys: Vec<u128> = records.iter().map(|record| record.key).collect();
    let diffs: Vec<i64> = records.iter().map(|record| record.diff).collect();
    Batch::new(keys.into(), columns.collect(), diffs.into())
}

#[test]
fn cells_stay_and_all_rows_go() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let (mut rows, mut shown) = (Rows::new(), Bag::new());
        let mut operator = Upsert::new(dtypes());
        for time in 1..20 {
            let progress = Progress { time, complete: vec![true], applied: vec![false], ended: vec![false] };
            let mut emitter = Emitter::default();
            for _ in 0..random.below(4) {
                let mut records = Vec::new();
                for _ in 0..random.below(5) {
                    let record = record(&rows, &mut random);
                    apply(&mut rows, &record);
                    records.push(record);
                }
                operator.apply(0, batch(&records), &progress, &mut emitter);
            }
            operator.flush(&progress, &mut emitter);
            for batch in emitter.take() {
                for row in 0..batch.len() {
                    let cells = batch.columns.iter().zip(dtypes()).map(|(c, d)| c.value(&d, row)).collect();
                    *shown.entry((batch.keys.as_slice()[row], cells)).or_insert(0) += batch.diffs.get(row);
                }
            }
            shown.retain(|_, n| *n != 0);
            let expected: Bag = rows.iter().map(|(key, cells)| ((*key, cells.clone()), 1)).collect();
            assert_eq!(shown, expected, "seed {seed}, time {time}");
        }
    }
}

/// Keeps the changes of each time.
struct Collect(Arc<Mutex<BTreeMap<Timestamp, Bag>>>);

impl Operator for Collect {
    fn apply(&mut self, _input: usize, batch: Batch, progress: &Progress, _out: &mut Emitter) {
        let mut seen = self.0.lock().unwrap();
        let changes = seen.entry(progress.time).or_default();
        for row in 0..batch.len() {
            let cells = batch.columns.iter().zip(dtypes()).map(|(c, d)| c.value(&d, row)).collect();
            *changes.entry((batch.keys.as_slice()[row], cells)).or_insert(0) += batch.diffs.get(row);
        }
        changes.retain(|_, n| *n != 0);
    }
    fn flush(&mut self, _progress: &Progress, _out: &mut Emitter) {}
    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }
    fn save(&mut self, _shards: Range<u32>) -> Result<State, DataError> {
        Ok(State::default())
    }
    fn load(&mut self, _state: State) -> Result<(), WrongState> {
        Ok(())
    }
}

/// The net changes of each time, of a run that may take so much memory.
fn net(history: &[(Timestamp, Batch)], memory: Option<usize>, workers: usize) -> BTreeMap<Timestamp, Bag> {
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let (collect, rows) = (seen.clone(), Arc::new(history.to_vec()));
    let guards = execute(Config::process(workers), move |worker| {
        let context = Context::new(false, 1024, Arc::new(Silent));
        if let Some(bytes) = memory {
            context.limit_memory(Budget::of_process(bytes, &std::env::temp_dir()));
        }
        worker.dataflow::<Timestamp, _, _>(|scope| {
            let edge = static_table(scope, "rows", rows.clone(), None, &context);
            let upsert = Upsert::new(dtypes());
            let edge = drive(scope, "rows", vec![(edge, Route::Key)], context.clone(), None, upsert);
            drive(scope, "collect", vec![(edge, Route::Local)], context, None, Collect(collect.clone()));
        });
    });
    drop(guards.unwrap());
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.retain(|_, changes| !changes.is_empty());
    seen
}

#[test]
fn rows_in_files_stay_and_go_like_those_in_memory() {
    for seed in 0..25 {
        let mut random = Random(seed);
        let (mut rows, mut history, mut expected) = (Rows::new(), Vec::new(), BTreeMap::new());
        let bag = |rows: &Rows| -> Bag { rows.iter().map(|(k, cells)| ((*k, cells.clone()), 1)).collect() };
        for time in (2..30).step_by(2) {
            let mut changes = bag(&rows);
            changes.values_mut().for_each(|n| *n = -1);
            for _ in 0..random.below(4) {
                let mut records = Vec::new();
                for _ in 0..1 + random.below(8) {
                    let record = record(&rows, &mut random);
                    apply(&mut rows, &record);
                    records.push(record);
                }
                history.push((time, batch(&records)));
            }
            bag(&rows).into_iter().for_each(|(row, n)| *changes.entry(row).or_insert(0) += n);
            changes.retain(|_, n| *n != 0);
            if !changes.is_empty() {
                expected.insert(time, changes);
            }
        }
        for memory in [None, Some(0), Some(20_000), Some(60_000)] {
            for workers in [1, 2] {
                let seen = net(&history, memory, workers);
                assert_eq!(seen, expected, "seed {seed}, {memory:?} bytes, {workers} workers");
            }
        }
    }
}
