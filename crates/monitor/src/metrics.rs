//! The numbers of a run in the text form of OpenMetrics.
//!
//! Programs that were written for Pathway 0.33 look for metrics whose names begin with the number of an operator. Such
//! names are not valid, and whoever reads a text with one of them by the rules reads nothing of it; so there are two
//! forms ([`Names`]). All other metrics begin with `pathway_`, and tell operators and workers apart by labels.

use std::borrow::Cow;
use std::fmt::Error;

use pathway_dataflow::stats::{Node, OperatorStats, Outline, Snapshot};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Which metrics there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those of Pathway 0.33, too, whose names are not valid.
    All,
    /// Those with valid names.
    Valid,
}

/// The metrics of a run in this process.
///
/// # Errors
/// None that writing to memory does not give.
pub fn text(outline: &Outline, snapshot: Snapshot, names: Names) -> Result<String, Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Numbers { nodes: outline.nodes.clone(), snapshot, names }));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Numbers {
    nodes: Vec<Node>,
    snapshot: Snapshot,
    names: Names,
}

/// The labels of a number.
type Labels = Vec<(&'static str, String)>;

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let ends = [("input", self.snapshot.input), ("output", self.snapshot.output)];
        for (name, frontier) in ends {
            let help = format!("A latency of {name} in milliseconds (-1 when finished).");
            single(&mut encoder, &format!("{name}_latency_ms"), &help, frontier.latency(self.snapshot.at))?;
        }
        if self.names == Names::All {
            self.by_number(&mut encoder)?;
        }
        self.operators(&mut encoder)?;
        self.connectors(&mut encoder)?;
        self.sinks(&mut encoder)
    }
}

impl Numbers {
    fn of_node(&self, id: u32) -> impl Iterator<Item = &OperatorStats> {
        self.snapshot.operators.iter().filter(move |operator| operator.id == id)
    }

    /// The metrics of Pathway 0.33, of all workers together.
    fn by_number(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        for Node { id, .. } in &self.nodes {
            let all = |count: fn(&OperatorStats) -> u64| self.of_node(*id).map(count).sum::<u64>();
            let counts = [
                ("positive", all(|operator| operator.insertions)),
                ("negative", all(|operator| operator.deletions)),
            ];
            for (sign, count) in counts {
                let help = format!("Number of {sign} updates in operator {id}.");
                single(encoder, &format!("{id}_rows_{sign}"), &help, Some(count.cast_signed()))?;
            }
            let frontier = self.of_node(*id).map(|operator| operator.frontier).min();
            let latency = frontier.and_then(|frontier| frontier.latency(self.snapshot.at));
            let help = format!("A latency of operator {id} in milliseconds (-1 when finished).");
            single(encoder, &format!("{id}_latency_ms"), &help, latency)?;
        }
        Ok(())
    }

    fn operators(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let label = |id: u32| {
            let node = self.nodes.iter().find(|node| node.id == id);
            node.map_or_else(String::new, |node| node.label.clone())
        };
        let of = |operator: &OperatorStats| -> Labels {
            vec![
                ("operator", operator.id.to_string()),
                ("label", label(operator.id)),
                ("worker", operator.worker.to_string()),
            ]
        };
        let all = &self.snapshot.operators;
        let (at, input) = (self.snapshot.at, self.snapshot.input);
        let each = |value: &dyn Fn(&OperatorStats) -> u64| -> Vec<(Labels, u64)> {
            all.iter().map(|operator| (of(operator), value(operator))).collect()
        };
        let known = |value: &dyn Fn(&OperatorStats) -> Option<i64>| -> Vec<(Labels, i64)> {
            all.iter().filter_map(|operator| Some((of(operator), value(operator)?))).collect()
        };
        let infos = self.nodes.iter().map(|node| (info(node), 1));
        gauges(encoder, "pathway_operator_info", "What an operator is, and the line that made it.", infos)?;
        let name = "pathway_operator_rows_in";
        counters(encoder, name, "Changes that came to an operator.", each(&|operator| operator.rows_in))?;
        let name = "pathway_operator_insertions";
        counters(encoder, name, "Rows that an operator added.", each(&|operator| operator.insertions))?;
        let name = "pathway_operator_deletions";
        counters(encoder, name, "Rows that an operator removed.", each(&|operator| operator.deletions))?;
        let busy = all.iter().map(|operator| (of(operator), operator.busy.as_secs_f64()));
        seconds(encoder, "pathway_operator_busy_seconds", "How long an operator worked.", busy)?;
        let name = "pathway_operator_state_bytes";
        let size = |size: usize| Some(size as i64);
        gauges(encoder, name, "State of an operator in memory.", known(&|operator| size(operator.memory)))?;
        let name = "pathway_operator_spilled_bytes";
        gauges(encoder, name, "State of an operator in files.", known(&|operator| size(operator.files)))?;
        let help = "How far an operator is behind the clock in milliseconds (-1 when finished).";
        let latency = known(&|operator| operator.frontier.latency(at));
        gauges(encoder, "pathway_operator_latency_ms", help, latency)?;
        let help = "How far an operator is behind the input in milliseconds.";
        let lag = known(&|operator| operator.frontier.lag(input, at).map(u64::cast_signed));
        gauges(encoder, "pathway_operator_lag_ms", help, lag)?;
        let errors = self.snapshot.errors.iter();
        let errors =
            errors.map(|(id, count)| (vec![("operator", id.to_string()), ("label", label(*id))], *count));
        counters(encoder, "pathway_operator_errors", "Errors that rows met in an operator.", errors)
    }

    fn connectors(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let all = &self.snapshot.connectors;
        let of = |id: u32, name: &str| -> Labels {
            vec![("operator", id.to_string()), ("connector", name.to_owned())]
        };
        let each = |value: &dyn Fn(usize) -> u64| -> Vec<(Labels, u64)> {
            all.iter().enumerate().map(|(i, one)| (of(one.id, &one.name), value(i))).collect()
        };
        let gauge = |value: &dyn Fn(usize) -> Option<i64>| -> Vec<(Labels, i64)> {
            all.iter().enumerate().filter_map(|(i, one)| Some((of(one.id, &one.name), value(i)?))).collect()
        };
        let at = self.snapshot.at;
        let name = "pathway_connector_messages";
        counters(encoder, name, "Messages since the start of the run.", each(&|i| all[i].messages))?;
        let name = "pathway_connector_minibatches";
        counters(encoder, name, "Minibatches with messages.", each(&|i| all[i].minibatches))?;
        let name = "pathway_connector_errors";
        counters(encoder, name, "Records and cells that could not be parsed.", each(&|i| all[i].errors))?;
        let name = "pathway_connector_dead_letters";
        counters(encoder, name, "Records that were rejected.", each(&|i| all[i].dead_letters))?;
        let last = gauge(&|i| Some(all[i].last_minibatch.cast_signed()));
        let name = "pathway_connector_last_minibatch_messages";
        gauges(encoder, name, "Messages in the last minibatch.", last)?;
        let last = gauge(&|i| Some(all[i].last_minute.cast_signed()));
        let name = "pathway_connector_last_minute_messages";
        gauges(encoder, name, "Messages in the last minute.", last)?;
        let finished = gauge(&|i| Some(i64::from(all[i].finished)));
        gauges(encoder, "pathway_connector_finished", "1 when nothing more is read.", finished)?;
        let help = "How far a source is behind the clock in milliseconds (-1 when finished).";
        let latency = gauge(&|i| all[i].frontier.latency(at));
        gauges(encoder, "pathway_connector_latency_ms", help, latency)
    }

    fn sinks(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let all = &self.snapshot.sinks;
        let of =
            |id: u32, name: &str| -> Labels { vec![("operator", id.to_string()), ("sink", name.to_owned())] };
        let rows = all.iter().map(|sink| (of(sink.id, &sink.name), sink.rows));
        counters(encoder, "pathway_sink_rows", "Changes that were written.", rows)?;
        let busy = all.iter().map(|sink| (of(sink.id, &sink.name), sink.busy.as_secs_f64()));
        seconds(encoder, "pathway_sink_busy_seconds", "How long writing took.", busy)?;
        let latency = all
            .iter()
            .filter_map(|sink| Some((of(sink.id, &sink.name), sink.frontier.latency(self.snapshot.at)?)));
        let help = "How far a sink is behind the clock in milliseconds (-1 when finished).";
        gauges(encoder, "pathway_sink_latency_ms", help, latency)
    }
}

/// What a node is.
fn info(node: &Node) -> Labels {
    let mut labels = vec![("operator", node.id.to_string()), ("label", node.label.clone())];
    if let Some(line) = &node.line {
        labels.push(("file", line.file.clone()));
        labels.push(("line", line.line.to_string()));
        labels.push(("function", line.function.clone()));
    }
    labels
}

/// A gauge without labels; none if its value is not known.
fn single(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: Option<i64>,
) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, i64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    values.into_iter().try_for_each(|(labels, value)| {
        ConstGauge::new(value).encode(family.encode_family(&escaped(&labels))?)
    })
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, u64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    values.into_iter().try_for_each(|(labels, value)| {
        ConstCounter::new(value).encode(family.encode_family(&escaped(&labels))?)
    })
}

fn seconds(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, f64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    values.into_iter().try_for_each(|(labels, value)| {
        ConstCounter::new(value).encode(family.encode_family(&escaped(&labels))?)
    })
}

/// Values of labels as they are written between quotes, which the encoder leaves to its caller.
fn escaped<'a>(labels: &'a [(&'static str, String)]) -> Vec<(&'static str, Cow<'a, str>)> {
    labels.iter().map(|(name, value)| (*name, quoted(value))).collect()
}

fn quoted(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests;
