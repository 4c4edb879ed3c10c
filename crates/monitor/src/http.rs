//! A run over HTTP while it goes on: the dashboard at `/`, what it asks for below `/api`, and metrics at `/metrics` and
//! `/status`; `/explain` tells how it is computed.
//!
//! Whoever asks for metrics with OpenMetrics in the `Accept` header, as Prometheus does, gets those with valid names only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn_with_state, map_response, map_response_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pathway_dataflow::stats::Statistics;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::api;
use crate::board::{Board, Ending};
use crate::explain::explain;
use crate::files::{File, PAGE};
use crate::guard::{Guard, guard, with_headers};
use crate::listener::Listener;
use crate::metrics::{Names, text};
use crate::usage::Usage;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";
/// How often the history gets a sample.
const SECOND: Duration = Duration::from_secs(1);
/// How long answers that are under way may take when the server is stopped.
const FAREWELL: Duration = Duration::from_millis(500);

/// A run is not served.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    /// Somebody else has the port, or it may not be used.
    #[error("metrics cannot be served on {address}: {error}")]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// The system gives no thread.
    #[error("metrics cannot be served: {0}")]
    System(io::Error),
}

/// Where a run is served, and for whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address; any free port, if that is 0.
    pub address: SocketAddr,
    /// Only those who know it are answered; without one, everybody who reaches the address.
    pub token: Option<String>,
}

impl Settings {
    /// On a port of the loopback address, for all programs of this machine.
    pub fn here(port: u16) -> Settings {
        Settings { address: (IpAddr::from(Ipv4Addr::LOCALHOST), port).into(), token: None }
    }
}

/// Serves a run until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    board: Arc<Board>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what is known of a run.
    ///
    /// # Errors
    /// If the port is taken, or the system gives no thread.
    pub fn start(settings: Settings, board: Arc<Board>) -> Result<Server, NotServed> {
        let Settings { address, token } = settings;
        let Listener { listener, address } = Listener::on(address)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NotServed::System)?;
        let (stop, stopped) = oneshot::channel();
        let router = router(board.clone(), Guard { token: token.map(Arc::from) });
        let thread = std::thread::Builder::new().name("pathway:http".to_owned());
        let sampled = board.clone();
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // A listener that fails has been closed by the system; there is nobody to be told.
                    _ended = serve(listener, router, stopped) => {}
                    () = sample(&sampled) => {}
                }
            });
        });
        Ok(Server { address, board, stop: Some(stop), thread: Some(thread.map_err(NotServed::System)?) })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The run is over. Pages that look at it are told before the server is stopped.
    pub fn finish(self, how: Ending) {
        self.board.finish(how);
        self.board.wait_for_viewers();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What has panicked there was told by the panic itself.
            let _ended = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (closes, closing) = oneshot::channel::<()>();
    let stopped = async {
        // The sender is dropped with the server.
        let _dropped = stopped.await;
        drop(closes);
    };
    let late = async {
        let _dropped = closing.await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(stopped) => ended,
        () = late => Ok(()),
    }
}

/// Writes the history of a run, for ever.
async fn sample(board: &Board) {
    let mut seconds = tokio::time::interval(SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        if board.ending().is_none()
            && let Some(snapshot) = board.statistics.snapshot()
        {
            board.history().add(&snapshot, Usage::now());
        }
    }
}

fn router(board: Arc<Board>, who: Guard) -> Router {
    let asked = board.clone();
    // Whoever asks how it is computed is no page that waits for the end.
    let plan = Router::new().route("/explain", get(explain)).layer(from_fn_with_state(who.clone(), guard));
    let api = api::routes().layer(map_response_with_state(asked, note));
    let api = api.layer(from_fn_with_state(who.clone(), guard));
    let mut metrics = Router::new().route("/status", get(status)).route("/metrics", get(metrics));
    if who.token.is_some() {
        metrics = metrics.layer(from_fn_with_state(who, guard));
    }
    Router::new()
        .route("/", get(|| async { file(File::at(PAGE)) }))
        .route("/{*path}", get(|Path(path): Path<String>| async move { file(File::at(&path)) }))
        .merge(api)
        .merge(plan)
        .merge(metrics)
        .layer(map_response(with_headers))
        .with_state(board)
}

/// Notes that somebody looks at the run.
async fn note(State(board): State<Arc<Board>>, response: Response) -> Response {
    board.asked();
    response
}

pub(crate) fn file(file: Option<File>) -> Response {
    match file {
        Some(file) => ([(CONTENT_TYPE, file.kind())], file.content).into_response(),
        None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

async fn status(State(board): State<Arc<Board>>) -> Response {
    answer(&board.statistics, Names::All, JSON)
}

async fn metrics(State(board): State<Arc<Board>>, headers: HeaderMap) -> Response {
    let mut accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let strict = accepts.any(|value| value.contains("application/openmetrics-text"));
    answer(&board.statistics, if strict { Names::Valid } else { Names::All }, OPENMETRICS)
}

/// The metrics as they are now; nothing before there are any.
fn answer(statistics: &Statistics, names: Names, kind: &'static str) -> Response {
    let now = statistics.outline().zip(statistics.snapshot());
    match now.map_or_else(|| Ok(String::new()), |(outline, snapshot)| text(outline, snapshot, names)) {
        Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests;
