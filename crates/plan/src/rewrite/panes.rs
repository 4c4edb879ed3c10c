//! Sliding windows are put together of panes: rows are summed up once for each pane and not once for each
//! window.
//!
//! What is looked for: rows get the numbers of their windows, are flattened by these and grouped by them. It
//! becomes: rows get the number of their pane and are grouped by that, and the group-by makes windows of panes
//! ([`Panes`]). That is possible if the reducers can put results together and read nothing that differs from
//! window to window. See `docs/decisions/0006-panes.md`.

use pathway_expr::{Expr, ExprKind, Reducer};
use pathway_types::{DType, Value};

use crate::program::{ARGUMENT_ID, GroupKey, Panes, Program, ReduceColumn, ReduceStep, Stage, StepOp};
use crate::temporal::{constant_like, whole, windows};

/// So many panes from window to window at most: with more of them there is little that windows share.
const MOST_PANES_PER_HOP: i64 = 8;

/// Rewrites the group-bys where it is possible.
pub(super) fn use_panes(program: &mut Program) {
    let mut readers = vec![0usize; program.steps.len()];
    for step in &program.steps {
        step.inputs.iter().for_each(|input| readers[input.0] += 1);
    }
    for i in 0..program.steps.len() {
        let step = &program.steps[i];
        let StepOp::Reduce(reduce) = &step.op else { continue };
        let input = step.inputs[0].0;
        let rows = &program.steps[input];
        let StepOp::Stateless(stages) = &rows.op else { continue };
        if readers[input] > 1
            || rows.inside.is_some()
            || !can_be_put_together(reduce, &rows.columns, rows.insert_only)
        {
            continue;
        }
        let Some((stages, panes, dropped)) = with_panes(stages, reduce) else { continue };
        let reduce = ReduceStep { panes: Some(panes), ..reduce.clone() };
        program.steps[input].op = StepOp::Stateless(stages);
        let names = &mut program.steps[input].names;
        if dropped < names.len() {
            names.remove(dropped);
        }
        program.steps[i].op = StepOp::Reduce(reduce);
    }
}

/// True if the results for windows follow from those for panes, to the last bit.
fn can_be_put_together(reduce: &ReduceStep, columns: &[DType], insert_only: bool) -> bool {
    let is_number = |column: &ReduceColumn| {
        let dtype = column.arguments.first().and_then(|argument| columns.get(*argument));
        dtype.is_some_and(|dtype| matches!(dtype.unoptional(), DType::Int | DType::Float))
    };
    let sums_up = |column: &ReduceColumn| match column.reducer {
        Reducer::Count => true,
        Reducer::Sum { .. } | Reducer::Avg | Reducer::Variance { .. } => is_number(column),
        // Where rows may go, the least value that is left has to be known.
        Reducer::Min | Reducer::Max => insert_only,
        _ => false,
    };
    let reads_ids = |column: &ReduceColumn| column.arguments.contains(&ARGUMENT_ID);
    reduce.panes.is_none() && reduce.reducers.iter().all(|column| sums_up(column) && !reads_ids(column))
}

/// The stages with the number of the pane in place of the numbers of windows, and which stage there is no more.
fn with_panes(stages: &[Stage], reduce: &ReduceStep) -> Option<(Vec<Stage>, Panes, usize)> {
    let at = stages.iter().rposition(|stage| matches!(stage, Stage::Flatten { .. }))?;
    let (Stage::Flatten { column, origin_id, .. }, before) = (&stages[at], at.checked_sub(1)?) else {
        return None;
    };
    let Stage::Map { expressions, frames } = &stages[before] else { return None };
    let ExprKind::Call(function, arguments) = expressions[*column].kind() else { return None };
    let [time, hop, span, ratio, origin, least] = &arguments[..] else { return None };
    if function.0 != "window.numbers" {
        return None;
    }
    let origin_id = origin_id.then_some(expressions.len());
    let panes = Panes {
        column: follow(&stages[at + 1..], *column, origin_id)?,
        ..panes(hop, span, ratio, origin, least)?
    };
    let GroupKey::Hash { columns, .. } = &reduce.key else { return None };
    let read = reduce
        .reducers
        .iter()
        .flat_map(|column| &column.arguments)
        .chain(&reduce.sort_by)
        .chain(&reduce.row_ids);
    if !columns.contains(&panes.column)
        || !reduce.group_columns.iter().all(|column| columns.contains(column))
        || read.into_iter().any(|column| *column == panes.column)
    {
        return None;
    }
    let length = length_of(hop, panes.hop)?;
    let start = if panes.offset == 0 { origin.clone() } else { constant_like(origin, 0) };
    let number = Expr::method("window.number", vec![time.clone(), length, start]).ok()?;
    let mut expressions = expressions.clone();
    expressions[*column] = number;
    let mut rewritten = stages[..before].to_vec();
    rewritten.push(Stage::Map { expressions, frames: frames.clone() });
    rewritten.extend_from_slice(&stages[at + 1..]);
    Some((rewritten, panes, at))
}

/// Where a column is after the stages; `None` if they do anything else with it, or with `other` or ids.
fn follow(stages: &[Stage], column: usize, other: Option<usize>) -> Option<usize> {
    let (mut column, mut other) = (column, other);
    for stage in stages {
        let reads = |expression: &Expr| {
            let mut reads = false;
            expression.visit(&mut |e| match e.kind() {
                ExprKind::Input(i) => reads |= *i == column || Some(*i) == other,
                ExprKind::InputId => reads = true,
                _ => {}
            });
            reads
        };
        match stage {
            Stage::Map { expressions, .. } => {
                let is =
                    |wanted: usize| move |e: &Expr| matches!(e.kind(), ExprKind::Input(i) if *i == wanted);
                let passed = expressions.iter().position(is(column))?;
                let mut others = expressions.iter().enumerate().filter(|(i, _)| *i != passed);
                if others.any(|(_, e)| reads(e)) {
                    return None;
                }
                (column, other) = (passed, None);
            }
            Stage::Filter { condition, .. } if !reads(condition) => {}
            _ => return None,
        }
    }
    Some(column)
}

/// How windows are made of panes, if many windows share a pane.
fn panes(whole_hop: &Expr, span: &Expr, ratio: &Expr, origin: &Expr, least: &Expr) -> Option<Panes> {
    let (ratio, least) = (whole(ratio)?, whole(least)?);
    let numbers = windows(whole_hop, span, ratio, origin, least);
    let (hop, length) = match (whole_hop.as_constant()?, span.as_constant()?) {
        (Value::Float(hop), _) => {
            let Value::Float(origin) = origin.as_constant()? else { return None };
            // Far from zero, a window before the origin may start where the origin is.
            if least > i64::MIN && origin - hop >= *origin {
                return None;
            }
            (1, ratio)
        }
        _ if ratio > 0 => (1, ratio),
        (Value::Int(hop), Value::Int(span)) | (Value::Duration(hop), Value::Duration(span)) => {
            let common = greatest_common_divisor(*hop, *span);
            (hop / common, span / common)
        }
        _ => return None,
    };
    let shared = length / 2 >= hop && hop <= MOST_PANES_PER_HOP;
    let pane = length_of(whole_hop, hop)?;
    let offset = offset(&pane, whole_hop, origin)?;
    shared.then_some(Panes { column: 0, hop, offset, length, windows: numbers })
}

/// The number of the pane at the origin, such that all panes have numbers of 64 bits: where a whole time is a pane of its
/// own, panes are numbered as the times are, else from the origin on.
fn offset(pane: &Expr, hop: &Expr, origin: &Expr) -> Option<i64> {
    match (whole(pane), whole(hop), whole(origin)) {
        (Some(pane), Some(hop), Some(origin)) => {
            let is_first = (0..hop).contains(&origin);
            is_first.then_some(if pane == 1 { origin } else { 0 })
        }
        _ => Some(0),
    }
}

/// The length of a pane, where so many make a hop.
fn length_of(hop: &Expr, panes: i64) -> Option<Expr> {
    match hop.as_constant()? {
        Value::Int(hop) => Some(Expr::literal(Value::Int(hop / panes))),
        Value::Duration(hop) => Some(Expr::literal(Value::Duration(hop / panes))),
        _ => Some(hop.clone()),
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
