//! A limited backlog: minibatches are closed at the limit, however a reader hands rows over. Runs that are told to
//! end take in what was read.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pathway_dataflow::{Context, Monitor, Report};
use pathway_io::{ConnectorError, Parsed, ReadMode, Reader, Resume, Sink, Source, SourceOutput, Writer};
use pathway_plan::{Goal, Graph, OutputOptions, SourceOptions};
use pathway_runtime::{RunOptions, run};
use pathway_types::{Batch, ColumnBuilder, DType, Diffs, Field, Schema, Timestamp, Value};

/// What a reader does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Hands over so many rows at once.
    Rows(i64),
    /// The same, to be parsed by another thread.
    Parse(i64),
    Begin,
    End,
    Commit,
    /// Waits until this is so.
    Await(&'static AtomicBool),
}

use Act::{Await, Begin, Commit, End, Parse, Rows};

#[derive(Debug)]
struct Script {
    schema: Schema,
    acts: Vec<Act>,
}

impl Source for Script {
    fn description(&self) -> String {
        "a script".into()
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Static
    }
    fn insert_only(&self) -> bool {
        true
    }
    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let fields = columns.iter().map(|column| self.schema.fields[*column].clone());
        Arc::new(Script { schema: Schema::new(fields), acts: self.acts.clone() })
    }
    fn open(&self, _: usize, _: Option<Resume>) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        Ok(vec![Box::new(Reading(self.acts.clone()))])
    }
}

struct Reading(Vec<Act>);

fn numbers(from: i64, to: i64) -> Parsed {
    let mut builder = ColumnBuilder::new(&DType::Int, (to - from) as usize);
    (from..to).for_each(|number| builder.push(&Value::Int(number)));
    let keys: Vec<u128> = (from..to).map(|number| number as u128).collect();
    let diffs = Diffs::Ones(keys.len());
    Parsed { batch: Batch::new(keys.into(), vec![builder.finish()], diffs), ..Parsed::default() }
}

impl Reader for Reading {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut next = 0;
        for act in self.0 {
            // It goes on when it is told to stop, as readers do for what has been read already.
            let _stopped = match act {
                Rows(rows) => output.rows(numbers(next, next + rows)),
                Parse(rows) => output.parse(Box::new(move || numbers(next, next + rows))),
                Begin => output.begin_atomic(),
                End => output.end_atomic(),
                Commit => output.commit(),
                Await(so) => {
                    while !so.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    Ok(())
                }
            };
            if let Rows(rows) | Parse(rows) = act {
                next += rows;
            }
        }
        Ok(())
    }
}

/// Counts the rows of each time.
#[derive(Clone, Default)]
struct Counts {
    rows: Arc<Mutex<BTreeMap<Timestamp, usize>>>,
    /// The run is told to end when the first time is there.
    ends: Option<(Ends, Context)>,
    /// The output was told of the end of its input.
    ended: Arc<AtomicBool>,
}

/// How a run is told to end.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Early,
    BrokenOff,
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("counts")
    }
}

impl Sink for Counts {
    fn description(&self) -> String {
        "counts".into()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }
}

impl Writer for Counts {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        *self.rows.lock().unwrap().entry(time).or_default() += batch.len();
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        match &self.ends {
            Some((Ends::Early, context)) => context.wind_down(),
            Some((Ends::BrokenOff, context)) => context.break_off(),
            None => {}
        }
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        self.ended.store(true, Ordering::SeqCst);
        Ok(())
    }
}

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

/// The numbers of rows at the times of the output, and whether it was told of the end.
fn told(acts: &[Act], limit: Option<usize>, workers: usize, ends: Option<Ends>) -> (Vec<usize>, bool) {
    run_of(acts, limit, workers, ends, Arc::new(Silent))
}

fn run_of(
    acts: &[Act],
    limit: Option<usize>,
    workers: usize,
    ends: Option<Ends>,
    monitor: Arc<dyn Monitor>,
) -> (Vec<usize>, bool) {
    let graph = Graph::new();
    let source = Script { schema: Schema::new([Field::new("n", DType::Int)]), acts: acts.to_vec() };
    let options = SourceOptions { max_backlog: limit, autocommit: None, ..SourceOptions::default() };
    let table = graph.source(Arc::new(source), options).unwrap();
    let context = Context::new(true, 1024, monitor);
    let counts = Counts { ends: ends.map(|ends| (ends, context.clone())), ..Counts::default() };
    let output = table.output(Arc::new(counts.clone()), OutputOptions::default()).unwrap();
    let program = graph.program(&Goal::Outputs(vec![output])).unwrap();
    run(program, &RunOptions { workers, ..RunOptions::default() }, &context).unwrap();
    let rows = counts.rows.lock().unwrap();
    (rows.values().copied().collect(), counts.ended.load(Ordering::SeqCst))
}

/// The numbers of rows at the times of the output of a run that ends by itself.
fn minibatches(acts: &[Act], limit: Option<usize>, workers: usize) -> Vec<usize> {
    let (rows, ended) = told(acts, limit, workers, None);
    assert!(ended);
    rows
}

#[test]
fn rows_leave_in_minibatches_of_the_limit() {
    for workers in [1, 2] {
        for (acts, expected) in [
            (vec![Rows(10)], vec![3, 3, 3, 1]),
            (vec![Parse(10)], vec![3, 3, 3, 1]),
            (vec![Rows(1); 10], vec![3, 3, 3, 1]),
            (vec![Rows(2), Rows(5), Parse(3)], vec![3, 3, 3, 1]),
            (vec![Rows(2), Commit, Rows(3)], vec![2, 3]),
            (vec![Rows(3), Rows(3)], vec![3, 3]),
        ] {
            let found = minibatches(&acts, Some(3), workers);
            if acts.iter().any(|act| matches!(act, Commit)) {
                // What was committed may still be in flight: then less is taken at first.
                assert_eq!(found.iter().sum::<usize>(), 5, "{acts:?}");
                assert!(found[0] == 2 && found.iter().all(|rows| *rows <= 3), "{acts:?}: {found:?}");
            } else {
                assert_eq!(found, expected, "{acts:?}, {workers} workers");
            }
        }
        assert_eq!(minibatches(&[Rows(10), Parse(10)], None, workers), [20]);
    }
}

#[test]
fn a_unit_is_not_split() {
    let acts = [Begin, Rows(4), Parse(6), End, Rows(4)];
    assert_eq!(minibatches(&acts, Some(3), 2), [10, 3, 1]);
    let acts = [Rows(2), Begin, Rows(10), End, Rows(1)];
    assert_eq!(minibatches(&acts, Some(3), 1), [12, 1]);
}

#[test]
fn what_was_read_is_not_lost_when_the_run_ends() {
    for ends in [Ends::Early, Ends::BrokenOff] {
        for workers in [1, 2] {
            let (found, ended) = told(&[Rows(100), Rows(7)], Some(3), workers, Some(ends));
            assert_eq!(found[0], 3, "{ends:?}");
            assert_eq!(found.iter().sum::<usize>(), 107, "{ends:?}");
            // A run that is broken off is not at the end of its input.
            assert_eq!(ended, matches!(ends, Ends::Early));
        }
    }
}

/// What is told of the source. The first number of rows takes long to tell.
#[derive(Default)]
struct Slow {
    told: Mutex<Vec<String>>,
    closed: Condvar,
}

/// The timer has begun to tell a number of rows.
static TELLS: AtomicBool = AtomicBool::new(false);

impl Monitor for Slow {
    fn report(&self, report: Report<'_>) {
        let Report::Progress { closing, name, text } = report else { return };
        if !text.starts_with("a script") {
            return;
        }
        let mut told = self.told.lock().unwrap();
        if !closing && !TELLS.swap(true, Ordering::SeqCst) {
            // Long enough for the source to end; what is told of that must not come meanwhile.
            told = self.closed.wait_timeout(told, Duration::from_millis(200)).unwrap().0;
        }
        told.push(text.strip_prefix(name).unwrap().to_owned());
        self.closed.notify_all();
    }
}

#[test]
fn the_end_of_a_source_is_told_after_its_rows() {
    let monitor = Arc::new(Slow::default());
    run_of(&[Rows(2), Commit, Await(&TELLS)], None, 1, None, monitor.clone());
    let told = monitor.told.lock().unwrap();
    assert_eq!(
        *told,
        [": 2 entries (1 minibatch(es)) have been sent to the engine", ": Closing the data source"]
    );
}
