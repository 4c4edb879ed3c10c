//! One traversal of what an operation refers to, for all passes.

use pathway_expr::{ColumnRef, Expr};

use super::{
    Aggregate, Answers, Calls, Flatten, FlattenColumn, Iterated, Join, JoinColumn, Lookup, NodeId, Op,
    Reduce, Rows, Stateful, Transform, Variable,
};

/// Gives the replacement of everything an operation refers to.
pub(crate) trait Mapper {
    /// A table whose rows are read.
    fn table(&mut self, table: NodeId) -> NodeId;
    /// A column that is passed on.
    fn column(&mut self, column: ColumnRef) -> ColumnRef;
    /// An expression that is computed.
    fn expression(&mut self, expression: &Expr) -> Expr;

    /// All of these expressions.
    fn expressions(&mut self, expressions: &[Expr]) -> Vec<Expr> {
        expressions.iter().map(|e| self.expression(e)).collect()
    }
    /// All of these columns.
    fn columns(&mut self, columns: &[ColumnRef]) -> Vec<ColumnRef> {
        columns.iter().map(|c| self.column(*c)).collect()
    }
    /// The rows of a table with some columns.
    fn rows(&mut self, rows: &Rows) -> Rows {
        Rows { table: self.table(rows.table), columns: self.expressions(&rows.columns) }
    }
}

impl Op {
    /// The same operation on what `mapper` gives.
    pub(crate) fn map(&self, mapper: &mut dyn Mapper) -> Op {
        match self {
            Op::Static(rows) => Op::Static(rows.clone()),
            Op::Source(source) => Op::Source(source.clone()),
            Op::ErrorLog(logged) => Op::ErrorLog(logged.clone()),
            Op::DeadLetters { source } => Op::DeadLetters { source: mapper.table(*source) },
            Op::Beside { of } => Op::Beside { of: mapper.table(*of) },
            Op::Select { base, expressions, frames } => Op::Select {
                base: mapper.table(*base),
                expressions: mapper.expressions(expressions),
                frames: frames.clone(),
            },
            Op::Filter { input, condition, columns } => Op::Filter {
                input: mapper.table(*input),
                condition: mapper.expression(condition),
                columns: mapper.columns(columns),
            },
            Op::Reindex { input, pointer, columns } => Op::Reindex {
                input: mapper.table(*input),
                pointer: mapper.expression(pointer),
                columns: mapper.columns(columns),
            },
            Op::Flatten(flatten) => Op::Flatten(Flatten {
                input: mapper.table(flatten.input),
                sequence: mapper.expression(&flatten.sequence),
                element: flatten.element.clone(),
                columns: flatten
                    .columns
                    .iter()
                    .map(|c| match c {
                        FlattenColumn::Passed(column) => FlattenColumn::Passed(mapper.column(*column)),
                        FlattenColumn::Element | FlattenColumn::Origin => *c,
                    })
                    .collect(),
            }),
            Op::Concat { inputs } => Op::Concat { inputs: inputs.iter().map(|r| mapper.rows(r)).collect() },
            Op::Reduce(reduce) => Op::Reduce(Reduce {
                input: mapper.table(reduce.input),
                group: mapper.expressions(&reduce.group),
                ids: reduce.ids,
                aggregates: reduce
                    .aggregates
                    .iter()
                    .map(|a| Aggregate { arguments: mapper.expressions(&a.arguments), ..a.clone() })
                    .collect(),
                sort_by: reduce.sort_by.as_ref().map(|e| mapper.expression(e)),
                row_ids: reduce.row_ids.as_ref().map(|e| mapper.expression(e)),
                skip_errors: reduce.skip_errors,
            }),
            Op::Join(join) => Op::Join(Join {
                left: mapper.table(join.left),
                right: mapper.table(join.right),
                left_on: mapper.expressions(&join.left_on),
                right_on: mapper.expressions(&join.right_on),
                matching: join.matching.map(|_, time| mapper.expression(time)),
                columns: join
                    .columns
                    .iter()
                    .map(|c| match c {
                        JoinColumn::Left(column) => JoinColumn::Left(mapper.column(*column)),
                        JoinColumn::Right(column) => JoinColumn::Right(mapper.column(*column)),
                        other => *other,
                    })
                    .collect(),
                ..join.clone()
            }),
            Op::Lookup(lookup) => Op::Lookup(Lookup {
                asking: mapper.table(lookup.asking),
                pointer: mapper.expression(&lookup.pointer),
                target: mapper.table(lookup.target),
                columns: mapper.columns(&lookup.columns),
                ..lookup.clone()
            }),
            Op::UpdateRows { old, new } => Op::UpdateRows { old: mapper.rows(old), new: mapper.rows(new) },
            Op::UpdateCells { input, updates, cells } => Op::UpdateCells {
                input: mapper.rows(input),
                updates: mapper.rows(updates),
                cells: cells.clone(),
            },
            Op::Intersect { input, others, columns } => Op::Intersect {
                input: mapper.table(*input),
                others: others.iter().map(|t| mapper.table(*t)).collect(),
                columns: mapper.columns(columns),
            },
            Op::Difference { input, other, columns } => Op::Difference {
                input: mapper.table(*input),
                other: mapper.table(*other),
                columns: mapper.columns(columns),
            },
            Op::Transform(transform) => Op::Transform(Transform {
                inputs: transform.inputs.iter().map(|r| mapper.rows(r)).collect(),
                transformer: transform.transformer.clone(),
            }),
            Op::Stateful(stateful) => Op::Stateful(Stateful {
                inputs: stateful.inputs.iter().map(|r| mapper.rows(r)).collect(),
                columns: mapper.columns(&stateful.columns),
                ..stateful.clone()
            }),
            Op::Variable(variable) => {
                Op::Variable(Variable { start: mapper.rows(&variable.start), ..*variable })
            }
            Op::Iterated(iterated) => Op::Iterated(Iterated {
                of: iterated.of,
                variable: mapper.table(iterated.variable),
                result: mapper.rows(&iterated.result),
            }),
            Op::Calls(calls) => Op::Calls(Calls {
                input: mapper.table(calls.input),
                callee: calls.callee.clone(),
                arguments: mapper.expressions(&calls.arguments),
                instance: calls.instance.as_ref().map(|e| mapper.expression(e)),
            }),
            Op::Answers(answers) => Op::Answers(Answers {
                calls: mapper.table(answers.calls),
                rows: answers.rows.as_ref().map(|rows| mapper.rows(rows)),
                on_failure: answers.on_failure,
            }),
            Op::Restrict { input, to, exact, columns } => Op::Restrict {
                input: mapper.table(*input),
                to: mapper.table(*to),
                exact: *exact,
                columns: mapper.columns(columns),
            },
        }
    }
}
