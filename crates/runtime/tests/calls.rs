//! Calls that are answered later, with random histories and answers in random order: what comes out
//! in the end is what the last rows call for, pending rows are seen at the times of their changes,
//! and the rows of an instance go through the states that its input went through.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use common::{
    Captured, Changes, Input, Random, Row, Stopped, Table, batch, cases, history, run_steps, run_with,
    state_at, step,
};
use pathway_dataflow::even_now;
use pathway_expr::{Answers, Callee, Caller, Expr, OnFailure};
use pathway_persistence::{Store, latest};
use pathway_plan::program::{CallsStep, Stage, Step, StepOp};
use pathway_runtime::RunOptions;
use pathway_types::{Column, DType, DataError, Key, Timestamp, Value};

const SUCCESS: &str = "-SUCCESS-";
const FAILURE: &str = "-FAILURE-";

/// Multiplies by ten; fails for what `fails` accepts. Answers come from another thread, shuffled.
#[derive(Debug)]
struct TimesTen {
    results: Vec<DType>,
    on_failure: OnFailure,
    fails: fn(i64) -> bool,
}

fn times_ten(on_failure: OnFailure, fails: fn(i64) -> bool) -> Arc<dyn Callee> {
    Arc::new(TimesTen { results: vec![DType::Int], on_failure, fails })
}

type Call = (u64, i64, Arc<dyn Answers>);

impl Callee for TimesTen {
    fn name(&self) -> &str {
        "times_ten"
    }
    fn results(&self) -> &[DType] {
        &self.results
    }
    fn propagates_none(&self) -> bool {
        true
    }
    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }
    fn open(&self, workers: usize) -> Result<Vec<Box<dyn Caller>>, DataError> {
        let caller = |number: usize| -> Box<dyn Caller> {
            let (sender, receiver) = channel();
            let fails = self.fails;
            std::thread::spawn(move || answer(receiver, number as u64 + 1, fails));
            Box::new(Sends(sender))
        };
        Ok((0..workers).map(caller).collect())
    }
}

/// Answers what has come, one random call after another.
fn answer(calls: Receiver<Call>, seed: u64, fails: fn(i64) -> bool) {
    let mut random = Random::new(seed);
    let mut open: Vec<Call> = Vec::new();
    while let Ok(first) = calls.recv() {
        open.push(first);
        while !open.is_empty() {
            open.extend(calls.try_iter());
            let (call, v, answers) = open.swap_remove(random.below(open.len() as u64) as usize);
            let results = if fails(v) { Err(DataError::value("no")) } else { Ok(vec![Value::Int(10 * v)]) };
            answers.answer(call, results);
        }
    }
}

struct Sends(Sender<Call>);

impl Caller for Sends {
    fn call(&mut self, first: u64, arguments: &[(Column, DType)], rows: usize, answers: &Arc<dyn Answers>) {
        let (column, dtype) = &arguments[0];
        for row in 0..rows {
            let Value::Int(v) = column.value(dtype, row) else { panic!("only integers are called for") };
            self.0.send((first + row as u64, v, answers.clone())).unwrap();
        }
    }
    fn close(self: Box<Self>) -> Result<(), DataError> {
        Ok(())
    }
}

/// Rows of an INT that may be None and the instance, which the key decides.
fn input() -> Input {
    Input {
        dtypes: vec![DType::optional(DType::Int), DType::Int],
        keys: 12,
        row: |random| {
            let v = random.below(12) as i64;
            vec![if v == 0 { Value::None } else { Value::Int(v) }, Value::Int(0)]
        },
    }
}

fn instance(key: u128) -> i64 {
    (key % 3) as i64
}

fn random_history(case: u64) -> Vec<(Timestamp, Changes)> {
    let mut random = Random::new(case + 1);
    let times = 1 + random.below(8) as usize;
    let mut history = history(&input(), &mut random, times);
    for (key, row, _) in history.iter_mut().flat_map(|(_, changes)| changes) {
        row[1] = Value::Int(instance(*key));
    }
    history
}

#[derive(Clone, Copy)]
struct Form {
    instances: bool,
    pending: bool,
}

fn steps(callee: Arc<dyn Callee>, form: Form) -> Vec<Step> {
    let int = DType::optional(DType::Int);
    let mut expressions = vec![Expr::input(0, int.clone())];
    if form.instances {
        expressions.push(Expr::pointer(vec![Expr::input(1, DType::Int)], false, None).unwrap());
    }
    let columns: Vec<DType> = expressions.iter().map(|e| e.dtype().clone()).collect();
    let map = Stage::Map { frames: vec![None; expressions.len()], expressions };
    let events = vec![DType::Int, DType::optional(DType::Str), int.clone()];
    let outputs = if form.pending {
        vec![DType::future(DType::Str), DType::future(int)]
    } else {
        vec![DType::Str, int]
    };
    let on_failure = callee.on_failure();
    let inputs: &[usize] = if form.pending { &[2, 1] } else { &[2] };
    vec![
        step(StepOp::Stateless(vec![map]), &[0], columns),
        step(StepOp::Calls(CallsStep { callee, arguments: 1 }), &[1], events),
        step(StepOp::Answers(on_failure), inputs, outputs),
    ]
}

fn run(history: &[(Timestamp, Changes)], steps: Vec<Step>, workers: usize) -> Captured {
    let dtypes = input().dtypes;
    let batches = history.iter().map(|(time, changes)| (*time, batch(&dtypes, changes))).collect();
    let mut rows = run_steps(&[(dtypes, batches)], steps, workers, false);
    rows.sort_by_key(|row| row.0);
    rows
}

/// The output after the changes of each of its times.
fn states(rows: &Captured) -> Vec<(Timestamp, Table)> {
    let times: BTreeSet<Timestamp> = rows.iter().map(|row| row.0).collect();
    let mut bag: BTreeMap<(u128, Row), i64> = BTreeMap::new();
    let mut states = Vec::new();
    for time in times {
        for (_, key, row, diff) in rows.iter().filter(|row| row.0 == time) {
            *bag.entry((*key, row.clone())).or_default() += diff;
        }
        bag.retain(|_, count| *count != 0);
        assert!(bag.values().all(|count| *count == 1), "at {time}: {bag:?}");
        let table: Table = bag.keys().cloned().collect();
        assert_eq!(table.len(), bag.len(), "one row for each id at {time}: {bag:?}");
        states.push((time, table));
    }
    states
}

fn answered(row: &Row, fails: fn(i64) -> bool, on_failure: OnFailure) -> Row {
    match (&row[0], on_failure) {
        (Value::Int(v), OnFailure::Report) if fails(*v) => vec![FAILURE.into(), Value::None],
        (Value::Int(v), OnFailure::Error) if fails(*v) => vec![SUCCESS.into(), Value::Error],
        (Value::Int(v), _) => vec![SUCCESS.into(), Value::Int(10 * v)],
        _ => vec![SUCCESS.into(), Value::None],
    }
}

fn last_rows(history: &[(Timestamp, Changes)]) -> Table {
    state_at(history, Timestamp::MAX)
}

#[test]
fn in_the_end_every_row_has_its_own_answer() {
    let fails: fn(i64) -> bool = |v| v % 4 == 0;
    for case in 0..cases() {
        let history = random_history(case);
        for on_failure in [OnFailure::Report, OnFailure::Error] {
            for (pending, workers) in [(false, 1), (true, 1), (false, 2), (true, 4)] {
                let steps = steps(times_ten(on_failure, fails), Form { instances: false, pending });
                let rows = run(&history, steps, workers);
                let found = states(&rows).pop().map(|(_, table)| table).unwrap_or_default();
                let expected = last_rows(&history);
                assert!(found.keys().eq(expected.keys()), "case {case}, {workers} workers");
                for (key, row) in found {
                    // What waited behind a failed call of the same row fails with it.
                    let versions = history.iter().flat_map(|(_, changes)| changes).filter(|c| c.0 == key);
                    let may_fail = on_failure == OnFailure::Report
                        && versions
                            .into_iter()
                            .any(|(_, row, _)| matches!(row[0], Value::Int(v) if fails(v)));
                    let right = row == answered(&expected[&key], fails, on_failure);
                    assert!(
                        right || may_fail && row[0] == Value::from(FAILURE),
                        "case {case}, {workers} workers, pending {pending}: {row:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_are_pending_from_the_time_they_come() {
    for case in 0..cases() {
        let history = random_history(case);
        for workers in [1, 2, 4] {
            let steps =
                steps(times_ten(OnFailure::Report, |_| false), Form { instances: true, pending: true });
            let states = states(&run(&history, steps, workers));
            let last = history.last().map_or(0, |(time, _)| *time);
            for (time, found) in states {
                // Answers come at times of the clock, far behind those of the history.
                let expected = state_at(&history, time.min(last));
                assert!(found.keys().eq(expected.keys()), "case {case} at {time}: {found:?}, {expected:?}");
                if time <= last {
                    assert!(found.values().flatten().all(|v| *v == Value::Pending), "case {case} at {time}");
                } else {
                    let right = |(key, row): (&u128, &Row)| {
                        row[0] == Value::Pending
                            || *row == answered(&expected[key], |_| false, OnFailure::Report)
                    };
                    assert!(found.iter().all(right), "case {case} at {time}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn an_instance_goes_through_the_states_of_its_input() {
    for case in 0..cases() {
        let history = random_history(case);
        let times: Vec<Timestamp> = history.iter().map(|(time, _)| *time).collect();
        let of = |table: &Table, number: i64| -> Table {
            table.iter().filter(|(key, _)| instance(**key) == number).map(|(k, r)| (*k, r.clone())).collect()
        };
        let inputs: Vec<Table> = std::iter::once(Table::new())
            .chain(times.iter().map(|time| state_at(&history, *time)))
            .map(|table| table.iter().map(|(k, r)| (*k, answered(r, |_| false, OnFailure::Report))).collect())
            .collect();
        for workers in [1, 2, 4] {
            let steps =
                steps(times_ten(OnFailure::Report, |_| false), Form { instances: true, pending: false });
            let outputs = states(&run(&history, steps, workers));
            for number in 0..3 {
                let mut at = 0;
                for (time, table) in &outputs {
                    let found = of(table, number);
                    let next = (at..inputs.len()).find(|i| of(&inputs[*i], number) == found);
                    let next = next.unwrap_or_else(|| panic!("case {case} at {time}: {found:?} never was"));
                    at = next;
                }
                let end = inputs.last().map(|table| of(table, number)).unwrap_or_default();
                let found = outputs.last().map(|(_, table)| of(table, number)).unwrap_or_default();
                assert_eq!(found, end, "case {case}, {workers} workers");
            }
        }
    }
}

#[test]
fn a_failure_takes_the_rows_of_its_instance_and_time() {
    let key = |n: i64| Key::of(&[Value::Int(n)]).unwrap().0;
    let row = |v: i64, instance: i64| vec![Value::Int(v), Value::Int(instance)];
    // One time: two rows of instance 0, one of which fails, and one of instance 1.
    let history = vec![(2, vec![(key(1), row(4, 0), 1), (key(2), row(5, 0), 1), (key(3), row(6, 1), 1)])];
    for workers in [1, 2, 4] {
        let steps = steps(times_ten(OnFailure::Report, |v| v == 4), Form { instances: true, pending: false });
        let rows = run(&history, steps, workers);
        let failed: Row = vec![FAILURE.into(), Value::None];
        let expected: Table =
            [(key(1), failed.clone()), (key(2), failed), (key(3), vec![SUCCESS.into(), Value::Int(60)])]
                .into();
        assert_eq!(states(&rows).pop().unwrap().1, expected);
        let together: BTreeSet<Timestamp> =
            rows.iter().filter(|row| row.1 != key(3)).map(|row| row.0).collect();
        assert_eq!(together.len(), 1, "{rows:?}");
    }
}

#[test]
fn what_was_not_answered_is_asked_again_in_a_later_run() {
    let mut in_between = 0;
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        // What comes before time 2 is not shown by a run that may be gone on with.
        let history = random_history(case).into_iter().map(|(time, changes)| (time + 2, changes));
        let history: Vec<(Timestamp, Changes)> = history.collect();
        let dtypes = input().dtypes;
        let batches = history.iter().map(|(time, changes)| (*time, batch(&dtypes, changes)));
        let inputs = [(dtypes.clone(), batches.collect())];
        let form = Form { instances: random.below(2) == 0, pending: random.below(2) == 0 };
        let steps = || steps(times_ten(OnFailure::Report, |_| false), form);
        let stopped = Stopped {
            at: even_now() + random.below(6),
            workers: [1 + random.below(3) as usize, 1 + random.below(3) as usize],
            processes: Stopped::some_processes(&mut random),
            state_after: *random.pick(&[0, 100, 1 << 20]),
            seal_after: *random.pick(&[0, 1000, 1 << 20]),
        };
        let store = Arc::new(Store::memory().unwrap());
        let options = |workers| RunOptions {
            workers,
            persistence: Some(stopped.persistence(&store)),
            ..RunOptions::default()
        };
        let [(before, processes_before), (after, processes_after)] = stopped.places();
        let first = run_with(&inputs, steps(), options(before), processes_before, false, Some(stopped.at));
        let first = first.unwrap_or_else(|rows| rows);
        let time = latest(&store, |_| Ok(())).unwrap().manifest.map_or(0, |manifest| manifest.time);
        in_between += u64::from(time > 2 && time < Timestamp::MAX);
        let rest = run_with(&inputs, steps(), options(after), processes_after, false, None).unwrap();
        let first = first.into_iter().filter(|(t, ..)| *t < time);
        let mut rows: Captured = first.chain(rest.into_iter().filter(|(t, ..)| *t >= time)).collect();
        rows.sort_by_key(|row| row.0);
        let found = states(&rows).pop().map(|(_, table)| table).unwrap_or_default();
        let expected = last_rows(&history).into_iter();
        let expected = expected.map(|(k, r)| (k, answered(&r, |_| false, OnFailure::Report)));
        assert_eq!(found, expected.collect(), "case {case}, {stopped:?}, from {time}");
    }
    assert!(in_between > 0 || cases() < 20, "no run went on from somewhere in between");
}
