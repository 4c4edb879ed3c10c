//! When one dtype may stand for another, and the least type that takes two.

use std::sync::Arc;

use super::DType;

/// Two dtypes have no common supertype.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the types {left} and {right} have no common type")]
pub struct NoCommonType {
    /// One type.
    pub left: DType,
    /// The other.
    pub right: DType,
}

impl DType {
    /// True if every value of `self` is a value of `other`; `int_as_float` lets INT pass for FLOAT.
    ///
    /// The first matching rule decides; sequences broadcast a list to the other side's length, and
    /// `List(ANY)` on either side fits any sequence.
    pub fn is_subtype_of(&self, other: &DType, int_as_float: bool) -> bool {
        match (self, other) {
            (_, DType::Any) => true,
            (DType::Optional(left), DType::Optional(right)) => left.is_subtype_of(right, int_as_float),
            (DType::Optional(_), _) => false,
            (DType::None, right) => matches!(right, DType::Optional(_) | DType::None),
            (left, DType::Optional(right)) => left.is_subtype_of(right, int_as_float),
            (left, right) if left.is_sequence() && right.is_sequence() => {
                if left.is_any_tuple() || right.is_any_tuple() {
                    return true;
                }
                match (left, right) {
                    (DType::List(l), DType::List(r)) => l.is_subtype_of(r, int_as_float),
                    (DType::List(l), DType::Tuple(rs)) => rs.iter().all(|r| l.is_subtype_of(r, int_as_float)),
                    (DType::Tuple(ls), DType::List(r)) => ls.iter().all(|l| l.is_subtype_of(r, int_as_float)),
                    (DType::Tuple(ls), DType::Tuple(rs)) => {
                        ls.len() == rs.len()
                            && ls.iter().zip(rs.iter()).all(|(l, r)| l.is_subtype_of(r, int_as_float))
                    }
                    _ => false,
                }
            }
            (DType::Array { n_dim: ln, element: le }, DType::Array { n_dim: rn, element: re }) => {
                (ln == rn || ln.is_none() || rn.is_none())
                    && (le == re || **le == DType::Any || **re == DType::Any)
            }
            (DType::Pointer(None), DType::Pointer(_)) | (DType::Pointer(_), DType::Pointer(None)) => true,
            (DType::Pointer(Some(ls)), DType::Pointer(Some(rs))) => {
                ls.len() == rs.len() && ls.iter().zip(rs.iter()).all(|(l, r)| l.is_subtype_of(r, false))
            }
            (DType::Int, DType::Float) => int_as_float,
            (DType::Callable(..), DType::Callable(..)) => true,
            (left, right) => left == right,
        }
    }

    /// True if each is a subtype of the other.
    pub fn is_equivalent_to(&self, other: &DType) -> bool {
        self.is_subtype_of(other, true) && other.is_subtype_of(self, true)
    }

    /// True for `List(ANY)`, which fits every sequence.
    pub fn is_any_tuple(&self) -> bool {
        matches!(self, DType::List(member) if **member == DType::Any)
    }

    /// The least common supertype.
    ///
    /// # Errors
    /// [`NoCommonType`] if there is none (ANY is a common type only of ANY and something).
    pub fn common_type(left: &DType, right: &DType) -> Result<DType, NoCommonType> {
        let otherwise = |_: DType| Err(NoCommonType { left: left.clone(), right: right.clone() });
        DType::common(left, right, true, &otherwise)
    }

    /// The least common supertype. Parts that have none become ANY; tuples of different lengths
    /// become `List(ANY)`, pointers of different numbers of values plain pointers.
    pub fn common_type_or_any(left: &DType, right: &DType) -> DType {
        DType::common(left, right, true, &|otherwise| Ok(otherwise)).unwrap_or(DType::Any)
    }

    /// `otherwise` decides what becomes of two types without a common one; it is given the type that takes both.
    fn common(
        left: &DType,
        right: &DType,
        int_as_float: bool,
        otherwise: &dyn Fn(DType) -> Result<DType, NoCommonType>,
    ) -> Result<DType, NoCommonType> {
        let common = |l: &DType, r: &DType| DType::common(l, r, int_as_float, otherwise);
        if left.is_optional() || right.is_optional() {
            return common(left.unoptional(), right.unoptional()).map(DType::optional);
        }
        match (left, right) {
            (l, r) if l.is_sequence() && r.is_sequence() => {
                if l.is_any_tuple() || r.is_any_tuple() {
                    return Ok(DType::any_tuple());
                }
                let members: Result<Arc<[_]>, _> = match (l, r) {
                    (DType::List(l), DType::List(r)) => return common(l, r).map(DType::list),
                    (DType::List(l), DType::Tuple(rs)) => rs.iter().map(|r| common(l, r)).collect(),
                    (DType::Tuple(ls), DType::List(r)) => ls.iter().map(|l| common(l, r)).collect(),
                    (DType::Tuple(ls), DType::Tuple(rs)) if ls.len() == rs.len() => {
                        ls.iter().zip(rs.iter()).map(|(l, r)| common(l, r)).collect()
                    }
                    _ => return otherwise(DType::any_tuple()),
                };
                members.map(DType::Tuple)
            }
            (DType::Array { n_dim: ln, element: le }, DType::Array { n_dim: rn, element: re }) => {
                let n_dim = if ln == rn { *ln } else { None };
                match (&**le, &**re) {
                    (l, r) if l == r => Ok(DType::array(n_dim, l.clone())),
                    (DType::Any, _) | (_, DType::Any) => Ok(DType::array(n_dim, DType::Any)),
                    _ => otherwise(DType::array(n_dim, DType::Any)),
                }
            }
            (DType::Pointer(None), DType::Pointer(_)) | (DType::Pointer(_), DType::Pointer(None)) => {
                Ok(DType::ANY_POINTER)
            }
            (DType::Pointer(Some(ls)), DType::Pointer(Some(rs))) => {
                if ls.len() != rs.len() {
                    return otherwise(DType::ANY_POINTER);
                }
                let members = ls.iter().zip(rs.iter()).map(|(l, r)| DType::common(l, r, false, otherwise));
                members.collect::<Result<Arc<[_]>, _>>().map(|members| DType::Pointer(Some(members)))
            }
            (DType::Any, _) | (_, DType::Any) => Ok(DType::Any),
            (l, r) if l.is_subtype_of(r, int_as_float) => Ok(r.clone()),
            (l, r) if r.is_subtype_of(l, int_as_float) => Ok(l.clone()),
            (DType::None, other) | (other, DType::None) => Ok(DType::optional(other.clone())),
            _ => otherwise(DType::Any),
        }
    }
}
