//! Typing of the functions that assign times to windows; their parameters are constants.
//!
//! * `window.number(time, hop, origin)`: INT, the last window that starts at or before the time.
//! * `window.numbers(time, hop, span, ratio, origin, least)`: all windows that hold the time and whose
//!   borders are times (of 64 bits). A window ends `ratio` hops after its start, or, where `ratio` is 0, `span` after it.
//!   Those that start before window `least` would are left out.

use pathway_types::{DType, Value};

use super::call::{call, no_such_method};
use crate::{Expr, ExprError};

/// The dtype of intervals between times of this dtype.
fn interval(time: &DType) -> Option<DType> {
    match time {
        DType::Int | DType::Float => Some(time.clone()),
        DType::DateTimeNaive | DType::DateTimeUtc => Some(DType::Duration),
        _ => None,
    }
}

/// A hop must be constant and positive, or the windows have no order.
fn is_positive(hop: &Expr) -> bool {
    match hop.as_constant() {
        Some(Value::Int(hop) | Value::Duration(hop)) => *hop > 0,
        Some(Value::Float(hop)) => *hop > 0.0 && hop.is_finite(),
        _ => false,
    }
}

pub(super) fn number(name: &'static str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let fits = match arguments.as_slice() {
        [time, hop, origin] => {
            interval(time.dtype()).is_some_and(|interval| *hop.dtype() == interval)
                && origin.dtype() == time.dtype()
                && origin.as_constant().is_some()
                && is_positive(hop)
        }
        _ => false,
    };
    if fits { Ok(call(name, arguments, DType::Int)) } else { Err(no_such_method(name, &arguments)) }
}

pub(super) fn numbers(name: &'static str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let fits = match arguments.as_slice() {
        [time, hop, span, ratio, origin, least] => {
            interval(time.dtype()).is_some_and(|interval| [hop, span].iter().all(|e| *e.dtype() == interval))
                && origin.dtype() == time.dtype()
                && is_positive(hop)
                && [ratio, origin, span, least].iter().all(|e| e.as_constant().is_some())
                && [ratio, least].iter().all(|e| *e.dtype() == DType::Int)
        }
        _ => false,
    };
    if fits {
        Ok(call(name, arguments, DType::list(DType::Int)))
    } else {
        Err(no_such_method(name, &arguments))
    }
}
