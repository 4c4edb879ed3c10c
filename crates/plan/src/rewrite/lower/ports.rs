//! What each operation reads of its inputs.

use std::collections::BTreeSet;

use pathway_expr::{ColumnRef, Expr, ExprKind};
use pathway_types::DType;

use crate::graph::{Answers, Calls, FlattenColumn, JoinColumn, Node, NodeId, Op, Rows};
use crate::program::{JoinIds, JoinMode};
use crate::rewrite::resolve::columns_of;
use crate::stateful::StatefulKind;

/// What an operation reads of one input.
#[derive(Clone, Debug)]
pub(in crate::rewrite) struct Port {
    /// The root whose rows are read.
    pub(in crate::rewrite) table: NodeId,
    /// The columns.
    pub(in crate::rewrite) columns: Vec<Expr>,
    /// Expressions that the operation computes itself over the input.
    pub(in crate::rewrite) bound: Vec<Expr>,
    /// The input must consist of exactly `columns` in this order.
    pub(in crate::rewrite) exact: bool,
}

impl Port {
    fn new(table: NodeId, columns: Vec<Expr>, exact: bool) -> Port {
        Port { table, columns, bound: vec![], exact }
    }

    /// The columns it refers to.
    pub(in crate::rewrite) fn references(&self) -> Vec<ColumnRef> {
        self.columns.iter().chain(&self.bound).flat_map(columns_of).collect()
    }
}

/// The input whose rows an operation keeps one to one and whose other columns it can pass on.
pub(in crate::rewrite) fn carried_input(op: &Op) -> Option<usize> {
    match op {
        Op::Select { .. } | Op::Lookup(_) | Op::UpdateCells { .. } => Some(0),
        // As a lookup of each row's own id; what is left over would go unnoticed.
        Op::Restrict { exact: false, .. } => Some(1),
        Op::Join(join) => match (join.ids, join.mode) {
            (JoinIds::Left, JoinMode::Left) => Some(0),
            (JoinIds::Right, JoinMode::Right) => Some(1),
            _ => None,
        },
        _ => None,
    }
}

/// A column under whatever dtype; positions are all that is read of it.
pub(super) fn reference(column: ColumnRef) -> Expr {
    Expr::column(column, DType::Any)
}

/// The ports of an operation of which the columns `own` are wanted and which passes `passed` of its
/// carried input. Passed columns come first in their port.
pub(in crate::rewrite) fn ports(node: &Node, own: &BTreeSet<u32>, passed: &BTreeSet<ColumnRef>) -> Vec<Port> {
    let carried = || passed.iter().map(|c| reference(*c));
    let wanted = |columns: &[ColumnRef]| -> Vec<Expr> {
        own.iter().map(|i| reference(columns[*i as usize])).collect()
    };
    let rows = |rows: &Rows| {
        Port::new(rows.table, own.iter().map(|i| rows.columns[*i as usize].clone()).collect(), true)
    };
    match &node.op {
        Op::Static(_) | Op::Source(_) | Op::ErrorLog(_) => vec![],
        Op::DeadLetters { source: of } | Op::Beside { of } => vec![Port::new(*of, vec![], false)],
        Op::Select { base, expressions, .. } => {
            let computed = own.iter().map(|i| expressions[*i as usize].clone());
            vec![Port::new(*base, carried().chain(computed).collect(), true)]
        }
        Op::Filter { input, condition, columns } => {
            let port = Port::new(*input, wanted(columns), false);
            vec![Port { bound: vec![condition.clone()], ..port }]
        }
        Op::Reindex { input, pointer, columns } => {
            let mut all = vec![pointer.clone()];
            all.extend(wanted(columns));
            vec![Port::new(*input, all, false)]
        }
        Op::Flatten(flatten) => {
            let kept = own.iter().filter_map(|i| match flatten.columns[*i as usize] {
                FlattenColumn::Passed(column) => Some(reference(column)),
                FlattenColumn::Element | FlattenColumn::Origin => None,
            });
            vec![Port::new(flatten.input, kept.chain([flatten.sequence.clone()]).collect(), true)]
        }
        Op::Concat { inputs } => inputs.iter().map(rows).collect(),
        Op::Reduce(reduce) => {
            let mut columns: Vec<Expr> = reduce.group.clone();
            for i in wanted_aggregates(reduce.group.len(), own) {
                let arguments = &reduce.aggregates[i].arguments;
                columns.extend(arguments.iter().filter(|e| !is_id(e)).cloned());
            }
            columns.extend(reduce.sort_by.iter().cloned());
            columns.extend(reduce.row_ids_for(wanted_aggregates(reduce.group.len(), own)).cloned());
            vec![Port::new(reduce.input, columns, false)]
        }
        Op::Join(join) => {
            let carried = carried_input(&node.op);
            let side = |number: usize, on: &[Expr]| {
                let mut columns = on.to_vec();
                columns.extend(join.matching.times().map(|times| times[number].clone()));
                if carried == Some(number) {
                    columns.extend(passed.iter().map(|c| reference(*c)));
                }
                columns.extend(own.iter().filter_map(|i| match (number, join.columns[*i as usize]) {
                    (0, JoinColumn::Left(column)) | (1, JoinColumn::Right(column)) => Some(reference(column)),
                    _ => None,
                }));
                columns
            };
            vec![
                Port::new(join.left, side(0, &join.left_on), false),
                Port::new(join.right, side(1, &join.right_on), false),
            ]
        }
        Op::Lookup(lookup) => {
            let mut asking = vec![lookup.pointer.clone()];
            asking.extend(carried());
            vec![
                Port::new(lookup.asking, asking, false),
                Port::new(lookup.target, wanted(&lookup.columns), false),
            ]
        }
        Op::UpdateRows { old, new } => vec![rows(old), rows(new)],
        Op::UpdateCells { input, updates, cells } => {
            let kept = own.iter().map(|i| input.columns[*i as usize].clone());
            let new = own.iter().filter_map(|i| cells[*i as usize]).map(|c| updates.columns[c].clone());
            vec![
                Port::new(input.table, carried().chain(kept).collect(), true),
                Port::new(updates.table, new.collect(), false),
            ]
        }
        Op::Intersect { input, others, columns } => {
            let others = others.iter().map(|t| Port::new(*t, vec![], true));
            std::iter::once(Port::new(*input, wanted(columns), true)).chain(others).collect()
        }
        Op::Difference { input, other, columns } => {
            vec![Port::new(*input, wanted(columns), true), Port::new(*other, vec![], true)]
        }
        Op::Transform(transform) => {
            let all = transform.inputs.iter();
            all.map(|rows| Port::new(rows.table, rows.columns.clone(), true)).collect()
        }
        Op::Stateful(stateful) => {
            let passed = stateful.columns.iter().enumerate();
            let passed = passed.filter(|(i, _)| !stateful.prunable || own.contains(&(*i as u32)));
            let passed: Vec<Expr> = passed.map(|(_, column)| reference(*column)).collect();
            let ports = stateful.inputs.iter().enumerate().map(|(i, rows)| {
                let passed = if i == 0 { &passed[..] } else { &[] };
                let controls = rows.columns.iter().enumerate().filter(|(at, _)| match &stateful.kind {
                    StatefulKind::Search(search) if i == 1 => {
                        let (shown, first) = search.first_cells();
                        *at < first || own.contains(&((shown + at - first) as u32))
                    }
                    _ => true,
                });
                let controls = controls.map(|(_, column)| column);
                Port::new(rows.table, controls.chain(passed).cloned().collect(), true)
            });
            ports.collect()
        }
        Op::Variable(variable) => vec![rows(&variable.start)],
        Op::Iterated(iterated) => vec![rows(&iterated.result)],
        Op::Calls(Calls { input, arguments, instance, .. }) => {
            vec![Port::new(*input, arguments.iter().chain(instance).cloned().collect(), true)]
        }
        Op::Answers(Answers { calls, rows, .. }) => {
            // All columns of the events: the time and those of the result.
            let events = (0..=node.columns.len() as u32).map(|column| ColumnRef { source: *calls, column });
            let events = Port::new(*calls, events.map(reference).collect(), true);
            let rows = rows.iter().map(|rows| Port::new(rows.table, rows.columns.clone(), true));
            std::iter::once(events).chain(rows).collect()
        }
        Op::Restrict { input, to, columns, .. } => {
            let mut asking = Vec::new();
            if !passed.is_empty() {
                asking.push(Expr::id(*to, DType::Pointer(None)));
                asking.extend(carried());
            }
            vec![Port::new(*input, wanted(columns), true), Port::new(*to, asking, true)]
        }
    }
}

/// The aggregates that are wanted, given that grouping columns come first.
pub(super) fn wanted_aggregates(group: usize, own: &BTreeSet<u32>) -> impl Iterator<Item = usize> + '_ {
    own.iter().filter_map(move |i| (*i as usize).checked_sub(group))
}

/// True for the row id, which reducers read without a column.
pub(super) fn is_id(expression: &Expr) -> bool {
    matches!(expression.kind(), ExprKind::Id(_))
}
