//! Plans as trees, from the outputs to the inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use pathway_plan::Explanation;
use pathway_plan::explanation::Operator;

use crate::Stage;
use crate::label::{heading, lines, reference, repeated};

/// Words in front of lines are at least so wide.
const WORD: usize = 8;

/// Both plans as text: each output with what it is made of below it. An operator that several others read is there once,
/// and referred to afterwards.
pub fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, explanation);
    text
}

fn write(f: &mut String, explanation: &Explanation) -> fmt::Result {
    let operators =
        |count: usize| if count == 1 { "1 operator".to_owned() } else { format!("{count} operators") };
    write!(f, "Before rewriting: {}", operators(explanation.before.len()))?;
    match explanation.left_out {
        0 => writeln!(f)?,
        left_out => writeln!(f, " ({left_out} more not needed)")?,
    }
    Tree::new(Stage::Before, explanation).write(f)?;
    writeln!(f, "\nAfter rewriting: {}", operators(explanation.after.len()))?;
    Tree::new(Stage::After, explanation).write(f)?;
    if !explanation.loops.is_empty() {
        writeln!(f)?;
    }
    explanation.loops.iter().try_for_each(|looped| writeln!(f, "{}", repeated(looped).join("; ")))
}

struct Tree<'a> {
    stage: Stage,
    operators: BTreeMap<&'a str, &'a Operator>,
    roots: Vec<&'a Operator>,
    shown: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn new(stage: Stage, explanation: &'a Explanation) -> Tree<'a> {
        let all = stage.of(explanation);
        let read: BTreeSet<&str> = all.iter().flat_map(|o| o.inputs.iter().map(String::as_str)).collect();
        Tree {
            stage,
            operators: all.iter().map(|operator| (operator.id.as_str(), operator)).collect(),
            roots: all.iter().filter(|operator| !read.contains(operator.id.as_str())).collect(),
            shown: BTreeSet::new(),
        }
    }

    fn write(mut self, f: &mut String) -> fmt::Result {
        for root in std::mem::take(&mut self.roots) {
            writeln!(f)?;
            self.operator(f, root, "", "")?;
        }
        Ok(())
    }

    /// An operator and, below it, what it reads. A single input is right below, several are indented.
    fn operator(&mut self, f: &mut String, operator: &'a Operator, first: &str, rest: &str) -> fmt::Result {
        let mut first = first;
        let mut operator = operator;
        loop {
            let heading = heading(self.stage, operator);
            if !self.shown.insert(&operator.id) {
                return writeln!(f, "{first}{heading}, see above");
            }
            writeln!(f, "{first}{heading}")?;
            let bar = if operator.inputs.is_empty() { "   " } else { "\u{2502}  " };
            for (word, line) in lines(self.stage, operator) {
                writeln!(f, "{rest}{bar}{word:WORD$} {line}")?;
            }
            first = rest;
            let inputs: Vec<&'a Operator> =
                operator.inputs.iter().filter_map(|id| self.operators.get(id.as_str()).copied()).collect();
            match &inputs[..] {
                [] => return Ok(()),
                [input] => operator = input,
                [others @ .., last] => {
                    for input in others {
                        let below = (format!("{rest}\u{251c}\u{2500} "), format!("{rest}\u{2502}  "));
                        self.operator(f, input, &below.0, &below.1)?;
                    }
                    let below = (format!("{rest}\u{2514}\u{2500} "), format!("{rest}   "));
                    return self.operator(f, last, &below.0, &below.1);
                }
            }
        }
    }
}

/// The whole of an operator, for a tooltip.
pub(crate) fn whole(stage: Stage, operator: &Operator) -> String {
    let mut text = heading(stage, operator);
    for (word, line) in lines(stage, operator) {
        let _ = write!(text, "\n{word}: {line}");
    }
    if !operator.inputs.is_empty() {
        let inputs: Vec<String> = operator.inputs.iter().map(|id| reference(stage, id)).collect();
        let _ = write!(text, "\nreads: {}", inputs.join(", "));
    }
    text
}
