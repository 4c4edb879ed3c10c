//! What a run was like in the last hour: a sample for each second.

use std::collections::VecDeque;

use pathway_dataflow::stats::Snapshot;
use serde::Serialize;

use crate::usage::Usage;

/// Samples that are kept: an hour of them.
const KEPT: usize = 3600;

/// The samples of the last hour.
#[derive(Debug, Default)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
    before: Option<Counts>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: u64,
    rows_in: f64,
    rows_out: f64,
    latency: Option<u64>,
    resident: Option<u64>,
    cpu: f64,
}

/// What only grows.
#[derive(Clone, Copy, Debug)]
struct Counts {
    at: u64,
    messages: u64,
    rows: u64,
    cpu: f64,
}

/// Samples as columns of one length.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Columns {
    at: Vec<u64>,
    rows_in: Vec<f64>,
    rows_out: Vec<f64>,
    latency_ms: Vec<Option<u64>>,
    resident_bytes: Vec<Option<u64>>,
    cpu: Vec<f64>,
}

impl History {
    /// Adds what is known at a moment. The first one only tells where counting begins.
    pub(crate) fn add(&mut self, snapshot: &Snapshot, usage: Usage) {
        let now = Counts {
            at: snapshot.at,
            messages: snapshot.connectors.iter().map(|connector| connector.messages).sum(),
            rows: snapshot.sinks.iter().map(|sink| sink.rows).sum(),
            cpu: usage.seconds(),
        };
        // A clock that was set back makes no sample.
        let before = self.before.replace(now).filter(|before| before.at < now.at);
        let Some(before) = before else { return };
        let seconds = (now.at - before.at) as f64 / 1000.0;
        if self.samples.len() == KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            at: now.at,
            rows_in: now.messages.saturating_sub(before.messages) as f64 / seconds,
            rows_out: now.rows.saturating_sub(before.rows) as f64 / seconds,
            latency: snapshot.output.latency(snapshot.at).and_then(|latency| u64::try_from(latency).ok()),
            resident: usage.memory,
            cpu: (now.cpu - before.cpu) / seconds,
        });
    }

    /// The samples later than this moment.
    pub(crate) fn after(&self, at: u64) -> Columns {
        let mut columns = Columns::default();
        for sample in self.samples.iter().filter(|sample| sample.at > at) {
            columns.at.push(sample.at);
            columns.rows_in.push(sample.rows_in);
            columns.rows_out.push(sample.rows_out);
            columns.latency_ms.push(sample.latency);
            columns.resident_bytes.push(sample.resident);
            columns.cpu.push(sample.cpu);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use pathway_dataflow::stats::{Frontier, SinkStats};

    use super::*;

    fn snapshot(at: u64, rows: u64, output: Frontier) -> Snapshot {
        let sink = SinkStats { id: 9, name: "out".to_owned(), rows, busy: Duration::ZERO, frontier: output };
        Snapshot {
            at,
            input: Frontier::Unknown,
            output,
            operators: vec![],
            errors: BTreeMap::new(),
            connectors: vec![],
            sinks: vec![sink],
        }
    }

    fn usage(seconds: u64) -> Usage {
        Usage { memory: Some(7), user: Duration::from_secs(seconds), system: Duration::ZERO }
    }

    #[test]
    fn samples_have_rates() {
        let mut history = History::default();
        history.add(&snapshot(1000, 10, Frontier::At(900)), usage(1));
        assert!(history.after(0).at.is_empty(), "a rate needs two moments");
        history.add(&snapshot(3000, 50, Frontier::At(2900)), usage(4));
        history.add(&snapshot(3000, 60, Frontier::At(2900)), usage(4));
        history.add(&snapshot(4000, 60, Frontier::Done), usage(4));
        let all = history.after(0);
        assert_eq!((&all.at[..], &all.rows_out[..]), (&[3000, 4000][..], &[20.0, 0.0][..]));
        assert_eq!(all.latency_ms, [Some(100), None]);
        assert_eq!(all.cpu, [1.5, 0.0]);
        assert_eq!(all.resident_bytes, [Some(7); 2]);
        assert_eq!(history.after(3000).at, [4000]);
    }

    #[test]
    fn an_hour_is_kept() {
        let mut history = History::default();
        for second in 0..KEPT as u64 + 10 {
            history.add(&snapshot(second * 1000, second, Frontier::Unknown), usage(second));
        }
        let all = history.after(0);
        assert_eq!((all.at.len(), all.at[0]), (KEPT, 10_000));
    }
}
