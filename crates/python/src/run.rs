//! Runs a plan: the engine works in threads of its own, the caller waits without the interpreter
//! lock and looks for signals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use pathway_monitor::{Ending, Level, LogTail, Record, Recorder};
use pathway_plan::program::Program;
use pathway_plan::rewrite::{Goal, Rewrites};
use pathway_plan::{Frame, Graph};
use pathway_runtime::{Budget, ClusterConfig, Context, Failure, Monitor, Report, RunOptions, Scaling, Wish};
use pyo3::create_exception;
use pyo3::exceptions::{PyBaseException, PyException, PyOSError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;

use crate::attach;
use crate::console::PyConsole;
use crate::errors;
use crate::explain::PyCounts;
use crate::frame;
use crate::handle::PyRunHandle;
use crate::persistence::PyPersistence;
use crate::raised::KeepExceptions;
use crate::serving::{self, PyServing};
#[cfg(feature = "otlp")]
use crate::telemetry::PyTelemetry;

/// How often the caller looks for signals.
const SIGNALS: Duration = Duration::from_millis(50);
/// How long an interrupted run may take to end before the caller is let go.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a run may take to finish what its sources have read, once it was asked to end.
const WIND_DOWN: Duration = Duration::from_secs(8);

const UNFINISHED: &str =
    "the run does not finish in time and is ended: what its outputs have not taken yet is lost";

create_exception!(
    pathway._engine,
    StopRequested,
    PyBaseException,
    "Raised by a signal handler: the run is to finish what its sources have read so far, and end. Raised by a run \
     that was stopped."
);

/// How a plan is run.
pub(crate) struct RunArguments {
    /// Sources with data for debugging give that.
    pub(crate) debug: bool,
    /// Workers of this process.
    pub(crate) threads: usize,
    /// The processes of the run, if there are several.
    pub(crate) cluster: Option<ClusterConfig>,
    /// The first data error ends the run.
    pub(crate) terminate_on_error: bool,
    /// Most rows per call of a user function.
    pub(crate) max_batch_size: usize,
    /// The time of the first minibatch of every source.
    pub(crate) start_timestamp_ms: Option<u64>,
    /// Takes what is logged.
    pub(crate) on_error: Option<Py<PyAny>>,
    /// Called when the run is interrupted: gives up what Python code is waiting for.
    pub(crate) on_interrupt: Option<Py<PyAny>>,
    /// A None in an expression whose type has none is an error.
    pub(crate) check_types: bool,
    /// Where results of functions that have to be repeated are kept, if not in memory.
    pub(crate) results_folder: Option<PathBuf>,
    /// Bytes that the process may take, and the folder for state that does not fit.
    pub(crate) memory_limit: Option<(usize, PathBuf)>,
    /// Where the state is kept, if the run may be gone on with.
    pub(crate) persistence: Option<Py<PyPersistence>>,
    /// By windows of so many milliseconds it is judged whether the run would do better with another number of
    /// processes.
    pub(crate) scaling_window_ms: Option<u64>,
    /// How the run is served, if it is.
    pub(crate) serving: Option<Py<PyServing>>,
    /// The folder where its metrics are recorded, and what the run is called there.
    pub(crate) metrics: Option<(PathBuf, String)>,
    /// Whoever asks this is told what is run and what was counted.
    pub(crate) counts: Option<Py<PyCounts>>,
    /// Shows the run.
    pub(crate) console: Option<Py<PyConsole>>,
    /// Is told when what is known of the run is there.
    pub(crate) telemetry: Option<Py<PyAny>>,
    /// How other threads stop the run.
    pub(crate) handle: Option<Py<PyRunHandle>>,
}

/// Runs a plan until their inputs end. If it has ended because it would do better with `more` or
/// `fewer` processes, it says so.
pub(crate) fn run(
    py: Python<'_>,
    graph: &Graph,
    goal: &Goal,
    arguments: RunArguments,
) -> PyResult<Option<&'static str>> {
    let kept = arguments.persistence.as_ref().map(|kept| kept.get());
    let replays = kept.is_some_and(|kept| kept.replays());
    let rewrites = Rewrites { lasting: kept.is_some(), replays, ..Rewrites::default() };
    let program = if arguments.debug {
        graph.debug_program(goal, rewrites)
    } else {
        graph.program_with(goal, rewrites)
    };
    let program = program.map_err(errors::of_plan)?;
    let window = arguments.scaling_window_ms.map(Duration::from_millis);
    let scaling = window.map(Scaling::new);
    let options = RunOptions {
        workers: arguments.threads,
        cluster: arguments.cluster,
        start: arguments.start_timestamp_ms,
        persistence: kept.map(|kept| kept.open(py, &program)).transpose()?,
        scaling: scaling.clone(),
        begun: arguments.handle.as_ref().map(|handle| handle.get().begun.clone()),
    };
    let serving = arguments.serving.as_ref().map(|serving| serving.get());
    let log = serving.map(|serving| serving.log.clone());
    let monitor = Arc::new(PythonMonitor { on_error: arguments.on_error, log });
    let context = Context::new(arguments.terminate_on_error, arguments.max_batch_size, monitor);
    let explained = || graph.explanation_of(goal, &program, arguments.debug).map_err(errors::of_plan);
    if let Some(counts) = &arguments.counts {
        counts.get().begin(explained()?, context.statistics().clone());
    }
    let _attached = arguments.handle.as_ref().map(|handle| handle.get().attach(&context));
    if arguments.check_types {
        context.check_types();
    }
    if let Some(folder) = arguments.results_folder {
        context.keep_results_in(folder);
    }
    if let Some((bytes, folder)) = arguments.memory_limit {
        context.limit_memory(Budget::of_process(bytes, &folder));
    }
    let cluster = options.cluster.as_ref();
    let serve = |serving: &PyServing| serving.start(&context, options.workers, cluster, explained()?);
    let server = serving.map(serve).transpose()?;
    let recorder = arguments.metrics.map(|(folder, run)| record(&folder, &run, &context)).transpose()?;
    // It shows the run until its end is known.
    let shown =
        arguments.console.as_ref().map(|console| console.get().show(py, context.statistics().clone()));
    let _shown = shown.transpose()?;
    #[cfg(feature = "otlp")]
    if let Some(telemetry) = &arguments.telemetry {
        telemetry.bind(py).cast::<PyTelemetry>()?.get().open(context.statistics().clone());
    }
    let _keep = arguments.terminate_on_error.then(KeepExceptions::new);

    let handle = arguments.handle.as_ref().map(|handle| handle.get());
    let result = wait(py, program, options, &context, arguments.on_interrupt.as_ref(), handle);
    // It may have something to say, for which it needs the interpreter.
    py.detach(|| drop(recorder));
    if let Some(server) = server {
        let how = result.as_ref().err().map_or(Ending::Ended, |error| ending(py, error));
        py.detach(|| server.finish(how));
    }
    result.map(|()| {
        scaling.and_then(|scaling| scaling.wish()).map(|wish| match wish {
            Wish::More => "more",
            Wish::Fewer => "fewer",
        })
    })
}

/// How a run has ended that raises this.
fn ending(py: Python<'_>, error: &PyErr) -> Ending {
    // Whoever asks a run to end after what it has read gets what he wants, and so does who presses Ctrl-C.
    if error.is_instance_of::<StopRequested>(py) {
        Ending::Ended
    } else if error.is_instance_of::<PyException>(py) {
        Ending::Failed(serving::cause(py, error))
    } else {
        Ending::Interrupted
    }
}

/// Runs a program in threads of the engine, and waits for its end; meanwhile looks for signals.
fn wait(
    py: Python<'_>,
    program: Program,
    options: RunOptions,
    context: &Context,
    on_interrupt: Option<&Py<PyAny>>,
    handle: Option<&PyRunHandle>,
) -> PyResult<()> {
    let stopped = || handle.and_then(|handle| handle.stopped());
    let mut is_late = false;
    let (ended, end) = crossbeam_channel::bounded(1);
    let worker_context = context.clone();
    let thread = std::thread::Builder::new().name("pathway:run".to_owned());
    let thread = thread.spawn(move || {
        let result = pathway_runtime::run(program, &options, &worker_context);
        // Nobody listens any more if the caller has been let go.
        let _ = ended.send(result);
    });
    let thread =
        thread.map_err(|error| PyRuntimeError::new_err(format!("no thread can be started: {error}")))?;

    let mut request: Option<(PyErr, Instant)> = None;
    loop {
        match py.detach(|| end.recv_timeout(SIGNALS)) {
            Ok(result) => {
                let _ = py.detach(|| thread.join());
                return match (result, request) {
                    // A run that is asked to end before it has begun is stopped.
                    (Ok(()) | Err(Failure::Stopped), Some((request, _))) => Err(request),
                    (Ok(()), None) if stopped().is_some() && context.is_stopped() => {
                        Err(StopRequested::new_err("the run was stopped"))
                    }
                    (Ok(()), None) => Ok(()),
                    (Err(failure), _) => Err(exception(py, failure)),
                };
            }
            Err(RecvTimeoutError::Timeout) => {
                if !is_late && stopped().is_some_and(|since| since.elapsed() > WIND_DOWN) {
                    // Whoever has stopped it may wait longer, for code of the run to return.
                    is_late = true;
                    context.message(true, UNFINISHED);
                    context.fail(Failure::Stopped);
                }
                let signal = py.check_signals().err();
                let interrupt = match signal {
                    Some(signal) if signal.is_instance_of::<StopRequested>(py) => {
                        context.wind_down();
                        request = Some((signal, Instant::now()));
                        None
                    }
                    None => request.take_if(|(_, since)| since.elapsed() > WIND_DOWN).map(|(late, _)| {
                        context.message(true, UNFINISHED);
                        late
                    }),
                    signal => signal,
                };
                if let Some(interrupt) = interrupt {
                    context.fail(Failure::Stopped);
                    give_up(py, context, on_interrupt);
                    let _ = py.detach(|| end.recv_timeout(FAREWELL));
                    return Err(interrupt);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(errors::EngineError::new_err(
                    "the run ended without a result; this is a defect of the engine",
                ));
            }
        }
    }
}

/// Records the metrics of a run.
fn record(folder: &Path, run: &str, context: &Context) -> PyResult<Recorder> {
    let tell = {
        let context = context.clone();
        move |error: &pathway_monitor::NotRecorded| {
            context.message(true, &format!("{error}: they are recorded no more, the run goes on"));
        }
    };
    let recorder = Recorder::start(folder, run, context.statistics().clone(), tell);
    recorder.map_err(|error| PyOSError::new_err(error.to_string()))
}

/// Calls the threads of a run out of Python code.
fn give_up(py: Python<'_>, context: &Context, on_interrupt: Option<&Py<PyAny>>) {
    attach::interrupt(py, context.run());
    if let Some(on_interrupt) = on_interrupt
        && let Err(error) = on_interrupt.bind(py).call0()
    {
        error.write_unraisable(py, Some(on_interrupt.bind(py)));
    }
}

/// The exception that a failure is raised as, with the user's line.
fn exception(py: Python<'_>, failure: Failure) -> PyErr {
    let (error, frame) = match failure {
        Failure::Data { site, error } => (errors::of_data(&error), site.frame),
        Failure::Connector { site, error } => (errors::of_connector(&error), site.frame),
        Failure::Worker(text) | Failure::Persistence(text) | Failure::Cluster(text) => {
            (errors::EngineError::new_err(text), None)
        }
        Failure::OtherProcess(text) => (errors::OtherWorkerError::new_err(text), None),
        Failure::Stopped => (StopRequested::new_err("the run was stopped"), None),
    };
    // Exceptions with slots and no dict take no attribute; they are raised all the same.
    let _ = frame::object(py, frame.as_ref())
        .and_then(|frame| error.value(py).setattr(intern!(py, "_pathway_frame"), frame));
    error
}

/// What is known of a log record besides its text.
#[derive(IntoPyObject)]
enum Field<'a> {
    Number(u64),
    Text(&'a str),
}

/// The user's line, if it is known.
fn place<'a>(fields: &mut BTreeMap<&str, Field<'a>>, frame: &'a Frame) {
    if let Some(frame) = frame.known() {
        fields.insert("file", Field::Text(&frame.file));
        fields.insert("line", Field::Number(u64::from(frame.line)));
        fields.insert("function", Field::Text(&frame.function));
    }
}

/// Hands what is to be logged to Python.
struct PythonMonitor {
    on_error: Option<Py<PyAny>>,
    /// What is shown of the log.
    log: Option<Arc<LogTail>>,
}

impl Monitor for PythonMonitor {
    fn report(&self, report: Report<'_>) {
        // Fields are for those who read the log by program.
        let mut fields: BTreeMap<&str, Field<'_>> = BTreeMap::new();
        let (kind, level, text) = match report {
            Report::Error { operator, worker, frame, message } => {
                fields.insert("operator", Field::Number(u64::from(operator)));
                if let Some(worker) = worker {
                    fields.insert("worker", Field::Number(worker as u64));
                }
                place(&mut fields, frame);
                ("error", Level::Error, format!("{message} in operator {operator}. {}", frame.trace()))
            }
            Report::Parse { site, position, reason } => {
                fields.insert("connector", Field::Text(&site.name));
                fields.insert("position", Field::Text(position));
                if let Some(frame) = &site.frame {
                    fields.insert("operator", Field::Number(u64::from(frame.operator())));
                    place(&mut fields, frame);
                }
                ("error", Level::Error, format!("Parse error: {reason} ({position})"))
            }
            Report::Progress { closing, name, text } => {
                fields.insert("connector", Field::Text(name));
                let (kind, level) =
                    if closing { ("closing", Level::Warning) } else { ("progress", Level::Info) };
                (kind, level, text.to_owned())
            }
            Report::Message { warning: true, text } => ("warning", Level::Warning, text.to_owned()),
            Report::Message { warning: false, text } => ("info", Level::Info, text.to_owned()),
        };
        if let Some(log) = &self.log {
            log.push(Record::new(level, &text));
        }
        let Some(on_error) = &self.on_error else { return };
        attach::attached(|py| {
            if let Err(error) = on_error.bind(py).call1((kind, text, fields)) {
                error.write_unraisable(py, Some(on_error.bind(py)));
            }
        });
    }
}
