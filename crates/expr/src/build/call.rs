//! Typing of method calls and user functions.

use std::sync::Arc;

use pathway_types::DType;

use super::functions::{Entry, Typing, find};
use super::operators::deciding;
use super::{list_types, refuse_futures};
use crate::{Expr, ExprError, ExprKind, Function, Udf};

impl Expr {
    /// A call of a built-in function by its internal name, the receiver first. Optional arguments at
    /// the end may be left out. Where the function takes no None, the call is None for rows in which
    /// an argument is.
    ///
    /// # Errors
    /// [`ExprError::Attribute`] if there is no such function on these types; [`ExprError::Value`] for
    /// a constant argument out of its domain.
    pub fn method(name: &str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
        let Some(entry) = find(name) else {
            return Err(ExprError::Attribute(format!("there is no function named {name}")));
        };
        match call_of(entry, arguments.clone()) {
            Err(error @ ExprError::Attribute(_)) => call_of_values(entry, &arguments).unwrap_or(Err(error)),
            result => result,
        }
    }

    /// A call of a user function.
    ///
    /// # Errors
    /// [`ExprError::Type`] on futures, unless the function itself gives a future.
    pub fn udf(udf: Arc<dyn Udf>, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
        let dtype = udf.return_type().clone();
        if !matches!(dtype, DType::Future(_)) {
            refuse_futures("apply", &arguments)?;
        }
        let dtype = match udf.propagates_none() && arguments.iter().any(|e| e.dtype().admits_none()) {
            true => match &dtype {
                DType::Future(inner) => DType::future(DType::optional((**inner).clone())),
                other => DType::optional(other.clone()),
            },
            false => dtype,
        };
        Ok(Expr::node(ExprKind::Udf(udf, arguments), dtype))
    }
}

/// The call, if the function takes these types.
fn call_of(entry: &Entry, mut arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    match &entry.typing {
        Typing::Special(build) => build(entry.name, arguments),
        Typing::Overloads { overloads, defaults } => {
            let longest = overloads.iter().map(|o| o.arguments.len()).max().unwrap_or(0);
            let missing = longest.saturating_sub(arguments.len());
            if missing <= defaults.len() {
                let tail = &defaults[defaults.len() - missing..];
                arguments.extend(tail.iter().map(|default| Expr::literal(default.value())));
            }
            for overload in *overloads {
                let fits = overload.arguments.len() == arguments.len()
                    && overload
                        .arguments
                        .iter()
                        .zip(&arguments)
                        .all(|(wanted, given)| given.dtype().is_subtype_of(&wanted.dtype(), true));
                if fits {
                    let arguments = overload
                        .arguments
                        .iter()
                        .zip(arguments)
                        .map(|(wanted, given)| given.coerce(&wanted.dtype()))
                        .collect();
                    return Ok(call(entry.name, arguments, overload.result.dtype()));
                }
            }
            Err(no_such_method(entry.name, &arguments))
        }
    }
}

/// The call on the values in an Optional receiver, or if it must be in all Optional arguments.
fn call_of_values(entry: &Entry, arguments: &[Expr]) -> Option<Result<Expr, ExprError>> {
    // A row without a time is in no window, which is said where windows are made.
    if entry.name.starts_with("window.") {
        return None;
    }
    for narrowed in [1, arguments.len()] {
        let taken = |i: usize, e: &Expr| !e.dtype().is_optional() || i < narrowed;
        if !arguments.iter().take(narrowed).any(|e| e.dtype().is_optional()) {
            continue;
        }
        let values = arguments.iter().enumerate().map(|(i, e)| match i < narrowed {
            true => Expr::narrow(e.clone()),
            false => e.clone(),
        });
        match call_of(entry, values.collect()) {
            Ok(value) => {
                let decide = arguments.iter().enumerate().filter(|(i, e)| taken(*i, e)).map(|(_, e)| e);
                return Some(Expr::require(value, deciding(decide)));
            }
            Err(ExprError::Attribute(_)) => {}
            Err(other) => return Some(Err(other)),
        }
    }
    None
}

/// A call whose types have been checked.
pub(super) fn call(name: &'static str, arguments: Vec<Expr>, dtype: DType) -> Expr {
    Expr::node(ExprKind::Call(Function(name), arguments), dtype)
}

/// The refusal of a method on these arguments.
pub(super) fn no_such_method(name: &str, arguments: &[Expr]) -> ExprError {
    let (receiver, rest) = match arguments.split_first() {
        Some((receiver, rest)) => (receiver.dtype().to_string(), list_types(rest)),
        None => ("(none)".to_owned(), String::new()),
    };
    let hint = match arguments.iter().any(|e| *e.dtype() == DType::Any) {
        true => "; tell the type with declare_type first",
        false => "",
    };
    ExprError::Attribute(format!(
        "a column of type {receiver} has no method {name} that takes arguments of types [{rest}]{hint}"
    ))
}
