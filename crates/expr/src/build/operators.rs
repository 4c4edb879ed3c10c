//! Typing of unary and binary operators.

use pathway_types::DType;

use crate::{BinaryOp, Expr, ExprError, ExprKind, UnaryOp};

impl Expr {
    /// `left op right`.
    ///
    /// # Errors
    /// [`ExprError::Type`] if the operator does not take these types.
    pub fn binary(op: BinaryOp, left: Expr, right: Expr) -> Result<Expr, ExprError> {
        let (left, right) = meet_int_and_float(left, right);
        let dtype = match result_type(op, left.dtype(), right.dtype()) {
            Some(dtype) => dtype,
            None => return Err(refusal(op, &left, &right)),
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
            (UnaryOp::Neg, DType::Int | DType::Float | DType::Duration) => {}
            _ => {
                let (name, takes) = match op {
                    UnaryOp::Not => ("inv", "BOOL"),
                    UnaryOp::Neg => ("neg", "INT, FLOAT and DURATION"),
                };
                return Err(ExprError::Type(format!(
                    "the unary operator {name} is not defined on {dtype}; it takes {takes}"
                )));
            }
        }
        Ok(Expr::node(ExprKind::Unary(op, operand), dtype))
    }
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
    if let Some(dtype) = elementwise_type(op, left, right) {
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

/// The type of a sum, difference, product or quotient of arrays, or of an array and a number.
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
    let arithmetic = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::TrueDiv);
    if !arithmetic || !(is_array(left) || is_array(right)) {
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
            _ => result_type(op, l, r).is_some(),
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
    let hint = if l.is_optional() || r.is_optional() {
        "; remove None first, with coalesce, unwrap, or a filter on is_not_none()"
    } else if *l == DType::Any || *r == DType::Any {
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
