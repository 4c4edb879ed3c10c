//! Where data enters the dataflow: queues that reader threads fill, and static tables.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::{LargeBinaryArray, LargeStringArray};
use arrow_buffer::BooleanBuffer;

use pathway_io::{Parsed, Rejected};
use pathway_types::{Batch, Column, Diffs, Key, Timestamp, Value};

use crate::context::{Context, Site};
use crate::driver::Edge;
use crate::packet::Packet;
use crate::stats::Wiring;
use crate::timely::{Capability, NoopBuilder, OperatorBuilder, OutputBuilder, Scope, SyncActivator};

/// Rows taken from the queue before the operators behind it get their turn.
const ROWS_PER_TURN: usize = 4 * CHUNK_ROWS;
/// How long a source waits until it looks again whether it may go on.
const HELD_BACK: Duration = Duration::from_millis(5);
/// The rows that a chunk counts for at least, as it costs something however small it is, and at most.
const LEAST_ROWS: usize = 1 << 10;
/// The rows of a full chunk.
const CHUNK_ROWS: usize = 1 << 16;

/// What a chunk with so many rows counts for.
fn weight(rows: usize) -> usize {
    rows.clamp(LEAST_ROWS, CHUNK_ROWS)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bounds how much of a source is read but not yet taken by a worker.
#[derive(Debug)]
pub struct Backlog {
    in_flight: Mutex<usize>,
    changed: Condvar,
    limit: usize,
}

impl Backlog {
    /// At most `chunks` full chunks, or more small ones.
    pub fn new(chunks: usize) -> Arc<Self> {
        Arc::new(Backlog { in_flight: Mutex::new(0), changed: Condvar::new(), limit: chunks * CHUNK_ROWS })
    }
    /// Waits for room for a chunk, of so many rows if that is known; `None` if `stopped` says so first.
    pub fn acquire(self: &Arc<Self>, rows: Option<usize>, stopped: impl Fn() -> bool) -> Option<Room> {
        let weight = rows.map_or(CHUNK_ROWS, weight);
        let mut in_flight = lock(&self.in_flight);
        while *in_flight >= self.limit {
            if stopped() {
                return None;
            }
            let waited = self.changed.wait_timeout(in_flight, Duration::from_millis(50));
            in_flight = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *in_flight += weight;
        drop(in_flight);
        let room = Room { backlog: self.clone(), weight };
        (!stopped()).then_some(room)
    }
}

/// The room that a chunk takes in a backlog until it is dropped.
#[derive(Debug)]
pub struct Room {
    backlog: Arc<Backlog>,
    weight: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        *lock(&self.backlog.in_flight) -= self.weight;
        self.backlog.changed.notify_one();
    }
}

/// A place in a queue for rows that may still be being parsed.
#[derive(Debug)]
pub struct Slot {
    parsed: Mutex<Option<Parsed>>,
    _room: Room,
}

impl Slot {
    /// An empty slot.
    pub fn new(room: Room) -> Arc<Self> {
        Arc::new(Slot { parsed: Mutex::new(None), _room: room })
    }
    /// Puts the rows in.
    pub fn fill(&self, parsed: Parsed) {
        *lock(&self.parsed) = Some(parsed);
    }
    fn take(&self) -> Option<Parsed> {
        lock(&self.parsed).take()
    }
}

/// What a queue holds.
#[derive(Debug)]
pub enum InputItem {
    /// Rows of a time.
    Rows(Timestamp, Arc<Slot>),
    /// No more rows of earlier times.
    Advance(Timestamp),
    /// Nothing more comes.
    Finish,
}

/// The queue between a source and one worker.
#[derive(Default)]
pub struct InputQueue {
    items: Mutex<VecDeque<InputItem>>,
    activator: Mutex<Option<SyncActivator>>,
}

impl InputQueue {
    /// An empty queue.
    pub fn new() -> Arc<Self> {
        Arc::new(InputQueue::default())
    }
    /// Appends an item and wakes the worker.
    pub fn push(&self, item: InputItem) {
        lock(&self.items).push_back(item);
        self.wake();
    }
    /// Wakes the worker, for instance because a slot was filled.
    pub fn wake(&self) {
        if let Some(activator) = &*lock(&self.activator) {
            // Fails only when the worker has gone, and then nobody waits.
            let _gone = activator.activate();
        }
    }
    /// The next item that is ready.
    fn pop(&self) -> Option<Next> {
        let mut items = lock(&self.items);
        match items.front()? {
            InputItem::Rows(time, slot) => {
                let next = Next::Rows(*time, slot.take()?);
                items.pop_front();
                Some(next)
            }
            InputItem::Advance(time) => {
                let next = Next::Advance(*time);
                items.pop_front();
                Some(next)
            }
            InputItem::Finish => {
                items.pop_front();
                Some(Next::Finish)
            }
        }
    }
}

enum Next {
    Rows(Timestamp, Parsed),
    Advance(Timestamp),
    Finish,
}

/// Adds a source to the dataflow: the stream of its rows and, if wanted, of its rejected records.
pub fn source<'scope>(
    scope: Scope<'scope, Timestamp>,
    name: &str,
    queue: Arc<InputQueue>,
    context: Context,
    site: Site,
    dead_letters: bool,
) -> (Edge<'scope>, Edge<'scope>) {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (rows_output, rows) = builder.new_output::<Packet>();
    let (dead_output, dead) = builder.new_output::<Packet>();
    let mut rows_output = OutputBuilder::<_, NoopBuilder<Packet>>::from(rows_output);
    let mut dead_output = OutputBuilder::<_, NoopBuilder<Packet>>::from(dead_output);
    let info = builder.operator_info();
    let meter = context.meter(name, Wiring { node: builder.index(), sources: vec![] }, None);
    meter.tracks();
    let connector = context.statistics().connector(site.operator);
    let worker = scope.worker();
    *lock(&queue.activator) = Some(worker.sync_activator_for(info.address.to_vec()));
    let activator = worker.activator_for(info.address);
    builder.build_reschedule(move |capabilities| {
        let mut capabilities = Some(capabilities);
        let mut thinning = Thinning::default();
        move |_frontiers: &[_]| {
            if context.is_stopped() {
                capabilities = None;
            }
            let begin = Instant::now();
            let Some(held) = &mut capabilities else { return false };
            let (mut rows_session, mut dead_session) = (rows_output.activate(), dead_output.activate());
            let mut taken = 0;
            loop {
                if taken >= ROWS_PER_TURN || context.is_congested() {
                    activator.activate();
                    break;
                }
                if context.is_at_large_time() {
                    activator.activate_after(HELD_BACK);
                    break;
                }
                match queue.pop() {
                    None => break,
                    Some(Next::Rows(time, parsed)) => {
                        taken += weight(parsed.batch.len());
                        let before = thinning.errors;
                        let (batch, rejected) = settle(parsed, &context, &site, &mut thinning);
                        connector.failed(thinning.errors - before, rejected.len());
                        context.statistics().rejected(site.operator, &rejected);
                        if !batch.is_empty() {
                            meter.emitted(&batch.diffs);
                            let capability: Capability<_> = held[0].delayed(&time);
                            let mut session = rows_session.session_with_builder(&capability);
                            session.give_container(&mut Packet(batch));
                        }
                        if dead_letters && !rejected.is_empty() {
                            let capability = held[1].delayed(&time);
                            let mut session = dead_session.session_with_builder(&capability);
                            session.give_container(&mut Packet(dead_letter_batch(&rejected)));
                        }
                    }
                    Some(Next::Advance(time)) => {
                        held.iter_mut().for_each(|c| c.downgrade(&time));
                        meter.reached(Some(time));
                    }
                    Some(Next::Finish) => {
                        meter.reached(None);
                        thinning.end(&context, &site);
                        capabilities = None;
                        break;
                    }
                }
            }
            meter.worked(begin);
            false
        }
    });
    (rows, dead)
}

/// Messages about records that cannot be parsed, before they are thinned out.
const PARSE_MESSAGES: u64 = 128;

/// Keeps a source whose records cannot be parsed from flooding the log. Error logs take everything.
#[derive(Default)]
struct Thinning {
    attempts: u64,
    errors: u64,
    silent: u64,
}

impl Thinning {
    fn report(&mut self, context: &Context, site: &Site, position: &str, reason: &str) {
        self.errors += 1;
        let tells = self.errors <= PARSE_MESSAGES || self.errors * 10 <= self.attempts;
        if tells || !context.terminates_on_error() {
            context.parse_error(site, position, reason);
            return;
        }
        self.silent += 1;
        if self.silent == 1 {
            let text = "most records of a source cannot be parsed: not all of them are reported from here on";
            context.message(true, &format!("{}: {text}", site.name));
        }
    }

    fn end(&mut self, context: &Context, site: &Site) {
        if self.silent > 0 {
            let text = format!("{}: {} more records could not be parsed", site.name, self.silent);
            context.message(true, &text);
        }
    }
}

/// Reports what could not be parsed and decides about rows with bad cells: dropped where the first
/// error would end the run, kept with error cells otherwise.
fn settle(parsed: Parsed, context: &Context, site: &Site, thinning: &mut Thinning) -> (Batch, Vec<Rejected>) {
    let Parsed { batch, cell_errors, mut rejected } = parsed;
    thinning.attempts += (batch.len() + rejected.len()) as u64;
    for record in &rejected {
        thinning.report(context, site, &record.position, &record.reason);
    }
    if cell_errors.is_empty() {
        return (batch, rejected);
    }
    // A removed row names the errors that it had when it was added; only added rows are news.
    let is_news = |row: u32| batch.diffs.get(row as usize) > 0;
    if !context.terminates_on_error() {
        for error in cell_errors.iter().filter(|error| is_news(error.row)) {
            thinning.report(context, site, &error.record.position, &error.cause.message);
        }
        return (batch, rejected);
    }
    let mut keep = vec![true; batch.len()];
    for error in cell_errors {
        let keep = &mut keep[error.row as usize];
        if *keep && is_news(error.row) {
            thinning.report(context, site, &error.record.position, &error.cause.message);
            rejected.push(error.record);
        }
        *keep = false;
    }
    (batch.filter(&BooleanBuffer::from(keep)), rejected)
}

/// The rows of a dead-letter table.
fn dead_letter_batch(rejected: &[Rejected]) -> Batch {
    let keys = rejected.iter().map(|r| {
        let values = [Value::from(&*r.position), Value::Bytes(r.raw.clone().into()), Value::from(&*r.reason)];
        Key::of(&values).unwrap_or_default().0
    });
    let keys: Vec<u128> = keys.collect();
    let raw = LargeBinaryArray::from_iter_values(rejected.iter().map(|r| &r.raw));
    let text = |of: fn(&Rejected) -> &String| {
        Column::new(Arc::new(LargeStringArray::from_iter_values(rejected.iter().map(of))))
    };
    let columns = vec![Column::new(Arc::new(raw)), text(|r| &r.position), text(|r| &r.reason)];
    Batch::new(keys.into(), columns, Diffs::Ones(rejected.len()))
}

/// Adds a static table: each worker of the first process emits its part of the rows, then ends. Other
/// processes have built the same table, or should have.
pub fn static_table<'scope>(
    scope: Scope<'scope, Timestamp>,
    name: &str,
    batches: Arc<Vec<(Timestamp, Batch)>>,
    shards: Option<Arc<Vec<Vec<u64>>>>,
    context: &Context,
) -> Edge<'scope> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (output, stream) = builder.new_output::<Packet>();
    let mut output = OutputBuilder::<_, NoopBuilder<Packet>>::from(output);
    let meter = context.meter(name, Wiring { node: builder.index(), sources: vec![] }, None);
    meter.tracks();
    let (worker, workers) = (scope.index(), scope.peers());
    let here = workers / context.process().of;
    builder.build_reschedule(move |capabilities| {
        let mut capability = capabilities.into_iter().next();
        move |_frontiers: &[_]| {
            let Some(capability) = capability.take() else { return false };
            let begin = Instant::now();
            let mut session = output.activate();
            for (i, (time, batch)) in batches.iter().enumerate() {
                let mine = |row: usize| {
                    let home = match &shards {
                        Some(shards) => shards[i][row] as usize % workers,
                        None => batch.keys.get(row).worker(workers),
                    };
                    home % here == worker
                };
                let keep: BooleanBuffer = (0..batch.len()).map(mine).collect();
                let batch = batch.filter(&keep);
                if !batch.is_empty() {
                    meter.emitted(&batch.diffs);
                    let capability = capability.delayed(time);
                    session.session_with_builder(&capability).give_container(&mut Packet(batch));
                }
            }
            meter.reached(None);
            meter.worked(begin);
            false
        }
    });
    stream
}
