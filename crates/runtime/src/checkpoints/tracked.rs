//! Sinks that tell how far they are written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pathway_io::{ConnectorError, Durable, Writer};
use pathway_types::{Batch, Timestamp};

use super::lock;

/// What is known of a sink that can go on from a position.
pub(super) struct TrackedSink {
    pub(super) name: String,
    inner: Mutex<Inner>,
}

struct Inner {
    /// The positions after times that no checkpoint holds yet.
    later: VecDeque<(Timestamp, Vec<u8>)>,
    /// The position of the last checkpoint, or where the sink began.
    position: Vec<u8>,
    durable: Option<Durable>,
    /// Something was written since it was last made durable.
    changed: bool,
}

impl TrackedSink {
    /// True if there is a new position of a time before this one.
    pub(super) fn has_before(&self, time: Timestamp) -> bool {
        lock(&self.inner).later.front().is_some_and(|(written, _)| *written < time)
    }

    /// The position after everything before `time`, made durable; what is asked for later is later.
    pub(super) fn position(&self, time: Timestamp) -> Result<Vec<u8>, ConnectorError> {
        let mut inner = lock(&self.inner);
        while inner.later.front().is_some_and(|(written, _)| *written < time) {
            if let Some((_, position)) = inner.later.pop_front() {
                inner.position = position;
                inner.changed = true;
            }
        }
        if inner.changed {
            inner.durable.as_ref().map_or(Ok(()), |durable| durable())?;
            inner.changed = false;
        }
        Ok(inner.position.clone())
    }
}

/// A writer, and where its positions are noted.
struct TrackedWriter {
    writer: Box<dyn Writer>,
    sink: Arc<TrackedSink>,
}

/// Notes the positions of a writer, if it has any.
pub(super) fn track(writer: Box<dyn Writer>, name: String) -> (Box<dyn Writer>, Option<Arc<TrackedSink>>) {
    let Some(position) = writer.position() else { return (writer, None) };
    let durable = writer.durable();
    let inner = Inner { later: VecDeque::new(), position, durable, changed: true };
    let sink = Arc::new(TrackedSink { name, inner: Mutex::new(inner) });
    (Box::new(TrackedWriter { writer, sink: sink.clone() }), Some(sink))
}

impl Writer for TrackedWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.writer.write(batch, time)
    }
    fn write_encoded(&mut self, bytes: &[u8], time: Timestamp) -> Result<(), ConnectorError> {
        self.writer.write_encoded(bytes, time)
    }
    fn end_time(&mut self, time: Timestamp) -> Result<(), ConnectorError> {
        self.writer.end_time(time)?;
        if let Some(position) = self.writer.position() {
            lock(&self.sink.inner).later.push_back((time, position));
        }
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        self.writer.end()
    }
    fn position(&self) -> Option<Vec<u8>> {
        self.writer.position()
    }
}
