//! State saved in the middle of a history, shard by shard, and taken up by a fresh operator gives the
//! same changes as a run without interruption. (What the operators compute is tested against plain
//! models by the runtime's history tests.)

use std::collections::BTreeMap;
use std::sync::Arc;

use pathway_expr::node::{CustomGroup, CustomReducer};
use pathway_expr::{Accepted, Acceptor, Offers, Reducer};
use pathway_index::Metric;
use pathway_plan::program::{
    ARGUMENT_ID, Bounds, Direction, GroupKey, JoinIds, JoinMode, ReduceColumn, ReduceStep,
};
use pathway_plan::{Forgetting, Search as How};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, ColumnBuilder, DType, DataError, Key, Value};

use super::asof_join::{AsofJoin, AsofSpec};
use super::combine::{Combine, Rule};
use super::deduplicate::Deduplicate;
use super::gradual::Gradual;
use super::interpolate::Interpolate;
use super::interval_join::{IntervalJoin, IntervalSpec};
use super::join::{Join, JoinKey, JoinSpec, Pad, ShipSide};
use super::presence::{Keep, Presence};
use super::reduce::{Prepare, Reduce};
use super::search::{Search, SearchSpec};
use super::ship_timed::{BucketWidth, ShipTimed};
use super::streams::Snapshots;
use super::time::{Buffer, Forget, Freeze, Timed};
use super::upsert::Upsert;
use crate::context::{Context, Monitor, Report, Site};
use crate::kernels::consolidate::consolidate;
use crate::operator::{END_OF_INPUT, Emitter, Operator, Progress};
use crate::store::ordered::Word;

mod asof_now;
mod forgetting;
mod upserts;

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

fn context() -> Context {
    Context::new(false, 1024, Arc::new(Silent))
}

type Bag = BTreeMap<(u128, Vec<Value>), i64>;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

fn dtypes() -> Vec<DType> {
    vec![DType::Int, DType::optional(DType::Float), DType::Str]
}

/// The changes of one time on one input: rows are replaced, added, removed.
fn changes(state: &mut BTreeMap<u128, Vec<Value>>, random: &mut Random) -> Batch {
    let (mut keys, mut rows, mut diffs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..random.below(8) {
        let key = u128::from(random.below(10)) * 977;
        if let Some(old) = state.remove(&key) {
            keys.push(key);
            rows.push(old);
            diffs.push(-1);
        }
        if random.below(3) > 0 {
            let float = match random.below(4) {
                0 => Value::None,
                1 => Value::Float(f64::INFINITY),
                n => Value::Float(0.1 * n as f64),
            };
            let row = vec![
                Value::Int(random.below(3) as i64),
                float,
                Value::from("x".repeat(random.below(3) as usize)),
            ];
            state.insert(key, row.clone());
            keys.push(key);
            rows.push(row);
            diffs.push(1);
        }
    }
    let columns = dtypes().into_iter().enumerate().map(|(i, dtype)| {
        let mut builder = ColumnBuilder::new(&dtype, rows.len());
        rows.iter().for_each(|row| builder.push(&row[i]));
        builder.finish()
    });
    Batch::new(keys.into(), columns.collect(), diffs.into())
}

fn epoch(operator: &mut dyn Operator, inputs: Vec<Batch>, dtypes: &[DType]) -> Bag {
    epoch_at(2, operator, inputs, dtypes)
}

fn epoch_at(time: u64, operator: &mut dyn Operator, inputs: Vec<Batch>, dtypes: &[DType]) -> Bag {
    let progress = Progress {
        time,
        complete: vec![true; inputs.len()],
        applied: vec![false; inputs.len()],
        ended: vec![false; inputs.len()],
    };
    let mut emitter = Emitter::default();
    for (input, batch) in inputs.into_iter().enumerate().filter(|(_, batch)| !batch.is_empty()) {
        operator.apply(input, batch, &progress, &mut emitter);
    }
    operator.flush(&progress, &mut emitter);
    let mut bag = Bag::new();
    let later: Vec<Batch> = emitter.drain_later().map(|(_, batch)| batch).collect();
    for batch in emitter.take().into_iter().chain(later) {
        for row in 0..batch.len() {
            let cells = batch.columns.iter().zip(dtypes).map(|(c, d)| c.value(d, row)).collect();
            *bag.entry((batch.keys.as_slice()[row], cells)).or_insert(0) += batch.diffs.get(row);
        }
    }
    bag.retain(|_, n| *n != 0);
    bag
}

fn check(
    inputs: usize,
    new: impl Fn() -> Box<dyn Operator>,
    mut ship: impl FnMut(usize, Batch) -> Batch,
    dtypes: &[DType],
) {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut states = vec![BTreeMap::new(); inputs];
        let (mut whole, mut part) = (new(), new());
        for time in 0..12 {
            let batches: Vec<Batch> =
                states.iter_mut().enumerate().map(|(i, s)| ship(i, changes(s, &mut random))).collect();
            let expected = epoch(&mut *whole, batches.clone(), dtypes);
            assert_eq!(epoch(&mut *part, batches, dtypes), expected, "seed {seed}, time {time}");
            if time % 4 == 2 {
                let mut fresh = new();
                for shards in [0..20_000, 20_000..65_536] {
                    fresh.load(part.save(shards).unwrap()).unwrap();
                }
                part = fresh;
            }
        }
    }
}

/// How many rows a group ever had; an odd number of removals hides it, the removal of infinity breaks it.
#[derive(Debug)]
struct Ever;

impl CustomReducer for Ever {
    fn name(&self) -> &str {
        "ever"
    }
    fn return_type(&self) -> &DType {
        &DType::Int
    }
    fn new_group(&self) -> Box<dyn CustomGroup> {
        Box::new(Changes(0, 0))
    }
}

struct Changes(i64, i64);

impl CustomGroup for Changes {
    fn update(&mut self, rows: &[(Vec<Value>, i64)]) -> Result<(), DataError> {
        for (row, diff) in rows {
            if *diff < 0 && row[1] == Value::Float(f64::INFINITY) {
                return Err(DataError::value("infinity has gone"));
            }
            *(if *diff > 0 { &mut self.0 } else { &mut self.1 }) += diff.abs();
        }
        Ok(())
    }
    fn result(&mut self) -> Result<Option<Value>, DataError> {
        Ok((self.1 % 2 == 0).then_some(Value::Int(self.0)))
    }
    fn save(&mut self) -> Result<Vec<u8>, DataError> {
        Ok([self.0.to_le_bytes(), self.1.to_le_bytes()].concat())
    }
    fn load(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap());
        (self.0, self.1) = (number(&bytes[..8]), number(&bytes[8..]));
        Ok(())
    }
}

#[test]
fn reduce() {
    let optional = DType::optional(DType::Float);
    let column = |reducer, arguments: &[usize], dtype| ReduceColumn {
        reducer,
        arguments: arguments.to_vec(),
        dtype,
        frame: None,
    };
    let linear = vec![
        column(Reducer::Count, &[], DType::Int),
        column(Reducer::Sum { strict: false }, &[0], DType::Int),
        column(Reducer::Sum { strict: false }, &[1], DType::Float),
        column(Reducer::Avg, &[1], DType::Float),
        column(Reducer::Variance { root: false }, &[1], DType::Float),
    ];
    let ordered = vec![
        column(Reducer::Min, &[1], optional.clone()),
        column(Reducer::ArgMax, &[2, ARGUMENT_ID], DType::ANY_POINTER),
        column(Reducer::Unique, &[2], DType::Str),
        column(Reducer::CountDistinct, &[1, 2], DType::Int),
        column(Reducer::Tuple { skip_nones: true }, &[1], DType::list(DType::Float)),
        column(Reducer::SortedTuple { skip_nones: false }, &[2], DType::list(DType::Str)),
        column(Reducer::Any, &[2], DType::Str),
    ];
    let custom = vec![column(Reducer::Custom(Arc::new(Ever)), &[0, 1], DType::Int)];
    for reducers in [linear, ordered, custom] {
        let mut out = vec![DType::Int];
        out.extend(reducers.iter().map(|r| r.dtype.clone()));
        let step = ReduceStep {
            key: GroupKey::Hash { columns: vec![0], instance: false },
            group_columns: vec![0],
            reducers,
            sort_by: Some(0),
            skip_errors: true,
            row_ids: None,
            panes: None,
        };
        let mut prepare = Prepare::new(step.clone(), &dtypes(), false, context(), Site::default());
        let new = || -> Box<dyn Operator> {
            Box::new(Reduce::new(&step, &dtypes(), false, context(), &Site::default()))
        };
        check(1, new, |_, batch| prepare.apply(batch), &out);
    }
}

#[test]
fn join() {
    let spec = JoinSpec {
        mode: JoinMode::Outer,
        ids: JoinIds::Pair,
        dtypes: [dtypes(), dtypes()],
        row_ids: [true, true],
        pad: Pad::None,
        once: [false, false],
    };
    let side = ShipSide {
        inputs: dtypes(),
        columns: vec![0, 1, 2],
        key: JoinKey::Hash { columns: vec![0], instance: false },
        preserved: true,
        side: 0,
    };
    let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
    out.extend([DType::optional(DType::ANY_POINTER), DType::optional(DType::ANY_POINTER)]);
    let new = || -> Box<dyn Operator> { Box::new(Join::new(spec.clone(), context(), Site::default())) };
    check(2, new, |_, batch| side.apply(batch, &mut context(), &Site::default()), &out);
}

/// A side whose rows are joined by the length of their text, at the time in the first column.
fn timed_side(buckets: Option<BucketWidth>) -> ShipTimed {
    let side = ShipSide {
        inputs: dtypes(),
        columns: vec![0, 1, 2],
        key: JoinKey::Hash { columns: vec![2], instance: false },
        preserved: true,
        side: u8::from(buckets.is_none()),
    };
    ShipTimed::new(side, 0, buckets.map(|width| (width, vec![2])))
}

#[test]
fn interval_join() {
    let spec = IntervalSpec {
        mode: JoinMode::Outer,
        bounds: Bounds::Int(0, 1),
        dtypes: [dtypes(), dtypes()],
        row_ids: [true, true],
        keeps: false,
    };
    let sides = [timed_side(Some(BucketWidth::Int(1))), timed_side(None)];
    let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
    out.extend([DType::optional(DType::ANY_POINTER), DType::optional(DType::ANY_POINTER)]);
    let new = || -> Box<dyn Operator> { Box::new(IntervalJoin::new(spec.clone())) };
    check(2, new, |side, batch| sides[side].apply(batch, &mut context(), &Site::default()), &out);
}

#[test]
fn asof_join() {
    for direction in [Direction::Backward, Direction::Nearest] {
        let spec = AsofSpec {
            mode: JoinMode::Outer,
            direction,
            float: false,
            dtypes: [dtypes(), dtypes()],
            row_ids: [true, true],
            side: true,
        };
        let sides = [timed_side(None), timed_side(None)];
        let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
        out.extend([DType::optional(DType::ANY_POINTER), DType::optional(DType::ANY_POINTER), DType::Bool]);
        let new = || -> Box<dyn Operator> { Box::new(AsofJoin::new(spec.clone())) };
        check(2, new, |side, batch| sides[side].apply(batch, &mut context(), &Site::default()), &out);
    }
}

#[test]
fn search() {
    let list = DType::list(DType::Float);
    // The number of a row is the first element of its vector, and how many answers it wants.
    let ship = |input: usize, batch: Batch| {
        let (numbers, texts) = (batch.columns[0].clone(), batch.columns[2].clone());
        let mut vectors = ColumnBuilder::new(&list, batch.len());
        for row in 0..batch.len() {
            let elements = [(0, DType::Int), (1, DType::optional(DType::Float))];
            let element = |(column, dtype): (usize, DType)| match batch.columns[column].value(&dtype, row) {
                Value::Int(number) => Value::Float(number as f64),
                Value::Float(number) => Value::Float(number),
                _ => Value::Float(0.0),
            };
            vectors.push(&Value::from(elements.into_iter().map(element).collect::<Arc<[_]>>()));
        }
        let columns = match input {
            0 => vec![vectors.finish(), numbers],
            _ => vec![vectors.finish(), numbers, texts],
        };
        Batch { columns, ..batch }
    };
    for (as_of_now, collapsed) in [(false, true), (false, false), (true, true)] {
        let own = [DType::ANY_POINTER, DType::Float, DType::Int, DType::Str];
        let outputs = match collapsed {
            true => own.into_iter().map(DType::list).collect(),
            false => [DType::ANY_POINTER].into_iter().chain(own).map(DType::optional).collect::<Vec<_>>(),
        };
        let spec = SearchSpec {
            how: How {
                metric: Metric::SquaredEuclidean,
                dimensions: 2,
                filtered: false,
                lenient: false,
                as_of_now,
                collapsed,
            },
            queries: vec![list.clone(), DType::Int],
            items: vec![list.clone(), DType::Int, DType::Str],
            outputs: outputs.clone(),
            queries_stay: false,
        };
        let new = || -> Box<dyn Operator> { Box::new(Search::new(spec.clone(), context(), Site::default())) };
        check(2, new, ship, &outputs);
    }
}

#[test]
fn combine() {
    let new = || -> Box<dyn Operator> {
        Box::new(Combine::new(Rule::Update, vec![dtypes(), dtypes()], context(), Site::default()))
    };
    check(2, new, |_, batch| batch, &dtypes());
}

#[test]
fn presence() {
    let ship = |input: usize, batch: Batch| if input == 0 { batch } else { batch.project(&[]) };
    for keep in [Keep::InAll, Keep::InNone] {
        check(3, || Box::new(Presence::new(keep, dtypes(), 2)), ship, &dtypes());
    }
}

#[test]
fn upsert() {
    check(1, || Box::new(Upsert::new(dtypes())), |_, batch| batch, &dtypes());
}

/// Accepts what is greater.
#[derive(Debug)]
struct Greater;

impl Acceptor for Greater {
    fn name(&self) -> &str {
        "greater"
    }
    fn accept(&self, offers: &Offers<'_>) -> Accepted {
        let mut accepted = Accepted::default();
        for (i, chain) in offers.chains.iter().enumerate() {
            let (mut last, mut row) = (offers.accepted.value(offers.dtype, i), None);
            for at in chain.clone() {
                let value = offers.values.value(offers.dtype, at);
                if value > last {
                    (last, row) = (value, Some(at));
                }
            }
            accepted.rows.push(row);
        }
        accepted
    }
}

#[test]
fn deduplicate() {
    // The second cell is the value, the first one the instance.
    let value = DType::optional(DType::Float);
    let inputs = [vec![value, DType::ANY_POINTER], dtypes()].concat();
    let ship = |_, batch: Batch| {
        let instance = batch.columns[0].clone();
        let keys = hash_rows(&[(&instance, &DType::Int)], None, batch.len()).keys;
        let columns = [vec![batch.columns[1].clone(), keys.to_column()], batch.columns].concat();
        Batch::new(batch.keys, columns, batch.diffs)
    };
    let new = || -> Box<dyn Operator> {
        Box::new(Deduplicate::new(Arc::new(Greater), inputs.clone(), context(), Site::default()))
    };
    check(1, new, ship, &dtypes());
}

#[test]
fn interpolate() {
    // The first cell is the time, the second the value.
    let inputs = vec![DType::Int, DType::optional(DType::Float)];
    let new =
        || -> Box<dyn Operator> { Box::new(Interpolate::new(inputs.clone(), context(), Site::default())) };
    check(1, new, |_, batch: Batch| batch.project(&[0, 1]), &inputs[1..]);
}

#[test]
fn gradual() {
    // Lower and upper change seldom; some numbers are not there, then all that is shown are errors.
    let ship = |input: usize, batch: Batch| {
        if input == 0 {
            return batch;
        }
        let numbers = |from: usize| {
            let mut column = ColumnBuilder::new(&DType::Float, batch.len());
            for row in 0..batch.len() {
                match batch.columns[1].value(&DType::optional(DType::Float), row) {
                    Value::Float(number) if from == 1 => column.push_float(number.min(0.9)),
                    Value::Float(_) => column.push_float([0.0, 0.0, 1.0][from]),
                    _ => column.push_error(),
                }
            }
            column.finish()
        };
        Batch { columns: (0..3).map(numbers).collect(), ..batch }
    };
    let out = [dtypes(), vec![DType::Float]].concat();
    check(2, || Box::new(Gradual::new(dtypes())), ship, &out);
}

/// Rows that lend their ids to the result are there once: with their match, or with errors.
#[test]
fn join_with_ids_of_one_side() {
    for mode in [JoinMode::Inner, JoinMode::Left] {
        let spec = JoinSpec {
            mode,
            ids: JoinIds::Left,
            dtypes: [dtypes(), dtypes()],
            row_ids: [false, true],
            pad: Pad::None,
            once: [false, false],
        };
        let side = ShipSide {
            inputs: dtypes(),
            columns: vec![0, 1, 2],
            key: JoinKey::Hash { columns: vec![0], instance: false },
            preserved: mode == JoinMode::Left,
            side: 0,
        };
        let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
        out.push(DType::optional(DType::ANY_POINTER));
        let new = || -> Box<dyn Operator> { Box::new(Join::new(spec.clone(), context(), Site::default())) };
        let ship = |_, batch| side.apply(batch, &mut context(), &Site::default());
        check(2, new, ship, &out);

        for seed in 0..40 {
            let (mut random, mut operator) = (Random(seed), new());
            let mut states = vec![BTreeMap::new(); 2];
            let mut result = Bag::new();
            for time in 0..8 {
                let batches = states.iter_mut().map(|state| ship(0, changes(state, &mut random))).collect();
                for (row, diff) in epoch(&mut *operator, batches, &out) {
                    *result.entry(row).or_insert(0) += diff;
                }
                result.retain(|_, count| *count != 0);
                let mut expected = Bag::new();
                for (key, row) in &states[0] {
                    let matches: Vec<_> = states[1].iter().filter(|(_, other)| other[0] == row[0]).collect();
                    let (missing, cells) = match &matches[..] {
                        [] if mode == JoinMode::Inner => continue,
                        [] => (Value::None, None),
                        [(id, other)] => (Value::None, Some((Value::from(Key(**id)), (*other).clone()))),
                        _ => (Value::Error, None),
                    };
                    let (id, other) = cells.unwrap_or((missing.clone(), vec![missing; 3]));
                    expected.insert((*key, [row.clone(), other, vec![id]].concat()), 1);
                }
                assert_eq!(result, expected, "seed {seed}, time {time}");
            }
        }
    }
}

#[test]
fn operators_with_a_clock() {
    // The first cell is the time, it and two more the threshold.
    let inputs = [vec![DType::Int, DType::Int], dtypes()].concat();
    let timed =
        || Timed { dtypes: inputs.clone(), instances: false, site: Site::default(), context: context() };
    let row = |batch: &Batch| {
        let time = &batch.columns[0];
        let thresholds = (0..batch.len()).map(|row| match time.value(&DType::Int, row) {
            Value::Int(time) => time + 1,
            _ => 0,
        });
        let mut column = ColumnBuilder::new(&DType::Int, batch.len());
        thresholds.for_each(|threshold| column.push_int(threshold));
        let columns = [vec![time.clone(), column.finish()], batch.columns.clone()].concat();
        Batch::new(batch.keys.clone(), columns, batch.diffs.clone())
    };
    let new: [&dyn Fn() -> Box<dyn Operator>; 4] = [
        &|| Box::new(Freeze::<Word>::new(timed(), true)),
        &|| Box::new(Buffer::<Word>::new(timed())),
        &|| Box::new(Forget::<Word>::new(timed(), Forgetting::Later)),
        &|| Box::new(Forget::<Word>::new(timed(), Forgetting::LaterMarked)),
    ];
    for new in new {
        // What the clock hears is the second input; here it follows the rows.
        let heard = std::cell::RefCell::new(Batch::default());
        let ship = |input: usize, batch: Batch| {
            if input == 1 {
                return heard.take();
            }
            let batch = consolidate(row(&batch), &inputs);
            if !batch.is_empty() {
                *heard.borrow_mut() = super::time::clock::heard::<Word>(&timed(), batch.clone());
            }
            batch
        };
        check(2, new, ship, &dtypes());
    }
}

#[test]
fn a_restored_buffer_is_flushed_at_the_end() {
    let timed = Timed {
        dtypes: vec![DType::Int, DType::Int, DType::Int],
        instances: false,
        site: Site::default(),
        context: context(),
    };
    let mut column = ColumnBuilder::new(&DType::Int, 1);
    column.push_int(5);
    let column = column.finish();
    let row = Batch::new(vec![7].into(), vec![column.clone(), column.clone(), column], vec![1].into());
    let (mut buffer, mut out) = (Buffer::<Word>::new(timed.clone()), Emitter::default());
    buffer.apply(0, row, &Progress::default(), &mut out);
    buffer.flush(&Progress::default(), &mut out);
    assert!(out.take().is_empty(), "nothing has told the clock");
    let state = buffer.save(0..65_536).unwrap();
    let (mut restored, mut out) = (Buffer::<Word>::new(timed), Emitter::default());
    restored.load(state).unwrap();
    restored.start(&mut out);
    assert_eq!(out.drain_wakes().collect::<Vec<_>>(), [END_OF_INPUT]);
    restored.flush(&Progress { time: END_OF_INPUT, ..Progress::default() }, &mut out);
    assert_eq!(out.take().iter().map(Batch::len).sum::<usize>(), 1);
}

#[test]
fn unpack_snapshots() {
    // The second input tells that something changes.
    let changed = std::cell::Cell::new(false);
    let ship = |input: usize, batch: Batch| {
        if input == 0 {
            changed.set(!batch.is_empty());
            return batch;
        }
        let rows = usize::from(changed.get());
        Batch::new(vec![0; rows].into(), vec![], vec![1; rows].into())
    };
    check(2, || Box::new(Snapshots::new(dtypes())), ship, &dtypes());
}

#[test]
fn clocks_keep_the_state_flat() {
    let inputs = vec![DType::Int, DType::Int];
    let timed =
        || Timed { dtypes: inputs.clone(), instances: false, site: Site::default(), context: context() };
    let new: [fn(Timed) -> Box<dyn Operator>; 2] = [
        |timed| Box::new(Buffer::<Word>::new(timed)),
        |timed| Box::new(Forget::<Word>::new(timed, Forgetting::LaterMarked)),
    ];
    for new in new {
        let mut operator = new(timed());
        let mut most = 0;
        for epoch in 0..400_i64 {
            let mut columns = [ColumnBuilder::new(&DType::Int, 50), ColumnBuilder::new(&DType::Int, 50)];
            for row in 0..50 {
                columns[0].push_int(epoch * 50 + row);
                columns[1].push_int(epoch * 50 + row + 75);
            }
            let keys: Vec<u128> = (0..50).map(|row| (epoch * 50 + row) as u128 * 977).collect();
            let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
            let rows = Batch::new(keys.into(), columns, vec![1; 50].into());
            let mut out = Emitter::default();
            let heard = super::time::clock::heard::<Word>(&timed(), rows.clone());
            operator.apply(0, rows, &Progress::default(), &mut out);
            operator.apply(1, heard, &Progress::default(), &mut out);
            operator.flush(&Progress::default(), &mut out);
            let state = operator.save(0..65_536).unwrap();
            most = most.max(state.tables[0].1.len() + state.common[0].1.len());
        }
        // 75 rows that are not due, 100 of the last two times, and the clock.
        assert!(most <= 176, "{most}");
    }
}
