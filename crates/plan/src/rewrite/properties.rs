//! Random small plans over random rows give the same rows with and without each rewrite.
//!
//! A plan is made by instructions that act on a growing pool of tables; what an instruction cannot
//! do (no column of the type it needs, universes that do not fit) it leaves out.

use std::sync::Arc;

use hashbrown::HashMap;
use pathway_types::{DType, Field, Schema, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::tests::Nowhere;
use super::{Goal, Rewrites};
use crate::col::{Side, left, reducers, right, row_id};
use crate::program::{JoinMode, StepOp};
use crate::reference::{self, Rows};
use crate::{Argument, Col, Graph, JoinOptions, OutputId, OutputOptions, PlanError, Table, col};

/// An operation and the numbers that choose its operands.
type Instruction = (u8, u8, u8, u8);

/// A row of the two static tables.
type Cells = (i64, Option<i64>, u8);

fn static_table(graph: &Graph, rows: &[Cells]) -> Result<Table, PlanError> {
    let schema = Schema::new([
        Field::new("a", DType::Int),
        Field::new("o", DType::optional(DType::Int)),
        Field::new("s", DType::Str),
    ]);
    let rows = rows
        .iter()
        .map(|(a, o, s)| vec![Value::Int(*a), Value::from(*o), Value::from(&"abcb"[..usize::from(*s)])]);
    graph.table_from_rows(&schema, rows)
}

fn pick<T>(items: &[T], number: u8) -> Option<&T> {
    items.get(usize::from(number).checked_rem(items.len())?)
}

/// A column of this dtype.
fn column(table: &Table, fits: impl Fn(&DType) -> bool, number: u8) -> Option<Col> {
    let all = table.columns();
    let names: Vec<&str> = all.iter().filter(|c| fits(&c.dtype)).map(|c| &*c.name).collect();
    table.col(pick(&names, number)?).ok()
}

fn int(table: &Table, number: u8) -> Option<Col> {
    column(table, |dtype| *dtype == DType::Int, number)
}

/// A table of one INT column, as operations on equal columns need.
fn narrow(table: &Table, number: u8) -> Option<Table> {
    table.select([("n", int(table, number)?)]).ok()
}

/// What one instruction adds to the pool.
fn step(pool: &[Table], (op, x, y, z): Instruction) -> Option<Vec<Table>> {
    let t = pick(pool, x)?;
    let u = pick(pool, y)?;
    let one = |table: Result<Table, PlanError>| Some(vec![table.ok()?]);
    match op {
        0 => one(t.with_columns([("sum", int(t, y)? + int(t, z)?), ("twice", int(t, z)? * 2)])),
        // A column of another table, where the universes allow it.
        1 => {
            let (u, v) = (pick(&around(pool, t), y)?.clone(), pick(&around(pool, t), z)?.clone());
            one(t.select([("mine", int(t, z)?), ("sum", int(&u, z)? + int(&v, y)?), ("theirs", int(&v, z)?)]))
        }
        2 => one(t.select([("r", int(t, y)?.floor_div(int(t, z)?)), ("a", int(t, z)?)])),
        3 => one(t.filter(int(t, y)?.gt(i64::from(z % 4)))),
        4 => {
            let (yes, no) = t.split((int(t, y)? + 1).gt(i64::from(z % 4))).ok()?;
            let whole = yes.concat(&[&no]).and_then(|all| all.with_universe_of(t));
            Some([Some(yes), Some(no), whole.ok()].into_iter().flatten().collect())
        }
        5 => one(t.flatten(&column_name(t, &DType::Str, y)?, (z % 2 == 0).then_some("origin"))),
        6 => one(t.with_id_from([row_id(), i64::from(z % 3).into()], None)),
        7 => one(narrow(t, z)?.concat_reindex(&[&narrow(u, z)?])),
        8 => {
            let (k, v) = (int(t, y)?, int(t, z)?.fill_error(7));
            let grouped = t.group_by([&k]).ok()?;
            one(grouped.reduce([
                ("k", k),
                ("n", reducers::count()),
                ("total", reducers::sum(&v) + 1),
                ("best", reducers::argmax(&v)),
                ("low", reducers::min(v)),
            ]))
        }
        9 => {
            let mode = *pick(&[JoinMode::Inner, JoinMode::Left, JoinMode::Right, JoinMode::Outer], z)?;
            let u = u.copy().ok()?;
            let on = [(int(t, z)?, int(&u, z)?)];
            let joined = t.join_with(&u, on, JoinOptions::mode(mode)).ok()?;
            let (l, r) = (name(&int(t, y)?), name(&int(&u, x)?));
            one(joined.select([("l", left(l).coalesce(5)), ("r", right(r).coalesce(6))]))
        }
        10 => {
            let pointer = column(t, |dtype| dtype.unoptional().is_pointer(), z).unwrap_or_else(row_id);
            one(u.ix(pointer, t, true, z % 2 == 0))
        }
        11 => one(narrow(t, z)?.update_rows(&narrow(u, z)?)),
        12 => {
            let of = int(t, z)?;
            let some = t.filter(of.gt(1)).ok()?.select([(name(&of), of * 10)]).ok()?;
            one(t.update_cells(&some))
        }
        13 => one(if z % 2 == 0 { t.intersect(&[u]) } else { t.difference(u) }),
        14 => one(pick(&around(pool, t), y)?.restrict(t)),
        15 => {
            let u = u.copy().ok()?;
            let (k, v) = (int(&u, z)?, name(&int(&u, y)?));
            let ids =
                |mode, side| JoinOptions { mode: Some(mode), ids: Some(side), ..JoinOptions::default() };
            let theirs = if x % 2 == 0 {
                let joined = t.join_with(&u, [(int(t, z)?, k)], ids(JoinMode::Left, Side::Left)).ok()?;
                joined.select([("r", right(v).coalesce(6))]).ok()?
            } else {
                let joined = u.join_with(t, [(k, int(t, z)?)], ids(JoinMode::Right, Side::Right)).ok()?;
                joined.select([("r", left(v).coalesce(6))]).ok()?
            };
            one(t.with_columns([("joined", theirs.col("r").ok()? + int(t, y)?)]))
        }
        16 => one(t.select([("a", int(t, y)?), ("c", Col::from(i64::from(z)))])),
        17 => {
            let t = t.select([("n", int(t, z)?.fill_error(0))]).ok()?;
            let argument = Argument { name: "t", table: &t, changes_rows: false };
            let limit = (z % 3 > 0).then_some(u32::from(z % 3));
            let ended = t.graph().iterate(&[argument], limit, |tables| {
                let next = next_round(&tables[0], u, (x ^ y, x, y, z));
                Ok(vec![Some(next.ok_or_else(|| PlanError::Value("no such step".to_owned()))?)])
            });
            Some(vec![ended.ok()?.remove(0)?])
        }
        _ => step(pool, (1, x, y, z)),
    }
}

/// What goes around in a loop: numbers that grow, up to 6, to the greatest one of what an instruction makes of
/// them and of a table around the loop.
fn next_round(t: &Table, around: &Table, (op, x, y, z): Instruction) -> Option<Table> {
    let made = step(&[t.clone(), around.clone()], (op % 18, x, y, z))?;
    let made = made.last()?;
    let most = made.reduce([("m", reducers::max(int(made, y)?))]).ok()?;
    let ids = Some(Side::Left);
    let options = JoinOptions { ids, ..JoinOptions::mode(JoinMode::Left) };
    let joined = t.join_with(&most, [] as [(Col, Col); 0], options).ok()?;
    let (n, m) = (left("n"), right("m").coalesce(0).fill_error(0));
    joined.select([("n", m.lt(7).if_else(n.lt(&m).if_else(&m, &n), &n))]).ok()
}

/// Tables that have all row ids of this one.
fn around(pool: &[Table], table: &Table) -> Vec<Table> {
    let has_all =
        |u: &&Table| u.node() != table.node() && table.graph().is_subset(table.universe(), u.universe());
    pool.iter().filter(has_all).cloned().collect()
}

fn name(column: &Col) -> Arc<str> {
    column.name().unwrap_or_else(|| Arc::from("?"))
}

fn column_name(table: &Table, dtype: &DType, number: u8) -> Option<Arc<str>> {
    Some(name(&column(table, |d| d == dtype, number)?))
}

/// The rows of all outputs.
fn results(graph: &Graph, outputs: &[OutputId], rewrites: Rewrites) -> Vec<Rows> {
    let program = graph.program_with(&Goal::Outputs(outputs.to_vec()), rewrites).unwrap();
    let rows = match reference::run(&program, &HashMap::new()) {
        Ok(rows) => rows,
        Err(error) => panic!("{error}\n{program}"),
    };
    let steps = program.steps.iter().zip(rows);
    steps.filter(|(step, _)| matches!(step.op, StepOp::Output(_))).map(|(_, rows)| rows).collect()
}

fn variants() -> [(&'static str, Rewrites); 7] {
    let all = Rewrites::default();
    [
        ("all", all),
        ("no pruning", Rewrites { prune: false, ..all }),
        ("no sharing", Rewrites { share: false, ..all }),
        ("no wide steps", Rewrites { wide: false, ..all }),
        ("no carrying", Rewrites { carry: false, ..all }),
        ("no fusing", Rewrites { fuse: false, ..all }),
        ("only wide steps", Rewrites { wide: true, ..Rewrites::NONE }),
    ]
}

fn cells() -> impl Strategy<Value = Vec<Cells>> {
    prop::collection::vec((0..4i64, prop::option::of(0..3i64), 0..5u8), 0..6)
}

/// A random plan: the graph and some outputs of it.
fn plan(
    first: &[Cells],
    second: &[Cells],
    instructions: &[Instruction],
    chosen: &[u8],
) -> (Graph, Vec<OutputId>) {
    let graph = Graph::new();
    let mut pool = vec![static_table(&graph, first).unwrap(), static_table(&graph, second).unwrap()];
    for instruction in instructions {
        // Growth by joins is exponential in their number.
        if pool.len() < 24 {
            let new = step(&pool, *instruction).unwrap_or_default();
            pool.extend(new);
        }
    }
    let output = |table: &Table| {
        let options = OutputOptions { keep_errors: true, ..OutputOptions::default() };
        table.output(Arc::new(Nowhere), options).unwrap()
    };
    // Later tables are made of more operations.
    pool.reverse();
    let outputs = chosen.iter().filter_map(|i| pick(&pool, i / 16)).map(output).collect();
    (graph, outputs)
}

fn instructions() -> impl Strategy<Value = Vec<Instruction>> {
    prop::collection::vec((0..20u8, any::<u8>(), any::<u8>(), any::<u8>()), 1..12)
}

fn chosen() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases * 2, ..ProptestConfig::default() })]

    #[test]
    fn rewrites_do_not_change_results(
        first in cells(),
        second in cells(),
        instructions in instructions(),
        chosen in chosen(),
    ) {
        let (graph, outputs) = plan(&first, &second, &instructions, &chosen);
        let expected = results(&graph, &outputs, Rewrites::NONE);
        for (name, rewrites) in variants() {
            let found = results(&graph, &outputs, rewrites);
            if found != expected {
                let program = graph.program_with(&Goal::Outputs(outputs.clone()), rewrites).unwrap();
                return Err(TestCaseError::fail(format!(
                    "{name}\n{}\n{program}\nexpected {expected:?}\nfound {found:?}",
                    graph.explain()
                )));
            }
        }
    }
}

proptest! {
    /// What is said of the number of rows is true of every operator.
    #[test]
    fn estimates_hold(first in cells(), second in cells(), instructions in instructions(), chosen in chosen()) {
        let (graph, outputs) = plan(&first, &second, &instructions, &chosen);
        let goal = Goal::Outputs(outputs);
        let program = graph.program(&goal).unwrap();
        let explanation = graph.explanation_of(&goal, &program, false).unwrap();
        let rows = reference::run(&program, &HashMap::new()).unwrap();
        let mut delivered = Vec::new();
        for (number, (step, rows)) in program.steps.iter().zip(&rows).enumerate() {
            let id = match &step.op {
                StepOp::Stateless(stages) => format!("s{number}.{}", stages.len() - 1),
                _ => format!("s{number}"),
            };
            let operator = explanation.after.iter().find(|operator| operator.id == id).unwrap();
            let (found, said) = (rows.len() as u64, &operator.estimate);
            let holds = said.least <= found && said.most.is_none_or(|most| found <= most);
            prop_assert!(holds || step.inside.is_some(), "{} has {} rows: {}\n{}", id, found, said, program);
            if matches!(step.op, StepOp::Output(_)) {
                delivered.push(found);
            }
        }
        let written = explanation.before.iter().filter(|operator| operator.operator == "output");
        for (operator, found) in written.zip(delivered) {
            let said = &operator.estimate;
            let holds = said.least <= found && said.most.is_none_or(|most| found <= most);
            prop_assert!(holds, "#{} has {} rows: {}\n{}", operator.id, found, said, graph.explain());
        }
    }
}

/// What the property is worth depends on the plans: every kind of step must occur often, also with
/// rows in its result.
#[test]
fn random_plans_have_all_kinds_of_steps() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for _ in 0..600 {
        let strategy = (cells(), cells(), instructions(), chosen());
        let (first, second, instructions, chosen) = strategy.new_tree(&mut runner).unwrap().current();
        let (graph, outputs) = plan(&first, &second, &instructions, &chosen);
        let program = graph.program(&Goal::Outputs(outputs)).unwrap();
        let rows = reference::run(&program, &HashMap::new()).unwrap();
        for (step, rows) in program.steps.iter().zip(rows) {
            let kind = match &step.op {
                StepOp::Lookup(lookup) if !lookup.keep.is_empty() => "Lookup that keeps".to_owned(),
                StepOp::Stateless(stages) => format!("Stateless of {}", stages.len().min(3)),
                StepOp::Join(join) => format!("Join {:?} {:?}", join.mode, join.ids),
                op => format!("{op:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned(),
            };
            *seen.entry(kind).or_default() += usize::from(!rows.is_empty());
        }
    }
    let expected = [
        "Concat",
        "Difference",
        "Intersect",
        "Join Inner Pair",
        "Join Left Left",
        "Join Left Pair",
        "Join Outer Pair",
        "Join Right Pair",
        "Join Right Right",
        "Leave",
        "Lookup",
        "Lookup that keeps",
        "Reduce",
        "Restrict",
        "Stateless of 1",
        "Stateless of 2",
        "Stateless of 3",
        "UpdateCells",
        "UpdateRows",
        "Variable",
        "Zip",
    ];
    for kind in expected {
        assert!(seen.get(kind).is_some_and(|count| *count >= 5), "{kind}: {seen:#?}");
    }
}

#[test]
fn columns_by_name_in_joins() -> Result<(), PlanError> {
    // The generator above counts on names being found on both sides.
    let graph = Graph::new();
    let t = static_table(&graph, &[(1, None, 2), (2, Some(1), 3)])?;
    let u = t.copy()?;
    let j = t.join(&u, [(col("a"), right("a"))])?.select([("l", left("a")), ("r", right("a"))])?;
    let output = j.output(Arc::new(Nowhere), OutputOptions::default())?;
    let rows = results(&graph, &[output], Rewrites::default());
    let values: Vec<&[Value]> = rows[0].iter().map(|row| &row.values[..]).collect();
    assert_eq!(values.len(), 2);
    assert!(values.iter().all(|v| v[0] == v[1]));
    Ok(())
}
