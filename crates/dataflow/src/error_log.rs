//! Error logs of a run: what went wrong becomes rows.
//!
//! Operators on any worker put entries into the log of their plan; the log's own operator turns them
//! into rows of the wall clock's time, a few times a second. It watches everything that can still
//! report, and ends with the last of it. What is computed from a log reports to no log, so that there
//! is nothing for it to wait for in a circle.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow_array::{Int64Array, LargeStringArray};
use pathway_plan::error_log::Logged;
use pathway_plan::program::{Program, StepOp};
use pathway_types::{Batch, Column, Diffs, Key, Timestamp, Value};

use crate::clock::even_now;
use crate::context::{Context, Site};
use crate::driver::Edge;
use crate::packet::Packet;
use crate::stats::Wiring;
use crate::timely::{MutableAntichain, NoopBuilder, OperatorBuilder, OutputBuilder, Pipeline, Scope};

/// How often a log's entries become rows.
const PERIOD: Duration = Duration::from_millis(100);

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    operator: u32,
    message: Arc<str>,
    trace: String,
}

/// A log that waits to become rows.
#[derive(Debug)]
struct Log {
    step: usize,
    logged: Logged,
    entries: Vec<Entry>,
}

/// The logs of a run in this process.
#[derive(Debug)]
pub struct ErrorLogs {
    /// Those that the program reads.
    logs: Mutex<Vec<Log>>,
    /// Set apart the row ids of this run's entries.
    run: u64,
    count: AtomicU64,
}

impl Default for ErrorLogs {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_right(16);
        ErrorLogs { logs: Mutex::default(), run, count: AtomicU64::new(0) }
    }
}

impl ErrorLogs {
    fn logs(&self) -> std::sync::MutexGuard<'_, Vec<Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The logs that a program reads exist from now on.
    pub fn open(&self, program: &Program) {
        let steps = program.steps.iter().enumerate().filter_map(|(step, s)| match &s.op {
            StepOp::ErrorLog(logged) => Some(Log { step, logged: logged.clone(), entries: vec![] }),
            _ => None,
        });
        self.logs().extend(steps);
    }

    /// Notes an error in the logs of everything that was built as what failed at `site`.
    pub(crate) fn add(&self, site: &Site, message: &str) {
        if site.of_log {
            return;
        }
        let mut logs = self.logs();
        if logs.is_empty() {
            return;
        }
        let message: Arc<str> = Arc::from(message);
        for frame in site.frame.iter().flat_map(|frame| frame.all()) {
            for log in logs.iter_mut().filter(|log| log.logged.shows(frame)) {
                log.entries.push(Entry {
                    operator: frame.operator(),
                    message: message.clone(),
                    trace: frame.trace(),
                });
            }
        }
    }

    /// The entries since the last call, as rows.
    fn take(&self, step: usize) -> Option<Batch> {
        let mut logs = self.logs();
        let entries = std::mem::take(&mut logs.iter_mut().find(|log| log.step == step)?.entries);
        drop(logs);
        if entries.is_empty() {
            return None;
        }
        let first = self.count.fetch_add(entries.len() as u64, Ordering::Relaxed);
        let keys = (first..).take(entries.len()).map(|number| {
            let values = [Value::from("error log"), Value::Int(self.run as i64), Value::Int(number as i64)];
            Key::of(&values).unwrap_or_default().0
        });
        let keys: Vec<u128> = keys.collect();
        let operators = Int64Array::from_iter_values(entries.iter().map(|e| i64::from(e.operator)));
        let messages = LargeStringArray::from_iter_values(entries.iter().map(|e| &*e.message));
        let traces = LargeStringArray::from_iter_values(entries.iter().map(|e| &e.trace));
        let columns = vec![
            Column::new(Arc::new(operators)),
            Column::new(Arc::new(messages)),
            Column::new(Arc::new(traces)),
        ];
        Some(Batch::new(keys.into(), columns, Diffs::Ones(entries.len())))
    }
}

/// Adds an error log to the dataflow. It ends when `watched` have.
pub(crate) fn error_log<'scope>(
    scope: Scope<'scope, Timestamp>,
    name: &str,
    step: usize,
    watched: Vec<Edge<'scope>>,
    context: Context,
) -> Edge<'scope> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (output, stream) = builder.new_output::<Packet>();
    let mut output = OutputBuilder::<_, NoopBuilder<Packet>>::from(output);
    // How far they are does not hold the log's rows back: nothing goes from them to the output.
    let mut inputs: Vec<_> =
        watched.into_iter().map(|edge| builder.new_input_connection(edge, Pipeline, [])).collect();
    let meter = context.meter(name, Wiring { node: builder.index(), sources: vec![] }, None);
    meter.tracks();
    let activator = scope.worker().activator_for(builder.operator_info().address);
    let emits = context.is_first_here(scope.index(), scope.peers());
    builder.build_reschedule(move |capabilities| {
        let mut capability = capabilities.into_iter().next().filter(|_| emits);
        if !emits {
            meter.reached(None);
        }
        let mut due = Instant::now();
        move |frontiers: &[MutableAntichain<Timestamp>]| {
            inputs.iter_mut().for_each(|input| input.for_each(|_, packet| packet.0 = Batch::default()));
            if context.is_stopped() {
                capability = None;
            }
            let Some(held) = &mut capability else { return false };
            let ended = frontiers.iter().all(|frontier| frontier.frontier().is_empty());
            let now = Instant::now();
            if now < due && !ended {
                return false;
            }
            let time = even_now().max(*held.time());
            held.downgrade(&time);
            meter.reached((!ended).then_some(time));
            if let Some(rows) = context.error_logs().take(step) {
                meter.emitted(&rows.diffs);
                let mut session = output.activate();
                session.session_with_builder(&*held).give_container(&mut Packet(rows));
                held.downgrade(&(time + 2));
            }
            if ended {
                capability = None;
            } else {
                due = now + PERIOD;
                activator.activate_after(PERIOD);
            }
            false
        }
    });
    stream
}
