//! Loops: their steps again and again, until what goes around is what came.

use std::ops::Range;

use hashbrown::HashMap;

use super::{Changes, ReferenceError, Rows, run_step};
use crate::program::{LoopId, Program, StepId, StepOp};

/// A loop that takes longer is taken to be endless.
const MOST_ROUNDS: u32 = 1000;

/// Runs steps that are directly in `scope`, and the loops among them.
pub(super) fn run(
    program: &Program,
    scope: Option<LoopId>,
    steps: Range<usize>,
    done: &mut [Rows],
    sources: &HashMap<StepId, Changes>,
) -> Result<(), ReferenceError> {
    let mut number = steps.start;
    while number < steps.end {
        match loop_at(program, scope, number) {
            None => {
                // A variable has what came around.
                if !matches!(program.steps[number].op, StepOp::Variable(_)) {
                    run_step(program, number, done, sources)?;
                }
                number += 1;
            }
            Some(id) => {
                let end = (number..steps.end).find(|n| loop_at(program, scope, *n) != Some(id));
                let body = number..end.unwrap_or(steps.end);
                number = body.end;
                rounds(program, id, body, done, sources)?;
            }
        }
    }
    Ok(())
}

/// The loop directly in `scope` that a step is in, if it is in one.
fn loop_at(program: &Program, scope: Option<LoopId>, number: usize) -> Option<LoopId> {
    let mut at = program.steps[number].inside;
    let mut found = None;
    while let Some(id) = at
        && at != scope
    {
        found = Some(id);
        at = program.loops[&id].parent;
    }
    found
}

fn rounds(
    program: &Program,
    id: LoopId,
    body: Range<usize>,
    done: &mut [Rows],
    sources: &HashMap<StepId, Changes>,
) -> Result<(), ReferenceError> {
    let of_loop = |op: fn(&StepOp) -> Option<LoopId>| {
        body.clone().filter(move |n| op(&program.steps[*n].op) == Some(id)).collect::<Vec<usize>>()
    };
    let variables = of_loop(|op| match op {
        StepOp::Variable(id) => Some(*id),
        _ => None,
    });
    let feedbacks = of_loop(|op| match op {
        StepOp::Feedback(id) => Some(*id),
        _ => None,
    });
    for number in &variables {
        run_step(program, *number, done, sources)?;
    }
    for round in 1.. {
        run(program, Some(id), body.clone(), done, sources)?;
        let mut changed = false;
        for feedback in &feedbacks {
            let [result, variable] = [0, 1].map(|i| program.steps[*feedback].inputs[i].0);
            if done[variable] != done[result] {
                changed = true;
                done[variable] = done[result].clone();
            }
        }
        if !changed || program.loops[&id].limit == Some(round) {
            return Ok(());
        }
        if round >= MOST_ROUNDS {
            break;
        }
    }
    Err(ReferenceError::Endless)
}
