//! Inputs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pathway_types::{Batch, DataError, Schema};

use crate::ConnectorError;

/// Whether a source ends when it has read what is there, or keeps watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Read what exists and finish.
    Static,
    /// Keep watching for changes.
    Streaming,
}

/// How changes of a source address rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Each record is an insertion; a removal names the full old row.
    Native,
    /// A record with a known key replaces the stored row; a removal needs only the key. The engine
    /// keeps the current row of every key.
    ///
    /// A pending cell of a record stays what it is in the stored row. Records with the diff [`CLEAR`], one
    /// for each shard of keys, remove all rows that came before.
    Upsert,
}

/// The diff of records that remove all rows of their shard, whatever their keys are.
pub const CLEAR: i64 = i64::MIN;

/// A record that could not become a row. Never lost: it is counted, logged and put into the
/// connector's dead-letter table.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// The record as it was read.
    pub raw: Vec<u8>,
    /// Where it stood, in the source's terms (`a.csv, line 12`).
    pub position: String,
    /// Why it was rejected.
    pub reason: String,
}

/// What parsing one chunk gave.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The rows; cells that could not be converted are errors.
    pub batch: Batch,
    /// Why single cells of `batch` are errors: row, column, cause. Whether such a row is kept (with
    /// error cells) or dropped is decided by the run's error mode, not by the connector. A source that
    /// removes such a row names its errors again, so that the removal shares the row's fate; only
    /// those of added rows are news to be reported.
    pub cell_errors: Vec<CellError>,
    /// Records that gave no row at all.
    pub rejected: Vec<Rejected>,
}

impl Parsed {
    /// Keeps this many rows at most; gives the others. What gave no row stays.
    #[must_use]
    pub fn split_off(&mut self, rows: usize) -> Parsed {
        let rows = rows.min(self.batch.len());
        let batch = self.batch.slice(rows, self.batch.len() - rows);
        self.batch = self.batch.slice(0, rows);
        let errors = std::mem::take(&mut self.cell_errors);
        let (kept, mut others): (Vec<_>, Vec<_>) =
            errors.into_iter().partition(|error| (error.row as usize) < rows);
        self.cell_errors = kept;
        others.iter_mut().for_each(|error| error.row -= rows as u32);
        Parsed { batch, cell_errors: others, rejected: Vec::new() }
    }
}

/// A cell that could not be converted.
#[derive(Clone, Debug)]
pub struct CellError {
    /// Row in the batch.
    pub row: u32,
    /// Column in the batch.
    pub column: u32,
    /// Why.
    pub cause: DataError,
    /// The record the row came from, for the dead-letter table.
    pub record: Rejected,
}

/// Work that turns a raw chunk into rows; runs on a parser thread.
pub type ParseJob = Box<dyn FnOnce() -> Parsed + Send>;

/// The run is ending: stop reading and return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Where a reader puts what it reads. All calls may block (back-pressure) and fail with [`Stopped`]
/// when the run is ending.
///
/// Rows belong to the minibatch that is open when they are handed over; a minibatch becomes one
/// logical time. It is closed by [`SourceOutput::commit`], by the autocommit timer (not inside an
/// atomic unit), and at the end.
pub trait SourceOutput: Send {
    /// Hands over parsed rows.
    fn rows(&mut self, parsed: Parsed) -> Result<(), Stopped>;

    /// Hands over a chunk to be parsed in parallel. Results keep the order of the calls, also with
    /// respect to [`SourceOutput::rows`].
    fn parse(&mut self, job: ParseJob) -> Result<(), Stopped>;

    /// Closes the open minibatch.
    fn commit(&mut self) -> Result<(), Stopped>;

    /// Starts a unit (a file, a transaction) that must not be split over two times.
    fn begin_atomic(&mut self) -> Result<(), Stopped>;

    /// Ends the unit. The minibatch is closed if the clock has moved on since it was opened.
    fn end_atomic(&mut self) -> Result<(), Stopped>;

    /// Reports how far a part of the source was read: this covers everything of it that was handed over so
    /// far. It is given back to [`Source::open`] after a restart. None if the part is gone.
    ///
    /// What is not covered when a minibatch is closed is read again after a restart, and so is the whole
    /// minibatch: what belongs together is one unit, with its position.
    fn position(&mut self, part: &str, position: Option<Position>) -> Result<(), Stopped>;

    /// Positions that this reader has reported and that are done with, since the last call: all that they
    /// cover has been written by the outputs of the run and, if it may be gone on with, is held by a
    /// checkpoint. For systems that want to be told.
    fn settled(&mut self) -> Vec<(String, Position)> {
        Vec::new()
    }

    /// The number of the run, by which others in this process know it; none if there is no run.
    fn run(&self) -> Option<u64> {
        None
    }

    /// Tells people how long reading takes: so many bytes are to be read in all, also by other readers of the source. What
    /// is told by several readers is added up. Not told where that is not known.
    fn expect(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// So many more of these have been read; told for chunks, not for rows.
    fn advance(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// True when the run is ending.
    fn is_stopped(&self) -> bool;

    /// Sleeps for at most this long, and less if the run is ending.
    fn wait(&self, timeout: std::time::Duration) -> Result<(), Stopped>;
}

/// How far a part of a source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// What the source makes of it.
    pub value: Vec<u8>,
    /// The names of what it keeps in [`Objects`].
    pub objects: Vec<String>,
}

/// Where a source keeps what it needs after a restart.
pub trait Objects: fmt::Debug + Send + Sync {
    /// Keeps this; gives the name. It is kept for as long as a position names it that counts after a restart.
    ///
    /// # Errors
    /// If it cannot be written.
    fn put(&self, content: Vec<u8>) -> Result<String, ConnectorError>;

    /// What was kept under this name.
    ///
    /// # Errors
    /// If it cannot be read or is not there.
    fn get(&self, name: &str) -> Result<Vec<u8>, ConnectorError>;
}

/// What a source gets in a run that may be gone on with in another one.
#[derive(Clone, Debug)]
pub struct Resume {
    /// What readers reported last in an earlier run, by part; empty at first.
    pub positions: BTreeMap<String, Position>,
    /// Where it may keep what it has read.
    pub objects: Arc<dyn Objects>,
    /// The number of the run, from 1.
    pub run: u64,
    /// What is read is recorded, and the source is to be read as if no other run were to know of it.
    pub records: bool,
}

/// Reads one partition of a source, in a thread of its own.
pub trait Reader: Send {
    /// Reads until the input ends (static mode), the run stops, or something fails.
    ///
    /// # Errors
    /// A failure of the external system, which ends the run.
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError>;
}

/// An external input as the plan describes it.
pub trait Source: fmt::Debug + Send + Sync {
    /// What it is and where, for logs and `explain`: `csv(path/*.csv)`.
    fn description(&self) -> String;

    /// The columns of its rows.
    fn schema(&self) -> &Schema;

    /// How its changes address rows.
    fn session(&self) -> Session {
        Session::Native
    }

    /// Static or streaming.
    fn mode(&self) -> ReadMode;

    /// True if no row is ever removed or replaced in a run.
    fn insert_only(&self) -> bool;

    /// True if no row is ever removed or replaced in a run, or in a later one that goes on with it.
    fn insert_only_for_good(&self) -> bool {
        self.insert_only()
    }

    /// The same source as it is read in runs that go on with one another, if that is another way.
    fn lasting(&self) -> Option<Arc<dyn Source>> {
        None
    }

    /// The same source reading only these columns of its schema (in this order): what the program
    /// does not use is never parsed. The batches of its readers then have just these columns; row
    /// keys stay what they were.
    fn project(&self, columns: &[usize]) -> std::sync::Arc<dyn Source>;

    /// True if its readers report positions. Others are read from the start in every run.
    fn has_positions(&self) -> bool {
        false
    }

    /// Opens the readers: at most `parallelism` of them, each for its own part of the input, or one.
    /// `resume` is there if the run may be gone on with.
    ///
    /// # Errors
    /// If the external system cannot be reached or the settings are wrong.
    fn open(
        &self,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError>;

    /// Opens the readers of one process of a run that has several. A source whose parts can be told apart
    /// gives each process its own; all of another one is read by the first process.
    ///
    /// # Errors
    /// As [`Source::open`].
    fn open_share(
        &self,
        share: Share,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        if share.number == 0 { self.open(parallelism, resume) } else { Ok(Vec::new()) }
    }
}

/// The share of one process in the parts of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The number of the process.
    pub number: usize,
    /// How many processes there are.
    pub of: usize,
}

impl Share {
    /// Everything.
    pub const ALL: Share = Share { number: 0, of: 1 };

    /// True if a part with this hash belongs to it.
    pub fn has(&self, hash: u64) -> bool {
        hash % self.of as u64 == self.number as u64
    }
}

#[cfg(test)]
mod tests;
