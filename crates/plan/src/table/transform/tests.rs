use std::sync::Arc;

use pathway_expr::{Transformation, Transformer};
use pathway_types::{DType, DataError, Field, Schema, Value};

use crate::program::JoinMode;
use crate::{Graph, JoinOptions, PlanError, Table, col};

type Result = std::result::Result<(), PlanError>;

/// Stands for user code; never run here.
#[derive(Debug)]
struct Code;

impl Transformer for Code {
    fn name(&self) -> &str {
        "code"
    }
    fn open(&self) -> std::result::Result<Box<dyn Transformation>, DataError> {
        Err(DataError::value("not here"))
    }
}

fn table(graph: &Graph) -> Table {
    let schema = Schema::new([Field::new("a", DType::Int), Field::new("p", DType::ANY_POINTER)]);
    graph.table_from_rows(&schema, [vec![Value::Int(1), Value::Pointer(Default::default())]]).unwrap()
}

/// The parts of code over two tables: `x` over the rows of the first, `y` and `z` over the second's.
fn parts(graph: &Graph, t: &Table, u: &Table) -> std::result::Result<(Table, Table), PlanError> {
    let inputs = [(t, vec![t.column("a")?]), (u, vec![u.column("a")?])];
    let parts =
        [(0, vec![("x", DType::Int)]), (1, vec![("y", DType::optional(DType::Str)), ("z", DType::Float)])];
    let mut made = graph.transform(&inputs, Arc::new(Code), &parts, None)?.into_iter();
    Ok((made.next().unwrap(), made.next().unwrap()))
}

#[test]
fn parts_have_the_rows_of_their_inputs() -> Result {
    let graph = Graph::new();
    let (t, u) = (table(&graph), table(&graph));
    let (first, second) = parts(&graph, &t, &u)?;
    assert_eq!((first.universe(), second.universe()), (t.universe(), u.universe()));
    assert_eq!(second.column_names().collect::<Vec<_>>(), ["y", "z"]);
    assert_eq!(first.column("x")?.dtype(), &DType::Int);
    assert_eq!(second.column("y")?.dtype(), &DType::optional(DType::Str));
    assert!(!first.is_append_only());
    // Columns of a part and of its input are used side by side.
    t.select([("sum", t.col("a")? + first.col("x")?)])?;
    let error = t.select([("z", second.col("z")?)]).unwrap_err();
    assert!(matches!(error, PlanError::Value(_)));
    Ok(())
}

#[test]
fn what_it_needs() -> Result {
    let (graph, other) = (Graph::new(), Graph::new());
    let (t, u) = (table(&graph), table(&other));
    let error = graph.transform(&[], Arc::new(Code), &[], None).unwrap_err();
    assert!(matches!(error, PlanError::Value(_)));
    assert!(parts(&graph, &t, &u).is_err());
    Ok(())
}

#[test]
fn columns_are_followed_to_where_they_come_from() -> Result {
    let graph = Graph::new();
    let (t, u) = (table(&graph), table(&graph));
    let (first, _) = parts(&graph, &t, &u)?;
    let origin = graph.passed_from(&first.column("x")?).unwrap();
    assert_eq!((origin.0, &*origin.1), (first.node(), "x"));
    let from = |table: &Table, name: &str| {
        let origin = graph.passed_from(&table.column(name).unwrap());
        assert_eq!(origin, Some((first.node(), "x".into())), "{table:?}");
    };
    let renamed = first.select([("q", col("x"))])?;
    from(&renamed, "q");
    from(&renamed.filter(col("q").gt(1))?, "q");
    from(&first.ix(t.col("p")?, &t, false, false)?, "x");
    let options = JoinOptions { mode: Some(JoinMode::Left), ..JoinOptions::default() };
    let joined = u.join_with(&renamed, [(u.col("a")?, renamed.col("q")?)], options)?;
    from(joined.table(), "r.q");
    from(&renamed.concat_reindex(&[&renamed.copy()?])?, "q");
    let computed = first.select([("q", col("x") + 1)])?;
    let origin = graph.passed_from(&computed.column("q")?).unwrap();
    assert_eq!(origin.0, computed.node());
    assert_eq!(graph.passed_from(&first.row_id()), None);
    Ok(())
}
