//! Roots and stages become steps.

use std::sync::Arc;

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind};
use pathway_types::DType;

use super::demand::{Demand, Stage, StageKey};
use super::resolve::Resolved;
use crate::Frame;
use crate::graph::{NodeId, Op};
use crate::program::{OutputStep, Program, Stage as RowStage, Step, StepId, StepOp};

mod operations;
pub(super) mod ports;

use ports::{Port, reference};

/// A stage that has become a step.
struct Placed {
    step: StepId,
    /// The columns of the step's output.
    layout: Vec<ColumnRef>,
}

/// An input of an operation as it is there.
struct Input {
    step: StepId,
    /// Where the port's columns are.
    positions: Vec<usize>,
    /// The port's other expressions over the input.
    bound: Vec<Expr>,
}

/// An operation that is ready to become a step.
struct Operation {
    op: StepOp,
    inputs: Vec<StepId>,
    /// What each column of the output is.
    layout: Vec<Slot>,
}

/// A column of an operation's output.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    /// The root's column of this number.
    Own(u32),
    /// A column of its carried input.
    Passed(ColumnRef),
    /// Something nobody wants, of this dtype in the root's input.
    Unwanted,
}

struct Lowering<'a> {
    plan: &'a Resolved,
    demand: &'a Demand,
    program: Program,
    stages: HashMap<StageKey, Placed>,
    /// The step of a root itself, before its stage's computations.
    roots: HashMap<NodeId, StepId>,
}

/// The steps of a plan, and those that have to stay although nothing may read all they give.
pub(super) struct Lowered {
    pub(super) program: Program,
    pub(super) kept: Vec<StepId>,
}

/// Lowers a plan.
pub(super) fn lower(plan: &Resolved, demand: &Demand) -> Lowered {
    let mut lowering =
        Lowering { plan, demand, program: Program::default(), stages: HashMap::new(), roots: HashMap::new() };
    for (root, keys) in &demand.order {
        for key in keys {
            lowering.stage(*root, key);
        }
    }
    for ((root, columns, output), names) in plan.outputs.iter().zip(&plan.output_names) {
        let port = Port {
            table: *root,
            columns: columns.iter().map(|c| reference(*c)).collect(),
            bound: vec![],
            exact: true,
        };
        let input = lowering.input(&port, &output.frame);
        let op = StepOp::Output(OutputStep {
            sink: output.sink.clone(),
            name: output.name.clone(),
            sort_by: output.sort_by.clone(),
            keep_errors: output.keep_errors,
        });
        let columns = lowering.program.steps[input.step.0].columns.clone();
        let name = output.sink.description();
        lowering.push(op, vec![input.step], columns, (name, names.clone()), output.frame.clone());
    }
    let tables = plan.tables.iter();
    let kept = tables.map(|(root, columns)| lowering.stages[&demand.stage_of(plan, columns, *root)].step);
    Lowered { kept: kept.collect(), program: lowering.program }
}

impl Lowering<'_> {
    fn push(
        &mut self,
        op: StepOp,
        inputs: Vec<StepId>,
        columns: Vec<DType>,
        (name, called): (String, Vec<Arc<str>>),
        frame: Option<Frame>,
    ) -> StepId {
        let id = StepId(self.program.steps.len());
        let mut names = vec![called];
        if let (StepOp::Stateless(stages), Some(input)) = (&op, inputs.first()) {
            // All but the last stage let the columns as they come.
            let before = self.program.steps[input.0].output_names();
            names.splice(0..0, (1..stages.len()).map(|_| before.clone()));
        }
        let step = Step { op, inputs, columns, insert_only: false, name, names, frame, inside: None };
        self.program.steps.push(step);
        id
    }

    fn stage(&mut self, root: NodeId, key: &StageKey) {
        let demand = self.demand;
        let stage = &demand.stages[key];
        let (step, layout) = match key {
            StageKey::Own(_) => self.root(root, stage),
            StageKey::Zip(_) => self.zip(stage),
        };
        let (step, layout) = self.compute(step, layout, stage);
        self.stages.insert(key.clone(), Placed { step, layout });
    }

    fn root(&mut self, root: NodeId, stage: &Stage) -> (StepId, Vec<ColumnRef>) {
        let node = &self.plan.roots[&root];
        let ports = self.demand.ports(self.plan, root, stage);
        let inputs: Vec<Input> = match node.op {
            Op::DeadLetters { source: of } | Op::Beside { of } => {
                vec![Input { step: self.roots[&of], positions: vec![], bound: vec![] }]
            }
            _ => ports.iter().map(|port| self.input(port, &node.frame)).collect(),
        };
        let operation = operations::operation(node, stage, &ports, inputs);
        if let Op::Iterated(made) = &node.op
            && let Some(variable) = self.roots.get(&made.variable).copied()
        {
            let (back, name) = (StepOp::Feedback(made.of), ("feedback".to_owned(), vec![]));
            self.push(back, vec![operation.inputs[0], variable], vec![], name, node.frame.clone());
        }
        let mut columns = Vec::new();
        let mut layout = Vec::new();
        for slot in &operation.layout {
            let (column, dtype) = match slot {
                Slot::Own(i) => {
                    (ColumnRef { source: root, column: *i }, node.columns[*i as usize].dtype.clone())
                }
                Slot::Passed(column) => (*column, self.dtype(*column)),
                Slot::Unwanted => {
                    let dtype = match &node.op {
                        Op::Flatten(flatten) => flatten.element.clone(),
                        _ => DType::Any,
                    };
                    (ColumnRef { source: root, column: u32::MAX }, dtype)
                }
            };
            columns.push(dtype);
            layout.push(column);
        }
        let step = match operation.op {
            // Nothing is left to be done after the columns were computed.
            StepOp::Stateless(stages) if stages.is_empty() => operation.inputs[0],
            op => {
                let name = match &node.op {
                    Op::Source(source) => source.source.description(),
                    other => other.name().to_owned(),
                };
                let called = layout.iter().map(|column| self.name(*column)).collect();
                self.push(op, operation.inputs, columns, (name, called), node.frame.clone())
            }
        };
        self.roots.insert(root, step);
        (step, layout)
    }

    fn zip(&mut self, stage: &Stage) -> (StepId, Vec<ColumnRef>) {
        let mut inputs = Vec::new();
        let (mut layout, mut columns) = (Vec::new(), Vec::new());
        let mut frame = None;
        for (key, taken) in &stage.pieces {
            let placed = &self.stages[key];
            let (step, available) = (placed.step, placed.layout.clone());
            let taken: Vec<Expr> = taken.iter().map(|c| reference(*c)).collect();
            let step = self.exactly(step, &available, &taken, &None);
            inputs.push(step);
            columns.extend(self.program.steps[step.0].columns.iter().cloned());
            layout.extend(taken.iter().filter_map(Expr::as_column));
            frame = frame.or_else(|| self.program.steps[step.0].frame.clone());
        }
        let called = layout.iter().map(|column| self.name(*column)).collect();
        let step = self.push(StepOp::Zip, inputs, columns, ("zip".to_owned(), called), frame);
        (step, layout)
    }

    /// The columns that a stage computes, level by level: a level needs only those before it.
    fn compute(
        &mut self,
        mut step: StepId,
        mut layout: Vec<ColumnRef>,
        stage: &Stage,
    ) -> (StepId, Vec<ColumnRef>) {
        let mut levels: Vec<Vec<ColumnRef>> = Vec::new();
        let mut known: HashMap<ColumnRef, usize> = HashMap::new();
        let mut last_use: HashMap<ColumnRef, usize> = HashMap::new();
        for column in &stage.computed {
            self.level(*column, stage, &mut known);
        }
        for column in &stage.computed {
            let level = known[column];
            if levels.len() < level {
                levels.resize_with(level, Vec::new);
            }
            levels[level - 1].push(*column);
            for read in super::resolve::columns_of(&self.plan.computed[column].value) {
                let last = last_use.entry(read).or_default();
                *last = level.max(*last);
            }
        }
        for (i, level) in levels.into_iter().enumerate() {
            let later = |c: &ColumnRef| last_use.get(c).is_some_and(|last| *last > i + 1);
            let kept = layout.iter().filter(|c| stage.wanted.contains(*c) || later(c));
            let mut expressions: Vec<Expr> = kept.map(|c| self.typed(*c)).collect();
            let mut next: Vec<ColumnRef> = expressions.iter().filter_map(Expr::as_column).collect();
            let mut frames: Vec<Option<Frame>> = vec![None; expressions.len()];
            for column in level {
                let computed = &self.plan.computed[&column];
                expressions.push(computed.value.clone());
                frames.push(computed.frame.clone());
                next.push(column);
            }
            let called = next.iter().map(|column| self.name(*column)).collect();
            step = self.map(step, &layout, &expressions, frames, called);
            layout = next;
        }
        (step, layout)
    }

    /// After how many maps of its stage a column is there: none for what the stage starts with.
    fn level(&self, column: ColumnRef, stage: &Stage, known: &mut HashMap<ColumnRef, usize>) -> usize {
        if !stage.computed.contains(&column) {
            return 0;
        }
        if let Some(level) = known.get(&column) {
            return *level;
        }
        let reads = super::resolve::columns_of(&self.plan.computed[&column].value);
        let deepest = reads.into_iter().map(|c| self.level(c, stage, known)).max();
        let level = 1 + deepest.unwrap_or(0);
        known.insert(column, level);
        level
    }

    /// The input of an operation, with columns computed or arranged for it where needed.
    fn input(&mut self, port: &Port, frame: &Option<Frame>) -> Input {
        let key = self.demand.stage_of(self.plan, &port.references(), port.table);
        let placed = &self.stages[&key];
        let (step, layout) = (placed.step, placed.layout.clone());
        let plain = port.columns.iter().all(|e| matches!(e.kind(), ExprKind::Column(_)));
        if plain && !port.exact {
            let places = Places::of(&layout);
            let positions = port.columns.iter().filter_map(|e| places.get(e.as_column()?));
            let bound = port.bound.iter().map(|e| bind(e, &places)).collect();
            return Input { step, positions: positions.collect(), bound };
        }
        debug_assert!(port.bound.is_empty(), "bound expressions go with plain columns only");
        let step = self.exactly(step, &layout, &port.columns, frame);
        Input { step, positions: (0..port.columns.len()).collect(), bound: vec![] }
    }

    /// A step with exactly these columns.
    fn exactly(
        &mut self,
        step: StepId,
        layout: &[ColumnRef],
        columns: &[Expr],
        frame: &Option<Frame>,
    ) -> StepId {
        let as_they_are = layout.len() == columns.len()
            && layout.iter().zip(columns).all(|(c, e)| matches!(e.kind(), ExprKind::Column(d) if c == d));
        if as_they_are {
            return step;
        }
        let columns: Vec<Expr> = columns
            .iter()
            .map(|e| match e.kind() {
                ExprKind::Column(column) => self.typed(*column),
                _ => e.clone(),
            })
            .collect();
        let frames = vec![frame.clone(); columns.len()];
        let called = columns.iter().map(|e| e.as_column().map_or_else(unnamed, |c| self.name(c))).collect();
        self.map(step, layout, &columns, frames, called)
    }

    fn map(
        &mut self,
        input: StepId,
        layout: &[ColumnRef],
        expressions: &[Expr],
        frames: Vec<Option<Frame>>,
        called: Vec<Arc<str>>,
    ) -> StepId {
        let columns = expressions.iter().map(|e| e.dtype().clone()).collect();
        let frame = frames.iter().flatten().next().cloned();
        let frame = frame.or_else(|| self.program.steps[input.0].frame.clone());
        let places = Places::of(layout);
        let expressions = expressions.iter().map(|e| bind(e, &places)).collect();
        let op = StepOp::Stateless(vec![RowStage::Map { expressions, frames }]);
        self.push(op, vec![input], columns, ("select".to_owned(), called), frame)
    }

    /// What the user calls a column where it is made.
    fn name(&self, column: ColumnRef) -> Arc<str> {
        if let Some(computed) = self.plan.computed.get(&column) {
            return computed.name.clone();
        }
        let Some(root) = self.plan.roots.get(&column.source) else { return unnamed() };
        if let Op::Reduce(reduce) = &root.op
            && let Some(by) = reduce.group.get(column.column as usize).and_then(Expr::as_column)
        {
            return self.name(by);
        }
        root.columns.get(column.column as usize).map_or_else(unnamed, |column| column.name.clone())
    }

    /// The dtype of a column where it is made.
    fn dtype(&self, column: ColumnRef) -> DType {
        match self.plan.computed.get(&column) {
            Some(computed) => computed.value.dtype().clone(),
            None => match self.plan.roots.get(&column.source) {
                Some(node) if (column.column as usize) < node.columns.len() => {
                    node.columns[column.column as usize].dtype.clone()
                }
                _ => DType::Any,
            },
        }
    }

    fn typed(&self, column: ColumnRef) -> Expr {
        Expr::column(column, self.dtype(column))
    }
}

/// Of a column that the user has not made.
fn unnamed() -> Arc<str> {
    Arc::from("")
}

/// Where the columns of a layout are.
struct Places(HashMap<ColumnRef, usize>);

impl Places {
    fn of(layout: &[ColumnRef]) -> Places {
        Places(layout.iter().enumerate().map(|(i, c)| (*c, i)).collect())
    }

    fn get(&self, column: ColumnRef) -> Option<usize> {
        self.0.get(&column).copied()
    }
}

fn bind(expression: &Expr, places: &Places) -> Expr {
    let bound = expression.bind(&|column| places.get(column));
    debug_assert!(super::resolve::columns_of(&bound).is_empty(), "an expression reads what is not there");
    bound
}
