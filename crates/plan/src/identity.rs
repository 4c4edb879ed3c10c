//! What tells the steps of a program apart from one run to the next.

use std::fmt::Write;

use xxhash_rust::xxh3::Xxh3;

use crate::program::{Program, ReduceColumn, ReduceStep, Stage, Step, StepOp};

impl Program {
    /// For each step what identifies it: equal in two programs whose steps compute the same from sources
    /// with the same names, wherever that stands in the user's files.
    pub fn identities(&self) -> Vec<String> {
        let mut known: Vec<u128> = Vec::with_capacity(self.steps.len());
        let mut start = 0;
        while start < self.steps.len() {
            let inside = self.steps[start].inside.is_some();
            let end =
                (start + 1..self.steps.len()).find(|other| !inside || !self.in_same_loop(start, *other));
            let end = end.unwrap_or(self.steps.len());
            // The steps of a loop depend on each other in circles: they are told apart by the whole of it.
            let all: u128 = {
                let mut hash = Xxh3::new();
                (start..end).for_each(|number| hash.update(self.described(number, &known).as_bytes()));
                hash.digest128()
            };
            for number in start..end {
                known.push(if inside { all.wrapping_add((number - start) as u128) } else { all });
            }
            start = end;
        }
        known.into_iter().map(|identity| format!("{identity:032x}")).collect()
    }

    /// True if the state of a step matters: it is not computed from the rows of one time alone.
    pub fn has_state(&self, step: usize) -> bool {
        match &self.steps[step].op {
            StepOp::Stateless(stages) => {
                let remembers = |stage: &Stage| match stage {
                    Stage::Map { expressions, .. } => expressions.iter().any(|e| !e.is_deterministic()),
                    _ => false,
                };
                !self.reads_insertions_only(step) && stages.iter().any(remembers)
            }
            StepOp::Static { .. }
            | StepOp::Source(_)
            | StepOp::DeadLetters
            | StepOp::Beside
            | StepOp::ErrorLog(_)
            | StepOp::Concat
            | StepOp::Leave(_)
            | StepOp::Output(_) => false,
            _ => true,
        }
    }

    fn reads_insertions_only(&self, step: usize) -> bool {
        self.steps[step].inputs.iter().all(|input| self.steps[input.0].insert_only)
    }

    fn described(&self, number: usize, known: &[u128]) -> String {
        let step = &self.steps[number];
        let mut text = String::new();
        for input in &step.inputs {
            // Inputs that come later are in the same loop.
            match known.get(input.0) {
                Some(identity) => write!(text, "{identity:032x} "),
                None => write!(text, "-{} ", number.abs_diff(input.0)),
            }
            .unwrap_or_default();
        }
        write!(text, "{:?} {}", step.columns, step.insert_only).unwrap_or_default();
        match &step.op {
            StepOp::Source(source) => {
                let (name, session) = (self.persistent_name(number), source.source.session());
                write!(text, "source {name} {session:?}").unwrap_or_default();
            }
            StepOp::Static { batches, .. } => {
                for (time, batch) in batches.iter() {
                    let keys = batch.keys.as_slice();
                    write!(text, "static {time} {keys:?} {:?}", batch.diffs).unwrap_or_default();
                    for (column, dtype) in batch.columns.iter().zip(&step.columns) {
                        for row in 0..batch.len() {
                            write!(text, "{:?},", column.value(dtype, row)).unwrap_or_default();
                        }
                    }
                }
            }
            StepOp::Output(_) => {}
            op => write!(text, "{:?}", without_lines(op)).unwrap_or_default(),
        }
        text
    }

    /// The name under which a source or sink persists: its own or, if it has none, what it is and how many
    /// without one come before.
    pub fn persistent_name(&self, number: usize) -> String {
        let name = |step: &Step| match &step.op {
            StepOp::Source(source) => Some((true, source.name.clone())),
            StepOp::Output(output) => Some((false, output.name.clone())),
            _ => None,
        };
        match name(&self.steps[number]) {
            Some((_, Some(name))) => name,
            of => {
                let is_source = of.map(|(is_source, _)| (is_source, None));
                let before = self.steps[..number].iter().filter(|step| name(step) == is_source).count();
                format!("{}-{before}", self.steps[number].name)
            }
        }
    }
}

/// The operation, wherever it was written.
fn without_lines(op: &StepOp) -> StepOp {
    match op.clone() {
        StepOp::Stateless(stages) => {
            let stage = |stage| match stage {
                Stage::Map { expressions, .. } => Stage::Map { expressions, frames: Vec::new() },
                Stage::Filter { condition, .. } => Stage::Filter { condition, frame: None },
                Stage::Reindex { column, .. } => Stage::Reindex { column, frame: None },
                Stage::Flatten { column, sequence, element, origin_id, .. } => {
                    Stage::Flatten { column, sequence, element, origin_id, frame: None }
                }
            };
            StepOp::Stateless(stages.into_iter().map(stage).collect())
        }
        StepOp::Reduce(reduce) => {
            let column = |column: ReduceColumn| ReduceColumn { frame: None, ..column };
            let reducers = reduce.reducers.iter().cloned().map(column).collect();
            StepOp::Reduce(ReduceStep { reducers, ..reduce })
        }
        op => op,
    }
}
