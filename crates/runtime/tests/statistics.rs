//! What is counted while a program runs.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{Capture, Changes, Silent, batch};
use pathway_dataflow::stats::{Frontier, Kind, Node, OperatorStats, Outline};
use pathway_dataflow::{Context, Snapshot};
use pathway_plan::col::reducers;
use pathway_plan::{Argument, Col, Goal, Graph, OutputOptions, StaticOptions, Table, col};
use pathway_runtime::{RunOptions, run};
use pathway_types::{DType, Field, Schema, Timestamp, Value};

/// Changes of numbers: time, number, diff.
fn numbers(graph: &Graph, changes: &[(Timestamp, i64, i64)]) -> Table {
    let schema = Schema::new([Field::new("n", DType::Int)]);
    let mut batches: Vec<(Timestamp, Changes)> = Vec::new();
    for (time, number, diff) in changes {
        if batches.last().is_none_or(|(last, _)| last != time) {
            batches.push((*time, Vec::new()));
        }
        let key = (*number as u128).wrapping_mul(0x1_0001_9E37_79B9) + 7;
        batches.last_mut().unwrap().1.push((key, vec![Value::Int(*number)], *diff));
    }
    let batches = batches.iter().map(|(time, changes)| (*time, batch(&[DType::Int], changes)));
    graph.static_table(&schema, batches.collect(), StaticOptions::default()).unwrap()
}

fn counted(table: &Table, workers: usize) -> (Outline, Snapshot) {
    let dtypes = table.columns().iter().map(|column| column.dtype.clone()).collect();
    let output = table.output(Capture::new(dtypes, None), OutputOptions::default()).unwrap();
    let program = table.graph().program(&Goal::Outputs(vec![output])).unwrap();
    let context = Context::new(true, 1024, Arc::new(Silent));
    assert!(context.statistics().snapshot().is_none(), "it has not begun");
    run(program, &RunOptions { workers, start: Some(0), ..RunOptions::default() }, &context).unwrap();
    let statistics = context.statistics();
    (statistics.outline().unwrap().clone(), statistics.snapshot().unwrap())
}

fn node<'a>(outline: &'a Outline, label: &str) -> &'a Node {
    let mut of_label = outline.nodes.iter().filter(|node| node.label == label);
    let node = of_label.next().unwrap_or_else(|| panic!("{label} is not in {outline:?}"));
    assert!(of_label.next().is_none(), "there are several in {outline:?}");
    node
}

/// Rows in, insertions and deletions on all workers.
fn rows(outline: &Outline, snapshot: &Snapshot, label: &str) -> (u64, u64, u64) {
    let id = node(outline, label).id;
    let of_node = || snapshot.operators.iter().filter(move |operator| operator.id == id);
    let sum = |of: fn(&OperatorStats) -> u64| of_node().map(of).sum();
    (
        sum(|operator| operator.rows_in),
        sum(|operator| operator.insertions),
        sum(|operator| operator.deletions),
    )
}

#[test]
fn rows_are_counted_by_operator() {
    let graph = Graph::new();
    let mut changes: Vec<(Timestamp, i64, i64)> = (1..=10).map(|number| (2, number, 1)).collect();
    changes.extend([(4, 3, -1), (4, 12, 1)]);
    let table = numbers(&graph, &changes);
    let large = table.filter(col("n").gt(2)).unwrap();
    let parities = large.select([("parity", col("n") % 2)]).unwrap();
    let parities = parities.group_by([col("parity")]).unwrap();
    let result = parities.reduce([("parity", col("parity")), ("count", reducers::count())]).unwrap();
    for workers in [1, 3] {
        let (outline, snapshot) = counted(&result, workers);
        let of = |label: &str| rows(&outline, &snapshot, label);
        let input = outline.nodes.iter().find(|node| node.kind == Kind::Input).unwrap().label.clone();
        assert_eq!(of(&input), (0, 11, 1));
        assert_eq!(of("filter"), (12, 9, 1), "3 to 10 and 12, without 3");
        assert_eq!(of("select"), (10, 9, 1));
        assert_eq!(of("_reduce"), (10, 4, 2), "both groups change");
        assert_eq!(of("output(capture)"), (6, 4, 2));
        let [sink] = &snapshot.sinks[..] else { panic!("one sink is in {snapshot:?}") };
        assert_eq!((sink.rows, sink.frontier), (6, Frontier::Done));
        assert_eq!(snapshot.operators.len(), workers * outline.nodes.len());
        assert!(snapshot.operators.iter().all(|operator| operator.frontier == Frontier::Done));
        assert_eq!((snapshot.input, snapshot.output), (Frontier::Done, Frontier::Done));
        let reduce = node(&outline, "_reduce").id;
        let mut of_reduce = snapshot.operators.iter().filter(|operator| operator.id == reduce);
        assert!(of_reduce.any(|operator| !operator.busy.is_zero()));
    }
}

#[test]
fn the_outline_names_lines_and_fused_operators() {
    let graph = Graph::new();
    let table = numbers(&graph, &[(2, 1, 1)]);
    let filtered = table.filter(col("n").gt(0)).unwrap();
    let line = line!() - 1;
    let result = filtered.select([("m", col("n") + 1)]).unwrap();
    let (outline, _) = counted(&result, 1);
    let (filter, select) = (node(&outline, "filter"), node(&outline, "select"));
    assert_eq!((filter.step, filter.stage), (select.step, Some(0)), "they are computed together");
    let place = filter.line.as_ref().unwrap();
    assert!(place.file.ends_with("statistics.rs"));
    assert_eq!(place.line, line);
    assert_eq!(select.inputs, [filter.id]);
    let output = outline.nodes.iter().find(|node| node.kind == Kind::Output).unwrap();
    assert_eq!(output.inputs, [select.id]);
    let mut ids: Vec<u32> = outline.nodes.iter().map(|node| node.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), outline.nodes.len(), "each has a number of its own: {outline:?}");
}

#[test]
fn tables_that_are_put_together_pass_rows_on() {
    let graph = Graph::new();
    let table = numbers(&graph, &[(2, 1, 1), (2, 5, 1), (4, 1, -1)]);
    let (left, right) = (table.filter(col("n").lt(3)).unwrap(), table.filter(!col("n").lt(3)).unwrap());
    left.promise_universes_are_disjoint(&right).unwrap();
    let both = left.concat(&[&right]).unwrap();
    let counts = both.group_by([col("n")]).unwrap().reduce([("count", reducers::count())]).unwrap();
    let (outline, snapshot) = counted(&counts, 2);
    assert_eq!(rows(&outline, &snapshot, "concat"), (3, 2, 1));
}

#[test]
fn a_loop_is_one_operator() {
    let graph = Graph::new();
    let table = numbers(&graph, &[(2, 8, 1), (2, 100, 1), (4, 8, -1)]);
    let step = |tables: &[Table]| {
        let n = tables[0].col("n")?;
        let halved: Col = n.gt(1).if_else(n.clone().floor_div(2), n);
        Ok(vec![Some(tables[0].with_columns([("n", halved)])?)])
    };
    let argument = Argument { name: "t", table: &table, changes_rows: false };
    let end = graph.iterate(&[argument], None, step).unwrap().remove(0).unwrap();
    for workers in [1, 2] {
        let (outline, snapshot) = counted(&end, workers);
        assert_eq!(rows(&outline, &snapshot, "iterate"), (3, 2, 1));
        let looped = node(&outline, "iterate");
        assert!(looped.line.is_some());
        let mut of_loop = snapshot.operators.iter().filter(|operator| operator.id == looped.id);
        assert!(of_loop.all(|operator| operator.frontier == Frontier::Done));
    }
}
