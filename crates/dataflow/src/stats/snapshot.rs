//! What is known of a run at one moment: plain numbers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pathway_types::Timestamp;
use serde::Serialize;

use super::meter::{DONE, Meter, UNKNOWN};
use super::outline::{Kind, Outline};
use super::{Extent, Statistics, lock};

/// What is known of the workers of this process at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// The moment, in milliseconds since 1970.
    pub at: u64,
    /// How far the inputs are; the least of them.
    pub input: Frontier,
    /// How far the outputs are; the least of them.
    pub output: Frontier,
    /// Of each node on each worker, in the order of the outline.
    pub operators: Vec<OperatorStats>,
    /// Rows that met errors, by node.
    pub errors: BTreeMap<u32, u64>,
    /// Of each source.
    pub connectors: Vec<ConnectorStats>,
    /// Of each sink that is written by this process.
    pub sinks: Vec<SinkStats>,
}

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "state", content = "time")]
pub enum Frontier {
    /// Nothing is known yet.
    Unknown,
    /// Everything of earlier times is done.
    At(Timestamp),
    /// Everything is done.
    Done,
}

/// A node on a worker.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorStats {
    /// The number of the node.
    pub id: u32,
    /// The worker, of all processes.
    pub worker: usize,
    /// Changes that came from other nodes.
    pub rows_in: u64,
    /// Rows that were added to what the node gives.
    pub insertions: u64,
    /// Rows that were removed from what the node gives.
    pub deletions: u64,
    /// How long it worked.
    #[serde(rename = "busy_seconds", serialize_with = "as_seconds")]
    pub busy: Duration,
    /// How far it is.
    pub frontier: Frontier,
    /// Bytes of its state in memory.
    pub memory: usize,
    /// Bytes of its state in files.
    pub files: usize,
}

/// A source.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectorStats {
    /// The number of the node.
    pub id: u32,
    /// The source, for people.
    pub name: String,
    /// Messages of the last minibatch that had any.
    pub last_minibatch: u64,
    /// Messages of the last minute.
    pub last_minute: u64,
    /// Messages since the start of the run.
    pub messages: u64,
    /// Minibatches with messages.
    pub minibatches: u64,
    /// Records and cells that could not be parsed.
    pub errors: u64,
    /// Records that were rejected.
    pub dead_letters: u64,
    /// How far it is, if it is known how much there is to be read.
    pub reading: Option<Extent>,
    /// Nothing more comes.
    pub finished: bool,
    /// How far it is.
    pub frontier: Frontier,
}

/// A sink.
#[derive(Clone, Debug, Serialize)]
pub struct SinkStats {
    /// The number of the node.
    pub id: u32,
    /// The sink, for people.
    pub name: String,
    /// Changes written.
    pub rows: u64,
    /// How long that took.
    #[serde(rename = "busy_seconds", serialize_with = "as_seconds")]
    pub busy: Duration,
    /// Everything of earlier times is written.
    pub frontier: Frontier,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Frontier {
    fn of(time: Timestamp) -> Frontier {
        match time {
            UNKNOWN => Frontier::Unknown,
            DONE => Frontier::Done,
            time => Frontier::At(time),
        }
    }

    /// How far it is behind a moment, in milliseconds: -1 when it is done, nothing while that is not known.
    pub fn latency(self, now: u64) -> Option<i64> {
        match self {
            Frontier::Unknown => None,
            Frontier::At(time) => Some(now.saturating_sub(time).cast_signed().max(0)),
            Frontier::Done => Some(-1),
        }
    }

    /// How far it is behind another, in milliseconds.
    pub fn lag(self, input: Frontier, now: u64) -> Option<u64> {
        match (self, input) {
            (Frontier::Unknown, _) | (_, Frontier::Unknown) => None,
            (Frontier::Done, _) => Some(0),
            (Frontier::At(time), Frontier::At(input)) => Some(input.saturating_sub(time)),
            (Frontier::At(time), Frontier::Done) => Some(now.saturating_sub(time)),
        }
    }
}

/// The numbers of one node on one worker while they are added up.
#[derive(Clone, Default)]
struct Sum {
    is_there: bool,
    received: u64,
    inserted: u64,
    deleted: u64,
    busy: Duration,
    frontier: Option<Timestamp>,
    memory: usize,
    files: usize,
}

impl Snapshot {
    pub(super) fn of(
        statistics: &Statistics,
        outline: &Outline,
        meters: &[std::sync::Arc<Meter>],
    ) -> Snapshot {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut workers: BTreeMap<usize, Vec<Sum>> = BTreeMap::new();
        for meter in meters {
            let Some((step, stage, worker)) = meter.whereabouts() else { continue };
            let sums = workers.entry(worker).or_insert_with(|| vec![Sum::default(); outline.nodes.len()]);
            // What does several stages is none of them; they have meters of their own.
            if stage.is_none() && !outline.is_one(step) {
                continue;
            }
            let Some(position) = outline.position(step, stage, 0) else { continue };
            add(&mut sums[position], meter);
        }
        let places: BTreeMap<u32, usize> =
            outline.nodes.iter().enumerate().map(|(position, node)| (node.id, position)).collect();
        workers.values_mut().for_each(|sums| complete(sums, outline, &places));
        let frontier = |position: usize| {
            let all = workers.values().map(|sums| Frontier::of(sums[position].frontier.unwrap_or(UNKNOWN)));
            all.min().unwrap_or(Frontier::Unknown)
        };
        let least = |kind: Kind| {
            let of_kind = outline.nodes.iter().enumerate().filter(|(_, node)| node.kind == kind);
            of_kind.map(|(position, _)| frontier(position)).min().unwrap_or(Frontier::Unknown)
        };
        let mut operators = Vec::new();
        for (position, node) in outline.nodes.iter().enumerate() {
            operators.extend(workers.iter().map(|(worker, sums)| {
                let sum = &sums[position];
                OperatorStats {
                    id: node.id,
                    worker: *worker,
                    rows_in: sum.received,
                    insertions: sum.inserted,
                    deletions: sum.deleted,
                    busy: sum.busy,
                    frontier: Frontier::of(sum.frontier.unwrap_or(UNKNOWN)),
                    memory: sum.memory,
                    files: sum.files,
                }
            }));
        }
        let mut errors = BTreeMap::new();
        for ((step, operator), count) in &*lock(&statistics.errors) {
            if let Some(position) = outline.position(*step, None, *operator) {
                *errors.entry(outline.nodes[position].id).or_default() += count;
            }
        }
        let node = |step: usize| {
            let position = outline.position(step, None, 0)?;
            let node = &outline.nodes[position];
            Some((node.id, node.name.clone().unwrap_or_default(), frontier(position)))
        };
        let connectors = lock(&statistics.connectors);
        let connectors = connectors.iter().filter_map(|(step, meter)| {
            let (id, name, frontier) = node(*step)?;
            Some(ConnectorStats {
                id,
                name,
                last_minibatch: meter.last_minibatch(),
                last_minute: meter.last_minute(),
                messages: meter.messages(),
                minibatches: meter.minibatches(),
                errors: meter.errors(),
                dead_letters: meter.dead_letters(),
                reading: meter.reading(),
                finished: meter.is_finished(),
                frontier,
            })
        });
        let sinks = lock(&statistics.sinks);
        let sinks = sinks.iter().filter_map(|(step, meter)| {
            let (id, name, frontier) = node(*step)?;
            Some(SinkStats { id, name, rows: meter.rows(), busy: meter.busy(), frontier })
        });
        Snapshot {
            at,
            input: least(Kind::Input),
            output: least(Kind::Output),
            operators,
            errors,
            connectors: connectors.collect(),
            sinks: sinks.collect(),
        }
    }
}

fn add(sum: &mut Sum, meter: &Meter) {
    let reading = meter.read();
    sum.is_there = true;
    sum.received += reading.received;
    sum.inserted += reading.inserted;
    sum.deleted += reading.deleted;
    sum.busy += reading.busy;
    sum.memory += reading.memory;
    sum.files += reading.files;
    sum.frontier = sum.frontier.into_iter().chain(reading.frontier).min();
}

/// Fills in what follows of other nodes: those without operators of their own pass rows on, those that do not say how
/// far they are, are as far as their inputs, and a loop gives what is taken out of it.
fn complete(sums: &mut [Sum], outline: &Outline, places: &BTreeMap<u32, usize>) {
    for (position, node) in outline.nodes.iter().enumerate() {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| places[input]).collect();
        if !sums[position].is_there && node.kind == Kind::Operator {
            let all = |of: fn(&Sum) -> u64| inputs.iter().map(|input| of(&sums[*input])).sum::<u64>();
            let (inserted, deleted) = (all(|sum| sum.inserted), all(|sum| sum.deleted));
            let sum = &mut sums[position];
            sum.received = inserted + deleted;
            if !node.is_loop {
                (sum.inserted, sum.deleted) = (inserted, deleted);
            }
        }
        if sums[position].frontier.is_none() {
            let known = inputs.iter().map(|input| sums[*input].frontier.unwrap_or(UNKNOWN));
            sums[position].frontier = known.min();
        }
    }
    for (position, node) in outline.nodes.iter().enumerate().filter(|(_, node)| node.is_loop) {
        let readers = outline.nodes.iter().enumerate().filter(|(_, reader)| reader.inputs.contains(&node.id));
        let given: Vec<Sum> = readers.map(|(reader, _)| sums[reader].clone()).collect();
        let sum = &mut sums[position];
        sum.inserted = given.iter().map(|reader| reader.inserted).sum();
        sum.deleted = given.iter().map(|reader| reader.deleted).sum();
        sum.frontier = given.iter().map(|reader| reader.frontier.unwrap_or(UNKNOWN)).min().or(sum.frontier);
    }
}
