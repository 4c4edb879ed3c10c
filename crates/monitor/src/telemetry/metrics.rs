//! The numbers of a run as OpenTelemetry has them: those of Pathway 0.33, and those of operators, sources and sinks.

use std::collections::BTreeMap;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use pathway_dataflow::stats::{Node, OperatorStats, Outline, Snapshot};

use super::{Shared, nanoseconds, number, text};
use crate::usage::Usage;

pub(super) fn request(shared: &Shared) -> ExportMetricsServiceRequest {
    let mut metrics =
        Metrics { begin: nanoseconds(shared.begin), at: nanoseconds(SystemTime::now()), all: Vec::new() };
    metrics.of_process();
    if let Some(statistics) = shared.statistics.get()
        && let Some((outline, snapshot)) = statistics.outline().zip(statistics.snapshot())
    {
        metrics.of_run(&snapshot);
        metrics.of_operators(outline, &snapshot);
        metrics.of_connectors(&snapshot);
    }
    let scope = InstrumentationScope { name: "pathway-stats".to_owned(), ..InstrumentationScope::default() };
    let scope_metrics = ScopeMetrics { scope: Some(scope), metrics: metrics.all, ..ScopeMetrics::default() };
    let mut more = shared.settings.of_metrics.clone();
    more.push(("root.trace.id".to_owned(), shared.identity.trace_text()));
    let resource = shared.resource(&more);
    let resource_metrics =
        ResourceMetrics { resource, scope_metrics: vec![scope_metrics], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
}

/// A number with what it is of.
type Point = (Vec<KeyValue>, Value);

struct Metrics {
    begin: u64,
    at: u64,
    all: Vec<Metric>,
}

impl Metrics {
    fn of_process(&mut self) {
        let usage = Usage::now();
        let memory = usage.memory.map(|bytes| Value::AsInt(bytes.cast_signed()));
        self.gauge("process.memory.usage", "byte", "Memory of the process.", single(memory));
        let user = Some(Value::AsDouble(usage.user.as_secs_f64()));
        self.gauge("process.cpu.utime", "s", "Time of the processor.", single(user));
        let system = Some(Value::AsDouble(usage.system.as_secs_f64()));
        self.gauge("process.cpu.stime", "s", "Time of the processor for the system.", single(system));
    }

    fn of_run(&mut self, snapshot: &Snapshot) {
        for (name, frontier) in [("latency.input", snapshot.input), ("latency.output", snapshot.output)] {
            let help = "How far it is behind the clock, -1 when it has ended.";
            self.gauge(name, "ms", help, single(frontier.latency(snapshot.at).map(Value::AsInt)));
        }
    }

    fn of_operators(&mut self, outline: &Outline, snapshot: &Snapshot) {
        let nodes: BTreeMap<u32, &Node> = outline.nodes.iter().map(|node| (node.id, node)).collect();
        let known = |id: u32| {
            let mut attributes = vec![number("operator.id", i64::from(id))];
            if let Some(node) = nodes.get(&id) {
                attributes.push(text("operator.label", &node.label));
                if let Some(line) = &node.line {
                    attributes.push(text("code.file.path", &line.file));
                    attributes.push(number("code.line.number", i64::from(line.line)));
                    attributes.push(text("code.function.name", &line.function));
                }
            }
            attributes
        };
        let each = |value: &dyn Fn(&OperatorStats) -> Option<Value>| -> Vec<Point> {
            let of_one = |one: &OperatorStats| {
                let mut attributes = known(one.id);
                attributes.push(number("worker.id", one.worker as i64));
                Some((attributes, value(one)?))
            };
            snapshot.operators.iter().filter_map(of_one).collect()
        };
        let count = |count: u64| Some(Value::AsInt(count.cast_signed()));
        let size = |size: usize| Some(Value::AsInt(size as i64));
        let help = "How far an operator is behind the clock, -1 when it has ended.";
        let points = each(&|one| one.frontier.latency(snapshot.at).map(Value::AsInt));
        self.gauge("operator.latency", "ms", help, points);
        let help = "How far an operator is behind the input.";
        let points = each(&|one| {
            let lag = one.frontier.lag(snapshot.input, snapshot.at);
            lag.map(|lag| Value::AsInt(lag.cast_signed()))
        });
        self.gauge("operator.lag", "ms", help, points);
        let points = each(&|one| count(one.rows_in));
        self.sum("operator.rows_in", "{row}", "Changes that came to an operator.", points);
        let points = each(&|one| count(one.insertions));
        self.sum("operator.insertions", "{row}", "Rows that an operator added.", points);
        let points = each(&|one| count(one.deletions));
        self.sum("operator.deletions", "{row}", "Rows that an operator removed.", points);
        let points = each(&|one| Some(Value::AsDouble(one.busy.as_secs_f64())));
        self.sum("operator.busy", "s", "How long an operator worked.", points);
        let points = each(&|one| size(one.memory));
        self.gauge("operator.state", "byte", "State of an operator in memory.", points);
        let points = each(&|one| size(one.files));
        self.gauge("operator.spilled", "byte", "State of an operator in files.", points);
        let errors = snapshot.errors.iter().filter_map(|(id, errors)| Some((known(*id), count(*errors)?)));
        let errors = errors.collect();
        self.sum("operator.errors", "{error}", "Errors that rows met in an operator.", errors);
    }

    fn of_connectors(&mut self, snapshot: &Snapshot) {
        let of =
            |id: u32, what: &str, name: &str| vec![number("operator.id", i64::from(id)), text(what, name)];
        let count = |count: u64| Value::AsInt(count.cast_signed());
        let each = |value: &dyn Fn(usize) -> Option<Value>| -> Vec<Point> {
            let all = snapshot.connectors.iter().enumerate();
            all.filter_map(|(i, one)| Some((of(one.id, "connector", &one.name), value(i)?))).collect()
        };
        let all = &snapshot.connectors;
        let points = each(&|i| Some(count(all[i].messages)));
        self.sum("connector.messages", "{message}", "Changes that a source gave.", points);
        let points = each(&|i| Some(count(all[i].minibatches)));
        self.sum("connector.minibatches", "{minibatch}", "Minibatches in which it gave some.", points);
        let points = each(&|i| Some(count(all[i].errors)));
        self.sum("connector.errors", "{error}", "Records and cells that could not be parsed.", points);
        let points = each(&|i| Some(count(all[i].dead_letters)));
        self.sum("connector.dead_letters", "{record}", "Records that were rejected.", points);
        let points = each(&|i| all[i].frontier.latency(snapshot.at).map(Value::AsInt));
        let help = "How far a source is behind the clock, -1 when it has ended.";
        self.gauge("connector.latency", "ms", help, points);
        let sinks = |value: &dyn Fn(usize) -> Option<Value>| -> Vec<Point> {
            let all = snapshot.sinks.iter().enumerate();
            all.filter_map(|(i, one)| Some((of(one.id, "sink", &one.name), value(i)?))).collect()
        };
        let all = &snapshot.sinks;
        let points = sinks(&|i| Some(count(all[i].rows)));
        self.sum("sink.rows", "{row}", "Changes that a sink has written.", points);
        let points = sinks(&|i| Some(Value::AsDouble(all[i].busy.as_secs_f64())));
        self.sum("sink.busy", "s", "How long writing took.", points);
        let points = sinks(&|i| all[i].frontier.latency(snapshot.at).map(Value::AsInt));
        self.gauge("sink.latency", "ms", "How far a sink is behind the clock, -1 when it has ended.", points);
    }

    fn gauge(&mut self, name: &str, unit: &str, help: &str, points: Vec<Point>) {
        let data_points = self.points(points, 0);
        self.add(name, unit, help, data_points, |data_points| Data::Gauge(Gauge { data_points }));
    }

    /// A number that only grows.
    fn sum(&mut self, name: &str, unit: &str, help: &str, points: Vec<Point>) {
        let data_points = self.points(points, self.begin);
        self.add(name, unit, help, data_points, |data_points| {
            let aggregation_temporality = AggregationTemporality::Cumulative.into();
            Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic: true })
        });
    }

    fn add(
        &mut self,
        name: &str,
        unit: &str,
        help: &str,
        points: Vec<NumberDataPoint>,
        data: impl FnOnce(Vec<NumberDataPoint>) -> Data,
    ) {
        if points.is_empty() {
            return;
        }
        self.all.push(Metric {
            name: name.to_owned(),
            description: help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data(points)),
            ..Metric::default()
        });
    }

    fn points(&self, points: Vec<Point>, begin: u64) -> Vec<NumberDataPoint> {
        let points = points.into_iter().map(|(attributes, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano: begin,
            time_unix_nano: self.at,
            value: Some(value),
            ..NumberDataPoint::default()
        });
        points.collect()
    }
}

/// A number of the whole process; none if it is not known.
fn single(value: Option<Value>) -> Vec<Point> {
    value.map(|value| (Vec::new(), value)).into_iter().collect()
}
