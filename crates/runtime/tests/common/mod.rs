//! A harness for histories: tables that change over time, run through a program, compared at every
//! time with a plain model of what the program means.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::result_large_err
)]

mod one_by_one;
pub mod windows;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use pathway_dataflow::{Budget, Context, Failure, Monitor, Report};
use pathway_io::{ConnectorError, FailureClass, Sink, Writer};
use pathway_persistence::{Store, latest};
use pathway_plan::program::{OutputStep, Program, Step, StepId, StepOp};
use pathway_plan::{Goal, OutputOptions, Rewrites, Table as Rows};
use pathway_runtime::{ClusterConfig, Members, Persistence, RunOptions, Secret, run};
use pathway_types::{Batch, ColumnBuilder, DType, Key, Timestamp, Value};

use one_by_one::run_one_by_one;

pub type Row = Vec<Value>;
/// The state of an input: one row per key.
pub type Table = BTreeMap<u128, Row>;
/// What a program outputs: rows with multiplicities.
pub type Bag = BTreeMap<(u128, Row), i64>;
pub type Changes = Vec<(u128, Row, i64)>;
/// What a sink receives: time, key, row, diff.
pub type Captured = Vec<(Timestamp, u128, Row, i64)>;
/// An input of a program: its dtypes and its changes.
pub type Timed = (Vec<DType>, Vec<(Timestamp, Batch)>);

/// A small deterministic generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

/// An input: its dtypes and how a random row is made.
pub struct Input {
    pub dtypes: Vec<DType>,
    pub keys: u64,
    pub row: fn(&mut Random) -> Row,
}

/// A random history: changes at ascending times. Keys stay unique at every time.
pub fn history(input: &Input, random: &mut Random, times: usize) -> Vec<(Timestamp, Changes)> {
    let mut state = Table::new();
    let mut out = Vec::new();
    for time in 0..times {
        let mut changes = Changes::new();
        for _ in 0..random.below(6) {
            // Spread keys over shards.
            let key = u128::from(random.below(input.keys)).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            let old = state.remove(&key);
            if let Some(old) = &old {
                changes.push((key, old.clone(), -1));
            }
            if old.is_none() || random.below(3) > 0 {
                let row = (input.row)(random);
                changes.push((key, row.clone(), 1));
                state.insert(key, row);
            }
        }
        // Within a time the order of changes does not matter.
        for i in (1..changes.len()).rev() {
            changes.swap(i, random.below(i as u64 + 1) as usize);
        }
        if !changes.is_empty() {
            out.push((2 * time as Timestamp, changes));
        }
    }
    out
}

pub fn column(dtype: &DType, values: impl IntoIterator<Item = Value>) -> pathway_types::Column {
    let mut builder = ColumnBuilder::new(dtype, 0);
    values.into_iter().for_each(|v| builder.push(&v));
    builder.finish()
}

pub fn batch(dtypes: &[DType], changes: &Changes) -> Batch {
    let keys: Vec<u128> = changes.iter().map(|c| c.0).collect();
    let diffs: Vec<i64> = changes.iter().map(|c| c.2).collect();
    let columns = dtypes.iter().enumerate().map(|(i, d)| column(d, changes.iter().map(|c| c.1[i].clone())));
    Batch::new(keys.into(), columns.collect(), diffs.into())
}

/// The state after all changes up to `time`.
pub fn state_at(history: &[(Timestamp, Changes)], time: Timestamp) -> Table {
    let mut bag: BTreeMap<(u128, Row), i64> = BTreeMap::new();
    for (_, changes) in history.iter().filter(|(t, _)| *t <= time) {
        for (key, row, diff) in changes {
            *bag.entry((*key, row.clone())).or_insert(0) += diff;
        }
    }
    bag.retain(|_, n| *n != 0);
    assert!(bag.values().all(|n| *n == 1), "keys are unique");
    bag.into_keys().collect()
}

#[derive(Debug, Default)]
pub struct Capture {
    rows: Arc<Mutex<Captured>>,
    dtypes: Vec<DType>,
    fails: Option<Timestamp>,
}

impl Capture {
    /// Fails at the first time from `fails` on.
    pub fn new(dtypes: Vec<DType>, fails: Option<Timestamp>) -> Arc<Capture> {
        Arc::new(Capture { rows: Arc::default(), dtypes, fails })
    }

    /// What was received.
    pub fn sorted(&self) -> Captured {
        let mut rows = self.rows.lock().unwrap().clone();
        rows.sort();
        rows
    }
}

struct Capturing {
    rows: Arc<Mutex<Captured>>,
    dtypes: Vec<DType>,
    fails: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Sink for Capture {
    fn description(&self) -> String {
        "capture".into()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Ok(Box::new(Capturing {
            rows: self.rows.clone(),
            dtypes: self.dtypes.clone(),
            fails: self.fails,
            last: None,
        }))
    }
}

impl Writer for Capturing {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        assert!(self.last.is_none_or(|last| last < time), "times ascend and are written once");
        if self.fails.is_some_and(|from| time >= from) {
            return Err(ConnectorError::new("capture", FailureClass::Engine, "told to fail"));
        }
        let mut rows = self.rows.lock().unwrap();
        for i in 0..batch.len() {
            let row = batch.columns.iter().zip(&self.dtypes).map(|(c, d)| c.value(d, i)).collect();
            rows.push((time, batch.keys.as_slice()[i], row, batch.diffs.get(i)));
        }
        Ok(())
    }
    fn end_time(&mut self, time: Timestamp) -> Result<(), ConnectorError> {
        self.last = Some(time);
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
}

thread_local! {
    /// The memory limit of runs that are started on this thread.
    static MEMORY: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What comes of `work`, whose runs may take so much memory.
pub fn with_memory<T>(bytes: Option<usize>, work: impl FnOnce() -> T) -> T {
    let before = MEMORY.replace(bytes);
    let result = work();
    MEMORY.set(before);
    result
}

pub struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

pub fn step(op: StepOp, inputs: &[usize], columns: Vec<DType>) -> Step {
    Step {
        op,
        inputs: inputs.iter().map(|i| StepId(*i)).collect(),
        columns,
        insert_only: false,
        name: "step".into(),
        names: Vec::new(),
        frame: None,
        inside: None,
    }
}

/// Runs a program in so many processes, each of which has a thread here. Gives the failure of the first one,
/// and makes sure that the others end as it does.
pub fn run_in_processes(
    program: &Program,
    options: &RunOptions,
    terminate_on_error: bool,
    processes: usize,
) -> Result<(), Failure> {
    let memory = MEMORY.get();
    let context = || {
        let context = Context::new(terminate_on_error, 1024, Arc::new(Silent));
        if let Some(bytes) = memory {
            context.limit_memory(Budget::of_process(bytes, &std::env::temp_dir()));
        }
        context
    };
    if processes == 1 {
        return run(program.clone(), options, &context());
    }
    let listener = |_| Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let listeners: Vec<Arc<TcpListener>> = (0..processes).map(listener).collect();
    let addresses: Vec<String> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
    let results: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
        let run_one = |process: usize| {
            let mut cluster = ClusterConfig::new(Members { process, addresses: addresses.clone() });
            cluster.secret = Secret::new("of the tests");
            cluster.listener = Some(listeners[process].clone());
            let options = RunOptions { cluster: Some(cluster), ..options.clone() };
            scope.spawn(move || run(program.clone(), &options, &context()))
        };
        let threads: Vec<_> = (0..processes).map(run_one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut results = results.into_iter();
    let first = results.next().unwrap();
    for other in results {
        match other {
            Ok(()) => assert!(first.is_ok(), "{first:?}, but another process ended well"),
            Err(Failure::OtherProcess(_)) => {
                assert!(first.is_err(), "{other:?}, but the first one ended well")
            }
            Err(failure) => panic!("{failure:?}"),
        }
    }
    first
}

/// Runs static inputs through the steps (numbered after the inputs); the last step is the output.
pub fn run_steps(inputs: &[Timed], steps: Vec<Step>, workers: usize, terminate_on_error: bool) -> Captured {
    let options = RunOptions { workers, ..RunOptions::default() };
    run_with(inputs, steps, options, 1, terminate_on_error, None).unwrap()
}

/// As [`run_steps`], with these options; the output fails at the first time from `fails` on.
pub fn run_with(
    inputs: &[Timed],
    steps: Vec<Step>,
    options: RunOptions,
    processes: usize,
    terminate_on_error: bool,
    fails: Option<Timestamp>,
) -> Result<Captured, Captured> {
    let given = inputs.iter().map(|(dtypes, batches)| {
        let batches = Arc::new(batches.clone());
        step(StepOp::Static { batches, shards: None, known_at_start: false }, &[], dtypes.clone())
    });
    run_through(given.collect(), steps, &options, processes, terminate_on_error, fails)
}

/// As [`run_with`], with the steps that give the inputs.
fn run_through(
    inputs: Vec<Step>,
    steps: Vec<Step>,
    options: &RunOptions,
    processes: usize,
    terminate_on_error: bool,
    fails: Option<Timestamp>,
) -> Result<Captured, Captured> {
    let mut program = Program { steps: inputs, ..Program::default() };
    program.steps.extend(steps);
    let last = program.steps.len() - 1;
    let dtypes = program.steps[last].columns.clone();
    let capture = Capture::new(dtypes.clone(), fails);
    let output = OutputStep { sink: capture.clone(), name: None, sort_by: None, keep_errors: true };
    program.steps.push(step(StepOp::Output(output), &[last], dtypes));
    let ended = run_in_processes(&program, options, terminate_on_error, processes);
    let rows = std::mem::take(&mut *capture.rows.lock().unwrap());
    match ended {
        Ok(()) => Ok(rows),
        Err(failure) if fails.is_some() => {
            assert!(matches!(failure, Failure::Connector { .. }), "{failure:?}");
            Err(rows)
        }
        Err(failure) => panic!("{failure:?}"),
    }
}

/// The program that computes a table, and what a sink receives of it, in order; the same if the run is stopped
/// and gone on with.
pub fn run_table(table: &Rows, rewrites: Rewrites, workers: usize) -> (Program, Captured) {
    let (program, mut rows) = run_table_with(table, rewrites, (workers, 1), None, None);
    rows.sort();
    let mut random = Random::new(rows.len() as u64 + 1);
    let times: Vec<Timestamp> = rows.iter().map(|(time, ..)| *time).collect();
    let stopped = Stopped {
        at: if times.is_empty() { 0 } else { *random.pick(&times) },
        workers: [workers, 1 + random.below(3) as usize],
        processes: Stopped::some_processes(&mut random),
        state_after: *random.pick(&[0, 100, 1 << 20]),
        seal_after: *random.pick(&[0, 1000, 1 << 20]),
    };
    let store = Arc::new(Store::memory().unwrap());
    let persistence = stopped.persistence(&store);
    let [before, after] = stopped.places();
    let first = run_table_with(table, rewrites, before, Some(persistence.clone()), Some(stopped.at)).1;
    let time = latest(&store, |_| Ok(())).unwrap().manifest.map_or(0, |manifest| manifest.time);
    let rest = run_table_with(table, rewrites, after, Some(persistence), None).1;
    let first = first.into_iter().filter(|(t, ..)| *t < time);
    let mut both: Captured = first.chain(rest.into_iter().filter(|(t, ..)| *t >= time)).collect();
    both.sort();
    // What comes before time 2 is not shown by a run that may be gone on with.
    let shown: Captured = rows.iter().filter(|(t, ..)| *t >= 2).cloned().collect();
    assert_eq!(both, shown, "{stopped:?}, gone on with from {time}: left is the engine's");
    (program, rows)
}

fn run_table_with(
    table: &Rows,
    rewrites: Rewrites,
    (workers, processes): (usize, usize),
    persistence: Option<Persistence>,
    fails: Option<Timestamp>,
) -> (Program, Captured) {
    let dtypes = table.columns().iter().map(|column| column.dtype.clone()).collect();
    let capture = Capture::new(dtypes, fails);
    let options = OutputOptions { keep_errors: true, ..OutputOptions::default() };
    let output = table.output(capture.clone(), options).unwrap();
    let program = table.graph().program_with(&Goal::Outputs(vec![output]), rewrites).unwrap();
    let options = RunOptions { workers, persistence, start: Some(0), ..RunOptions::default() };
    let ended = run_in_processes(&program, &options, false, processes);
    assert!(fails.is_some() || ended.is_ok(), "{ended:?}");
    let rows = std::mem::take(&mut *capture.rows.lock().unwrap());
    (program, rows)
}

pub fn cases() -> u64 {
    std::env::var("PATHWAY_PROPERTY_EXAMPLES").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// Random histories of the inputs: at every time the accumulated output equals the model of the
/// accumulated inputs, and one time's changes are a net difference.
pub fn check(name: &str, inputs: &[Input], steps: impl Fn() -> Vec<Step>, model: impl Fn(&[Table]) -> Bag) {
    check_one_of(1, name, inputs, steps, model);
}

/// The same for one of so many forms of an operation, which share the cases; histories are different for each.
pub fn check_one_of(
    forms: u64,
    name: &str,
    inputs: &[Input],
    steps: impl Fn() -> Vec<Step>,
    model: impl Fn(&[Table]) -> Bag,
) {
    let seed = Key::of(&[Value::Str(name.into())]).unwrap().0 as u64;
    let cases = cases().div_ceil(forms);
    let mut came_back = 0;
    for case in 0..cases {
        let mut random = Random::new(seed.wrapping_add(case));
        let times = 1 + random.below(8) as usize;
        let histories: Vec<_> = inputs.iter().map(|i| history(i, &mut random, times)).collect();
        let batches: Vec<_> = inputs
            .iter()
            .zip(&histories)
            .map(|(i, h)| {
                let batches = h.iter().map(|(t, changes)| (*t, batch(&i.dtypes, changes)));
                (i.dtypes.clone(), batches.collect::<Vec<_>>())
            })
            .collect();
        let stopped = Stopped {
            at: 2 * random.below(times as u64 + 1),
            workers: [1 + random.below(3) as usize, 1 + random.below(3) as usize],
            processes: Stopped::some_processes(&mut random),
            state_after: *random.pick(&[0, 100, 1 << 20]),
            seal_after: *random.pick(&[0, 1000, 1 << 20]),
        };
        let runs = [1, 2, 4].map(|workers| (format!("{workers} workers"), Run::Whole(workers)));
        let mut runs: Vec<_> =
            runs.into_iter().chain([(format!("{stopped:?}"), Run::Twice(&stopped))]).collect();
        if case % 8 == 0 {
            runs.push(("2 processes".into(), Run::Processes(2, 1 + case as usize % 3)));
        }
        if case % 4 == 1 {
            runs.push((format!("a run for each time, {stopped:?}"), Run::OneByOne(&stopped)));
        }
        let runs = runs.into_iter().map(|(setup, run)| (setup, run, None));
        let small = *random.pick(&[0, 1000, 5000, 50_000]);
        let limited = [
            (format!("{small} bytes"), Run::Whole(1 + case as usize % 3), Some(small)),
            (format!("{small} bytes, {stopped:?}"), Run::Twice(&stopped), Some(small)),
        ];
        for (setup, run, memory) in runs.chain(limited) {
            let rows = with_memory(memory, || match run {
                Run::Whole(workers) => run_steps(&batches, steps(), workers, false),
                Run::Processes(processes, workers) => {
                    let options = RunOptions { workers, ..RunOptions::default() };
                    run_with(&batches, steps(), options, processes, false, None).unwrap()
                }
                Run::OneByOne(stopped) => run_one_by_one(&batches, &steps, stopped),
                Run::Twice(stopped) => {
                    let (rows, from) = run_twice(&batches, &steps, stopped);
                    came_back += u64::from(from > 2 && from <= 2 * times as Timestamp);
                    rows
                }
            });
            let mut all_times: Vec<Timestamp> = histories.iter().flatten().map(|(t, _)| *t).collect();
            all_times.sort_unstable();
            all_times.dedup();
            assert!(
                rows.iter().all(|(t, ..)| all_times.contains(t)),
                "{name}, case {case}, {setup}: output at a time without input"
            );
            let mut seen = Bag::new();
            for time in &all_times {
                // Rows with equal ids may repeat, but nothing is both added and removed.
                let mut net = Bag::new();
                let mut listed = 0;
                for (_, key, row, diff) in rows.iter().filter(|(t, ..)| t == time) {
                    *net.entry((*key, row.clone())).or_insert(0) += diff;
                    listed += diff.abs();
                    *seen.entry((*key, row.clone())).or_insert(0) += diff;
                }
                assert!(
                    net.values().map(|n| n.abs()).sum::<i64>() == listed,
                    "{name}, case {case}, {setup}, time {time}: not a net difference: {net:?}"
                );
                seen.retain(|_, n| *n != 0);
                let states: Vec<Table> = histories.iter().map(|h| state_at(h, *time)).collect();
                let expected = model(&states);
                assert_eq!(seen, expected, "{name}, case {case}, {setup}, time {time}: left is the engine's");
            }
        }
    }
    let mut program = Program { steps: steps(), ..Program::default() };
    program.steps.iter_mut().for_each(|step| step.inputs.clear());
    let has_state = (0..program.steps.len()).any(|step| program.has_state(step));
    assert!(came_back > 0 || !has_state || cases < 20, "{name}: no run went on from somewhere in between");
}

pub fn bag(rows: impl IntoIterator<Item = (u128, Row)>) -> Bag {
    let mut bag = Bag::new();
    for row in rows {
        *bag.entry(row).or_insert(0) += 1;
    }
    bag
}

/// A row with an instance, a time and a number: id, instance, time, number.
pub type Fact = (u128, i64, i64, i64);

/// Changes whose times go on from step to step by a pace, with rows that are late or early, updates that keep
/// ids, and removals.
pub fn facts(random: &mut Random, most_steps: u64) -> Vec<(Timestamp, Vec<(Fact, i64)>)> {
    let mut state: BTreeMap<u128, Fact> = BTreeMap::new();
    let mut all = Vec::new();
    let pace = random.below(4) as i64;
    for step in 0..1 + random.below(most_steps) as i64 {
        let mut changes = Vec::new();
        for _ in 0..random.below(5) {
            let id = u128::from(random.below(16)).wrapping_mul(0x1_0001_9E37_79B9) + 7;
            let old = state.remove(&id);
            changes.extend(old.map(|old| (old, -1)));
            if old.is_none() || random.below(2) == 0 {
                let time = step * pace + random.below(14) as i64 - 7;
                let fact = (id, random.below(2) as i64, time, random.below(100) as i64);
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

/// The net changes of a time.
pub fn net<F: Copy + Ord>(changes: &[(F, i64)]) -> BTreeMap<F, i64> {
    let mut net = BTreeMap::new();
    changes.iter().for_each(|(row, diff)| *net.entry(*row).or_default() += diff);
    net.retain(|_, diff| *diff != 0);
    net
}

/// Checks that what a sink received makes these rows at these times, with changes at no others, each row
/// once, and nothing both added and removed; `about` says which case it is.
pub fn check_shown<S: Clone + Debug + Ord>(
    output: &Captured,
    expected: &[(Timestamp, BTreeSet<S>)],
    shown: impl Fn(&[Value]) -> S,
    about: &dyn Fn() -> String,
) {
    let mut left = output.iter().peekable();
    let mut there: BTreeMap<(u128, S), i64> = BTreeMap::new();
    for (time, expected) in expected {
        let mut net: BTreeMap<(u128, S), i64> = BTreeMap::new();
        while let Some((at, id, row, diff)) = left.next_if(|row| row.0 <= *time) {
            assert_eq!(at, time, "{}: output at a time of its own: {row:?}", about());
            *net.entry((*id, shown(row))).or_default() += diff;
            *there.entry((*id, shown(row))).or_default() += diff;
        }
        assert!(net.values().all(|diff| diff.abs() == 1), "{}, time {time}: {net:?}", about());
        there.retain(|_, count| *count != 0);
        assert!(there.values().all(|count| *count == 1), "{}, time {time}: {there:?}", about());
        let found: BTreeSet<S> = there.keys().map(|(_, shown)| shown.clone()).collect();
        assert_eq!(&found, expected, "{}, time {time}: left is the engine's", about());
    }
    assert_eq!(left.next(), None, "{}: output after the end", about());
}

impl Stopped {
    /// Mostly one, as those take longer to start.
    pub fn some_processes(random: &mut Random) -> [usize; 2] {
        if random.below(16) > 0 { [1, 1] } else { *random.pick(&[[1, 2], [2, 1], [2, 3]]) }
    }

    /// Workers and processes, before and after.
    pub fn places(&self) -> [(usize, usize); 2] {
        [0, 1].map(|run| (self.workers[run], self.processes[run]))
    }

    pub fn persistence(&self, store: &Arc<Store>) -> Persistence {
        Persistence {
            state_after: self.state_after,
            seal_after: self.seal_after,
            read_at_once: 10 * self.seal_after as u64,
            unwritten: 2 * self.seal_after,
            ..Persistence::new(store.clone())
        }
    }
}

enum Run<'a> {
    Whole(usize),
    /// Processes, and workers of each.
    Processes(usize, usize),
    Twice(&'a Stopped),
    OneByOne(&'a Stopped),
}

/// A run that is stopped by a failure of its output at about a time, with so many workers before and after.
#[derive(Debug)]
pub struct Stopped {
    pub at: Timestamp,
    pub workers: [usize; 2],
    /// In so many processes with so many workers each.
    pub processes: [usize; 2],
    /// The bytes of changes after which operators write their whole state.
    pub state_after: usize,
    /// The bytes of changes that are written again.
    pub seal_after: usize,
}

/// The output of a run that is stopped and one that goes on with it,
/// and the time from which the second one went on.
pub fn run_twice(
    inputs: &[Timed],
    steps: impl Fn() -> Vec<Step>,
    stopped: &Stopped,
) -> (Captured, Timestamp) {
    // What comes before time 2 is not shown by a run that may be gone on with.
    let all = inputs.iter().map(|(dtypes, batches)| {
        let batches = batches.iter().map(|(time, batch)| (time + 2, batch.clone()));
        (dtypes.clone(), batches.collect())
    });
    let all: Vec<Timed> = all.collect();
    let back = |rows: Captured| rows.into_iter().map(|(time, key, row, diff)| (time - 2, key, row, diff));
    let store = Arc::new(Store::memory().unwrap());
    let options = |workers: usize| RunOptions {
        workers,
        // Before all times of the histories: the second run knows them by the checkpoint alone.
        start: Some(0),
        persistence: Some(stopped.persistence(&store)),
        ..RunOptions::default()
    };
    let [(before, processes_before), (after, processes_after)] = stopped.places();
    let fails = Some(stopped.at + 2);
    let first = run_with(&all, steps(), options(before), processes_before, false, fails);
    let first = first.unwrap_or_else(|rows| rows);
    let found = latest(&store, |_| Ok(())).unwrap();
    assert!(found.damaged.is_empty(), "{:?}", found.damaged);
    let time = found.manifest.map_or(0, |manifest| manifest.time);
    let rest = run_with(&all, steps(), options(after), processes_after, false, None).unwrap();
    let first = first.into_iter().filter(|(t, ..)| *t < time).collect();
    let rest = rest.into_iter().filter(|(t, ..)| *t >= time).collect();
    (back(first).chain(back(rest)).collect(), time)
}
