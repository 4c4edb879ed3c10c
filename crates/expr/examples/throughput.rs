//! Rows per second of a few expressions over batches of 32,768 rows, one thread.
//!
//! `cargo run --release -p pathway-expr --example throughput [PART OF A NAME]`

// A program for the terminal: it prints, and stops at the first surprise.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use pathway_expr::{BinaryOp, ColumnRef, Evaluator, Expr, ExprError, Input, SourceId};
use pathway_types::{Column, ColumnBuilder, DType, Keys, Value};

const BATCH: usize = 32_768;
const BATCHES: usize = 32;
const REPEATS: usize = 7;

/// The columns of a batch: two INT, two FLOAT, a STR, an Optional INT, a BOOL.
fn dtypes() -> Vec<DType> {
    let optional = DType::optional(DType::Int);
    vec![DType::Int, DType::Int, DType::Float, DType::Float, DType::Str, optional, DType::Bool, DType::Json]
}

fn batch(seed: u64) -> Vec<Column> {
    let mut state = seed * 2 + 1;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut builders: Vec<ColumnBuilder> = dtypes().iter().map(|d| ColumnBuilder::new(d, BATCH)).collect();
    let words = ["Apple", "banana", "CHERRY", "Date", "elderberry pie", "fig"];
    for _ in 0..BATCH {
        let (a, b) = (random() as i64 % 1_000_000, random() as i64 % 1_000 + 1);
        builders[0].push(&Value::Int(a));
        builders[1].push(&Value::Int(b));
        builders[2].push(&Value::Float(a as f64 / 7.0));
        builders[3].push(&Value::Float(b as f64 / 3.0));
        builders[4].push(&words[a as usize % words.len()].into());
        builders[5].push(&if a % 5 == 0 { Value::None } else { Value::Int(a) });
        builders[6].push(&Value::Bool(a % 2 == 0));
        let json = format!("{{\"id\":{a},\"name\":\"x{b}\",\"tags\":[1,2,3],\"score\":{b}.5}}");
        builders[7].push(&Value::Json(pathway_types::JsonText::from_compact(json)));
    }
    builders.iter_mut().map(ColumnBuilder::finish).collect()
}

fn main() {
    let batches: Vec<Vec<Column>> = (0..BATCHES as u64).map(batch).collect();
    let keys: Keys = (0..BATCH as u128).collect::<Vec<_>>().into();
    let dtypes = dtypes();
    let column =
        |i: usize| Expr::column(ColumnRef { source: SourceId(0), column: i as u32 }, dtypes[i].clone());
    let [a, b, x, y, s, n, p, j] = [0, 1, 2, 3, 4, 5, 6, 7].map(column);
    let binary = |op, l: &Expr, r: &Expr| Expr::binary(op, l.clone(), r.clone());
    let int = Expr::literal(10);
    let cases: Vec<(&str, Result<Expr, ExprError>)> = vec![
        ("a + b", binary(BinaryOp::Add, &a, &b)),
        ("x + y", binary(BinaryOp::Add, &x, &y)),
        ("a // b", binary(BinaryOp::FloorDiv, &a, &b)),
        ("a % 10", binary(BinaryOp::Mod, &a, &int)),
        ("x / y", binary(BinaryOp::TrueDiv, &x, &y)),
        ("a < b", binary(BinaryOp::Lt, &a, &b)),
        ("x > 1000.0", binary(BinaryOp::Gt, &x, &Expr::literal(1000.0))),
        ("s == \"Date\"", binary(BinaryOp::Eq, &s, &Expr::literal("Date"))),
        ("n == None", binary(BinaryOp::Eq, &n, &Expr::literal(Value::None))),
        ("if_else(p, a, b)", Expr::if_else(p.clone(), a.clone(), b.clone())),
        (
            "if_else(p, a // b, 0)",
            binary(BinaryOp::FloorDiv, &a, &b).and_then(|q| Expr::if_else(p.clone(), q, Expr::literal(0))),
        ),
        ("coalesce(n, b)", Expr::coalesce(vec![n.clone(), b.clone()])),
        ("n + b", binary(BinaryOp::Add, &n, &b)),
        ("n < b", binary(BinaryOp::Lt, &n, &b)),
        ("n // b", binary(BinaryOp::FloorDiv, &n, &b)),
        ("n.num.abs()", Expr::method("num.abs", vec![n])),
        (
            "j[\"id\"] + b",
            Expr::get_item(j.clone(), Expr::literal("id")).and_then(|e| binary(BinaryOp::Add, &e, &b)),
        ),
        ("s.str.lower()", Expr::method("str.lower", vec![s.clone()])),
        ("s.str.len()", Expr::method("str.len", vec![s.clone()])),
        ("s + s", binary(BinaryOp::Add, &s, &s)),
        ("s.str.replace(\"a\", \"o\")", {
            Expr::method("str.replace", vec![s.clone(), Expr::literal("a"), Expr::literal("o")])
        }),
        ("cast(str, a)", Expr::cast(DType::Str, a.clone())),
        ("x.to_string()", Expr::to_string(x.clone())),
        ("x.num.round(2)", Expr::method("num.round", vec![x, Expr::literal(2)])),
        ("j[\"score\"].as_float()", {
            Expr::get_item(j, Expr::literal("score"))
                .and_then(|e| Expr::from_json(DType::Float, e, None, false))
        }),
        ("make_tuple(a, s)", Expr::make_tuple(vec![a.clone(), s.clone()])),
        ("pointer_from(a, s)", Expr::pointer(vec![a, s], false, None)),
    ];
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:<28} {:>10}", "expression", "M rows/s");
    for (name, expr) in cases.into_iter().filter(|(name, _)| name.contains(&wanted)) {
        let expr = expr.unwrap().bind(&|column| Some(column.column as usize));
        let evaluator = Evaluator::new(vec![expr]);
        let mut best = f64::INFINITY;
        for _ in 0..REPEATS {
            let start = Instant::now();
            for columns in &batches {
                black_box(evaluator.evaluate(&Input { columns, keys: &keys, check_types: false }));
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{name:<28} {:>10.1}", (BATCH * BATCHES) as f64 / best / 1e6);
    }
}
