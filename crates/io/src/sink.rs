//! Outputs.

use std::fmt;
use std::sync::Arc;

use pathway_types::{Batch, Timestamp};

use crate::ConnectorError;

/// Turns changes into the bytes of a format; runs on every worker in parallel.
pub trait Encoder: Send + Sync {
    /// Appends the encoding of every row of `batch`, in order, to `out`.
    fn encode(&self, batch: &Batch, time: Timestamp, out: &mut Vec<u8>);
}

/// An open output. Calls come from one thread, times in increasing order.
///
/// Batches hold no error cells and no pending cells: such rows are dropped (and logged) before.
pub trait Writer: Send {
    /// Takes changes of one time: all removals of a time come before its insertions (unless the
    /// sink is written in an order of its own), and diffs are `1` or `-1`.
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError>;

    /// Takes changes already encoded by the sink's [`Encoder`].
    fn write_encoded(&mut self, bytes: &[u8], time: Timestamp) -> Result<(), ConnectorError> {
        let _ = (bytes, time);
        Err(ConnectorError::new("sink", crate::FailureClass::Engine, "this sink takes rows, not bytes"))
    }

    /// All changes of `time` were written. Not called for times without changes.
    fn end_time(&mut self, time: Timestamp) -> Result<(), ConnectorError>;

    /// The input has ended. Not called after a failure.
    fn end(&mut self) -> Result<(), ConnectorError>;

    /// How far the output is written, for a sink that can go on from there: everything written so far, and
    /// nothing later, is before it. Asked for between times.
    fn position(&self) -> Option<Vec<u8>> {
        None
    }

    /// Makes what has been written so far survive a failure of the system; called from another thread.
    fn durable(&self) -> Option<Durable> {
        None
    }
}

/// An output that takes whole checkpoints, each once: where a run can be gone on with, its changes are kept with
/// each checkpoint and handed over when that is complete.
pub trait Transactions: Send {
    /// Writes the changes, those of each time in the order of a [`Writer`], and commits them together with the
    /// number of their checkpoint, all or nothing. Numbers increase.
    ///
    /// With `again`, an earlier run may have committed them: if the number that was committed last is this one or
    /// a later one, nothing is written, and that number is given back.
    ///
    /// # Errors
    /// If nothing was committed, or it is not known whether it was; and if another run has committed since.
    fn commit(
        &mut self,
        number: u64,
        changes: &[(Timestamp, Batch)],
        again: bool,
    ) -> Result<Option<u64>, ConnectorError>;
}

/// How often each change is written in runs that can be gone on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Once: in a transaction for each checkpoint, when it is complete.
    #[default]
    ExactlyOnce,
    /// At once, and again after a failure, if it came after the last checkpoint.
    AtLeastOnce,
}

/// Makes what an output has written so far survive a failure of the system.
pub type Durable = Box<dyn Fn() -> Result<(), ConnectorError> + Send>;

/// An external output as the plan describes it.
pub trait Sink: fmt::Debug + Send + Sync {
    /// What it is and where, for logs and `explain`: `csv(out.csv)`.
    fn description(&self) -> String;

    /// Opens the output. Called once per run, before data flows. With a position that an earlier run left
    /// it goes on from there: what was written later is taken back, as far as that is possible.
    ///
    /// # Errors
    /// If the external system cannot be reached or the settings are wrong.
    fn open(&self, position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError>;

    /// Opens the output for whole checkpoints, if it takes them; then it is not opened in the other way, and has
    /// no encoder. `id` is the same in all runs that go on with one another, and belongs to this output alone.
    /// From now on, earlier ones of the same `id` that are still open somewhere cannot commit any more. With `anew`
    /// everything comes again, and it is opened as if there had been no earlier ones.
    ///
    /// # Errors
    /// If the external system cannot be reached or the settings are wrong.
    fn transactions(&self, id: &str, anew: bool) -> Result<Option<Box<dyn Transactions>>, ConnectorError> {
        let _ = (id, anew);
        Ok(None)
    }

    /// The format's encoder, for sinks that take bytes in any order inside one time.
    fn encoder(&self) -> Option<Arc<dyn Encoder>> {
        None
    }
}
