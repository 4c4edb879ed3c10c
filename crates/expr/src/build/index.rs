//! Typing of `object[index]` and `object.get(index, default)`.

use pathway_types::storage::is_encoded;
use pathway_types::{DType, Value};

use crate::{Expr, ExprError, ExprKind};

impl Expr {
    /// `object[index]`: a missing element is an error (sequences) or JSON null (Json).
    ///
    /// # Errors
    /// [`ExprError::Type`] for other objects or indices; [`ExprError::Index`] for a constant index
    /// outside a tuple.
    pub fn get_item(object: Expr, index: Expr) -> Result<Expr, ExprError> {
        let dtype = match object.dtype() {
            DType::Json => DType::Json,
            other => {
                check_sequence(&object, &index)?;
                match other {
                    DType::Tuple(members) => match constant_index(&index) {
                        Some(i) => match member_position(i, members.len()) {
                            Some(position) => members[position].clone(),
                            None => {
                                return Err(ExprError::Index(format!(
                                    "the index {i} is outside of the tuple {other}, which has {} members",
                                    members.len()
                                )));
                            }
                        },
                        None => common_member(members),
                    },
                    DType::List(member) => (**member).clone(),
                    DType::Array { n_dim, element } => array_item(*n_dim, element),
                    _ => DType::Any,
                }
            }
        };
        Ok(Expr::node(ExprKind::GetItem(object, index), dtype))
    }

    /// `object.get(index, default)`: a missing element is the default.
    ///
    /// # Errors
    /// [`ExprError::Type`] for other objects, indices or defaults.
    pub fn get(object: Expr, index: Expr, default: Expr) -> Result<Expr, ExprError> {
        let dtype = match object.dtype() {
            DType::Json => match default.dtype() {
                DType::Json => DType::Json,
                DType::None => DType::optional(DType::Json),
                DType::Optional(inner) if **inner == DType::Json => DType::optional(DType::Json),
                other => {
                    return Err(ExprError::Type(format!(
                        "the default of get on a Json column must be Json or None, it is {other}"
                    )));
                }
            },
            other => {
                check_sequence(&object, &index)?;
                match other {
                    DType::Tuple(members) => match constant_index(&index) {
                        Some(i) => match member_position(i, members.len()) {
                            Some(position) => members[position].clone(),
                            None => default.dtype().clone(),
                        },
                        None => DType::common_type_or_any(&common_member(members), default.dtype()),
                    },
                    DType::List(member) => DType::common_type_or_any(member, default.dtype()),
                    DType::Array { n_dim, element } => {
                        let item = array_item(*n_dim, element);
                        // Encoded cells take any default, and None is none that changes the type: programs
                        // go on computing with what they get.
                        if is_encoded(&item) || *default.dtype() == DType::None {
                            item
                        } else {
                            DType::common_type_or_any(&item, default.dtype())
                        }
                    }
                    _ => DType::Any,
                }
            }
        };
        // A default that a constant index makes unreachable keeps its own type.
        let default =
            if default.dtype().is_subtype_of(&dtype, true) { default.coerce(&dtype) } else { default };
        Ok(Expr::node(ExprKind::Get(object, index, default), dtype))
    }
}

fn check_sequence(object: &Expr, index: &Expr) -> Result<(), ExprError> {
    match object.dtype() {
        DType::Tuple(_) | DType::List(_) | DType::Array { .. } | DType::Any => {}
        DType::Optional(inner) => {
            return Err(ExprError::Type(format!(
                "elements of a column of type {} cannot be taken while it may be None; use unwrap, coalesce or a \
                 filter on is_not_none() first (the type inside is {inner})",
                object.dtype()
            )));
        }
        other => {
            return Err(ExprError::Type(format!(
                "a column of type {other} has no elements: indexing works on Json, tuples, lists and arrays"
            )));
        }
    }
    if *index.dtype() != DType::Int {
        return Err(ExprError::Type(format!("the index must be INT, it is {}", index.dtype())));
    }
    Ok(())
}

fn constant_index(index: &Expr) -> Option<i64> {
    match index.as_constant() {
        Some(Value::Int(i)) => Some(*i),
        _ => None,
    }
}

/// The position that a possibly negative index means.
pub(crate) fn member_position(index: i64, len: usize) -> Option<usize> {
    let len = len as i64;
    let position = if index < 0 { index.checked_add(len)? } else { index };
    (0..len).contains(&position).then_some(position as usize)
}

fn common_member(members: &[DType]) -> DType {
    let mut members = members.iter();
    let Some(first) = members.next() else {
        return DType::Any;
    };
    members.fold(first.clone(), |common, member| DType::common_type_or_any(&common, member))
}

fn array_item(n_dim: Option<usize>, element: &DType) -> DType {
    match n_dim {
        Some(0 | 1) => element.clone(),
        Some(n) => DType::array(Some(n - 1), element.clone()),
        None => DType::array(None, element.clone()),
    }
}
