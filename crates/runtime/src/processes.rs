//! The processes of a run: their workers are those of one dataflow.
//!
//! The first process says when the run starts, and how far its outputs are: they are all written there.
// Failures come once per run: their size does not matter.
#![allow(clippy::result_large_err)]

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use pathway_cluster::{Cluster, ClusterError, Config, Link};
use pathway_dataflow::timely::{
    AllocatorBuilder, CommunicationConfig, Hooks, LinkStream, ProcessBuilder,
    initialize_networking_from_sockets,
};
use pathway_dataflow::{Context, Failure, Process};
use pathway_io::Share;
use pathway_plan::program::Program;
use pathway_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checkpoints::{Others, Word, lock};
use crate::load::{Load, Wish};
use crate::wind_down::{Agreement, Step};

/// How often the processes compare how far they are.
const COMPARE: Duration = Duration::from_millis(20);

/// Stands for the outputs in processes that have none.
const OUTPUTS: usize = usize::MAX;

/// What is said if anybody could take part.
const OPEN: &str = "the processes of this run talk over a network, and have no secret: whoever can reach their \
                    ports can take part. Set PATHWAY_CLUSTER_SECRET to the same text for all of them";

/// What processes tell each other.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    /// The time of the first minibatch of every source, and the number of the checkpoint to go on from.
    Start(Timestamp, Option<u64>),
    /// All outputs have written everything before this time.
    Written(Timestamp),
    /// About checkpoints.
    Checkpoints(Word),
    /// About the end of a run that was asked to end.
    WindDown(Step),
    /// The share of a window in which the workers of a process were busy.
    Share(f64),
    /// The run ends, to go on with another number of processes.
    Scale(Wish),
}

/// The processes of a run, from one of them.
#[derive(Clone)]
pub(crate) struct Processes {
    cluster: Arc<Cluster>,
    context: Context,
    words: Sender<(usize, Word)>,
    heard: Receiver<(usize, Word)>,
    agreement: Arc<Mutex<Agreement>>,
    load: Arc<OnceLock<Arc<Load>>>,
}

impl Processes {
    /// Waits for all of them, unless the run is asked to end meanwhile.
    pub(crate) fn meet(
        config: &Config,
        workers: usize,
        program: &Program,
        context: &Context,
    ) -> Result<Processes, Failure> {
        let place = Process { number: config.members.process, of: config.members.addresses.len() };
        context.work_with_others(place);
        if config.secret.is_empty() && !config.members.are_here() {
            context.message(true, OPEN);
        }
        let word = |text: &str| context.message(false, text);
        let stopped = || context.is_stopped() || context.is_winding_down();
        let cluster = Cluster::join(config, workers, &shape(program), &word, &stopped);
        let cluster = cluster.map_err(|error| match error {
            ClusterError::Stopped => context.take_failure().unwrap_or(Failure::Stopped),
            error => Failure::Cluster(error.to_string()),
        })?;
        let told = context.clone();
        cluster.when_lost(move |lost| told.fail(Failure::OtherProcess(lost.to_string())));
        let (words, heard) = unbounded();
        let agreement = Arc::new(Mutex::new(Agreement::new(place.of)));
        Ok(Processes {
            cluster: Arc::new(cluster),
            context: context.clone(),
            words,
            heard,
            agreement,
            load: Arc::default(),
        })
    }

    /// The number of this one.
    fn number(&self) -> usize {
        self.cluster.process()
    }

    /// The share of this one in what is divided.
    pub(crate) fn share(&self) -> Share {
        Share { number: self.number(), of: self.cluster.processes() }
    }

    /// Tells the others at which time all start, and from which checkpoint.
    pub(crate) fn tell_start(&self, start: Timestamp, checkpoint: Option<u64>) {
        tell(&self.cluster, None, &Message::Start(start, checkpoint));
    }

    /// What the first process tells of the start.
    pub(crate) fn hear_start(&self) -> Result<(Timestamp, Option<u64>), Failure> {
        loop {
            match self.cluster.receive(COMPARE) {
                Ok(Some((0, message))) => {
                    if let Message::Start(start, checkpoint) = read(&message)? {
                        return Ok((start, checkpoint));
                    }
                }
                Ok(_) if self.context.is_stopped() => return Err(Failure::Stopped),
                Ok(_) => {}
                Err(lost) => return Err(Failure::OtherProcess(lost.to_string())),
            }
        }
    }

    /// How the recorder of checkpoints talks to the others.
    pub(crate) fn recorders(&self) -> Others {
        let cluster = self.cluster.clone();
        let to = (self.number() > 0).then_some(0);
        let say = move |word: Word| tell(&cluster, to, &Message::Checkpoints(word));
        Others { count: self.cluster.processes() - 1, say: Box::new(say), hear: self.heard.clone() }
    }

    /// How far the processes are with the end of a run that was asked to end.
    pub(crate) fn agreement(&self) -> Arc<Mutex<Agreement>> {
        self.agreement.clone()
    }

    /// Tells the first process a step towards that end.
    pub(crate) fn tell_step(&self, step: Step) {
        if self.number() > 0 {
            tell(&self.cluster, Some(0), &Message::WindDown(step));
        } else {
            self.take_step(0, step);
        }
    }

    fn take_step(&self, process: usize, step: Step) {
        if step == Step::Begin {
            self.context.wind_down();
        }
        // What is to be told is told by the first process alone: the others hear of one alone.
        if let Some(step) = lock(&self.agreement).take(process, step) {
            tell(&self.cluster, None, &Message::WindDown(step));
        }
    }

    /// The load of all is watched, by the first process.
    pub(crate) fn watch(&self, load: &Arc<Load>) {
        // Once a run.
        let _ = self.load.set(load.clone());
    }

    /// Tells the first process how busy this one was.
    pub(crate) fn tell_share(&self, share: f64) {
        if self.number() > 0 {
            tell(&self.cluster, Some(0), &Message::Share(share));
        } else {
            self.take_share(0, share);
        }
    }

    fn take_share(&self, process: usize, share: f64) {
        let wish = self.load.get().and_then(|load| load.take(process, share));
        // A run that is asked to end already does not go on with others.
        if let Some(wish) = wish.filter(|_| !self.context.is_winding_down()) {
            tell(&self.cluster, None, &Message::Scale(wish));
            self.take_wish(wish);
        }
    }

    /// What the first process has decided is so for all: also for one that has heard from another, before, that the
    /// run ends.
    fn take_wish(&self, wish: Wish) {
        if let Some(load) = self.load.get() {
            load.set(wish);
            self.context.wind_down();
        }
    }

    /// Compares how far the processes are, until the run has ended.
    pub(crate) fn compare(&self) -> io::Result<Comparing> {
        let ended = Arc::new(AtomicBool::new(false));
        let (this, over) = (self.clone(), ended.clone());
        let thread = std::thread::Builder::new().name("pathway:processes".into());
        Ok(Comparing { thread: Some(thread.spawn(move || this.follow(&over))?), ended })
    }

    fn follow(&self, over: &AtomicBool) {
        let completed = self.context.completed();
        let outputs = (self.number() > 0).then(|| completed.register(OUTPUTS));
        let mut written = 0;
        let mut winds_down = false;
        while !over.load(Ordering::SeqCst) {
            match self.cluster.receive(COMPARE) {
                Ok(Some((from, message))) => match (read(&message), &outputs) {
                    (Ok(Message::Written(time)), Some(outputs)) => completed.advance(outputs, Some(time)),
                    // The other end is in this process as well.
                    (Ok(Message::Checkpoints(word)), _) => drop(self.words.send((from, word))),
                    (Ok(Message::WindDown(step)), _) => self.take_step(from, step),
                    (Ok(Message::Share(share)), _) => self.take_share(from, share),
                    (Ok(Message::Scale(wish)), _) => self.take_wish(wish),
                    (Ok(_), _) => {}
                    (Err(failure), _) => self.context.fail(failure),
                },
                Ok(None) => {}
                // The run is told of it elsewhere.
                Err(_lost) => std::thread::sleep(COMPARE),
            }
            if self.context.is_winding_down() && !winds_down {
                winds_down = true;
                tell(&self.cluster, None, &Message::WindDown(Step::Begin));
            }
            let (sent, received) = self.context.rows_between_workers();
            self.cluster.count(sent, received);
            let all = self.cluster.counts();
            let others = (all.0 - sent).cast_signed() - (all.1 - received).cast_signed();
            self.context.set_between_others(others);
            let frontier = completed.frontier();
            if outputs.is_none() && frontier > written {
                written = frontier;
                tell(&self.cluster, None, &Message::Written(frontier));
            }
        }
    }

    /// The own workers end before they are done: the others are told, and their workers as well.
    pub(crate) fn abandon(&self) {
        self.cluster.abandon(&self.context.cause().unwrap_or_else(|| "it ended early".to_owned()));
    }

    /// No worker is left.
    pub(crate) fn workers_gone(&self) {
        self.cluster.workers_gone();
    }

    /// Parts from the others: waits for them if all went well here, and tells them if not.
    pub(crate) fn part(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Ok(()) => self.cluster.leave().map_err(|lost| Failure::OtherProcess(lost.to_string())),
            Err(failure) => {
                self.cluster.abandon(&failure.to_string());
                Err(failure)
            }
        }
    }
}

/// Tells a process something, or all others.
fn tell(cluster: &Cluster, to: Option<usize>, message: &Message) {
    // Messages are numbers, texts and maps of texts: they can always be written.
    if let Ok(text) = serde_json::to_vec(message) {
        match to {
            Some(process) => cluster.send(process, &text),
            None => cluster.send_to_all(&text),
        }
    }
}

fn read(message: &[u8]) -> Result<Message, Failure> {
    let broken = |error| Failure::Worker(format!("a message of another process cannot be read: {error}"));
    serde_json::from_slice(message).map_err(broken)
}

/// The thread that compares how far processes are; it ends when this is dropped.
pub(crate) struct Comparing {
    thread: Option<JoinHandle<()>>,
    ended: Arc<AtomicBool>,
}

impl Drop for Comparing {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // It does not fail, and nothing depends on it any more.
            let _ = thread.join();
        }
    }
}

/// What has to be equal for processes to be parts of one dataflow: its operators, how they are connected, and
/// what flows.
fn shape(program: &Program) -> String {
    let steps = program.steps.iter().map(|step| {
        let inputs: Vec<String> = step.inputs.iter().map(|input| input.0.to_string()).collect();
        let columns: Vec<String> = step.columns.iter().map(ToString::to_string).collect();
        let kind = format!("{:?}", std::mem::discriminant(&step.op));
        format!("{kind} of {} gives {}", inputs.join(" "), columns.join(", "))
    });
    steps.collect::<Vec<_>>().join("\n")
}

/// What the workers of this process communicate through.
pub(crate) fn builders(
    workers: usize,
    processes: Option<&Processes>,
) -> Result<Vec<AllocatorBuilder>, Failure> {
    let Some(processes) = processes else {
        let config =
            if workers == 1 { CommunicationConfig::Thread } else { CommunicationConfig::Process(workers) };
        return config.try_build().map(|(builders, _nothing)| builders).map_err(Failure::Worker);
    };
    let hooks = Hooks::default();
    let here = ProcessBuilder::new_typed_vector(workers, hooks.refill.clone(), hooks.spill.clone());
    let links = processes.cluster.links().into_iter().map(|link| link.map(Wire)).collect();
    let networking = initialize_networking_from_sockets(here, links, processes.number(), workers, hooks);
    let (builders, threads) =
        networking.map_err(|error| Failure::Worker(format!("no thread can be started: {error}")))?;
    // The threads end with their links. To join them here could panic after a failure, which is reported
    // elsewhere.
    std::mem::forget(threads);
    Ok(builders.into_iter().map(AllocatorBuilder::Tcp).collect())
}

/// A link as timely's stream.
struct Wire(Link);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl LinkStream for Wire {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Wire(self.0.another()))
    }
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        if nonblocking { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Read {
            self.0.end();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Scaling;
    use pathway_cluster::Members;
    use pathway_dataflow::{Monitor, Report};

    struct Silent;

    impl Monitor for Silent {
        fn report(&self, _report: Report<'_>) {}
    }

    /// The only process of a run, and what it scales by.
    fn alone() -> (Processes, Arc<Scaling>) {
        let config = Config::new(Members { process: 0, addresses: vec!["127.0.0.1:0".to_owned()] });
        let context = Context::new(true, 1024, Arc::new(Silent));
        let processes = Processes::meet(&config, 1, &Program::default(), &context).unwrap();
        let scaling = Scaling::new(Duration::ZERO);
        processes.watch(&Arc::new(Load::new(scaling.clone(), 1, 1)));
        (processes, scaling)
    }

    #[test]
    fn a_process_that_has_heard_of_the_end_before_its_reason_goes_on_with_others_as_well() {
        let (process, scaling) = alone();
        process.take_step(0, Step::Begin);
        assert!(process.context.is_winding_down());
        process.take_wish(Wish::Fewer);
        assert_eq!(scaling.wish(), Some(Wish::Fewer));
    }

    #[test]
    fn a_run_that_was_asked_to_end_stays_with_its_processes() {
        let (process, scaling) = alone();
        process.context.wind_down();
        process.take_share(0, 1.0);
        assert_eq!(scaling.wish(), None);
    }

    #[test]
    fn an_overloaded_run_ends_to_go_on_with_more() {
        let (process, scaling) = alone();
        process.take_share(0, 1.0);
        assert_eq!(scaling.wish(), Some(Wish::More));
        assert!(process.context.is_winding_down());
    }
}
