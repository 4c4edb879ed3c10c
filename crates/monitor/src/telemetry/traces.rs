//! A run as a span, with one for each worker that has built its dataflow.

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::{Shared, attribute, nanoseconds, number, text};

/// The numbers by which a run is known.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Of the trace.
    pub trace: [u8; 16],
    /// Of the span that is the run.
    pub span: [u8; 8],
}

impl Identity {
    pub(super) fn new() -> io::Result<Identity> {
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        let failed = |error: getrandom::Error| io::Error::other(error.to_string());
        getrandom::fill(&mut trace).map_err(failed)?;
        getrandom::fill(&mut span).map_err(failed)?;
        Ok(Identity { trace, span })
    }

    /// The trace as text.
    pub fn trace_text(&self) -> String {
        self.trace.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

pub(super) fn request(shared: &Shared, end: SystemTime) -> ExportTraceServiceRequest {
    let Identity { trace, span } = shared.identity;
    let failure = shared.failure.get();
    let status = match failure {
        Some(message) => Status { message: message.clone(), code: StatusCode::Error.into() },
        None => Status { code: StatusCode::Ok.into(), ..Status::default() },
    };
    let run = Span {
        trace_id: trace.to_vec(),
        span_id: span.to_vec(),
        name: "graph_runner.run".to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanoseconds(shared.begin),
        end_time_unix_nano: nanoseconds(end),
        status: Some(status),
        ..Span::default()
    };
    let mut spans = vec![run];
    if let Some(statistics) = shared.statistics.get() {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for node in statistics.outline().iter().flat_map(|outline| &outline.nodes) {
            *counts.entry(&node.label).or_default() += 1;
        }
        // A map of texts and numbers is always JSON.
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        let packages = shared
            .settings
            .packages
            .iter()
            .map(|name| AnyValue { value: Some(Value::StringValue(name.clone())) });
        let packages = ArrayValue { values: packages.collect() };
        spans.extend(statistics.built().into_iter().map(|built| Span {
            trace_id: trace.to_vec(),
            span_id: of_worker(span, built.worker).to_vec(),
            parent_span_id: span.to_vec(),
            name: "graph_runner.build".to_owned(),
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: nanoseconds(built.begin),
            end_time_unix_nano: nanoseconds(built.end),
            attributes: vec![
                number("worker_id", built.worker as i64),
                number("worker_count", built.workers as i64),
                text("graph_statistics", &counts),
                attribute("xpacks_used", Value::ArrayValue(packages.clone())),
            ],
            ..Span::default()
        }));
    }
    let scope = InstrumentationScope { name: "pathway".to_owned(), ..InstrumentationScope::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = shared.resource(&shared.settings.of_traces);
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

/// The number of the span of a worker: another one for each, and never that of the run.
fn of_worker(span: [u8; 8], worker: usize) -> [u8; 8] {
    let number = u64::from_be_bytes(span).wrapping_add(1 + worker as u64);
    // No span has the number 0.
    number.max(1).to_be_bytes()
}
