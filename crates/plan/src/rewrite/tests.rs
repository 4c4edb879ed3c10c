//! Programs of small plans, as text.

use std::sync::Arc;

use pathway_io::{ConnectorError, Resume, Sink, Writer};
use pathway_types::{DType, Field, Schema, Value};

use super::{Goal, Rewrites};
use crate::col::{reducers, right, row_id};
use crate::program::StepOp;
use crate::{
    Asked, Col, Graph, Indexed, JoinOptions, OutputOptions, PlanError, Search, SourceOptions, Span, Table,
    Window, col,
};

/// A sink that is never opened.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn description(&self) -> String {
        "nowhere".to_owned()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Err(ConnectorError::new("nowhere", pathway_io::FailureClass::Engine, "a plan is only looked at"))
    }
}

fn table(graph: &Graph, columns: &[(&str, DType)]) -> Table {
    let schema = Schema::new(columns.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())));
    let row = |i: i64| {
        let cell = |dtype: &DType| match dtype {
            DType::Int => Value::Int(i),
            DType::Float => Value::Float(i as f64),
            DType::Str => Value::from(format!("text {i}")),
            DType::Pointer(_) => Value::Pointer(pathway_types::Key(i as u128)),
            _ => Value::None,
        };
        columns.iter().map(|(_, dtype)| cell(dtype)).collect()
    };
    graph.table_from_rows(&schema, (0..3).map(row)).unwrap()
}

fn numbers(graph: &Graph) -> Table {
    table(graph, &[("a", DType::Int), ("b", DType::Int), ("s", DType::Str)])
}

fn program(tables: &[&Table], rewrites: Rewrites) -> String {
    let graph = tables[0].graph();
    let outputs =
        tables.iter().map(|t| t.output(Arc::new(Nowhere), OutputOptions::default()).unwrap()).collect();
    graph.program_with(&Goal::Outputs(outputs), rewrites).unwrap().to_string()
}

fn rewritten(tables: &[&Table]) -> String {
    program(tables, Rewrites::default())
}

#[test]
fn selects_over_the_same_rows_are_one_step() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let u = t.select([("x", col("a") + 1), ("y", col("b") * 2)])?;
    let v = u.select([("z", col("x") + u.col("y")?), ("a", t.col("a")?)])?;
    insta::assert_snapshot!("one_step", rewritten(&[&u, &v]));
    insta::assert_snapshot!("one_step_each", program(&[&u, &v], Rewrites::NONE));
    Ok(())
}

#[test]
fn unused_columns_are_not_read() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = table(&graph, &[("a", DType::Int), ("b", DType::Int), ("c", DType::Int), ("s", DType::Str)]);
    let f = t.filter(col("b").gt(1))?;
    let r = f.group_by([col("a")])?.reduce([
        ("a", col("a")),
        ("used", reducers::sum(col("c"))),
        ("unused", reducers::max(col("s"))),
    ])?;
    let out = r.select([("double", col("used") * 2)])?;
    insta::assert_snapshot!("pruned", rewritten(&[&out]));
    Ok(())
}

#[test]
fn a_lookup_passes_the_asking_tables_columns() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let best = t.group_by([col("a")])?.reduce([("a", col("a")), ("best", reducers::argmax(col("b")))])?;
    let row = t.ix(col("best"), &best, false, false)?;
    let again = best.select([("a", col("a")), ("s", row.col("s")?), ("b2", row.col("b")? * 2)])?;
    insta::assert_snapshot!("lookup", rewritten(&[&again]));
    insta::assert_snapshot!(
        "lookup_zipped",
        program(&[&again], Rewrites { carry: false, ..Rewrites::default() })
    );
    Ok(())
}

#[test]
fn two_lookups_of_one_table_are_a_chain() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = table(&graph, &[("p", DType::ANY_POINTER), ("q", DType::ANY_POINTER), ("a", DType::Int)]);
    let u = numbers(&graph);
    let (x, y) = (u.ix(col("p"), &t, false, false)?, u.ix(col("q"), &t, false, true)?);
    let all = t.select([("a", col("a")), ("x", x.col("a")?), ("y", y.col("b")?)])?;
    insta::assert_snapshot!("lookup_chain", rewritten(&[&all, &x]));
    Ok(())
}

#[test]
fn equal_operations_are_one() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let one = t.filter(col("a").gt(1))?.select([("x", col("a") + 1)])?;
    let two = t.select([("b", col("b")), ("a", col("a"))])?.filter(col("a").gt(1))?;
    let sum = |t: &Table| t.group_by([] as [Col; 0])?.reduce([("n", reducers::count())]);
    insta::assert_snapshot!("shared", rewritten(&[&one, &two, &sum(&one)?, &sum(&two)?]));
    Ok(())
}

#[test]
fn columns_of_the_unfiltered_table_go_through_the_filter() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let f = t.without(["b"])?.filter(col("a").gt(1))?;
    let r = f.select([("s", col("s")), ("b", t.col("b")?)])?;
    insta::assert_snapshot!("implicit_restrict", rewritten(&[&r]));
    Ok(())
}

#[test]
fn a_restricted_table_comes_with_the_columns_it_is_wanted_for() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let u = table(&graph, &[("c", DType::Int)]);
    t.promise_universe_is_subset_of(&u)?;
    let r = t.select([("a", col("a") + u.col("c")?)])?;
    insta::assert_snapshot!("restrict_carries", rewritten(&[&r]));
    insta::assert_snapshot!("restrict_alone", rewritten(&[&u.restrict(&t)?]));
    Ok(())
}

#[test]
fn joins_keep_what_is_used() -> Result<(), PlanError> {
    let graph = Graph::new();
    let l = numbers(&graph);
    let r = table(&graph, &[("a", DType::Float), ("price", DType::Float), ("note", DType::Str)]);
    let j = l.join_left(&r, [(l.col("a")?, r.col("a")?)])?;
    let out = j.select([
        ("a", col("a")),
        ("cost", right("price").coalesce(0.0)),
        ("unmatched", crate::col::right_id().is_none()),
    ])?;
    insta::assert_snapshot!("join", rewritten(&[&out]));
    Ok(())
}

#[test]
fn a_join_with_the_left_ids_passes_left_columns() -> Result<(), PlanError> {
    let graph = Graph::new();
    let l = numbers(&graph);
    let r = table(&graph, &[("k", DType::Int), ("v", DType::Int)]);
    let options = JoinOptions {
        mode: Some(crate::program::JoinMode::Left),
        ids: Some(crate::col::Side::Left),
        ..JoinOptions::default()
    };
    let j = l.join_with(&r, [(l.col("a")?, r.col("k")?)], options)?;
    let v = j.select([("v", right("v"))])?;
    let out = l.select([("s", col("s")), ("v", v.col("v")?), ("b", col("b") + 1)])?;
    insta::assert_snapshot!("left_id_join", rewritten(&[&out]));
    Ok(())
}

#[test]
fn concat_casts_and_reindexes() -> Result<(), PlanError> {
    let graph = Graph::new();
    let a = table(&graph, &[("x", DType::Int), ("y", DType::Str)]);
    let b = table(&graph, &[("y", DType::Str), ("x", DType::Float)]);
    let all = a.concat_reindex(&[&b])?;
    insta::assert_snapshot!("concat_reindex", rewritten(&[&all]));
    let updated = a.update_rows(&b)?;
    insta::assert_snapshot!("update_rows", rewritten(&[&updated.without(["y"])?]));
    Ok(())
}

#[test]
fn update_cells_touches_only_its_cells() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let u = t.filter(col("a").gt(1))?.select([("b", col("b") * 1.5)])?;
    let out = t.update_cells(&u)?;
    insta::assert_snapshot!("update_cells", rewritten(&[&out]));
    Ok(())
}

#[test]
fn tables_with_different_roots_are_zipped() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let u = table(&graph, &[("c", DType::Int), ("d", DType::Int)]).with_universe_of(&t)?;
    let x = t.select([("x", col("a") + u.col("c")?)])?;
    let y = x.select([("y", col("x") * 2), ("s", t.col("s")?), ("d", u.col("d")?)])?;
    insta::assert_snapshot!("zip", rewritten(&[&y, &u, &x]));
    Ok(())
}

#[test]
fn flatten_and_split_and_restrict() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let f = t.flatten("s", Some("from"))?;
    let (yes, no) = t.split((col("a") + col("b")).gt(2))?;
    let both = yes.concat(&[&no])?.with_universe_of(&t)?;
    let old = t.ix(f.col("from")?, &f, false, false)?;
    let named = f.select([("c", f.col("s")?), ("b", old.col("b")?), ("id", row_id())].into_iter().take(2))?;
    insta::assert_snapshot!("flatten_split", rewritten(&[&named, &both]));
    let logical = graph.explain();
    // Lines of this file change with every edit of it.
    let without_lines = logical.lines().map(|line| line.split("  crates").next().unwrap_or(line));
    insta::assert_snapshot!("flatten_split_logical", without_lines.collect::<Vec<_>>().join("\n"));
    Ok(())
}

#[test]
fn everything_computes_what_no_output_reads() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    t.filter(col("a").gt(1))?.select([("x", col("a") + 1)])?;
    insta::assert_snapshot!("everything", graph.program(&Goal::Everything)?.to_string());
    Ok(())
}

#[test]
fn everything_keeps_columns_that_a_neighbouring_output_does_not_read() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    t.output(Arc::new(Nowhere), OutputOptions::default())?;
    t.select([("x", col("a") / 0)])?;
    let program = graph.program(&Goal::Everything)?.to_string();
    assert!(program.contains(" / "), "{program}");
    Ok(())
}

/// A function that gives another number at each call and counts calls.
#[derive(Debug, Default)]
struct Dice(std::sync::atomic::AtomicUsize);

impl pathway_expr::Udf for Dice {
    fn name(&self) -> &str {
        "dice"
    }
    fn return_type(&self) -> &DType {
        &DType::Int
    }
    fn is_deterministic(&self) -> bool {
        false
    }
    fn propagates_none(&self) -> bool {
        false
    }
    fn call(
        &self,
        _: &[(pathway_types::Column, DType)],
        _: &[pathway_types::Key],
        rows: usize,
    ) -> pathway_expr::UdfOutcome {
        let first = self.0.fetch_add(rows, std::sync::atomic::Ordering::Relaxed) as i64;
        let mut column = pathway_types::ColumnBuilder::new(&DType::Int, rows);
        (0..rows as i64).for_each(|i| column.push(&Value::Int(first + i)));
        pathway_expr::UdfOutcome { column: column.finish(), causes: vec![] }
    }
}

#[test]
fn what_is_not_reproducible_is_called_once_a_row() -> Result<(), PlanError> {
    let graph = Graph::new();
    let dice = Arc::new(Dice::default());
    let t = numbers(&graph);
    let thrown = t.select([("n", Col::udf(dice.clone(), [col("a")])), ("a", col("a"))])?;
    let (low, high) = thrown.split(col("n").lt(2))?;
    let again = thrown.select([("n", col("n") * 1)])?;
    let outputs = [&thrown, &low, &high, &again]
        .map(|t| t.output(Arc::new(Nowhere), OutputOptions::default()))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let program = graph.program(&Goal::Outputs(outputs))?;
    let rows = crate::reference::run(&program, &hashbrown::HashMap::new()).unwrap();
    assert_eq!(dice.0.load(std::sync::atomic::Ordering::Relaxed), 3, "{program}");
    let outputs: Vec<&crate::reference::Rows> = program
        .steps
        .iter()
        .zip(&rows)
        .filter(|(step, _)| matches!(step.op, crate::program::StepOp::Output(_)))
        .map(|(_, rows)| rows)
        .collect();
    assert_eq!(outputs[1].len() + outputs[2].len(), 3);
    // Two calls are two results.
    let two = t.select([("x", Col::udf(dice.clone(), [col("a")])), ("y", Col::udf(dice, [col("a")]))])?;
    assert_eq!(rewritten(&[&two]).matches("udf dice").count(), 2);
    Ok(())
}

#[test]
fn a_source_is_asked_for_the_columns_in_use() -> Result<(), PlanError> {
    let graph = Graph::new();
    let fields = ["a", "b", "c"].map(|name| Field::new(name, DType::Int));
    let source = Arc::new(Columns(Schema::new(fields)));
    let t = graph.source(source.clone(), crate::SourceOptions::default())?;
    let u = graph.source(source, crate::SourceOptions::default())?;
    let all = t.concat_reindex(&[&u])?.without(["b"])?;
    insta::assert_snapshot!("source", rewritten(&[&all, &t.dead_letters()?]));
    Ok(())
}

/// A source that is never opened.
#[derive(Debug)]
struct Columns(Schema);

impl pathway_io::Source for Columns {
    fn description(&self) -> String {
        let names: Vec<&str> = self.0.names().collect();
        format!("columns({})", names.join(" "))
    }
    fn schema(&self) -> &Schema {
        &self.0
    }
    fn mode(&self) -> pathway_io::ReadMode {
        pathway_io::ReadMode::Static
    }
    fn insert_only(&self) -> bool {
        true
    }
    fn project(&self, columns: &[usize]) -> Arc<dyn pathway_io::Source> {
        Arc::new(Columns(Schema::new(columns.iter().map(|i| self.0.fields[*i].clone()))))
    }
    fn open(&self, _: usize, _: Option<Resume>) -> Result<Vec<Box<dyn pathway_io::Reader>>, ConnectorError> {
        Ok(vec![])
    }
}

#[test]
fn data_for_debugging_stands_for_a_source() -> Result<(), PlanError> {
    let graph = Graph::new();
    let rows = table(&graph, &[("a", DType::Int)]);
    let schema = Schema::new([Field::new("a", DType::Int)]);
    let source = graph.source(Arc::new(Columns(schema)), SourceOptions::default())?;
    graph.debug_as(&source, &rows)?;
    let outputs: Vec<_> = [&source, &source.dead_letters()?]
        .into_iter()
        .map(|table| table.output(Arc::new(Nowhere), OutputOptions::default()))
        .collect::<Result<_, _>>()?;
    let goal = Goal::Outputs(outputs);
    let ordinary = graph.program(&goal)?.to_string();
    assert!(ordinary.contains("columns(a)") && ordinary.contains("DeadLetters"), "{ordinary}");
    let debugging = graph.debug_program(&goal, Rewrites::default())?.to_string();
    assert!(!debugging.contains("columns(a)") && !debugging.contains("DeadLetters"), "{debugging}");
    assert!(debugging.contains("Static"), "{debugging}");

    let other = table(&graph, &[("b", DType::Int)]);
    assert!(graph.debug_as(&source, &other).is_err(), "another schema");
    assert!(graph.debug_as(&rows, &rows).is_err(), "no source");
    Ok(())
}

#[test]
fn an_error_history_has_its_table_computed() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph).select([("q", col("a").floor_div(col("b")))])?;
    let printed = rewritten(&[&t.error_history()?]);
    assert!(printed.contains("//"), "{printed}");
    Ok(())
}

#[test]
fn long_programs_are_rewritten_quickly() -> Result<(), PlanError> {
    let graph = Graph::new();
    let start = std::time::Instant::now();
    let mut t = numbers(&graph);
    let mut tables = Vec::new();
    for i in 0..1500i64 {
        t = match i % 5 {
            0 => t.with_columns([("a", col("a") + i)])?,
            1 => t.filter(col("a").gt(i))?,
            2 => t.with_columns([(format!("c{}", i % 20), col("a") * 2)])?,
            3 => {
                let best = t.group_by([col("b")])?.reduce([("best", reducers::argmax(col("a")))])?;
                let first = t.ix(col("best"), &best, false, false)?;
                best.select([("a", first.col("a")?), ("b", first.col("b")?), ("s", first.col("s")?)])?
            }
            _ => t.copy()?,
        };
        tables.push(t.clone());
    }
    let built = start.elapsed();
    let outputs = [tables[700].clone(), t]
        .map(|t| t.output(Arc::new(Nowhere), OutputOptions::default()))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let program = graph.program(&Goal::Outputs(outputs))?;
    assert!(program.steps.len() > 900, "{}", program.steps.len());
    // Generous: a busy machine must not fail it, quadratic work must.
    assert!(start.elapsed().as_secs() < 20, "built in {built:?}, all in {:?}", start.elapsed());
    Ok(())
}

#[test]
fn columns_of_items_that_answers_do_not_show_are_not_kept() -> Result<(), PlanError> {
    let graph = Graph::new();
    let items = table(&graph, &[("v", DType::Any), ("kept", DType::Int), ("unused", DType::Str)]);
    let queries = table(&graph, &[("v", DType::Any)]);
    for collapsed in [true, false] {
        let how = Search {
            metric: pathway_index::Metric::Cosine,
            dimensions: 2,
            filtered: false,
            lenient: false,
            as_of_now: false,
            collapsed,
        };
        let asked = Asked { vector: col("v"), limit: 3.into(), filter: None };
        let columns = ["unused", "kept"].map(|name| (name.to_owned(), col(name))).to_vec();
        let indexed = Indexed { vector: col("v"), metadata: None, columns };
        let found = queries.search(&items, asked, indexed, how)?.select([("kept", col("kept"))])?;
        let output = found.output(Arc::new(Nowhere), OutputOptions::default())?;
        let program = graph.program_with(&Goal::Outputs(vec![output]), Rewrites::default())?;
        let search = program.steps.iter().find(|step| matches!(step.op, StepOp::Stateful(_)));
        let search = search.expect("there is a search");
        let dtypes = &program.steps[search.inputs[1].0].columns;
        assert_eq!(*dtypes, [DType::Any, DType::Int]);
    }
    Ok(())
}

#[test]
fn sliding_windows_are_made_of_panes() -> Result<(), PlanError> {
    let graph = Graph::new();
    let t = numbers(&graph);
    let window = Window::Sliding { hop: Value::Int(2), span: Span::Duration(Value::Int(7)), origin: None };
    let windows = t.window_by(col("a"), &window, None, Some(col("s")))?;
    let sums = windows.reduce([("start", col("_pw_window_start")), ("b", reducers::sum(col("b") * 2))])?;
    let text = rewritten(&[&sums]);
    assert!(text.contains("windows of 7 panes every 2"), "{text}");
    assert!(text.contains("window.number(#") && !text.contains("    flatten"), "{text}");
    let plain = program(&[&sums], Rewrites { panes: false, ..Rewrites::default() });
    assert!(plain.contains("window.numbers(#") && plain.contains("    flatten"), "{plain}");
    Ok(())
}
