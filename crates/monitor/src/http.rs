//! Metrics over HTTP: `/metrics` and `/status` on the loopback address.
//!
//! Whoever asks for OpenMetrics in the `Accept` header, as Prometheus does, gets metrics with valid names only.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pathway_dataflow::stats::Statistics;
use tokio::sync::oneshot;

use crate::metrics::{Names, text};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";

/// The metrics of a run are not served.
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

/// Serves the metrics of a run until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on this port of the loopback address; on any free one, if it is 0.
    ///
    /// # Errors
    /// If the port is taken, or the system gives no thread.
    pub fn start(port: u16, statistics: Arc<Statistics>) -> Result<Server, NotServed> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let taken = |error| NotServed::Address { address, error };
        let listener = TcpListener::bind(address).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        listener.set_nonblocking(true).map_err(taken)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NotServed::System)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("pathway:http".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // A listener that fails has been closed by the system; there is nobody to be told.
                    _ended = serve(listener, statistics) => {}
                    // The sender is dropped with the server.
                    _dropped = stopped => {}
                }
            });
        });
        Ok(Server { address, stop: Some(stop), thread: Some(thread.map_err(NotServed::System)?) })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
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

async fn serve(listener: TcpListener, statistics: Arc<Statistics>) -> io::Result<()> {
    let router =
        Router::new().route("/status", get(status)).route("/metrics", get(metrics)).with_state(statistics);
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
}

async fn status(State(statistics): State<Arc<Statistics>>) -> Response {
    answer(&statistics, Names::All, JSON)
}

async fn metrics(State(statistics): State<Arc<Statistics>>, headers: HeaderMap) -> Response {
    let mut accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let strict = accepts.any(|value| value.contains("application/openmetrics-text"));
    answer(&statistics, if strict { Names::Valid } else { Names::All }, OPENMETRICS)
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
