//! Evaluation of bound expressions, a batch at a time.

use pathway_types::{Column, DataError, Keys};

/// The rows an expression is evaluated over.
pub struct Input<'a> {
    /// The operator's input columns.
    pub columns: &'a [Column],
    /// The row ids.
    pub keys: &'a Keys,
}

/// The result of one expression.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One cell per row.
    pub column: Column,
    /// Errors that arose here (not those that came in with the input): row and cause, ascending.
    pub causes: Vec<(u32, DataError)>,
}

/// Evaluates a list of bound expressions that may share sub-expressions.
#[derive(Clone, Debug)]
pub struct Evaluator {
    expressions: Vec<crate::Expr>,
}

impl Evaluator {
    /// An evaluator of these bound expressions.
    pub fn new(expressions: Vec<crate::Expr>) -> Self {
        Evaluator { expressions }
    }
    /// The expressions.
    pub fn expressions(&self) -> &[crate::Expr] {
        &self.expressions
    }
}
