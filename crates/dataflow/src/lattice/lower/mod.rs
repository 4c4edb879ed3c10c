//! From the steps of a loop, and of the loops inside of it, to operators of the lattice path.
//!
//! All of them live in one scope; the levels of a time tell the rounds of loops in loops. What a
//! body reads of the scope around it enters once, however many steps read it. The rows that go around
//! are added up before each round, so that a loop ends when they do not change.

use std::ops::Range;

use hashbrown::HashMap;
use pathway_plan::program::{JoinStep, LoopId, Matching, Program, Stage, Step, StepOp};
use pathway_types::{DType, Timestamp};

use super::arrange::{Index, arrange, changes, consolidate, keys_of, per_packet};
use super::loops::{end, enter_kept, leave, leave_level};
use super::packet::{Flow, TimedPacket};
use super::reduce::{group, present_keys, reduce, remember};
use super::stateless::stateless;
use super::time::{LEVELS, LoopTime, next_round};
use crate::context::{Context, Site};
use crate::driver::Edge;
use crate::keep::Keeper;
use crate::lower::table_name;
use crate::operators::combine::Rule;
use crate::operators::join::{JoinSpec, join_sides, lookup_join};
use crate::operators::stateless::{Segment, Stages, segments};
use crate::timely::{LoopVariable, Scope};

mod combine;
mod interval;
mod join;

const _: () = assert!(LEVELS == pathway_plan::program::MOST_LEVELS);

/// What comes out of a loop.
pub(crate) struct Lowered<'outer> {
    /// Steps outside that take the rows of its tables.
    pub(crate) leaves: Vec<(usize, Edge<'outer>)>,
    /// Nothing, for as long as steps that no step reads are at work.
    pub(crate) ends: Vec<Edge<'outer>>,
}

/// Builds the steps of a loop; `edges` are those outside.
pub(crate) fn lower<'outer>(
    program: &Program,
    steps: Range<usize>,
    scope: Scope<'outer, Timestamp>,
    edges: &[Option<Edge<'outer>>],
    context: &Context,
    of_log: bool,
    keeper: &dyn Fn() -> Option<Keeper>,
) -> Lowered<'outer> {
    scope.scoped::<LoopTime, _, _>("loop", |inner| {
        let mut body = Body {
            program,
            scope: inner,
            edges,
            context,
            of_log,
            keeper,
            flows: HashMap::new(),
            indexes: HashMap::new(),
            present: HashMap::new(),
            variables: HashMap::new(),
        };
        let mut is_read = vec![false; program.steps.len()];
        for step in &program.steps {
            step.inputs.iter().for_each(|input| is_read[input.0] = true);
        }
        steps.clone().for_each(|number| body.add(number));
        let mut lowered = Lowered { leaves: Vec::new(), ends: Vec::new() };
        for (number, step) in program.steps.iter().enumerate() {
            if step.inside.is_none()
                && matches!(step.op, StepOp::Leave(_))
                && steps.contains(&step.inputs[0].0)
            {
                let context = context.at_step(number, scope.index());
                let rows = leave(body.input(step, 0), scope, step.columns.clone(), context.clone());
                context.gives(Some(rows.name().node));
                lowered.leaves.push((number, rows));
            }
        }
        for number in steps.filter(|number| !is_read[*number]) {
            if let Some(flow) = body.flows.get(&number) {
                lowered.ends.push(end(flow.clone(), scope));
            }
        }
        lowered
    })
}

/// The body of a loop while it is built.
struct Body<'a, 'outer, 'inner> {
    program: &'a Program,
    scope: Scope<'inner, LoopTime>,
    edges: &'a [Option<Edge<'outer>>],
    context: &'a Context,
    of_log: bool,
    keeper: &'a dyn Fn() -> Option<Keeper>,
    /// What steps give, those outside included.
    flows: HashMap<usize, Flow<'inner>>,
    /// The rows of steps by id, with some of their columns.
    indexes: HashMap<(usize, Vec<usize>), Index<'inner>>,
    /// The ids of steps, each once.
    present: HashMap<usize, Index<'inner>>,
    /// Tables that go around and have not been fed back, with what they start from.
    variables: HashMap<usize, (Variable<'inner>, Flow<'inner>)>,
}

type Variable<'inner> = LoopVariable<'inner, LoopTime, TimedPacket<LoopTime>>;

impl<'inner> Body<'_, '_, 'inner> {
    fn flow(&mut self, number: usize) -> Flow<'inner> {
        if let Some(flow) = self.flows.get(&number) {
            return flow.clone();
        }
        // What a loop reads is lowered before it.
        #[allow(clippy::expect_used)]
        let edge = self.edges[number].clone().expect("the inputs of a step are lowered before it");
        let dtypes = self.program.steps[number].columns.clone();
        let flow = enter_kept(edge, self.scope, dtypes, self.context, (self.keeper)());
        self.flows.insert(number, flow.clone());
        flow
    }

    fn input(&mut self, step: &Step, input: usize) -> Flow<'inner> {
        self.flow(step.inputs[input].0)
    }

    fn columns(&self, step: &Step, input: usize) -> &[DType] {
        &self.program.steps[step.inputs[input].0].columns
    }

    /// The rows of a step by id, with these of its columns.
    fn by_id(&mut self, number: usize, columns: &[usize]) -> Index<'inner> {
        if let Some(index) = self.indexes.get(&(number, columns.to_vec())) {
            return index.clone();
        }
        let step = &self.program.steps[number];
        let rows = self.indexes.iter().find(|((of, _), _)| *of == number).map(|(_, rows)| rows.clone());
        let flow = match rows {
            Some(rows) if columns.is_empty() => keys_of(rows),
            _ => project(self.flow(number), columns, step.columns.len()),
        };
        let index = arrange(flow, &step.name);
        self.indexes.insert((number, columns.to_vec()), index.clone());
        index
    }

    /// The ids of a step's rows, each once.
    fn present(&mut self, number: usize) -> Index<'inner> {
        if let Some(present) = self.present.get(&number) {
            return present.clone();
        }
        let present = present_keys(self.by_id(number, &[]));
        self.present.insert(number, present.clone());
        present
    }

    fn add(&mut self, number: usize) {
        let program = self.program;
        let step = &program.steps[number];
        let (name, context) = (step.name.as_str(), self.context.clone());
        let site = Site::of_step(number, step, self.of_log);
        let flow = match &step.op {
            StepOp::Variable(id) => {
                let start = self.input(step, 0);
                let (variable, back) = LoopVariable::new(self.scope, next_round(program.loops[id].level));
                self.variables.insert(number, (variable, start.clone()));
                start.concat(back)
            }
            StepOp::Feedback(id) => return self.feed_back(step, *id),
            StepOp::Leave(id) => self.leave_inner(step, *id),
            StepOp::Stateless(stages) => {
                let (columns, flow) = (self.columns(step, 0).to_vec(), self.input(step, 0));
                self.stages(flow, stages, columns, name, &site)
            }
            StepOp::Concat => {
                let mut flows: Vec<Flow<'inner>> =
                    (0..step.inputs.len()).map(|i| self.input(step, i)).collect();
                let first = flows.remove(0);
                first.concatenate(flows)
            }
            StepOp::Reduce(spec) => {
                let inputs = self.columns(step, 0).to_vec();
                let groups = group(self.input(step, 0), spec, &inputs, context.clone(), site.clone());
                let results = match reduce(groups, spec, &inputs, name, context, &site) {
                    Ok(results) => results,
                    Err(error) => unreachable!("the plan refuses it: {error}"),
                };
                self.indexed(number, results)
            }
            StepOp::Join(spec @ JoinStep { matching: Matching::Interval { times, bounds, .. }, .. }) => {
                self.interval_join(step, spec, *times, *bounds, site)
            }
            StepOp::Join(spec) => {
                let how = JoinSpec::from(spec);
                let sides = join_sides(spec, &how, [0, 1].map(|i| self.columns(step, i)));
                self.join(step, sides, how, site)
            }
            StepOp::Lookup(spec) => {
                let (sides, how) = lookup_join(
                    spec,
                    [0, 1].map(|i| self.columns(step, i)),
                    table_name(&self.program.steps[step.inputs[1].0]).into(),
                );
                self.join(step, sides, how, site)
            }
            StepOp::Zip => self.combine(number, Rule::Zip, site),
            StepOp::UpdateRows => self.combine(number, Rule::Update, site),
            StepOp::UpdateCells { cells } => self.combine(number, Rule::UpdateCells(cells.clone()), site),
            StepOp::Intersect => self.combine(number, Rule::Intersect, site),
            StepOp::Difference => self.combine(number, Rule::Difference, site),
            StepOp::Restrict { exact } => self.combine(number, Rule::Restrict { exact: *exact }, site),
            StepOp::Static { .. }
            | StepOp::Source(_)
            | StepOp::DeadLetters
            | StepOp::ErrorLog(_)
            | StepOp::Calls(_)
            | StepOp::Answers(_)
            | StepOp::Transform(_)
            | StepOp::Stateful(_)
            | StepOp::Beside
            | StepOp::Output(_) => unreachable!("the plan does not put {name} inside of a loop"),
        };
        self.flows.insert(number, flow);
    }

    /// Makes an index over the row ids of a step's output the step's output.
    fn indexed(&mut self, number: usize, index: Index<'inner>) -> Flow<'inner> {
        let all = (0..self.program.steps[number].columns.len()).collect();
        self.indexes.insert((number, all), index.clone());
        changes(index)
    }

    fn feed_back(&mut self, step: &Step, id: LoopId) {
        let result = self.input(step, 0);
        // The plan makes one feedback for each variable.
        #[allow(clippy::expect_used)]
        let (variable, start) = self.variables.remove(&step.inputs[1].0).expect("a variable is fed back");
        let next = consolidate(result.concat(start.negate()), "next round");
        let about = &self.program.loops[&id];
        let (level, limit) = (about.level, about.limit);
        let next = match limit {
            None => next,
            Some(limit) => per_packet(next, "limit", move |packet| {
                let (times, keep) = packet.times.map_some(|time| {
                    let follows = time.inner.of(level) + 1 < limit;
                    follows.then_some(*time)
                });
                let batch = keep.map_or_else(|| packet.batch.clone(), |keep| packet.batch.filter(&keep));
                TimedPacket::new(batch, times)
            }),
        };
        variable.set(next);
    }

    /// The rows of an inner loop when it has ended.
    fn leave_inner(&mut self, step: &Step, id: LoopId) -> Flow<'inner> {
        let (flow, level) = (self.input(step, 0), self.program.loops[&id].level);
        let inside = self.program.steps[step.inputs[0].0].inside;
        if inside.is_none_or(|inside| self.program.loops[&inside].level < level) {
            // Nothing of it changes in the loop.
            return flow;
        }
        consolidate(leave_level(flow, level), &step.name)
    }

    fn stages(
        &self,
        flow: Flow<'inner>,
        stages: &[Stage],
        columns: Vec<DType>,
        name: &str,
        site: &Site,
    ) -> Flow<'inner> {
        let context = || self.context.clone();
        let apply = |flow: Flow<'inner>, segment| match segment {
            Segment::Plain(stages, _) => {
                stateless(flow, Stages::new(&stages, context(), site.clone()), name, context())
            }
            Segment::Remembered { expressions, frames, .. } => {
                remember(flow, &expressions, &frames, name, context(), site.clone())
            }
        };
        segments(stages, columns, false).into_iter().fold(flow, apply)
    }
}

/// These columns of rows that have `width` of them.
fn project<'inner>(flow: Flow<'inner>, columns: &[usize], width: usize) -> Flow<'inner> {
    if columns.iter().copied().eq(0..width) {
        return flow;
    }
    let columns = columns.to_vec();
    per_packet(flow, "project", move |packet| TimedPacket {
        batch: packet.batch.project(&columns),
        times: packet.times,
    })
}
