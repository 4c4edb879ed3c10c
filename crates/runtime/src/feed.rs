//! Feeds the rows of one source to the workers, cut into minibatches.
//!
//! A source always has one open minibatch, whose time is the moment it was opened. Closing it opens
//! the next, at the wall clock's even millisecond, or 2 later if the clock has not moved but rows
//! came. Rows of any reader of the source belong to the minibatch that is open when they arrive.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use arrow_buffer::BooleanBuffer;
use pathway_dataflow::stats::{ConnectorMeter, Unit};
use pathway_dataflow::tally::BETWEEN_MESSAGES;
use pathway_dataflow::{Backlog, Context, Failure, InputItem, InputQueue, Room, Site, Slot, even_now};
use pathway_io::{
    ConnectorError, FailureClass, ParseJob, Parsed, Position, Reader, Session, SourceOutput, Stopped,
};
use pathway_plan::program::SourceStep;
use pathway_types::{Batch, Timestamp};

use crate::marks::{Marks, Update};
use crate::pool::Pool;
use crate::replay::{Replayed, Schedule};

/// How often the time of a source without rows follows the clock, where answers of calls wait for it.
const IDLE: Duration = Duration::from_millis(10);

/// How long the end of a failed run waits for another source that is inside of a unit that must not be
/// split, and for everything else.
const HELD_UP: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_secs(60);

/// What is logged when a failed run ends although its outputs are not done.
const UNFINISHED: &str =
    "a source has failed; what was sent before does not pass through the outputs in time and is lost";

/// Full chunks per worker that may be read ahead.
const CHUNKS_AHEAD: usize = 4;

/// The shared side of a source: what its readers and the autocommit timer work on.
pub(crate) struct Feed {
    /// The name of the source, for people.
    label: String,
    queues: Vec<Arc<InputQueue>>,
    minibatch: Mutex<Minibatch>,
    /// All readers have returned.
    ended: Condvar,
    backlog: Arc<Backlog>,
    pool: Arc<Pool>,
    context: Context,
    autocommit: Option<Duration>,
    max_backlog: Option<usize>,
    /// Order matters (upserts), so everything goes through one worker.
    ordered: bool,
    /// While no rows come, the time follows the clock: answers of calls come at times of the clock, and
    /// are seen when the source's time is past them.
    follows_clock: bool,
    /// All sources of the run.
    all: OnceLock<Vec<Weak<Feed>>>,
    /// Rows since something was told about them.
    entries: AtomicU64,
    /// Held by whoever tells something: the end of the source is told after what the timer has begun to tell.
    telling: Mutex<()>,
    /// Readers report positions.
    has_positions: bool,
    /// Where the ends of minibatches are noted, in a run that may be gone on with.
    marks: Option<Arc<Marks>>,
    meter: Arc<ConnectorMeter>,
}

struct Minibatch {
    time: Timestamp,
    has_rows: bool,
    /// Readers inside a unit that must not be split.
    atomic: usize,
    /// A commit was asked for inside an atomic unit.
    commit_after: bool,
    committed_at: Instant,
    /// The first minibatch, whose time all sources share, has been closed.
    started: bool,
    next_worker: usize,
    readers: usize,
    /// Minibatches closed since something was told about them.
    closed: u64,
    told: Option<Instant>,
    /// Rows of times that have not passed through all sinks; used where the backlog is limited.
    in_flight: VecDeque<(Timestamp, usize)>,
    /// Readers that have handed over rows since they reported a position.
    uncovered: usize,
    /// What readers have reported in this minibatch.
    updates: Vec<Update>,
    /// All readers have returned, but the input has not ended.
    stays_open: bool,
}

impl Feed {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        step: &SourceStep,
        label: String,
        queues: Vec<Arc<InputQueue>>,
        start: Timestamp,
        pool: Arc<Pool>,
        context: Context,
        follows_clock: bool,
        marks: Option<Arc<Marks>>,
        meter: Arc<ConnectorMeter>,
    ) -> Arc<Self> {
        queues.iter().for_each(|queue| queue.push(InputItem::Advance(start)));
        let minibatch = Minibatch {
            time: start,
            has_rows: false,
            atomic: 0,
            commit_after: false,
            committed_at: Instant::now(),
            started: false,
            next_worker: 0,
            readers: 0,
            closed: 0,
            told: None,
            in_flight: VecDeque::new(),
            uncovered: 0,
            updates: Vec::new(),
            stays_open: false,
        };
        Arc::new(Feed {
            label,
            backlog: Backlog::new(CHUNKS_AHEAD * queues.len()),
            queues,
            minibatch: Mutex::new(minibatch),
            ended: Condvar::new(),
            pool,
            context,
            autocommit: step.autocommit,
            max_backlog: step.max_backlog,
            ordered: step.source.session() == Session::Upsert,
            follows_clock,
            all: OnceLock::new(),
            entries: AtomicU64::new(0),
            telling: Mutex::new(()),
            has_positions: step.source.has_positions(),
            marks,
            meter,
        })
    }

    /// Tells the feed about all feeds of the run.
    pub(crate) fn meet(&self, all: &[Arc<Feed>]) {
        self.all.get_or_init(|| all.iter().map(Arc::downgrade).collect());
    }

    fn minibatch(&self) -> MutexGuard<'_, Minibatch> {
        self.minibatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the readers, each in a thread of its own, after what is given once more.
    pub(crate) fn start(
        self: &Arc<Self>,
        readers: Vec<Box<dyn Reader>>,
        site: &Site,
        replayed: Option<Replayed>,
    ) -> std::io::Result<()> {
        // Whoever starts the readers counts as one until they have started.
        self.minibatch().readers = readers.len() + 1;
        let Some(replayed) = replayed else {
            let started = self.start_readers(readers, site);
            self.reader_ended();
            return started;
        };
        let (feed, site) = (self.clone(), site.clone());
        let thread = std::thread::Builder::new().name(format!("pathway:replay-{}", site.operator));
        thread.spawn(move || {
            // Readers see for themselves that the run has stopped.
            let _stopped = feed.replay(replayed);
            if let Err(error) = feed.start_readers(readers, &site) {
                feed.context.fail(Failure::Worker(format!("no thread can be started: {error}")));
            }
            feed.reader_ended();
        })?;
        Ok(())
    }

    /// Gives what was recorded once more.
    fn replay(&self, replayed: Replayed) -> Result<(), Stopped> {
        let begin = Instant::now();
        self.meter.expect(replayed.rows.iter().map(|(_, batch)| batch.len() as u64).sum(), Unit::Rows);
        // Nobody else closes minibatches meanwhile.
        self.minibatch().atomic += 1;
        let given = self.replay_rows(replayed.rows, replayed.schedule, begin);
        let mut minibatch = self.minibatch();
        minibatch.atomic -= 1;
        if replayed.apart || minibatch.commit_after {
            self.close_now(&mut minibatch);
        }
        given
    }

    fn replay_rows(
        &self,
        rows: Vec<(Timestamp, Batch)>,
        schedule: Option<Schedule>,
        begin: Instant,
    ) -> Result<(), Stopped> {
        for (time, batch) in rows {
            let mut left = schedule.map_or(Duration::ZERO, |schedule| schedule.left(time, begin));
            while !left.is_zero() && !self.context.ends_sources() {
                std::thread::sleep(left.min(Duration::from_millis(50)));
                left = schedule.map_or(Duration::ZERO, |schedule| schedule.left(time, begin));
            }
            let room = self.backlog.acquire(Some(batch.len()), || self.context.ends_sources());
            let room = room.ok_or(Stopped)?;
            let mut minibatch = self.minibatch();
            if time > minibatch.time && minibatch.has_rows {
                self.mark(&mut minibatch);
                minibatch.closed += 1;
                self.meter.close_minibatch();
                minibatch.has_rows = false;
            }
            self.advance(&mut minibatch, time);
            drop(minibatch);
            self.entries.fetch_add(batch.len() as u64, Ordering::Relaxed);
            let batch = if self.ordered { removals_first(&batch) } else { batch };
            let rows = batch.len() as u64;
            // A unit that must not be split has room.
            let _none = self.enqueue(room, Parsed { batch, ..Parsed::default() });
            self.meter.advance(rows, Unit::Rows);
        }
        Ok(())
    }

    fn start_readers(self: &Arc<Self>, readers: Vec<Box<dyn Reader>>, site: &Site) -> std::io::Result<()> {
        for reader in readers {
            let (feed, site) = (self.clone(), site.clone());
            let name = format!("pathway:read-{}", site.operator);
            std::thread::Builder::new().name(name).spawn(move || feed.read(reader, site))?;
        }
        Ok(())
    }

    fn read(self: Arc<Self>, reader: Box<dyn Reader>, site: Site) {
        let (reports, feed) = (self.has_positions, self.clone());
        let mut output = Output { reports, feed, in_atomic: 0, uncovered: false, unsettled: None };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.run(&mut output)));
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(panic) => {
                let text = panic_text(&*panic);
                Some(ConnectorError::new(
                    &*site.name,
                    FailureClass::Engine,
                    format!("the reader failed: {text}"),
                ))
            }
        };
        // A unit that the reader left open ends with it.
        while output.in_atomic > 0 && output.end_atomic().is_ok() {}
        if let Some(error) = error {
            // Rows handed over before the failure are still processed.
            let _stopped = output.commit();
            self.drain();
            self.context.fail(Failure::Connector { site, error });
        }
        self.reader_ended();
    }

    /// Waits until everything committed so far has passed through the sinks. Other sources do not hold it
    /// up: what they have sent passes with it.
    fn drain(&self) {
        let (time, begin) = (self.minibatch().time, Instant::now());
        let completed = self.context.completed();
        while completed.frontier() < time && !self.context.is_stopped() {
            let all = self.all.get().into_iter().flatten().filter_map(Weak::upgrade);
            let held_up = all.filter(|feed| !feed.pass(time)).count() > 0;
            if begin.elapsed() > if held_up { HELD_UP } else { DRAIN } {
                self.context.message(true, UNFINISHED);
                return;
            }
            completed.wait(Duration::from_millis(20));
        }
    }

    /// Closes the open minibatch if it is of an earlier time; false inside of a unit that must not be split.
    fn pass(&self, time: Timestamp) -> bool {
        let mut minibatch = self.minibatch();
        if minibatch.readers == 0 || minibatch.time >= time {
            return true;
        }
        if minibatch.atomic == 0 {
            self.close(&mut minibatch);
        }
        minibatch.atomic == 0
    }

    fn reader_ended(&self) {
        let mut minibatch = self.minibatch();
        minibatch.readers -= 1;
        if minibatch.readers == 0 {
            // The last minibatch ends with the source, of which nothing is left to be read if it was not stopped.
            minibatch.closed += u64::from(minibatch.has_rows);
            if !self.context.ends_sources() {
                minibatch.uncovered = 0;
            }
            // In a run that is gone on with later, or is broken off, the input has not ended.
            let stays_open = self.context.is_winding_down() && self.context.leaves_inputs_open();
            minibatch.stays_open = stays_open;
            if stays_open {
                self.close_now(&mut minibatch);
            } else {
                self.mark(&mut minibatch);
            }
            drop(minibatch);
            self.tell(true);
            self.ended.notify_all();
            if stays_open {
                self.meter.close_minibatch();
            } else {
                self.meter.finish();
                self.queues.iter().for_each(|queue| queue.push(InputItem::Finish));
            }
        }
    }

    /// All that was read is of earlier times than this; none while something is still read.
    pub(crate) fn read_before(&self) -> Option<Timestamp> {
        let minibatch = self.minibatch();
        (minibatch.readers == 0).then_some(if minibatch.stays_open { minibatch.time } else { 0 })
    }

    /// Brings a source that is read no more, but has not ended, to a time.
    pub(crate) fn pass_by(&self, time: Timestamp) {
        let mut minibatch = self.minibatch();
        if minibatch.stays_open {
            self.advance(&mut minibatch, time);
        }
    }

    /// Tells how far the source is, if it is time.
    pub(crate) fn tell(&self, ends: bool) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut minibatch = self.minibatch();
        let due = minibatch.told.is_none_or(|told| told.elapsed() >= BETWEEN_MESSAGES);
        if !(ends || due && minibatch.closed > 0 && minibatch.readers > 0) {
            return;
        }
        minibatch.told = Some(Instant::now());
        let (entries, closed) =
            (self.entries.swap(0, Ordering::Relaxed), std::mem::take(&mut minibatch.closed));
        drop(minibatch);
        let label = &self.label;
        if entries > 0 || !ends {
            let text =
                format!("{label}: {entries} entries ({closed} minibatch(es)) have been sent to the engine");
            self.context.progress(false, label, &text);
        }
        if ends {
            self.context.progress(true, label, &format!("{label}: Closing the data source"));
        }
    }

    /// Waits until all readers have returned, or until `deadline`.
    pub(crate) fn wait_for_readers(&self, deadline: Instant) {
        let mut minibatch = self.minibatch();
        while minibatch.readers > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.ended.wait_timeout(minibatch, left);
            minibatch = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Closes the open minibatch, if no unit is open.
    fn close(&self, minibatch: &mut Minibatch) {
        if minibatch.atomic > 0 {
            minibatch.commit_after = true;
        } else {
            self.close_now(minibatch);
        }
    }

    /// Notes how far the source was read at the end of the open minibatch.
    fn mark(&self, minibatch: &mut Minibatch) {
        let updates = std::mem::take(&mut minibatch.updates);
        if let Some(marks) = &self.marks
            && (minibatch.has_rows || !updates.is_empty())
        {
            marks.add(minibatch.time, minibatch.uncovered == 0, updates);
        }
    }

    fn close_now(&self, minibatch: &mut Minibatch) {
        self.mark(minibatch);
        minibatch.commit_after = false;
        minibatch.started = true;
        minibatch.closed += 1;
        self.meter.close_minibatch();
        minibatch.committed_at = Instant::now();
        let least = if minibatch.has_rows { minibatch.time + 2 } else { minibatch.time };
        let time = even_now().max(least);
        minibatch.has_rows = false;
        self.advance(minibatch, time);
    }

    /// The autocommit timer: closes the minibatch if it is time; gives the time until the next call.
    pub(crate) fn tick(&self) -> Option<Duration> {
        let mut minibatch = self.minibatch();
        if minibatch.readers == 0 {
            return minibatch.stays_open.then_some(IDLE);
        }
        if self.follows_clock && minibatch.started && !minibatch.has_rows && minibatch.atomic == 0 {
            self.advance(&mut minibatch, even_now());
        }
        let idle = if self.follows_clock { IDLE } else { BETWEEN_MESSAGES };
        Some(self.autocommit.map_or(idle, |period| self.commit_if_due(&mut minibatch, period).min(idle)))
    }

    /// Closes the minibatch if it is old enough; gives the time until it will be.
    fn commit_if_due(&self, minibatch: &mut Minibatch, period: Duration) -> Duration {
        let age = minibatch.committed_at.elapsed();
        if age < period {
            return period - age;
        }
        if minibatch.atomic > 0 {
            // The unit ends with a commit of its own.
            minibatch.committed_at = Instant::now();
        } else {
            self.close(minibatch);
        }
        period
    }

    /// Moves the open minibatch to a later time.
    fn advance(&self, minibatch: &mut Minibatch, time: Timestamp) {
        if time > minibatch.time {
            minibatch.time = time;
            self.queues.iter().for_each(|queue| queue.push(InputItem::Advance(time)));
        }
    }

    /// Puts rows into the queue of a worker, at the open minibatch's time; gives back those for which a
    /// limited backlog has no room yet.
    fn enqueue(&self, room: Room, mut parsed: Parsed) -> Option<Parsed> {
        let mut minibatch = self.minibatch();
        let free = self.free_rows(&mut minibatch);
        let rows = parsed.batch.len();
        if rows > 0 && free == 0 {
            return Some(parsed);
        }
        let rest = (rows > free).then(|| parsed.split_off(free));
        if self.max_backlog.is_some() {
            let (time, rows) = (minibatch.time, rows.min(free));
            match minibatch.in_flight.back_mut() {
                Some((last, count)) if *last == time => *count += rows,
                _ => minibatch.in_flight.push_back((time, rows)),
            }
        }
        self.meter.read(minibatch.time, rows.min(free));
        let slot = Slot::new(room);
        slot.fill(parsed);
        self.push(&mut minibatch, slot);
        rest
    }

    /// Puts a slot into the queue of a worker, at the open minibatch's time.
    fn push(&self, minibatch: &mut Minibatch, slot: Arc<Slot>) -> Arc<InputQueue> {
        let worker = if self.ordered { 0 } else { minibatch.next_worker };
        minibatch.next_worker = (minibatch.next_worker + 1) % self.queues.len();
        minibatch.has_rows = true;
        let queue = self.queues[worker].clone();
        queue.push(InputItem::Rows(minibatch.time, slot));
        queue
    }

    /// Rows of times that have not passed through all sinks.
    fn rows_in_flight(&self, minibatch: &mut Minibatch) -> usize {
        let frontier = self.context.completed().frontier();
        while minibatch.in_flight.front().is_some_and(|(time, _)| *time < frontier) {
            minibatch.in_flight.pop_front();
        }
        minibatch.in_flight.iter().map(|(_, rows)| rows).sum()
    }

    /// Rows that the open minibatch still takes. A unit that must not be split is taken as a whole, and so is
    /// what was read when the run began to end, since a position may already cover it.
    fn free_rows(&self, minibatch: &mut Minibatch) -> usize {
        match self.max_backlog {
            Some(limit) if minibatch.atomic == 0 && !self.context.ends_sources() => {
                limit.saturating_sub(self.rows_in_flight(minibatch))
            }
            _ => usize::MAX,
        }
    }

    /// Holds the reader back while too many of its rows are in flight.
    fn limit_backlog(&self) -> Result<(), Stopped> {
        let Some(limit) = self.max_backlog else { return Ok(()) };
        let completed = self.context.completed();
        loop {
            if self.context.ends_sources() {
                return Err(Stopped);
            }
            {
                let mut minibatch = self.minibatch();
                if minibatch.atomic > 0 || self.rows_in_flight(&mut minibatch) < limit {
                    return Ok(());
                }
                if minibatch.has_rows {
                    self.close(&mut minibatch);
                }
            }
            completed.wait(Duration::from_millis(20));
        }
    }
}

/// The changes of a table so that they can be taken for records that set and remove rows by key.
fn removals_first(batch: &Batch) -> Batch {
    let removes: BooleanBuffer = (0..batch.len()).map(|row| batch.diffs.get(row) < 0).collect();
    if removes.count_set_bits() == 0 {
        return batch.clone();
    }
    Batch::concat(&[batch.filter(&removes), batch.filter(&!&removes)])
}

/// What a reader sees of its feed.
struct Output {
    feed: Arc<Feed>,
    in_atomic: usize,
    /// The reader reports positions.
    reports: bool,
    /// It has handed over rows since the last.
    uncovered: bool,
    /// The positions that are not done with, if the reader asks for them.
    unsettled: Option<VecDeque<(Timestamp, String, Position)>>,
}

impl Output {
    fn check(&self) -> Result<(), Stopped> {
        if self.feed.context.ends_sources() { Err(Stopped) } else { Ok(()) }
    }

    /// Rows were handed over that no position covers.
    fn uncover(&mut self) {
        if self.reports && !self.uncovered {
            self.uncovered = true;
            self.feed.minibatch().uncovered += 1;
        }
    }

    fn room(&self, rows: Option<usize>) -> Result<Room, Stopped> {
        let context = &self.feed.context;
        self.feed.backlog.acquire(rows, || context.is_stopped()).ok_or(Stopped)
    }
}

impl SourceOutput for Output {
    fn rows(&mut self, parsed: Parsed) -> Result<(), Stopped> {
        if parsed.batch.is_empty() && parsed.rejected.is_empty() {
            return self.check();
        }
        self.feed.entries.fetch_add(parsed.batch.len() as u64, Ordering::Relaxed);
        self.uncover();
        let mut result = Ok(());
        let mut rest = Some(parsed);
        while let Some(parsed) = rest {
            let room = self.room(Some(parsed.batch.len()))?;
            rest = self.feed.enqueue(room, parsed);
            result = result.and_then(|()| self.check()).and_then(|()| self.feed.limit_backlog());
        }
        result
    }

    fn parse(&mut self, job: ParseJob) -> Result<(), Stopped> {
        if self.feed.max_backlog.is_some() {
            // Rows must be counted before more is read.
            return self.rows(job());
        }
        let room = self.room(None)?;
        self.uncover();
        let slot = Slot::new(room);
        let mut minibatch = self.feed.minibatch();
        let time = minibatch.time;
        let queue = self.feed.push(&mut minibatch, slot.clone());
        drop(minibatch);
        let (feed, context) = (self.feed.clone(), self.feed.context.clone());
        self.feed.pool.submit(Box::new(move || {
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)) {
                Ok(parsed) => {
                    feed.entries.fetch_add(parsed.batch.len() as u64, Ordering::Relaxed);
                    feed.meter.read(time, parsed.batch.len());
                    slot.fill(parsed);
                }
                Err(panic) => {
                    context.fail(Failure::Worker(format!("a parser failed: {}", panic_text(&*panic))));
                }
            }
            drop(slot);
            queue.wake();
        }));
        self.check()
    }

    fn commit(&mut self) -> Result<(), Stopped> {
        let mut minibatch = self.feed.minibatch();
        // Whoever commits inside of its own unit wants it to be split; that of another reader is not.
        if minibatch.atomic == self.in_atomic {
            self.feed.close_now(&mut minibatch);
        } else {
            self.feed.close(&mut minibatch);
        }
        drop(minibatch);
        self.check()
    }

    fn begin_atomic(&mut self) -> Result<(), Stopped> {
        self.feed.minibatch().atomic += 1;
        self.in_atomic += 1;
        self.check()
    }

    fn end_atomic(&mut self) -> Result<(), Stopped> {
        self.in_atomic -= 1;
        let mut minibatch = self.feed.minibatch();
        minibatch.atomic -= 1;
        if minibatch.atomic == 0 && (minibatch.commit_after || even_now() > minibatch.time) {
            self.feed.close(&mut minibatch);
        }
        drop(minibatch);
        self.check()?;
        self.feed.limit_backlog()
    }

    fn position(&mut self, part: &str, position: Option<Position>) -> Result<(), Stopped> {
        self.reports = true;
        let uncovered = std::mem::take(&mut self.uncovered);
        let mut minibatch = self.feed.minibatch();
        minibatch.uncovered -= usize::from(uncovered);
        if let (Some(unsettled), Some(position)) = (&mut self.unsettled, &position) {
            unsettled.push_back((minibatch.time, part.to_owned(), position.clone()));
        }
        if self.feed.marks.is_some() {
            minibatch.updates.push((part.to_owned(), position));
        }
        drop(minibatch);
        self.check()
    }

    fn settled(&mut self) -> Vec<(String, Position)> {
        let done = match &self.feed.marks {
            Some(marks) => marks.held(),
            None => self.feed.context.completed().frontier(),
        };
        let unsettled = self.unsettled.get_or_insert_default();
        let settled = unsettled.iter().take_while(|(time, ..)| *time < done).count();
        unsettled.drain(..settled).map(|(_, part, position)| (part, position)).collect()
    }

    fn run(&self) -> Option<u64> {
        Some(self.feed.context.run())
    }

    fn expect(&mut self, bytes: u64) {
        self.feed.meter.expect(bytes, Unit::Bytes);
    }

    fn advance(&mut self, bytes: u64) {
        self.feed.meter.advance(bytes, Unit::Bytes);
    }

    fn is_stopped(&self) -> bool {
        self.feed.context.ends_sources()
    }

    fn wait(&self, timeout: Duration) -> Result<(), Stopped> {
        let deadline = Instant::now() + timeout;
        loop {
            self.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// The text of a panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "unknown cause".to_owned())
}
