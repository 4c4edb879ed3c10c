//! Operators know their number, their line and their log.

use pathway_expr::ExprKind;
use pathway_types::{DType, Field, Schema, Value};

use super::*;
use crate::col::reducers;
use crate::program::{Program, Stage, StepOp};
use crate::rewrite::Goal;
use crate::rewrite::tests::Nowhere;
use crate::{OutputOptions, PlanError, col};

type Result = std::result::Result<(), PlanError>;

fn table(graph: &Graph) -> std::result::Result<Table, PlanError> {
    let schema = Schema::new([Field::new("a", DType::Int), Field::new("b", DType::Int)]);
    graph.table_from_rows(&schema, [vec![Value::Int(1), Value::Int(0)]])
}

fn line(number: u32) -> Option<Frame> {
    Some(Frame::new("user.py", number, "main", "..."))
}

fn program(graph: &Graph, tables: &[&Table]) -> std::result::Result<Program, PlanError> {
    let sink = Arc::new(Nowhere);
    for table in tables {
        table.output(sink.clone(), OutputOptions::default())?;
    }
    graph.program(&Goal::Outputs(graph.outputs()))
}

/// The lines of every expression of a program that computes something: line, operator, log.
fn lines(program: &Program) -> Vec<Vec<(u32, u32, u32)>> {
    let stages = program.steps.iter().filter_map(|step| match &step.op {
        StepOp::Stateless(stages) => Some(stages),
        _ => None,
    });
    let frames = stages.flatten().flat_map(|stage| match stage {
        Stage::Map { frames, expressions } => {
            let computed = expressions.iter().zip(frames);
            let computed = computed.filter(|(e, _)| !matches!(e.kind(), ExprKind::Input(_)));
            computed.filter_map(|(_, frame)| frame.clone()).collect::<Vec<Frame>>()
        }
        Stage::Filter { frame, .. } => frame.iter().cloned().collect(),
        _ => vec![],
    });
    let all = frames.map(|frame| {
        let of = |frame: &Frame| {
            let built = frame.built.as_ref().expect("frames of a plan know what was built");
            (frame.line, built.operator, built.log.0)
        };
        frame.all().map(of).collect()
    });
    all.collect()
}

#[test]
fn operators_report_to_the_innermost_open_log() -> Result {
    let graph = Graph::new();
    let t = table(&graph)?;
    let before = t.at(line(1)).select([("x", col("a") / col("b"))])?;
    let (outer, _) = graph.local_error_log(None);
    assert_eq!(graph.log_to(outer), ErrorLogId::GLOBAL);
    let in_outer = t.at(line(2)).select([("x", col("a") % col("b"))])?;
    let (inner, _) = graph.local_error_log(None);
    assert_eq!(graph.log_to(inner), outer);
    let in_inner = t.at(line(3)).select([("x", col("b") / col("a"))])?;
    assert_eq!(graph.log_to(outer), inner);
    assert_eq!(graph.log_to(ErrorLogId::GLOBAL), outer);
    let after = t.at(line(4)).select([("x", col("b") % col("a"))])?;
    let program = program(&graph, &[&before, &in_outer, &in_inner, &after])?;
    let mut lines: Vec<_> = lines(&program).into_iter().flatten().collect();
    lines.sort();
    assert_eq!(lines, [(1, 2, 0), (2, 4, 1), (3, 6, 2), (4, 7, 0)]);
    Ok(())
}

#[test]
fn what_is_computed_once_is_reported_wherever_it_was_built() -> Result {
    let graph = Graph::new();
    let t = table(&graph)?;
    let first = t.at(line(1)).select([("x", col("a") / col("b"))])?;
    let (log, _) = graph.local_error_log(None);
    graph.log_to(log);
    let second = t.at(line(2)).select([("y", col("a") / col("b"))])?;
    graph.log_to(ErrorLogId::GLOBAL);
    let third = t.at(line(3)).filter((col("a") / col("b")).gt(0.5))?;
    let fourth = t.at(line(4)).filter((col("a") / col("b")).gt(0.5))?;
    let program = program(&graph, &[&first, &second, &third, &fourth])?;
    let lines = lines(&program);
    assert!(lines.contains(&vec![(1, 2, 0), (2, 4, 1)]), "{lines:?}");
    assert!(lines.contains(&vec![(3, 5, 0), (4, 6, 0)]), "{lines:?}");
    Ok(())
}

#[test]
fn aggregates_that_are_computed_once_have_all_their_lines() -> Result {
    let graph = Graph::new();
    let t = table(&graph)?;
    let sum = |at| t.at(line(at)).group_by([col("a")])?.reduce([("s", reducers::unique(col("b")))]);
    let program = program(&graph, &[&sum(1)?, &sum(2)?])?;
    let reduces: Vec<_> = program
        .steps
        .iter()
        .filter_map(|step| match &step.op {
            StepOp::Reduce(reduce) => reduce.reducers[0].frame.as_ref(),
            _ => None,
        })
        .collect();
    let [frame] = reduces[..] else { panic!("one group-by is left: {program}") };
    assert_eq!(frame.all().map(|frame| frame.line).collect::<Vec<_>>(), [1, 2]);
    Ok(())
}

#[test]
fn the_global_log_is_one_table_and_local_logs_are_many() {
    let graph = Graph::new();
    let global = graph.global_error_log(None);
    assert_eq!(global.node(), graph.global_error_log(None).node());
    let ((a, first), (b, second)) = (graph.local_error_log(None), graph.local_error_log(None));
    assert_ne!(a, b);
    assert_ne!(first.node(), second.node());
    assert_eq!(global.column_names().collect::<Vec<_>>(), ["operator_id", "message", "trace"]);
    assert!(global.is_append_only() && global.is_id_append_only());
    assert_ne!(global.universe(), first.universe());
}

#[test]
fn a_cleared_plan_takes_no_log_of_before() {
    let graph = Graph::new();
    let (log, table) = graph.local_error_log(None);
    graph.log_to(log);
    graph.clear();
    assert_eq!(graph.log_to(log), ErrorLogId::GLOBAL);
    assert_eq!(graph.log_to(ErrorLogId::GLOBAL), ErrorLogId::GLOBAL);
    assert!(!table.is_alive());
    assert!(graph.global_error_log(None).is_alive());
}

#[test]
fn traces_name_line_file_and_function() {
    let frame = Frame::new("user.py", 7, "main", "u = t.select(q=t.a // t.b)");
    let expected =
        "Occurred here:\n \tLine: u = t.select(q=t.a // t.b)\n \tFile: user.py:7\n \tFunction: main";
    assert_eq!(frame.trace(), expected);
    assert_eq!(Frame::unknown().trace(), "");
    assert!(Frame::unknown().known().is_none());
}
