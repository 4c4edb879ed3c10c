//! Metrics, traces and logs of a run for OpenTelemetry: OTLP over gRPC, to a collector.
//!
//! One thread does all of it. Logs wait in a queue of limited length, and are sent every second; metrics are read and sent
//! every so often; a run is a span. A collector that does not answer costs nothing but what it is not told: the first
//! failure is told to the user. At the end there is one last export, which takes [`TIMEOUT`] at most.

mod logs;
mod metrics;
mod traces;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use pathway_dataflow::stats::Statistics;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::log_tail::Record;
pub use traces::Identity;

/// How long an export may take.
pub const TIMEOUT: Duration = Duration::from_secs(3);
/// How often logs are sent.
const LOGS: Duration = Duration::from_secs(1);
/// Log records that wait; there are no more.
const WAITING: usize = 4096;

/// Nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The address makes no sense.
    #[error("telemetry cannot be sent to {endpoint:?}: {error}")]
    Endpoint {
        /// The address.
        endpoint: String,
        /// Why not.
        error: tonic::transport::Error,
    },
    /// The system gives no thread, or no random numbers.
    #[error("telemetry cannot be sent: {0}")]
    System(io::Error),
}

/// What is sent where.
#[derive(Debug)]
pub struct Settings {
    /// The collector: `http://localhost:4317`.
    pub endpoint: String,
    /// The time between two exports of metrics.
    pub interval: Duration,
    /// Attributes of the resource of metrics, of traces, and of logs.
    pub resource: Vec<(String, String)>,
    /// More of them for metrics.
    pub of_metrics: Vec<(String, String)>,
    /// More of them for traces and logs.
    pub of_traces: Vec<(String, String)>,
    /// What traces tell of the program: packages that it uses.
    pub packages: Vec<String>,
}

/// Sends what is known of a run, until it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    identity: Identity,
    begin: SystemTime,
    statistics: OnceLock<Arc<Statistics>>,
    /// Why the run has failed, if it has.
    failure: OnceLock<String>,
    waiting: Mutex<Waiting>,
}

/// Log records that are still to be sent.
#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Record>,
    /// So many found no place.
    lost: u64,
}

impl Telemetry {
    /// Begins to send; `warn` is told of the first failure.
    ///
    /// # Errors
    /// If the address makes no sense, or the system gives no thread.
    pub fn start(settings: Settings, warn: impl Fn(&str) + Send + 'static) -> Result<Telemetry, NotSent> {
        let endpoint = || settings.endpoint.clone();
        let wrong = |error| NotSent::Endpoint { endpoint: endpoint(), error };
        let mut target = Endpoint::from_shared(settings.endpoint.clone()).map_err(wrong)?;
        if settings.endpoint.starts_with("https:") {
            target = target.tls_config(ClientTlsConfig::new().with_enabled_roots()).map_err(wrong)?;
        }
        let target = target.connect_timeout(TIMEOUT);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NotSent::System)?;
        let identity = Identity::new().map_err(NotSent::System)?;
        let shared = Arc::new(Shared {
            settings,
            identity,
            begin: SystemTime::now(),
            statistics: OnceLock::new(),
            failure: OnceLock::new(),
            waiting: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("pathway:otlp".to_owned());
        let of_thread = shared.clone();
        let thread = thread.spawn(move || {
            runtime.block_on(async move {
                let channel = target.connect_lazy();
                let sender = Sender { shared: of_thread, channel, warn: Box::new(warn), warned: false };
                sender.work(stopped).await;
            });
            // What still waits for an answer is given up.
            runtime.shutdown_background();
        });
        Ok(Telemetry { shared, stop: Some(stop), thread: Some(thread.map_err(NotSent::System)?) })
    }

    /// The run has begun.
    pub fn open(&self, statistics: Arc<Statistics>) {
        // There is one run.
        let _ = self.shared.statistics.set(statistics);
    }

    /// Something was logged.
    pub fn log(&self, record: Record) {
        let mut waiting = self.shared.waiting();
        if waiting.records.len() < WAITING {
            waiting.records.push_back(record);
        } else {
            waiting.lost += 1;
        }
    }

    /// The run has failed.
    pub fn fail(&self, why: String) {
        // The first reason counts.
        let _ = self.shared.failure.set(why);
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What has panicked there was told by the panic itself.
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resource(&self, more: &[(String, String)]) -> Option<Resource> {
        let all = self.settings.resource.iter().chain(more);
        let attributes = all.map(|(key, value)| text(key, value)).collect();
        Some(Resource { attributes, ..Resource::default() })
    }
}

/// Exports, one after another.
struct Sender {
    shared: Arc<Shared>,
    channel: Channel,
    warn: Box<dyn Fn(&str) + Send>,
    warned: bool,
}

impl Sender {
    async fn work(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut next_metrics = Instant::now() + self.shared.settings.interval;
        loop {
            let next = next_metrics.min(Instant::now() + LOGS);
            tokio::select! {
                _stopped = &mut stopped => break,
                () = tokio::time::sleep_until(next) => {}
            }
            let with_metrics = Instant::now() >= next_metrics;
            if with_metrics {
                next_metrics = Instant::now() + self.shared.settings.interval;
            }
            let failed = tokio::select! {
                // What is given up here is a part of the last export, as far as it has not arrived.
                _stopped = &mut stopped => break,
                failed = self.export(with_metrics, false) => failed,
            };
            self.tell(failed);
        }
        let failed = self.export(true, true).await;
        self.tell(failed);
    }

    /// Sends what there is; the failure, if there is one.
    async fn export(&self, with_metrics: bool, last: bool) -> Option<String> {
        let all = async {
            let metrics = async { if with_metrics { self.metrics().await } else { Ok(()) } };
            let traces = async { if last { self.traces().await } else { Ok(()) } };
            tokio::join!(self.logs(), metrics, traces)
        };
        match timeout(TIMEOUT, all).await {
            Ok((logs, metrics, traces)) => logs.and(metrics).and(traces).err().map(|status| reason(&status)),
            Err(_late) => Some(format!("no answer within {} s", TIMEOUT.as_secs())),
        }
    }

    async fn logs(&self) -> Result<(), tonic::Status> {
        let (records, lost): (Vec<Record>, u64) = {
            let waiting = self.shared.waiting();
            (waiting.records.iter().cloned().collect(), waiting.lost)
        };
        if records.is_empty() {
            return Ok(());
        }
        let count = records.len();
        let request = logs::request(&self.shared, records, lost);
        let sent = LogsServiceClient::new(self.channel.clone()).export(request).await;
        // Those that were refused are lost, too: a collector that is down does not find all of them when it comes back.
        let mut waiting = self.shared.waiting();
        waiting.records.drain(..count);
        waiting.lost = if sent.is_ok() { waiting.lost - lost } else { waiting.lost + count as u64 };
        sent.map(drop)
    }

    async fn metrics(&self) -> Result<(), tonic::Status> {
        let request = metrics::request(&self.shared);
        MetricsServiceClient::new(self.channel.clone()).export(request).await.map(drop)
    }

    async fn traces(&self) -> Result<(), tonic::Status> {
        let request = traces::request(&self.shared, SystemTime::now());
        TraceServiceClient::new(self.channel.clone()).export(request).await.map(drop)
    }

    /// The user is told once.
    fn tell(&mut self, failed: Option<String>) {
        if let Some(error) = failed
            && !std::mem::replace(&mut self.warned, true)
        {
            let endpoint = &self.shared.settings.endpoint;
            (self.warn)(&format!("telemetry does not reach {endpoint}: {error}; the run goes on without"));
        }
    }
}

/// Why an export has failed, with what lies behind it.
fn reason(status: &tonic::Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    if text.is_empty() { status.code().to_string() } else { text }
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

#[cfg(test)]
mod tests;
