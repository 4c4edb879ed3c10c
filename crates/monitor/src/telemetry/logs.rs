//! Log records as OpenTelemetry has them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use super::{Shared, nanoseconds, number, text};
use crate::log_tail::Record;

/// Names that OpenTelemetry has for what is known of a record.
const NAMES: &[(&str, &str)] =
    &[("file", "code.file.path"), ("line", "code.line.number"), ("function", "code.function.name")];

pub(super) fn request(shared: &Shared, records: Vec<Record>, lost: u64) -> ExportLogsServiceRequest {
    let mut scopes: BTreeMap<String, Vec<LogRecord>> = BTreeMap::new();
    if lost > 0 {
        let record = Record {
            time: nanoseconds(SystemTime::now()) / 1_000_000,
            level: 30,
            level_name: "WARNING".to_owned(),
            message: format!("{lost} log records could not be sent"),
            ..Record::default()
        };
        scopes.entry("pathway_engine.telemetry".to_owned()).or_default().push(convert(shared, &record));
    }
    for record in records {
        scopes.entry(record.logger.clone()).or_default().push(convert(shared, &record));
    }
    let scope_logs = scopes.into_iter().map(|(name, log_records)| {
        let scope = InstrumentationScope { name, ..InstrumentationScope::default() };
        ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }
    });
    let resource = shared.resource(&shared.settings.of_traces);
    let resource_logs =
        vec![ResourceLogs { resource, scope_logs: scope_logs.collect(), ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

fn convert(shared: &Shared, record: &Record) -> LogRecord {
    let mut attributes = Vec::new();
    for (key, value) in &record.fields {
        let name = NAMES.iter().find(|(own, _)| own == key).map_or(key.as_str(), |(_, name)| name);
        attributes.push(value.parse().map_or_else(|_| text(name, value), |value| number(name, value)));
    }
    if let Some(exception) = &record.exception {
        attributes.push(text("exception.stacktrace", exception));
        let last = exception.lines().next_back().unwrap_or_default();
        let (kind, message) = last.split_once(": ").unwrap_or((last, ""));
        attributes.push(text("exception.type", kind));
        attributes.push(text("exception.message", message));
    }
    let body = Some(AnyValue { value: Some(Value::StringValue(record.message.clone())) });
    LogRecord {
        time_unix_nano: record.time * 1_000_000,
        observed_time_unix_nano: nanoseconds(SystemTime::now()),
        severity_number: severity(record.level),
        severity_text: record.level_name.clone(),
        body,
        attributes,
        trace_id: shared.identity.trace.to_vec(),
        span_id: shared.identity.span.to_vec(),
        ..LogRecord::default()
    }
}

/// Levels of Python are tens from DEBUG on; those of OpenTelemetry are fours.
fn severity(level: u32) -> i32 {
    match level {
        0 => 0,
        1..10 => 1,
        10..20 => 5,
        20..30 => 9,
        30..40 => 13,
        40..50 => 17,
        _ => 21,
    }
}
