//! From a program to a dataflow: one match over the steps.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use pathway_expr::{Caller, OnFailure};
use pathway_io::{Session, Writer};
use pathway_plan::program::{JoinStep, Matching, Program, Stage, Step, StepOp};
use pathway_types::{DType, Timestamp};

use crate::context::{Context, Site};
use crate::driver::{Edge, drive};
use crate::error_log::error_log;
use crate::input::{InputQueue, source, static_table};
use crate::keep::{InputLog, Keeper, Pass};
use crate::lattice;
use crate::operators::answers::Answers;
use crate::operators::calls::{Calls, calls};
use crate::operators::combine::{Combine, Rule};
use crate::operators::join::{Join, JoinSpec, ShipSide, join_sides, lookup_join};
use crate::operators::memo::Memo;
use crate::operators::presence::{Keep, Presence};
use crate::operators::reduce::{PaneSums, Prepare, Reduce};
use crate::operators::stateless::{Segment, Stages, per_batch, segments, stateless};
use crate::operators::transform::Transform;
use crate::operators::upsert::Upsert;
use crate::output::{Place, complete, sink};
use crate::route::Route;
use crate::timely::Scope;

mod stateful;
mod timed;

/// What a worker brings to a dataflow from outside.
pub trait Environment {
    /// The queue of this worker for the source at this step.
    fn queue(&mut self, step: usize) -> Arc<InputQueue>;
    /// The open output of the step; only worker 0 has one.
    fn writer(&mut self, step: usize) -> Option<Box<dyn Writer>>;
    /// Makes the calls of the step on this worker.
    fn caller(&mut self, step: usize) -> Option<Box<dyn Caller>>;
    /// Keeps the state of an operator of the step on this worker, in a run that may be gone on with; the
    /// operators of a step are numbered.
    fn keeper(&mut self, step: usize, part: usize) -> Option<Keeper>;
    /// Keeps the rows that the source at this step gives to this worker, if they are kept.
    fn log(&mut self, step: usize) -> Option<InputLog>;
    /// True if the output at this step begins anew though the run goes on where an earlier one was: what earlier runs
    /// have given it has to come again.
    fn begins_anew(&self, step: usize) -> bool;
}

/// Builds the dataflow of a program on one worker.
pub fn lower(
    program: &Program,
    scope: Scope<'_, Timestamp>,
    environment: &mut dyn Environment,
    context: &Context,
) {
    let count = program.steps.len();
    let of_log = program.reached(|step| matches!(program.steps[step].op, StepOp::ErrorLog(_)));
    let is_start =
        |step: usize| matches!(program.steps[step].op, StepOp::Static { known_at_start: true, .. });
    let mut lowering = Lowering {
        scope,
        run: context,
        context: context.clone(),
        edges: vec![None; count],
        beside: vec![None; count],
        ends: vec![],
        of_log,
        of_start: program.reached(is_start),
        environment: RefCell::new(environment),
        at: Cell::new((0, 0)),
    };
    // What is computed from error logs comes last: the logs watch everything else.
    let (logged, of_logs): (Vec<usize>, Vec<usize>) =
        (0..count).partition(|number| !lowering.of_log[*number]);
    logged.into_iter().for_each(|number| lowering.add(program, number));
    if !of_logs.is_empty() {
        lowering.find_ends(program);
    }
    of_logs.into_iter().for_each(|number| lowering.add(program, number));
}

struct Lowering<'a, 'scope> {
    scope: Scope<'scope, Timestamp>,
    run: &'a Context,
    /// That of the step that is being built.
    context: Context,
    edges: Vec<Option<Edge<'scope>>>,
    /// The second table of a step: dead letters of a source, the bounds of sessions.
    beside: Vec<Option<Edge<'scope>>>,
    /// Where everything that reports to error logs comes to its end.
    ends: Vec<Edge<'scope>>,
    /// The steps that are computed from error logs.
    of_log: Vec<bool>,
    /// The steps that are computed from rows that were there before the run.
    of_start: Vec<bool>,
    environment: RefCell<&'a mut dyn Environment>,
    /// The step that is being built, and its operators with state so far.
    at: Cell<(usize, usize)>,
}

impl<'scope> Lowering<'_, 'scope> {
    fn add(&mut self, program: &Program, number: usize) {
        self.at.set((number, 0));
        self.context = self.run.at_step(number, self.scope.index());
        if program.steps[number].inside.is_some() {
            // A loop is built with the first of its steps, which follow each other.
            if number == 0 || !program.in_same_loop(number - 1, number) {
                self.add_loop(program, number);
            }
            return;
        }
        let edges = self.step(program, number, &program.steps[number]);
        let (rows, beside) = edges.unzip();
        self.context.gives(rows.as_ref().map(|rows: &Edge<'scope>| rows.name().node));
        self.edges[number] = rows;
        self.beside[number] = beside.flatten();
    }

    fn add_loop(&mut self, program: &Program, first: usize) {
        let others = first + 1..program.steps.len();
        let end = others.into_iter().find(|other| !program.in_same_loop(first, *other));
        let steps = first..end.unwrap_or(program.steps.len());
        let of_log = self.of_log[first];
        let lowered =
            lattice::lower::lower(program, steps, self.scope, &self.edges, &self.context, of_log, &|| {
                self.keeper()
            });
        for (number, edge) in lowered.leaves {
            self.edges[number] = Some(edge);
        }
        if !of_log {
            self.ends.extend(lowered.ends);
        }
    }

    /// The keeper of the next operator of the step that is being built. What comes of error logs does not
    /// come back: they start anew with each run.
    fn keeper(&self) -> Option<Keeper> {
        let (step, part) = self.at.get();
        self.at.set((step, part + 1));
        if self.of_log[step] { None } else { self.environment.borrow_mut().keeper(step, part) }
    }

    /// Adds the steps to the ends that no other step reads which reports to an error log.
    fn find_ends(&mut self, program: &Program) {
        let mut ends: Vec<bool> = self.of_log.iter().map(|of_log| !of_log).collect();
        for (number, step) in program.steps.iter().enumerate() {
            if !self.of_log[number] {
                step.inputs.iter().for_each(|input| ends[input.0] = false);
            }
        }
        let ends = self.edges.iter().zip(ends).filter(|(_, is_end)| *is_end);
        self.ends.extend(ends.filter_map(|(edge, _)| edge.clone()));
    }

    fn edge(&self, step: &Step, input: usize) -> Edge<'scope> {
        // Steps come after their inputs, and only outputs, which nobody reads, have no edge.
        #[allow(clippy::expect_used)]
        self.edges[step.inputs[input].0].clone().expect("the inputs of a step are lowered before it")
    }

    fn step(
        &mut self,
        program: &Program,
        number: usize,
        step: &Step,
    ) -> Option<(Edge<'scope>, Option<Edge<'scope>>)> {
        let name = step.name.as_str();
        let context = self.context.clone();
        let site = Site::of_step(number, step, self.of_log[number]);
        let input = |i: usize| &program.steps[step.inputs[i].0];
        let edge = match &step.op {
            StepOp::Static { batches, shards, .. } => {
                static_table(self.scope, name, batches.clone(), shards.clone(), &context)
            }
            StepOp::Source(spec) => {
                let wanted = program.steps.iter().any(|other| {
                    matches!(other.op, StepOp::DeadLetters)
                        && other.inputs.first().is_some_and(|i| i.0 == number)
                });
                let queue = self.environment.borrow_mut().queue(number);
                let (rows, dead) = source(self.scope, name, queue, context.clone(), site, wanted);
                let rows = match spec.source.session() {
                    Session::Native => rows,
                    Session::Upsert => {
                        let upsert = Upsert::new(step.columns.clone());
                        drive(self.scope, "upsert", vec![(rows, Route::Key)], context, self.keeper(), upsert)
                    }
                };
                return Some((self.logged(rows, number), Some(dead)));
            }
            StepOp::DeadLetters | StepOp::Beside => {
                // The plan puts these steps behind those only that have a second table.
                #[allow(clippy::expect_used)]
                let rows = self.beside[step.inputs[0].0].clone().expect("the step has a second table");
                // An operator of its own is what its rows are counted by.
                per_batch(rows, name, context, |_, batch| batch)
            }
            StepOp::ErrorLog(_) => error_log(self.scope, name, number, self.ends.clone(), context),
            StepOp::Stateless(stages) => {
                let (columns, insert_only) = (input(0).columns.clone(), input(0).insert_only);
                self.stages(self.edge(step, 0), stages, columns, insert_only, name, &site)
            }
            StepOp::Concat => {
                let edges = (0..step.inputs.len()).map(|i| self.edge(step, i));
                crate::timely::concatenate(self.scope, edges)
            }
            StepOp::Reduce(spec) => {
                let inputs = &input(0).columns;
                let insert_only = input(0).insert_only;
                let reduce = Reduce::new(spec, inputs, insert_only, context.clone(), &site);
                let rows = self.edge(step, 0);
                let shipped = match &spec.panes {
                    Some(panes) => {
                        let sums = PaneSums::new(spec, panes, inputs, insert_only, context.clone(), site);
                        drive(self.scope, "panes", vec![(rows, Route::Local)], context.clone(), None, sums)
                    }
                    None => {
                        let mut prepare =
                            Prepare::new(spec.clone(), inputs, insert_only, context.clone(), site);
                        per_batch(rows, "group keys", context.clone(), move |_, batch| prepare.apply(batch))
                    }
                };
                drive(self.scope, name, vec![(shipped, Route::Key)], context, self.keeper(), reduce)
            }
            StepOp::Join(spec @ JoinStep { matching: Matching::Interval { times, bounds, keeps }, .. }) => {
                self.interval_join(program, step, spec, (*times, *bounds, *keeps), site)
            }
            StepOp::Join(spec @ JoinStep { matching: Matching::AsOf { times, direction }, .. }) => {
                self.asof_join(program, step, spec, (*times, *direction), site)
            }
            StepOp::Join(spec @ JoinStep { matching: Matching::AsOfNow, .. }) => {
                self.asof_now_join(program, step, spec, site)
            }
            StepOp::Join(spec @ JoinStep { matching: Matching::Equal, .. }) => {
                let how = JoinSpec::from(spec);
                let sides = join_sides(spec, &how, [&input(0).columns, &input(1).columns]);
                self.join(step, sides, how, site)
            }
            StepOp::Lookup(spec) => {
                let (sides, how) =
                    lookup_join(spec, [&input(0).columns, &input(1).columns], table_name(input(1)).into());
                self.join(step, sides, how, site)
            }
            StepOp::Zip => self.combine(program, step, Rule::Zip, site),
            StepOp::UpdateRows => self.combine(program, step, Rule::Update, site),
            StepOp::UpdateCells { cells } => {
                self.combine(program, step, Rule::UpdateCells(cells.clone()), site)
            }
            StepOp::Intersect => self.keep(program, step, Keep::InAll),
            StepOp::Difference => self.keep(program, step, Keep::InNone),
            StepOp::Restrict { exact } => self.combine(program, step, Rule::Restrict { exact: *exact }, site),
            StepOp::Calls(spec) => {
                let columns = input(0).columns.clone();
                // What user code keeps between calls is to be in one place.
                let route = if context.process().of > 1 {
                    Route::Worker(0)
                } else if columns.len() > spec.arguments {
                    Route::Column(spec.arguments)
                } else {
                    Route::Key
                };
                let rows = self.called_rows(self.edge(step, 0), spec.callee.on_failure(), &site);
                let operator = Calls::new(
                    spec.callee.clone(),
                    self.environment.borrow_mut().caller(number),
                    columns,
                    spec.arguments,
                    step.columns.clone(),
                    context,
                    site,
                );
                calls(rows, name, route, self.keeper(), operator)
            }
            StepOp::Transform(transformer) => {
                let all = 0..step.inputs.len();
                let inputs = all.clone().map(|i| (self.edge(step, i), Route::Worker(0))).collect();
                let dtypes = all.map(|i| input(i).columns.clone()).collect();
                let outputs = step.columns.clone();
                let operator = Transform::new(transformer.clone(), dtypes, outputs, context.clone(), site);
                drive(self.scope, name, inputs, context, self.keeper(), operator)
            }
            StepOp::Stateful(spec) => return Some(self.stateful(program, step, spec, site)),
            StepOp::Answers(on_failure) => {
                let mut inputs = vec![(self.edge(step, 0), Route::Key)];
                // The second input, if there is one, is that of the calls.
                let rows = (step.inputs.len() > 1).then(|| {
                    inputs.push((self.called_rows(self.edge(step, 1), *on_failure, &site), Route::Key));
                    input(1).columns.clone()
                });
                let answers = Answers::new(step.columns.clone(), rows);
                drive(self.scope, name, inputs, context, self.keeper(), answers)
            }
            // What leaves a loop was set when the loop was built, unless the loop had no part in it.
            StepOp::Leave(_) => match &self.edges[number] {
                Some(edge) => edge.clone(),
                None => self.edge(step, 0),
            },
            StepOp::Variable(_) | StepOp::Feedback(_) => unreachable!("{name} is inside of a loop"),
            StepOp::Output(spec) => {
                let writer = self.environment.borrow_mut().writer(number);
                let (dtypes, insert_only) = (input(0).columns.clone(), input(0).insert_only);
                let goes_on = context.keeps_state() && !self.environment.borrow().begins_anew(number);
                let skips_start = self.of_start[step.inputs[0].0] && !spec.keep_errors || goes_on;
                let place = Place { site, label: program.label(number), skips_start };
                let end = sink(self.edge(step, 0), spec, dtypes, insert_only, writer, &context, place);
                if !self.of_log[number] {
                    self.ends.push(end);
                }
                return None;
            }
        };
        Some((edge, None))
    }

    /// The rows of a source, with those of earlier runs at the start, where they are wanted.
    fn logged(&self, rows: Edge<'scope>, number: usize) -> Edge<'scope> {
        let Some(InputLog { journal, rows: earlier }) = self.environment.borrow_mut().log(number) else {
            return rows;
        };
        let keeper = Some(Keeper { journal, kept: None });
        let inputs = vec![(rows, Route::Local)];
        let rows = drive(self.scope, "input log", inputs, self.context.clone(), keeper, Pass);
        if earlier.is_empty() {
            return rows;
        }
        let earlier = earlier.into_iter().map(|batch| (0, batch)).collect();
        let earlier =
            static_table(self.scope, "rows of earlier runs", Arc::new(earlier), None, &self.context);
        crate::timely::concatenate(self.scope, [rows, earlier].into_iter())
    }

    /// The rows for which calls are made.
    fn called_rows(&self, rows: Edge<'scope>, on_failure: OnFailure, site: &Site) -> Edge<'scope> {
        match on_failure {
            OnFailure::Error => rows,
            OnFailure::Report => complete(rows, "called rows", &self.context, site),
        }
    }

    /// The stages as one operator, except that a map whose results must be remembered is its own.
    fn stages(
        &self,
        edge: Edge<'scope>,
        stages: &[Stage],
        columns: Vec<DType>,
        insert_only: bool,
        name: &str,
        site: &Site,
    ) -> Edge<'scope> {
        let context = || self.context.clone();
        let apply = |edge: Edge<'scope>, segment| match segment {
            Segment::Plain(stages, counted) => {
                stateless(edge, Stages::new(&stages, context(), site.clone()).counted(&counted), name)
            }
            Segment::Remembered { inputs, expressions, frames, counted } => {
                let context = counted.place(&self.context);
                let memo = Memo::new(inputs, &expressions, &frames, context.clone(), site.clone());
                let inputs = vec![(edge, Route::Key)];
                let edge = drive(self.scope, name, inputs, context.clone(), self.keeper(), memo);
                if counted.gives() {
                    context.gives(Some(edge.name().node));
                }
                edge
            }
        };
        segments(stages, columns, insert_only).into_iter().fold(edge, apply)
    }

    fn join(&self, step: &Step, sides: [ShipSide; 2], how: JoinSpec, site: Site) -> Edge<'scope> {
        let spec = how.of_sides(&sides);
        let mut inputs = Vec::new();
        for (i, side) in sides.into_iter().enumerate() {
            let route = Route::Column(side.columns.len());
            let (mut faults, site) = (self.context.clone(), site.clone());
            let shipped =
                per_batch(self.edge(step, i), "join keys", self.context.clone(), move |_, batch| {
                    side.apply(batch, &mut faults, &site)
                });
            inputs.push((shipped, route));
        }
        let join = Join::new(spec, self.context.clone(), site);
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), join)
    }

    fn combine(&self, program: &Program, step: &Step, rule: Rule, site: Site) -> Edge<'scope> {
        let (mut inputs, mut dtypes) = (Vec::new(), Vec::new());
        for (i, id) in step.inputs.iter().enumerate() {
            let all = &program.steps[id.0].columns;
            let needed = rule.needed(i, all.len());
            dtypes.push(needed.iter().map(|c| all[*c].clone()).collect());
            let edge = self.edge(step, i);
            let edge = if needed.len() == all.len() {
                edge
            } else {
                per_batch(edge, "project", self.context.clone(), move |_, batch| batch.project(&needed))
            };
            inputs.push((edge, Route::Key));
        }
        let combine = Combine::new(rule, dtypes, self.context.clone(), site);
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), combine)
    }

    /// The rows of the first input that the ids of the others let stay.
    fn keep(&self, program: &Program, step: &Step, keep: Keep) -> Edge<'scope> {
        let ids_only =
            |i| per_batch(self.edge(step, i), "project", self.context.clone(), |_, batch| batch.project(&[]));
        let edges = (0..step.inputs.len()).map(|i| if i == 0 { self.edge(step, 0) } else { ids_only(i) });
        let inputs = edges.map(|edge| (edge, Route::Key)).collect();
        let dtypes = program.steps[step.inputs[0].0].columns.clone();
        let presence = Presence::new(keep, dtypes, step.inputs.len() - 1);
        drive(self.scope, &step.name, inputs, self.context.clone(), self.keeper(), presence)
    }
}

/// What messages call the table that a step makes.
pub(crate) fn table_name(step: &Step) -> String {
    match step.frame.as_ref().and_then(|frame| frame.known()) {
        Some(frame) => format!("the table built at {frame}"),
        None => format!("the table of the operator {}", step.name),
    }
}
