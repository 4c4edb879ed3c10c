//! Where rows go when they leave a worker.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use pathway_types::batch::partition_rows;
use pathway_types::{Batch, Column, Keys};

use crate::context::Context;
use crate::packet::Packet;
use crate::timely::{Distributor, Message, Push, Stamp};

/// How an operator's input is spread over the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Rows stay where they are.
    Local,
    /// By the shard of the row key.
    Key,
    /// By the shard of the pointer in this column.
    Column(usize),
    /// To one worker.
    Worker(usize),
    /// To all workers; the rows are [`copies`].
    All,
}

/// Splits packets among workers; a packet that goes to one worker whole is moved, not copied.
pub(crate) struct Router {
    route: Route,
    context: Context,
}

impl Router {
    pub(crate) fn new(route: Route, context: Context) -> Self {
        Router { route, context }
    }

    fn send<T: Clone, P: Push<Message<T, Packet>>>(&self, batch: Batch, stamp: &Stamp<T>, pusher: &mut P) {
        self.context.count_sent(batch.len());
        Message::push_at(&mut Packet(batch), stamp.clone(), pusher);
    }
}

/// One copy of the rows for each worker, whose number is their last column.
///
/// Rows are counted when they leave an operator and when they are read; to copy them in between would
/// let times seem to be over that are not.
pub(crate) fn copies(batch: &Batch, workers: usize) -> Batch {
    let copy = |worker: usize| {
        let mut copy = batch.clone();
        copy.columns.push(Column::new(Arc::new(Int64Array::from(vec![worker as i64; batch.len()]))));
        copy
    };
    Batch::concat(&(0..workers).map(copy).collect::<Vec<_>>())
}

impl Router {
    /// Sends each of the [`copies`] to its worker.
    fn deliver<T: Clone, P: Push<Message<T, Packet>>>(
        &self,
        mut batch: Batch,
        stamp: &Stamp<T>,
        pushers: &mut [P],
    ) {
        let Some(workers) = batch.columns.pop() else { return };
        let workers = workers.array().as_primitive::<Int64Type>().values().clone();
        for (worker, pusher) in pushers.iter_mut().enumerate() {
            let rows: Vec<u32> =
                (0..workers.len() as u32).filter(|row| workers[*row as usize] == worker as i64).collect();
            if !rows.is_empty() {
                self.send(batch.take(&rows), stamp, pusher);
            }
        }
    }
}

impl Distributor<Packet> for Router {
    fn partition<T: Clone, P: Push<Message<T, Packet>>>(
        &mut self,
        packet: &mut Packet,
        stamp: &Stamp<T>,
        pushers: &mut [P],
    ) {
        let batch = std::mem::take(&mut packet.0);
        if batch.is_empty() {
            return;
        }
        let keys = match self.route {
            Route::Worker(worker) => return self.send(batch, stamp, &mut pushers[worker]),
            Route::All => return self.deliver(batch, stamp, pushers),
            Route::Local | Route::Key => batch.keys.clone(),
            Route::Column(column) => Keys::of_column(&batch.columns[column]),
        };
        let rows = partition_rows(keys.as_slice(), pushers.len());
        if let Some(worker) = rows.iter().position(|r| r.len() == batch.len()) {
            return self.send(batch, stamp, &mut pushers[worker]);
        }
        for (rows, pusher) in rows.iter().zip(pushers) {
            if !rows.is_empty() {
                self.send(batch.take(rows), stamp, pusher);
            }
        }
    }

    fn flush<T: Clone, P: Push<Message<T, Packet>>>(&mut self, _stamp: &Stamp<T>, _pushers: &mut [P]) {}
}
