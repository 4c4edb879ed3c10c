//! Where rows come from: for some rows of a table, or for all rows of some, the rows of all tables before that made
//! them.
//!
//! [`Table::origins`], for some rows, and [`origins_of_all`], for all rows of some tables, add tables to the plan that hold exactly these rows, and which of them led to which, so
//! that one run finds them, over as many rows as there may be. It follows what operations mean, not how they are
//! computed: a row of a group-by comes from all rows of its group, one of a join from the pair, one of a filter
//! from the row with its id. Where it is not told by ids or cells, it stops and says so ([`OriginStep::ends`]).
//!
//! *State*: what these tables need, in the run that is asked. *Cost*: of that run, about one more join with a
//! small table for each table on the way; where all rows of a table are wanted, there is none.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use pathway_expr::{ColumnRef, Expr, ExprKind};
use pathway_types::{Batch, DType, Diffs, Key, Keys, Schema};

use crate::PlanError;
use crate::col::{Col, col, constant, row_id};
use crate::graph::{
    Column, Flatten, FlattenColumn, Graph, GroupIds, Join, JoinColumn, Node, NodeId, Op, Reduce,
};
use crate::stateful::StatefulKind;
use crate::table::{Named, StaticOptions, Table};

/// What some rows of a table come from.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The tables that were asked about and those that they are made of; each is before those that it is made of. If
    /// one was asked about, it is the first.
    pub steps: Vec<OriginStep>,
}

/// A table on the way.
#[derive(Clone, Debug)]
pub struct OriginStep {
    /// The table.
    pub table: Table,
    /// What makes it: the short name of the operation.
    pub operation: &'static str,
    /// Those of its rows that the asked ones come from, under their ids, with all columns.
    pub rows: Table,
    /// Where these come from.
    pub links: Vec<OriginLink>,
    /// Why there is more that they come from, which is not told; nothing if the links are all.
    pub ends: Option<&'static str>,
}

/// What rows of a table come from in another one.
#[derive(Clone, Debug)]
pub struct OriginLink {
    /// The step of the other table.
    pub to: usize,
    /// Pairs of ids, in the columns `row` and `origin`, both POINTER; without it, rows come from those with the same
    /// id, if there are such.
    pub pairs: Option<Table>,
}

/// How rows of a table are found from those that they made.
enum Way {
    /// They have the same id.
    SameId,
    /// A pointer beside the row that was made: the id is that of the row, the column `origin` the pointer.
    Forward(Table),
    /// A pointer beside the row that it comes from: the id is that of the origin, the column `row` the pointer.
    Backward(Table),
}

/// The tables that rows come from and how these are found there, and why there is more, if there is.
type Ways = (Vec<(NodeId, Way)>, Option<&'static str>);

/// A link to a table that has no number yet.
struct Found {
    to: NodeId,
    pairs: Option<Table>,
}

impl Table {
    /// The rows of all tables before this one that its rows with these ids come from.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    pub fn origins(&self, ids: &[Key]) -> Result<Origins, PlanError> {
        let batch = Batch::new(
            Keys::from(ids.iter().map(|id| id.0).collect::<Vec<_>>()),
            vec![],
            Diffs::Ones(ids.len()),
        );
        let asked =
            self.graph().static_table(&Schema::new([]), vec![(0, batch)], StaticOptions::default())?;
        let some = Wanted::Some(vec![asked.select([("origin", pointer(row_id()))])?]);
        Ok(followed(self.graph(), BTreeMap::from([(self.node(), some)]))?.0)
    }
}

/// The same for all rows of some tables of a plan, with the numbers of their steps.
///
/// # Errors
/// [`PlanError::Runtime`] if the plan was cleared.
pub fn origins_of_all(tables: &[&Table]) -> Result<(Origins, Vec<usize>), PlanError> {
    let Some(first) = tables.first() else { return Ok((Origins { steps: vec![] }, vec![])) };
    let wanted = tables.iter().map(|table| (table.node(), Wanted::All)).collect();
    let (origins, numbers) = followed(first.graph(), wanted)?;
    Ok((origins, tables.iter().map(|table| numbers[&table.node()]).collect()))
}

/// Which rows of a table are wanted.
enum Wanted {
    All,
    /// Those with the ids in the columns `origin` of these tables.
    Some(Vec<Table>),
}

/// What wanted rows come from, and the numbers of the steps of all tables on the way.
fn followed(
    graph: &Graph,
    mut wanted: BTreeMap<NodeId, Wanted>,
) -> Result<(Origins, HashMap<NodeId, usize>), PlanError> {
    let mut steps = Vec::new();
    let mut numbers = HashMap::new();
    while let Some((id, by)) = wanted.pop_last() {
        let (step, found, needs_all) = step(graph, id, &by)?;
        for link in &found {
            if needs_all.contains(&link.to) {
                wanted.insert(link.to, Wanted::All);
            }
            let of_it = wanted.entry(link.to).or_insert_with(|| Wanted::Some(vec![]));
            if let Wanted::Some(of_it) = of_it {
                of_it.push(match &link.pairs {
                    Some(pairs) => pairs.select([("origin", col("origin"))])?,
                    None => step.rows.select([("origin", pointer(row_id()))])?,
                });
            }
        }
        numbers.insert(id, steps.len());
        steps.push((step, found));
    }
    let number = |link: Found| OriginLink { to: numbers[&link.to], pairs: link.pairs };
    let linked = |(step, found): (OriginStep, Vec<Found>)| OriginStep {
        links: found.into_iter().map(number).collect(),
        ..step
    };
    Ok((Origins { steps: steps.into_iter().map(linked).collect() }, numbers))
}

/// A pointer as one of any kind.
fn pointer(of: Col) -> Col {
    of.declare_type(DType::ANY_POINTER)
}

/// The rows of a table that are wanted, where they come from, and the tables all of whose rows these come from.
fn step(graph: &Graph, id: NodeId, by: &Wanted) -> Result<(OriginStep, Vec<Found>, Vec<NodeId>), PlanError> {
    let (table, node) = {
        let state = graph.lock();
        state.checked(id)?;
        (Table::new(graph, &state, id), state.shared(id))
    };
    let ids = match by {
        Wanted::All => None,
        Wanted::Some(by) => {
            let all = match by.as_slice() {
                [one] => one.clone(),
                [first, others @ ..] => first.concat_reindex(&others.iter().collect::<Vec<_>>())?,
                [] => {
                    let text = "no rows are wanted of a table that is on the way";
                    return Err(PlanError::Runtime(text.to_owned()));
                }
            };
            Some(all.group_by_id(col("origin"))?.reduce([] as [Named; 0])?)
        }
    };
    let rows = match &ids {
        None => table.clone(),
        Some(ids) => table.intersect(&[ids])?,
    };
    let (ways, ends) = ways(graph, &table, &node)?;
    let mut links: Vec<Found> = Vec::new();
    for (to, way) in ways {
        let pairs = match way {
            Way::SameId if links.iter().any(|link| link.to == to && link.pairs.is_none()) => continue,
            Way::SameId => None,
            Way::Forward(pointers) => {
                let of_wanted = match &ids {
                    None => pointers,
                    Some(ids) => pointers.intersect(&[ids])?,
                };
                Some(
                    of_wanted
                        .filter(col("origin").is_not_none())?
                        .select([("row", pointer(row_id())), ("origin", pointer(col("origin").unwrap()))])?,
                )
            }
            Way::Backward(pointers) => {
                let of_wanted = match &ids {
                    None => pointers.filter(col("row").is_not_none())?,
                    Some(ids) => {
                        let marked = ids.select([("there", constant(true))])?;
                        let there = marked.ix(pointers.col("row")?, &pointers, true, true)?;
                        pointers.filter(there.col("there")?.is_not_none())?
                    }
                };
                Some(
                    of_wanted
                        .select([("row", pointer(col("row").unwrap())), ("origin", pointer(row_id()))])?,
                )
            }
        };
        links.push(Found { to, pairs });
    }
    let needs_all = match by {
        Wanted::All => passed_whole(&node.op),
        Wanted::Some(_) => vec![],
    };
    let step = OriginStep { table, operation: node.op.name(), rows, links: vec![], ends };
    Ok((step, links, needs_all))
}

/// The inputs of an operation all of whose rows are in its result, in some way.
fn passed_whole(op: &Op) -> Vec<NodeId> {
    match op {
        Op::Select { base, .. } => vec![*base],
        Op::Reindex { input, .. } => vec![*input],
        Op::Reduce(reduce) => vec![reduce.input],
        Op::Concat { inputs } => inputs.iter().map(|rows| rows.table).collect(),
        Op::UpdateCells { input, .. } => vec![input.table],
        _ => vec![],
    }
}

/// Where rows of a node come from, and why that is not all, if it is not.
fn ways(graph: &Graph, table: &Table, node: &Node) -> Result<Ways, PlanError> {
    let same = |nodes: Vec<NodeId>| nodes.into_iter().map(|node| (node, Way::SameId)).collect::<Vec<_>>();
    let at = |id: NodeId| Table::new(graph, &graph.lock(), id).at(node.frame.clone());
    let mut ends = None;
    let ways = match &node.op {
        Op::Static(_) | Op::Source(_) => vec![],
        Op::Select { base, expressions, .. } => same(sources([*base], expressions, &[])),
        Op::Filter { input, condition, columns } => same(sources([*input], [condition], columns)),
        Op::Reindex { input, pointer: id, columns } => {
            let pointers = at(*input).select([("row", Col::from(id.clone()))])?;
            let sources = sources([*input], [id], columns).into_iter();
            sources.map(|source| (source, Way::Backward(pointers.clone()))).collect()
        }
        Op::Flatten(flatten) => {
            let passed: Vec<ColumnRef> = flatten
                .columns
                .iter()
                .filter_map(|column| match column {
                    FlattenColumn::Passed(column) => Some(*column),
                    FlattenColumn::Element | FlattenColumn::Origin => None,
                })
                .collect();
            let id_dtype = at(flatten.input).id_dtype().clone();
            let op = Op::Flatten(Flatten { columns: vec![FlattenColumn::Origin], ..flatten.clone() });
            let pointers = beside(graph, node, op, [("origin", id_dtype)]);
            let sources = sources([flatten.input], [&flatten.sequence], &passed).into_iter();
            sources.map(|source| (source, Way::Forward(pointers.clone()))).collect()
        }
        Op::Concat { inputs } => {
            inputs.iter().flat_map(|rows| same(sources([rows.table], &rows.columns, &[]))).collect()
        }
        Op::Reduce(reduce) => {
            let pointers = at(reduce.input).select([("row", Col::from(group_id(reduce)?))])?;
            let arguments = reduce.aggregates.iter().flat_map(|aggregate| &aggregate.arguments);
            let expressions = reduce.group.iter().chain(arguments).chain(&reduce.sort_by);
            let sources = sources([reduce.input], expressions, &[]).into_iter();
            sources.map(|source| (source, Way::Backward(pointers.clone()))).collect()
        }
        Op::Join(join) => {
            if join.left_exactly_once || join.right_exactly_once {
                ends = Some("rows that have met are not kept, so that others may have been there");
            }
            both_sides(graph, node, join)
        }
        Op::Lookup(lookup) => {
            let pointers = at(lookup.asking).select([("origin", Col::from(lookup.pointer.clone()))])?;
            let mut ways = same(sources([lookup.asking], [&lookup.pointer], &[]));
            let targets = sources([lookup.target], [], &lookup.columns).into_iter();
            ways.extend(targets.map(|target| (target, Way::Forward(pointers.clone()))));
            ways
        }
        Op::UpdateRows { old, new } => {
            let mut ways = same(sources([new.table], &new.columns, &[]));
            let replaced = at(new.table);
            let pointers = table.difference(&replaced)?.select([("origin", row_id())])?;
            let old = sources([old.table], &old.columns, &[]).into_iter();
            ways.extend(old.map(|source| (source, Way::Forward(pointers.clone()))));
            ways
        }
        Op::UpdateCells { input, updates, .. } => {
            let mut ways = same(sources([input.table], &input.columns, &[]));
            ways.extend(same(sources([updates.table], &updates.columns, &[])));
            ways
        }
        Op::Intersect { input, others, columns } => {
            let mut all = sources([*input], [], columns);
            all.extend(others);
            same(all)
        }
        Op::Restrict { input, to, columns, .. } => {
            let mut all = sources([*input], [], columns);
            all.push(*to);
            same(all)
        }
        Op::Difference { input, columns, .. } => same(sources([*input], [], columns)),
        Op::Answers(answers) => match &graph.lock().shared(answers.calls).op {
            Op::Calls(calls) => same(sources([calls.input], &calls.arguments, &[])),
            _ => vec![],
        },
        Op::Calls(calls) => {
            ends = Some("these are calls of a function, not rows");
            same(vec![calls.input])
        }
        Op::Stateful(_) => return of_stateful(&at, node),
        Op::Beside { of } => {
            let made = graph.lock().shared(*of);
            match &made.op {
                Op::Stateful(stateful) if matches!(stateful.kind, StatefulKind::Sessions { .. }) => {
                    let session = made.columns.last().map(|column| column.name.clone()).unwrap_or_default();
                    let pointers = at(*of).select([("row", col(session))])?;
                    vec![(*of, Way::Backward(pointers))]
                }
                _ => {
                    ends = Some("it is the second result of an operation, which is not followed");
                    vec![]
                }
            }
        }
        Op::Iterated(iterated) => {
            ends = Some("what the rounds of an iteration have done is not followed");
            match &graph.lock().shared(iterated.variable).op {
                Op::Variable(variable) => same(vec![variable.start.table]),
                _ => vec![],
            }
        }
        Op::Variable(variable) => {
            ends = Some("what the rounds of an iteration have done is not followed");
            same(vec![variable.start.table])
        }
        Op::Transform(_) => {
            ends = Some("it is made by code that sees whole tables");
            vec![]
        }
        Op::DeadLetters { .. } => {
            ends = Some("these are records that could not be read");
            vec![]
        }
        Op::ErrorLog(_) => {
            ends = Some("these are entries of an error log");
            vec![]
        }
    };
    Ok((ways, ends))
}

/// The same for an operation that depends on the order of changes or of rows.
fn of_stateful(at: &dyn Fn(NodeId) -> Table, node: &Node) -> Result<Ways, PlanError> {
    let Op::Stateful(stateful) = &node.op else { return Ok((vec![], None)) };
    let Some(rows) = stateful.inputs.first() else { return Ok((vec![], None)) };
    let all = sources([rows.table], &rows.columns, &stateful.columns);
    let same = |nodes: Vec<NodeId>| nodes.into_iter().map(|node| (node, Way::SameId)).collect();
    Ok(match &stateful.kind {
        StatefulKind::Deduplicate { .. } => {
            let Some(id) = rows.columns.get(1) else { return Ok((vec![], None)) };
            let pointers = at(rows.table).select([("row", Col::from(id.clone()))])?;
            let ways = all.into_iter().map(|source| (source, Way::Backward(pointers.clone())));
            (ways.collect(), Some("it is one of these rows: the last that was accepted"))
        }
        StatefulKind::Freeze { .. }
        | StatefulKind::Buffer { .. }
        | StatefulKind::Forget { .. }
        | StatefulKind::ForgetImmediately
        | StatefulKind::DropForgetting { .. }
        | StatefulKind::KeepInsertions
        | StatefulKind::AppendOnly => (same(all), None),
        StatefulKind::Sort { .. } | StatefulKind::Previous { .. } | StatefulKind::Interpolate => {
            (same(all), Some("its neighbours in the order are not followed"))
        }
        StatefulKind::Sessions { .. } => (same(all), Some("other rows of its session are not followed")),
        StatefulKind::Gradual => (same(all), Some("the value that it was compared with is not followed")),
        StatefulKind::Search(search) if search.collapsed => {
            (same(all), Some("the rows that were searched are named in its cells, and not followed"))
        }
        StatefulKind::Search(_) => {
            (vec![], Some("query and answer are named in its cells, and not followed"))
        }
        StatefulKind::ToStream | StatefulKind::FromStream | StatefulKind::FromStreams => {
            (same(all), Some("events of a stream are not followed"))
        }
        StatefulKind::Snapshots => (vec![], Some("each state of the table has new ids")),
    })
}

/// The id of the group that a row is in.
fn group_id(reduce: &Reduce) -> Result<Expr, PlanError> {
    let mut values = reduce.group.clone();
    Ok(match reduce.ids {
        GroupIds::Hash => Expr::pointer(values, false, None)?,
        GroupIds::Instance => {
            let instance = values.pop();
            Expr::pointer(values, false, instance)?
        }
        GroupIds::Pointer => values.swap_remove(0),
    })
}

/// Pairs of a join lead to their rows on both sides.
fn both_sides(graph: &Graph, node: &Node, join: &Join) -> Vec<(NodeId, Way)> {
    let pointers = |id: JoinColumn, of: NodeId| {
        let dtype = DType::optional(graph.lock().node(of).id_dtype.clone());
        let op = Op::Join(Join { columns: vec![id], ..join.clone() });
        beside(graph, node, op, [("origin", dtype)])
    };
    let times = join.matching.times();
    let side = |of: NodeId, on: &[Expr], time: usize, id: JoinColumn| {
        let columns: Vec<ColumnRef> = join
            .columns
            .iter()
            .filter_map(|column| match (column, id) {
                (JoinColumn::Left(column), JoinColumn::LeftId) => Some(*column),
                (JoinColumn::Right(column), JoinColumn::RightId) => Some(*column),
                _ => None,
            })
            .collect();
        let found = sources([of], on.iter().chain(times.map(|times| &times[time])), &columns);
        let pointers = pointers(id, of);
        found.into_iter().map(move |source| (source, Way::Forward(pointers.clone()))).collect::<Vec<_>>()
    };
    let mut ways = side(join.left, &join.left_on, 0, JoinColumn::LeftId);
    ways.extend(side(join.right, &join.right_on, 1, JoinColumn::RightId));
    ways
}

/// The same rows with other columns, made by another form of their operation.
fn beside<const N: usize>(graph: &Graph, node: &Node, op: Op, columns: [(&str, DType); N]) -> Table {
    let columns = columns.map(|(name, dtype)| Column { name: name.into(), dtype, append_only: false });
    let mut state = graph.lock();
    let id = state.add(Node { op, columns: columns.into(), ..node.clone() });
    Table::new(graph, &state, id)
}

/// Tables that an operation on the rows of one refers to: this one first.
fn sources<'a, const N: usize>(
    tables: [NodeId; N],
    expressions: impl IntoIterator<Item = &'a Expr>,
    columns: &[ColumnRef],
) -> Vec<NodeId> {
    let mut all = Vec::from(tables);
    for expression in expressions {
        expression.visit(&mut |e| match e.kind() {
            ExprKind::Column(column) => all.push(column.source),
            ExprKind::Id(source) => all.push(*source),
            _ => {}
        });
    }
    all.extend(columns.iter().map(|column| column.source));
    let mut seen = hashbrown::HashSet::new();
    all.retain(|id| seen.insert(*id));
    all
}
