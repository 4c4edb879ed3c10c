//! One run of a program in this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use pathway_cluster::Config as ClusterConfig;
use pathway_dataflow::stats::Built;
use pathway_dataflow::timely::{Worker, WorkerConfig, execute_from};
use pathway_dataflow::{Context, Environment, Failure, InputLog, InputQueue, Keeper, Site, even_now, lower};
use pathway_expr::Caller;
use pathway_io::{Share, Writer};
use pathway_plan::program::{Program, Step, StepOp};
use pathway_types::Timestamp;

use crate::begun::Begun;
use crate::checkpoints::{Checkpoints, Persistence, Place, lock};
use crate::feed::{Feed, panic_text};
use crate::load::{Load, Scaling};
use crate::pool::Pool;
use crate::processes::{Processes, builders};
use crate::wind_down::{Agreement, Tell, WindDown};

/// How often an idle worker looks whether the run was stopped.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long the end of a failed run waits for its readers.
const FAREWELL: Duration = Duration::from_millis(200);

/// How a program is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Worker threads of this process.
    pub workers: usize,
    /// The processes of the run, if there are several. All run the same program with equally many workers.
    pub cluster: Option<ClusterConfig>,
    /// The time of the first minibatch of every source; the wall clock if `None`.
    pub start: Option<Timestamp>,
    /// Where the state of the run is kept, if it is to be gone on with.
    pub persistence: Option<Persistence>,
    /// Whether the number of processes may change: then the run ends when another one would do better. It has to
    /// have a place where its state is kept.
    pub scaling: Option<Arc<Scaling>>,
    /// Told when the run has begun.
    pub begun: Option<Arc<Begun>>,
}

/// Runs a program until all its inputs have ended and all its outputs are written.
///
/// To stop it from another thread, call `context.fail(Failure::Stopped)`; to let it finish what its
/// sources have read so far, call `context.wind_down()`, or `context.break_off()` if it is not the end of its input.
///
/// # Errors
/// The first failure: a data error if the context says so, a failed connector, a failed worker, or
/// the request to stop.
// Returned once per run: its size does not matter.
#[allow(clippy::result_large_err)]
pub fn run(program: Program, options: &RunOptions, context: &Context) -> Result<(), Failure> {
    let Some(config) = &options.cluster else { return run_here(program, options, None, context) };
    let processes = Arc::new(Processes::meet(config, options.workers.max(1), &program, context)?);
    let result = run_here(program, options, Some(&processes), context);
    processes.part(result)
}

/// Runs the part of this process.
#[allow(clippy::result_large_err)]
fn run_here(
    program: Program,
    options: &RunOptions,
    processes: Option<&Arc<Processes>>,
    context: &Context,
) -> Result<(), Failure> {
    let workers = options.workers.max(1);
    let share = processes.map_or(Share::ALL, |processes| processes.share());
    let mut start = options.start.map_or_else(even_now, |time| time & !1);
    // The first process says when all start, and from which checkpoint.
    let told = processes.filter(|_| share.number > 0).map(|processes| processes.hear_start()).transpose()?;
    let mut checkpoints = None;
    if let Some(persistence) = &options.persistence {
        context.keep_state();
        let (first, all) = (share.number * workers, share.of * workers);
        let place = Place { process: share.number, first, here: workers, all };
        let opened = Checkpoints::open(persistence, &program, place, start, context);
        let opened = opened.map_err(|error| Failure::Persistence(error.to_string()))?;
        start = opened.start;
        checkpoints = Some(opened);
    }
    let sequence = checkpoints.as_ref().and_then(|checkpoints| checkpoints.sequence());
    match (told, processes) {
        (Some((at, checkpoint)), _) => {
            start = at;
            if checkpoint != sequence {
                let text = "the processes of the run do not find the same checkpoint: they need one store";
                return Err(Failure::Persistence(text.to_owned()));
            }
        }
        (None, Some(processes)) => processes.tell_start(start, sequence),
        (None, None) => {}
    }
    let system = |error: std::io::Error| Failure::Worker(format!("no thread can be started: {error}"));
    let pool = Arc::new(Pool::new(workers).map_err(system)?);

    context.error_logs().open(&program);
    context.statistics().open(&program);
    let (mut queues, mut writers, mut feeds) = (Vec::new(), Vec::new(), Vec::new());
    let mut callers = Vec::new();
    let calls = program.steps.iter().any(|step| matches!(step.op, StepOp::Calls(_)));
    for (number, step) in program.steps.iter().enumerate() {
        let mut writer = None;
        let mut step_queues = Vec::new();
        let mut step_callers = Vec::new();
        match &step.op {
            // All outputs are written by the first process.
            StepOp::Output(_) if share.number > 0 => {}
            StepOp::Output(spec) => {
                let site = site(number, step);
                let opened = match &checkpoints {
                    Some(all) => all.open_sink(&program, (number, &*spec.sink), &site, context),
                    None => spec.sink.open(None),
                };
                writer = Some(opened.map_err(|error| Failure::Connector { site, error })?);
                context.completed().register(number);
            }
            StepOp::Calls(spec) => {
                let failed = |error| Failure::Data { site: site(number, step), error };
                step_callers = spec.callee.open(workers).map_err(failed)?;
            }
            StepOp::Source(spec) => {
                step_queues = (0..workers).map(|_| InputQueue::new()).collect();
                let label = program.label(number);
                let (resume, marks) =
                    checkpoints.as_ref().map_or((None, None), |all| all.source(&program, number));
                // The first process gives once more what was recorded.
                let replayed = checkpoints.as_ref().filter(|_| share.number == 0);
                let replayed = replayed.and_then(|all| all.replayed(number));
                let start = replayed.as_ref().map_or(start, |replayed| replayed.start(start));
                let meter = context.statistics().connector(number);
                let (queues, pool, context) = (step_queues.clone(), pool.clone(), context.clone());
                let feed = Feed::new(spec, label, queues, start, pool, context, calls, marks, meter);
                feeds.push((number, feed, resume, replayed));
            }
            _ => {}
        }
        writers.push(Mutex::new(writer));
        queues.push(step_queues);
        callers.push(step_callers.into_iter().map(|caller| Mutex::new(Some(caller))).collect());
    }
    if let Some(checkpoints) = checkpoints.as_ref().filter(|_| share.number == 0) {
        checkpoints.sinks_are_open(context);
    }
    let load = options.scaling.clone().map(|scaling| Arc::new(Load::new(scaling, workers, share.of)));
    if let (Some(load), Some(processes)) = (&load, processes) {
        processes.watch(load);
    }
    let shared = Arc::new(Shared {
        program,
        queues,
        writers,
        callers,
        context: context.clone(),
        checkpoints,
        first_worker: share.number * workers,
        processes: processes.cloned(),
        load,
    });

    let comparing = processes.map(|processes| processes.compare()).transpose().map_err(system)?;
    let guards = {
        let shared = shared.clone();
        // Workers share the cores with readers and parsers: an idle worker must not spin.
        let config = WorkerConfig::default().idle_spin(Duration::ZERO);
        let builders = builders(workers, processes.map(|processes| &**processes))?;
        execute_from(builders, Box::new(()), config, move |worker| work(worker, &shared))
            .map_err(Failure::Worker)?
    };
    let others = || processes.map(|processes| processes.recorders());
    let recording = shared.checkpoints.as_ref().map(|checkpoints| checkpoints.start(others(), context));
    let recording = recording.transpose().map_err(system)?.flatten();
    let all: Vec<_> = feeds.iter().map(|(_, feed, ..)| feed.clone()).collect();
    all.iter().for_each(|feed| feed.meet(&all));
    let continues = shared.checkpoints.as_ref().is_none_or(|checkpoints| checkpoints.continues());
    for (number, feed, resume, replayed) in feeds {
        let step = &shared.program.steps[number];
        let StepOp::Source(spec) = &step.op else { continue };
        let opened = match processes {
            _ if !continues => Ok(Vec::new()),
            Some(_) => spec.source.open_share(share, workers, resume),
            None => spec.source.open(workers, resume),
        };
        match opened {
            Ok(readers) => feed.start(readers, &site(number, step), replayed).map_err(system)?,
            Err(error) => {
                context.fail(Failure::Connector { site: site(number, step), error });
                break;
            }
        }
    }
    if let Some(begun) = options.begun.as_ref().filter(|_| !context.has_failed()) {
        begun.tell();
    }
    let wind_down = wind_down(all.clone(), &shared);
    let look = look_at_load(&shared);
    let runs = Arc::new(());
    start_timer(all.clone(), context.clone(), wind_down, look, Arc::downgrade(&runs)).map_err(system)?;

    let ended = guards.join();
    drop(runs);
    for result in ended {
        if let Err(text) = result {
            context.fail(Failure::Worker(text));
        }
    }
    if let Some(processes) = processes {
        processes.workers_gone();
    }
    if let Some(recording) = recording {
        recording.end();
    }
    drop(comparing);
    let Some(failure) = context.take_failure() else { return Ok(()) };
    // Readers that notice the end have the time to clean up.
    let deadline = Instant::now() + FAREWELL;
    all.iter().for_each(|feed| feed.wait_for_readers(deadline));
    Err(failure)
}

/// Where a connector's failures happen.
fn site(number: usize, step: &Step) -> Site {
    Site::of_step(number, step, false)
}

/// One thread closes the minibatches of all sources with an autocommit period, tells how far all are, and sees
/// to the end of a run that was asked to end. It lasts as long as the run.
fn start_timer(
    feeds: Vec<Arc<Feed>>,
    context: Context,
    mut wind_down: WindDown,
    look_at_load: impl Fn() + Send + 'static,
    runs: Weak<()>,
) -> std::io::Result<()> {
    let timer = std::thread::Builder::new().name("pathway:timer".into());
    timer.spawn(move || {
        while !context.is_stopped() && runs.strong_count() > 0 {
            let next = feeds.iter().filter_map(|feed| feed.tick()).min().unwrap_or(PATIENCE);
            wind_down.step();
            look_at_load();
            feeds.iter().for_each(|feed| feed.tell(false));
            std::thread::sleep(next.clamp(Duration::from_millis(1), PATIENCE));
        }
    })?;
    Ok(())
}

/// What sees to the load, if the number of processes may change.
fn look_at_load(shared: &Shared) -> impl Fn() + Send + 'static + use<> {
    let (load, processes, context) = (shared.load.clone(), shared.processes.clone(), shared.context.clone());
    move || {
        let Some(load) = load.as_ref().filter(|_| !context.is_winding_down()) else { return };
        let Some(share) = load.share() else { return };
        match &processes {
            Some(processes) => processes.tell_share(share),
            None => {
                if let Some(wish) = load.take(0, share) {
                    load.set(wish);
                    context.wind_down();
                }
            }
        }
    }
}

/// What ends a run that was asked to end.
fn wind_down(feeds: Vec<Arc<Feed>>, shared: &Shared) -> WindDown {
    let (agreement, tell): (_, Tell) = match &shared.processes {
        Some(processes) => {
            let telling = processes.clone();
            (processes.agreement(), Box::new(move |step| telling.tell_step(step)))
        }
        None => {
            let agreement = Arc::new(Mutex::new(Agreement::new(1)));
            let alone = agreement.clone();
            let tell = move |step| {
                // There is nobody to be told.
                let _ = lock(&alone).take(0, step);
            };
            (agreement, Box::new(tell))
        }
    };
    let (context, checkpoints) = (shared.context.clone(), shared.checkpoints.clone());
    WindDown { feeds, context, checkpoints, agreement, tell, told: None, answers: (0, 0) }
}

/// A caller until its worker takes it.
type WaitingCaller = Mutex<Option<Box<dyn Caller>>>;

struct Shared {
    program: Program,
    /// Per step and worker.
    queues: Vec<Vec<Arc<InputQueue>>>,
    /// Per step.
    writers: Vec<Mutex<Option<Box<dyn Writer>>>>,
    /// Per step and worker.
    callers: Vec<Vec<WaitingCaller>>,
    context: Context,
    checkpoints: Option<Arc<Checkpoints>>,
    /// The number of the first worker of this process.
    first_worker: usize,
    processes: Option<Arc<Processes>>,
    load: Option<Arc<Load>>,
}

struct OnWorker<'a> {
    /// The number of the worker in this process.
    worker: usize,
    shared: &'a Shared,
}

impl Environment for OnWorker<'_> {
    fn queue(&mut self, step: usize) -> Arc<InputQueue> {
        self.shared.queues[step][self.worker].clone()
    }
    fn caller(&mut self, step: usize) -> Option<Box<dyn Caller>> {
        let caller = self.shared.callers[step].get(self.worker)?;
        caller.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
    fn keeper(&mut self, step: usize, part: usize) -> Option<Keeper> {
        let checkpoints = self.shared.checkpoints.as_ref()?;
        checkpoints.keeper(step, part, self.worker, &self.shared.context)
    }
    fn log(&mut self, step: usize) -> Option<InputLog> {
        let checkpoints = self.shared.checkpoints.as_ref()?;
        checkpoints.log(&self.shared.program, step, self.worker, &self.shared.context)
    }
    fn begins_anew(&self, step: usize) -> bool {
        self.shared.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.begins_anew(step))
    }
    fn writer(&mut self, step: usize) -> Option<Box<dyn Writer>> {
        if self.shared.first_worker + self.worker != 0 {
            return None;
        }
        self.shared.writers[step].lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What each worker does: build the dataflow, step it until it ends or the run stops.
fn work(worker: &mut Worker, shared: &Shared) {
    let context = &shared.context;
    context.work_on_this_thread();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut environment = OnWorker { worker: worker.index() - shared.first_worker, shared };
        let begin = SystemTime::now();
        worker.dataflow::<Timestamp, _, _>(|scope| {
            lower(&shared.program, scope, &mut environment, context);
        });
        let (workers, end) = (worker.peers(), SystemTime::now());
        context.statistics().add_built(Built { worker: worker.index(), workers, begin, end });
        shared.checkpoints.iter().for_each(|checkpoints| checkpoints.built());
        while worker.has_dataflows() && !context.is_stopped() {
            match &shared.load {
                Some(load) => load.step(worker.index() - shared.first_worker, worker, PATIENCE),
                None => {
                    worker.step_or_park(Some(PATIENCE));
                }
            }
        }
    }));
    if let Err(panic) = result {
        context.fail(Failure::Worker(format!("a worker failed: {}", panic_text(&*panic))));
    }
    if context.has_failed()
        && let Some(processes) = &shared.processes
    {
        // Before what is left behind could be taken for the end.
        processes.abandon();
    }
    for dataflow in worker.installed_dataflows() {
        // What a failed operator left behind may fail again while it is dropped.
        let dropped = catch_unwind(AssertUnwindSafe(|| worker.drop_dataflow(dataflow)));
        if let Err(panic) = dropped {
            context.fail(Failure::Worker(format!("a worker failed: {}", panic_text(&*panic))));
        }
    }
}

#[cfg(test)]
mod tests;
