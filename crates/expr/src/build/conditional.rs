//! Typing of None tests, branches, and what replaces None and errors.

use pathway_types::{DType, Value};

use super::{condition_advice, list_types, refuse_futures};
use crate::{Expr, ExprError, ExprKind};

impl Expr {
    /// True where the operand is None. JSON null is not None.
    ///
    /// # Errors
    /// [`ExprError::Type`] on a future.
    pub fn is_none(operand: Expr) -> Result<Expr, ExprError> {
        refuse_futures("is_none", std::slice::from_ref(&operand))?;
        Ok(Expr::node(ExprKind::IsNone(operand), DType::Bool))
    }

    /// True where the operand is not None.
    ///
    /// # Errors
    /// [`ExprError::Type`] on a future.
    pub fn is_not_none(operand: Expr) -> Result<Expr, ExprError> {
        refuse_futures("is_not_none", std::slice::from_ref(&operand))?;
        Ok(Expr::node(ExprKind::IsNotNone(operand), DType::Bool))
    }

    /// True where none of the operands, which may be futures, is pending.
    pub fn is_ready(operands: Vec<Expr>) -> Expr {
        Expr::node(ExprKind::IsReady(operands), DType::Bool)
    }

    /// `then` where the condition holds, `otherwise` elsewhere, both as their common type.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the condition is not BOOL or the branches have no common type.
    pub fn if_else(condition: Expr, then: Expr, otherwise: Expr) -> Result<Expr, ExprError> {
        if *condition.dtype() != DType::Bool {
            return Err(ExprError::Type(format!(
                "the condition of pathway.if_else must be BOOL, it is {}{}",
                condition.dtype(),
                condition_advice(condition.dtype())
            )));
        }
        let common = common_type_of("if_else", &then, &otherwise)?;
        let (then, otherwise) = (then.coerce(&common), otherwise.coerce(&common));
        Ok(Expr::node(ExprKind::IfElse(condition, then, otherwise), common))
    }

    /// The first operand that is not None, as the common type of all. Literal None operands are
    /// left out; if nothing else is left the result is None.
    ///
    /// # Errors
    /// [`ExprError::Value`] without operands; [`ExprError::Type`] on futures or without a common type.
    pub fn coalesce(operands: Vec<Expr>) -> Result<Expr, ExprError> {
        if operands.is_empty() {
            return Err(ExprError::Value("pathway.coalesce needs at least one argument".to_owned()));
        }
        refuse_futures("coalesce", &operands)?;
        let operands: Vec<Expr> =
            operands.into_iter().filter(|e| !matches!(e.as_constant(), Some(Value::None))).collect();
        let Some(first) = operands.first() else {
            return Ok(Expr::literal(Value::None));
        };
        let fail = || {
            ExprError::Type(format!(
                "the arguments of pathway.coalesce have no common type: {}",
                list_types(&operands)
            ))
        };
        let mut common = first.dtype().clone();
        for operand in &operands[1..] {
            common = DType::common_type(&common, operand.dtype()).map_err(|_| fail())?;
        }
        if common == DType::Any && operands.iter().any(|e| *e.dtype() != DType::Any) {
            return Err(fail());
        }
        if operands.iter().any(|e| !e.dtype().admits_none()) {
            common = common.unoptional().clone();
        }
        // Operands that can be None stay Optional; only the layout is made common.
        let operands = operands
            .into_iter()
            .map(|operand| {
                let target = match operand.dtype().admits_none() {
                    true => DType::optional(common.clone()),
                    false => common.clone(),
                };
                operand.coerce(&target)
            })
            .collect();
        Ok(Expr::node(ExprKind::Coalesce(operands), common))
    }

    /// `value`, or None where one of the dependencies is None.
    ///
    /// # Errors
    /// [`ExprError::Type`] on futures.
    pub fn require(value: Expr, dependencies: Vec<Expr>) -> Result<Expr, ExprError> {
        refuse_futures("require", std::slice::from_ref(&value))?;
        refuse_futures("require", &dependencies)?;
        let dtype = DType::optional(value.dtype().clone());
        Ok(Expr::node(ExprKind::Require(value, dependencies), dtype))
    }

    /// The value; None is an error.
    ///
    /// # Errors
    /// [`ExprError::Type`] on a future.
    pub fn unwrap(operand: Expr) -> Result<Expr, ExprError> {
        refuse_futures("unwrap", std::slice::from_ref(&operand))?;
        let dtype = operand.dtype().unoptional().clone();
        Ok(Expr::node(ExprKind::Unwrap(operand), dtype))
    }

    /// The operand, or the replacement where it is an error, as a type that takes both. Members of
    /// tuples that have no common type become ANY; a whole column does not.
    ///
    /// # Errors
    /// [`ExprError::Type`] without a common type.
    pub fn fill_error(operand: Expr, replacement: Expr) -> Result<Expr, ExprError> {
        let common = DType::common_type_or_any(operand.dtype(), replacement.dtype());
        if common == DType::Any && *operand.dtype() != DType::Any {
            return Err(no_common_type("fill_error", &operand, &replacement));
        }
        let (operand, replacement) = (operand.coerce(&common), replacement.coerce(&common));
        Ok(Expr::node(ExprKind::FillError(operand, replacement), common))
    }

    /// A tuple of the operands.
    ///
    /// # Errors
    /// [`ExprError::Type`] on futures.
    pub fn make_tuple(members: Vec<Expr>) -> Result<Expr, ExprError> {
        refuse_futures("make_tuple", &members)?;
        let dtype = DType::tuple(members.iter().map(|e| e.dtype().clone()));
        Ok(Expr::node(ExprKind::MakeTuple(members), dtype))
    }
}

/// The common type of two branches; ANY only if both are ANY.
fn common_type_of(operation: &str, left: &Expr, right: &Expr) -> Result<DType, ExprError> {
    match DType::common_type(left.dtype(), right.dtype()) {
        Ok(common) if common != DType::Any => Ok(common),
        Ok(common) if left.dtype() == right.dtype() => Ok(common),
        _ => Err(no_common_type(operation, left, right)),
    }
}

fn no_common_type(operation: &str, left: &Expr, right: &Expr) -> ExprError {
    ExprError::Type(format!(
        "pathway.{operation} needs two columns with a common type; these are of types {} and {}",
        left.dtype(),
        right.dtype()
    ))
}
