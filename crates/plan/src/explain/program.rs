//! The text of a program.

use std::fmt::{self, Write};

use super::{list, matching, plain};
use crate::program::{ARGUMENT_ID, GroupKey, JoinIds, JoinStep, Program, ReduceStep, Stage, StepOp};

pub(super) fn write(f: &mut impl Write, program: &Program) -> fmt::Result {
    for (i, step) in program.steps.iter().enumerate() {
        let level = step.inside.and_then(|id| program.loops.get(&id)).map_or(0, |l| l.level);
        write!(f, "{}{i}: {} {}", "| ".repeat(level), kind(&step.op), step.name)?;
        if !step.inputs.is_empty() {
            write!(f, " <- {}", list(step.inputs.iter().map(|input| input.0)))?;
        }
        let flag = if step.insert_only { " insert-only" } else { "" };
        writeln!(f, " -> ({}){flag}", list(&step.columns))?;
        details(f, program, &step.op)?;
    }
    Ok(())
}

fn kind(op: &StepOp) -> &'static str {
    match op {
        StepOp::Static { .. } => "Static",
        StepOp::Source(_) => "Source",
        StepOp::DeadLetters => "DeadLetters",
        StepOp::Beside => "Beside",
        StepOp::ErrorLog(_) => "ErrorLog",
        StepOp::Stateless(_) => "Stateless",
        StepOp::Zip => "Zip",
        StepOp::Concat => "Concat",
        StepOp::Reduce(_) => "Reduce",
        StepOp::Join(_) => "Join",
        StepOp::Lookup(_) => "Lookup",
        StepOp::UpdateRows => "UpdateRows",
        StepOp::UpdateCells { .. } => "UpdateCells",
        StepOp::Intersect => "Intersect",
        StepOp::Difference => "Difference",
        StepOp::Restrict { .. } => "Restrict",
        StepOp::Calls(_) => "Calls",
        StepOp::Answers(_) => "Answers",
        StepOp::Transform(_) => "Transform",
        StepOp::Stateful(_) => "Stateful",
        StepOp::Variable(_) => "Variable",
        StepOp::Feedback(_) => "Feedback",
        StepOp::Leave(_) => "Leave",
        StepOp::Output(_) => "Output",
    }
}

fn positions(columns: &[usize]) -> String {
    list(columns.iter().map(|c| match *c {
        ARGUMENT_ID => "#id".to_owned(),
        c => format!("#{c}"),
    }))
}

fn details(f: &mut impl Write, program: &Program, op: &StepOp) -> fmt::Result {
    match op {
        StepOp::Static { batches, .. } => {
            let rows: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
            writeln!(f, "    {rows} changes at {} times", batches.len())
        }
        StepOp::Stateless(stages) => stages.iter().try_for_each(|stage| write_stage(f, stage)),
        StepOp::Reduce(reduce) => write_reduce(f, reduce),
        StepOp::Join(join) => write_join(f, join),
        StepOp::Lookup(lookup) => {
            write!(f, "    at #{}", lookup.pointer)?;
            for (flag, text) in [(lookup.optional, " optional"), (lookup.allow_misses, " misses allowed")] {
                if flag {
                    f.write_str(text)?;
                }
            }
            writeln!(f, " keep [{}] fetch [{}]", positions(&lookup.keep), positions(&lookup.fetch))
        }
        StepOp::UpdateCells { cells } => {
            let cells = cells.iter().map(|(to, from)| format!("#{to} from #{from}"));
            writeln!(f, "    {}", list(cells))
        }
        StepOp::ErrorLog(logged) => writeln!(f, "    {logged}"),
        StepOp::Restrict { exact: true } => writeln!(f, "    exact"),
        StepOp::Transform(transformer) => writeln!(f, "    {}", transformer.name()),
        StepOp::Stateful(stateful) => writeln!(f, "    {} controls", stateful.controls),
        StepOp::Calls(calls) => {
            writeln!(f, "    {} of the first {} columns", calls.callee.name(), calls.arguments)
        }
        StepOp::Output(output) => {
            if let Some(sort_by) = &output.sort_by {
                writeln!(f, "    sorted by {}", positions(sort_by))?;
            }
            if output.keep_errors { writeln!(f, "    with errors") } else { Ok(()) }
        }
        StepOp::Leave(id) => match program.loops.get(id).and_then(|l| l.limit) {
            Some(limit) => writeln!(f, "    after at most {limit} rounds"),
            None => Ok(()),
        },
        StepOp::Source(_)
        | StepOp::DeadLetters
        | StepOp::Variable(_)
        | StepOp::Feedback(_)
        | StepOp::Beside
        | StepOp::Zip
        | StepOp::Answers(_)
        | StepOp::Concat
        | StepOp::UpdateRows
        | StepOp::Intersect
        | StepOp::Difference
        | StepOp::Restrict { exact: false } => Ok(()),
    }
}

fn write_stage(f: &mut impl Write, stage: &Stage) -> fmt::Result {
    match stage {
        Stage::Map { expressions, .. } => writeln!(f, "    map {}", list(expressions.iter().map(plain))),
        Stage::Filter { condition, .. } => writeln!(f, "    filter {}", plain(condition)),
        Stage::Reindex { column, .. } => writeln!(f, "    reindex #{column}"),
        Stage::Flatten { column, origin_id, .. } => {
            writeln!(f, "    flatten #{column}{}", if *origin_id { " with origin" } else { "" })
        }
    }
}

fn write_reduce(f: &mut impl Write, reduce: &ReduceStep) -> fmt::Result {
    let key = match &reduce.key {
        GroupKey::Hash { columns, instance } => {
            format!("hash({}{})", positions(columns), if *instance { ", instance last" } else { "" })
        }
        GroupKey::Pointer(column) => format!("#{column}"),
    };
    write!(f, "    key {key} columns [{}]", positions(&reduce.group_columns))?;
    if let Some(order) = reduce.sort_by {
        write!(f, " sorted by #{order}")?;
    }
    if let Some(ids) = reduce.row_ids {
        write!(f, " ids of rows #{ids}")?;
    }
    if let Some(panes) = &reduce.panes {
        write!(f, " windows of {} panes every {} at #{}", panes.length, panes.hop, panes.column)?;
        if panes.offset != 0 {
            write!(f, " from {}", panes.offset)?;
        }
        if panes.windows.0 == 0 {
            f.write_str(" from zero")?;
        }
    }
    writeln!(f, "{}", if reduce.skip_errors { "" } else { " keeping errors" })?;
    for column in &reduce.reducers {
        let arguments = positions(&column.arguments);
        writeln!(f, "    {}({arguments}): {}", column.reducer.name(), column.dtype)?;
    }
    Ok(())
}

fn write_join(f: &mut impl Write, join: &JoinStep) -> fmt::Result {
    let on = join.left_on.iter().zip(&join.right_on).map(|(l, r)| format!("#{l} == #{r}"));
    write!(f, "    {:?} on {}", join.mode, list(on))?;
    f.write_str(&matching(&join.matching, |time| format!("#{time}")))?;
    match join.ids {
        JoinIds::Pair => {}
        ids => write!(f, ", ids {ids:?}")?,
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
    writeln!(f)?;
    let ids = |flag: bool| if flag { " + id" } else { "" };
    writeln!(
        f,
        "    left [{}]{} right [{}]{}{}",
        positions(&join.left_columns),
        ids(join.left_id),
        positions(&join.right_columns),
        ids(join.right_id),
        if join.side { " + side" } else { "" }
    )
}
