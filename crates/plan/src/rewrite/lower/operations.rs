//! The step of each operation, given where its inputs' columns are.

use std::sync::Arc;

use pathway_expr::Expr;

use super::ports::{Port, carried_input, is_id, wanted_aggregates};
use super::{Input, Operation, Slot};
use crate::Frame;
use crate::graph::{
    ExternalRows, Flatten, FlattenColumn, GroupIds, Join, JoinColumn, Node, Op, Reduce, Stateful, StaticRows,
};
use crate::program::{
    ARGUMENT_ID, CallsStep, GroupKey, JoinStep, LookupStep, ReduceColumn, ReduceStep, SourceStep,
    Stage as RowStage, StatefulStep, StepId, StepOp,
};
use crate::rewrite::demand::Stage;
use crate::stateful::StatefulKind;

/// The step of a root of which `stage` wants columns.
pub(super) fn operation(node: &Node, stage: &Stage, ports: &[Port], inputs: Vec<Input>) -> Operation {
    let own: Vec<u32> = stage.own.iter().copied().collect();
    let slots = || own.iter().map(|i| Slot::Own(*i));
    let passed = || stage.passed.iter().map(|c| Slot::Passed(*c));
    let mut steps: Vec<StepId> = inputs.iter().map(|input| input.step).collect();
    let (op, layout): (StepOp, Vec<Slot>) = match &node.op {
        Op::Static(rows) => (static_rows(rows, &own), slots().collect()),
        Op::Source(rows) => (source(rows, &own, node.columns.len()), slots().collect()),
        // The layout is fixed; what is not wanted is dropped by whoever reads it.
        Op::DeadLetters { .. } => (StepOp::DeadLetters, all_columns(node)),
        Op::Beside { .. } => (StepOp::Beside, all_columns(node)),
        Op::ErrorLog(logged) => (StepOp::ErrorLog(logged.clone()), all_columns(node)),
        // The port is exact: its columns are the result.
        Op::Select { .. } => (StepOp::Stateless(vec![]), passed().chain(slots()).collect()),
        Op::Filter { .. } => {
            let [input] = &inputs[..] else { unreachable!("a filter has one input") };
            let condition = input.bound[0].clone();
            let mut stages = vec![RowStage::Filter { condition, frame: node.frame.clone() }];
            stages.push(project(&ports[0].columns, &input.positions, node, &own));
            (StepOp::Stateless(stages), slots().collect())
        }
        Op::Reindex { .. } => {
            let [input] = &inputs[..] else { unreachable!("with_id has one input") };
            let column = input.positions[0];
            let mut stages = vec![RowStage::Reindex { column, frame: node.frame.clone() }];
            stages.push(project(&ports[0].columns[1..], &input.positions[1..], node, &own));
            (StepOp::Stateless(stages), slots().collect())
        }
        Op::Flatten(flatten) => flatten_rows(flatten, &own, node.frame.as_ref()),
        Op::Concat { .. } => (StepOp::Concat, slots().collect()),
        Op::Reduce(reduce) => (StepOp::Reduce(reduce_rows(reduce, stage, &inputs[0])), {
            let group = reduce.group.len() as u32;
            let (columns, aggregates): (Vec<u32>, Vec<u32>) = own.iter().partition(|i| **i < group);
            columns.into_iter().chain(aggregates).map(Slot::Own).collect()
        }),
        Op::Join(join) => join_rows(join, stage, &inputs, carried_input(&node.op)),
        Op::Lookup(lookup) => {
            let step = LookupStep {
                pointer: inputs[0].positions[0],
                optional: lookup.optional,
                allow_misses: lookup.allow_misses,
                keep: inputs[0].positions[1..].to_vec(),
                fetch: inputs[1].positions.clone(),
            };
            (StepOp::Lookup(step), passed().chain(slots()).collect())
        }
        Op::UpdateRows { .. } => (StepOp::UpdateRows, slots().collect()),
        Op::UpdateCells { cells, .. } => {
            let start = stage.passed.len();
            let updated = own.iter().enumerate().filter(|(_, i)| cells[**i as usize].is_some());
            let cells = updated.zip(&inputs[1].positions).map(|((at, _), from)| (start + at, *from));
            (StepOp::UpdateCells { cells: cells.collect() }, passed().chain(slots()).collect())
        }
        Op::Intersect { .. } => (StepOp::Intersect, slots().collect()),
        Op::Difference { .. } => (StepOp::Difference, slots().collect()),
        Op::Restrict { .. } if !stage.passed.is_empty() => {
            // The port has each row's own id, then what is passed.
            let step = LookupStep {
                pointer: inputs[1].positions[0],
                optional: false,
                allow_misses: false,
                keep: inputs[1].positions[1..].to_vec(),
                fetch: inputs[0].positions.clone(),
            };
            steps.reverse();
            (StepOp::Lookup(step), passed().chain(slots()).collect())
        }
        Op::Variable(variable) => (StepOp::Variable(variable.of), slots().collect()),
        Op::Iterated(iterated) => (StepOp::Leave(iterated.of), slots().collect()),
        // The layout is fixed, as for dead letters.
        Op::Calls(calls) => {
            let step = CallsStep { callee: calls.callee.clone(), arguments: calls.arguments.len() };
            (StepOp::Calls(step), (0..node.columns.len() as u32).map(Slot::Own).collect())
        }
        Op::Transform(transform) => {
            let layout = (0..node.columns.len() as u32).map(Slot::Own).collect();
            (StepOp::Transform(transform.transformer.clone()), layout)
        }
        Op::Stateful(stateful) => stateful_rows(stateful, &own, node.columns.len()),
        Op::Answers(answers) => {
            let layout = (0..node.columns.len() as u32).map(Slot::Own).collect();
            (StepOp::Answers(answers.on_failure), layout)
        }
        Op::Restrict { exact, .. } => (StepOp::Restrict { exact: *exact }, slots().collect()),
    };
    Operation { op, inputs: steps, layout }
}

fn static_rows(rows: &StaticRows, own: &[u32]) -> StepOp {
    let columns: Vec<usize> = own.iter().map(|i| *i as usize).collect();
    let project = |(time, batch): &(_, pathway_types::Batch)| (*time, batch.project(&columns));
    StepOp::Static {
        batches: Arc::new(rows.batches.iter().map(project).collect()),
        shards: rows.shards.clone(),
        known_at_start: rows.known_at_start,
    }
}

fn source(rows: &ExternalRows, own: &[u32], width: usize) -> StepOp {
    let columns: Vec<usize> = own.iter().map(|i| *i as usize).collect();
    let source = match columns.len() == width {
        true => rows.source.clone(),
        false => rows.source.project(&columns),
    };
    StepOp::Source(SourceStep {
        source,
        name: rows.name.clone(),
        autocommit: rows.autocommit,
        max_backlog: rows.max_backlog,
    })
}

/// A layout with every column of the node.
fn all_columns(node: &Node) -> Vec<Slot> {
    (0..node.columns.len() as u32).map(Slot::Own).collect()
}

fn stateful_rows(stateful: &Stateful, own: &[u32], width: usize) -> (StepOp, Vec<Slot>) {
    let step = StatefulStep {
        kind: stateful.kind.clone(),
        controls: stateful.inputs[0].columns.len(),
        name: stateful.name.clone(),
    };
    let passed = stateful.columns.len() as u32;
    let there = |i: &u32| match &stateful.kind {
        StatefulKind::Search(search) => *i < search.first_cells().0 as u32 || own.contains(i),
        _ => *i >= passed || !stateful.prunable || own.contains(i),
    };
    (StepOp::Stateful(step), (0..width as u32).filter(there).map(Slot::Own).collect())
}

/// A stage that picks columns by position, under the dtypes of the node's columns.
fn project(columns: &[Expr], positions: &[usize], node: &Node, own: &[u32]) -> RowStage {
    let expressions = columns.iter().zip(positions).zip(own).map(|((column, position), i)| {
        let dtype = node.columns[*i as usize].dtype.clone();
        match column.as_column() {
            Some(reference) => Expr::column(reference, dtype).bind(&|_| Some(*position)),
            None => unreachable!("passed columns are columns"),
        }
    });
    let expressions: Vec<Expr> = expressions.collect();
    RowStage::Map { frames: vec![None; expressions.len()], expressions }
}

fn flatten_rows(flatten: &Flatten, own: &[u32], frame: Option<&Frame>) -> (StepOp, Vec<Slot>) {
    let kind = |i: &u32| flatten.columns[*i as usize];
    let mut layout: Vec<Slot> =
        own.iter().filter(|i| matches!(kind(i), FlattenColumn::Passed(_))).map(|i| Slot::Own(*i)).collect();
    let column = layout.len();
    let element = own.iter().find(|i| kind(i) == FlattenColumn::Element);
    layout.push(element.map_or(Slot::Unwanted, |i| Slot::Own(*i)));
    let origin = own.iter().find(|i| kind(i) == FlattenColumn::Origin);
    layout.extend(origin.map(|i| Slot::Own(*i)));
    let stage = RowStage::Flatten {
        column,
        sequence: flatten.sequence.dtype().clone(),
        element: flatten.element.clone(),
        origin_id: origin.is_some(),
        frame: frame.cloned(),
    };
    (StepOp::Stateless(vec![stage]), layout)
}

fn reduce_rows(reduce: &Reduce, stage: &Stage, input: &Input) -> ReduceStep {
    let group = reduce.group.len();
    let mut positions = input.positions.iter().copied();
    // The port lists the grouping columns, then arguments, then the order, then the ids.
    let columns: Vec<usize> = positions.by_ref().take(group).collect();
    let reducers = wanted_aggregates(group, &stage.own).map(|i| {
        let aggregate = &reduce.aggregates[i];
        let argument = |e: &Expr| match is_id(e) {
            true => ARGUMENT_ID,
            false => positions.next().unwrap_or(ARGUMENT_ID),
        };
        ReduceColumn {
            reducer: aggregate.reducer.clone(),
            arguments: aggregate.arguments.iter().map(argument).collect(),
            dtype: aggregate.dtype.clone(),
            frame: aggregate.frame.clone(),
        }
    });
    let reducers = reducers.collect();
    let wanted = stage.own.iter().filter(|i| (**i as usize) < group);
    ReduceStep {
        group_columns: wanted.map(|i| columns[*i as usize]).collect(),
        key: match reduce.ids {
            GroupIds::Pointer => GroupKey::Pointer(columns[0]),
            ids => GroupKey::Hash { columns, instance: ids == GroupIds::Instance },
        },
        reducers,
        sort_by: reduce.sort_by.as_ref().and_then(|_| positions.next()),
        row_ids: reduce.row_ids_for(wanted_aggregates(group, &stage.own)).and_then(|_| positions.next()),
        skip_errors: reduce.skip_errors,
        panes: None,
    }
}

fn join_rows(join: &Join, stage: &Stage, inputs: &[Input], carried: Option<usize>) -> (StepOp, Vec<Slot>) {
    let keys = join.left_on.len();
    let matching = join.matching.map(|side, _| inputs[side].positions[keys]);
    let controls = keys + usize::from(matching.times().is_some());
    let passed = || stage.passed.iter().map(|c| Slot::Passed(*c));
    let of = |wanted: fn(&JoinColumn) -> bool| {
        let own = stage.own.iter().copied();
        own.filter(move |i| wanted(&join.columns[*i as usize])).map(Slot::Own)
    };
    let mut layout: Vec<Slot> = Vec::new();
    if carried == Some(0) {
        layout.extend(passed());
    }
    layout.extend(of(|c| matches!(c, JoinColumn::Left(_))));
    let left_time = of(|c| *c == JoinColumn::LeftTime).next();
    layout.extend(left_time);
    if carried == Some(1) {
        layout.extend(passed());
    }
    layout.extend(of(|c| matches!(c, JoinColumn::Right(_))));
    let right_time = of(|c| *c == JoinColumn::RightTime).next();
    layout.extend(right_time);
    // An id that is wanted twice is made once; the layout names one of its columns.
    let (left_id, right_id) =
        (of(|c| *c == JoinColumn::LeftId).next(), of(|c| *c == JoinColumn::RightId).next());
    let side = of(|c| *c == JoinColumn::Side).next();
    layout.extend(left_id);
    layout.extend(right_id);
    layout.extend(side);
    let columns = |input: usize, time: bool| {
        let positions = &inputs[input].positions;
        positions[controls..].iter().chain(time.then(|| &positions[keys])).copied().collect()
    };
    let step = JoinStep {
        mode: join.mode,
        left_on: inputs[0].positions[..keys].to_vec(),
        right_on: inputs[1].positions[..keys].to_vec(),
        instance: join.instance,
        ids: join.ids,
        left_columns: columns(0, left_time.is_some()),
        right_columns: columns(1, right_time.is_some()),
        matching,
        left_id: left_id.is_some(),
        right_id: right_id.is_some(),
        side: side.is_some(),
        left_exactly_once: join.left_exactly_once,
        right_exactly_once: join.right_exactly_once,
    };
    (StepOp::Join(step), layout)
}
