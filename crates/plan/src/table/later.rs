//! User functions that answer later.

use std::sync::Arc;

use pathway_expr::{Callee, ColumnRef, Expr, ExprKind};
use pathway_types::DType;

use super::Table;
use crate::col::Col;
use crate::graph::{Answers, Calls, Column, Node, NodeId, Op, Rows, State};
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

/// What became of calls that are answered later.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Rows whose call was answered, with the names of the status and of the results.
    pub settled: Table,
    /// These and the rows that wait for an answer: they are pending.
    pub started: Table,
}

impl Table {
    /// Calls a function for each row. The first column of the results, of dtype STR, is the status;
    /// the others are the function's results, None where it failed. `names` are theirs.
    ///
    /// With `instance`, results of rows for which it is equal come together if the rows came together,
    /// and in their order.
    ///
    /// # Errors
    /// [`PlanError::Value`] for columns of tables with other row ids and for repeated names.
    #[track_caller]
    pub fn call_later(
        &self,
        callee: Arc<dyn Callee>,
        arguments: impl IntoIterator<Item = impl Into<Col>>,
        instance: Option<Col>,
        names: &[&str],
    ) -> Result<Answered, PlanError> {
        let frame = self.here();
        if names.len() != callee.results().len() + 1 {
            return Err(PlanError::Value(format!(
                "{} gives a status and {} results; {} names were given",
                callee.name(),
                callee.results().len(),
                names.len()
            )));
        }
        let resolve = |col: Col| col.resolve(self);
        let arguments: Vec<Expr> =
            arguments.into_iter().map(|a| resolve(a.into())).collect::<Result<_, _>>()?;
        let instance = instance.map(resolve).transpose()?;
        let mut state = self.graph.lock();
        let mut align = |e: &Expr| state.align(e, self.node, frame.as_ref());
        let arguments: Vec<Expr> = arguments.iter().map(&mut align).collect::<Result<_, _>>()?;
        let instance = match instance {
            Some(instance) => Some(Expr::pointer(vec![align(&instance)?], false, None)?),
            None => None,
        };
        let all = arguments.iter().chain(&instance);
        let append_only = all.into_iter().all(|e| state.is_append_only(self.node, e));
        let rows = Rows { table: self.node, columns: arguments.iter().chain(&instance).cloned().collect() };
        let calls = Calls { input: self.node, callee, arguments, instance };
        let calls = state.add_calls(calls, &frame);
        let whole = state.node(self.node).universe;
        let started = state.universe(&Definition::SubsetOf(whole));
        let settled = state.universe(&Definition::SubsetOf(started));
        let started = state.add_answers(calls, Some(rows), started, false, names, &frame);
        let settled = state.add_answers(calls, None, settled, append_only, names, &frame);
        Ok(Answered { settled: self.sibling(&state, settled), started: self.sibling(&state, started) })
    }

    /// The rows in which nothing is pending any more.
    ///
    /// # Errors
    /// [`PlanError::Runtime`] if the plan was cleared.
    #[track_caller]
    pub fn await_futures(&self) -> Result<Table, PlanError> {
        let frame = self.here();
        let futures: Vec<(usize, DType)> = self
            .columns()
            .iter()
            .enumerate()
            .filter_map(|(i, c)| match &c.dtype {
                DType::Future(inner) => Some((i, (**inner).clone())),
                _ => None,
            })
            .collect();
        if futures.is_empty() {
            return self.at(frame).copy();
        }
        let ready = Expr::is_ready(futures.iter().map(|(i, _)| self.column_at(*i)).collect());
        let mut state = self.graph.lock();
        let universe = Definition::SubsetOf(self.universe());
        let node = state.add_filter(self.node, &ready, vec![], universe, frame)?;
        for (column, dtype) in futures {
            state.relabel(node, column, dtype);
        }
        Ok(self.sibling(&state, node))
    }
}

impl State {
    fn add_calls(&mut self, calls: Calls, frame: &Option<Frame>) -> NodeId {
        let column = |name: &str, dtype| Column { name: Arc::from(name), dtype, append_only: true };
        let mut columns = vec![column("time", DType::Int), column("status", DType::optional(DType::Str))];
        let results = calls.callee.results().iter().enumerate();
        columns.extend(results.map(|(i, dtype)| column(&i.to_string(), DType::optional(dtype.clone()))));
        let universe = self.universe(&Definition::Unrelated);
        let id_dtype = self.node(calls.input).id_dtype.clone();
        let op = Op::Calls(calls);
        self.add(Node { op, columns, id_dtype, id_append_only: true, universe, frame: frame.clone() })
    }

    /// The table of answers of some calls, with pending rows if `rows` are given.
    fn add_answers(
        &mut self,
        calls: NodeId,
        rows: Option<Rows>,
        universe: UniverseId,
        append_only: bool,
        names: &[&str],
        frame: &Option<Frame>,
    ) -> NodeId {
        let node = self.node(calls);
        let id_dtype = node.id_dtype.clone();
        let on_failure = match &node.op {
            Op::Calls(calls) => calls.callee.on_failure(),
            _ => unreachable!("answers are those of calls"),
        };
        let events = node.columns[1..].iter().enumerate();
        let columns = events.zip(names).map(|((i, event), name)| {
            let dtype = if i == 0 { DType::Str } else { event.dtype.clone() };
            let dtype = if rows.is_some() { DType::future(dtype) } else { dtype };
            Column { name: Arc::from(*name), dtype, append_only }
        });
        let columns = columns.collect();
        let id_append_only = match &rows {
            Some(rows) => self.node(rows.table).id_append_only,
            None => append_only,
        };
        let op = Op::Answers(Answers { calls, rows, on_failure });
        self.add(Node { op, columns, id_dtype, id_append_only, universe, frame: frame.clone() })
    }

    /// The expression with the results of functions that answer later as columns, which are made for
    /// the rows of `context`.
    ///
    /// # Errors
    /// As [`State::align`], for the arguments of these functions.
    pub(crate) fn take_out_later(
        &mut self,
        expression: &Expr,
        context: NodeId,
        frame: Option<&Frame>,
    ) -> Result<Expr, PlanError> {
        let mut found = Vec::new();
        expression.visit(&mut |e| {
            if let ExprKind::Udf(udf, arguments) = e.kind()
                && let Some(callee) = udf.later()
            {
                found.push((e.clone(), callee, arguments.clone()));
            }
        });
        // Operands come first: what they are replaced with is there when a call of their results comes.
        let mut expression = expression.clone();
        let mut columns: Vec<(usize, Expr)> = Vec::new();
        for (call, callee, arguments) in found {
            let arguments = arguments.iter().map(|e| self.align(&replaced(e, &columns), context, frame));
            let arguments: Vec<Expr> = arguments.collect::<Result<_, _>>()?;
            let rows = Rows { table: context, columns: arguments.clone() };
            let frame = frame.cloned();
            let calls = self.add_calls(Calls { input: context, callee, arguments, instance: None }, &frame);
            let universe = self.node(context).universe;
            let node = self.add_answers(calls, Some(rows), universe, false, &["status", "result"], &frame);
            self.relabel(node, 1, call.dtype().clone());
            let result = Expr::column(ColumnRef { source: node, column: 1 }, call.dtype().clone());
            columns.push((call.identity(), result));
        }
        if !columns.is_empty() {
            expression = replaced(&expression, &columns);
        }
        Ok(expression)
    }
}

fn replaced(expression: &Expr, columns: &[(usize, Expr)]) -> Expr {
    expression.rewrite(&mut |e| {
        columns.iter().find(|(identity, _)| *identity == e.identity()).map(|(_, column)| column.clone())
    })
}

#[cfg(test)]
mod tests;
