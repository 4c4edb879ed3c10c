use std::collections::BTreeMap;
use std::time::Duration;

use pathway_dataflow::stats::{ConnectorStats, Frontier, SinkStats};

use super::*;

fn outline() -> Outline {
    let node = |id: u32, label: &str, inputs: Vec<u32>| Node::new(id, label, inputs);
    Outline { nodes: vec![node(1, "input(\"a\\b\n\")", vec![]), node(4, "select", vec![1])] }
}

fn snapshot() -> Snapshot {
    let operator = |id: u32, worker: usize, insertions: u64, frontier: Frontier| OperatorStats {
        id,
        worker,
        rows_in: insertions + 1,
        insertions,
        deletions: 1,
        busy: Duration::from_millis(1500),
        frontier,
        memory: 10,
        files: 20,
    };
    Snapshot {
        at: 1000,
        input: Frontier::At(900),
        output: Frontier::Done,
        operators: vec![
            operator(1, 0, 5, Frontier::At(900)),
            operator(1, 1, 7, Frontier::Done),
            operator(4, 0, 3, Frontier::Unknown),
            operator(4, 1, 4, Frontier::At(800)),
        ],
        errors: BTreeMap::from([(4, 2)]),
        connectors: vec![ConnectorStats {
            id: 1,
            name: "mine".to_owned(),
            last_minibatch: 3,
            last_minute: 12,
            messages: 12,
            minibatches: 2,
            errors: 1,
            dead_letters: 1,
            reading: None,
            finished: false,
            frontier: Frontier::At(900),
        }],
        sinks: vec![SinkStats {
            id: 9,
            name: "out".to_owned(),
            rows: 8,
            busy: Duration::from_millis(250),
            frontier: Frontier::Done,
        }],
    }
}

#[test]
fn the_metrics_of_the_original_come_first() {
    let text = text(&outline(), snapshot(), Names::All).unwrap();
    let expected = "\
# HELP input_latency_ms A latency of input in milliseconds (-1 when finished).
# TYPE input_latency_ms gauge
input_latency_ms 100
# HELP output_latency_ms A latency of output in milliseconds (-1 when finished).
# TYPE output_latency_ms gauge
output_latency_ms -1
# HELP 1_rows_positive Number of positive updates in operator 1.
# TYPE 1_rows_positive gauge
1_rows_positive 12
# HELP 1_rows_negative Number of negative updates in operator 1.
# TYPE 1_rows_negative gauge
1_rows_negative 2
# HELP 1_latency_ms A latency of operator 1 in milliseconds (-1 when finished).
# TYPE 1_latency_ms gauge
1_latency_ms 100
# HELP 4_rows_positive Number of positive updates in operator 4.
# TYPE 4_rows_positive gauge
4_rows_positive 7
# HELP 4_rows_negative Number of negative updates in operator 4.
# TYPE 4_rows_negative gauge
4_rows_negative 2
# HELP pathway_operator_info What an operator is, and the line that made it.
";
    assert_eq!(&text[..expected.len()], expected);
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}

#[test]
fn other_metrics_have_labels() {
    let text = text(&outline(), snapshot(), Names::Valid).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        r#"pathway_operator_info{operator="4",label="select"} 1"#,
        r#"pathway_operator_rows_in_total{operator="1",label="input(\"a\\b\n\")",worker="1"} 8"#,
        r#"pathway_operator_insertions_total{operator="4",label="select",worker="0"} 3"#,
        r#"pathway_operator_busy_seconds_total{operator="4",label="select",worker="0"} 1.5"#,
        r#"pathway_operator_state_bytes{operator="4",label="select",worker="0"} 10"#,
        r#"pathway_operator_spilled_bytes{operator="4",label="select",worker="0"} 20"#,
        r#"pathway_operator_latency_ms{operator="4",label="select",worker="1"} 200"#,
        r#"pathway_operator_lag_ms{operator="4",label="select",worker="1"} 100"#,
        r#"pathway_operator_errors_total{operator="4",label="select"} 2"#,
        r#"pathway_connector_messages_total{operator="1",connector="mine"} 12"#,
        r#"pathway_connector_dead_letters_total{operator="1",connector="mine"} 1"#,
        r#"pathway_connector_finished{operator="1",connector="mine"} 0"#,
        r#"pathway_connector_latency_ms{operator="1",connector="mine"} 100"#,
        r#"pathway_sink_rows_total{operator="9",sink="out"} 8"#,
        r#"pathway_sink_latency_ms{operator="9",sink="out"} -1"#,
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!lines.iter().any(|line| line.starts_with(char::is_numeric)), "{text}");
    let unknown = r#"pathway_operator_latency_ms{operator="4",label="select",worker="0"}"#;
    assert!(!text.contains(unknown), "nothing is said of what is not known");
}
