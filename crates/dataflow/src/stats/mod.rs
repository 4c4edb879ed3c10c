//! What is known of a run while it goes on: how many rows went through each part of the program, how long that took,
//! how far it is, and what its state takes.
//!
//! Each timely operator has a [`Meter`] on each worker. It is written once for a batch or an activation, never for a
//! row, without locks; whoever wants to know makes a [`Snapshot`]. What a run consists of, for people, is its
//! [`Outline`]: a node for each step of the program, and for each stage of row-wise steps that were fused. A meter
//! belongs to a node; of operators that a step is made of, rows in are those that come from other steps, and rows out
//! are those of the last.
//!
//! Each process of a run knows its own workers.

mod connector;
mod meter;
mod outline;
mod recent;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use pathway_io::Rejected;
use pathway_plan::Frame;
use pathway_plan::program::Program;

pub use connector::{ConnectorMeter, Extent, SinkMeter, Unit};
pub use meter::Meter;
pub(crate) use meter::{Place, Wiring, signs};
pub use outline::{Kind, Line, Node, Outline};
pub use recent::{DeadLetter, Last, MetError};
use recent::{Fault, Recent, Rejection};
pub use snapshot::{ConnectorStats, Frontier, OperatorStats, SinkStats, Snapshot};

/// What is known of one run in this process.
#[derive(Debug, Default)]
pub struct Statistics {
    outline: OnceLock<Outline>,
    meters: Mutex<Vec<Arc<Meter>>>,
    /// By step.
    connectors: Mutex<BTreeMap<usize, Arc<ConnectorMeter>>>,
    /// By step.
    sinks: Mutex<BTreeMap<usize, Arc<SinkMeter>>>,
    built: Mutex<Vec<Built>>,
    /// By step and number of the operator in its plan.
    errors: Mutex<BTreeMap<(usize, u32), u64>>,
    faults: Recent<Fault>,
    rejections: Recent<Rejection>,
}

/// A worker has built its dataflow.
#[derive(Clone, Debug)]
pub struct Built {
    /// The worker, of all processes.
    pub worker: usize,
    /// How many there are.
    pub workers: usize,
    /// When it began.
    pub begin: SystemTime,
    /// When it was done.
    pub end: SystemTime,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Statistics {
    /// Notes what the run consists of; before the dataflow is built.
    pub fn open(&self, program: &Program) {
        // A run has one program.
        let _ = self.outline.set(Outline::of(program));
    }

    /// What the run consists of, once it has begun.
    pub fn outline(&self) -> Option<&Outline> {
        self.outline.get()
    }

    /// What is known of the source at this step.
    pub fn connector(&self, step: usize) -> Arc<ConnectorMeter> {
        lock(&self.connectors).entry(step).or_default().clone()
    }

    /// What is known of the sink at this step.
    pub fn sink(&self, step: usize) -> Arc<SinkMeter> {
        lock(&self.sinks).entry(step).or_default().clone()
    }

    /// A worker has built its dataflow.
    pub fn add_built(&self, built: Built) {
        lock(&self.built).push(built);
    }

    /// The workers that have built their dataflow.
    pub fn built(&self) -> Vec<Built> {
        lock(&self.built).clone()
    }

    /// A row met an error at a step, in what a line of the program made of it.
    pub(crate) fn met_error(&self, step: usize, frame: &Frame, message: &str) {
        *lock(&self.errors).entry((step, frame.operator())).or_default() += 1;
        self.faults.fault(step, frame, message);
    }

    /// The source at a step gave records that were rejected.
    pub(crate) fn rejected(&self, step: usize, records: &[Rejected]) {
        if !records.is_empty() {
            self.rejections.rejected(step, records);
        }
    }

    /// How many rows met errors, and how many records were rejected.
    pub fn troubles(&self) -> (u64, u64) {
        (self.faults.total(), self.rejections.total())
    }

    /// The last errors that rows met.
    pub fn errors(&self) -> Last<MetError> {
        self.faults.errors(self.outline())
    }

    /// The last records that were rejected.
    pub fn dead_letters(&self) -> Last<DeadLetter> {
        self.rejections.dead_letters(self.outline())
    }

    pub(crate) fn add(&self, meter: Arc<Meter>) {
        self.meters().push(meter);
    }

    /// The meters of all operators on all workers of this process.
    pub(crate) fn meters(&self) -> MutexGuard<'_, Vec<Arc<Meter>>> {
        lock(&self.meters)
    }

    /// What is known now; nothing before a worker has begun to build the dataflow.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let outline = self.outline.get()?;
        let meters = self.meters().clone();
        (!meters.is_empty()).then(|| Snapshot::of(self, outline, &meters))
    }
}

#[cfg(test)]
mod tests;
