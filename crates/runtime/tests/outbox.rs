//! A sink that takes whole checkpoints gets every change once, whenever runs fail, also while it commits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::result_large_err)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Capture, Random, cases, run_in_processes};
use pathway_dataflow::{Context, Failure, Monitor, Report};
use pathway_io::{
    ConnectorError, FailureClass, Parsed, Position, ReadMode, Reader, Resume, Sink, Source, SourceOutput,
    Transactions, Writer,
};
use pathway_persistence::Store;
use pathway_plan::program::Program;
use pathway_plan::{Goal, Graph, OutputOptions, SourceOptions, Table as Rows};
use pathway_runtime::{InputLogs, Persistence, RunOptions, run};
use pathway_types::{Batch, ColumnBuilder, DType, Diffs, Field, Schema, Timestamp, Value};

/// What a system knows after all runs so far.
#[derive(Debug, Default)]
struct Kept {
    /// By the name of the writer, the number that was committed last.
    numbers: BTreeMap<String, u64>,
    /// Times and numbers.
    rows: Vec<(Timestamp, i64)>,
}

/// When a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Never,
    /// Nothing was committed.
    Before,
    /// The answer is lost.
    After,
}

/// A system with transactions.
#[derive(Clone, Debug)]
struct Ledger {
    kept: Arc<Mutex<Kept>>,
    fault: Fault,
    /// The sink takes whole checkpoints.
    transactional: bool,
}

impl Sink for Ledger {
    fn description(&self) -> String {
        "ledger".into()
    }
    fn open(&self, position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        assert!(!self.transactional, "it is opened for whole checkpoints");
        let written = position.map_or(0, |position| u64::from_le_bytes(position.try_into().unwrap()));
        self.kept.lock().unwrap().rows.truncate(written as usize);
        Ok(Box::new(self.clone()))
    }
    fn transactions(&self, id: &str, anew: bool) -> Result<Option<Box<dyn Transactions>>, ConnectorError> {
        if self.transactional && anew {
            self.kept.lock().unwrap().rows.clear();
        }
        Ok(self.transactional.then(|| {
            let open: Box<dyn Transactions> = Box::new(Open { ledger: self.clone(), id: id.to_owned() });
            open
        }))
    }
}

impl Ledger {
    fn add(&self, batch: &Batch, time: Timestamp) {
        let number = |i: usize| match batch.columns[0].value(&DType::Int, i) {
            Value::Int(number) if batch.diffs.get(i) == 1 => (time, number),
            other => panic!("{other:?}"),
        };
        self.kept.lock().unwrap().rows.extend((0..batch.len()).map(number));
    }
}

impl Writer for Ledger {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.add(batch, time);
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn position(&self) -> Option<Vec<u8>> {
        Some((self.kept.lock().unwrap().rows.len() as u64).to_le_bytes().to_vec())
    }
}

struct Open {
    ledger: Ledger,
    id: String,
}

impl Transactions for Open {
    fn commit(
        &mut self,
        number: u64,
        changes: &[(Timestamp, Batch)],
        again: bool,
    ) -> Result<Option<u64>, ConnectorError> {
        let found = self.ledger.kept.lock().unwrap().numbers.get(&self.id).copied();
        assert!(again || found.is_none_or(|found| found < number), "numbers increase");
        assert!(!changes.is_empty(), "there is something to be committed");
        if again && found >= Some(number) {
            return Ok(found);
        }
        let lost = |text: &str| Err(ConnectorError::new("ledger", FailureClass::Os, text));
        if self.ledger.fault == Fault::Before {
            return lost("not committed");
        }
        self.ledger.kept.lock().unwrap().numbers.insert(self.id.clone(), number);
        changes.iter().for_each(|(time, batch)| self.ledger.add(batch, *time));
        if self.ledger.fault == Fault::After {
            return lost("the answer is lost");
        }
        Ok(None)
    }
}

/// Counts, and remembers how far. Now and then it waits until the ledger has all numbers so far.
#[derive(Clone, Debug)]
struct Numbers {
    schema: Schema,
    /// The first number that is not given.
    end: u64,
    /// The source fails there.
    fails: bool,
    /// The ledger, unless it does not wait.
    kept: Option<Arc<Mutex<Kept>>>,
    /// It waits after one of so many minibatches.
    waits: u64,
    seed: u64,
}

impl Source for Numbers {
    fn description(&self) -> String {
        "numbers".into()
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Streaming
    }
    fn insert_only(&self) -> bool {
        true
    }
    fn has_positions(&self) -> bool {
        true
    }
    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let fields = columns.iter().map(|column| self.schema.fields[*column].clone());
        Arc::new(Numbers { schema: Schema::new(fields), ..self.clone() })
    }
    fn open(&self, _: usize, resume: Option<Resume>) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        // A source that starts over has nothing to resume from.
        let resume = resume.map(|resume| resume.positions).unwrap_or_default();
        let next = resume.get("").map(|position| position.value.as_slice().try_into().unwrap());
        Ok(vec![Box::new(Reading { next: next.map_or(0, u64::from_le_bytes), source: self.clone() })])
    }
}

struct Reading {
    next: u64,
    source: Numbers,
}

impl Reader for Reading {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let Reading { mut next, source } = *self;
        let mut random = Random::new(source.seed);
        while next < source.end {
            let count = (1 + random.below(3)).min(source.end - next);
            let mut builder = ColumnBuilder::new(&DType::Int, count as usize);
            (next..next + count).for_each(|number| builder.push(&Value::Int(number as i64)));
            let keys: Vec<u128> = (next..next + count).map(u128::from).collect();
            let batch = Batch::new(keys.into(), vec![builder.finish()], Diffs::Ones(count as usize));
            next += count;
            let position = Position { value: next.to_le_bytes().to_vec(), objects: Vec::new() };
            let given = output.rows(Parsed { batch, ..Parsed::default() });
            let given = given.and_then(|()| output.position("", Some(position)));
            let mut given = given.and_then(|()| output.commit());
            let kept = source.kept.as_ref().filter(|_| random.below(source.waits) == 0);
            while given.is_ok() && kept.is_some_and(|kept| (kept.lock().unwrap().rows.len() as u64) < next) {
                given = output.wait(Duration::from_millis(1));
            }
            if given.is_err() {
                return Ok(());
            }
        }
        if source.fails {
            return Err(ConnectorError::new("numbers", FailureClass::Os, "cannot go on"));
        }
        Ok(())
    }
}

/// What of a run can fail.
#[derive(Clone, Copy, Debug)]
struct Faults {
    commit: Fault,
    /// The source fails before this number.
    source: Option<u64>,
}

const WELL: Faults = Faults { commit: Fault::Never, source: None };
const COUNT: u64 = 24;

/// Numbers go to a ledger.
fn program(kept: &Arc<Mutex<Kept>>, faults: Faults, seed: u64) -> Program {
    program_with(kept, faults, true, seed)
}

fn program_with(kept: &Arc<Mutex<Kept>>, faults: Faults, transactional: bool, seed: u64) -> Program {
    let schema = Schema::new([Field::new("number", DType::Int)]);
    let (end, fails) = (faults.source.unwrap_or(COUNT), faults.source.is_some());
    let numbers = Numbers { schema, end, fails, kept: Some(kept.clone()), waits: 2, seed };
    let rows = Graph::new().source(Arc::new(numbers), SourceOptions::default()).unwrap();
    let ledger = Ledger { kept: kept.clone(), fault: faults.commit, transactional };
    program_of(&rows, Arc::new(ledger), "ledger")
}

fn program_of(rows: &Rows, sink: Arc<dyn Sink>, name: &str) -> Program {
    let options = OutputOptions { name: Some(name.into()), ..OutputOptions::default() };
    let output = rows.output(sink, options).unwrap();
    rows.graph().lasting_program(&Goal::Outputs(vec![output])).unwrap()
}

fn options(store: &Arc<Store>, workers: usize) -> RunOptions {
    RunOptions { workers, persistence: Some(Persistence::new(store.clone())), ..RunOptions::default() }
}

/// The numbers that are there, in order of their times.
fn numbers(kept: &Mutex<Kept>) -> Vec<i64> {
    let kept = kept.lock().unwrap();
    assert!(kept.rows.is_sorted_by_key(|row| row.0), "times go up: {:?}", kept.rows);
    let mut rows = kept.rows.clone();
    rows.sort();
    rows.iter().map(|(_, number)| *number).collect()
}

#[test]
fn changes_are_committed_once() {
    let mut failed = BTreeMap::from([("before", 0), ("after", 0), ("source", 0)]);
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        let store = Arc::new(Store::memory().unwrap());
        let kept = Arc::<Mutex<Kept>>::default();
        let mut left = random.below(5);
        let mut reached = 0;
        loop {
            let mut faults = WELL;
            if left > 0 {
                faults.commit = *random.pick(&[Fault::Never, Fault::Before, Fault::After]);
                reached = (reached + random.below(8)).min(COUNT);
                faults.source = Some(reached);
            }
            let processes = if random.below(8) > 0 { 1 } else { 2 };
            let mut options = options(&store, 1 + random.below(3) as usize);
            options.persistence.as_mut().unwrap().logs = *random.pick(&[InputLogs::All, InputLogs::None]);
            match run_in_processes(&program(&kept, faults, random.below(1000)), &options, true, processes) {
                Ok(()) => break,
                Err(Failure::Connector { error, .. }) => {
                    assert!(left > 0, "case {case}: {error}");
                    let which = match &*error.message {
                        "not committed" => "before",
                        "the answer is lost" => "after",
                        _ => "source",
                    };
                    *failed.get_mut(which).unwrap() += 1;
                }
                Err(failure) => panic!("case {case}: {failure:?}"),
            }
            left = left.saturating_sub(1);
        }
        assert_eq!(numbers(&kept), (0..COUNT as i64).collect::<Vec<_>>(), "case {case}");
        let kept = kept.lock().unwrap();
        assert!(kept.numbers.len() == 1, "all runs have one name: {:?}", kept.numbers);
    }
    assert!(failed.values().all(|count| *count > 0) || cases() < 20, "{failed:?}");
}

#[test]
fn what_starts_over_comes_into_outputs_that_begin_anew() {
    for case in 0..cases() {
        let mut random = Random::new(case + 1);
        let store = Arc::new(Store::memory().unwrap());
        let kept = Arc::<Mutex<Kept>>::default();
        let transactional = random.below(2) == 0;
        let mut left = 1 + random.below(3);
        loop {
            let mut faults = WELL;
            if left > 0 {
                faults.commit = *random.pick(&[Fault::Never, Fault::Before, Fault::After]);
                faults.source = Some(random.below(COUNT));
            }
            let mut options = options(&store, 1 + random.below(3) as usize);
            options.persistence.as_mut().unwrap().logs = InputLogs::Named;
            let program = program_with(&kept, faults, transactional, random.below(1000));
            match run_in_processes(&program, &options, true, 1) {
                Ok(()) => break,
                Err(failure) => assert!(left > 0, "case {case}: {failure:?}"),
            }
            left -= 1;
        }
        assert_eq!(numbers(&kept), (0..COUNT as i64).collect::<Vec<_>>(), "case {case}");
    }
}

#[test]
fn a_run_that_has_ended_adds_nothing_when_it_is_repeated() {
    let store = Arc::new(Store::memory().unwrap());
    let kept = Arc::<Mutex<Kept>>::default();
    for seed in 0..2 {
        run_in_processes(&program(&kept, WELL, seed), &options(&store, 2), true, 1).unwrap();
        assert_eq!(numbers(&kept), (0..COUNT as i64).collect::<Vec<_>>());
    }
    // With another store it is another run.
    let store = Arc::new(Store::memory().unwrap());
    run_in_processes(&program(&kept, WELL, 0), &options(&store, 2), true, 1).unwrap();
    assert_eq!(kept.lock().unwrap().rows.len() as u64, 2 * COUNT);
    assert_eq!(kept.lock().unwrap().numbers.len(), 2);
}

/// Keeps the warnings.
#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Monitor for Warnings {
    fn report(&self, report: Report<'_>) {
        if let Report::Message { warning: true, text } = report {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }
}

/// One run of a program, and its warnings.
fn warnings(program: Program, options: &RunOptions) -> (Result<(), Failure>, Vec<String>) {
    let warnings = Arc::new(Warnings::default());
    let ended = run(program, options, &Context::new(true, 1024, warnings.clone()));
    let told = std::mem::take(&mut *warnings.0.lock().unwrap());
    (ended, told)
}

#[test]
fn what_cannot_be_known_is_told() {
    let store = Arc::new(Store::memory().unwrap());
    let kept = Arc::<Mutex<Kept>>::default();
    let options = options(&store, 1);
    let faults = Faults { source: Some(5), ..WELL };
    let (ended, told) = warnings(program(&kept, faults, 1), &options);
    assert!(matches!(ended, Err(Failure::Connector { .. })) && told.is_empty(), "{ended:?}, {told:?}");
    assert_eq!(numbers(&kept), [0, 1, 2, 3, 4]);

    // A later checkpoint was committed, of which the manifest is damaged now.
    let later = kept.lock().unwrap().numbers.values().next().unwrap() + 5;
    *kept.lock().unwrap().numbers.values_mut().next().unwrap() = later;
    store.put(&format!("manifests/{later:012}.json"), "{".into()).unwrap();
    let (ended, told) = warnings(program(&kept, Faults { source: Some(9), ..WELL }, 1), &options);
    assert!(matches!(ended, Err(Failure::Connector { .. })), "{ended:?}");
    let text = format!("has what belongs to checkpoint {later}");
    assert!(told.iter().any(|told| told.contains(&text) && told.contains("a second time")), "{told:?}");
    assert!(*kept.lock().unwrap().numbers.values().next().unwrap() > later, "a number is used once");

    // The sink is another one, and what may not have been sent is not for it.
    let schema = Schema::new([Field::new("number", DType::Int)]);
    let source = Numbers { schema, end: COUNT, fails: false, kept: None, waits: 1, seed: 1 };
    let rows = Graph::new().source(Arc::new(source), SourceOptions::default()).unwrap();
    let capture = Capture::new(vec![DType::Int], None);
    let (ended, told) = warnings(program_of(&rows, capture, "another"), &options);
    assert!(ended.is_ok(), "{ended:?}");
    assert!(
        told.iter().any(|told| told.contains("ledger") && told.contains("may not have been sent")),
        "{told:?}"
    );
}

#[test]
fn a_sink_that_takes_rows_at_once_gets_what_may_not_have_been_sent() {
    let store = Arc::new(Store::memory().unwrap());
    let kept = Arc::<Mutex<Kept>>::default();
    let faults = Faults { commit: Fault::Before, ..WELL };
    let ended = run_in_processes(&program(&kept, faults, 1), &options(&store, 1), true, 1);
    assert!(matches!(ended, Err(Failure::Connector { .. })), "{ended:?}");
    assert_eq!(numbers(&kept), [0_i64; 0]);
    let schema = Schema::new([Field::new("number", DType::Int)]);
    let source = Numbers { schema, end: COUNT, fails: false, kept: None, waits: 1, seed: 1 };
    let rows = Graph::new().source(Arc::new(source), SourceOptions::default()).unwrap();
    let ledger = Ledger { kept: kept.clone(), fault: Fault::Never, transactional: false };
    run_in_processes(&program_of(&rows, Arc::new(ledger), "ledger"), &options(&store, 1), true, 1).unwrap();
    assert_eq!(numbers(&kept), (0..COUNT as i64).collect::<Vec<_>>());
}

#[test]
fn two_runs_do_not_share_a_store() {
    let store = Arc::new(Store::memory().unwrap());
    let [own, other] = [(); 2].map(|()| Arc::<Mutex<Kept>>::default());
    let schema = Schema::new([Field::new("number", DType::Int)]);
    // The first run waits for what the second one writes.
    let source = Numbers { schema, end: COUNT, fails: false, kept: Some(other.clone()), waits: 1, seed: 1 };
    let rows = Graph::new().source(Arc::new(source), SourceOptions::default()).unwrap();
    let ledger = Ledger { kept: own, fault: Fault::Never, transactional: true };
    let first = program_of(&rows, Arc::new(ledger), "ledger");
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| run_in_processes(&first, &options(&store, 1), true, 1));
        while store.list("manifests").unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let second = run_in_processes(&program(&Arc::default(), WELL, 2), &options(&store, 1), true, 1);
        other.lock().unwrap().rows.extend((0..COUNT).map(|_| (0, 0)));
        [run.join().unwrap(), second]
    });
    let failed: Vec<&Failure> = ended.iter().filter_map(|ended| ended.as_ref().err()).collect();
    assert!(
        matches!(&failed[..], [Failure::Persistence(text)] if text.contains("another run")),
        "one of them has to end: {ended:?}"
    );
}
