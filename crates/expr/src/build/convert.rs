//! Typing of casts, relabelling, Json conversion and text.

use pathway_types::DType;

use crate::layout::same_layout;
use crate::{Expr, ExprError, ExprKind};

impl Expr {
    /// The operand's values converted to `target`.
    ///
    /// # Errors
    /// [`ExprError::Type`] if there is no such conversion.
    pub fn cast(target: DType, operand: Expr) -> Result<Expr, ExprError> {
        let from = operand.dtype();
        if castable(from, &target) {
            return Ok(operand.coerce(&target));
        }
        let hint = if from.unoptional() == &target {
            "; use unwrap or coalesce to remove None"
        } else if *from == DType::Any {
            "; use declare_type if the values are of that type already"
        } else if *from.unoptional() == DType::Json {
            "; use as_int, as_float, as_str or as_bool"
        } else if target == DType::Str {
            "; use to_string for a text form of any value"
        } else {
            ""
        };
        Err(ExprError::Type(format!("there is no cast from {from} to {target}{hint}")))
    }

    /// The operand's values under another dtype, one of which must be a subtype of the other.
    ///
    /// # Errors
    /// [`ExprError::Type`] if they are unrelated.
    pub fn declare_type(target: DType, operand: Expr) -> Result<Expr, ExprError> {
        let from = operand.dtype();
        if *from == target {
            return Ok(operand);
        }
        if !(from.is_subtype_of(&target, true) || target.is_subtype_of(from, true)) {
            return Err(ExprError::Type(format!(
                "a column of type {from} cannot be declared to be {target}: neither type is a special case of \
                 the other. Use cast to convert the values."
            )));
        }
        Ok(Expr::node(ExprKind::DeclareType(operand), target))
    }

    /// An Optional operand relabelled as the type inside, where the caller knows that None does not
    /// occur (or that the result is not looked at where it does).
    pub fn narrow(operand: Expr) -> Expr {
        match operand.dtype() {
            DType::Optional(inner) => {
                let dtype = (**inner).clone();
                Expr::node(ExprKind::DeclareType(operand), dtype)
            }
            _ => operand,
        }
    }

    /// Json to INT, FLOAT, STR or BOOL.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the operand is not Json or the default is not of the target type.
    pub fn from_json(
        target: DType,
        operand: Expr,
        default: Option<Expr>,
        unwrap: bool,
    ) -> Result<Expr, ExprError> {
        let name = match target {
            DType::Int => "as_int",
            DType::Float => "as_float",
            DType::Str => "as_str",
            DType::Bool => "as_bool",
            _ => return Err(ExprError::Type(format!("Json cannot be converted to {target}"))),
        };
        if *operand.dtype().unoptional() != DType::Json {
            return Err(ExprError::Type(format!(
                "pathway.{name} works on Json columns only, this column is of type {}",
                operand.dtype()
            )));
        }
        // A literal None is the same as no default.
        let default = default.filter(|d| *d.dtype() != DType::None);
        let mut dtype = if unwrap { target.clone() } else { DType::optional(target.clone()) };
        let default = match default {
            None => None,
            Some(default) => {
                if !default.dtype().unoptional().is_subtype_of(&target, true) {
                    return Err(ExprError::Type(format!(
                        "the default of pathway.{name} must be {target} or None, it is {}",
                        default.dtype()
                    )));
                }
                if !default.dtype().is_optional() {
                    dtype = target.clone();
                }
                let wanted = if default.dtype().is_optional() { DType::optional(target) } else { target };
                Some(default.coerce(&wanted))
            }
        };
        Ok(Expr::node(ExprKind::FromJson { operand, default, unwrap }, dtype))
    }

    /// The engine's text form of any value.
    ///
    /// # Errors
    /// None at present; the signature is that of its kind.
    pub fn to_string(operand: Expr) -> Result<Expr, ExprError> {
        Ok(Expr::node(ExprKind::ToString(operand), DType::Str))
    }

    /// The same values as `target`, which the caller knows to take them: only a new label where both
    /// types have one layout, a conversion otherwise.
    pub(crate) fn coerce(self, target: &DType) -> Expr {
        if self.dtype() == target {
            return self;
        }
        let kind = if same_layout(self.dtype(), target) {
            ExprKind::DeclareType(self)
        } else {
            ExprKind::Cast(self)
        };
        Expr::node(kind, target.clone())
    }
}

/// True if `cast` has a conversion between these types.
fn castable(from: &DType, to: &DType) -> bool {
    use DType::{Bool, Float, Int, Str};
    let simple = |from: &DType, to: &DType| {
        from != to
            && matches!((from, to), (Int | Float | Bool | Str, Int | Float | Str) | (Int | Float | Str, Bool))
    };
    // Every pointer is the same 128 bits, whatever values it was made from.
    let pointers =
        |from: &DType, to: &DType| from.is_pointer() && to.is_pointer() || from.is_subtype_of(to, true);
    match (from, to) {
        _ if pointers(from, to) => true,
        (DType::Optional(from), DType::Optional(to)) => pointers(from, to) || simple(from, to),
        (DType::Optional(from), to) => simple(from, to),
        (from, DType::Optional(to)) => pointers(from, to) || simple(from, to),
        (from, to) => simple(from, to),
    }
}
