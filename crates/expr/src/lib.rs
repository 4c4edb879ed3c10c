//! Typed column expressions and their vectorised evaluation.
//!
//! An [`Expr`] is built bottom-up by the constructors in [`build`]; each checks the types of its
//! operands and fails with an [`ExprError`] otherwise. Expressions are immutable and shared: a
//! sub-expression used twice is evaluated once per batch. Before it runs, an expression is *bound*
//! ([`Expr::bind`]): references to table columns become positions in the operator's input.
//! [`Evaluator`] then computes bound expressions a whole batch at a time.

pub mod acceptor;
pub mod build;
pub mod error;
pub mod evaluate;
mod grid;
mod kernels;
pub mod later;
mod layout;
pub mod node;
pub mod togetherness;
pub mod transform;
pub mod udf;

pub use acceptor::{Accepted, Acceptor, Offers};
pub use build::condition_advice;
pub use error::ExprError;
pub use evaluate::{Evaluator, Input, Outcome};
pub use grid::numbers_of_windows;
pub use later::{Answers, Callee, Caller, OnFailure};
pub use node::{BinaryOp, ColumnRef, Expr, ExprKind, Function, Reducer, SourceId, UnaryOp};
pub use togetherness::{Together, Togetherness};
pub use transform::{Transformation, Transformed, Transformer};
pub use udf::{Udf, UdfOutcome};
