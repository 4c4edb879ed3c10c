//! What the dashboard asks for, told from a database: the same as a run tells of itself (`static/api.js`), as far as it
//! is kept.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::graph::RunGraph;
use super::store::{Numbers, Store};
use crate::board::now;

/// A run that has written nothing for so many milliseconds is over.
const SILENCE: i64 = 10_000;
/// Between samples that are further apart, in milliseconds, nothing is known.
const GAP: i64 = 120_000;
/// Milliseconds of the past of an operator that are shown.
const PAST: i64 = 180_000;

/// One run, as it is kept.
pub(crate) struct Recorded {
    store: Store,
    run: String,
    graph: RunGraph,
    first: i64,
    last: i64,
}

impl Recorded {
    /// The run of a database; nothing before it has written something.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Option<Recorded>> {
        let store = Store::open(path)?;
        let Some((run, graph)) = store.graph()? else { return Ok(None) };
        let Some((first, last)) = store.range()? else { return Ok(None) };
        Ok(Some(Recorded { store, run, graph, first, last }))
    }

    fn is_over(&self) -> bool {
        now().cast_signed() - self.last > SILENCE
    }

    fn state(&self) -> &'static str {
        if self.is_over() { "ended" } else { "running" }
    }

    pub(crate) fn about(&self) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": self.run,
            "program": self.graph.program(),
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.first,
            "ended": self.is_over().then_some(self.last),
            "state": self.state(),
            "message": null,
            "recorded": true,
            "process": { "number": 0, "count": 1, "pid": null, "workers": self.store.workers()?.len() },
            "outline": { "nodes": self.graph.outline() },
        }))
    }

    /// The last moment.
    pub(crate) fn of_the_moment(&self) -> rusqlite::Result<Value> {
        self.moment(self.last)
    }

    /// The newest moment that is not later than a time, and the one before it: rates are made of two. The first one has
    /// none before it.
    pub(crate) fn moments(&self, time: i64) -> rusqlite::Result<Value> {
        let at = self.store.time_before(time.saturating_add(1))?.unwrap_or(self.first);
        let before = self.store.time_before(at)?.filter(|before| at - before <= GAP);
        let moments: rusqlite::Result<Vec<Value>> =
            before.into_iter().chain([at]).map(|time| self.moment(time)).collect();
        Ok(json!({ "run": self.run, "moments": moments? }))
    }

    /// The times later than this one at which something is known.
    pub(crate) fn times(&self, after: i64) -> rusqlite::Result<Value> {
        Ok(json!({ "run": self.run, "times": self.store.times_after(after)? }))
    }

    /// What an operator was like in the last minutes before a time.
    pub(crate) fn past(&self, operator: i64, until: i64) -> rusqlite::Result<Value> {
        let known = self.store.of_operator(operator, until.saturating_sub(PAST), until)?;
        let moments = known.iter().map(|(at, workers)| {
            let workers =
                workers.iter().map(|(worker, numbers)| of_operator(*at, *worker, operator, numbers));
            json!({ "at": at, "workers": workers.collect::<Vec<_>>() })
        });
        Ok(json!({ "run": self.run, "moments": moments.collect::<Vec<_>>() }))
    }

    fn moment(&self, at: i64) -> rusqlite::Result<Value> {
        let all = self.store.at(at)?;
        let of_process = |name: &str| {
            let known = all.iter().filter(|((_, operator), _)| operator.is_none());
            known.filter_map(|(_, numbers)| numbers.get(name).copied()).reduce(|sum, value| sum + value)
        };
        let latency = |name: &str| {
            let known = all.iter().filter(|((_, operator), _)| operator.is_none());
            known.filter_map(|(_, numbers)| numbers.get(name).copied()).reduce(f64::max)
        };
        let cpu = ["process.cpu.utime", "process.cpu.stime"].map(|name| of_process(name).unwrap_or(0.0));
        let operators: Vec<Value> = all
            .iter()
            .filter_map(|((worker, operator), numbers)| Some(of_operator(at, *worker, (*operator)?, numbers)))
            .collect();
        let ends = |label: &'static str, of: &dyn Fn(i64, &str, f64, Value) -> Value| {
            let nodes = self.graph.labelled(label).map(|(id, name)| {
                let numbers = all.iter().filter(|((_, operator), _)| *operator == Some(id));
                let numbers: Vec<&Numbers> = numbers.map(|(_, numbers)| numbers).collect();
                let get = |name: &str| numbers.iter().filter_map(|n| n.get(name)).sum::<f64>();
                let rows = match label {
                    "input" => get("operator.insertions") + get("operator.deletions"),
                    _ => get("operator.rows_in"),
                };
                let latencies: Option<Vec<f64>> =
                    numbers.iter().map(|n| n.get("operator.latency").copied()).collect();
                let latency = latencies.and_then(|all| all.into_iter().reduce(f64::max));
                of(id, &name, rows, frontier(at, latency))
            });
            nodes.collect::<Vec<_>>()
        };
        let connectors = ends("input", &|id, name, rows, frontier| {
            json!({
                "id": id, "name": name, "last_minibatch": null, "last_minute": null, "messages": rows,
                "minibatches": null, "errors": null, "dead_letters": null, "reading": null,
                "finished": frontier["state"] == "done", "frontier": frontier,
            })
        });
        let sinks = ends(
            "output",
            &|id, name, rows, frontier| json!({ "id": id, "name": name, "rows": rows, "busy_seconds": null, "frontier": frontier }),
        );
        Ok(json!({
            "run": self.run,
            "state": self.state(),
            "at": at,
            "cpu_seconds": cpu[0] + cpu[1],
            "resident_bytes": of_process("process.memory.usage"),
            "errors": null,
            "dead_letters": null,
            "snapshot": {
                "at": at,
                "input": frontier(at, latency("latency.input")),
                "output": frontier(at, latency("latency.output")),
                "operators": operators,
                "errors": null,
                "connectors": connectors,
                "sinks": sinks,
            },
        }))
    }

    pub(crate) fn history(&self, after: i64) -> rusqlite::Result<Value> {
        // A rate needs the sample before.
        let since = after.saturating_sub(GAP);
        let ids = |label: &'static str| self.graph.labelled(label).map(|(id, _)| id).collect::<Vec<i64>>();
        let (inputs, outputs) = (ids("input"), ids("output"));
        let mut rows_in = self.store.sums("operator.insertions", &inputs, since)?;
        for (time, deletions) in self.store.sums("operator.deletions", &inputs, since)? {
            *rows_in.entry(time).or_default() += deletions;
        }
        let rows_out = self.store.sums("operator.rows_in", &outputs, since)?;
        let mut cpu = self.store.of_processes("process.cpu.utime", false, since)?;
        for (time, seconds) in self.store.of_processes("process.cpu.stime", false, since)? {
            *cpu.entry(time).or_default() += seconds;
        }
        let latency = self.store.of_processes("latency.output", true, since)?;
        let memory = self.store.of_processes("process.memory.usage", false, since)?;
        let times: Vec<i64> = memory.keys().copied().collect();
        let mut columns: [Vec<Value>; 6] = Default::default();
        for pair in times.windows(2) {
            let (before, at) = (pair[0], pair[1]);
            if at <= after || at - before > GAP {
                continue;
            }
            let seconds = (at - before) as f64 / 1000.0;
            let rate = |of: &BTreeMap<i64, f64>| {
                let count = |time| of.get(&time).copied().unwrap_or(0.0);
                json!((count(at) - count(before)).max(0.0) / seconds)
            };
            let latency = latency.get(&at).copied().filter(|latency| *latency >= 0.0);
            let values = [
                json!(at),
                rate(&rows_in),
                rate(&rows_out),
                json!(latency),
                json!(memory.get(&at)),
                rate(&cpu),
            ];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        let [at, rows_in, rows_out, latency_ms, resident_bytes, cpu] = columns;
        Ok(json!({
            "run": self.run, "at": at, "rows_in": rows_in, "rows_out": rows_out, "latency_ms": latency_ms,
            "resident_bytes": resident_bytes, "cpu": cpu,
        }))
    }

    /// A list of what is not kept.
    pub(crate) fn nothing(&self, name: &str) -> Value {
        json!({ "run": self.run, "total": 0, name: [] })
    }
}

fn of_operator(at: i64, worker: i64, operator: i64, numbers: &Numbers) -> Value {
    let get = |name: &str| numbers.get(name).copied().unwrap_or(0.0);
    json!({
        "id": operator,
        "worker": worker,
        "rows_in": get("operator.rows_in"),
        "insertions": get("operator.insertions"),
        "deletions": get("operator.deletions"),
        "busy_seconds": get("operator.busy"),
        "frontier": frontier(at, numbers.get("operator.latency").copied()),
        "memory": get("operator.memory"),
        "files": get("operator.files"),
    })
}

/// How far something is that was so far behind; -1 when it had ended.
fn frontier(at: i64, latency: Option<f64>) -> Value {
    match latency {
        None => json!({ "state": "unknown" }),
        Some(latency) if latency < 0.0 => json!({ "state": "done" }),
        Some(latency) => json!({ "state": "at", "time": at - latency as i64 }),
    }
}
