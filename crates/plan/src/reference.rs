//! A naive interpreter of programs: the oracle of this crate's tests and of the engine's.
//!
//! It runs a [`Program`] over its static tables (and over rows given for its sources) in one go, as
//! if all changes came at one time: every step turns whole multisets of rows into one multiset.
//! Cells are single [`Value`]s and nothing is incremental, so that it can be checked by reading.
//! Errors never stop it; they are [`Value::Error`] cells, and rows that operators drop are dropped.
//!
//! What depends on when rows come is as for one time: `earliest` is the row with the lowest id.
//! The shard of ids is only computed where values decide it.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashMap;
use pathway_types::{Batch, CellView, DType, Key, Timestamp, Value};

use crate::program::{Program, Step, StepId, StepOp};

mod join;
mod lookup;
mod loops;
mod reduce;
mod rowwise;

/// A row: its id and its cells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The id.
    pub key: Key,
    /// The cells.
    pub values: Vec<Value>,
}

/// The rows of a step's output in ascending order; a row that is there twice is there twice.
pub type Rows = Vec<Row>;

/// The interpreter cannot tell the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// No rows were given for the source at this step.
    NoRows(StepId),
    /// More removals than additions of a row, or two inputs of a zip with different ids.
    Inconsistent(String),
    /// The operation has no naive form here.
    Unsupported(String),
    /// A loop has not come to an end after a thousand rounds.
    Endless,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceError::NoRows(step) => write!(f, "no rows were given for the source at step {}", step.0),
            ReferenceError::Inconsistent(text) | ReferenceError::Unsupported(text) => f.write_str(text),
            ReferenceError::Endless => f.write_str("a loop does not come to an end"),
        }
    }
}

impl std::error::Error for ReferenceError {}

/// Changes of a source or a static table.
pub type Changes = Vec<(Timestamp, Batch)>;

/// The rows of every step's output. An output step has the rows that its sink would hold in the end.
///
/// # Errors
/// [`ReferenceError`] if the program uses what is not known here.
pub fn run(program: &Program, sources: &HashMap<StepId, Changes>) -> Result<Vec<Rows>, ReferenceError> {
    let mut done: Vec<Rows> = vec![Rows::new(); program.steps.len()];
    loops::run(program, None, 0..program.steps.len(), &mut done, sources)?;
    Ok(done)
}

/// The output of one step, given those of the steps it reads.
fn run_step(
    program: &Program,
    number: usize,
    done: &mut [Rows],
    sources: &HashMap<StepId, Changes>,
) -> Result<(), ReferenceError> {
    let step = &program.steps[number];
    let inputs: Vec<Relation<'_>> = step
        .inputs
        .iter()
        .map(|input| Relation { rows: &done[input.0], dtypes: &program.steps[input.0].columns })
        .collect();
    let mut rows = rows_of(StepId(number), step, &inputs, sources)?;
    debug_assert!(rows.iter().all(|row| row.values.len() == step.columns.len()));
    rows.sort();
    done[number] = rows;
    Ok(())
}

/// The output of a step before it, with the dtypes of its columns.
#[derive(Clone, Copy)]
struct Relation<'a> {
    rows: &'a Rows,
    dtypes: &'a [DType],
}

impl<'a> Relation<'a> {
    /// Rows by id; the ids must be unique.
    fn by_key(&self) -> Result<BTreeMap<Key, &'a Row>, ReferenceError> {
        let mut rows = BTreeMap::new();
        for row in self.rows {
            if rows.insert(row.key, row).is_some() {
                return Err(ReferenceError::Inconsistent(format!("two rows have the id {}", row.key)));
            }
        }
        Ok(rows)
    }
}

fn rows_of(
    id: StepId,
    step: &Step,
    inputs: &[Relation<'_>],
    sources: &HashMap<StepId, Changes>,
) -> Result<Rows, ReferenceError> {
    match &step.op {
        StepOp::Static { batches, .. } => consolidate(batches, &step.columns),
        StepOp::Source(_) | StepOp::DeadLetters | StepOp::Beside | StepOp::ErrorLog(_) => {
            let changes = sources.get(&id).ok_or(ReferenceError::NoRows(id))?;
            consolidate(changes, &step.columns)
        }
        StepOp::Stateless(stages) => rowwise::stages(stages, inputs[0]),
        StepOp::Zip => lookup::zip(inputs),
        StepOp::Concat => Ok(inputs.iter().flat_map(|input| input.rows.iter().cloned()).collect()),
        StepOp::Reduce(reduce) => reduce::reduce(reduce, inputs[0]),
        StepOp::Join(join) => join::join(join, inputs[0], inputs[1]),
        StepOp::Lookup(step) => lookup::lookup(step, inputs[0], inputs[1]),
        StepOp::UpdateRows => lookup::update_rows(inputs[0], inputs[1]),
        StepOp::UpdateCells { cells } => lookup::update_cells(cells, inputs[0], inputs[1]),
        StepOp::Intersect => lookup::keep(inputs[0], |key| {
            inputs[1..].iter().all(|other| other.rows.iter().any(|row| row.key == key))
        }),
        StepOp::Difference => lookup::keep(inputs[0], |key| !inputs[1].rows.iter().any(|row| row.key == key)),
        StepOp::Restrict { .. } => lookup::restrict(inputs[0], inputs[1], step.columns.len()),
        StepOp::Transform(transformer) => {
            Err(ReferenceError::Unsupported(format!("{} is user code", transformer.name())))
        }
        StepOp::Stateful(stateful) => Err(ReferenceError::Unsupported(format!(
            "{} depends on the order of changes or of rows",
            stateful.kind.name()
        ))),
        // What goes around is up to who runs the loop.
        StepOp::Variable(_) | StepOp::Leave(_) => Ok(inputs[0].rows.clone()),
        StepOp::Feedback(_) => Ok(Rows::new()),
        StepOp::Calls(_) | StepOp::Answers(_) => {
            Err(ReferenceError::Unsupported("answers of calls depend on when they come".to_owned()))
        }
        StepOp::Output(output) => {
            let broken = |row: &&Row| row.values.iter().any(|v| matches!(v, Value::Error | Value::Pending));
            let all = inputs[0].rows.iter().filter(|row| output.keep_errors || !broken(row));
            Ok(all.cloned().collect())
        }
    }
}

/// The rows that are left of changes.
fn consolidate(changes: &Changes, dtypes: &[DType]) -> Result<Rows, ReferenceError> {
    let mut counts: BTreeMap<Row, i64> = BTreeMap::new();
    for (_, batch) in changes {
        let views: Vec<CellView<'_>> =
            batch.columns.iter().zip(dtypes).map(|(c, d)| CellView::new(c, d)).collect();
        for i in 0..batch.len() {
            let row =
                Row { key: batch.keys.get(i), values: views.iter().map(|view| view.value(i)).collect() };
            *counts.entry(row).or_default() += batch.diffs.get(i);
        }
    }
    let mut rows = Vec::new();
    for (row, count) in counts {
        if count < 0 {
            return Err(ReferenceError::Inconsistent(format!("row {} is removed but not there", row.key)));
        }
        rows.extend(std::iter::repeat_n(row, count as usize));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
