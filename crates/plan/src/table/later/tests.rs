use std::sync::Arc;

use pathway_expr::{BinaryOp, Callee, Caller, Expr, OnFailure, Udf, UdfOutcome};
use pathway_types::{Column, DType, DataError, Field, Key, Schema, Value};

use crate::graph::Op;
use crate::{Goal, Graph, OutputOptions, PlanError, Table, col};

type Result = std::result::Result<(), PlanError>;

/// A function of anything that gives an INT later.
#[derive(Debug)]
struct Later(DType);

impl Callee for Later {
    fn name(&self) -> &str {
        "later"
    }
    fn results(&self) -> &[DType] {
        &[DType::Int]
    }
    fn propagates_none(&self) -> bool {
        false
    }
    fn on_failure(&self) -> OnFailure {
        OnFailure::Report
    }
    fn open(&self, _workers: usize) -> std::result::Result<Vec<Box<dyn Caller>>, DataError> {
        Ok(vec![])
    }
}

impl Udf for Later {
    fn name(&self) -> &str {
        "later"
    }
    fn return_type(&self) -> &DType {
        &self.0
    }
    fn is_deterministic(&self) -> bool {
        false
    }
    fn propagates_none(&self) -> bool {
        false
    }
    fn later(&self) -> Option<Arc<dyn Callee>> {
        Some(Arc::new(Later(self.0.clone())))
    }
    fn call(&self, _: &[(Column, DType)], _: &[Key], _: usize) -> UdfOutcome {
        unreachable!("calls are taken out of expressions")
    }
}

fn later(argument: Expr) -> Expr {
    Expr::udf(Arc::new(Later(DType::future(DType::Int))), vec![argument]).unwrap()
}

fn table(graph: &Graph) -> Table {
    let schema = Schema::new([Field::new("a", DType::Int), Field::new("s", DType::Str)]);
    graph.table_from_rows(&schema, [vec![Value::Int(1), Value::from("x")]]).unwrap()
}

fn kinds(graph: &Graph) -> Vec<&'static str> {
    graph.lock().nodes().iter().map(|node| node.op.name()).collect()
}

#[test]
fn calls_in_expressions_become_columns() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let inner = later(t.column("a")?);
    let outer = later(inner.clone());
    let equal = Expr::binary(BinaryOp::Eq, inner.clone(), inner)?;
    let r = t.select([("s", t.column("s")?), ("outer", outer), ("equal", equal)])?;
    assert_eq!(r.universe(), t.universe());
    assert_eq!(r.column("outer")?.dtype(), &DType::future(DType::Int));
    let columns: Vec<bool> = r.columns().iter().map(|c| c.append_only).collect();
    assert_eq!(columns, [true, false, false]);
    let state = graph.lock();
    let Op::Select { expressions, .. } = &state.node(r.node()).op else { panic!("a select") };
    for expression in expressions {
        expression.visit(&mut |e| assert!(!matches!(e.kind(), pathway_expr::ExprKind::Udf(..))));
    }
    drop(state);
    let calls = kinds(&graph).iter().filter(|kind| **kind == "call_later").count();
    // The inner call once for the outer one, and once for both sides of the comparison.
    assert_eq!(calls, 3);
    Ok(())
}

#[test]
fn the_program_has_calls_and_the_answers_next_to_the_rows() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let r = t.select([("s", t.column("s")?), ("r", later(t.column("a")?))])?;
    let sink = Arc::new(crate::rewrite::tests::Nowhere);
    let output = r.output(sink, OutputOptions::default())?;
    let program = graph.program(&Goal::Outputs(vec![output]))?.to_string();
    let steps: Vec<&str> = program.lines().filter(|l| !l.starts_with(' ')).map(|l| l.trim()).collect();
    let kinds: Vec<&str> = steps.iter().filter_map(|l| l.split(' ').nth(1)).collect();
    let expected =
        ["Static", "Stateless", "Calls", "Stateless", "Answers", "Stateless", "Stateless", "Zip", "Output"];
    assert_eq!(kinds, expected, "{program}");
    Ok(())
}

#[test]
fn await_futures_takes_future_off() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let r = t.select([("s", t.column("s")?), ("r", later(t.column("a")?))])?;
    let ready = r.await_futures()?;
    assert_eq!(ready.column("r")?.dtype(), &DType::Int);
    assert_eq!(ready.column("s")?.dtype(), &DType::Str);
    assert!(graph.is_subset(ready.universe(), r.universe()));
    assert!(!graph.is_subset(r.universe(), ready.universe()));
    let same = t.await_futures()?;
    assert_eq!(same.universe(), t.universe());
    Ok(())
}

#[test]
fn answers_are_subsets_of_the_rows() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let callee: Arc<dyn Callee> = Arc::new(Later(DType::Int));
    let answered = t.call_later(callee.clone(), [col("a")], Some(col("s")), &["status", "r"])?;
    let (settled, started) = (&answered.settled, &answered.started);
    assert!(graph.is_subset(settled.universe(), started.universe()));
    assert!(graph.is_subset(started.universe(), t.universe()));
    assert_eq!(settled.column("status")?.dtype(), &DType::Str);
    assert_eq!(settled.column("r")?.dtype(), &DType::optional(DType::Int));
    assert_eq!(started.column("r")?.dtype(), &DType::future(DType::optional(DType::Int)));
    assert!(settled.is_append_only() && !started.is_append_only());
    let error = t.call_later(callee, [col("a")], None, &["r"]).unwrap_err();
    assert!(matches!(error, PlanError::Value(_)), "{error}");
    Ok(())
}
