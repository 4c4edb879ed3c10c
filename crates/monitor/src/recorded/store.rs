//! What is read of the database of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde::Serialize;

use super::graph::RunGraph;

/// How long a process that is writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file of the run in a folder that was written last.
pub(crate) fn newest(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let written = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let of_run = files.filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        if !(name.starts_with("metrics_") && name.ends_with(".db")) {
            return None;
        }
        // What was written last is in a file beside it until that is long enough.
        let log = file.path().with_file_name(format!("{name}-wal"));
        let time: SystemTime = written(&file.path()).into_iter().chain(written(&log)).max()?;
        Some((time, file.path()))
    });
    of_run.max().map(|(_, path)| path)
}

/// The database of a run, to be read.
pub(crate) struct Store(Connection);

/// An operator on a worker at a time.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    timestamp: i64,
    worker_id: i64,
    operator_id: i64,
    latency_ms: Option<f64>,
    rows_positive: Option<i64>,
    rows_negative: Option<i64>,
}

/// Milliseconds, in whole seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Range {
    min: Option<i64>,
    max: Option<i64>,
}

/// A time in the charts.
#[derive(Debug, Serialize)]
pub(crate) struct Point {
    timestamp: i64,
    max_latency: Option<f64>,
    /// Bytes, of all processes.
    memory: Option<f64>,
}

/// The numbers of an operator on a worker, or of a process, by name.
pub(crate) type Numbers = BTreeMap<String, f64>;

impl Store {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Store> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(Store(connection))
    }

    /// The number of the run, and its graph as it is kept; nothing before the dataflow is built.
    pub(crate) fn resources(&self) -> rusqlite::Result<Option<(String, String)>> {
        let row =
            self.0.query_row("SELECT run_id, graph FROM Resources", [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.optional()
    }

    /// The graph.
    pub(crate) fn graph(&self) -> rusqlite::Result<Option<(String, RunGraph)>> {
        let Some((run, text)) = self.resources()? else { return Ok(None) };
        let graph = serde_json::from_str(&text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok(Some((run, graph)))
    }

    /// The operators at the newest time before this one.
    pub(crate) fn rows_before(&self, before: i64) -> rusqlite::Result<Vec<Row>> {
        let sql = "
            SELECT timestamp, worker_id, operator_id, latency_ms, rows_positive, rows_negative FROM MetricsAgg
            WHERE operator_id IS NOT NULL
                AND timestamp = (SELECT MAX(timestamp) FROM Metrics WHERE name = 'operator.insertions' AND timestamp < ?1)
            ORDER BY operator_id, worker_id
        ";
        let mut query = self.0.prepare(sql)?;
        let rows = query.query_map(params![before], |row| {
            Ok(Row {
                timestamp: row.get(0)?,
                worker_id: row.get(1)?,
                operator_id: row.get(2)?,
                latency_ms: row.get(3)?,
                rows_positive: row.get(4)?,
                rows_negative: row.get(5)?,
            })
        })?;
        rows.collect()
    }

    /// The first and the last time.
    pub(crate) fn range(&self) -> rusqlite::Result<Option<(i64, i64)>> {
        let sql = "SELECT MIN(timestamp), MAX(timestamp) FROM Metrics WHERE name = 'operator.insertions'";
        self.0.query_row(sql, [], |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)))
    }

    /// The newest time before this one.
    pub(crate) fn time_before(&self, before: i64) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT MAX(timestamp) FROM Metrics WHERE name = 'operator.insertions' AND timestamp < ?1";
        self.0.query_row(sql, [before], |row| row.get(0))
    }

    /// All times later than this one.
    pub(crate) fn times_after(&self, after: i64) -> rusqlite::Result<Vec<i64>> {
        // One step in the index for each time, however many operators there are.
        let sql = "
            WITH RECURSIVE Times(at) AS (
                SELECT MIN(timestamp) FROM Metrics WHERE name = 'operator.insertions' AND timestamp > ?1
                UNION ALL
                SELECT (SELECT MIN(timestamp) FROM Metrics WHERE name = 'operator.insertions' AND timestamp > at)
                FROM Times WHERE at IS NOT NULL
            )
            SELECT at FROM Times WHERE at IS NOT NULL
        ";
        self.0.prepare(sql)?.query_map([after], |row| row.get(0))?.collect()
    }

    /// The same in whole seconds.
    pub(crate) fn available_range(&self) -> rusqlite::Result<Range> {
        let range = self.range()?;
        let floor = |time: i64| time.div_euclid(1000) * 1000;
        Ok(Range { min: range.map(|(min, _)| floor(min)), max: range.map(|(_, max)| floor(max + 999)) })
    }

    /// The largest latency of an operator and the memory of all processes, at each time.
    pub(crate) fn charts(&self) -> rusqlite::Result<Vec<Point>> {
        let sql = "
            SELECT
                timestamp,
                MAX(CASE WHEN name = 'operator.latency' THEN value END),
                SUM(CASE WHEN name = 'process.memory.usage' THEN value END)
            FROM Metrics
            WHERE name IN ('operator.latency', 'process.memory.usage')
            GROUP BY timestamp
            ORDER BY timestamp
        ";
        let mut query = self.0.prepare(sql)?;
        let points = query.query_map([], |row| {
            Ok(Point { timestamp: row.get(0)?, max_latency: row.get(1)?, memory: row.get(2)? })
        })?;
        points.collect()
    }

    /// All numbers of a time, by worker and operator.
    pub(crate) fn at(&self, time: i64) -> rusqlite::Result<BTreeMap<(i64, Option<i64>), Numbers>> {
        let sql =
            "SELECT worker_id, operator_id, name, value FROM Metrics WHERE timestamp = ?1 AND worker_id = ?2";
        let mut query = self.0.prepare(sql)?;
        let mut found: BTreeMap<(i64, Option<i64>), Numbers> = BTreeMap::new();
        for worker in self.workers()? {
            let rows = query.query_map(params![time, worker], |row| {
                Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?, row.get::<_, f64>(3)?))
            })?;
            for row in rows {
                let (key, name, value) = row?;
                found.entry(key).or_default().insert(name, value);
            }
        }
        Ok(found)
    }

    /// The numbers of an operator at times later than one and not later than another, by time and worker.
    pub(crate) fn of_operator(
        &self,
        operator: i64,
        after: i64,
        until: i64,
    ) -> rusqlite::Result<BTreeMap<i64, BTreeMap<i64, Numbers>>> {
        let sql = "
            SELECT timestamp, name, value FROM Metrics
            WHERE worker_id = ?1 AND operator_id = ?2 AND timestamp > ?3 AND timestamp <= ?4
        ";
        let mut query = self.0.prepare(sql)?;
        let mut found: BTreeMap<i64, BTreeMap<i64, Numbers>> = BTreeMap::new();
        for worker in self.workers()? {
            let rows = query.query_map(params![worker, operator, after, until], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, f64>(2)?))
            })?;
            for row in rows {
                let (time, name, value) = row?;
                found.entry(time).or_default().entry(worker).or_default().insert(name, value);
            }
        }
        Ok(found)
    }

    /// The workers of the run.
    pub(crate) fn workers(&self) -> rusqlite::Result<Vec<i64>> {
        // One step in the index for each worker.
        let sql = "
            WITH RECURSIVE Workers(id) AS (
                SELECT MIN(worker_id) FROM Metrics
                UNION ALL
                SELECT (SELECT MIN(worker_id) FROM Metrics WHERE worker_id > id) FROM Workers WHERE id IS NOT NULL
            )
            SELECT id FROM Workers WHERE id IS NOT NULL
        ";
        self.0.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// The sums of a number over these operators, at each time later than this one.
    pub(crate) fn sums(
        &self,
        name: &str,
        operators: &[i64],
        after: i64,
    ) -> rusqlite::Result<BTreeMap<i64, f64>> {
        // The index by operator: that by name has the numbers of all others, too.
        let sql = "
            SELECT timestamp, value FROM Metrics INDEXED BY MetricsByOperator
            WHERE worker_id = ?1 AND operator_id = ?2 AND timestamp > ?3 AND name = ?4
        ";
        let mut query = self.0.prepare(sql)?;
        let mut sums = BTreeMap::new();
        for worker in self.workers()? {
            for operator in operators {
                let rows = query.query_map(params![worker, operator, after, name], |row| {
                    Ok((row.get(0)?, row.get::<_, f64>(1)?))
                })?;
                for row in rows {
                    let (time, value) = row?;
                    *sums.entry(time).or_default() += value;
                }
            }
        }
        Ok(sums)
    }

    /// A number of all processes, at each time later than this one: its sum or the largest one.
    pub(crate) fn of_processes(
        &self,
        name: &str,
        largest: bool,
        after: i64,
    ) -> rusqlite::Result<BTreeMap<i64, f64>> {
        let all = if largest { "MAX" } else { "SUM" };
        let sql = format!(
            "SELECT timestamp, {all}(value) FROM Metrics
             WHERE name = ?1 AND timestamp > ?2 AND operator_id IS NULL GROUP BY timestamp"
        );
        let mut query = self.0.prepare(&sql)?;
        query.query_map(params![name, after], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}
