//! Which steps never emit a removal.

use super::Rewrites;
use crate::program::{JoinIds, JoinMode, JoinStep, Matching, Program, StepId, StepOp};

/// Marks them, inputs before consumers.
pub(super) fn mark(program: &mut Program, rewrites: Rewrites) {
    for i in 0..program.steps.len() {
        let step = &program.steps[i];
        let all = |inputs: &[StepId]| inputs.iter().all(|s| program.steps[s.0].insert_only);
        let inputs = all(&step.inputs);
        let insert_only = match &step.op {
            StepOp::Static { batches, .. } => {
                batches.iter().all(|(_, batch)| batch.diffs.iter().all(|diff| diff > 0))
            }
            StepOp::Source(_) if rewrites.replays => false,
            StepOp::Source(source) if rewrites.lasting => source.source.insert_only_for_good(),
            StepOp::Source(source) => source.source.insert_only(),
            StepOp::DeadLetters | StepOp::ErrorLog(_) | StepOp::Calls(_) => true,
            // Rows that nobody removes are answered once.
            StepOp::Answers(_) if step.inputs.len() == 1 => all(&program.steps[step.inputs[0].0].inputs),
            StepOp::Answers(_) => false,
            StepOp::Stateless(_) | StepOp::Zip | StepOp::Concat | StepOp::Intersect | StepOp::Output(_) => {
                inputs
            }
            StepOp::Join(JoinStep { matching: Matching::AsOfNow, .. }) => all(&step.inputs[..1]),
            StepOp::Join(JoinStep { matching: Matching::AsOf { .. }, .. }) => false,
            StepOp::Join(join) => inputs && join.mode == JoinMode::Inner && join.ids == JoinIds::Pair,
            // A row that lacks its counterpart is an error until the counterpart comes.
            StepOp::Lookup(_) | StepOp::Restrict { .. } => false,
            StepOp::Transform(_) | StepOp::Beside => false,
            StepOp::Stateful(stateful) => {
                let of_inputs = step.inputs.iter().map(|s| program.steps[s.0].insert_only);
                stateful.kind.insert_only(&of_inputs.collect::<Vec<_>>())
            }
            // In a loop, rows come and go from step to step.
            StepOp::Variable(_) | StepOp::Feedback(_) | StepOp::Leave(_) => false,
            StepOp::Reduce(_) | StepOp::UpdateRows | StepOp::UpdateCells { .. } | StepOp::Difference => false,
        };
        program.steps[i].insert_only = insert_only;
    }
}
