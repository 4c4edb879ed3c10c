//! The program that is run.

use std::collections::BTreeMap;
use std::sync::Arc;

use pathway_expr::{Expr, ExprKind};
use pathway_types::DType;

use super::before::{changes, join_details, join_rule, rows_at_end, stateful_rule};
use super::estimate::Rule;
use super::{Column, Detail, Loop, Operator, Place, list, plain};
use crate::explain::{Shown, matching};
use crate::frame::Frame;
use crate::program::{
    ARGUMENT_ID, GroupKey, JoinIds, JoinStep, LoopId, Panes, Program, ReduceStep, Stage, Step, StepOp,
};

/// An expression that is shown in place of a column that has no name is at most so long.
const SHORT: usize = 40;

/// The operators of a program.
pub(super) fn operators(program: &Program) -> Vec<Operator> {
    let loops = numbers(program);
    let mut writer = Writer { program, loops, names: Vec::new(), rows: Vec::new(), last: Vec::new() };
    let mut operators = Vec::new();
    for (number, step) in program.steps.iter().enumerate() {
        writer.step(number, step, &mut operators);
    }
    // What goes around in a loop, and inputs that come later there.
    for (number, step) in program.steps.iter().enumerate() {
        if let (StepOp::Feedback(_), Some(variable)) = (&step.op, step.inputs.get(1)) {
            let (reader, read) = (&writer.last[variable.0], format!("s{number}"));
            if let Some(operator) = operators.iter_mut().find(|operator| operator.id == *reader) {
                operator.inputs.push(read);
            }
            continue;
        }
        for input in step.inputs.iter().filter(|input| input.0 >= number) {
            let (reader, read) = (format!("s{number}"), writer.last[input.0].clone());
            if let Some(operator) = operators.iter_mut().find(|operator| operator.id == reader) {
                operator.inputs.push(read);
            }
        }
    }
    operators
}

/// The loops of a program, by their numbers from 1.
fn numbers(program: &Program) -> BTreeMap<LoopId, String> {
    program.loops.keys().zip(1..).map(|(id, number)| (*id, format!("loop {number}"))).collect()
}

/// The loops of a program.
pub(super) fn loops(program: &Program) -> Vec<Loop> {
    let numbers = numbers(program);
    let of = |(id, looped): (&LoopId, &crate::program::Loop)| Loop {
        id: numbers[id].clone(),
        inside: looped.parent.and_then(|parent| numbers.get(&parent).cloned()),
        limit: looped.limit,
        measured: None,
        place: looped.frame.as_ref().and_then(Place::of),
    };
    program.loops.iter().map(of).collect()
}

struct Writer<'a> {
    program: &'a Program,
    loops: BTreeMap<LoopId, String>,
    /// Of each step so far, what its output columns are called.
    names: Vec<Vec<String>>,
    /// Of each step so far, what is known of its rows.
    rows: Vec<Option<(u64, Option<u64>)>>,
    /// Of each step so far, the operator that gives its rows.
    last: Vec<String>,
}

/// What columns are called where there is a name, and else what they are or where.
fn called(
    given: Option<&Vec<Arc<str>>>,
    columns: usize,
    text: impl Fn(usize) -> Option<String>,
) -> Vec<String> {
    let name = |i: usize| {
        let name = given.and_then(|names| names.get(i)).filter(|name| !name.is_empty());
        let short = || text(i).filter(|text| text.chars().count() <= SHORT);
        name.map(|name| plain(name)).or_else(short).unwrap_or_else(|| format!("column {i}"))
    };
    (0..columns).map(name).collect()
}

fn shown(expression: &Expr, names: &[String]) -> String {
    let leaf = |e: &Expr| match e.kind() {
        ExprKind::Input(i) => names.get(*i).cloned(),
        ExprKind::InputId => Some("id".to_owned()),
        _ => None,
    };
    Shown { expression, names: &leaf }.to_string()
}

fn some(names: &[String], columns: &[usize]) -> String {
    list(columns.iter().map(|column| one(names, *column)))
}

fn one(names: &[String], column: usize) -> String {
    match column {
        ARGUMENT_ID => "id".to_owned(),
        column => names.get(column).cloned().unwrap_or_else(|| format!("column {column}")),
    }
}

/// The numbers of the operators of the plan, and the lines, of the frames of something.
#[derive(Default)]
struct Origin {
    numbers: Vec<u32>,
    places: Vec<Place>,
}

impl Origin {
    fn add(&mut self, frame: Option<&Frame>) {
        let Some(frame) = frame else { return };
        for frame in frame.all() {
            let number = frame.operator();
            if number > 0 && !self.numbers.contains(&number) {
                self.numbers.push(number);
            }
            if let Some(place) = Place::of(frame).filter(|place| !self.places.contains(place)) {
                self.places.push(place);
            }
        }
    }

    fn of<'a>(frames: impl IntoIterator<Item = Option<&'a Frame>>) -> Origin {
        let mut origin = Origin::default();
        frames.into_iter().for_each(|frame| origin.add(frame));
        origin.numbers.sort_unstable();
        origin
    }
}

impl Writer<'_> {
    fn step(&mut self, number: usize, step: &Step, operators: &mut Vec<Operator>) {
        // A variable reads what is fed back to it, not the other way round.
        let read = if matches!(step.op, StepOp::Feedback(_)) { 1 } else { step.inputs.len() };
        let known = step.inputs.iter().take(read).filter(|input| input.0 < number);
        let inputs: Vec<String> = known.map(|input| self.last[input.0].clone()).collect();
        match &step.op {
            StepOp::Stateless(stages) if !stages.is_empty() => {
                self.stages(number, step, stages, inputs, operators)
            }
            _ => operators.push(self.whole(number, step, inputs)),
        }
        if let Some(last) = operators.last() {
            self.last.push(last.id.clone());
            self.rows.push(Some((last.estimate.least, last.estimate.most)));
            self.names.push(last.columns.iter().map(|column| column.name.clone()).collect());
        }
    }

    /// What is known of the rows of the inputs; nothing inside of loops.
    fn rows_of(&self, step: &Step) -> Vec<Option<(u64, Option<u64>)>> {
        step.inputs.iter().map(|input| self.rows.get(input.0).copied().flatten()).collect()
    }

    fn rule(&self, step: &Step, rule: Rule) -> Rule {
        if step.inside.is_some() { Rule::Unknown("rows come and go in a loop") } else { rule }
    }

    fn inside(&self, step: &Step) -> Option<String> {
        step.inside.and_then(|id| self.loops.get(&id).cloned())
    }

    fn blank(&self, step: &Step, id: String, operator: &str, origin: Origin) -> Operator {
        let mut places = origin.places.into_iter();
        Operator {
            id,
            operator: operator.to_owned(),
            name: None,
            details: vec![],
            inputs: vec![],
            columns: vec![],
            universe: None,
            ids: None,
            append_only: step.insert_only,
            inside: self.inside(step),
            counterparts: origin.numbers.iter().map(ToString::to_string).collect(),
            estimate: Rule::Unknown("").apply(&[]),
            measured: None,
            place: places.next(),
            also: places.collect(),
        }
    }

    fn stages(
        &self,
        number: usize,
        step: &Step,
        stages: &[Stage],
        inputs: Vec<String>,
        operators: &mut Vec<Operator>,
    ) {
        let input = step.inputs.first().map_or(usize::MAX, |input| input.0);
        let mut names = self.names.get(input).cloned().unwrap_or_default();
        let mut dtypes = self.program.steps.get(input).map(|step| step.columns.clone()).unwrap_or_default();
        let mut rows = self.rows_of(step);
        let mut inputs = inputs;
        for (position, stage) in stages.iter().enumerate() {
            let origin = match stage {
                Stage::Map { frames, .. } => Origin::of(frames.iter().map(Option::as_ref)),
                Stage::Filter { frame, .. } | Stage::Reindex { frame, .. } | Stage::Flatten { frame, .. } => {
                    Origin::of([frame.as_ref()])
                }
            };
            let given = step.names.get(position);
            let id = format!("s{number}.{position}");
            let mut operator = match stage {
                Stage::Map { expressions, .. } => {
                    let texts: Vec<String> = expressions.iter().map(|e| shown(e, &names)).collect();
                    let mut operator = self.blank(step, id, "select", origin);
                    names = called(given, expressions.len(), |i| Some(texts[i].clone()));
                    dtypes = expressions.iter().map(|e| e.dtype().clone()).collect();
                    operator.columns = columns(&names, &dtypes);
                    for (column, text) in operator.columns.iter_mut().zip(texts) {
                        column.value = (column.name != text).then_some(text);
                    }
                    operator
                }
                Stage::Filter { condition, .. } => {
                    let mut operator = self.blank(step, id, "filter", origin);
                    operator.details.push(Detail::new("where", shown(condition, &names)));
                    operator.columns = columns(&names, &dtypes);
                    operator
                }
                Stage::Reindex { column, .. } => {
                    let mut operator = self.blank(step, id, "with_id", origin);
                    operator.ids = Some(one(&names, *column));
                    operator.columns = columns(&names, &dtypes);
                    operator
                }
                Stage::Flatten { column, element, origin_id, .. } => {
                    let mut operator = self.blank(step, id, "flatten", origin);
                    operator.details.push(Detail::new("elements of", one(&names, *column)));
                    operator.ids = Some("hash(id, position)".to_owned());
                    if let Some(dtype) = dtypes.get_mut(*column) {
                        *dtype = element.clone();
                    }
                    if *origin_id {
                        dtypes.push(DType::ANY_POINTER);
                    }
                    let before = names;
                    names = called(given, dtypes.len(), |i| before.get(i).cloned());
                    operator.columns = columns(&names, &dtypes);
                    operator
                }
            };
            let rule = match stage {
                Stage::Map { .. } => Rule::Same(0),
                Stage::Filter { .. } | Stage::Reindex { .. } => Rule::Some(0),
                Stage::Flatten { .. } => Rule::Unknown("it depends on the lengths of the sequences"),
            };
            operator.estimate = self.rule(step, rule).apply(&rows);
            rows = vec![Some((operator.estimate.least, operator.estimate.most))];
            operator.inputs = std::mem::replace(&mut inputs, vec![operator.id.clone()]);
            operators.push(operator);
        }
    }

    fn whole(&self, number: usize, step: &Step, inputs: Vec<String>) -> Operator {
        let of_reducers = match &step.op {
            StepOp::Reduce(reduce) => reduce.reducers.iter().map(|column| column.frame.as_ref()).collect(),
            _ => Vec::new(),
        };
        let origin = Origin::of([step.frame.as_ref()].into_iter().chain(of_reducers));
        let mut operator = self.blank(step, format!("s{number}"), "", origin);
        operator.inputs = inputs;
        let names = |input: usize| {
            let input = step.inputs.get(input).map_or(usize::MAX, |input| input.0);
            self.names.get(input).map_or(&[][..], Vec::as_slice)
        };
        let first = |i: usize| names(0).get(i).cloned();
        let given = called(step.names.last(), step.columns.len(), first);
        operator.columns = columns(&given, &step.columns);
        let mut add = |label: &str, text: String| operator.details.push(Detail::new(label, text));
        let (kind, rule): (&str, Rule) = match &step.op {
            StepOp::Static { batches, .. } => {
                add("changes", changes(batches).to_string());
                ("static", Rule::Given(rows_at_end(batches)))
            }
            StepOp::Source(source) => {
                add("from", source.source.description());
                operator.name = Some(self.program.label(number));
                ("source", Rule::Unknown("what the source has is read when it runs"))
            }
            StepOp::Output(output) => {
                add("to", output.sink.description());
                if let Some(sort_by) = &output.sort_by {
                    add("sorted by", some(&given, sort_by));
                }
                operator.name.clone_from(&output.name);
                ("output", if output.keep_errors { Rule::Same(0) } else { Rule::Some(0) })
            }
            StepOp::DeadLetters | StepOp::ErrorLog(_) => {
                (&*step.name, Rule::Unknown("it depends on what goes wrong"))
            }
            StepOp::Beside => (&*step.name, Rule::Unknown("it depends on when rows come")),
            StepOp::Stateless(_) => ("select", Rule::Same(0)),
            StepOp::Zip => ("zip", Rule::Together),
            StepOp::Concat => ("concat", Rule::Sum),
            StepOp::Reduce(reduce) => {
                let values = reduced(reduce, names(0));
                let skipped = reduce.group_columns.len();
                for (column, value) in operator.columns.iter_mut().skip(skipped).zip(values) {
                    column.value = Some(value);
                }
                (&*step.name, group(reduce, names(0), &mut operator))
            }
            StepOp::Join(join) => (&*step.name, joined(join, [names(0), names(1)], &mut operator)),
            StepOp::Lookup(lookup) => {
                add("at", one(names(0), lookup.pointer));
                if lookup.optional {
                    add("with", "None for None".to_owned());
                }
                if lookup.allow_misses {
                    add("with", "None for rows that are not there".to_owned());
                }
                (&*step.name, Rule::Some(0))
            }
            StepOp::UpdateRows => (&*step.name, Rule::Union),
            StepOp::UpdateCells { cells } => {
                for (to, from) in cells {
                    if let Some(column) = operator.columns.get_mut(*to) {
                        let (old, new) = (one(names(0), *to), one(names(1), *from));
                        column.value = Some(format!("{old} or the updates' {new}"));
                    }
                }
                (&*step.name, Rule::Same(0))
            }
            StepOp::Intersect | StepOp::Restrict { .. } => (&*step.name, Rule::InAll),
            StepOp::Difference => (&*step.name, Rule::Without),
            StepOp::Calls(calls) => {
                add("calls", calls.callee.name().to_owned());
                (&*step.name, Rule::Unknown("it depends on when answers come"))
            }
            StepOp::Answers(_) => (&*step.name, Rule::Unknown("it depends on when answers come")),
            StepOp::Transform(transformer) => {
                add("by", transformer.name().to_owned());
                (&*step.name, Rule::Unknown("it depends on the transformer"))
            }
            StepOp::Stateful(stateful) => {
                if stateful.controls > 0 {
                    add("by", list(names(0).iter().take(stateful.controls)));
                }
                (&*step.name, stateful_rule(&stateful.kind))
            }
            StepOp::Variable(_) => ("iterated_table", Rule::Unknown("rows come and go in a loop")),
            StepOp::Feedback(_) => ("feedback", Rule::Unknown("rows come and go in a loop")),
            StepOp::Leave(id) => {
                let limit = self.program.loops.get(id).and_then(|looped| looped.limit);
                let until = limit.map_or("when nothing changes".to_owned(), |limit| {
                    format!("after at most {limit} rounds")
                });
                add("leaves", format!("{} {until}", self.loops.get(id).map_or("the loop", String::as_str)));
                ("iterate", Rule::Unknown("it depends on what the loop makes"))
            }
        };
        kind.clone_into(&mut operator.operator);
        operator.estimate = self.rule(step, rule).apply(&self.rows_of(step));
        if matches!(step.op, StepOp::Output(_)) && rule == Rule::Some(0) && operator.estimate.most.is_some() {
            "rows with errors are not written".clone_into(&mut operator.estimate.how);
        }
        operator
    }
}

fn columns(names: &[String], dtypes: &[DType]) -> Vec<Column> {
    let column = |(name, dtype): (&String, &DType)| Column {
        name: name.clone(),
        dtype: dtype.to_string(),
        value: None,
        append_only: None,
    };
    names.iter().zip(dtypes).map(column).collect()
}

/// What the reducers compute.
fn reduced(reduce: &ReduceStep, names: &[String]) -> Vec<String> {
    let value = |column: &crate::program::ReduceColumn| {
        format!("{}({})", column.reducer.name(), some(names, &column.arguments))
    };
    reduce.reducers.iter().map(value).collect()
}

fn group(reduce: &ReduceStep, names: &[String], operator: &mut Operator) -> Rule {
    let mut add = |label: &str, text: String| operator.details.push(Detail::new(label, text));
    let keyed = match &reduce.key {
        GroupKey::Hash { columns, instance } => {
            if !columns.is_empty() {
                add("by", some(names, columns));
            }
            let last = if *instance { ", instance last" } else { "" };
            operator.ids = Some(format!("hash({}){last}", some(names, columns)));
            !columns.is_empty()
        }
        GroupKey::Pointer(column) => {
            add("by", one(names, *column));
            operator.ids = Some(one(names, *column));
            true
        }
    };
    let mut add = |label: &str, text: String| operator.details.push(Detail::new(label, text));
    if let Some(order) = reduce.sort_by {
        add("sorted by", one(names, order));
    }
    if let Some(Panes { length, hop, column, .. }) = &reduce.panes {
        let panes = one(names, *column);
        add("windows", format!("of {length} panes ({panes}), a new one every {hop}"));
    }
    if !reduce.skip_errors {
        add("with", "rows that have errors".to_owned());
    }
    let each = match &reduce.panes {
        None => Some(1),
        // Windows start every `hop` panes: a pane is in so many of them.
        Some(panes) => u64::try_from(panes.length)
            .ok()
            .zip(u64::try_from(panes.hop).ok())
            .map(|(length, hop)| length.div_ceil(hop.max(1))),
    };
    Rule::Groups { keyed, each }
}

fn joined(join: &JoinStep, names: [&[String]; 2], operator: &mut Operator) -> Rule {
    let [left, right] = names;
    let mut add = |label: &str, text: String| operator.details.push(Detail::new(label, text));
    let pairs = join.left_on.iter().zip(&join.right_on);
    let on: Vec<String> =
        pairs.map(|(l, r)| format!("left {} == right {}", one(left, *l), one(right, *r))).collect();
    // The times are of the two sides in order.
    let sided = join.matching.map(|side, column| {
        if side == 0 {
            format!("left {}", one(left, *column))
        } else {
            format!("right {}", one(right, *column))
        }
    });
    let times = matching(&sided, Clone::clone);
    let once = [join.left_exactly_once, join.right_exactly_once];
    join_details(join.mode, on, &times, join.instance, once, &mut add);
    operator.ids = Some(
        match join.ids {
            JoinIds::Left => "those of the left rows",
            JoinIds::Right => "those of the right rows",
            JoinIds::Pair => "hash(left id, right id)",
        }
        .to_owned(),
    );
    join_rule(join.mode, join.ids, &join.matching, !join.left_exactly_once && !join.right_exactly_once)
}
