//! Writes the numbers of a run to a database of SQLite, once a second.
//!
//! All processes of a run write to one file, each the numbers of its own workers. So that their samples belong together,
//! these have whole seconds as their times. Of what is older than an hour, one sample a minute is kept: a run that goes
//! on for weeks does not fill the disk.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pathway_dataflow::stats::{Frontier, Snapshot, Statistics};
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};

use super::graph::RunGraph;
use crate::board::now;
use crate::usage::Usage;

/// How long a process waits for another that is writing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether the run has begun.
const LOOK: Duration = Duration::from_millis(20);
/// Milliseconds between two samples.
const PERIOD: u64 = 1000;
/// Milliseconds for which all samples are kept.
const FRESH: u64 = 3_600_000;
/// Of older samples, one is kept for each period of so many milliseconds.
const COARSE: u64 = 60_000;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS Metrics (
        worker_id INTEGER, timestamp INTEGER, operator_id INTEGER NULL, name TEXT, value NUMERIC,
        PRIMARY KEY (worker_id, timestamp, operator_id, name)
    );
    CREATE TABLE IF NOT EXISTS Resources (run_id TEXT PRIMARY KEY, graph TEXT);
    CREATE INDEX IF NOT EXISTS MetricsByOperator ON Metrics (worker_id, operator_id, timestamp, name);
    CREATE INDEX IF NOT EXISTS MetricsByName ON Metrics (name, timestamp);
    CREATE VIEW IF NOT EXISTS MetricsAgg AS
        SELECT
            worker_id, operator_id, timestamp,
            MAX(CASE WHEN name = 'operator.latency' THEN value END) AS latency_ms,
            MAX(CASE WHEN name = 'operator.insertions' THEN value END) AS rows_positive,
            MAX(CASE WHEN name = 'operator.deletions' THEN value END) AS rows_negative
        FROM Metrics
        GROUP BY worker_id, operator_id, timestamp;
";

/// The metrics of a run are not recorded.
#[derive(Debug, thiserror::Error)]
pub enum NotRecorded {
    /// The file cannot be made or written.
    #[error("metrics cannot be written to {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: String,
    },
    /// The system gives no thread.
    #[error("metrics cannot be recorded: {0}")]
    System(std::io::Error),
}

/// Records the metrics of a run until it is dropped, and then once more.
#[derive(Debug)]
pub struct Recorder {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Records into `metrics_<run>.db` in a folder, which is made if it is not there. What happens when it cannot be
    /// written later on is told to `tell`, once; the run goes on.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn start(
        folder: &Path,
        run: &str,
        statistics: Arc<Statistics>,
        tell: impl Fn(&NotRecorded) + Send + 'static,
    ) -> Result<Recorder, NotRecorded> {
        let path = folder.join(format!("metrics_{run}.db"));
        let failed = |error: String| NotRecorded::File { path: path.clone(), error };
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let writing = Writing::open(&path, run, statistics).map_err(|error| failed(error.to_string()));
        let mut writing = writing?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("pathway:metrics".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = writing.until(&stopped) {
                tell(&NotRecorded::File { path, error: error.to_string() });
            }
        });
        Ok(Recorder { stop: Some(stop), thread: Some(thread.map_err(NotRecorded::System)?) })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What has panicked there was told by the panic itself.
            let _ended = thread.join();
        }
    }
}

/// Opens a database, which other processes of the run may be making at this moment.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let begin = Instant::now();
    loop {
        match open_now(path) {
            // While the form of its journal is changed, SQLite does not wait.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begin.elapsed() < PATIENCE =>
            {
                std::thread::sleep(LOOK);
            }
            opened => return opened,
        }
    }
}

fn open_now(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

pub(super) struct Writing {
    connection: Connection,
    run: String,
    statistics: Arc<Statistics>,
    /// Of the samples that are fresh.
    times: VecDeque<u64>,
    /// The first and the last worker of this process, once the run has begun.
    workers: Option<(usize, usize)>,
}

impl Writing {
    pub(super) fn open(path: &Path, run: &str, statistics: Arc<Statistics>) -> rusqlite::Result<Writing> {
        let connection = open(path)?;
        Ok(Writing { connection, run: run.to_owned(), statistics, times: VecDeque::new(), workers: None })
    }

    /// Writes samples until the other end of the channel has gone, and one more.
    fn until(&mut self, stopped: &Receiver<()>) -> rusqlite::Result<()> {
        loop {
            let next = if self.workers.is_some() { PERIOD - now() % PERIOD } else { LOOK.as_millis() as u64 };
            // The sender is dropped with the recorder.
            let ends = stopped.recv_timeout(Duration::from_millis(next)) != Err(RecvTimeoutError::Timeout);
            if let Some(snapshot) = self.statistics.snapshot() {
                self.write(&snapshot)?;
            }
            if ends {
                return Ok(());
            }
        }
    }

    pub(super) fn write(&mut self, snapshot: &Snapshot) -> rusqlite::Result<()> {
        // Time may stand still, but the key has it.
        let earliest = self.times.back().map_or(0, |last| last + 1);
        let time = Some(snapshot.at / PERIOD * PERIOD).filter(|time| *time >= earliest);
        let time = time.unwrap_or_else(|| snapshot.at.max(earliest));
        let first = snapshot.operators.iter().map(|operator| operator.worker).min().unwrap_or(0);
        let last = snapshot.operators.iter().map(|operator| operator.worker).max().unwrap_or(0);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if self.workers.is_none()
            && let Some(outline) = self.statistics.outline()
        {
            let graph = serde_json::to_string(&RunGraph::of(outline))
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            transaction
                .execute("INSERT OR IGNORE INTO Resources VALUES (?1, ?2)", params![self.run, graph])?;
        }
        let mut insert = transaction.prepare("INSERT OR REPLACE INTO Metrics VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for Sample { worker, operator, name, value } in samples(snapshot, first) {
            insert.execute(params![worker as i64, time.cast_signed(), operator, name, value])?;
        }
        drop(insert);
        // Of each coarse period, the first sample stays.
        let mut remove = transaction
            .prepare("DELETE FROM Metrics WHERE worker_id BETWEEN ?1 AND ?2 AND timestamp = ?3")?;
        while self.times.len() > 1 && self.times[1] + FRESH < time {
            let kept = self.times[0];
            if kept / COARSE == self.times[1] / COARSE {
                let Some(old) = self.times.remove(1) else { break };
                remove.execute(params![first as i64, last as i64, old.cast_signed()])?;
            } else {
                self.times.pop_front();
            }
        }
        drop(remove);
        transaction.commit()?;
        self.times.push_back(time);
        self.workers = Some((first, last));
        Ok(())
    }
}

struct Sample {
    worker: usize,
    operator: Option<u32>,
    name: &'static str,
    value: f64,
}

/// Each number that is kept; those of the process belong to its first worker. What is not known, or has no meaning for
/// an operator, is left out.
fn samples(snapshot: &Snapshot, first: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    let latency = |frontier: Frontier| frontier.latency(snapshot.at).map(|latency| latency as f64);
    let usage = Usage::now();
    let of_process = [
        ("process.memory.usage", usage.memory.map(|bytes| bytes as f64)),
        ("process.cpu.utime", Some(usage.user.as_secs_f64())),
        ("process.cpu.stime", Some(usage.system.as_secs_f64())),
        ("latency.input", latency(snapshot.input)),
        ("latency.output", latency(snapshot.output)),
    ];
    let known = |worker: usize, operator: Option<u32>| {
        move |(name, value): (&'static str, Option<f64>)| {
            value.map(|value| Sample { worker, operator, name, value })
        }
    };
    samples.extend(of_process.into_iter().filter_map(known(first, None)));
    for operator in &snapshot.operators {
        let positive = |value: f64| Some(value).filter(|value| *value > 0.0);
        let of_operator = [
            ("operator.latency", latency(operator.frontier)),
            ("operator.insertions", Some(operator.insertions as f64)),
            ("operator.deletions", Some(operator.deletions as f64)),
            ("operator.rows_in", positive(operator.rows_in as f64)),
            ("operator.busy", positive(operator.busy.as_secs_f64())),
            ("operator.memory", positive(operator.memory as f64)),
            ("operator.files", positive(operator.files as f64)),
        ];
        samples.extend(of_operator.into_iter().filter_map(known(operator.worker, Some(operator.id))));
    }
    samples
}
