//! What every operator of a run shares: the stop flag, the first failure, and the error policy.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use pathway_io::ConnectorError;
use pathway_plan::Frame;
use pathway_plan::program::Step;
use pathway_types::{Batch, DataError, Timestamp};

use crate::error_log::ErrorLogs;
use crate::spill::{Budget, StateSize};
use crate::stats::{Meter, Place, Statistics, Wiring};
use crate::timely::SyncActivator;

/// Rows that may be under way between workers before sources hold back.
const MAX_ROWS_BETWEEN_WORKERS: i64 = 4_000_000;

/// Where something happened: the operator and the user's line.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The position of the step in the program.
    pub operator: usize,
    /// The step's name.
    pub name: Arc<str>,
    /// The user's line.
    pub frame: Option<Frame>,
    /// It is computed from an error log: what goes wrong here is put into none.
    pub of_log: bool,
}

impl Site {
    /// Where the errors of a step of a program happen.
    pub fn of_step(number: usize, step: &Step, of_log: bool) -> Site {
        Site { operator: number, name: Arc::from(step.name.as_str()), frame: step.frame.clone(), of_log }
    }
    /// The same operator, at another line of the program if one is known.
    pub fn at(&self, frame: &Option<Frame>) -> Site {
        let mut frame = frame.clone().or_else(|| self.frame.clone());
        if let (Some(frame @ Frame { built: None, .. }), Some(own)) = (&mut frame, &self.frame) {
            frame.built.clone_from(&own.built);
        }
        Site { frame, ..self.clone() }
    }
}

/// Something the user should know.
#[derive(Debug)]
pub enum Report<'a> {
    /// A cell could not be computed, or a row could not be placed and was dropped.
    Error {
        /// The number of the operator in its plan.
        operator: u32,
        /// The worker, if it is known.
        worker: Option<usize>,
        /// The user's line.
        frame: &'a Frame,
        /// What went wrong.
        message: &'a str,
    },
    /// A record of a source could not be parsed and was left out.
    Parse {
        /// The source.
        site: &'a Site,
        /// Where in the source.
        position: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// How far a source or sink is.
    Progress {
        /// It has ended.
        closing: bool,
        /// The source or sink.
        name: &'a str,
        /// The text.
        text: &'a str,
    },
    /// A message.
    Message {
        /// Warning or just information.
        warning: bool,
        /// The text.
        text: &'a str,
    },
}

/// Receives reports; called from worker and reader threads.
pub trait Monitor: Send + Sync {
    /// Takes one report.
    fn report(&self, report: Report<'_>);
}

/// Takes the errors of rows as they are met.
pub(crate) trait Faults {
    /// Something went wrong with a row of a batch.
    fn fault(&mut self, batch: &Batch, row: usize, site: &Site, error: &DataError);
}

/// Where time has an order, every row that comes is one that is there.
impl Faults for Context {
    fn fault(&mut self, _batch: &Batch, _row: usize, site: &Site, error: &DataError) {
        self.data_error(site, error);
    }
}

/// Why a run ended early.
#[derive(Debug)]
pub enum Failure {
    /// A data error, with the run told to end on the first.
    Data {
        /// Where.
        site: Site,
        /// What.
        error: DataError,
    },
    /// A source or sink failed.
    Connector {
        /// Where.
        site: Site,
        /// What.
        error: ConnectorError,
    },
    /// What an earlier run left cannot be used.
    Persistence(String),
    /// A worker failed; a defect of the engine.
    Worker(String),
    /// Another process of the run has failed or is gone.
    OtherProcess(String),
    /// The processes of the run do not come together.
    Cluster(String),
    /// The caller asked the run to stop.
    Stopped,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Data { site, error } => write!(f, "{}: {error}", site.name),
            Failure::Connector { error, .. } => error.fmt(f),
            Failure::Persistence(text)
            | Failure::Worker(text)
            | Failure::OtherProcess(text)
            | Failure::Cluster(text) => f.write_str(text),
            Failure::Stopped => f.write_str("it was stopped"),
        }
    }
}

/// The place of this process among those of the run, which have equally many workers each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

thread_local! {
    static RUN_OF_THREAD: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Shared by all operators, sources and sinks of one run in this process.
#[derive(Clone)]
pub struct Context(Arc<Shared>, Option<Arc<Place>>);

struct Shared {
    /// Tells runs of this process apart.
    run: u64,
    terminate_on_error: bool,
    max_batch_rows: usize,
    stopped: AtomicBool,
    /// Sources are to end; what they have read is still processed.
    winding_down: AtomicBool,
    /// Outputs are not told that a run that winds down has ended.
    breaks_off: AtomicBool,
    keeps_state: AtomicBool,
    checks_types: AtomicBool,
    /// Where results that have to be repeated are kept, if not in memory.
    results_folder: OnceLock<PathBuf>,
    budget: OnceLock<Arc<Budget>>,
    statistics: Arc<Statistics>,
    failure: std::sync::Mutex<Option<Failure>>,
    monitor: Arc<dyn Monitor>,
    process: OnceLock<Process>,
    /// Rows that workers of this process have sent to other workers, and received.
    sent: AtomicU64,
    received: AtomicU64,
    /// How many more rows other processes have sent than received.
    between_others: AtomicI64,
    /// Operators of this process that are at changes of a complete time that had waited.
    at_large_times: AtomicUsize,
    completed: Arc<Completed>,
    /// By operator that waits for answers.
    answered: std::sync::Mutex<Vec<Arc<Answered>>>,
    error_logs: ErrorLogs,
}

/// How far an operator is that waits for answers, which its output does not show.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// Whatever came before this time has been answered.
    before: AtomicU64,
    /// The answers have earlier times than this one.
    told: AtomicU64,
}

impl Answered {
    pub(crate) fn advance(&self, before: Timestamp, told: Timestamp) {
        self.told.store(told, Ordering::SeqCst);
        self.before.store(before, Ordering::SeqCst);
    }
}

/// How far the sinks of a run are, for sources that wait until their rows have passed through.
#[derive(Default)]
pub struct Completed {
    /// By the number of their step.
    sinks: std::sync::Mutex<BTreeMap<usize, Arc<AtomicU64>>>,
    changed: std::sync::Condvar,
}

impl Completed {
    /// The place of the sink of a step. All sinks are known before the first source starts: one that
    /// its worker has not built yet has written nothing.
    pub fn register(&self, step: usize) -> Arc<AtomicU64> {
        self.sinks().entry(step).or_default().clone()
    }
    /// A sink has written everything before `frontier` (everything, if there is none).
    pub fn advance(&self, sink: &AtomicU64, frontier: Option<Timestamp>) {
        let frontier = frontier.unwrap_or(Timestamp::MAX);
        if sink.swap(frontier, Ordering::SeqCst) != frontier {
            let _sinks = self.sinks();
            self.changed.notify_all();
        }
    }
    fn sinks(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Arc<AtomicU64>>> {
        self.sinks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    /// All sinks have written everything before this time.
    pub fn frontier(&self) -> Timestamp {
        self.sinks().values().map(|s| s.load(Ordering::SeqCst)).min().unwrap_or(Timestamp::MAX)
    }
    /// Waits until some sink advances, at most this long.
    pub fn wait(&self, timeout: std::time::Duration) {
        let sinks = self.sinks();
        let _woken = self.changed.wait_timeout(sinks, timeout);
    }
}

impl Context {
    /// A context for one run. `max_batch_rows` bounds what one call of a user function gets.
    pub fn new(terminate_on_error: bool, max_batch_rows: usize, monitor: Arc<dyn Monitor>) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let shared = Shared {
            run: RUNS.fetch_add(1, Ordering::Relaxed),
            terminate_on_error,
            max_batch_rows,
            stopped: AtomicBool::new(false),
            winding_down: AtomicBool::new(false),
            breaks_off: AtomicBool::new(false),
            keeps_state: AtomicBool::new(false),
            checks_types: AtomicBool::new(false),
            results_folder: OnceLock::new(),
            budget: OnceLock::new(),
            statistics: Arc::default(),
            failure: std::sync::Mutex::new(None),
            monitor,
            process: OnceLock::new(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            between_others: AtomicI64::new(0),
            at_large_times: AtomicUsize::new(0),
            completed: Arc::default(),
            answered: std::sync::Mutex::default(),
            error_logs: ErrorLogs::default(),
        };
        Context(Arc::new(shared), None)
    }

    /// The same for what a step of the program is made of, on a worker.
    pub(crate) fn at_step(&self, step: usize, worker: usize) -> Context {
        Context(self.0.clone(), Some(Place::new(step, None, worker)))
    }

    /// The same for what does one stage of the present step.
    pub(crate) fn at_stage(&self, stage: usize) -> Context {
        let place = self.1.as_ref().map(|place| Place::new(place.step(), Some(stage), place.worker()));
        Context(self.0.clone(), place)
    }

    /// The meter of an operator of the present step.
    pub(crate) fn meter(&self, name: &str, wiring: Wiring, activator: Option<SyncActivator>) -> Arc<Meter> {
        let meter = Meter::new(name, self.1.clone(), wiring, activator);
        self.0.statistics.add(meter.clone());
        meter
    }

    /// The meter of a stage of the present step that is done together with others.
    pub(crate) fn stage_meter(&self, stage: usize, reads: bool, gives: bool) -> Option<Arc<Meter>> {
        let place = self.at_stage(stage).1?;
        let meter = Meter::of_stage(place, reads, gives);
        self.0.statistics.add(meter.clone());
        Some(meter)
    }

    /// The present step is built, and gives what comes out of the operator that timely has this number for.
    pub(crate) fn gives(&self, node: Option<usize>) {
        self.1.iter().for_each(|place| place.gives(node));
    }

    /// What is known of the run.
    pub fn statistics(&self) -> &Arc<Statistics> {
        &self.0.statistics
    }

    /// How far the sinks are.
    pub fn completed(&self) -> Arc<Completed> {
        self.0.completed.clone()
    }

    /// The place of an operator that waits for answers.
    pub(crate) fn answering(&self) -> Arc<Answered> {
        let place = Arc::<Answered>::default();
        self.operators_with_answers().push(place.clone());
        place
    }

    /// How many operators of this process wait for answers.
    pub fn answering_operators(&self) -> usize {
        self.operators_with_answers().len()
    }

    /// What came to them before the first time is answered, at times before the second.
    pub fn answered(&self) -> (Timestamp, Timestamp) {
        let operators = self.operators_with_answers();
        let of = |time: fn(&Answered) -> &AtomicU64| {
            operators.iter().map(move |operator| time(operator).load(Ordering::SeqCst))
        };
        let before = of(|operator| &operator.before).min().unwrap_or(Timestamp::MAX);
        (before, of(|operator| &operator.told).max().unwrap_or(0))
    }

    fn operators_with_answers(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Answered>>> {
        self.0.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The error logs of the run.
    pub fn error_logs(&self) -> &ErrorLogs {
        &self.0.error_logs
    }

    /// Has operators keep what they need to come back in another run; before the dataflow is built.
    pub fn keep_state(&self) {
        self.0.keeps_state.store(true, Ordering::Relaxed);
    }

    /// True if the run may be gone on with in another one.
    pub fn keeps_state(&self) -> bool {
        self.0.keeps_state.load(Ordering::Relaxed)
    }

    /// Has a None in any expression whose type has none be an error; before the dataflow is built.
    pub fn check_types(&self) {
        self.0.checks_types.store(true, Ordering::Relaxed);
    }

    /// True if a None in an expression whose type has none is an error.
    pub fn checks_types(&self) -> bool {
        self.0.checks_types.load(Ordering::Relaxed)
    }

    /// Has results of functions that have to be repeated be kept in files there; before the dataflow is built.
    pub fn keep_results_in(&self, folder: PathBuf) {
        // A run has one; a second call would come too late anyway.
        let _ = self.0.results_folder.set(folder);
    }

    /// Where results that have to be repeated are kept, if not in memory.
    pub fn results_folder(&self) -> Option<&Path> {
        self.0.results_folder.get().map(PathBuf::as_path)
    }

    /// Has state that takes more memory than this go to files; before the dataflow is built.
    pub fn limit_memory(&self, budget: Budget) {
        // A run has one; a second call would come too late anyway.
        let _ = self.0.budget.set(Arc::new(budget));
    }

    /// The memory that state may take, if that is limited.
    pub(crate) fn budget(&self) -> Option<Arc<Budget>> {
        self.0.budget.get().cloned()
    }

    /// The state of each operator on each worker of this process, in bytes.
    pub fn state_sizes(&self) -> Vec<StateSize> {
        let one = |meter: &Arc<Meter>| {
            let (memory, files) = meter.state();
            StateSize { name: meter.name.clone(), memory, files }
        };
        self.0.statistics.meters().iter().filter(|meter| meter.has_state()).map(one).collect()
    }

    /// True if the first data error ends the run.
    pub fn terminates_on_error(&self) -> bool {
        self.0.terminate_on_error
    }

    /// Most rows per call of a user function.
    pub fn max_batch_rows(&self) -> usize {
        self.0.max_batch_rows
    }

    /// A data error happened: ends the run, or is reported, by the run's policy.
    pub fn data_error(&self, site: &Site, error: &DataError) {
        if self.0.terminate_on_error {
            self.fail(Failure::Data { site: site.clone(), error: error.clone() });
        } else {
            self.log(site, &error.to_string());
        }
    }

    /// A record of a source could not be parsed, or a cell of it. Never ends the run: where errors do
    /// not stay in cells, the record is left out and the user is told.
    pub fn parse_error(&self, site: &Site, position: &str, reason: &str) {
        if self.0.terminate_on_error {
            self.0.monitor.report(Report::Parse { site, position, reason });
        } else {
            self.log(site, &format!("{reason} ({position})"));
        }
    }

    fn log(&self, site: &Site, message: &str) {
        let unknown = Frame::unknown();
        let frame = site.frame.as_ref().unwrap_or(&unknown);
        self.0.statistics.met_error(site.operator, frame, message);
        let worker = self.1.as_ref().map(|place| place.worker());
        for frame in frame.all() {
            self.0.monitor.report(Report::Error { operator: frame.operator(), worker, frame, message });
        }
        self.0.error_logs.add(site, message);
    }

    /// How far a source or sink is.
    pub fn progress(&self, closing: bool, name: &str, text: &str) {
        self.0.monitor.report(Report::Progress { closing, name, text });
    }

    /// A message for the user.
    pub fn message(&self, warning: bool, text: &str) {
        self.0.monitor.report(Report::Message { warning, text });
    }

    /// Ends the run; the first failure is the one that counts.
    pub fn fail(&self, failure: Failure) {
        let mut slot = self.0.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let (None, Failure::Data { site, error }) = (&*slot, &failure) {
            let unknown = Frame::unknown();
            let frame = site.frame.as_ref().unwrap_or(&unknown);
            self.0.statistics.met_error(site.operator, frame, &error.to_string());
        }
        slot.get_or_insert(failure);
        drop(slot);
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    /// True when the run is ending early.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Lets the run end by itself: sources stop reading, what they have read is processed, and outputs
    /// finish; or, if the state of the run is kept, they go on in a later run.
    pub fn wind_down(&self) {
        self.0.winding_down.store(true, Ordering::SeqCst);
    }

    /// Breaks the run off: sources stop reading, and what they have read is processed. Nobody is told that
    /// the input has ended.
    pub fn break_off(&self) {
        self.0.breaks_off.store(true, Ordering::SeqCst);
        self.wind_down();
    }

    /// True if inputs stay open when the run winds down: they go on in a later run, or nobody knows how.
    pub fn leaves_inputs_open(&self) -> bool {
        self.keeps_state() || self.0.breaks_off.load(Ordering::Relaxed)
    }

    /// True if the run was asked to end by itself.
    pub fn is_winding_down(&self) -> bool {
        self.0.winding_down.load(Ordering::Relaxed)
    }

    /// Ends the run where it is, which is no failure: a later one goes on from there.
    pub fn end_early(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    /// True if something has failed, or somebody has the run stop at once.
    pub fn has_failed(&self) -> bool {
        self.0.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).is_some()
    }

    /// True when sources are to read no more.
    pub fn ends_sources(&self) -> bool {
        self.0.winding_down.load(Ordering::Relaxed) || self.is_stopped()
    }

    /// The number of the run, by which its threads are known.
    pub fn run(&self) -> u64 {
        self.0.run
    }

    /// Notes that this thread works for the run, to the end of the thread.
    pub fn work_on_this_thread(&self) {
        RUN_OF_THREAD.set(Some(self.0.run));
    }

    /// The number of the run that this thread works for.
    pub fn run_of_this_thread() -> Option<u64> {
        RUN_OF_THREAD.get()
    }

    /// The failure that ended the run, if one did.
    pub fn take_failure(&self) -> Option<Failure> {
        self.0.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// What ended the run, if something did.
    pub fn cause(&self) -> Option<String> {
        let failure = self.0.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        failure.as_ref().map(ToString::to_string)
    }

    /// The run has several processes, of which this is one; before the dataflow is built.
    pub fn work_with_others(&self, process: Process) {
        // A run has one place; a second call would come too late anyway.
        let _ = self.0.process.set(process);
    }

    /// The place of this process in the run.
    pub fn process(&self) -> Process {
        self.0.process.get().copied().unwrap_or(Process { number: 0, of: 1 })
    }

    /// True for one worker of each process.
    pub(crate) fn is_first_here(&self, worker: usize, workers: usize) -> bool {
        let process = self.process();
        worker == process.number * (workers / process.of)
    }

    /// Rows were sent to other workers, or are being sent to where a sink leads.
    pub fn count_sent(&self, rows: usize) {
        self.0.sent.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Rows have come from other workers, or have arrived where a sink leads.
    pub fn count_received(&self, rows: usize) {
        self.0.received.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The rows that workers of this process have sent to other workers, and received, so far.
    pub fn rows_between_workers(&self) -> (u64, u64) {
        (self.0.sent.load(Ordering::Relaxed), self.0.received.load(Ordering::Relaxed))
    }

    /// How many more rows other processes have sent than received.
    pub fn set_between_others(&self, rows: i64) {
        self.0.between_others.store(rows, Ordering::Relaxed);
    }

    /// True if so much is under way between workers that sources should hold back.
    pub fn is_congested(&self) -> bool {
        let (sent, received) = self.rows_between_workers();
        let own = sent.cast_signed().wrapping_sub(received.cast_signed());
        own + self.0.between_others.load(Ordering::Relaxed) > MAX_ROWS_BETWEEN_WORKERS
    }

    /// An operator begins to work off changes of a complete time that had waited.
    pub(crate) fn begin_large_time(&self) {
        self.0.at_large_times.fetch_add(1, Ordering::Relaxed);
    }

    /// It has done so.
    pub(crate) fn end_large_time(&self) {
        self.0.at_large_times.fetch_sub(1, Ordering::Relaxed);
    }

    /// True if sources should hold back because changes of later times would only wait.
    pub(crate) fn is_at_large_time(&self) -> bool {
        self.0.at_large_times.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_is_not_built_yet_has_written_nothing() {
        let completed = Completed::default();
        assert_eq!(completed.frontier(), Timestamp::MAX, "there are no sinks");
        let first = completed.register(3);
        let second = completed.register(5);
        completed.advance(&first, Some(8));
        assert_eq!(completed.frontier(), 0);
        completed.advance(&completed.register(5), Some(4));
        assert_eq!(completed.frontier(), 4, "a sink has one place, whoever asks for it");
        completed.advance(&second, None);
        assert_eq!(completed.frontier(), 8);
    }
}
