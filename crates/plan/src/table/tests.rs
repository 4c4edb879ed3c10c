//! What each operation checks, and what its result is.

use pathway_types::{DType, Field, Schema, Value};

use crate::col::{left, left_id, reducers, right, right_id, row_id};
use crate::program::JoinMode;
use crate::universe::UniverseId;
use crate::{
    Col, Frame, Graph, InTime, JoinOptions, PlanError, SessionGap, Span, StaticOptions, Table, Window, col,
};

type Result = std::result::Result<(), PlanError>;

fn schema(columns: &[(&str, DType)]) -> Schema {
    Schema::new(columns.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())))
}

fn empty(graph: &Graph, columns: &[(&str, DType)]) -> Table {
    graph.table_from_rows(&schema(columns), []).unwrap()
}

/// `a: INT, b: Optional(INT), s: STR`.
fn table(graph: &Graph) -> Table {
    empty(graph, &[("a", DType::Int), ("b", DType::optional(DType::Int)), ("s", DType::Str)])
}

fn dtype(table: &Table, name: &str) -> DType {
    table.column(name).unwrap().dtype().clone()
}

fn names(table: &Table) -> Vec<String> {
    table.column_names().map(str::to_owned).collect()
}

fn message(error: &PlanError) -> String {
    error.to_string()
}

macro_rules! assert_refused {
    ($result:expr, $variant:ident, $($text:literal),*) => {
        match $result {
            Err(error @ PlanError::$variant(_)) => {
                $(assert!(message(&error).contains($text), "{error}");)*
            }
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("this should have been refused"),
        }
    };
}

#[test]
fn select_checks_names_and_universes() -> Result {
    let graph = Graph::new();
    let (t, u) = (table(&graph), table(&graph));
    assert_refused!(t.select([("x", col("nope"))]), Key, "nope", "a, b, s");
    assert_eq!(t.select([("id", col("a"))])?.column("id")?.dtype(), &DType::Int);
    assert_refused!(t.select([("x", col("a")), ("x", col("b"))]), Value, "x");
    assert_refused!(t.select([col("a") + 1]), Value, "name");
    assert_refused!(t.select([("x", u.col("a")?)]), Value, "<table1>.a", "<table2>", "with_universe_of");
    assert_refused!(t.select([("x", reducers::count())]), Value, "count", "reduce()");
    assert_eq!(dtype(&t.select([("x", col("b") + 1)])?, "x"), DType::optional(DType::Int));
    let r = t.select([col("s"), col("a")])?.with_columns([("a", col("a") * 2.5), ("n", row_id())])?;
    assert_eq!(names(&r), ["s", "a", "n"]);
    assert_eq!((dtype(&r, "a"), dtype(&r, "n")), (DType::Float, DType::Pointer(None)));
    assert_eq!(r.universe(), t.universe());
    assert_eq!(names(&r.rename([("a", "n"), ("n", "a")])?), ["s", "n", "a"]);
    assert_refused!(r.rename([("a", "n")]), Value, "n");
    assert_eq!(names(&t.select([] as [Col; 0])?), [""; 0]);
    Ok(())
}

#[test]
fn provable_supersets_and_equals_are_aligned() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let f = t.filter(col("a").gt(1))?;
    // A superset of the filtered rows, through the filter; a subset of t is refused.
    assert!(f.select([("x", t.col("a")? + f.col("a")?)]).is_ok());
    assert_refused!(t.select([("x", f.col("a")?)]), Value, "with_universe_of");
    let u = table(&graph);
    u.promise_universe_is_equal_to(&t)?;
    let both = t.select([("x", t.col("a")? + u.col("a")?)])?;
    assert_eq!(both.universe(), t.universe());
    assert_eq!(names(&t.beside(&[&u.rename([("a", "c"), ("b", "d"), ("s", "e")])?])?).len(), 6);
    assert_refused!(t.beside(&[&u]), Value, "a");
    assert_refused!(t.beside(&[&f]), Value, "equal");
    Ok(())
}

#[test]
fn filters_narrow_and_halves_are_known_to_be_the_whole() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    assert_refused!(t.filter(col("a") + 1), Type, "BOOL", "INT");
    let f = t.filter_narrowing(col("b").is_not_none(), ["b"])?;
    assert_eq!((dtype(&f, "b"), dtype(&t, "b")), (DType::Int, DType::optional(DType::Int)));
    assert!(graph.is_subset(f.universe(), t.universe()));
    // Recognised by itself, for a column of the filtered table only.
    assert_eq!(dtype(&t.filter(!col("b").is_none())?, "b"), DType::Int);
    let u = t.copy()?;
    assert_eq!(dtype(&t.filter(u.col("b")?.is_not_none())?, "b"), DType::optional(DType::Int));
    assert_eq!(dtype(&t.split(col("b").is_not_none())?.0, "b"), DType::Int);
    let (yes, no) = t.split(col("a").gt(1))?;
    assert!(graph.are_disjoint(yes.universe(), no.universe()));
    let all = no.concat(&[&yes])?;
    assert!(graph.are_equal(all.universe(), t.universe()));
    assert_eq!(all.with_universe_of(&t)?.universe(), t.universe());
    assert!(graph.take_warnings().is_empty());
    Ok(())
}

#[test]
fn flatten_knows_what_has_elements() -> Result {
    let graph = Graph::new();
    let columns = [
        ("l", DType::list(DType::Str)),
        ("t", DType::tuple([DType::Int, DType::Float])),
        ("m", DType::array(Some(2), DType::Int)),
        ("o", DType::optional(DType::Str)),
    ];
    let t = empty(&graph, &columns);
    let flat = t.flatten("t", Some("from"))?;
    assert_eq!(names(&flat), ["t", "l", "m", "o", "from"]);
    assert_eq!((dtype(&flat, "t"), dtype(&flat, "from")), (DType::Float, DType::Pointer(None)));
    assert_eq!(dtype(&t.flatten("m", None)?, "m"), DType::array(Some(1), DType::Int));
    assert_eq!(dtype(&t.flatten("l", None)?, "l"), DType::Str);
    assert_refused!(t.flatten("o", None), Type, "o", "Optional(STR)");
    assert_refused!(t.flatten("l", Some("m")), Value, "m");
    assert_refused!(t.flatten("zz", None), Key, "zz");
    Ok(())
}

#[test]
fn row_sets_follow_the_solver() -> Result {
    let graph = Graph::new();
    let (t, u) = (table(&graph), table(&graph));
    let (i, d) = (t.intersect(&[&u])?, t.difference(&u)?);
    assert!(graph.are_disjoint(i.universe(), d.universe()));
    assert_eq!(names(&i.concat(&[&d])?), ["a", "b", "s"]);
    assert_refused!(t.restrict(&u), Value, "<table1>.restrict(<table2>)", "promise_universe_is_subset_of");
    assert_refused!(t.concat(&[&u]), Value, "disjoint", "concat_reindex");
    assert_eq!(t.restrict(&i)?.universe(), i.universe());
    assert_eq!(graph.take_warnings(), vec![]);
    t.intersect(&[])?;
    t.intersect(&[&t.copy()?])?;
    t.restrict(&t)?;
    i.intersect(&[&t])?;
    assert_eq!(graph.take_warnings().len(), 4);
    Ok(())
}

#[test]
fn always_empty_universes_are_reported_with_their_line() -> Result {
    let graph = Graph::new();
    let options = StaticOptions { empty: true, ..StaticOptions::default() };
    let none = graph.static_table(&schema(&[("a", DType::Int)]), vec![], options)?;
    assert!(graph.take_warnings().is_empty());
    let frame = |line| Frame::new("user.py", line, "main", "t.reduce()");
    none.at(Some(frame(7))).reduce([("n", reducers::count())])?;
    let warnings = graph.take_warnings();
    assert_eq!(warnings.len(), 1);
    let line = warnings[0].frame.as_ref().map(|at| Frame { built: None, ..at.clone() });
    assert_eq!(line, Some(frame(7)));
    Ok(())
}

#[test]
fn ids_are_pointers() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    assert_refused!(t.with_id(col("a")), Type, "POINTER", "INT");
    assert_refused!(t.with_id(Col::pointer([col("a")])), Type, "with_id_from");
    let p = t.with_columns([("p", Col::pointer([col("a"), col("s")]))])?;
    let typed = DType::pointer([DType::Int, DType::Str]);
    assert_eq!(p.with_id(col("p"))?.id_dtype(), &typed);
    assert_eq!(t.with_id_from([col("a")], Some(col("s")))?.id_dtype(), &typed);
    assert_ne!(p.with_id(col("p"))?.universe(), t.universe());
    let key = Schema::new([Field::new("k", DType::Str).primary_key(), Field::new("v", DType::Int)]);
    let keyed = graph.table_from_rows(&key, [vec![Value::from("x"), Value::Int(1)]])?;
    assert_eq!(keyed.id_dtype(), &DType::pointer([DType::Str]));
    assert_refused!(t.update_id_type(DType::Int, None), Assertion, "INT");
    assert_eq!(keyed.update_id_type(DType::Pointer(None), None)?.id_dtype(), &DType::Pointer(None));
    Ok(())
}

#[test]
fn combining_rows_unifies_columns() -> Result {
    let graph = Graph::new();
    let t = empty(&graph, &[("x", DType::Int), ("y", DType::Str)]);
    let u = empty(&graph, &[("y", DType::optional(DType::Str)), ("x", DType::Float)]);
    let all = t.concat_reindex(&[&u, &t])?;
    assert_eq!((dtype(&all, "x"), dtype(&all, "y")), (DType::Float, DType::optional(DType::Str)));
    assert_eq!(names(&all), ["x", "y"]);
    let wrong = empty(&graph, &[("x", DType::Str), ("y", DType::Str)]);
    assert_refused!(t.concat_reindex(&[&wrong]), Type, "x", "concat_reindex");
    assert_refused!(t.update_rows(&t.without(["y"])?), Value, "Missing columns: [y]");
    assert_refused!(t.update_rows(&t.with_columns([("z", col("x"))])?), Value, "Superfluous columns: [z]");
    let updated = t.update_rows(&u)?;
    assert!(graph.is_subset(t.universe(), updated.universe()));
    let some = t.filter(col("x").gt(1))?;
    assert_eq!(t.update_rows(&some)?.universe(), t.universe());
    assert_eq!(some.update_rows(&t)?.node(), t.node());
    assert_eq!(graph.take_warnings().len(), 1);
    assert_refused!(t.update_cells(&u), Value, "subset");
    assert_refused!(some.update_cells(&t), Value, "subset");
    assert_refused!(t.update_cells(&some.rename([("y", "w")])?), Value, "[w]");
    let cells = t.update_cells(&some.select([("x", col("x") * 0.5)])?)?;
    assert_eq!((dtype(&cells, "x"), dtype(&cells, "y")), (DType::Float, DType::Str));
    assert_eq!(cells.universe(), t.universe());
    Ok(())
}

#[test]
fn reduce_takes_reducers_out_and_traces_grouping_columns() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let u = t.select([("q", col("a")), ("s", col("s"))])?;
    // By origin: u.q is t.a.
    let r = t.group_by([u.col("q")?])?.reduce([
        ("k", t.col("a")? + 1),
        ("mean", reducers::sum(col("a")) / reducers::count()),
        ("c", Col::from(7)),
    ])?;
    assert_eq!(names(&r), ["k", "mean", "c"]);
    assert_eq!((dtype(&r, "mean"), r.id_dtype().clone()), (DType::Float, DType::pointer([DType::Int])));
    assert_refused!(t.group_by([col("a")])?.reduce([col("s")]), Value, "<table1>.s", "reducer");
    assert_refused!(t.group_by([col("a") + 1]), Type, "columns");
    assert_refused!(t.reduce([("x", reducers::sum(reducers::count()))]), Value, "count");
    assert_refused!(t.reduce([("x", reducers::sum(col("s")))]), Type, "STR");
    let instance = t.group_by([col("a")])?.instance(col("s"))?;
    let by_instance = instance.reduce([("s", col("s")), ("n", reducers::count())])?;
    assert_eq!(by_instance.id_dtype(), &DType::pointer([DType::Int, DType::Str]));
    assert_refused!(instance.instance(col("b")), Value, "instance");
    assert_refused!(t.group_by_id(col("a")), Type, "INT");
    let best = t.reduce([("p", reducers::argmax(col("a")))])?;
    assert_eq!(
        best.group_by_id(col("p"))?.reduce([("n", reducers::count())])?.id_dtype(),
        &DType::Pointer(None)
    );
    assert!(!r.is_append_only() && t.is_append_only());
    Ok(())
}

#[test]
fn reducers_that_look_at_time_want_append_only_input() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    t.reduce([("x", reducers::latest(col("a")))])?;
    assert!(graph.take_warnings().is_empty());
    let counts = t.group_by([col("a")])?.reduce([("n", reducers::count())])?;
    counts.reduce([("x", reducers::latest(col("n")))])?;
    assert_eq!(graph.take_warnings().len(), 1);
    Ok(())
}

#[test]
fn joins_check_their_conditions() -> Result {
    let graph = Graph::new();
    let l = empty(&graph, &[("k", DType::Int), ("x", DType::Int), ("p", DType::Any)]);
    let r = empty(&graph, &[("k", DType::Float), ("x", DType::Str), ("y", DType::Int)]);
    let on = |a: &Table, b: &Table| -> std::result::Result<_, PlanError> { Ok([(a.col("k")?, b.col("k")?)]) };
    assert_refused!(l.join(&r, on(&r, &l)?), Value, "swapped");
    assert_refused!(l.join(&r, on(&l.copy()?, &r)?), Value, "left");
    assert_refused!(l.join(&l, on(&l, &l)?), Value, "copy()");
    assert_refused!(l.join(&r, [(left("k") + 1, right("k"))]), Value, "equality");
    assert_refused!(l.join(&r, [(left("k"), right("x"))]), Type, "INT", "STR");
    assert_refused!(l.join(&r, [(left("k"), l.copy()?.col("p")?)]), Value, "right");
    assert_refused!(l.join(&r, [(left("p"), right("y"))]), Type, "ANY");
    let j = l.join(&r, on(&l, &r)?)?;
    assert_refused!(j.join(&l, [(left("y"), right("k"))]), Assertion, "copy()");
    let ids = |mode, side| JoinOptions { mode: Some(mode), ids: Some(side), ..JoinOptions::default() };
    use crate::col::Side;
    assert_refused!(l.join_with(&r, on(&l, &r)?, ids(JoinMode::Outer, Side::Left)), Key, "Outer");
    assert_refused!(l.join_with(&r, on(&l, &r)?, ids(JoinMode::Right, Side::Left)), Key, "Right");
    let inner = l.join_with(&r, on(&l, &r)?, ids(JoinMode::Inner, Side::Right))?;
    assert!(graph.is_subset(inner.table().universe(), r.universe()));
    let kept = l.join_with(&r, on(&l, &r)?, ids(JoinMode::Left, Side::Left))?;
    assert_eq!(kept.table().universe(), l.universe());
    let once = JoinOptions { left_exactly_once: true, ..JoinOptions::mode(JoinMode::Left) };
    l.join_with(&r, on(&l, &r)?, once)?;
    assert_eq!(graph.take_warnings().len(), 1);
    Ok(())
}

#[test]
fn joins_of_rows_in_one_window() -> Result {
    let graph = Graph::new();
    let l = empty(&graph, &[("k", DType::Int), ("t", DType::Int), ("a", DType::Str)]);
    let r = empty(&graph, &[("k", DType::Int), ("u", DType::Int), ("_pw_window", DType::Str)]);
    let within = |times, window: &Window| JoinOptions {
        in_time: Some(InTime::Window { times, window: window.clone() }),
        ..JoinOptions::mode(JoinMode::Outer)
    };
    let on = || [(left("k"), right("k"))];
    let tumbling = Window::Sliding { hop: Value::Int(5), span: Span::Ratio(1), origin: None };
    let session = Window::Session(SessionGap::LessThan(Value::Float(1.5)));
    let maybe = DType::optional(DType::Int);
    for window in [&tumbling, &session] {
        let j = l.join_with(&r, on(), within((left("t"), right("u")), window))?;
        let mut names: Vec<_> = j.column_names().iter().map(|name| name.to_string()).collect();
        names.sort_unstable();
        assert_eq!(names, ["_pw_window", "_pw_window_end", "_pw_window_start", "a", "k", "t", "u"]);
        let s = j.select([
            ("start", col("_pw_window_start")),
            ("end", right("_pw_window_end")),
            ("a", l.col("a")?),
            ("u", col("u")),
        ])?;
        assert_eq!((dtype(&s, "start"), dtype(&s, "end")), (maybe.clone(), maybe.clone()));
        assert_eq!(dtype(&s, "a"), DType::optional(DType::Str));
        assert!(!s.is_id_append_only());
        l.join_with(&l.copy()?, on(), within((left("t"), right("t")), window))?;
    }
    let wrong = within((left("a"), right("u")), &tumbling);
    assert_refused!(l.join_with(&r, on(), wrong), Type, "left_time_expression", "window.hop");
    let j = l.join(&r, on())?;
    let t = l.copy()?;
    let of_join = within((left("t"), right("t")), &tumbling);
    assert_refused!(j.join_with(&t, [] as [(Col, Col); 0], of_join), Type, "select the columns");
    Ok(())
}

#[test]
fn names_on_a_join() -> Result {
    let graph = Graph::new();
    let l = empty(&graph, &[("k", DType::Int), ("x", DType::Int), ("only", DType::Int)]);
    let r = empty(&graph, &[("k", DType::Int), ("x", DType::Int), ("y", DType::Int)]);
    let j = l.join_outer(&r, [(left("k"), right("k"))])?;
    assert_eq!(j.column_names().iter().map(|n| &**n).collect::<Vec<_>>(), ["k", "only", "y"]);
    assert_refused!(j.select([col("x")]), Key, "both");
    assert_refused!(j.select([col("zz")]), Key, "zz");
    assert_eq!(dtype(&j.select([("s", left("x") + 1)])?, "s"), DType::optional(DType::Int));
    // A typed expression over a column that became Optional would be wrong.
    let typed = pathway_expr::Expr::unary(pathway_expr::UnaryOp::Neg, r.column("y")?)?;
    assert_refused!(j.select([("s", typed)]), Type, "Optional(INT)");
    let s = j.select([("k", col("k")), ("lx", l.col("x")?), ("rx", right("x")), ("l", left_id())])?;
    let int = DType::optional(DType::Int);
    assert_eq!((dtype(&s, "k"), dtype(&s, "lx")), (int.clone(), int.clone()));
    assert_eq!(dtype(&s, "l"), DType::optional(DType::Pointer(None)));
    // Selects of one join share its universe, also after a filter.
    let more = j.select([("y", col("y")), ("k", s.col("k")?)])?;
    assert_eq!(more.universe(), s.universe());
    let f = j.filter(right_id().is_not_none())?;
    assert!(f.select([("y", col("y")), ("k", s.col("k")?)]).is_ok());
    let grouped = j.group_by([left("k")])?;
    assert!(grouped.reduce([("k", left("k")), ("n", reducers::count())]).is_ok());
    assert_refused!(grouped.reduce([("k", col("k"))]), Value, "reduce");
    // A chain: every table stays reachable, and ids are those of the operands.
    let t = empty(&graph, &[("y", DType::Int), ("z", DType::Int)]);
    let chain = j.join_left(&t, [(left("y"), right("y"))])?;
    let all = chain.select([
        ("k", col("k")),
        ("x", l.col("x")?),
        ("rx", r.col("x")?),
        ("z", t.col("z")?),
        ("j", left_id()),
        ("r", r.id()),
    ])?;
    assert_eq!(dtype(&all, "z"), int);
    assert_eq!(dtype(&all, "j"), DType::Pointer(None));
    assert_eq!(dtype(&all, "r"), DType::optional(DType::Pointer(None)));
    Ok(())
}

#[test]
fn ix_checks_pointers() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let key = Schema::new([Field::new("k", DType::Str).primary_key(), Field::new("v", DType::Int)]);
    let keyed = graph.table_from_rows(&key, [])?;
    assert_refused!(keyed.ix(col("a"), &t, false, false), Type, "POINTER", "INT");
    assert_refused!(keyed.ix(Col::pointer([col("a")]), &t, false, false), Type, "primary key");
    let found = keyed.ix(Col::pointer([col("s")]), &t, false, false)?;
    assert_eq!((found.universe(), dtype(&found, "v")), (t.universe(), DType::Int));
    let missed = keyed.ix(Col::pointer([col("s")]), &t, false, true)?;
    assert_eq!(dtype(&missed, "v"), DType::optional(DType::Int));
    let maybe = t.select([("p", col("b").is_none().if_else(crate::col::none(), row_id()))])?;
    assert_refused!(t.ix(col("p"), &maybe, false, false), Type, "optional=True");
    assert_eq!(dtype(&t.ix(col("p"), &maybe, true, false)?, "a"), DType::optional(DType::Int));
    Ok(())
}

#[test]
fn append_only_flags_propagate() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let batch = |diff: i64| {
        let rows = [vec![Value::Int(1)]];
        let table = graph.table_from_rows(&schema(&[("a", DType::Int)]), rows).unwrap();
        let state = graph.lock();
        let crate::graph::Op::Static(rows) = &state.node(table.node()).op else { panic!("static") };
        let (time, mut batch) = rows.batches[0].clone();
        batch.diffs = vec![diff].into();
        (time, batch)
    };
    let mut changes = vec![batch(1), batch(-1)];
    changes[1].0 = 2;
    let changing = graph.static_table(&schema(&[("a", DType::Int)]), changes, StaticOptions::default())?;
    assert!(t.is_append_only() && t.is_id_append_only() && !changing.is_append_only());
    assert!(t.filter(col("a").gt(1))?.is_append_only());
    assert!(!changing.filter(col("a").gt(1))?.is_id_append_only());
    assert!(!t.difference(&changing)?.is_append_only() && !t.intersect(&[&changing])?.is_append_only());
    let j = |mode| t.join_with(&t.copy()?, [(left("a"), right("a"))], JoinOptions::mode(mode));
    assert!(j(JoinMode::Inner)?.table().is_append_only());
    assert!(!j(JoinMode::Left)?.table().is_append_only());
    let looked_up = changing.ix(row_id(), &t, false, true)?;
    assert!(looked_up.is_id_append_only() && !looked_up.is_append_only());
    assert!(!t.reduce([("n", reducers::count())])?.is_append_only());
    Ok(())
}

#[test]
fn static_tables_are_checked() -> Result {
    let graph = Graph::new();
    let one = schema(&[("a", DType::Int)]);
    assert_refused!(graph.table_from_rows(&one, [vec![Value::from("x")]]), Type, "row 0", "INT");
    assert_refused!(graph.table_from_rows(&one, [vec![]]), Value, "row 0");
    let twice = schema(&[("a", DType::Int), ("a", DType::Int)]);
    assert_refused!(graph.table_from_rows(&twice, []), Value, "a");
    let t = graph.table_from_rows(&one, [vec![Value::Int(3)]])?;
    assert_refused!(t.dead_letters(), Value, "source");
    let options = StaticOptions { universe: Some(t.universe()), ..StaticOptions::default() };
    assert_eq!(graph.static_table(&one, vec![], options)?.universe(), t.universe());
    let stale = StaticOptions { universe: Some(UniverseId(99)), ..StaticOptions::default() };
    assert_refused!(graph.static_table(&one, vec![], stale), Runtime, "cleared");
    Ok(())
}

#[test]
fn a_cleared_plan_refuses_old_tables() -> Result {
    let graph = Graph::new();
    let t = table(&graph);
    let old = t.col("a")?;
    graph.clear();
    assert!(graph.is_empty() && !t.is_alive());
    assert_refused!(t.select([("x", col("a"))]), Runtime, "cleared");
    let new = table(&graph);
    assert_refused!(new.select([("x", old)]), Runtime, "cleared");
    assert_refused!(new.intersect(&[&t]), Runtime, "cleared");
    assert_refused!(new.promise_universe_is_equal_to(&t), Runtime, "cleared");
    assert!(!graph.is_subset(t.universe(), new.universe()));
    let other = table(&Graph::new());
    assert_refused!(new.intersect(&[&other]), Value, "different plans");
    assert_eq!(graph.explain().lines().next().map(|l| l.starts_with("t0: static  [u0")), Some(true));
    Ok(())
}
