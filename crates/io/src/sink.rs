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

    /// The format's encoder, for sinks that take bytes in any order inside one time.
    fn encoder(&self) -> Option<Arc<dyn Encoder>> {
        None
    }
}
