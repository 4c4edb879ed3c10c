//! What the dashboard asks for, in JSON. The answers are described where they are used, in `static/api.js`.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use pathway_dataflow::stats::{DeadLetter, MetError, Outline, Snapshot};
use serde::{Deserialize, Serialize};

use crate::board::{Board, Place, now};
use crate::history::Columns;
use crate::log_tail::{Level, Record};
use crate::usage::Usage;

/// The routes below `/api`.
pub(crate) fn routes() -> Router<Arc<Board>> {
    Router::new()
        .route("/api/run", get(run))
        .route("/api/now", get(of_the_moment))
        .route("/api/history", get(history))
        .route("/api/errors", get(errors))
        .route("/api/dead_letters", get(dead_letters))
        .route("/api/log", get(log))
}

type Asked = State<Arc<Board>>;

#[derive(Deserialize)]
pub(crate) struct Since {
    #[serde(default)]
    pub(crate) after: u64,
}

#[derive(Serialize)]
struct About {
    id: String,
    program: String,
    version: &'static str,
    started: u64,
    ended: Option<u64>,
    state: &'static str,
    message: Option<String>,
    /// Told from what was recorded of it: any moment can be asked for.
    recorded: bool,
    process: Place,
    outline: Option<Outline>,
}

async fn run(State(board): Asked) -> Json<About> {
    let end = board.ending();
    let about = About {
        id: board.id.clone(),
        program: board.program.clone(),
        version: env!("CARGO_PKG_VERSION"),
        started: board.started,
        ended: end.map(|end| end.at),
        state: board.state(),
        message: end.and_then(|end| end.message().map(str::to_owned)),
        recorded: false,
        process: board.place,
        outline: board.statistics.outline().cloned(),
    };
    if end.is_some() {
        board.told();
    }
    Json(about)
}

#[derive(Serialize)]
struct Moment {
    run: String,
    state: &'static str,
    at: u64,
    cpu_seconds: f64,
    resident_bytes: Option<u64>,
    errors: u64,
    dead_letters: u64,
    snapshot: Option<Snapshot>,
}

async fn of_the_moment(State(board): Asked) -> Json<Moment> {
    // The state first: what is told of a run that is over are its last numbers.
    let state = board.state();
    let usage = Usage::now();
    let (errors, dead_letters) = board.statistics.troubles();
    Json(Moment {
        run: board.id.clone(),
        state,
        at: now(),
        cpu_seconds: usage.seconds(),
        resident_bytes: usage.memory,
        errors,
        dead_letters,
        snapshot: board.statistics.snapshot(),
    })
}

#[derive(Serialize)]
struct Past {
    run: String,
    #[serde(flatten)]
    columns: Columns,
}

async fn history(State(board): Asked, Query(since): Query<Since>) -> Json<Past> {
    Json(Past { run: board.id.clone(), columns: board.history().after(since.after) })
}

#[derive(Serialize)]
struct Errors {
    run: String,
    total: u64,
    errors: Vec<MetError>,
}

async fn errors(State(board): Asked) -> Json<Errors> {
    let last = board.statistics.errors();
    Json(Errors { run: board.id.clone(), total: last.total, errors: last.entries })
}

#[derive(Serialize)]
struct DeadLetters {
    run: String,
    total: u64,
    dead_letters: Vec<DeadLetter>,
}

async fn dead_letters(State(board): Asked) -> Json<DeadLetters> {
    let last = board.statistics.dead_letters();
    Json(DeadLetters { run: board.id.clone(), total: last.total, dead_letters: last.entries })
}

#[derive(Serialize)]
struct Log {
    run: String,
    lines: Vec<LogLine>,
}

/// A record as the page shows it; its text may have several lines.
#[derive(Serialize)]
struct LogLine {
    /// Counted from 1.
    number: u64,
    time: u64,
    level: Level,
    text: String,
}

async fn log(State(board): Asked, Query(since): Query<Since>) -> Json<Log> {
    let lines = board.log.after(since.after);
    let lines = lines.iter().map(|(number, record)| line(*number, record)).collect();
    Json(Log { run: board.id.clone(), lines })
}

fn line(number: u64, record: &Record) -> LogLine {
    let text = match &record.exception {
        Some(exception) => format!("{}\n{exception}", record.message),
        None => record.message.clone(),
    };
    LogLine { number, time: record.time, level: Level::of(record.level), text }
}
