//! The view where there is no terminal: some lines.

use super::progress::{Connector, Operator, Progress, share};

/// The lines of this moment.
pub(super) fn of(progress: &Progress) -> Vec<String> {
    let connectors = progress.connectors.iter().map(|connector| {
        let Connector { name, numbers: [last, minute, all], reading } = connector;
        let state = match reading.map(share) {
            _ if last == "finished" => ", finished".to_owned(),
            Some((percent, whole)) => format!(", {percent} % of {whole}"),
            None => String::new(),
        };
        format!("{name}: {all} messages, {minute} in the last minute{state}")
    });
    let all =
        std::iter::once(&progress.input).chain(&progress.operators).chain(std::iter::once(&progress.output));
    connectors.chain(all.map(of_operator)).collect()
}

fn of_operator(operator: &Operator) -> String {
    let Operator { label, place, latency, lag, total, current } = operator;
    let mut line = label.clone();
    if let Some(place) = place {
        line.push_str(&format!(" ({}:{})", place.file, place.line));
    }
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unit = |text: &str| if number(text) { format!("{text} ms") } else { text.to_owned() };
    line.push_str(&format!(": latency {}", unit(latency)));
    if number(lag) {
        line.push_str(&format!(", lag {lag} ms"));
    }
    for (text, what) in [(total, "rows"), (current, "rows now")] {
        if !text.is_empty() {
            line.push_str(&format!(", {text} {what}"));
        }
    }
    line
}
