//! Plans that are explained. The lines of this file are in the expected texts.

use std::sync::Arc;

use pathway_io::{ConnectorError, FailureClass, Sink, Writer};
use pathway_plan::col::{reducers, right};
use pathway_plan::rewrite::Goal;
use pathway_plan::{Argument, Explanation, Frame, Graph, OutputOptions, PlanError, Table, col};
use pathway_types::{DType, Field, Schema, Value};

/// A sink of a plan that is only looked at.
#[derive(Debug)]
struct Nowhere(&'static str);

impl Sink for Nowhere {
    fn description(&self) -> String {
        self.0.to_owned()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Err(ConnectorError::new("nowhere", FailureClass::Engine, "a plan is only looked at"))
    }
}

fn write(table: &Table, to: &'static str, name: Option<&str>) -> Result<(), PlanError> {
    let options = OutputOptions { name: name.map(str::to_owned), ..OutputOptions::default() };
    table.output(Arc::new(Nowhere(to)), options).map(|_| ())
}

fn sales(graph: &Graph) -> Result<Table, PlanError> {
    let schema = Schema::new([
        Field::new("city", DType::Str),
        Field::new("item", DType::Str),
        Field::new("price", DType::Int),
    ]);
    let row = |city: &str, item: &str, price: i64| vec![city.into(), item.into(), Value::Int(price)];
    graph.table_from_rows(&schema, [row("Oslo", "tea", 4), row("Lima", "nut", 7), row("Oslo", "nut", 1)])
}

fn everything(graph: &Graph) -> Result<Explanation, PlanError> {
    graph.explanation(&Goal::Outputs(graph.outputs()))
}

/// A group-by whose result is joined to what it was made of.
pub(super) fn shares() -> Result<Explanation, PlanError> {
    let graph = Graph::new();
    let sales = sales(&graph)?;
    let some = sales.filter(col("price").gt(1))?;
    let totals = some
        .group_by([col("city")])?
        .reduce([("city", col("city")), ("total", reducers::sum(col("price")) * 1.25)])?;
    let shares = some
        .join(&totals, [(some.col("city")?, totals.col("city")?)])?
        .select([("item", col("item")), ("share", col("price") / right("total"))])?;
    write(&shares, "csv(shares.csv)", None)?;
    everything(&graph)
}

/// Two outputs of one part, another that is made of both tables, and something that nothing needs.
pub(super) fn outputs() -> Result<Explanation, PlanError> {
    let graph = Graph::new();
    let sales = sales(&graph)?;
    let cheap = sales.filter(col("price").lt(5))?;
    let dear = sales.difference(&cheap)?;
    sales.select([("nothing", col("price") + 1)])?;
    write(&cheap, "csv(cheap.csv)", Some("cheap things"))?;
    write(&cheap.select([("thing", col("item")), ("price", col("price"))])?, "json(cheap.json)", None)?;
    write(&dear, "csv(dear.csv)", None)?;
    everything(&graph)
}

/// A loop: the least number of a component.
pub(super) fn components() -> Result<Explanation, PlanError> {
    let graph = Graph::new();
    let schema = Schema::new([Field::new("number", DType::Int), Field::new("other", DType::Int)]);
    let row = |number: i64, other: i64| vec![Value::Int(number), Value::Int(other)];
    let rows = graph.table_from_rows(&schema, [row(1, 2), row(2, 3), row(7, 7)])?;
    let argument = Argument { name: "rows", table: &rows, changes_rows: false };
    let ended = graph.iterate(&[argument], Some(5), |tables| {
        let rows = &tables[0];
        let least = rows
            .group_by([col("other")])?
            .reduce([("other", col("other")), ("least", reducers::min(col("number")))])?;
        let joined = rows.join_with(
            &least,
            [(rows.col("other")?, least.col("other")?)],
            pathway_plan::JoinOptions {
                ids: Some(pathway_plan::col::Side::Left),
                ..pathway_plan::JoinOptions::default()
            },
        )?;
        let next = joined.select([("number", right("least")), ("other", col("other"))])?;
        Ok(vec![Some(next.with_universe_of(rows)?)])
    })?;
    let ended = ended.into_iter().flatten().next().ok_or(PlanError::Value("no result".to_owned()))?;
    write(&ended, "csv(components.csv)", None)?;
    everything(&graph)
}

/// Texts that mean something to Graphviz or to XML.
pub(super) fn hostile() -> Result<Explanation, PlanError> {
    let graph = Graph::new();
    let sales = sales(&graph)?;
    let line = Frame::new("a \"<b>&\" \u{1}.py", 3, "<lambda>", "t.filter(t.city != '\\n<b>&\"')");
    let other = sales.at(Some(line)).filter(col("city").ne_("\\n<b>&\"\u{1} "))?;
    write(&other, "csv(<b>&\".csv)", Some("\u{65e5}\u{672c}\\\""))?;
    everything(&graph)
}

/// No output.
pub(super) fn nothing() -> Result<Explanation, PlanError> {
    let graph = Graph::new();
    sales(&graph)?;
    everything(&graph)
}
