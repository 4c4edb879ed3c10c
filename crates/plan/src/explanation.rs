//! Plans as plain data, for people and for programs that show them: the operators before and after rewriting, with the
//! user's lines, and what is known of their rows.
//!
//! [`Graph::explanation`] makes an [`Explanation`] without running anything. How many rows an operator gives is known of
//! some only ([`Estimate`]); what a run has counted can be put in afterwards ([`Operator::measured`]).

use serde::{Deserialize, Serialize};

use crate::frame::Frame;
use crate::graph::Graph;
use crate::program::Program;
use crate::rewrite::{Goal, Rewrites};
use crate::{PlanError, explain};

mod after;
mod before;
mod estimate;

pub use estimate::Estimate;

/// The form of an [`Explanation`]: changed when parts of it change their meaning or go.
pub const VERSION: u32 = 1;

/// A plan before and after rewriting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// [`VERSION`].
    pub version: u32,
    /// What the user has built, as far as it is needed: inputs come before their readers, outputs last.
    pub before: Vec<Operator>,
    /// What is run: inputs come before their readers, except inside of loops.
    pub after: Vec<Operator>,
    /// The loops that operators are inside of.
    pub loops: Vec<Loop>,
    /// Operators that the user has built and that are not needed.
    pub left_out: usize,
}

/// An operator of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operator {
    /// Before rewriting the number that error logs and metrics have for it. Afterwards `s3`, the step of the
    /// program, or `s3.0`, a stage of a row-wise step.
    pub id: String,
    /// What it does: `filter`, `groupby`, `output`.
    pub operator: String,
    /// What a source or sink is, or what the user calls it.
    pub name: Option<String>,
    /// How it does it.
    pub details: Vec<Detail>,
    /// The operators it reads.
    pub inputs: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The set of its row ids: tables with the same one have the same row ids. It is known before rewriting.
    pub universe: Option<String>,
    /// What the row ids are made of, if that is known.
    pub ids: Option<String>,
    /// Rows are never removed or changed.
    pub append_only: bool,
    /// The loop that it is inside of.
    pub inside: Option<String>,
    /// What it was rewritten to; afterwards, what it was made of.
    pub counterparts: Vec<String>,
    /// How many rows there are in the end.
    pub estimate: Estimate,
    /// What a run has counted.
    pub measured: Option<Measured>,
    /// The user's line.
    pub place: Option<Place>,
    /// Other lines where the same was built: it is computed once.
    pub also: Vec<Place>,
}

/// Something that an operator goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is: `where`, `by`, `on`.
    pub label: String,
    /// An expression, or words.
    pub text: String,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name; empty if the user has not made it.
    pub name: String,
    /// The dtype.
    pub dtype: String,
    /// What is in it, if it is computed here.
    pub value: Option<String>,
    /// Its cells never change. Known before rewriting, outside of loops.
    pub append_only: Option<bool>,
}

/// A part of a plan that is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    /// The name by which operators refer to it.
    pub id: String,
    /// The loop around it.
    pub inside: Option<String>,
    /// It is repeated at most so many times; until nothing changes if there is no number.
    pub limit: Option<u32>,
    /// What a run has counted of all that is inside, in the outermost of loops.
    pub measured: Option<Measured>,
    /// The user's line.
    pub place: Option<Place>,
}

/// What a run has counted, on all workers of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Changes that came.
    pub rows_in: u64,
    /// Rows that were added to the result.
    pub insertions: u64,
    /// Rows that were removed from it.
    pub deletions: u64,
    /// How long it worked, in seconds; not known of loops.
    pub busy_seconds: f64,
    /// Bytes of state in memory.
    pub state_bytes: u64,
    /// Bytes of state in files.
    pub spilled_bytes: u64,
    /// Rows that met errors.
    pub errors: u64,
}

/// A line of the user's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: u32,
    /// The function.
    pub function: String,
    /// The text of the line.
    pub source: String,
}

impl Place {
    fn of(frame: &Frame) -> Option<Place> {
        let Frame { file, line, function, source, .. } = frame.known()?;
        let text = |text: &str| text.to_owned();
        Some(Place { file: text(file), line: *line, function: text(function), source: text(source) })
    }

    /// The line of something, and the other lines where the same was built.
    fn all(frame: Option<&Frame>) -> (Option<Place>, Vec<Place>) {
        let Some(frame) = frame else { return (None, Vec::new()) };
        let mut also: Vec<Place> = Vec::new();
        for place in frame.all().skip(1).filter_map(Place::of) {
            if !also.contains(&place) && Place::of(frame).as_ref() != Some(&place) {
                also.push(place);
            }
        }
        (Place::of(frame), also)
    }
}

impl Detail {
    fn new(label: &str, text: impl Into<String>) -> Detail {
        Detail { label: label.to_owned(), text: text.into() }
    }
}

impl Graph {
    /// The plan for a goal, before and after rewriting. Nothing is run.
    ///
    /// ```
    /// use pathway_plan::col::reducers;
    /// use pathway_plan::rewrite::Goal;
    /// use pathway_plan::{Graph, PlanError, col};
    /// use pathway_types::{DType, Field, Schema, Value};
    ///
    /// # fn main() -> Result<(), PlanError> {
    /// let graph = Graph::new();
    /// let schema = Schema::new([Field::new("origin", DType::Str), Field::new("delay", DType::Int)]);
    /// let flights = graph.table_from_rows(&schema, [
    ///     vec![Value::from("EWR"), Value::Int(12)],
    ///     vec![Value::from("JFK"), Value::Int(-3)],
    /// ])?;
    /// let late = flights.filter(col("delay").gt(0))?;
    /// let counts = late.group_by([col("origin")])?.reduce([("n", reducers::count())])?;
    ///
    /// let explanation = graph.explanation(&Goal::Tables(vec![counts.node()]))?;
    /// let operators: Vec<&str> = explanation.before.iter().map(|o| o.operator.as_str()).collect();
    /// assert_eq!(operators, ["static", "filter", "groupby", "select"]);
    /// assert_eq!(explanation.before[1].details[0].text, "(delay > 0)");
    /// assert_eq!(explanation.before[2].estimate.most, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Graph::program`].
    pub fn explanation(&self, goal: &Goal) -> Result<Explanation, PlanError> {
        let program = self.program_with(goal, Rewrites::default())?;
        self.explanation_of(goal, &program, false)
    }

    /// As [`Graph::explanation`], of a program that was made of this plan for this goal, maybe for a debugging run.
    ///
    /// # Errors
    /// As [`Graph::program`].
    pub fn explanation_of(
        &self,
        goal: &Goal,
        program: &Program,
        debug: bool,
    ) -> Result<Explanation, PlanError> {
        let mut before = before::operators(self, goal, debug)?;
        let mut after = after::operators(program);
        let left_out = self.left_out(goal, &before);
        for operator in &mut before {
            let parts = after.iter().filter(|part| part.counterparts.contains(&operator.id));
            operator.counterparts = parts.map(|part| part.id.clone()).collect();
        }
        let known: Vec<&str> = before.iter().map(|operator| operator.id.as_str()).collect();
        for part in &mut after {
            part.counterparts.retain(|id| known.contains(&id.as_str()));
        }
        Ok(Explanation { version: VERSION, before, after, loops: after::loops(program), left_out })
    }

    fn left_out(&self, goal: &Goal, before: &[Operator]) -> usize {
        let state = self.lock();
        let outputs = match goal {
            Goal::Everything => 0,
            Goal::Tables(_) => state.outputs.len(),
            Goal::Outputs(outputs) => state.outputs.len().saturating_sub(outputs.len()),
        };
        let tables = before.iter().filter(|operator| operator.universe.is_some()).count();
        outputs + state.nodes().len().saturating_sub(tables)
    }
}

/// The name of a column as people read it: those that no table of the user has are marked.
fn plain(name: &str) -> String {
    name.replace('\0', "")
}

/// `a, b, c`.
fn list<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    explain::list(items)
}
