//! Constructors that check types.
//!
//! Each constructor decides the dtype of its result by the typing rules, inserts the conversions
//! these rules imply as [`ExprKind::Cast`] nodes, and refuses operands that do not fit. What comes
//! out is therefore ready to be evaluated without another look at types.
//!
//! * `operators`: `+`, `==`, `~`, …
//! * `conditional`: None tests, branches, coalesce, error replacement
//! * `convert`: casts, relabelling, Json conversion, text
//! * `index`: `object[index]` and `object.get`
//! * `pointer`: row keys
//! * `functions`: the table of methods (`str.lower`, `dt.year`, …)
//! * `special`: typing of methods whose result depends on constants
//! * `window`: typing of the functions that assign times to windows
//! * `call`: method calls and user functions
//! * `reducers`: the aggregates of a group-by

use pathway_types::{ColumnBuilder, DType, Value};

use crate::{ColumnRef, Expr, ExprError, ExprKind, SourceId};

mod call;
mod conditional;
mod convert;
mod frequency;
pub(crate) mod functions;
mod index;
pub(crate) mod operators;
mod pointer;
mod reducers;
mod special;
#[cfg(test)]
mod tests;
mod window;

pub use functions::function_names;
pub(crate) use index::member_position;

impl Expr {
    /// A column of a table.
    pub fn column(column: ColumnRef, dtype: DType) -> Expr {
        Expr::node(ExprKind::Column(column), dtype)
    }

    /// The row id of a table's rows.
    pub fn id(source: SourceId, dtype: DType) -> Expr {
        Expr::node(ExprKind::Id(source), dtype)
    }

    /// A constant of this dtype; an int for FLOAT becomes a float.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the value is of another kind.
    pub fn constant(value: Value, dtype: DType) -> Result<Expr, ExprError> {
        let value = match (value, dtype.unoptional()) {
            (Value::Int(int), DType::Float) => Value::Float(int as f64),
            (value, _) => value,
        };
        if !ColumnBuilder::accepts(&dtype, &value) {
            return Err(ExprError::Type(format!(
                "the constant {value} is not a value of type {dtype}; its own type is {}",
                value.natural_dtype()
            )));
        }
        Ok(Expr::node(ExprKind::Constant(value), dtype))
    }

    /// A constant with the dtype that its kind of value has by itself.
    pub fn literal(value: impl Into<Value>) -> Expr {
        let value = value.into();
        let dtype = value.natural_dtype();
        Expr::node(ExprKind::Constant(value), dtype)
    }

    /// The constant this expression is, if it is one (relabelled or not).
    pub fn as_constant(&self) -> Option<&Value> {
        match self.kind() {
            ExprKind::Constant(value) => Some(value),
            ExprKind::DeclareType(inner) => inner.as_constant(),
            _ => None,
        }
    }
}

/// Refuses results that are still pending.
fn refuse_futures(operation: &str, operands: &[Expr]) -> Result<(), ExprError> {
    match operands.iter().find(|e| matches!(e.dtype(), DType::Future(_))) {
        None => Ok(()),
        Some(pending) => Err(ExprError::Type(format!(
            "pathway.{operation} cannot take a column of type {}: its values may still be pending. \
             Use it on the table returned by await_futures().",
            pending.dtype()
        ))),
    }
}

/// What to do about a condition that is no truth value, as the end of a message.
pub fn condition_advice(dtype: &DType) -> &'static str {
    match *dtype.unoptional() == DType::Bool {
        true => "; coalesce(..., False) takes None for False",
        false => "",
    }
}

/// `INT, Optional(STR)`.
fn list_types<'a>(operands: impl IntoIterator<Item = &'a Expr>) -> String {
    let types: Vec<String> = operands.into_iter().map(|e| e.dtype().to_string()).collect();
    types.join(", ")
}
