//! Building iterations, what they compute by the reference interpreter, and what is refused.

use std::sync::Arc;

use hashbrown::HashMap;
use pathway_types::{DType, Field, Schema, Value};

use crate::col::{Col, reducers};
use crate::program::{Program, StepOp};
use crate::reference::{self, Rows};
use crate::rewrite::tests::Nowhere;
use crate::{Argument, Goal, Graph, OutputOptions, PlanError, Rewrites, Table, col};

type Result<T = ()> = std::result::Result<T, PlanError>;
/// What a step gives.
type Results = Result<Vec<Option<Table>>>;

fn numbers(graph: &Graph, values: &[i64]) -> Table {
    let schema = Schema::new([Field::new("a", DType::Int), Field::new("b", DType::Int)]);
    let rows = values.iter().map(|v| vec![Value::Int(*v), Value::Int(10 * v)]);
    graph.table_from_rows(&schema, rows.collect::<Vec<_>>()).unwrap()
}

fn argument<'a>(name: &'a str, table: &'a Table) -> Argument<'a> {
    Argument { name, table, changes_rows: false }
}

fn program_of(table: &Table, rewrites: Rewrites) -> Program {
    let output = table.output(Arc::new(Nowhere), OutputOptions::default()).unwrap();
    table.graph().program_with(&Goal::Outputs(vec![output]), rewrites).unwrap()
}

/// The rows of a table, the same with and without rewrites.
fn rows(table: &Table) -> Vec<Vec<Value>> {
    let run = |rewrites| -> Rows {
        let program = program_of(table, rewrites);
        let mut rows = reference::run(&program, &HashMap::new()).unwrap();
        rows.pop().unwrap()
    };
    let plain = run(Rewrites::NONE);
    assert_eq!(plain, run(Rewrites::default()));
    let mut rows: Vec<_> = plain.into_iter().map(|row| row.values.to_vec()).collect();
    rows.sort();
    rows
}

fn ints(rows: &[Vec<Value>]) -> Vec<Vec<i64>> {
    let int = |value: &Value| if let Value::Int(v) = value { *v } else { panic!("{value:?}") };
    rows.iter().map(|row| row.iter().map(int).collect()).collect()
}

/// Adds 1 below `end`.
fn up_to(table: &Table, end: i64) -> Result<Table> {
    table.with_columns([("a", col("a").lt(end).if_else(col("a") + 1, col("a")))])
}

#[test]
fn a_step_is_repeated_until_nothing_changes_or_the_limit() -> Result {
    let graph = Graph::new();
    let t = numbers(&graph, &[1, 5, 8]);
    let step = |tables: &[Table]| Ok(vec![Some(up_to(&tables[0], 7)?)]);
    let end = graph.iterate(&[argument("t", &t)], None, step)?.remove(0).unwrap();
    assert_eq!(end.universe(), t.universe());
    assert_eq!(ints(&rows(&end.select([("a", col("a"))])?)), [[7], [7], [8]]);
    let twice = graph.iterate(&[argument("t", &t)], Some(2), step)?.remove(0).unwrap();
    assert_eq!(ints(&rows(&twice)), [[3, 10], [7, 50], [8, 80]]);
    // Columns of what is around can be used with the result's.
    let both = t.select([("was", t.col("a")?), ("is", end.col("a")?)])?;
    assert_eq!(ints(&rows(&both)), [[1, 7], [5, 7], [8, 8]]);
    Ok(())
}

#[test]
fn tables_around_and_iterations_inside_can_be_used() -> Result {
    let graph = Graph::new();
    let t = numbers(&graph, &[1, 2, 3]);
    let around = t.select([("step", col("b") - col("a") * 9)])?;
    // Inside: up to 4 by the own step; outside: twice as much, below 20.
    let end = graph.iterate(&[argument("t", &t)], None, |tables| {
        let t = &tables[0];
        let inner = graph.iterate(&[argument("u", t)], None, |inner| {
            let (a, step) = (inner[0].col("a")?, around.col("step")?);
            let next = a.lt(4).if_else(a.clone() + step, a);
            Ok(vec![Some(inner[0].with_columns([("a", next)])?)])
        })?;
        let a = inner[0].as_ref().unwrap().col("a")?;
        Ok(vec![Some(t.with_columns([("a", a.lt(20).if_else(a.clone() * 2, a))])?)])
    })?;
    let end = end[0].as_ref().unwrap();
    assert_eq!(ints(&rows(&end.select([("a", col("a"))])?)), [[24], [32], [32]]);
    Ok(())
}

#[test]
fn what_does_not_depend_on_the_iteration_is_outside() -> Result {
    let graph = Graph::new();
    let (t, u) = (numbers(&graph, &[1, 2]), numbers(&graph, &[3, 4]));
    let end = graph.iterate(&[argument("t", &t), argument("u", &u)], None, |tables| {
        let all = tables[1].with_columns([("one", Col::from(1i64))])?;
        let total = all.group_by([col("one")])?.reduce([("sum", reducers::sum(col("a")))])?;
        let sum = total.ix(Col::pointer([1i64]), &tables[0], false, false)?.col("sum")?;
        let a = tables[0].col("a")?;
        Ok(vec![Some(tables[0].with_columns([("a", a.lt(9).if_else(a.clone() + sum, a))])?), None])
    })?;
    let end = end[0].as_ref().unwrap();
    assert_eq!(ints(&rows(end)), [[9, 20], [15, 10]]);
    let program = program_of(end, Rewrites::default());
    let of = |name: &str| program.steps.iter().find(|step| step.name == name).unwrap();
    assert_eq!(of("groupby").inside, None, "{program}");
    assert!(of("iterated_table").inside.is_some(), "{program}");
    Ok(())
}

#[test]
fn only_columns_that_matter_go_around() -> Result {
    let graph = Graph::new();
    let t = numbers(&graph, &[1, 2]);
    let end = graph.iterate(&[argument("t", &t)], None, |tables| Ok(vec![Some(up_to(&tables[0], 7)?)]))?;
    let program = program_of(&end[0].as_ref().unwrap().select([("a", col("a"))])?, Rewrites::default());
    let variable = program.steps.iter().find(|step| matches!(step.op, StepOp::Variable(_))).unwrap();
    assert_eq!(variable.columns, [DType::Int], "{program}");
    Ok(())
}

#[test]
fn what_a_step_must_not_do() -> Result {
    let graph = Graph::new();
    let t = numbers(&graph, &[1, 2]);
    let refused = |step: &dyn Fn(&[Table]) -> Results| {
        graph.iterate(&[argument("t", &t)], None, step).map(drop).unwrap_err().to_string()
    };
    let text = refused(&|t| Ok(vec![Some(t[0].filter(col("a").gt(1))?)]));
    assert!(text.contains("not marked as 'iterate_universe'"), "{text}");
    let text = refused(&|t| Ok(vec![Some(t[0].select([("a", col("a"))])?)]));
    assert!(text.contains("does not correspond to the input"), "{text}");
    let text = refused(&|t| Ok(vec![Some(t[0].with_columns([("a", col("a") * 1.5)])?)]));
    assert!(text.contains("a: FLOAT"), "{text}");
    let text = refused(&|tables| {
        let t = &tables[0];
        let last = t.group_by([col("a")])?.reduce([("last", reducers::latest(col("b")))])?;
        Ok(vec![Some(t.intersect(&[&last])?.with_universe_of(t)?)])
    });
    assert!(text.contains("latest (") && text.contains("iterate/tests.rs:"), "{text}");
    let text = refused(&|t| {
        t[0].output(Arc::new(Nowhere), OutputOptions::default())?;
        Ok(vec![None])
    });
    assert!(text.contains("cannot be written"), "{text}");
    let mut kept = None;
    graph.iterate(&[argument("t", &t)], None, |tables| {
        kept = Some(up_to(&tables[0], 2)?);
        Ok(vec![kept.clone()])
    })?;
    let text = kept.unwrap().select([("a", col("a"))]).unwrap_err().to_string();
    assert!(text.contains("inside of an iteration"), "{text}");
    let marked = Argument { name: "t", table: &t, changes_rows: true };
    let text = graph.iterate(&[marked], None, |_| Ok(vec![None])).unwrap_err().to_string();
    assert!(text.contains("not all arguments marked as iterated"), "{text}");
    let text = graph.iterate(&[argument("t", &t)], Some(0), |_| Ok(vec![None])).unwrap_err().to_string();
    assert!(text.contains("wrong iteration limit"), "{text}");
    Ok(())
}

#[test]
fn nesting_has_an_end() {
    fn nest(graph: &Graph, table: &Table, depth: usize) -> Result<Option<Table>> {
        if depth == 0 {
            return Ok(Some(table.clone()));
        }
        let step = |tables: &[Table]| Ok(vec![nest(graph, &tables[0], depth - 1)?]);
        Ok(graph.iterate(&[argument("t", table)], None, step)?.remove(0))
    }
    let graph = Graph::new();
    let t = numbers(&graph, &[1]);
    assert!(nest(&graph, &t, crate::program::MOST_LEVELS).is_ok());
    let text = nest(&graph, &t, crate::program::MOST_LEVELS + 1).unwrap_err().to_string();
    assert!(text.contains("at most 4 deep"), "{text}");
    // Nothing is left open.
    assert!(nest(&graph, &t, 1).is_ok());
}

#[test]
fn a_step_that_only_adds_rows_makes_an_append_only_table() -> Result {
    let graph = Graph::new();
    let (t, u) = (numbers(&graph, &[1, 5, 8]), numbers(&graph, &[1, 2]));
    let one = |changes_rows, step: fn(&Table) -> Result<Table>| -> Result<Table> {
        let argument = Argument { name: "t", table: &t, changes_rows };
        let mut results = graph.iterate(&[argument], None, |tables| Ok(vec![Some(step(&tables[0])?)]))?;
        Ok(results.remove(0).unwrap())
    };
    let cells = one(false, |t| up_to(t, 7))?;
    assert!(t.is_append_only() && cells.is_append_only() && cells.is_id_append_only());
    let fewer = one(true, |t| t.filter(col("a").gt(1)))?;
    assert!(fewer.is_append_only() && fewer.is_id_append_only());
    let largest = |t: &Table| {
        let groups = t.group_by([col("b")])?.reduce([("b", col("b")), ("a", reducers::max(col("a")))])?;
        groups.select([("a", col("a")), ("b", col("b"))])
    };
    let groups = one(true, largest)?;
    assert!(!groups.is_append_only() && !groups.is_id_append_only());
    // The filter of the other table reads nothing of the groups, but the step as a whole may take rows back.
    let arguments = [("t", &t), ("u", &u)].map(|(name, table)| Argument { name, table, changes_rows: true });
    let step = |tables: &[Table]| -> Results {
        Ok(vec![Some(largest(&tables[0])?), Some(tables[1].filter(col("a").gt(1))?)])
    };
    for table in graph.iterate(&arguments, None, step)?.into_iter().flatten() {
        assert!(!table.is_append_only() && !table.is_id_append_only());
    }
    Ok(())
}
