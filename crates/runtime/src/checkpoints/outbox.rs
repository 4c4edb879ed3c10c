//! Sinks that take whole checkpoints: their changes are kept with each checkpoint, and sent when it is complete.
//!
//! What was kept with the last checkpoint of an earlier run is sent first, unless that run had done it: the
//! system that it is sent to knows the number of the checkpoint that was committed last.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pathway_dataflow::{Context, Note, Site};
use pathway_io::{ConnectorError, Transactions, Writer};
use pathway_persistence::{Pack, Section, Store, StoreError};
use pathway_types::{Batch, Timestamp};

use super::{lock, notes};

/// Changes of one time, in order.
type Changes = (Timestamp, Batch);

/// What waits for a checkpoint of one sink.
pub(super) struct Outbox {
    /// What identifies the sink in a manifest.
    pub(super) name: String,
    pub(super) site: Site,
    waiting: Mutex<VecDeque<Changes>>,
    /// The bytes that wait in all outboxes of the run.
    bytes: Arc<AtomicUsize>,
    /// Locked for long while something is sent.
    transactions: Mutex<Box<dyn Transactions>>,
}

impl Outbox {
    pub(super) fn new(
        name: String,
        site: Site,
        transactions: Box<dyn Transactions>,
        bytes: Arc<AtomicUsize>,
    ) -> Arc<Outbox> {
        let transactions = Mutex::new(transactions);
        Arc::new(Outbox { name, site, waiting: Mutex::default(), bytes, transactions })
    }

    /// What fills it.
    pub(super) fn writer(self: &Arc<Self>) -> Box<dyn Writer> {
        Box::new(OutboxWriter(self.clone()))
    }

    /// True if there are changes of a time before this one.
    pub(super) fn has_before(&self, time: Timestamp) -> bool {
        lock(&self.waiting).front().is_some_and(|(of, _)| *of < time)
    }

    /// Writes the changes of times before `time`.
    pub(super) fn pack(
        &self,
        time: Timestamp,
        pack: &mut Pack,
        store: &Store,
    ) -> Result<Vec<Section>, StoreError> {
        let waiting = lock(&self.waiting);
        let changes: Vec<Changes> = waiting.iter().take_while(|(of, _)| *of < time).cloned().collect();
        drop(waiting);
        let layout = |(_, batch): &Changes| -> Vec<_> {
            batch.columns.iter().map(|column| column.array().data_type().clone()).collect()
        };
        let runs = changes.chunk_by(|a, b| layout(a) == layout(b));
        let sections = runs.map(|run| {
            let note =
                |(time, batch): &Changes| Note { time: *time, worker: 0, input: 0, batch: batch.clone() };
            let run: Vec<Note> = run.iter().map(note).collect();
            pack.add(store, &notes::pack(run.iter()))
        });
        sections.collect()
    }

    /// Sends the changes of times before `time`, those of the complete checkpoint with this number.
    pub(super) fn send(&self, number: u64, time: Timestamp, context: &Context) -> Result<(), ConnectorError> {
        let mut waiting = lock(&self.waiting);
        let count = waiting.iter().take_while(|(of, _)| *of < time).count();
        let changes: Vec<Changes> = waiting.drain(..count).collect();
        drop(waiting);
        if changes.is_empty() {
            return Ok(());
        }
        // While it takes long, sources hold back.
        let rows = changes.iter().map(|(_, batch)| batch.len()).sum();
        context.count_sent(rows);
        let sent = lock(&self.transactions).commit(number, &changes, false);
        context.count_received(rows);
        let bytes: usize = changes.iter().map(|(_, batch)| batch.memory_size()).sum();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        sent.map(drop)
    }
}

/// Reads what was kept of a sink with the checkpoint of an earlier run.
pub(super) fn read(sections: &[Section], store: &Store) -> Result<Vec<Changes>, StoreError> {
    let mut changes = Vec::new();
    for section in sections {
        changes.extend(notes::by_time(section, section.read(store)?)?);
    }
    Ok(changes)
}

/// Writes what was kept to a sink that does not take whole checkpoints any more.
pub(super) fn write(changes: &[Changes], writer: &mut dyn Writer) -> Result<(), ConnectorError> {
    for changes in changes.chunk_by(|a, b| a.0 == b.0) {
        changes.iter().try_for_each(|(time, batch)| writer.write(batch, *time))?;
        writer.end_time(changes[0].0)?;
    }
    Ok(())
}

/// Puts changes into an outbox.
struct OutboxWriter(Arc<Outbox>);

impl Writer for OutboxWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.0.bytes.fetch_add(batch.memory_size(), Ordering::Relaxed);
        lock(&self.0.waiting).push_back((time, batch.clone()));
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
}
