//! Typing of functions whose result depends on constant arguments.

use pathway_types::{DType, Value};

use super::call::{call, no_such_method};
use super::frequency::parse_frequency;
use crate::{Expr, ExprError};

/// The words that `parse_bool` takes for true and false unless told otherwise.
const TRUE_WORDS: [&str; 4] = ["on", "true", "yes", "1"];
const FALSE_WORDS: [&str; 4] = ["off", "false", "no", "0"];

/// A constant BOOL argument; absent or None is false.
fn flag(name: &str, argument: Option<&Expr>) -> Result<bool, ExprError> {
    match argument.map(|e| e.as_constant()) {
        None | Some(Some(Value::None)) => Ok(false),
        Some(Some(Value::Bool(value))) => Ok(*value),
        _ => Err(ExprError::Type(format!("the flag of {name} must be a constant True or False"))),
    }
}

/// `str.parse_int(text, optional)`, `str.parse_float(text, optional)`.
pub(super) fn parse_number(name: &'static str, mut arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    if !(1..=2).contains(&arguments.len()) || *arguments[0].dtype() != DType::Str {
        return Err(no_such_method(name, &arguments));
    }
    let optional = flag(name, arguments.get(1))?;
    let dtype = if name == "str.parse_int" { DType::Int } else { DType::Float };
    arguments.truncate(1);
    Ok(call(name, arguments, if optional { DType::optional(dtype) } else { dtype }))
}

/// `str.parse_bool(text, true_values, false_values, optional)`; the words are constant tuples.
pub(super) fn parse_bool(name: &'static str, mut arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    if !(1..=4).contains(&arguments.len()) || *arguments[0].dtype() != DType::Str {
        return Err(no_such_method(name, &arguments));
    }
    let optional = flag(name, arguments.get(3))?;
    let words = |argument: Option<&Expr>, default: &[&str]| -> Result<Expr, ExprError> {
        let words: Vec<Value> = match argument.map(|e| e.as_constant()) {
            None | Some(Some(Value::None)) => default.iter().map(|word| Value::from(*word)).collect(),
            Some(Some(Value::Tuple(words))) if words.iter().all(|w| matches!(w, Value::Str(_))) => {
                words.iter().map(|w| if let Value::Str(w) = w { w.to_lowercase().into() } else { w.clone() })
            }
            .collect(),
            _ => {
                return Err(ExprError::Type(format!(
                    "the words given to {name} must be a constant list of str"
                )));
            }
        };
        Expr::constant(Value::tuple(words), DType::list(DType::Str))
    };
    let true_words = words(arguments.get(1), &TRUE_WORDS)?;
    let false_words = words(arguments.get(2), &FALSE_WORDS)?;
    arguments.truncate(1);
    arguments.extend([true_words, false_words]);
    let dtype = if optional { DType::optional(DType::Bool) } else { DType::Bool };
    Ok(call(name, arguments, dtype))
}

/// `num.fill_na(number, default)`; the default is a constant number, converted to the column's type.
pub(super) fn fill_na(name: &'static str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let [number, default] = arguments.as_slice() else {
        return Err(no_such_method(name, &arguments));
    };
    let dtype = match number.dtype().unoptional() {
        DType::None => DType::Int,
        other => other.clone(),
    };
    if !matches!(dtype, DType::Int | DType::Float) {
        return Err(no_such_method(name, &arguments));
    }
    let default = match (default.as_constant(), &dtype) {
        (Some(Value::Int(v)), DType::Int) => Value::Int(*v),
        (Some(Value::Int(v)), _) => Value::Float(*v as f64),
        (Some(Value::Float(v)), DType::Int) => Value::Int(*v as i64),
        (Some(Value::Float(v)), _) => Value::Float(*v),
        (Some(Value::Bool(v)), DType::Int) => Value::Int(i64::from(*v)),
        (Some(Value::Bool(v)), _) => Value::Float(f64::from(u8::from(*v))),
        _ => {
            return Err(ExprError::Type(format!(
                "the default of {name} must be a number, not a column or a value of type {}",
                default.dtype()
            )));
        }
    };
    let default = Expr::constant(default, dtype.clone())?;
    let number = match number.dtype() {
        DType::None => number.clone().coerce(&DType::optional(DType::Int)),
        _ => number.clone(),
    };
    Ok(call(name, vec![number, default], dtype))
}

fn unit_constant(name: &str, argument: &Expr) -> Result<(), ExprError> {
    match argument.as_constant() {
        Some(Value::Str(unit)) if matches!(&**unit, "s" | "ms" | "us" | "ns") => Ok(()),
        Some(Value::Str(unit)) => {
            Err(ExprError::Value(format!("the unit of {name} must be one of s, ms, us, ns; it is {unit:?}")))
        }
        _ => Err(ExprError::Value(format!("the unit of {name} must be a constant: one of s, ms, us, ns"))),
    }
}

/// `dt.timestamp(datetime, unit)`: FLOAT in that unit, or INT nanoseconds without unit.
pub(super) fn timestamp(name: &'static str, mut arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let on_datetime =
        arguments.first().is_some_and(|e| matches!(e.dtype(), DType::DateTimeNaive | DType::DateTimeUtc));
    if !on_datetime || arguments.len() > 2 {
        return Err(no_such_method(name, &arguments));
    }
    match arguments.get(1) {
        Some(unit) if *unit.dtype() != DType::None => {
            unit_constant(name, unit)?;
            Ok(call(name, arguments, DType::Float))
        }
        _ => {
            arguments.truncate(1);
            Ok(call(name, arguments, DType::Int))
        }
    }
}

/// `dt.from_timestamp(number, unit)`, `dt.utc_from_timestamp(number, unit)`.
pub(super) fn from_timestamp(name: &'static str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let [number, unit] = arguments.as_slice() else {
        return Err(no_such_method(name, &arguments));
    };
    if !matches!(number.dtype(), DType::Int | DType::Float) {
        return Err(no_such_method(name, &arguments));
    }
    unit_constant(name, unit)?;
    let dtype = if name == "dt.from_timestamp" { DType::DateTimeNaive } else { DType::DateTimeUtc };
    Ok(call(name, arguments, dtype))
}

/// `dt.strptime(text, format, contains_timezone)`: UTC if the format has a zone, or if told so.
pub(super) fn strptime(name: &'static str, mut arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let on_text =
        (2..=3).contains(&arguments.len()) && arguments[..2].iter().all(|e| *e.dtype() == DType::Str);
    if !on_text {
        return Err(no_such_method(name, &arguments));
    }
    let told = match arguments.get(2) {
        Some(e) if *e.dtype() != DType::None => Some(flag(name, Some(e))?),
        _ => None,
    };
    let utc = match (told, arguments[1].as_constant()) {
        (Some(told), _) => told,
        (None, Some(Value::Str(format))) => has_zone(format),
        _ => {
            return Err(ExprError::Value(format!(
                "the format of {name} is a column, so whether the texts contain a time zone must be told with \
                 contains_timezone=True or False"
            )));
        }
    };
    arguments.truncate(2);
    Ok(call(name, arguments, if utc { DType::DateTimeUtc } else { DType::DateTimeNaive }))
}

/// True if the format has a zone specifier: `%z`, `%:z`, `%Z`.
fn has_zone(format: &str) -> bool {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        if rest.starts_with(['z', 'Z']) || rest.starts_with(":z") {
            return true;
        }
        let mut chars = rest.chars();
        chars.next();
        rest = chars.as_str();
    }
    false
}

/// `dt.round(datetime, duration)`, `dt.floor(datetime, duration)`; the duration may be a constant
/// frequency text such as `15min`.
pub(super) fn round_to(name: &'static str, arguments: Vec<Expr>) -> Result<Expr, ExprError> {
    let [datetime, step] = arguments.as_slice() else {
        return Err(no_such_method(name, &arguments));
    };
    if !matches!(datetime.dtype(), DType::DateTimeNaive | DType::DateTimeUtc) {
        return Err(no_such_method(name, &arguments));
    }
    let step = match (step.dtype(), step.as_constant()) {
        (DType::Duration, _) => step.clone(),
        (DType::Str, Some(Value::Str(text))) => {
            Expr::constant(Value::Duration(parse_frequency(text)?), DType::Duration)?
        }
        _ => return Err(no_such_method(name, &arguments)),
    };
    let dtype = datetime.dtype().clone();
    Ok(call(name, vec![datetime.clone(), step], dtype))
}
