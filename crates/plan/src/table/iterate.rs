//! Iterations: a step that is repeated until its tables do not change any more.

use std::sync::Arc;

use pathway_expr::Expr;
use pathway_types::DType;

use super::{Table, column_at};
use crate::graph::{Column, Graph, Iterated, LoopId, Node, NodeId, Op, Rows, State, Variable};
use crate::program::MOST_LEVELS;
use crate::universe::{Definition, UniverseId};
use crate::{Frame, PlanError};

/// A table that is given to an iteration.
#[derive(Clone, Debug)]
pub struct Argument<'a> {
    /// What the step calls it.
    pub name: &'a str,
    /// The table.
    pub table: &'a Table,
    /// A step may change which rows there are; otherwise it changes cells only.
    pub changes_rows: bool,
}

/// An iteration whose step is being built: between its beginning and [`Iteration::finish`],
/// everything that is made of its [`Iteration::tables`] belongs to the step.
#[derive(Debug)]
pub struct Iteration {
    graph: Graph,
    id: LoopId,
    tables: Vec<Table>,
    names: Vec<Arc<str>>,
    changes_rows: Vec<bool>,
    frame: Option<Frame>,
}

impl Graph {
    /// Begins an iteration over these tables, of at most `limit` steps.
    ///
    /// # Errors
    /// [`PlanError::Value`] without tables, for tables of other plans, if `limit` is 0, and if there
    /// are too many iterations inside of each other.
    #[track_caller]
    pub fn begin_iteration(
        &self,
        arguments: &[Argument<'_>],
        limit: Option<u32>,
        frame: Option<Frame>,
    ) -> Result<Iteration, PlanError> {
        let frame = match frame {
            Some(frame) => Some(frame),
            None => Some(Frame::of_caller()),
        };
        let Some(first) = arguments.first() else {
            return Err(PlanError::Value("an iteration needs a table to iterate on".to_owned()));
        };
        first.table.same_graph(&arguments.iter().map(|a| a.table).collect::<Vec<_>>())?;
        if limit == Some(0) {
            return Err(PlanError::Value("wrong iteration limit: it has to be at least 1, not 0".to_owned()));
        }
        let mut state = self.lock();
        for argument in arguments {
            state.checked(argument.table.node)?;
        }
        if state.loops.depth() >= MOST_LEVELS {
            return Err(PlanError::Value(format!(
                "iterations can be nested at most {MOST_LEVELS} deep; make one iteration of the inner two, whose \
                 tables have a column that tells which of the two they are at"
            )));
        }
        let id = state.loops.begin(limit, arguments.len(), frame.clone());
        let nodes: Vec<NodeId> = arguments
            .iter()
            .enumerate()
            .map(|(number, argument)| state.add_variable(id, number, argument, &frame))
            .collect();
        Ok(Iteration {
            graph: self.clone(),
            id,
            tables: nodes.into_iter().map(|node| Table::new(self, &state, node)).collect(),
            names: arguments.iter().map(|a| Arc::from(a.name)).collect(),
            changes_rows: arguments.iter().map(|a| a.changes_rows).collect(),
            frame,
        })
    }

    /// An iteration whose step is a function of the tables: what it gives for each of them is what
    /// the step makes of it, nothing for those that stay as they are.
    ///
    /// # Errors
    /// As [`Graph::begin_iteration`] and [`Iteration::finish`], and those of `step`.
    #[track_caller]
    pub fn iterate(
        &self,
        arguments: &[Argument<'_>],
        limit: Option<u32>,
        step: impl FnOnce(&[Table]) -> Result<Vec<Option<Table>>, PlanError>,
    ) -> Result<Vec<Option<Table>>, PlanError> {
        let iteration = self.begin_iteration(arguments, limit, Some(Frame::of_caller()))?;
        let results = step(iteration.tables())?;
        iteration.finish(&results)
    }
}

impl Drop for Iteration {
    fn drop(&mut self) {
        self.graph.lock().loops.end(self.id);
    }
}

impl Iteration {
    /// The tables as the step sees them.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Ends the iteration: `results` is what the step makes of each table, nothing for those that it
    /// leaves as they are. Gives the tables as they are in the end, where they were iterated.
    ///
    /// # Errors
    /// [`PlanError::Value`] if a result does not have the columns of its table, or changes which rows
    /// there are where that is not allowed, or is missing where it is; and for operations in the step
    /// that depend on when changes come.
    pub fn finish(self, results: &[Option<Table>]) -> Result<Vec<Option<Table>>, PlanError> {
        let mut state = self.graph.lock();
        // Dropping it later takes the lock again.
        let outcome = self.finished(&mut state, results);
        drop(state);
        outcome
    }

    fn finished(
        &self,
        state: &mut State,
        results: &[Option<Table>],
    ) -> Result<Vec<Option<Table>>, PlanError> {
        let variables = self.tables.iter().map(|table| table.node);
        let mut pairs: Vec<(NodeId, Option<Rows>)> = Vec::new();
        for (number, variable) in variables.enumerate() {
            let rows = match results.get(number).and_then(Option::as_ref) {
                Some(result) => Some(self.result(state, number, result)?),
                None if self.changes_rows[number] => {
                    return Err(PlanError::Value(format!(
                        "not all arguments marked as iterated are returned from the iteration: {} is marked with \
                         iterate_universe, but the iterated function does not return it",
                        self.names[number]
                    )));
                }
                None => None,
            };
            pairs.push((variable, rows));
        }
        for (variable, rows) in &pairs {
            if rows.is_none() {
                state.make_constant(*variable);
            }
        }
        state.check_body(self.id)?;
        state.loops.end(self.id);
        let keeps = pairs.iter().all(|(variable, rows)| match rows {
            Some(rows) => state.keeps_append_only(*variable, rows),
            None => true,
        });
        let outer = pairs.into_iter().enumerate().map(|(number, (variable, rows))| {
            let node = state.add_iterated(self.id, number, variable, rows?, keeps, &self.frame);
            Some(Table::new(&self.graph, state, node))
        });
        Ok(outer.collect())
    }

    /// The rows that a step makes of a table, in the order of its columns.
    fn result(&self, state: &mut State, number: usize, result: &Table) -> Result<Rows, PlanError> {
        self.tables[number].same_graph(&[result])?;
        let (name, variable) = (&self.names[number], self.tables[number].node);
        let mut node = result.node;
        let (own, made) = (state.node(variable).universe, state.checked(node)?.universe);
        if own != made && !self.changes_rows[number] {
            if !state.universes.are_equal(own, made) {
                return Err(PlanError::Value(format!(
                    "the iterated table {name} is not marked as 'iterate_universe' but changed its universe (set of \
                     row ids); give it as {name}=pw.iterate_universe(...) if a step may add or remove rows, or end \
                     the iterated function with .with_universe_of({name}) if the row ids stay the same"
                )));
            }
            node = state.add_restrict(node, variable, true, self.frame.clone());
        }
        let mut columns = Vec::new();
        let given = state.node(node).columns.clone();
        let expected = state.node(variable).columns.clone();
        for column in &expected {
            let position =
                given.iter().position(|c| c.name == column.name && is_same(&c.dtype, &column.dtype));
            match position {
                Some(position) => columns.push(column_at(state, node, position)),
                None => return Err(different(name, &given, &expected)),
            }
        }
        if given.len() != expected.len() {
            return Err(different(name, &given, &expected));
        }
        Ok(Rows { table: node, columns })
    }
}

/// True if cells of the one dtype are cells of the other: pointers may differ in what they are known to
/// point to.
fn is_same(a: &DType, b: &DType) -> bool {
    let plain = |dtype: &DType| match dtype {
        DType::Pointer(_) => DType::ANY_POINTER,
        DType::Optional(inner) if inner.is_pointer() => DType::optional(DType::ANY_POINTER),
        other => other.clone(),
    };
    plain(a) == plain(b)
}

fn different(name: &str, given: &[Column], expected: &[Column]) -> PlanError {
    let text = |columns: &[Column]| {
        let columns: Vec<String> = columns.iter().map(|c| format!("{}: {}", c.name, c.dtype)).collect();
        columns.join(", ")
    };
    PlanError::Value(format!(
        "output: {{{}}} of the iterated function for {name} does not correspond to the input: {{{}}}; a step has to \
         return each table with the columns and types that it was given with",
        text(given),
        text(expected)
    ))
}

impl State {
    fn add_variable(
        &mut self,
        of: LoopId,
        number: usize,
        argument: &Argument<'_>,
        frame: &Option<Frame>,
    ) -> NodeId {
        let outer = self.node(argument.table.node).clone();
        let table = argument.table.node;
        let columns: Vec<Expr> = (0..outer.columns.len()).map(|i| column_at(self, table, i)).collect();
        let universe: UniverseId = match argument.changes_rows {
            true => self.universe(&Definition::Unrelated),
            false => outer.universe,
        };
        self.add(Node {
            op: Op::Variable(Variable { of, number, start: Rows { table, columns } }),
            columns: outer.columns,
            id_dtype: outer.id_dtype,
            id_append_only: outer.id_append_only,
            universe,
            frame: frame.clone(),
        })
    }

    /// True if what a step makes of a table is append-only wherever the table is: then more rows at the
    /// beginning are more rows after every step, and in the end.
    fn keeps_append_only(&self, variable: NodeId, result: &Rows) -> bool {
        let (before, after) = (self.node(variable), self.node(result.table));
        let mut columns = before.columns.iter().zip(&result.columns);
        (after.id_append_only || !before.id_append_only)
            && columns.all(|(c, made)| !c.append_only || self.is_append_only(result.table, made))
    }

    fn add_iterated(
        &mut self,
        of: LoopId,
        number: usize,
        variable: NodeId,
        result: Rows,
        keeps: bool,
        frame: &Option<Frame>,
    ) -> NodeId {
        let made = self.node(result.table);
        let (id_dtype, id_append_only) = (made.id_dtype.clone(), made.id_append_only && keeps);
        let inside = self.node(variable);
        let outer = match &inside.op {
            Op::Variable(variable) => variable.start.table,
            _ => variable,
        };
        let flag = |(c, made): (&Column, &Expr)| Column {
            append_only: keeps && self.is_append_only(result.table, made),
            ..c.clone()
        };
        let columns = inside.columns.iter().zip(&result.columns).map(flag).collect();
        let outside = self.node(outer).universe;
        let universe =
            if inside.universe == outside { outside } else { self.universe(&Definition::Unrelated) };
        let node = self.add(Node {
            op: Op::Iterated(Iterated { of, variable, result }),
            columns,
            id_dtype,
            id_append_only,
            universe,
            frame: frame.clone(),
        });
        self.loops.feed_back(of, number, node);
        node
    }
}

#[cfg(test)]
mod tests;
