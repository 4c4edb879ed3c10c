//! Plans as graphs in the language of Graphviz.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use pathway_plan::Explanation;
use pathway_plan::explanation::Operator;

use crate::Stage;
use crate::label::{heading, lines, repeated};

/// One of the plans as a graph for Graphviz: rows flow downwards, and loops are boxes around what is repeated.
pub fn dot(explanation: &Explanation, stage: Stage) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, explanation, stage);
    text
}

fn write(f: &mut String, explanation: &Explanation, stage: Stage) -> fmt::Result {
    let name = match stage {
        Stage::Before => "before",
        Stage::After => "after",
    };
    writeln!(f, "digraph {name} {{")?;
    writeln!(f, "  node [shape=box, fontname=\"monospace\", fontsize=10];")?;
    let mut inside: BTreeMap<&str, Vec<&Operator>> = BTreeMap::new();
    for operator in stage.of(explanation) {
        inside.entry(operator.inside.as_deref().unwrap_or_default()).or_default().push(operator);
    }
    for (number, (looped, operators)) in inside.into_iter().enumerate() {
        if looped.is_empty() {
            operators.iter().try_for_each(|operator| node(f, stage, operator, "  "))?;
            continue;
        }
        let about = explanation.loops.iter().find(|about| about.id == looped);
        let about = about.map_or_else(|| vec![looped.to_owned()], repeated);
        writeln!(f, "  subgraph cluster_{number} {{\n    label=\"{}\";", aligned(about))?;
        operators.iter().try_for_each(|operator| node(f, stage, operator, "    "))?;
        writeln!(f, "  }}")?;
    }
    for operator in stage.of(explanation) {
        for input in &operator.inputs {
            writeln!(f, "  {} -> {};", quoted(input), quoted(&operator.id))?;
        }
    }
    writeln!(f, "}}")
}

fn node(f: &mut String, stage: Stage, operator: &Operator, indent: &str) -> fmt::Result {
    let more = lines(stage, operator).into_iter().map(|(word, line)| format!("{word} {line}"));
    let label = aligned(std::iter::once(heading(stage, operator)).chain(more));
    writeln!(f, "{indent}{} [label=\"{label}\"];", quoted(&operator.id))
}

/// Lines that are aligned to the left: `\l` ends one.
fn aligned(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| format!("{}\\l", escaped(&line))).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
