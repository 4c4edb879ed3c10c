//! Where rows wait between the threads that send them and the reader that hands them over.
//!
//! Senders append straight to column builders under a short lock, in which no Python code runs. The
//! reader takes what has come together, at once if nothing was taken lately, otherwise after a
//! moment or when a batch is full. Senders wait, without the interpreter lock, while too much waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, MutexGuard};
use pathway_connectors::formats::Format;
use pathway_io::{CellError, FailureClass, Parsed, Rejected};
use pathway_types::{Batch, ColumnBuilder, Keys};

use super::rows::{Cells, Rows};

/// Rows handed over at once.
const BATCH_ROWS: usize = 4096;
/// Rows that may wait before senders have to.
const MOST_WAITING: usize = 4 * BATCH_ROWS;
/// Batches, commits and the like that may wait before senders have to.
const MOST_EVENTS: usize = 1024;
/// Rows come together for this long before the next batch is handed over.
const LINGER: Duration = Duration::from_micros(500);
/// How often a reader without rows looks whether the run is ending.
const PATIENCE: Duration = Duration::from_millis(20);

/// What the reader does next.
pub(super) enum Event {
    /// Rows of values.
    Rows(Parsed),
    /// JSON texts: ordinal of the first, all bytes, and where each ends.
    Json(Messages),
    /// Close the minibatch.
    Commit,
    /// The minibatch must not be closed by the clock from here,
    BeginAtomic,
    /// to here.
    EndAtomic,
    /// The position in the external system.
    Position(Vec<u8>),
}

/// JSON texts that are still to be parsed.
#[derive(Default)]
pub(super) struct Messages {
    /// The number of the first.
    pub(super) first: u64,
    /// One after another.
    pub(super) bytes: Vec<u8>,
    /// Where each ends.
    pub(super) ends: Vec<usize>,
}

/// How the subject's own thread ended.
#[derive(Default)]
pub(super) enum Outcome {
    /// It has not.
    #[default]
    Running,
    /// By returning.
    Returned,
    /// By an exception.
    Raised(String, FailureClass),
}

pub(super) struct State {
    keys: Vec<u128>,
    diffs: Vec<i64>,
    columns: Vec<ColumnBuilder>,
    cell_errors: Vec<CellError>,
    rejected: Vec<Rejected>,
    json: Messages,
    events: VecDeque<Event>,
    /// Rows in `events`.
    sealed_rows: usize,
    next_ordinal: u64,
    /// Ids of the rows that are there, by content.
    by_content: HashMap<u128, Vec<u128>>,
    most_waiting: usize,
    batch_rows: usize,
    /// No more rows are taken; the source ends when those that wait have been handed over.
    pub(super) closed: bool,
    /// The run is ending: senders are told so.
    pub(super) stopped: bool,
    /// The rows have moved on to the feed of the run.
    pub(super) moved: bool,
    /// How the subject's thread ended.
    pub(super) outcome: Outcome,
}

/// The shared side of a subject and its reader.
pub(crate) struct Feed {
    pub(super) rows: Arc<Rows>,
    /// Parses JSON messages, where the columns in use are known.
    pub(super) json: Option<Arc<dyn Format>>,
    state: Mutex<State>,
    arrived: Condvar,
    taken: Condvar,
}

impl Feed {
    fn new(rows: Arc<Rows>, json: Option<Arc<dyn Format>>, most_waiting: usize) -> Arc<Self> {
        let state = State {
            keys: Vec::new(),
            diffs: Vec::new(),
            columns: rows.builders(),
            cell_errors: Vec::new(),
            rejected: Vec::new(),
            json: Messages::default(),
            events: VecDeque::new(),
            sealed_rows: 0,
            next_ordinal: 0,
            by_content: HashMap::new(),
            most_waiting,
            batch_rows: BATCH_ROWS.min(most_waiting),
            closed: false,
            stopped: false,
            moved: false,
            outcome: Outcome::default(),
        };
        Arc::new(Feed {
            rows,
            json,
            state: Mutex::new(state),
            arrived: Condvar::new(),
            taken: Condvar::new(),
        })
    }

    /// A feed for rows that are sent before a run starts: without a limit, since nobody takes them.
    pub(super) fn waiting(rows: Arc<Rows>) -> Arc<Self> {
        Feed::new(rows, None, usize::MAX)
    }

    /// The feed of a run.
    pub(super) fn started(
        rows: Arc<Rows>,
        json: Option<Arc<dyn Format>>,
        max_backlog: Option<usize>,
    ) -> Arc<Self> {
        Feed::new(rows, json, max_backlog.unwrap_or(MOST_WAITING).clamp(1, MOST_WAITING))
    }

    /// The state. Whoever holds it runs no Python code and waits for nothing.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Waits until there is room (or the feed has ended). Called without the interpreter lock.
    pub(super) fn wait_for_room(&self) {
        let mut state = self.lock();
        while state.is_full() {
            self.taken.wait(&mut state);
        }
    }

    /// Tells the reader that rows came, where that makes a difference to it.
    pub(super) fn notify(&self, state: MutexGuard<'_, State>) {
        let open = state.open_rows();
        let wake = open <= 1 || open >= state.batch_rows || !state.events.is_empty() || state.closed;
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
    }

    /// Adds an event after what was sent so far.
    pub(super) fn event(&self, event: Event) {
        let mut state = self.lock();
        state.seal();
        state.events.push_back(event);
        self.notify(state);
    }

    /// Takes no more rows.
    pub(super) fn close(&self) {
        self.end(|state| state.closed = true);
    }
    /// The run is ending.
    pub(super) fn stop(&self) {
        self.end(|state| state.stopped = true);
    }
    /// The subject's thread has ended.
    pub(super) fn finish(&self, outcome: Outcome, closed: bool) {
        self.end(|state| {
            state.outcome = outcome;
            state.closed |= closed;
        });
    }

    fn end(&self, end: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        end(&mut state);
        drop(state);
        self.arrived.notify_all();
        self.taken.notify_all();
    }

    /// Hands everything over to the feed of a run, which uses only some of the columns.
    pub(super) fn move_to(&self, run: &Feed, columns: &[usize]) {
        let mut state = self.lock();
        state.seal();
        state.moved = true;
        let mut new = run.lock();
        new.next_ordinal = state.next_ordinal;
        new.by_content = std::mem::take(&mut state.by_content);
        new.closed |= state.closed;
        for event in state.events.drain(..) {
            let event = match event {
                Event::Rows(parsed) => {
                    new.sealed_rows += parsed.batch.len();
                    Event::Rows(project(parsed, columns))
                }
                other => other,
            };
            new.events.push_back(event);
        }
        state.sealed_rows = 0;
    }

    /// What waits still.
    pub(super) fn rest(&self) -> VecDeque<Event> {
        let mut state = self.lock();
        state.seal();
        state.sealed_rows = 0;
        std::mem::take(&mut state.events)
    }

    /// How the subject's thread ended, if it does within this time.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> Outcome {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while matches!(state.outcome, Outcome::Running) {
            if self.arrived.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        std::mem::take(&mut state.outcome)
    }

    /// The next events, after waiting for them; `None` now and then without any. `last` is when
    /// events were taken before.
    pub(super) fn take(&self, last: Instant) -> Option<Taken> {
        let mut state = self.lock();
        if !state.has_news() {
            let timed_out = self.arrived.wait_for(&mut state, PATIENCE).timed_out();
            if timed_out && !state.has_news() {
                return None;
            }
        }
        let due = last + LINGER;
        while state.only_few_rows() && Instant::now() < due {
            self.arrived.wait_until(&mut state, due);
        }
        state.seal();
        state.sealed_rows = 0;
        let events = std::mem::take(&mut state.events);
        let ended = state.closed || !matches!(state.outcome, Outcome::Running | Outcome::Returned);
        let outcome = if ended { std::mem::take(&mut state.outcome) } else { Outcome::Running };
        drop(state);
        self.taken.notify_all();
        Some(Taken { events, ended, outcome })
    }
}

/// What a reader takes at once.
pub(super) struct Taken {
    pub(super) events: VecDeque<Event>,
    /// Nothing comes after these events.
    pub(super) ended: bool,
    pub(super) outcome: Outcome,
}

/// A row, converted and ready to be appended.
pub(super) struct Row<'a, 'c> {
    pub(super) key: u128,
    pub(super) diff: i64,
    pub(super) cells: &'a Cells<'c>,
}

impl State {
    /// Rows that are not sealed yet.
    fn open_rows(&self) -> usize {
        self.keys.len() + self.rejected.len() + self.json.ends.len()
    }
    pub(super) fn is_full(&self) -> bool {
        let ended = self.closed || self.stopped || self.moved;
        let limited = self.most_waiting != usize::MAX;
        let full =
            self.open_rows() + self.sealed_rows >= self.most_waiting || self.events.len() >= MOST_EVENTS;
        !ended && limited && full
    }
    fn has_news(&self) -> bool {
        let ended = self.closed || !matches!(self.outcome, Outcome::Running | Outcome::Returned);
        ended || !self.events.is_empty() || self.open_rows() > 0
    }
    fn only_few_rows(&self) -> bool {
        self.events.is_empty() && !self.closed && self.open_rows() < self.batch_rows
    }

    /// The number of the next row.
    pub(super) fn next_ordinal(&mut self) -> u64 {
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        ordinal
    }

    /// Remembers the id of an added row by its content.
    pub(super) fn remember(&mut self, content: u128, key: u128) {
        self.by_content.entry(content).or_default().push(key);
    }
    /// The id of a row with this content, which is forgotten.
    pub(super) fn forget(&mut self, content: u128) -> Option<u128> {
        let keys = self.by_content.get_mut(&content)?;
        let key = keys.pop();
        if keys.is_empty() {
            self.by_content.remove(&content);
        }
        key
    }

    /// Appends a row; `record` is asked for if some of its cells are errors.
    #[inline]
    pub(super) fn push(&mut self, row: &Row<'_, '_>, record: impl Fn(String) -> Rejected) {
        if !self.json.ends.is_empty() {
            self.seal();
        }
        for (position, column) in self.columns.iter_mut().enumerate() {
            match &row.cells[position] {
                Ok(cell) => cell.push(column),
                Err(cause) => {
                    column.push_error();
                    self.cell_errors.push(CellError {
                        row: self.keys.len() as u32,
                        column: position as u32,
                        cause: cause.clone(),
                        record: record(cause.to_string()),
                    });
                }
            }
        }
        self.keys.push(row.key);
        self.diffs.push(row.diff);
        self.seal_full();
    }

    /// Appends a record that is no row.
    pub(super) fn reject(&mut self, record: Rejected) {
        self.rejected.push(record);
        self.seal_full();
    }

    /// Appends a JSON text.
    pub(super) fn push_json(&mut self, text: &[u8]) {
        if self.json.ends.is_empty() {
            self.seal();
            self.json.first = self.next_ordinal;
        }
        self.next_ordinal += 1;
        self.json.bytes.extend_from_slice(text);
        self.json.ends.push(self.json.bytes.len());
        self.seal_full();
    }

    fn seal_full(&mut self) {
        if self.open_rows() >= self.batch_rows {
            self.seal();
        }
    }

    /// Makes an event of the rows that came since the last one.
    fn seal(&mut self) {
        if !self.json.ends.is_empty() {
            self.sealed_rows += self.json.ends.len();
            let messages = std::mem::take(&mut self.json);
            self.events.push_back(Event::Json(messages));
        }
        if self.keys.is_empty() && self.rejected.is_empty() {
            return;
        }
        self.sealed_rows += self.keys.len() + self.rejected.len();
        let keys = Keys::from(std::mem::take(&mut self.keys));
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let diffs = std::mem::take(&mut self.diffs).into();
        self.events.push_back(Event::Rows(Parsed {
            batch: Batch::new(keys, columns, diffs),
            cell_errors: std::mem::take(&mut self.cell_errors),
            rejected: std::mem::take(&mut self.rejected),
        }));
    }
}

/// The same rows with these columns only.
fn project(parsed: Parsed, columns: &[usize]) -> Parsed {
    let batch = parsed.batch.project(columns);
    let cell_errors = parsed.cell_errors.into_iter().filter_map(|error| {
        let column = columns.iter().position(|c| *c == error.column as usize)?;
        Some(CellError { column: column as u32, ..error })
    });
    Parsed { batch, cell_errors: cell_errors.collect(), rejected: parsed.rejected }
}
