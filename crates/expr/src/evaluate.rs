//! Evaluation of bound expressions, a batch at a time.
//!
//! [`Evaluator::new`] turns the expressions into one list of nodes in which equal sub-expressions
//! occur once and constant ones are computed already (`compile`). [`Evaluator::evaluate`] walks that
//! list: nodes that every row needs are computed in order, each over the whole batch; nodes inside
//! branches that can fail or call user code are computed for those rows only that take the branch
//! (`frame`, `branch`). The columnar loops are in the private module `kernels`.

use std::sync::Arc;

use pathway_types::{Column, DataError, Keys};

use crate::Expr;

mod branch;
pub(crate) mod cells;
mod compile;
pub(crate) mod frame;
mod user;

/// The rows an expression is evaluated over.
pub struct Input<'a> {
    /// The operator's input columns.
    pub columns: &'a [Column],
    /// The row ids.
    pub keys: &'a Keys,
    /// A None in a (sub-)expression whose type has none is an error, even if nothing looks at it.
    pub check_types: bool,
}

/// The result of one expression.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One cell per row.
    pub column: Column,
    /// Errors that arose here (not those that came in with the input): row and cause, ascending,
    /// one a row. Each of these rows is an error in `column`.
    pub causes: Vec<(u32, DataError)>,
}

/// Evaluates a list of bound expressions that may share sub-expressions.
#[derive(Clone, Debug)]
pub struct Evaluator {
    expressions: Vec<Expr>,
    graph: Arc<compile::Graph>,
}

impl Evaluator {
    /// An evaluator of these bound expressions.
    pub fn new(expressions: Vec<Expr>) -> Self {
        let graph = Arc::new(compile::Graph::new(&expressions));
        Evaluator { expressions, graph }
    }
    /// The expressions.
    pub fn expressions(&self) -> &[Expr] {
        &self.expressions
    }
    /// True if a row can become an error in one of the expressions, beyond the errors it has.
    pub fn is_fallible(&self) -> bool {
        self.graph.roots().any(|node| node.fallible)
    }
    /// One result per expression.
    pub fn evaluate(&self, input: &Input<'_>) -> Vec<Outcome> {
        frame::evaluate(&self.graph, input)
    }
}

#[cfg(test)]
mod tests;
