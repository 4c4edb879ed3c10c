//! What the tables of the view say.

use std::time::Duration;

use pathway_dataflow::stats::{Extent, Frontier, Kind, Node, Outline, Snapshot, Unit};

/// The run at one moment, as texts.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Each source.
    pub(super) connectors: Vec<Connector>,
    /// All inputs together.
    pub(super) input: Operator,
    /// Each operator, if these are wanted.
    pub(super) operators: Vec<Operator>,
    /// All outputs together.
    pub(super) output: Operator,
    /// What else there is to say.
    pub(super) summary: String,
}

/// A row of the table of connectors.
#[derive(Debug, Default)]
pub(super) struct Connector {
    pub(super) name: String,
    /// Messages in the last minibatch, in the last minute, and in all.
    pub(super) numbers: [String; 3],
    /// How far it is, while that is known.
    pub(super) reading: Option<Extent>,
}

/// A row of the table of operators.
#[derive(Debug, Default)]
pub(super) struct Operator {
    pub(super) label: String,
    /// The user's line, if it is known.
    pub(super) place: Option<Place>,
    pub(super) latency: String,
    pub(super) lag: String,
    pub(super) total: String,
    pub(super) current: String,
}

/// A line of the user's program.
#[derive(Debug)]
pub(super) struct Place {
    /// The name of the file, without its folder.
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) text: String,
}

/// What there is to say about a run.
pub(super) fn progress(outline: &Outline, snapshot: &Snapshot, operators: bool, age: Duration) -> Progress {
    let connectors = snapshot.connectors.iter().map(|one| {
        let last = if one.finished { "finished".to_owned() } else { one.last_minibatch.to_string() };
        let numbers = [last, one.last_minute.to_string(), one.messages.to_string()];
        // What is over needs no bar.
        Connector { name: one.name.clone(), numbers, reading: one.reading.filter(|_| !one.finished) }
    });
    let of_kind = |kind: Kind| outline.nodes.iter().filter(move |node| node.kind == kind);
    let input = Operator {
        label: "input".to_owned(),
        latency: latency(snapshot.input, snapshot.at),
        ..counted(snapshot, of_kind(Kind::Input))
    };
    let rows: u64 = snapshot.sinks.iter().map(|sink| sink.rows).sum();
    let output = Operator {
        label: "output".to_owned(),
        latency: latency(snapshot.output, snapshot.at),
        lag: lag(snapshot.output, snapshot),
        total: if snapshot.sinks.is_empty() { String::new() } else { rows.to_string() },
        ..Operator::default()
    };
    let each = of_kind(Kind::Operator).filter(|_| operators).map(|node| operator(node, snapshot));
    Progress {
        connectors: connectors.collect(),
        input,
        operators: each.collect(),
        output,
        summary: summary(snapshot, age),
    }
}

fn operator(node: &Node, snapshot: &Snapshot) -> Operator {
    let frontier = snapshot.operators.iter().filter(|one| one.id == node.id).map(|one| one.frontier).min();
    let known = |text: &dyn Fn(Frontier) -> String| frontier.map_or_else(|| "no info".to_owned(), text);
    let place = node.line.as_ref().map(|line| Place {
        file: line.file.rsplit('/').next().unwrap_or_default().to_owned(),
        line: line.line,
        text: line.source.trim().to_owned(),
    });
    Operator {
        label: node.label.clone(),
        place,
        latency: known(&|frontier| latency(frontier, snapshot.at)),
        lag: known(&|frontier| lag(frontier, snapshot)),
        ..counted(snapshot, std::iter::once(node))
    }
}

/// The changes that nodes gave, on all workers of the process.
fn counted<'a>(snapshot: &Snapshot, nodes: impl Iterator<Item = &'a Node>) -> Operator {
    let (mut inserted, mut deleted) = (0, 0);
    for node in nodes {
        for one in snapshot.operators.iter().filter(|one| one.id == node.id) {
            inserted += one.insertions;
            deleted += one.deletions;
        }
    }
    let current = inserted.cast_signed() - deleted.cast_signed();
    Operator { total: (inserted + deleted).to_string(), current: current.to_string(), ..Operator::default() }
}

fn latency(frontier: Frontier, at: u64) -> String {
    match frontier.latency(at) {
        None => "initializing".to_owned(),
        Some(-1) => "finished".to_owned(),
        Some(latency) => latency.to_string(),
    }
}

fn lag(frontier: Frontier, snapshot: &Snapshot) -> String {
    match frontier {
        Frontier::Unknown => "initializing".to_owned(),
        Frontier::Done => "finished".to_owned(),
        Frontier::At(_) => {
            let lag = frontier.lag(snapshot.input, snapshot.at);
            lag.map_or_else(|| "initializing".to_owned(), |lag| lag.to_string())
        }
    }
}

fn summary(snapshot: &Snapshot, age: Duration) -> String {
    let mut workers: Vec<usize> = snapshot.operators.iter().map(|one| one.worker).collect();
    workers.sort_unstable();
    workers.dedup();
    let seconds = age.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut summary = format!("{hours}:{minutes:02}:{:02}", seconds % 60);
    let counts = [
        ("worker", workers.len() as u64),
        ("error", snapshot.errors.values().sum()),
        ("parse error", snapshot.connectors.iter().map(|one| one.errors).sum()),
    ];
    for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let plural = if count == 1 { "" } else { "s" };
        summary.push_str(&format!(" · {count} {what}{plural}"));
    }
    summary
}

/// The share that was read, and of how much.
pub(super) fn share(reading: Extent) -> (u64, String) {
    let Extent { done, all, unit } = reading;
    let percent = (u128::from(done) * 100 / u128::from(all.max(1))) as u64;
    let all = match unit {
        Unit::Bytes => bytes(all),
        Unit::Rows => format!("{all} rows"),
    };
    (percent, all)
}

/// 12 MB.
fn bytes(number: u64) -> String {
    let mut scaled = number as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if scaled < 1000.0 {
            break;
        }
        scaled /= 1000.0;
        unit = larger;
    }
    let digits = usize::from(unit != "B" && scaled < 9.95);
    format!("{scaled:.digits$} {unit}")
}

impl Progress {
    /// That of a run that has not begun.
    pub(super) fn unknown() -> Progress {
        let operator = |label: &str| Operator {
            label: label.to_owned(),
            latency: "initializing".to_owned(),
            ..Operator::default()
        };
        Progress { input: operator("input"), output: operator("output"), ..Progress::default() }
    }
}
