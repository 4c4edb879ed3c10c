//! Typing of unary and binary operators.
//!
//! An operator that does not take Optional operands works on the values in them, and gives None where
//! one of them is None. Equality takes None itself. For `&` and `|` None is a truth value that is not
//! known, which the other side may settle.

use pathway_types::{DType, Value};

use crate::{BinaryOp, Expr, ExprError, ExprKind, UnaryOp};

impl Expr {
    /// `left op right`.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the operator does not take these types.
    pub fn binary(op: BinaryOp, left: Expr, right: Expr) -> Result<Expr, ExprError> {
        let (l, r) = (&left, &right);
        let (left, right) = meet_int_and_float(l.clone(), r.clone());
        let dtype = match result_type(op, left.dtype(), right.dtype()) {
            Some(dtype) => dtype,
            None => return binary_of_values(op, l, r).unwrap_or_else(|| Err(refusal(op, l, r))),
        };
        // What `~` and the like may still learn from the tree stays visible: no folding here.
        Ok(Expr::node(ExprKind::Binary(op, left, right), dtype))
    }

    /// `op operand`. A negated None test becomes the opposite test, a double negation the operand.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the operator does not take this type.
    pub fn unary(op: UnaryOp, operand: Expr) -> Result<Expr, ExprError> {
        let dtype = operand.dtype().clone();
        match (op, &dtype) {
            (UnaryOp::Not, DType::Bool) => match operand.kind() {
                ExprKind::Unary(UnaryOp::Not, inner) => return Ok(inner.clone()),
                ExprKind::IsNone(inner) => return Expr::is_not_none(inner.clone()),
                ExprKind::IsNotNone(inner) => return Expr::is_none(inner.clone()),
                _ => {}
            },
            (UnaryOp::Neg, DType::Int | DType::Float | DType::Duration | DType::Array { .. }) => {}
            (UnaryOp::Neg, DType::Any | DType::Json) => {}
            (_, DType::Optional(_)) => {
                return match Expr::unary(op, Expr::narrow(operand.clone())) {
                    Ok(value) => Expr::require(value, vec![operand]),
                    Err(_) => Err(unary_refusal(op, &dtype)),
                };
            }
            _ => return Err(unary_refusal(op, &dtype)),
        }
        Ok(Expr::node(ExprKind::Unary(op, operand), dtype))
    }
}

/// `op` of the values in Optional operands; `None` if there is none or the operator does not take the
/// types inside either.
fn binary_of_values(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Result<Expr, ExprError>> {
    if !(left.dtype().is_optional() || right.dtype().is_optional()) {
        return None;
    }
    let (l, r) = (Expr::narrow(left.clone()), Expr::narrow(right.clone()));
    if matches!(op, BinaryOp::And | BinaryOp::Or) && [&l, &r].iter().all(|e| *e.dtype() == DType::Bool) {
        return Some(logic_with_unknown(op, left, right));
    }
    let value = Expr::binary(op, l, r).ok()?;
    Some(Expr::require(value, deciding([left, right])))
}

/// The operands that can be None or an error, of which the first one that is decides. An argument that is
/// left out is not one of them.
pub(super) fn deciding<'a>(operands: impl IntoIterator<Item = &'a Expr>) -> Vec<Expr> {
    operands.into_iter().filter(|e| e.dtype().is_optional() || e.as_constant().is_none()).cloned().collect()
}

/// `&` and `|` of Optional(BOOL): a side that settles the result does so beside None, too.
fn logic_with_unknown(op: BinaryOp, left: &Expr, right: &Expr) -> Result<Expr, ExprError> {
    let constant = |value: bool| Expr::literal(Value::Bool(value));
    // What settles nothing: True beside `&`, False beside `|`.
    let neutral = op == BinaryOp::And;
    let known = |side: &Expr| Expr::coalesce(vec![side.clone(), constant(neutral)]);
    let open = Expr::binary(op, known(left)?, known(right)?)?;
    let unsettled = Expr::require(constant(neutral), vec![left.clone(), right.clone()])?;
    if neutral {
        Expr::if_else(open, unsettled, constant(false))
    } else {
        Expr::if_else(open, constant(true), unsettled)
    }
}

fn unary_refusal(op: UnaryOp, dtype: &DType) -> ExprError {
    let (name, takes) = match op {
        UnaryOp::Not => ("inv", "BOOL"),
        UnaryOp::Neg => ("neg", "INT, FLOAT, DURATION, arrays, Json and ANY"),
    };
    ExprError::Type(format!("the unary operator {name} is not defined on {dtype}; it takes {takes}"))
}

/// Where one side is INT and the other FLOAT (Optional or not), both become their common type.
fn meet_int_and_float(left: Expr, right: Expr) -> (Expr, Expr) {
    match (left.dtype().unoptional(), right.dtype().unoptional()) {
        (DType::Int, DType::Float) | (DType::Float, DType::Int) => {
            let common = DType::common_type_or_any(left.dtype(), right.dtype());
            (left.coerce(&common), right.coerce(&common))
        }
        _ => (left, right),
    }
}

/// The dtype of `left op right`; `None` if the operator does not take these types.
pub(crate) fn result_type(op: BinaryOp, left: &DType, right: &DType) -> Option<DType> {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, MatMul, Ne};
    let comparison = matches!(op, Eq | Ne | Lt | Le | Gt | Ge);
    let equality = matches!(op, Eq | Ne);
    if comparison && left.is_pointer() && right.is_pointer() {
        return pointers_match(left, right).then_some(DType::Bool);
    }
    if let Some(dtype) = table(op, left, right) {
        return Some(dtype);
    }
    if op == MatMul {
        return matmul_type(left, right);
    }
    if let Some(dtype) = elementwise_type(op, left, right).or_else(|| dynamic_type(op, left, right)) {
        return Some(dtype);
    }
    if !comparison || !equality && (left.admits_none() || right.admits_none()) {
        return None;
    }
    let (left, right) = (left.unoptional(), right.unoptional());
    if equality {
        if left == right || *left == DType::None || *right == DType::None {
            return Some(DType::Bool);
        }
        if left.is_pointer() && right.is_pointer() {
            return pointers_match(left, right).then_some(DType::Bool);
        }
    }
    sequences_compare(op, left, right).then_some(DType::Bool)
}

/// The operators on plain (not Optional) types.
fn table(op: BinaryOp, left: &DType, right: &DType) -> Option<DType> {
    use BinaryOp::{
        Add, And, Eq, FloorDiv, Ge, Gt, LShift, Le, Lt, MatMul, Mod, Mul, Ne, Or, Pow, RShift, Sub, TrueDiv,
        Xor,
    };
    use DType::{Bool, DateTimeNaive, DateTimeUtc, Duration, Float, Int, Str};
    Some(match (op, left, right) {
        (Add | Sub | Mul | FloorDiv | Mod | Pow | LShift | RShift, Int, Int) => Int,
        (Add | Sub | Mul | TrueDiv | FloorDiv | Mod | Pow, Float, Float) => Float,
        (TrueDiv, Int, Int) => Float,
        (Add, Str, Str) | (Mul, Str, Int) | (Mul, Int, Str) => Str,
        (Add | Sub | Mod, Duration, Duration) => Duration,
        (Add, DateTimeNaive, Duration) | (Add, Duration, DateTimeNaive) => DateTimeNaive,
        (Add, DateTimeUtc, Duration) | (Add, Duration, DateTimeUtc) => DateTimeUtc,
        (Sub, DateTimeNaive, DateTimeNaive) | (Sub, DateTimeUtc, DateTimeUtc) => Duration,
        (Sub, DateTimeNaive, Duration) => DateTimeNaive,
        (Sub, DateTimeUtc, Duration) => DateTimeUtc,
        (Mul, Duration, Int | Float) | (Mul, Int | Float, Duration) => Duration,
        (TrueDiv, Duration, Duration) => Float,
        (TrueDiv, Duration, Int | Float) => Duration,
        (FloorDiv, Duration, Duration) => Int,
        (FloorDiv, Duration, Int) => Duration,
        (And | Or | Xor, Bool, Bool) => Bool,
        (And | Or | Xor, Int, Int) => Int,
        (Eq | Ne | Lt | Le | Gt | Ge, left, right)
            if left == right
                && matches!(left, Int | Float | Bool | Str | DateTimeNaive | DateTimeUtc | Duration) =>
        {
            Bool
        }
        (MatMul, ..) => return None,
        _ => return None,
    })
}

/// Pointers compare if the values they were hashed from can be the same.
pub(crate) fn pointers_match(left: &DType, right: &DType) -> bool {
    DType::common_type(left.unoptional(), right.unoptional()).is_ok()
}

/// True if the values of this type are looked at before it is known what an operator does with them.
pub(crate) fn is_dynamic(dtype: &DType) -> bool {
    matches!(dtype, DType::Any | DType::Json)
}

/// True for `+`, `-`, `*`, `/`, `//`, `%`, `**`.
pub(crate) fn is_arithmetic(op: BinaryOp) -> bool {
    use BinaryOp::{Add, FloorDiv, Mod, Mul, Pow, Sub, TrueDiv};
    matches!(op, Add | Sub | Mul | TrueDiv | FloorDiv | Mod | Pow)
}

/// The type of arithmetic and order where one side is ANY or Json; `None` if the other side makes sense with
/// no value there.
fn dynamic_type(op: BinaryOp, left: &DType, right: &DType) -> Option<DType> {
    use BinaryOp::{Ge, Gt, Le, Lt};
    let order = matches!(op, Lt | Le | Gt | Ge);
    if !order && !is_arithmetic(op) || !is_dynamic(left) && !is_dynamic(right) {
        return None;
    }
    let any = *left == DType::Any || *right == DType::Any;
    let is_array = |dtype: &DType| matches!(dtype, DType::Array { .. });
    let meet = |l: &DType, r: &DType| match (l, r) {
        (DType::Int, DType::Float) | (DType::Float, DType::Int) => true,
        (l, r) if l.is_sequence() && r.is_sequence() || l.is_pointer() && r.is_pointer() => order,
        (l, r) => table(op, l, r).or_else(|| elementwise_type(op, l, r)).is_some(),
    };
    let lefts = values_of(left);
    let rights = values_of(right);
    if !lefts.iter().any(|l| rights.iter().any(|r| meet(l, r))) {
        return None;
    }
    Some(match () {
        () if order => DType::optional(DType::Bool),
        // An array is no Json.
        () if any || is_array(left) || is_array(right) => DType::Any,
        () => DType::Json,
    })
}

/// The types of the values that a column of this type can hold, as far as operators take them.
fn values_of(dtype: &DType) -> Vec<DType> {
    use DType::{Bool, DateTimeNaive, DateTimeUtc, Duration, Float, Int, Str};
    let json = [Int, Float, Str, Bool, DType::any_tuple()];
    match dtype {
        DType::Json => json.into(),
        DType::Any => {
            let more =
                [Duration, DateTimeNaive, DateTimeUtc, DType::ANY_POINTER, DType::array(None, DType::Any)];
            json.into_iter().chain(more).collect()
        }
        other => vec![other.clone()],
    }
}

/// The type of arithmetic of arrays, or of an array and a number.
fn elementwise_type(op: BinaryOp, left: &DType, right: &DType) -> Option<DType> {
    /// The number of dimensions, if it is known, and the type of the elements.
    fn side(dtype: &DType) -> Option<(Option<usize>, &DType)> {
        match dtype {
            DType::Array { n_dim, element } => Some((*n_dim, &**element)),
            DType::Int | DType::Float => Some((Some(0), dtype)),
            _ => None,
        }
    }
    let is_array = |dtype: &DType| matches!(dtype, DType::Array { .. });
    if !is_arithmetic(op) || !(is_array(left) || is_array(right)) {
        return None;
    }
    let ((left_dim, left), (right_dim, right)) = (side(left)?, side(right)?);
    let element = match (left, right) {
        _ if op == BinaryOp::TrueDiv => DType::Float,
        (DType::Float, _) | (_, DType::Float) => DType::Float,
        (DType::Int, DType::Int) => DType::Int,
        _ => DType::Any,
    };
    Some(DType::array(left_dim.zip(right_dim).map(|(l, r)| l.max(r)), element))
}

/// The type of a matrix product, as far as it follows from the operands' types.
fn matmul_type(left: &DType, right: &DType) -> Option<DType> {
    let (DType::Array { n_dim: ln, element: le }, DType::Array { n_dim: rn, element: re }) = (left, right)
    else {
        return None;
    };
    if let (Some(1), Some(1), DType::Int | DType::Float, true) = (ln, rn, &**le, le == re) {
        return Some((**le).clone());
    }
    let n_dim = match (ln, rn) {
        (Some(l), Some(r)) if *l >= 1 && *r >= 1 => match (*l, *r) {
            (1, 1) => Some(0),
            (1, n) | (n, 1) => Some(n - 1),
            (l, r) => Some(l.max(r)),
        },
        _ => None,
    };
    let element = if le == re { (**le).clone() } else { DType::Any };
    Some(DType::array(n_dim, element))
}

/// Tuples and lists compare member by member.
fn sequences_compare(op: BinaryOp, left: &DType, right: &DType) -> bool {
    let members = |l: &DType, r: &DType| match (l, r) {
        (DType::Int, DType::Float) | (DType::Float, DType::Int) => true,
        (l, r) => match (l.unoptional(), r.unoptional()) {
            (DType::Int, DType::Float) | (DType::Float, DType::Int) => {
                matches!(op, BinaryOp::Eq | BinaryOp::Ne)
            }
            _ => result_type(op, l, r) == Some(DType::Bool),
        },
    };
    match (left, right) {
        (l, r) if !(l.is_sequence() && r.is_sequence()) => false,
        (l, r) if l.is_any_tuple() || r.is_any_tuple() => true,
        (DType::List(l), DType::List(r)) => members(l, r),
        (DType::List(l), DType::Tuple(rs)) => rs.iter().all(|r| members(l, r)),
        (DType::Tuple(ls), DType::List(r)) => ls.iter().all(|l| members(l, r)),
        (DType::Tuple(ls), DType::Tuple(rs)) => {
            ls.len() == rs.len() && ls.iter().zip(rs.iter()).all(|(l, r)| members(l, r))
        }
        _ => false,
    }
}

fn refusal(op: BinaryOp, left: &Expr, right: &Expr) -> ExprError {
    let (l, r) = (left.dtype(), right.dtype());
    let name = op.name();
    if l.unoptional().is_pointer() && r.unoptional().is_pointer() {
        return ExprError::Type(format!(
            "the operator {name} cannot compare the pointers {l} and {r}: they come from different kinds of \
             values and so can never be equal"
        ));
    }
    let hint = if *l == DType::Any || *r == DType::Any {
        "; tell the type with declare_type or cast first"
    } else if *l == DType::Json || *r == DType::Json {
        "; convert Json first, with as_int, as_float, as_str or as_bool"
    } else {
        ""
    };
    ExprError::Type(format!("the binary operator {name} is not defined on columns of types {l}, {r}{hint}"))
}

impl BinaryOp {
    /// The name of the operator's function in Python's `operator` module.
    pub fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::TrueDiv => "truediv",
            BinaryOp::FloorDiv => "floordiv",
            BinaryOp::Mod => "mod",
            BinaryOp::Pow => "pow",
            BinaryOp::MatMul => "matmul",
            BinaryOp::LShift => "lshift",
            BinaryOp::RShift => "rshift",
            BinaryOp::And => "and_",
            BinaryOp::Or => "or_",
            BinaryOp::Xor => "xor",
            BinaryOp::Eq => "eq",
            BinaryOp::Ne => "ne",
            BinaryOp::Lt => "lt",
            BinaryOp::Le => "le",
            BinaryOp::Gt => "gt",
            BinaryOp::Ge => "ge",
        }
    }
}
