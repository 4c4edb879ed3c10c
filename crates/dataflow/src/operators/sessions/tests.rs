//! Against a plain model, with state saved and loaded in between; and what a merge and a split move.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pathway_expr::{Together, Togetherness};
use pathway_types::batch::hash_rows;
use pathway_types::{Batch, Column, ColumnBuilder, DType, Diffs, Timestamp, Value};

use super::limits::{Behavior, heard};
use super::moment::{Distance, Moment, Tick};
use super::{Asked, Gap, LessThan, LessThanFloat, Sessions, bounds_width};
use crate::context::{Context, Monitor, Report, Site};
use crate::operator::{Emitter, Operator, Progress};
use crate::store::ordered::Text;

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// Rows by id: time, instance, cell.
type Table = BTreeMap<u128, (Value, i64, i64)>;
/// Ids of rows with their label and cell, and the bounds of the labels.
type Rows = BTreeMap<u128, (u128, i64)>;
type Shown = BTreeMap<u128, (Value, Value, u128)>;

fn column(dtype: &DType, values: impl Iterator<Item = Value>) -> Column {
    let mut builder = ColumnBuilder::new(dtype, 0);
    values.for_each(|value| builder.push(&value));
    builder.finish()
}

fn batch(time: &DType, rows: &[(u128, (Value, i64, i64))], diffs: Diffs) -> Batch {
    let instance = column(&DType::Int, rows.iter().map(|(_, row)| Value::Int(row.1)));
    let instance = hash_rows(&[(&instance, &DType::Int)], None, rows.len()).keys.to_column();
    let columns = vec![
        column(time, rows.iter().map(|(_, row)| row.0.clone())),
        instance,
        column(&DType::Int, rows.iter().map(|(_, row)| Value::Int(row.2))),
    ];
    Batch::new(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>().into(), columns, diffs)
}

/// Rows come, change and go; times are so many, and whole ones begin with `from`.
fn changes(
    table: &mut Table,
    time: &DType,
    (from, times): (i64, u64),
    about: u64,
    random: &mut Random,
) -> Batch {
    let (mut rows, mut diffs) = (vec![], vec![]);
    for _ in 0..about {
        let id = u128::from(random.below(60)) * 977;
        if let Some(old) = table.remove(&id) {
            rows.push((id, old));
            diffs.push(-1);
        }
        if random.below(4) > 0 {
            let number = random.below(times);
            let value = match time {
                DType::Int => Value::Int(number as i64 + from),
                DType::Float => Value::Float(number as f64 / 4.0 - 5.0),
                _ => Value::from(number.to_string()),
            };
            let row = (value, random.below(2) as i64, random.below(3) as i64);
            table.insert(id, row.clone());
            rows.push((id, row));
            diffs.push(1);
        }
    }
    batch(time, &rows, diffs.into())
}

/// Runs one time; applies what comes out, which must fit what is there.
fn run<M: Moment, G: Gap<M>>(
    operator: &mut Sessions<M, G>,
    batch: Batch,
    time: &DType,
    (rows, shown): (&mut Rows, &mut Shown),
) -> usize {
    // Each time comes once.
    static TIMES: AtomicU64 = AtomicU64::new(0);
    let now = TIMES.fetch_add(2, Ordering::Relaxed);
    let progress = Progress { time: now, complete: vec![true], applied: vec![true], ended: vec![false] };
    let mut out = Emitter::default();
    operator.apply(0, batch, &progress, &mut out);
    operator.flush(&progress, &mut out);
    let batches = out.take();
    let mut changes = 0;
    for batch in batches.iter().filter(|batch| batch.columns.len() == 2) {
        for row in 0..batch.len() {
            let id = batch.keys.as_slice()[row];
            let (Value::Int(cell), Value::Pointer(label)) =
                (batch.columns[0].value(&DType::Int, row), batch.columns[1].value(&DType::ANY_POINTER, row))
            else {
                panic!("a cell and a pointer")
            };
            changes += 1;
            match batch.diffs.get(row) {
                1 => assert!(rows.insert(id, (label.0, cell)).is_none(), "{id} is there twice"),
                _ => assert_eq!(rows.remove(&id), Some((label.0, cell)), "what goes was there"),
            }
        }
    }
    for batch in batches.iter().filter(|batch| batch.columns.len() == bounds_width(2)) {
        for row in 0..batch.len() {
            let label = batch.keys.as_slice()[row];
            let Value::Pointer(last) = batch.columns[2].value(&DType::ANY_POINTER, row) else {
                panic!("an id")
            };
            let bounds = (batch.columns[0].value(time, row), batch.columns[1].value(time, row), last.0);
            match batch.diffs.get(row) {
                1 => assert!(shown.insert(label, bounds).is_none(), "{label} is there twice"),
                _ => assert_eq!(shown.remove(&label), Some(bounds), "what goes was there"),
            }
        }
    }
    changes
}

/// The sessions by definition: ids in order, start, end.
fn model(table: &Table, together: &dyn Fn(&Value, &Value) -> bool) -> Vec<(Vec<u128>, Value, Value)> {
    let mut sessions: Vec<(Vec<u128>, Value, Value)> = Vec::new();
    for instance in 0..2 {
        let mut rows: Vec<(&Value, u128)> =
            table.iter().filter(|(_, row)| row.1 == instance).map(|(id, row)| (&row.0, *id)).collect();
        rows.sort();
        let mut open = false;
        for (time, id) in rows {
            match sessions.last_mut().filter(|(_, _, end)| open && together(end, time)) {
                Some((ids, _, end)) => {
                    ids.push(id);
                    *end = time.clone();
                }
                None => sessions.push((vec![id], time.clone(), time.clone())),
            }
            open = true;
        }
    }
    sessions
}

fn check<M: Moment, G: Gap<M>>(time: DType, gap: impl Fn() -> G, together: &dyn Fn(&Value, &Value) -> bool) {
    let new = || {
        let context = Context::new(false, 1024, Arc::new(Silent));
        let inputs = vec![time.clone(), DType::ANY_POINTER, DType::Int];
        Sessions::<M, G>::new(inputs, gap(), context, Site::default())
    };
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut table = Table::new();
        let (mut rows, mut shown) = (Rows::new(), Shown::new());
        let mut operator = new();
        for step in 0..14 {
            let about = if step == 0 { seed % 40 } else { 1 + random.below(6) };
            let batch = changes(&mut table, &time, (-30, 70), about, &mut random);
            run(&mut operator, batch, &time, (&mut rows, &mut shown));
            let mut expected = model(&table, together);
            assert_eq!(rows.len(), table.len(), "seed {seed}, step {step}");
            assert_eq!(shown.len(), expected.len(), "seed {seed}, step {step}");
            for (ids, start, end) in expected.drain(..) {
                let label = rows[&ids[0]].0;
                let last = ids[ids.len() - 1];
                assert!(ids.iter().all(|id| rows[id] == (label, table[id].2)), "seed {seed}, step {step}");
                assert_eq!(shown[&label], (start, end, last), "seed {seed}, step {step}");
            }
            if step % 4 == 2 {
                let mut fresh = new();
                for shards in [0..20_000, 20_000..65_536] {
                    fresh.load(operator.save(shards).unwrap()).unwrap();
                }
                operator = fresh;
            }
        }
    }
}

#[test]
fn whole_times() {
    let near = |a: &Value, b: &Value| matches!((a, b), (Value::Int(a), Value::Int(b)) if b - a < 2);
    check::<Tick, _>(DType::Int, || LessThan(2), &near);
}

#[test]
fn float_times() {
    let near = |a: &Value, b: &Value| matches!((a, b), (Value::Float(a), Value::Float(b)) if b - a < 0.5);
    check::<Tick, _>(DType::Float, || LessThanFloat(0.5), &near);
}

/// Not monotone: a row between two others can part them.
#[derive(Debug)]
struct SameLength;

impl Togetherness for SameLength {
    fn name(&self) -> &str {
        "same length"
    }
    fn together(&self, earlier: &Column, later: &Column, dtype: &DType) -> Together {
        let pairs =
            (0..earlier.len()).map(|row| same_length(&earlier.value(dtype, row), &later.value(dtype, row)));
        Together { answers: pairs.collect(), causes: vec![] }
    }
}

fn same_length(a: &Value, b: &Value) -> bool {
    matches!((a, b), (Value::Str(a), Value::Str(b)) if a.len() == b.len())
}

#[test]
fn times_that_user_code_compares() {
    check::<Text, _>(DType::Str, || Asked(Arc::new(SameLength), DType::Str), &same_length);
}

#[test]
fn the_smaller_part_moves() {
    let context = Context::new(false, 1024, Arc::new(Silent));
    let inputs = vec![DType::Int, DType::ANY_POINTER, DType::Int];
    let mut operator = Sessions::<Tick, _>::new(inputs, LessThan(2), context, Site::default());
    let row = |time: i64| (time as u128, (Value::Int(time), 0, 0));
    // 0 to 9999, a gap at 10000, 10001 to 10003.
    let many: Vec<_> = (0..10_004).filter(|time| *time != 10_000).map(row).collect();
    let (mut rows, mut shown) = (Rows::new(), Shown::new());
    let mut step = |rows_of_batch: &[_], diff: i64| {
        let diffs = Diffs::from(vec![diff; rows_of_batch.len()]);
        let batch = batch(&DType::Int, rows_of_batch, diffs);
        run(&mut operator, batch, &DType::Int, (&mut rows, &mut shown))
    };
    assert_eq!(step(&many, 1), 10_003);
    assert_eq!(step(&[row(10_000)], 1), 1 + 2 * 3, "the row, and three that move");
    assert_eq!(step(&[row(10_000)], -1), 1 + 2 * 3);
    assert_eq!(step(&[row(2)], -1), 1 + 2 * 2, "0 and 1 are apart now");
}

/// What came out so far: rows with their label and cell, bounds of labels.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<(u128, u128, i64), i64>,
    bounds: BTreeMap<(u128, i64, i64, u128), i64>,
}

impl Seen {
    fn take(&mut self, batch: &Batch) {
        let int = |value: Value| if let Value::Int(number) = value { number } else { panic!("{value}") };
        let pointer = |value: Value| if let Value::Pointer(id) = value { id.0 } else { panic!("{value}") };
        let cell = |column: usize, dtype: &DType, row: usize| batch.columns[column].value(dtype, row);
        for row in 0..batch.len() {
            let (id, diff) = (batch.keys.as_slice()[row], batch.diffs.get(row));
            if batch.columns.len() == 2 {
                let label = pointer(cell(1, &DType::ANY_POINTER, row));
                *self.rows.entry((id, label, int(cell(0, &DType::Int, row)))).or_default() += diff;
            } else {
                let [start, end] = [0, 1].map(|column| int(cell(column, &DType::Int, row)));
                let last = pointer(cell(2, &DType::ANY_POINTER, row));
                *self.bounds.entry((id, start, end, last)).or_default() += diff;
            }
        }
        self.rows.retain(|_, count| *count != 0);
        self.bounds.retain(|_, count| *count != 0);
    }

    /// Rows with the bounds of their sessions, whatever these are labelled with.
    fn shown(&self) -> BTreeSet<(u128, i64, i64, i64, u128)> {
        let all = self.rows.values().chain(self.bounds.values());
        assert!(all.copied().all(|count| count == 1), "{:?} {:?}", self.rows, self.bounds);
        let of = |(id, label, cell): &(u128, u128, i64)| {
            let bounds: Vec<_> = self.bounds.keys().filter(|bounds| bounds.0 == *label).collect();
            let [(_, start, end, last)] = bounds[..] else { panic!("a row is shown with its session") };
            (*id, *cell, *start, *end, *last)
        };
        self.rows.keys().map(of).collect()
    }
}

#[test]
fn limits_are_saved_and_loaded() {
    let whole = |distance: i64| Some(Distance::Whole(distance));
    let behaviors = [
        Behavior { delay: None, once: false, over: whole(4), keeps: true },
        Behavior { delay: whole(3), once: false, over: whole(4), keeps: false },
        Behavior { delay: whole(6), once: false, over: None, keeps: true },
        Behavior { delay: None, once: true, over: whole(2), keeps: true },
    ];
    for behavior in behaviors {
        let new = || {
            let context = Context::new(false, 1024, Arc::new(Silent));
            let inputs = vec![DType::Int, DType::ANY_POINTER, DType::Int];
            Sessions::<Tick, _>::new(inputs, LessThan(2), context, Site::default())
                .with_behavior(behavior.clone())
        };
        let mut shown = 0;
        for seed in 0..40 {
            let mut random = Random(seed);
            let mut table = Table::new();
            let mut operators = [new(), new()];
            let mut seen = [Seen::default(), Seen::default()];
            for step in 0..14 {
                // Times go on from step to step.
                let times = (6 * step, 18);
                let batch = changes(&mut table, &DType::Int, times, 1 + random.below(9), &mut random);
                let heard = heard::<Tick>(&batch, &DType::Int);
                let progress = Progress {
                    time: 2 * step as Timestamp + 2,
                    complete: vec![true; 2],
                    applied: vec![true; 2],
                    ended: vec![false; 2],
                };
                for (operator, seen) in operators.iter_mut().zip(&mut seen) {
                    let mut out = Emitter::default();
                    operator.apply(0, batch.clone(), &progress, &mut out);
                    operator.apply(1, heard.clone(), &progress, &mut out);
                    operator.flush(&progress, &mut out);
                    let later: Vec<Batch> = out.drain_later().map(|(_, batch)| batch).collect();
                    out.take().iter().chain(&later).for_each(|batch| seen.take(batch));
                }
                let [whole, part] = &seen;
                assert_eq!(whole.shown(), part.shown(), "{behavior:?}, seed {seed}, step {step}");
                shown += whole.shown().len();
                if step % 4 == 2 {
                    let mut fresh = new();
                    for shards in [0..20_000, 20_000..65_536] {
                        fresh.load(operators[1].save(shards).unwrap()).unwrap();
                    }
                    operators[1] = fresh;
                }
            }
        }
        assert!(shown > 500, "{behavior:?}: {shown}");
    }
}
