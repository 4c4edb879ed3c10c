//! Row-wise stages, fused: select, filter, new ids, flatten.
//!
//! No state; changes pass through with their diffs. Cost: the expressions, a column at a time.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

use pathway_expr::{Evaluator, Expr, ExprKind, Input, Outcome};
use pathway_plan::Frame;
use pathway_plan::program::Stage;
use pathway_types::{Batch, Column, DType, DataError, Keys, Timestamp};

use crate::context::{Context, Faults, Site};
use crate::driver::{Edge, connect};
use crate::kernels::flatten::flatten;
use crate::packet::Packet;
use crate::route::Route;
use crate::stats::{Meter, Wiring, signs};
use crate::timely::{NoopBuilder, OperatorBuilder, OutputBuilder};

/// A stage ready to run.
enum Compiled {
    Map { evaluator: Evaluator, frames: Vec<Option<Frame>>, calls_user: bool },
    Filter { evaluator: Evaluator, frame: Option<Frame>, calls_user: bool },
    Reindex { column: usize, frame: Option<Frame> },
    Flatten { stage: Stage },
}

/// Applies a list of stages to batches.
pub struct Stages {
    stages: Vec<Compiled>,
    /// What is counted of each, as far as anything is.
    meters: Vec<Option<Arc<Meter>>>,
    context: Context,
    site: Site,
}

impl Stages {
    /// Prepares the stages; `site` is where errors without a line of their own are reported.
    pub fn new(stages: &[Stage], context: Context, site: Site) -> Self {
        let stages = stages.iter().map(|stage| match stage {
            Stage::Map { expressions, frames } => Compiled::Map {
                calls_user: expressions.iter().any(calls_user),
                evaluator: Evaluator::new(expressions.clone()),
                frames: frames.clone(),
            },
            Stage::Filter { condition, frame } => Compiled::Filter {
                calls_user: calls_user(condition),
                evaluator: Evaluator::new(vec![condition.clone()]),
                frame: frame.clone(),
            },
            Stage::Reindex { column, frame } => Compiled::Reindex { column: *column, frame: frame.clone() },
            Stage::Flatten { .. } => Compiled::Flatten { stage: stage.clone() },
        });
        Stages { stages: stages.collect(), meters: Vec::new(), context, site }
    }

    /// The same, counted as stages of the present step.
    pub(crate) fn counted(mut self, counted: &[Counted]) -> Self {
        let meter = |counted: &Counted| {
            let stage = counted.stage?;
            self.context.stage_meter(stage, counted.reads, counted.gives)
        };
        self.meters = counted.iter().map(meter).collect();
        self
    }

    /// The batch after all stages.
    pub fn apply(&self, batch: Batch) -> Batch {
        self.apply_to(batch, &mut self.context.clone())
    }

    /// As [`Stages::apply`], with errors handed to `faults`.
    pub(crate) fn apply_to(&self, mut batch: Batch, faults: &mut dyn Faults) -> Batch {
        if self.meters.is_empty() {
            for stage in &self.stages {
                batch = self.apply_stage(stage, batch, faults);
            }
            return batch;
        }
        let mut changes = signs(&batch.diffs);
        let mut begin = Instant::now();
        for (stage, meter) in self.stages.iter().zip(&self.meters) {
            let rows = batch.len();
            if rows == 0 {
                break;
            }
            batch = self.apply_stage(stage, batch, faults);
            if !matches!(stage, Compiled::Map { .. }) {
                changes = signs(&batch.diffs);
            }
            if let Some(meter) = meter {
                meter.received(0, rows);
                meter.emitted_signs(changes);
                begin = meter.worked(begin);
            }
        }
        batch
    }

    fn apply_stage(&self, stage: &Compiled, batch: Batch, faults: &mut dyn Faults) -> Batch {
        if batch.is_empty() {
            // The layout may differ from the output's, but nobody looks at an empty batch.
            return Batch::default();
        }
        match stage {
            Compiled::Map { evaluator, frames, calls_user } => {
                let outcomes = self.evaluate(evaluator, &batch, *calls_user);
                for (outcome, frame) in outcomes.iter().zip(frames) {
                    self.report(&batch, outcome, frame, faults);
                }
                let columns = outcomes.into_iter().map(|o| o.column).collect();
                Batch::new(batch.keys, columns, batch.diffs)
            }
            Compiled::Filter { evaluator, frame, calls_user } => {
                let mut outcomes = self.evaluate(evaluator, &batch, *calls_user);
                let Some(outcome) = outcomes.pop() else { return batch };
                self.report(&batch, &outcome, frame, faults);
                let keep = self.truth(&batch, &outcome.column, frame, faults);
                batch.filter(&keep)
            }
            Compiled::Reindex { column, frame } => self.reindex(batch, *column, frame, faults),
            Compiled::Flatten { stage } => flatten(batch, stage, |batch, row, frame, error| {
                faults.fault(batch, row, &self.site.at(frame), &error);
            }),
        }
    }

    fn evaluate(&self, evaluator: &Evaluator, batch: &Batch, calls_user: bool) -> Vec<Outcome> {
        evaluate(evaluator, batch, calls_user, &self.context)
    }

    fn report(&self, batch: &Batch, outcome: &Outcome, frame: &Option<Frame>, faults: &mut dyn Faults) {
        report(batch, outcome, frame, faults, &self.site);
    }

    /// Rows where the condition is true; those where it is unknown are reported.
    fn truth(
        &self,
        batch: &Batch,
        condition: &Column,
        frame: &Option<Frame>,
        faults: &mut dyn Faults,
    ) -> BooleanBuffer {
        let array: &BooleanArray = condition.array().as_boolean();
        let Some(nulls) = array.nulls() else { return array.values().clone() };
        let unknown = !nulls.inner();
        for row in unknown.set_indices() {
            let error = if condition.is_error(row) {
                DataError::skipped("filter condition")
            } else {
                DataError::type_mismatch("bool", "None")
            };
            faults.fault(batch, row, &self.site.at(frame), &error);
        }
        array.values() & nulls.inner()
    }

    fn reindex(&self, batch: Batch, column: usize, frame: &Option<Frame>, faults: &mut dyn Faults) -> Batch {
        let pointers = &batch.columns[column];
        let batch = match pointers.array().nulls() {
            None => batch,
            Some(nulls) => {
                for row in (!nulls.inner()).set_indices() {
                    let error = if pointers.is_error(row) {
                        DataError::skipped("reindex as new id")
                    } else {
                        DataError::type_mismatch("pointer", "None")
                    };
                    faults.fault(&batch, row, &self.site.at(frame), &error);
                }
                batch.filter(nulls.inner())
            }
        };
        let keys = Keys::of_column(&batch.columns[column]);
        Batch { keys, ..batch }
    }
}

/// Stages that are done together.
pub(crate) enum Segment {
    /// Results can be computed again at any time. With what each is counted as.
    Plain(Vec<Stage>, Vec<Counted>),
    /// A map whose results must be remembered for as long as a row may be removed.
    Remembered {
        /// The dtypes of the map's input.
        inputs: Vec<DType>,
        /// The map's expressions.
        expressions: Vec<Expr>,
        /// The user's line of each.
        frames: Vec<Option<Frame>>,
        /// What it is counted as.
        counted: Counted,
    },
}

/// Which stage of its step something is counted as: what comes to it, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    stage: Option<usize>,
    reads: bool,
    gives: bool,
}

impl Counted {
    /// A stage of its own.
    fn whole(stage: usize) -> Counted {
        Counted { stage: Some(stage), reads: true, gives: true }
    }

    /// The place where an operator is that is counted so.
    pub(crate) fn place(self, context: &Context) -> Context {
        self.stage.map_or_else(|| context.clone(), |stage| context.at_stage(stage))
    }

    /// True if rows come out of the stage here.
    pub(crate) fn gives(self) -> bool {
        self.gives
    }
}

/// The stages in order, over rows with these columns; `insert_only` if none is ever removed.
pub(crate) fn segments(stages: &[Stage], mut columns: Vec<DType>, insert_only: bool) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut plain: Vec<Stage> = Vec::new();
    let mut counts: Vec<Counted> = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        match stage {
            Stage::Map { expressions, frames }
                if !insert_only && !expressions.iter().all(Expr::is_deterministic) =>
            {
                finish(&mut segments, &mut plain, &mut counts);
                let (inputs, counted) = (columns.clone(), Counted::whole(number));
                let (expressions, frames) = (expressions.clone(), frames.clone());
                segments.push(Segment::Remembered { inputs, expressions, frames, counted });
            }
            Stage::Filter { condition, frame } if !insert_only && !condition.is_deterministic() => {
                // The condition becomes a remembered column, is tested, and dropped again.
                let pass = |i: usize| Expr::input(i, columns[i].clone());
                let mut expressions: Vec<Expr> = (0..columns.len()).map(pass).collect();
                let mut frames = vec![None; columns.len()];
                let drop = Stage::Map { expressions: expressions.clone(), frames: frames.clone() };
                expressions.push(condition.clone());
                frames.push(frame.clone());
                finish(&mut segments, &mut plain, &mut counts);
                let counted = Counted { gives: false, ..Counted::whole(number) };
                segments.push(Segment::Remembered { inputs: columns.clone(), expressions, frames, counted });
                let condition = Expr::input(columns.len(), condition.dtype().clone());
                plain.extend([Stage::Filter { condition, frame: frame.clone() }, drop]);
                let tested = Counted { reads: false, ..Counted::whole(number) };
                counts.extend([tested, Counted { stage: None, reads: false, gives: false }]);
            }
            other => {
                plain.push(other.clone());
                counts.push(Counted::whole(number));
            }
        }
        match stage {
            Stage::Map { expressions, .. } => {
                columns = expressions.iter().map(|e| e.dtype().clone()).collect();
            }
            Stage::Flatten { column, element, origin_id, .. } => {
                columns[*column] = element.clone();
                if *origin_id {
                    columns.push(DType::ANY_POINTER);
                }
            }
            Stage::Filter { .. } | Stage::Reindex { .. } => {}
        }
    }
    finish(&mut segments, &mut plain, &mut counts);
    segments
}

fn finish(segments: &mut Vec<Segment>, plain: &mut Vec<Stage>, counts: &mut Vec<Counted>) {
    if !plain.is_empty() {
        segments.push(Segment::Plain(std::mem::take(plain), std::mem::take(counts)));
    }
}

/// Evaluates in pieces of at most `most` rows where user functions are called.
pub(crate) fn evaluate(
    evaluator: &Evaluator,
    batch: &Batch,
    calls_user: bool,
    context: &Context,
) -> Vec<Outcome> {
    let most = context.max_batch_rows();
    let of = |batch: &Batch| {
        let (columns, keys) = (&batch.columns[..], &batch.keys);
        evaluator.evaluate(&Input { columns, keys, check_types: context.checks_types() })
    };
    if !calls_user || batch.len() <= most {
        return of(batch);
    }
    let starts = (0..batch.len()).step_by(most);
    let pieces: Vec<Vec<Outcome>> =
        starts.map(|start| of(&batch.slice(start, most.min(batch.len() - start)))).collect();
    (0..evaluator.expressions().len())
        .map(|i| {
            let columns: Vec<&Column> = pieces.iter().map(|p| &p[i].column).collect();
            let mut causes = Vec::new();
            for (n, piece) in pieces.iter().enumerate() {
                causes.extend(piece[i].causes.iter().map(|(row, e)| (row + (n * most) as u32, e.clone())));
            }
            Outcome { column: Column::concat(&columns), causes }
        })
        .collect()
}

/// Hands the errors of an expression to the run's error policy.
pub(crate) fn report(
    batch: &Batch,
    outcome: &Outcome,
    frame: &Option<Frame>,
    faults: &mut dyn Faults,
    site: &Site,
) {
    if !outcome.causes.is_empty() {
        let site = site.at(frame);
        outcome.causes.iter().for_each(|(row, error)| faults.fault(batch, *row as usize, &site, error));
    }
}

fn calls_user(expression: &Expr) -> bool {
    let mut found = false;
    expression.visit(&mut |e| found |= matches!(e.kind(), ExprKind::Udf(..)));
    found
}

/// Adds the stages to the dataflow as one operator.
pub fn stateless<'scope>(input: Edge<'scope>, stages: Stages, name: &str) -> Edge<'scope> {
    let context = stages.context.clone();
    per_batch(input, name, context, move |_, batch| stages.apply(batch))
}

/// Adds an operator that turns each batch into one of the same time.
pub fn per_batch<'scope>(
    input: Edge<'scope>,
    name: &str,
    context: Context,
    mut logic: impl FnMut(Timestamp, Batch) -> Batch + 'static,
) -> Edge<'scope> {
    let mut builder = OperatorBuilder::new(name.to_owned(), input.scope());
    let wiring = Wiring { node: builder.index(), sources: vec![input.name().node] };
    let meter = context.meter(name, wiring, None);
    let mut reader = connect(&mut builder, input, Route::Local, &context);
    let (output, stream) = builder.new_output::<Packet>();
    let mut output = OutputBuilder::<_, NoopBuilder<Packet>>::from(output);
    builder.build_reschedule(move |mut capabilities| {
        capabilities.clear();
        move |_frontiers: &[_]| {
            let begin = Instant::now();
            let mut session = output.activate();
            reader(&mut |capability, batch| {
                let Some(time) = capability.least().filter(|_| !context.is_stopped()) else { return };
                meter.received(0, batch.len());
                let batch = logic(*time, batch);
                if !batch.is_empty() {
                    meter.emitted(&batch.diffs);
                    session.session_with_builder(&capability).give_container(&mut Packet(batch));
                }
            });
            meter.worked(begin);
            false
        }
    });
    stream
}
