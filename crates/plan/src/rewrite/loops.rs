//! Which steps are inside of which loop, and their order: the steps of a loop follow each other.
//!
//! A step is inside of the innermost loop of what it reads; a variable is inside of its loop by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::Frame;
use crate::graph::LoopId;
use crate::graph::loops::Loop as PlannedLoop;
use crate::program::{Loop, Program, Step, StepId, StepOp};

/// Marks the steps of loops and brings them together; what leaves a loop and is read by nobody is left
/// out, unless it is one of the wanted operators.
pub(super) fn gather(
    mut program: Program,
    planned: &BTreeMap<LoopId, PlannedLoop>,
    wanted: &BTreeSet<u32>,
) -> Program {
    if planned.is_empty() {
        return program;
    }
    for i in 0..program.steps.len() {
        program.steps[i].inside = inside(&program, i, planned);
    }
    let mut is_read = vec![false; program.steps.len()];
    program.steps.iter().flat_map(|step| &step.inputs).for_each(|input| is_read[input.0] = true);
    let is_wanted = |step: &Step| wanted.contains(&step.frame.as_ref().map_or(0, Frame::operator));
    let unread = |(number, step): (usize, &Step)| {
        matches!(step.op, StepOp::Leave(_)) && !is_read[number] && !is_wanted(step)
    };
    let placed = program.steps.iter().enumerate().map(unread).collect();
    let mut order = Order { program: &program, planned, placed, order: vec![] };
    order.members(None);
    let order = order.order;
    let mut places = vec![StepId(usize::MAX); program.steps.len()];
    order.iter().enumerate().for_each(|(new, old)| places[*old] = StepId(new));
    let mut steps: Vec<Option<Step>> = program.steps.into_iter().map(Some).collect();
    let mut gathered = Program::default();
    for old in order {
        if let Some(mut step) = steps[old].take() {
            step.inputs.iter_mut().for_each(|input| *input = places[input.0]);
            gathered.steps.push(step);
        }
    }
    for step in &gathered.steps {
        let mut at = step.inside;
        while let Some(id) = at {
            let PlannedLoop { parent, level, limit, frame, .. } = planned[&id].clone();
            gathered.loops.insert(id, Loop { parent, level, limit, frame });
            at = parent;
        }
    }
    gathered
}

fn inside(program: &Program, number: usize, planned: &BTreeMap<LoopId, PlannedLoop>) -> Option<LoopId> {
    let step = &program.steps[number];
    match &step.op {
        StepOp::Variable(id) | StepOp::Feedback(id) => Some(*id),
        StepOp::Leave(id) => planned[id].parent,
        _ => {
            let all = step.inputs.iter().filter_map(|input| program.steps[input.0].inside);
            all.max_by_key(|id| planned[id].level)
        }
    }
}

/// Puts steps in an order in which inputs come before their readers and loops are in one piece.
struct Order<'a> {
    program: &'a Program,
    planned: &'a BTreeMap<LoopId, PlannedLoop>,
    placed: Vec<bool>,
    order: Vec<usize>,
}

impl Order<'_> {
    /// Places everything inside of a loop, those in it included.
    fn members(&mut self, scope: Option<LoopId>) {
        for number in 0..self.program.steps.len() {
            if self.is_within(self.program.steps[number].inside, scope) {
                self.place(number, scope);
            }
        }
    }

    fn is_within(&self, inside: Option<LoopId>, scope: Option<LoopId>) -> bool {
        let mut at = inside;
        while at != scope {
            match at {
                Some(id) => at = self.planned[&id].parent,
                None => return false,
            }
        }
        true
    }

    /// The loop directly in `scope` that a step is in, if it is in one.
    fn unit(&self, number: usize, scope: Option<LoopId>) -> Option<LoopId> {
        let mut at = self.program.steps[number].inside;
        let mut unit = None;
        while let Some(id) = at
            && at != scope
        {
            unit = Some(id);
            at = self.planned[&id].parent;
        }
        unit
    }

    /// Places a step of `scope`, and what it needs; if it is in a loop there, the whole loop.
    fn place(&mut self, number: usize, scope: Option<LoopId>) {
        if self.placed[number] {
            return;
        }
        let unit = self.unit(number, scope);
        let members: Vec<usize> = match unit {
            None => vec![number],
            Some(_) => (0..self.program.steps.len())
                .filter(|other| self.is_within(self.program.steps[*other].inside, unit))
                .collect(),
        };
        for member in &members {
            for input in &self.program.steps[*member].inputs {
                // Inputs of the same loop are placed with it, those outside of the scope have been.
                let inside = self.program.steps[input.0].inside;
                if (unit.is_none() || !self.is_within(inside, unit)) && self.is_within(inside, scope) {
                    self.place(input.0, scope);
                }
            }
        }
        match unit {
            None => {
                self.placed[number] = true;
                self.order.push(number);
            }
            Some(_) => self.members(unit),
        }
    }
}
