//! What a run consists of, for people: a graph of nodes with the lines of the user's program.

use std::collections::BTreeSet;

use pathway_plan::Frame;
use pathway_plan::program::{Program, Stage, Step, StepOp};
use serde::Serialize;

/// The nodes of a run; inputs come before their readers.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A step of the program, or a stage of a row-wise one; a loop is one node.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// The number of the operator in the user's program, as in error logs, where that is known and no other node
    /// has it; otherwise a number that none has.
    pub id: u32,
    /// The step of the program. Stages of one step are computed together.
    pub step: usize,
    /// The stage of a row-wise step.
    pub stage: Option<usize>,
    /// What it does: `select`, `_reduce`, `input(csv)`.
    pub label: String,
    /// Whether rows come in or leave here.
    pub kind: Kind,
    /// The name of a source or sink, for people.
    pub name: Option<String>,
    /// The nodes it reads.
    pub inputs: Vec<u32>,
    /// The user's line.
    pub line: Option<Line>,
    /// It is a loop with all that is inside.
    #[serde(skip)]
    pub(super) is_loop: bool,
}

impl Node {
    /// A node that is neither input nor output, of a line that is not known.
    pub fn new(id: u32, label: &str, inputs: Vec<u32>) -> Node {
        let (label, kind) = (label.to_owned(), Kind::Operator);
        let (step, stage, name, line) = (id as usize, None, None, None);
        Node { id, step, stage, label, kind, name, inputs, line, is_loop: false }
    }

    /// True of a loop with all that is inside.
    pub fn is_loop(&self) -> bool {
        self.is_loop
    }
}

/// Whether rows enter or leave the run at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A source, or a table that is part of the program.
    Input,
    /// Neither.
    Operator,
    /// A sink.
    Output,
}

/// A line of the user's program.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The function.
    pub function: String,
    /// The file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: u32,
    /// Its text.
    pub source: String,
}

impl Line {
    pub(super) fn of(frame: &Frame) -> Option<Line> {
        let Frame { file, line, function, source, .. } = frame.known()?;
        let text = |text: &str| text.to_owned();
        Some(Line { function: text(function), file: text(file), line: *line, source: text(source) })
    }
}

impl Outline {
    /// That of a program.
    pub(super) fn of(program: &Program) -> Outline {
        let mut drafts = Vec::new();
        // The last node of each step, and the step whose node stands for it.
        let mut last: Vec<usize> = Vec::new();
        for (number, step) in program.steps.iter().enumerate() {
            let inputs = |last: &[usize]| -> Vec<usize> {
                let known = step.inputs.iter().filter(|input| input.0 < number);
                known.map(|input| last[input.0]).collect()
            };
            if step.inside.is_some() {
                let of_loop = number > 0 && program.in_same_loop(number - 1, number);
                if !of_loop {
                    let looped = step.inside.and_then(|id| program.loops.get(&id));
                    let frame = looped.and_then(|looped| looped.frame.clone()).or_else(|| step.frame.clone());
                    let draft = Draft::new(number, "iterate".to_owned(), frame);
                    drafts.push(Draft { is_loop: true, ..draft });
                }
                let node = drafts.len() - 1;
                let outside = inputs(&last).into_iter().filter(|input| *input != node);
                drafts[node].inputs.extend(outside);
                last.push(node);
                continue;
            }
            let inputs = inputs(&last);
            match &step.op {
                StepOp::Stateless(stages) if !stages.is_empty() => {
                    let mut inputs = inputs;
                    for (position, stage) in stages.iter().enumerate() {
                        let (label, frame) = of_stage(stage);
                        let frame = frame.cloned().or_else(|| step.frame.clone());
                        let draft = Draft::new(number, label.to_owned(), frame);
                        inputs.push(drafts.len());
                        let own = inputs.pop();
                        drafts.push(Draft { stage: Some(position), inputs, ..draft });
                        inputs = own.into_iter().collect();
                    }
                }
                _ => {
                    let (kind, label) = of_step(step);
                    let name = (kind != Kind::Operator).then(|| program.label(number));
                    let draft = Draft::new(number, label, step.frame.clone());
                    drafts.push(Draft { kind, name, inputs, ..draft });
                }
            }
            last.push(drafts.len() - 1);
        }
        numbered(drafts)
    }

    /// The position of the node that something which happens at a step belongs to: that of a stage, or of a line, if
    /// it is known.
    pub(super) fn position(&self, step: usize, stage: Option<usize>, operator: u32) -> Option<usize> {
        let of_step = || self.nodes.iter().enumerate().filter(|(_, node)| node.step == step);
        let exactly = of_step().find(|(_, node)| match stage {
            Some(_) => node.stage == stage,
            None => node.id == operator,
        });
        exactly.or_else(|| of_step().next_back()).map(|(position, _)| position)
    }

    /// True if a step is one node.
    pub(super) fn is_one(&self, step: usize) -> bool {
        self.nodes.iter().any(|node| node.step == step && node.stage.is_none())
    }
}

/// A node before it has a number; its inputs are positions of others.
struct Draft {
    step: usize,
    stage: Option<usize>,
    label: String,
    kind: Kind,
    name: Option<String>,
    inputs: Vec<usize>,
    frame: Option<Frame>,
    is_loop: bool,
}

impl Draft {
    fn new(step: usize, label: String, frame: Option<Frame>) -> Draft {
        let (kind, name, inputs) = (Kind::Operator, None, Vec::new());
        Draft { step, stage: None, label, kind, name, inputs, frame, is_loop: false }
    }
}

fn numbered(drafts: Vec<Draft>) -> Outline {
    let operator = |draft: &Draft| draft.frame.as_ref().map_or(0, Frame::operator);
    let mut next = drafts.iter().map(operator).max().unwrap_or(0);
    let mut taken = BTreeSet::from([0]);
    let mut ids = Vec::new();
    for draft in &drafts {
        let mut id = operator(draft);
        if !taken.insert(id) {
            next += 1;
            id = next;
        }
        ids.push(id);
    }
    let nodes = drafts.into_iter().zip(&ids).map(|(draft, id)| {
        let mut inputs: Vec<u32> = draft.inputs.iter().map(|input| ids[*input]).collect();
        let mut seen = BTreeSet::new();
        inputs.retain(|input| seen.insert(*input));
        Node {
            id: *id,
            step: draft.step,
            stage: draft.stage,
            label: draft.label,
            kind: draft.kind,
            name: draft.name,
            inputs,
            line: draft.frame.as_ref().and_then(Line::of),
            is_loop: draft.is_loop,
        }
    });
    Outline { nodes: nodes.collect() }
}

fn of_stage(stage: &Stage) -> (&'static str, Option<&Frame>) {
    match stage {
        Stage::Map { frames, .. } => ("select", frames.iter().flatten().next()),
        Stage::Filter { frame, .. } => ("filter", frame.as_ref()),
        Stage::Reindex { frame, .. } => ("reindex", frame.as_ref()),
        Stage::Flatten { frame, .. } => ("flatten", frame.as_ref()),
    }
}

fn of_step(step: &Step) -> (Kind, String) {
    // `csv(a.csv)` is of the kind csv.
    let kind = step.name.split('(').next().unwrap_or_default();
    match &step.op {
        StepOp::Static { .. } | StepOp::Source(_) => (Kind::Input, format!("input({kind})")),
        StepOp::Output(_) => (Kind::Output, format!("output({kind})")),
        StepOp::Reduce(_) => (Kind::Operator, "_reduce".to_owned()),
        StepOp::Leave(_) => (Kind::Operator, "iterate_result".to_owned()),
        _ => (Kind::Operator, step.name.clone()),
    }
}
