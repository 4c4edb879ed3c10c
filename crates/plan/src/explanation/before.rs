//! The plan as the user has built it.

use std::collections::BTreeMap;

use pathway_expr::{ColumnRef, Expr, ExprKind};
use pathway_types::{Batch, Timestamp};

use super::estimate::{Estimate, Rule};
use super::{Column, Detail, Operator, Place, list, plain};
use crate::explain::{Shown, matching};
use crate::frame::Frame;
use crate::graph::{FlattenColumn, Graph, GroupIds, Join, JoinColumn, Node, NodeId, Op, Output, State};
use crate::program::{JoinIds, JoinMode, Matching};
use crate::rewrite::{Goal, needed};
use crate::stateful::StatefulKind;
use crate::{PlanError, UniverseId};

/// The operators that a goal needs, in topological order.
pub(super) fn operators(graph: &Graph, goal: &Goal, debug: bool) -> Result<Vec<Operator>, PlanError> {
    let state = graph.lock();
    let all = || (0..state.nodes().len() as u32).map(|i| pathway_expr::SourceId(state.base() + i));
    let (outputs, tables): (Vec<&Output>, Vec<NodeId>) = match goal {
        Goal::Everything => (state.outputs.iter().collect(), all().collect()),
        Goal::Tables(tables) => (vec![], tables.clone()),
        Goal::Outputs(ids) => {
            (ids.iter().filter_map(|id| state.outputs.get(id.0 as usize)).collect(), vec![])
        }
    };
    for table in &tables {
        state.checked(*table)?;
    }
    let needed = needed(outputs.iter().map(|output| output.table).chain(tables), &state);
    let mut rows = BTreeMap::new();
    let mut operators = Vec::new();
    let mut nodes: Vec<NodeId> = needed.into_iter().collect();
    nodes.sort_unstable();
    for id in &nodes {
        let node = if debug { state.debugged(*id) } else { state.shared(*id) };
        let view = View { state: &state, node: &node, inputs: node.op.inputs() };
        let inputs: Vec<_> = view.inputs.iter().map(|input| rows.get(input).copied()).collect();
        let estimate = match state.inside(*id) {
            Some(_) => Rule::Unknown("rows come and go in a loop").apply(&[]),
            None => rule(&node.op).apply(&inputs),
        };
        rows.insert(*id, (estimate.least, estimate.most));
        operators.push((*id, view.operator(*id, estimate)));
    }
    share_universes(&state, &mut operators);
    let mut operators: Vec<Operator> = operators.into_iter().map(|(_, operator)| operator).collect();
    for output in outputs {
        operators.push(written(&state, output, &operators));
    }
    Ok(operators)
}

/// Tables with the same row ids have equally many rows.
fn share_universes(state: &State, operators: &mut [(NodeId, Operator)]) {
    let mut best: BTreeMap<UniverseId, (u64, Option<u64>, String)> = BTreeMap::new();
    for (id, operator) in operators.iter().filter(|(id, _)| state.inside(*id).is_none()) {
        let Estimate { least, most, .. } = operator.estimate;
        let known = best.entry(state.node(*id).universe).or_insert((0, None, String::new()));
        if least > known.0 || most.is_some_and(|most| known.1.is_none_or(|known| most < known)) {
            known.2.clone_from(&operator.id);
        }
        known.0 = known.0.max(least);
        known.1 = known.1.into_iter().chain(most).min();
    }
    for (id, operator) in operators.iter_mut().filter(|(id, _)| state.inside(*id).is_none()) {
        let Some((least, most, from)) = best.get(&state.node(*id).universe) else { continue };
        // What the user has promised may be wrong.
        let possible = most.is_none_or(|most| most >= *least);
        if possible && (operator.estimate.least, operator.estimate.most) != (*least, *most) {
            operator.estimate =
                Estimate { least: *least, most: *most, how: format!("it has the row ids of #{from}") };
        }
    }
}

fn number(frame: Option<&Frame>) -> u32 {
    frame.map_or(0, Frame::operator)
}

fn written(state: &State, output: &Output, tables: &[Operator]) -> Operator {
    let table = state.node(output.table);
    let input = number(table.frame.as_ref()).to_string();
    let rows = tables.iter().find(|operator| operator.id == input);
    let rows = rows.map(|operator| (operator.estimate.least, operator.estimate.most));
    let mut details = vec![Detail::new("to", output.sink.description())];
    if let Some(sort_by) = &output.sort_by {
        let names = sort_by.iter().map(|i| title(state, table, *i));
        details.push(Detail::new("sorted by", list(names)));
    }
    let rule = if output.keep_errors { Rule::Same(0) } else { Rule::Some(0) };
    let mut estimate = rule.apply(&[rows]);
    if !output.keep_errors && estimate.most.is_some() {
        "rows with errors are not written".clone_into(&mut estimate.how);
    }
    let (place, also) = Place::all(output.frame.as_ref());
    Operator {
        id: number(output.frame.as_ref()).to_string(),
        operator: "output".to_owned(),
        name: output.name.clone(),
        details,
        inputs: vec![input],
        columns: columns(state, table, |_| None),
        universe: None,
        ids: None,
        append_only: table.id_append_only && table.columns.iter().all(|column| column.append_only),
        inside: None,
        counterparts: vec![],
        estimate,
        measured: None,
        place,
        also,
    }
}

/// What a column is called: one that a group-by groups by as it is, like that.
fn title(state: &State, node: &Node, i: usize) -> String {
    if let Op::Reduce(reduce) = &node.op
        && let Some(ExprKind::Column(by)) = reduce.group.get(i).map(Expr::kind)
    {
        return title(state, state.node(by.source), by.column as usize);
    }
    plain(&node.columns[i].name)
}

fn columns(state: &State, node: &Node, value: impl Fn(usize) -> Option<String>) -> Vec<Column> {
    let column = |(i, column): (usize, &crate::graph::Column)| Column {
        name: title(state, node, i),
        dtype: column.dtype.to_string(),
        value: value(i),
        append_only: Some(column.append_only),
    };
    node.columns.iter().enumerate().map(column).collect()
}

/// A node with what its expressions refer to.
struct View<'a> {
    state: &'a State,
    node: &'a Node,
    inputs: Vec<NodeId>,
}

impl View<'_> {
    fn operator(&self, id: NodeId, estimate: Estimate) -> Operator {
        let (state, node) = (self.state, self.node);
        let (place, also) = Place::all(node.frame.as_ref());
        let (name, operator) = match &node.op {
            Op::Source(rows) => {
                (Some(rows.name.clone().unwrap_or_else(|| rows.source.description())), "source")
            }
            op => (None, op.name()),
        };
        let mut inputs: Vec<String> = Vec::new();
        for input in self.inputs.iter().map(|input| self.number(*input)) {
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let mut columns = columns(state, node, |i| self.value(i));
        if state.inside(id).is_some() {
            columns.iter_mut().for_each(|column| column.append_only = None);
        }
        Operator {
            id: self.number(id),
            operator: operator.to_owned(),
            name,
            details: self.details(),
            inputs,
            columns,
            universe: Some(format!("u{}", state.universes.ordinal(node.universe))),
            ids: self.ids(),
            // Inside of a loop, the plan says what follows if the loop only adds rows, not that it does.
            append_only: state.inside(id).is_none()
                && node.id_append_only
                && node.columns.iter().all(|column| column.append_only),
            inside: state.inside(id).map(|id| format!("loop {}", state.loops.ordinal(id))),
            counterparts: vec![],
            estimate,
            measured: None,
            place,
            also,
        }
    }

    fn number(&self, table: NodeId) -> String {
        number(self.state.node(table).frame.as_ref()).to_string()
    }

    fn named(&self, table: NodeId) -> String {
        format!("#{}", self.number(table))
    }

    /// A column: by its name alone where there is one table only that it can be of.
    fn column(&self, reference: ColumnRef) -> String {
        let name = title(self.state, self.state.node(reference.source), reference.column as usize);
        match &self.inputs[..] {
            [input] if *input == reference.source => name,
            _ => format!("{}.{name}", self.named(reference.source)),
        }
    }

    fn id(&self, table: NodeId) -> String {
        match &self.inputs[..] {
            [input] if *input == table => "id".to_owned(),
            _ => format!("{}.id", self.named(table)),
        }
    }

    fn shown(&self, expression: &Expr) -> String {
        let names = |e: &Expr| match e.kind() {
            ExprKind::Column(reference) => Some(self.column(*reference)),
            ExprKind::Id(source) => Some(self.id(*source)),
            _ => None,
        };
        Shown { expression, names: &names }.to_string()
    }

    fn all(&self, expressions: &[Expr]) -> String {
        list(expressions.iter().map(|expression| self.shown(expression)))
    }

    /// What it does beside making columns.
    fn details(&self) -> Vec<Detail> {
        let mut details = Vec::new();
        let mut add = |label: &str, text: String| details.push(Detail::new(label, text));
        match &self.node.op {
            Op::Static(rows) => {
                add("changes", changes(&rows.batches).to_string());
                if rows.known_at_start {
                    add("with", "rows that are there before the run".to_owned());
                }
            }
            Op::Source(rows) => add("from", rows.source.description()),
            Op::ErrorLog(logged) => add("of", logged.to_string()),
            Op::Filter { condition, .. } => add("where", self.shown(condition)),
            Op::Flatten(flatten) => add("elements of", self.shown(&flatten.sequence)),
            Op::Reduce(reduce) => {
                if !reduce.group.is_empty() {
                    add("by", self.all(&reduce.group));
                }
                if let Some(order) = &reduce.sort_by {
                    add("sorted by", self.shown(order));
                }
                if !reduce.skip_errors {
                    add("with", "rows that have errors".to_owned());
                }
            }
            Op::Join(join) => self.join(join, &mut add),
            Op::Lookup(lookup) => {
                add("at", self.shown(&lookup.pointer));
                if lookup.optional {
                    add("with", "None for None".to_owned());
                }
                if lookup.allow_misses {
                    add("with", "None for rows that are not there".to_owned());
                }
            }
            Op::Restrict { exact: true, to, .. } => {
                add("checked", format!("{} has exactly these row ids", self.named(*to)));
            }
            Op::Transform(transform) => add("by", transform.transformer.name().to_owned()),
            Op::Stateful(stateful) => {
                for rows in stateful.inputs.iter().filter(|rows| !rows.columns.is_empty()) {
                    add("by", self.all(&rows.columns));
                }
                if let Some(name) = &stateful.name {
                    add("named", name.clone());
                }
            }
            Op::Iterated(iterated) => {
                let (variable, result) = (self.named(iterated.variable), self.named(iterated.result.table));
                let until = match self.state.loops.get(iterated.of).limit {
                    Some(limit) => format!("at most {limit} times"),
                    None => "until nothing changes".to_owned(),
                };
                add("repeats", format!("{variable} becomes {result}, {until}"));
            }
            Op::Calls(calls) => {
                add("calls", format!("{}({})", calls.callee.name(), self.all(&calls.arguments)));
                if let Some(instance) = &calls.instance {
                    add("in order of", self.shown(instance));
                }
            }
            Op::DeadLetters { .. }
            | Op::Beside { .. }
            | Op::Select { .. }
            | Op::Reindex { .. }
            | Op::Concat { .. }
            | Op::UpdateRows { .. }
            | Op::UpdateCells { .. }
            | Op::Intersect { .. }
            | Op::Difference { .. }
            | Op::Restrict { exact: false, .. }
            | Op::Variable(_)
            | Op::Answers(_) => {}
        }
        details
    }

    fn join(&self, join: &Join, add: &mut impl FnMut(&str, String)) {
        let pairs = join.left_on.iter().zip(&join.right_on);
        let on: Vec<String> = pairs.map(|(l, r)| format!("{} == {}", self.shown(l), self.shown(r))).collect();
        let times = matching(&join.matching, |time| self.shown(time));
        let once = [join.left_exactly_once, join.right_exactly_once];
        join_details(join.mode, on, &times, join.instance, once, add);
    }

    /// What a column is made of, where it is made here.
    fn value(&self, i: usize) -> Option<String> {
        let other = |text: String| (text != title(self.state, self.node, i)).then_some(text);
        match &self.node.op {
            Op::Select { expressions, .. } => other(self.shown(&expressions[i])),
            Op::Filter { input, columns, .. }
            | Op::Reindex { input, columns, .. }
            | Op::Intersect { input, columns, .. }
            | Op::Difference { input, columns, .. }
            | Op::Restrict { input, columns, .. } => {
                let passed = &self.state.node(columns[i].source).columns[columns[i].column as usize];
                let is_same = columns[i].source == *input && passed.name == self.node.columns[i].name;
                if is_same { None } else { Some(self.column(columns[i])) }
            }
            Op::Lookup(lookup) => other(self.column(lookup.columns[i])),
            Op::Flatten(flatten) => match flatten.columns[i] {
                FlattenColumn::Element => Some("element".to_owned()),
                FlattenColumn::Passed(passed) => other(self.column(passed)),
                FlattenColumn::Origin => Some("row id".to_owned()),
            },
            Op::Join(join) => other(match join.columns[i] {
                JoinColumn::Left(passed) | JoinColumn::Right(passed) => self.column(passed),
                JoinColumn::LeftId => self.id(join.left),
                JoinColumn::RightId => self.id(join.right),
                JoinColumn::LeftTime => "left time".to_owned(),
                JoinColumn::RightTime => "right time".to_owned(),
                JoinColumn::Side => "side".to_owned(),
            }),
            Op::Reduce(reduce) => match i.checked_sub(reduce.group.len()) {
                None => other(self.shown(&reduce.group[i])),
                Some(aggregate) => {
                    let aggregate = &reduce.aggregates[aggregate];
                    Some(format!("{}({})", aggregate.reducer.name(), self.all(&aggregate.arguments)))
                }
            },
            Op::Concat { inputs } => {
                let values: Vec<String> = inputs.iter().map(|rows| self.shown(&rows.columns[i])).collect();
                Some(values.join(" or "))
            }
            Op::UpdateRows { old, new } => {
                Some(format!("{} or {}", self.shown(&old.columns[i]), self.shown(&new.columns[i])))
            }
            Op::UpdateCells { input, updates, cells } => other(match cells[i] {
                None => self.shown(&input.columns[i]),
                Some(cell) => {
                    format!("{} or {}", self.shown(&input.columns[i]), self.shown(&updates.columns[cell]))
                }
            }),
            Op::Stateful(stateful) => other(self.column(*stateful.columns.get(i)?)),
            Op::Variable(variable) => other(self.shown(&variable.start.columns[i])),
            Op::Iterated(iterated) => other(self.shown(&iterated.result.columns[i])),
            Op::Static(_)
            | Op::Source(_)
            | Op::DeadLetters { .. }
            | Op::Beside { .. }
            | Op::ErrorLog(_)
            | Op::Calls(_)
            | Op::Answers(_)
            | Op::Transform(_) => None,
        }
    }

    /// What the row ids are made of.
    fn ids(&self) -> Option<String> {
        let of = |table: &NodeId| format!("those of {}", self.named(*table));
        Some(match &self.node.op {
            Op::Static(_) => "given with the rows".to_owned(),
            Op::Source(rows) => {
                let key = rows.source.schema().fields.iter().filter(|field| field.primary_key);
                let key: Vec<&str> = key.map(|field| &*field.name).collect();
                if key.is_empty() { return None } else { format!("hash({})", list(key)) }
            }
            Op::Select { base, .. } => of(base),
            Op::Filter { input, .. } | Op::Intersect { input, .. } | Op::Difference { input, .. } => {
                of(input)
            }
            Op::Restrict { to, .. } => of(to),
            Op::Reindex { pointer, .. } => self.shown(pointer),
            Op::Flatten(flatten) => format!("hash({}, position)", self.id(flatten.input)),
            Op::Concat { inputs } => {
                format!("those of {}", list(inputs.iter().map(|rows| self.named(rows.table))))
            }
            Op::UpdateRows { old, new } => {
                format!("those of {} and {}", self.named(old.table), self.named(new.table))
            }
            Op::UpdateCells { input, .. } => of(&input.table),
            Op::Lookup(lookup) => of(&lookup.asking),
            Op::Reduce(reduce) => match reduce.ids {
                GroupIds::Pointer => self.shown(reduce.group.first()?),
                GroupIds::Hash => format!("hash({})", self.all(&reduce.group)),
                GroupIds::Instance => format!("hash({}), instance last", self.all(&reduce.group)),
            },
            Op::Join(join) => match join.ids {
                JoinIds::Left => of(&join.left),
                JoinIds::Right => of(&join.right),
                JoinIds::Pair => format!("hash({}, {})", self.id(join.left), self.id(join.right)),
            },
            Op::Variable(variable) => of(&variable.start.table),
            Op::Iterated(iterated) => of(&iterated.result.table),
            Op::DeadLetters { .. }
            | Op::ErrorLog(_)
            | Op::Calls(_)
            | Op::Answers(_)
            | Op::Transform(_)
            | Op::Stateful(_)
            | Op::Beside { .. } => return None,
        })
    }
}

/// What a join keeps, in a word.
fn mode(mode: JoinMode) -> &'static str {
    match mode {
        JoinMode::Inner => "inner",
        JoinMode::Left => "left",
        JoinMode::Right => "right",
        JoinMode::Outer => "outer",
    }
}

/// How many changes a static table has.
pub(super) fn changes(batches: &[(Timestamp, Batch)]) -> usize {
    batches.iter().map(|(_, batch)| batch.len()).sum()
}

/// How many rows of a static table are there in the end.
pub(super) fn rows_at_end(batches: &[(Timestamp, Batch)]) -> u64 {
    let sum: i128 = batches.iter().flat_map(|(_, batch)| batch.diffs.iter()).map(i128::from).sum();
    u64::try_from(sum.max(0)).unwrap_or(u64::MAX)
}

/// What is told of a join: of its keys in pairs, its times, if it has any, and the sides whose rows match once.
pub(super) fn join_details(
    kind: JoinMode,
    on: Vec<String>,
    times: &str,
    instance: bool,
    once: [bool; 2],
    add: &mut impl FnMut(&str, String),
) {
    add("mode", mode(kind).to_owned());
    add("on", if on.is_empty() { "all pairs".to_owned() } else { list(on) });
    if !times.is_empty() {
        add("times", times.trim().to_owned());
    }
    if instance {
        add("instance", "the last of these".to_owned());
    }
    for (flag, side) in once.into_iter().zip(["left", "right"]) {
        if flag {
            add("matched once", format!("{side} rows"));
        }
    }
}

/// The rows of a join.
pub(super) fn join_rule<T>(mode: JoinMode, ids: JoinIds, matching: &Matching<T>, plain: bool) -> Rule {
    match matching {
        Matching::Equal if plain => Rule::Join { mode, ids },
        Matching::Interval { keeps: false, .. } if plain => Rule::Join { mode, ids },
        Matching::AsOf { .. } => Rule::Each,
        _ => Rule::Unknown("it depends on when rows come"),
    }
}

/// The rows of an operation that depends on the order of changes or of rows.
pub(super) fn stateful_rule(kind: &StatefulKind) -> Rule {
    match kind {
        StatefulKind::Sort { .. } | StatefulKind::Previous { .. } | StatefulKind::Interpolate => {
            Rule::Some(0)
        }
        _ => Rule::Unknown("it depends on when rows come"),
    }
}

fn rule(op: &Op) -> Rule {
    match op {
        Op::Static(rows) => Rule::Given(rows_at_end(&rows.batches)),
        Op::Source(_) => Rule::Unknown("what the source has is read when it runs"),
        Op::DeadLetters { .. } | Op::ErrorLog(_) => Rule::Unknown("it depends on what goes wrong"),
        Op::Select { .. } => Rule::Same(0),
        Op::Filter { .. } | Op::Reindex { .. } => Rule::Some(0),
        Op::Flatten(_) => Rule::Unknown("it depends on the lengths of the sequences"),
        Op::Concat { .. } => Rule::Sum,
        Op::Reduce(reduce) => Rule::Groups { keyed: !reduce.group.is_empty(), each: Some(1) },
        Op::Join(join) => {
            let plain = !join.left_exactly_once && !join.right_exactly_once;
            join_rule(join.mode, join.ids, &join.matching, plain)
        }
        Op::Lookup(_) => Rule::Some(0),
        Op::UpdateRows { .. } => Rule::Union,
        Op::UpdateCells { .. } => Rule::Same(0),
        Op::Intersect { .. } | Op::Restrict { .. } => Rule::InAll,
        Op::Difference { .. } => Rule::Without,
        Op::Calls(_) | Op::Answers(_) => Rule::Unknown("it depends on when answers come"),
        Op::Transform(_) => Rule::Unknown("it depends on the transformer"),
        Op::Stateful(stateful) => stateful_rule(&stateful.kind),
        Op::Variable(_) => Rule::Unknown("rows come and go in a loop"),
        Op::Iterated(_) => Rule::Unknown("it depends on what the loop makes"),
        Op::Beside { .. } => Rule::Unknown("it depends on when rows come"),
    }
}
