//! The oracle itself, on results that are known.

use std::sync::Arc;

use hashbrown::HashMap;
use pathway_io::{ConnectorError, FailureClass, Sink, Writer};
use pathway_types::{DType, Field, Key, Schema, Value};

use super::{Rows, run};
use crate::col::{left, reducers, right};
use crate::rewrite::Goal;
use crate::{Graph, OutputOptions, PlanError, Table, col};

#[derive(Debug)]
struct Nowhere;

impl Sink for Nowhere {
    fn description(&self) -> String {
        "nowhere".to_owned()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Err(ConnectorError::new("nowhere", FailureClass::Engine, "rows are only looked at"))
    }
}

fn table(graph: &Graph, columns: &[(&str, DType)], rows: &[&[Value]]) -> Table {
    let schema = Schema::new(columns.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())));
    graph.table_from_rows(&schema, rows.iter().map(|row| row.to_vec())).unwrap()
}

fn rows(table: &Table) -> Rows {
    let output = table.output(Arc::new(Nowhere), OutputOptions::default()).unwrap();
    let program = table.graph().program(&Goal::Outputs(vec![output])).unwrap();
    run(&program, &HashMap::new()).unwrap().pop().unwrap()
}

fn sorted_values(table: &Table) -> Vec<Vec<Value>> {
    let mut values: Vec<Vec<Value>> = rows(table).into_iter().map(|row| row.values).collect();
    values.sort();
    values
}

fn shop(graph: &Graph) -> Table {
    let row = |shop: &str, item: &str, n: i64| vec![Value::from(shop), Value::from(item), Value::Int(n)];
    let all = [row("A", "tea", 2), row("A", "nut", 5), row("B", "tea", 1)];
    let columns = [("shop", DType::Str), ("item", DType::Str), ("n", DType::Int)];
    table(graph, &columns, &all.iter().map(|r| &r[..]).collect::<Vec<_>>())
}

#[test]
fn group_by_with_the_best_row() -> Result<(), PlanError> {
    let graph = Graph::new();
    let s = shop(&graph);
    let best = s.group_by([col("shop")])?.reduce([
        ("shop", col("shop")),
        ("total", reducers::sum(col("n"))),
        ("at", reducers::argmax(col("n"))),
    ])?;
    let item = s.ix(col("at"), &best, false, false)?;
    let out = best.select([("shop", col("shop")), ("total", col("total")), ("best", item.col("item")?)])?;
    let row =
        |shop: &str, total: i64, item: &str| vec![Value::from(shop), Value::Int(total), Value::from(item)];
    assert_eq!(sorted_values(&out), [row("A", 7, "nut"), row("B", 1, "tea")]);
    let keys: Vec<Key> = rows(&out).into_iter().map(|row| row.key).collect();
    assert!(keys.contains(&Key::of(&[Value::from("A")]).unwrap()));
    Ok(())
}

#[test]
fn outer_join_keeps_both_sides() -> Result<(), PlanError> {
    let graph = Graph::new();
    let row = |city: &str, n: i64| vec![Value::from(city), Value::Int(n)];
    let (l, r) =
        ([row("Oslo", 4), row("Lima", 7), row("Rome", 1)], [row("Oslo", 2), row("Oslo", 3), row("Cairo", 5)]);
    let make = |name: &str, rows: &[Vec<Value>]| {
        let columns = [("city", DType::Str), (name, DType::Int)];
        table(&graph, &columns, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())
    };
    let (l, r) = (make("qty", &l), make("tax", &r));
    let out =
        l.join_outer(&r, [(left("city"), right("city"))])?.select([col("city"), col("qty"), col("tax")])?;
    let none = Value::None;
    let row = |city: &str, qty: Value, tax: Value| vec![Value::from(city), qty, tax];
    assert_eq!(
        sorted_values(&out),
        [
            row("Cairo", none.clone(), Value::Int(5)),
            row("Lima", Value::Int(7), none.clone()),
            row("Oslo", Value::Int(4), Value::Int(2)),
            row("Oslo", Value::Int(4), Value::Int(3)),
            row("Rome", Value::Int(1), none),
        ]
    );
    Ok(())
}

#[test]
fn int_and_float_keys_match() -> Result<(), PlanError> {
    let graph = Graph::new();
    let l = table(&graph, &[("k", DType::Int)], &[&[Value::Int(1)], &[Value::Int(2)]]);
    let r = table(&graph, &[("k", DType::Float)], &[&[Value::Float(1.0)], &[Value::Float(2.5)]]);
    let out = l.join(&r, [(left("k"), right("k"))])?.select([("l", left("k")), ("r", right("k"))])?;
    assert_eq!(sorted_values(&out), [vec![Value::Int(1), Value::Float(1.0)]]);
    Ok(())
}

#[test]
fn flatten_gives_positions_their_own_ids() -> Result<(), PlanError> {
    let graph = Graph::new();
    let columns = [("tag", DType::Str), ("w", DType::Int)];
    let t =
        table(&graph, &columns, &[&[Value::from("ab"), Value::Int(7)], &[Value::from("c"), Value::Int(8)]]);
    let flat = t.flatten("tag", None)?;
    let row = |tag: &str, w: i64| vec![Value::from(tag), Value::Int(w)];
    assert_eq!(sorted_values(&flat), [row("a", 7), row("b", 7), row("c", 8)]);
    let source = Key::of(&[Value::Int(0)]).unwrap();
    let second = Key::of(&[Value::Pointer(source), Value::Int(1)]).unwrap().on_shard_of(source);
    assert!(rows(&flat).iter().any(|r| r.key == second && r.values == row("b", 7)));
    Ok(())
}

#[test]
fn errors_are_cells_and_drop_filtered_rows() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = table(&graph, &[("a", DType::Int)], &[&[Value::Int(0)], &[Value::Int(2)]]);
    let divided = t.select([("a", col("a")), ("r", crate::Col::from(4).floor_div(col("a")))])?;
    assert_eq!(sorted_values(&divided.filter(col("r").gt(0))?), [vec![Value::Int(2), Value::Int(2)]]);
    // An output drops rows with errors.
    assert_eq!(sorted_values(&divided), [vec![Value::Int(2), Value::Int(2)]]);
    let total = divided.reduce([("n", reducers::count()), ("sum", reducers::sum(col("r")))])?;
    assert_eq!(sorted_values(&total), [vec![Value::Int(2), Value::Int(2)]]);
    Ok(())
}
