//! The text of a logical plan.

use std::fmt::{self, Write};

use pathway_expr::{ColumnRef, Expr, ExprKind, SourceId};

use super::{Shown, list, matching};
use crate::Frame;
use crate::graph::{FlattenColumn, JoinColumn, LoopId, Node, NodeId, Op, State};
use crate::program::{JoinIds, JoinMode};

pub(super) fn write(f: &mut impl Write, state: &State) -> fmt::Result {
    for (i, node) in state.nodes().iter().enumerate() {
        let inputs = node.op.inputs();
        write!(f, "t{i}: {}", node.op.name())?;
        if !inputs.is_empty() {
            write!(f, " <- {}", list(inputs.iter().map(|t| table(state, *t))))?;
        }
        write!(f, "  [u{}", state.universes.ordinal(node.universe))?;
        if node.id_append_only {
            f.write_str(", append-only")?;
        }
        f.write_char(']')?;
        if let Some(id) = state.inside(SourceId(state.base() + i as u32)) {
            write!(f, " in {}", loop_name(state, id))?;
        }
        match node.frame.as_ref().and_then(Frame::known) {
            Some(frame) => writeln!(f, "  {frame}")?,
            None => writeln!(f)?,
        }
        controls(f, state, &node.op)?;
        columns(f, state, node)?;
    }
    for output in &state.outputs {
        write!(f, "output <- {}: {}", table(state, output.table), output.sink.description())?;
        if let Some(sort_by) = &output.sort_by {
            let names = sort_by.iter().map(|i| &state.node(output.table).columns[*i].name);
            write!(f, " sorted by {}", list(names))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// `loop 1`: iterations are counted in the order in which they were begun.
fn loop_name(state: &State, id: LoopId) -> String {
    format!("loop {}", state.loops.ordinal(id))
}

fn table(state: &State, id: NodeId) -> String {
    format!("t{}", id.0.wrapping_sub(state.base()))
}

fn column(state: &State, reference: ColumnRef) -> String {
    let name = &state.node(reference.source).columns[reference.column as usize].name;
    format!("{}.{name}", table(state, reference.source))
}

fn shown<'a>(state: &'a State, expression: &'a Expr) -> String {
    let names = |e: &Expr| match e.kind() {
        ExprKind::Column(reference) => Some(column(state, *reference)),
        ExprKind::Id(source) => Some(format!("{}.id", table(state, *source))),
        _ => None,
    };
    Shown { expression, names: &names }.to_string()
}

/// What an operation does beside making columns.
fn controls(f: &mut impl Write, state: &State, op: &Op) -> fmt::Result {
    let all = |expressions: &[Expr]| list(expressions.iter().map(|e| shown(state, e)));
    match op {
        Op::Filter { condition, .. } => writeln!(f, "    where {}", shown(state, condition)),
        Op::Reindex { pointer, .. } => writeln!(f, "    id = {}", shown(state, pointer)),
        Op::Flatten(flatten) => writeln!(f, "    elements of {}", shown(state, &flatten.sequence)),
        Op::Reduce(reduce) => {
            write!(f, "    by {:?}({})", reduce.ids, all(&reduce.group))?;
            if let Some(order) = &reduce.sort_by {
                write!(f, " sorted by {}", shown(state, order))?;
            }
            writeln!(f, "{}", if reduce.skip_errors { "" } else { " keeping errors" })
        }
        Op::Join(join) => {
            let pairs = join.left_on.iter().zip(&join.right_on);
            let on = pairs.map(|(l, r)| format!("{} == {}", shown(state, l), shown(state, r)));
            let mode = match join.mode {
                JoinMode::Inner => "inner",
                JoinMode::Left => "left",
                JoinMode::Right => "right",
                JoinMode::Outer => "outer",
            };
            write!(f, "    {mode} on {}", list(on))?;
            f.write_str(&matching(&join.matching, |time| shown(state, time)))?;
            match join.ids {
                JoinIds::Pair => {}
                JoinIds::Left => f.write_str(", id = l.id")?,
                JoinIds::Right => f.write_str(", id = r.id")?,
            }
            for (flag, text) in [
                (join.instance, ", instance last"),
                (join.left_exactly_once, ", left exactly once"),
                (join.right_exactly_once, ", right exactly once"),
            ] {
                if flag {
                    f.write_str(text)?;
                }
            }
            writeln!(f)
        }
        Op::Lookup(lookup) => {
            write!(f, "    at {}", shown(state, &lookup.pointer))?;
            writeln!(
                f,
                "{}{}",
                if lookup.optional { ", optional" } else { "" },
                if lookup.allow_misses { ", misses allowed" } else { "" }
            )
        }
        Op::Transform(transform) => writeln!(f, "    {}", transform.transformer.name()),
        Op::Stateful(stateful) => {
            let controls = stateful.inputs.iter().map(|rows| all(&rows.columns));
            writeln!(f, "    by {}", list(controls))
        }
        Op::Variable(variable) => writeln!(f, "    at first {}", table(state, variable.start.table)),
        Op::Iterated(iterated) => {
            write!(
                f,
                "    {} becomes {}",
                table(state, iterated.variable),
                table(state, iterated.result.table)
            )?;
            match state.loops.get(iterated.of).limit {
                Some(limit) => writeln!(f, ", at most {limit} times"),
                None => writeln!(f, " until nothing changes"),
            }
        }
        Op::Calls(calls) => {
            let instance = calls.instance.as_ref().map(|e| format!(" by {}", shown(state, e)));
            let instance = instance.unwrap_or_default();
            writeln!(f, "    {}({}){instance}", calls.callee.name(), all(&calls.arguments))
        }
        _ => Ok(()),
    }
}

fn columns(f: &mut impl Write, state: &State, node: &Node) -> fmt::Result {
    for (i, c) in node.columns.iter().enumerate() {
        write!(f, "    {}: {}", c.name, c.dtype)?;
        if let Some(value) = value_of(state, node, i) {
            write!(f, " = {value}")?;
        }
        writeln!(f, "{}", if c.append_only { "" } else { "  (may be retracted)" })?;
    }
    Ok(())
}

/// What a column is made of, where that is not plain from the operation.
fn value_of(state: &State, node: &Node, i: usize) -> Option<String> {
    match &node.op {
        Op::Select { expressions, .. } => Some(shown(state, &expressions[i])),
        Op::Filter { columns, .. }
        | Op::Reindex { columns, .. }
        | Op::Intersect { columns, .. }
        | Op::Difference { columns, .. }
        | Op::Restrict { columns, .. } => Some(column(state, columns[i])),
        Op::Lookup(lookup) => Some(column(state, lookup.columns[i])),
        Op::Flatten(flatten) => Some(match flatten.columns[i] {
            FlattenColumn::Element => "element".to_owned(),
            FlattenColumn::Passed(passed) => column(state, passed),
            FlattenColumn::Origin => "row id".to_owned(),
        }),
        Op::Join(join) => Some(match join.columns[i] {
            JoinColumn::Left(passed) | JoinColumn::Right(passed) => column(state, passed),
            JoinColumn::LeftId => format!("{}.id", table(state, join.left)),
            JoinColumn::RightId => format!("{}.id", table(state, join.right)),
            JoinColumn::LeftTime => "left time".to_owned(),
            JoinColumn::RightTime => "right time".to_owned(),
            JoinColumn::Side => "side".to_owned(),
        }),
        Op::Reduce(reduce) => match i.checked_sub(reduce.group.len()) {
            None => Some(shown(state, &reduce.group[i])),
            Some(aggregate) => {
                let aggregate = &reduce.aggregates[aggregate];
                let arguments = list(aggregate.arguments.iter().map(|e| shown(state, e)));
                Some(format!("{}({arguments})", aggregate.reducer.name()))
            }
        },
        Op::Concat { inputs } => {
            let values = inputs.iter().map(|rows| shown(state, &rows.columns[i]));
            Some(values.collect::<Vec<_>>().join(" or "))
        }
        Op::UpdateRows { old, new } => {
            Some(format!("{} or {}", shown(state, &old.columns[i]), shown(state, &new.columns[i])))
        }
        Op::UpdateCells { input, updates, cells } => Some(match cells[i] {
            None => shown(state, &input.columns[i]),
            Some(cell) => {
                format!("{} or {}", shown(state, &input.columns[i]), shown(state, &updates.columns[cell]))
            }
        }),
        Op::Stateful(stateful) => stateful.columns.get(i).map(|passed| column(state, *passed)),
        Op::Variable(variable) => Some(shown(state, &variable.start.columns[i])),
        Op::Iterated(iterated) => Some(shown(state, &iterated.result.columns[i])),
        Op::Static(_)
        | Op::Source(_)
        | Op::DeadLetters { .. }
        | Op::Beside { .. }
        | Op::ErrorLog(_)
        | Op::Calls(_)
        | Op::Answers(_)
        | Op::Transform(_) => None,
    }
}
