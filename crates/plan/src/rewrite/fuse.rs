//! Neighbouring row-wise steps become one, and maps that only arrange columns are taken into their
//! neighbours.

use std::sync::Arc;

use pathway_expr::{Expr, ExprKind};

use crate::program::{Program, Stage, Step, StepId, StepOp};

/// Fuses row-wise steps into the row-wise step they read, where nothing else reads that and nobody
/// wants it kept.
pub(super) fn fuse(mut program: Program, kept: &[StepId]) -> Program {
    let mut readers = vec![0usize; program.steps.len()];
    kept.iter().for_each(|step| readers[step.0] += 1);
    for step in &program.steps {
        step.inputs.iter().for_each(|input| readers[input.0] += 1);
    }
    let mut fused: Vec<Step> = Vec::new();
    // Where each old step is now.
    let mut places: Vec<StepId> = Vec::new();
    for mut step in std::mem::take(&mut program.steps) {
        let old_input = step.inputs.first().copied();
        step.inputs.iter_mut().for_each(|input| *input = places[input.0]);
        let target = match (&step.op, old_input) {
            (StepOp::Stateless(_), Some(old)) if readers[old.0] == 1 => Some(places[old.0].0),
            _ => None,
        };
        let target = target.filter(|t| matches!(fused[*t].op, StepOp::Stateless(_)));
        match (target, step.op) {
            (Some(target), StepOp::Stateless(stages)) => {
                let before = &mut fused[target];
                if let StepOp::Stateless(all) = &mut before.op {
                    all.extend(stages);
                }
                before.names.append(&mut step.names);
                if before.name != step.name {
                    before.name = format!("{}+{}", before.name, step.name);
                }
                before.columns = step.columns;
                before.frame = step.frame.or(before.frame.take());
                places.push(StepId(target));
            }
            (_, op) => {
                places.push(StepId(fused.len()));
                fused.push(Step { op, ..step });
            }
        }
    }
    let mut program = Program { steps: fused, ..program };
    simplify(&mut program);
    program
}

fn simplify(program: &mut Program) {
    for i in 0..program.steps.len() {
        let width = program.steps[i].inputs.first().map(|input| program.steps[input.0].columns.len());
        let Step { op, names, .. } = &mut program.steps[i];
        if let (StepOp::Stateless(stages), Some(width)) = (op, width) {
            (*stages, *names) = compose(std::mem::take(stages), std::mem::take(names), width);
        }
    }
    skip_empty(program);
}

/// Takes maps that only arrange columns into the map before or after them. Each stage has the names of its columns.
fn compose(
    stages: Vec<Stage>,
    names: Vec<Vec<Arc<str>>>,
    mut width: usize,
) -> (Vec<Stage>, Vec<Vec<Arc<str>>>) {
    let mut all: Vec<Stage> = Vec::new();
    let mut called: Vec<Vec<Arc<str>>> = Vec::new();
    let names = names.into_iter().chain(std::iter::repeat_with(Vec::new));
    for (stage, names) in stages.into_iter().zip(names) {
        if is_identity(&stage, width) {
            continue;
        }
        let next_width = width_after(&stage, width);
        let composed = match (all.last(), &stage) {
            (Some(Stage::Map { expressions: first, frames: old }), Stage::Map { expressions, frames })
                if arranges(expressions) || arranges(first) =>
            {
                let bound = expressions.iter().map(|e| substitute(e, first)).collect();
                // Where the later map only moves a column, the line is that of the earlier one.
                let frames = expressions.iter().zip(frames).map(|(e, frame)| match e.kind() {
                    ExprKind::Input(i) => old[*i].clone().or_else(|| frame.clone()),
                    _ => frame.clone(),
                });
                Some(Stage::Map { expressions: bound, frames: frames.collect() })
            }
            _ => None,
        };
        match composed {
            Some(map) => {
                all.pop();
                called.pop();
                all.push(map);
            }
            None => all.push(stage),
        }
        called.push(names);
        width = next_width;
    }
    (all, called)
}

fn width_after(stage: &Stage, width: usize) -> usize {
    match stage {
        Stage::Map { expressions, .. } => expressions.len(),
        Stage::Filter { .. } | Stage::Reindex { .. } => width,
        Stage::Flatten { origin_id, .. } => width + usize::from(*origin_id),
    }
}

/// True if the expressions are nothing but columns of the input.
fn arranges(expressions: &[Expr]) -> bool {
    expressions.iter().all(|e| matches!(e.kind(), ExprKind::Input(_)))
}

/// The expression over the input of `first` instead of over its output.
fn substitute(expression: &Expr, first: &[Expr]) -> Expr {
    expression.rewrite(&mut |e| match e.kind() {
        ExprKind::Input(i) => Some(first[*i].clone()),
        _ => None,
    })
}

/// Removes steps that do nothing: their readers read what they read.
fn skip_empty(program: &mut Program) {
    let mut kept: Vec<Step> = Vec::new();
    let mut places: Vec<StepId> = Vec::new();
    for mut step in std::mem::take(&mut program.steps) {
        step.inputs.iter_mut().for_each(|input| *input = places[input.0]);
        let input = step.inputs.first().copied();
        let nothing = match (&step.op, input) {
            (StepOp::Stateless(stages), Some(input)) => match &stages[..] {
                [] => true,
                // Two maps may have become one that undoes itself.
                [only] => is_identity(only, kept[input.0].columns.len()),
                _ => false,
            },
            _ => false,
        };
        match input {
            Some(input) if nothing => places.push(input),
            _ => {
                places.push(StepId(kept.len()));
                kept.push(step);
            }
        }
    }
    program.steps = kept;
}

fn is_identity(stage: &Stage, width: usize) -> bool {
    match stage {
        Stage::Map { expressions, .. } => {
            let inputs = expressions.iter().enumerate();
            expressions.len() == width
                && inputs.into_iter().all(|(i, e)| matches!(e.kind(), ExprKind::Input(j) if *j == i))
        }
        _ => false,
    }
}
