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
        DType::common(left, right, true)
    }

    /// The least common supertype, or `Any` (`List(ANY)`, `Array`) where there is none.
    pub fn common_type_or_any(left: &DType, right: &DType) -> DType {
        match DType::common(left, right, true) {
            Ok(common) => common,
            Err(_) => match (left.unoptional(), right.unoptional()) {
                (l, r) if l.is_sequence() && r.is_sequence() => {
                    let list = DType::any_tuple();
                    if left.is_optional() || right.is_optional() { DType::optional(list) } else { list }
                }
                (DType::Array { n_dim: ln, .. }, DType::Array { n_dim: rn, .. }) => {
                    let array = DType::array(if ln == rn { *ln } else { None }, DType::Any);
                    if left.is_optional() || right.is_optional() { DType::optional(array) } else { array }
                }
                _ => DType::Any,
            },
        }
    }

    fn common(left: &DType, right: &DType, int_as_float: bool) -> Result<DType, NoCommonType> {
        let fail = || NoCommonType { left: left.clone(), right: right.clone() };
        let lists = |l: &[DType], r: &[DType], int_as_float: bool| {
            l.iter().zip(r).map(|(l, r)| DType::common(l, r, int_as_float)).collect::<Result<Arc<[_]>, _>>()
        };
        if left.is_optional() || right.is_optional() {
            let common = DType::common(left.unoptional(), right.unoptional(), int_as_float);
            return Ok(DType::optional(common.map_err(|_| fail())?));
        }
        match (left, right) {
            (l, r) if l.is_sequence() && r.is_sequence() => {
                if l.is_any_tuple() || r.is_any_tuple() {
                    return Ok(DType::any_tuple());
                }
                let common = match (l, r) {
                    (DType::List(l), DType::List(r)) => DType::common(l, r, int_as_float).map(DType::list),
                    (DType::List(l), DType::Tuple(rs)) => {
                        lists(&vec![(**l).clone(); rs.len()], rs, int_as_float).map(DType::Tuple)
                    }
                    (DType::Tuple(ls), DType::List(r)) => {
                        lists(ls, &vec![(**r).clone(); ls.len()], int_as_float).map(DType::Tuple)
                    }
                    (DType::Tuple(ls), DType::Tuple(rs)) if ls.len() == rs.len() => {
                        lists(ls, rs, int_as_float).map(DType::Tuple)
                    }
                    _ => Err(fail()),
                };
                common.map_err(|_| fail())
            }
            (DType::Array { n_dim: ln, element: le }, DType::Array { n_dim: rn, element: re }) => {
                let n_dim = if ln == rn { *ln } else { None };
                match (&**le, &**re) {
                    (l, r) if l == r => Ok(DType::array(n_dim, l.clone())),
                    (DType::Any, _) | (_, DType::Any) => Ok(DType::array(n_dim, DType::Any)),
                    _ => Err(fail()),
                }
            }
            (DType::Pointer(None), DType::Pointer(_)) | (DType::Pointer(_), DType::Pointer(None)) => {
                Ok(DType::ANY_POINTER)
            }
            (DType::Pointer(Some(ls)), DType::Pointer(Some(rs))) => {
                if ls.len() != rs.len() {
                    return Err(fail());
                }
                Ok(DType::Pointer(Some(lists(ls, rs, false).map_err(|_| fail())?)))
            }
            (DType::Any, _) | (_, DType::Any) => Ok(DType::Any),
            (l, r) if l.is_subtype_of(r, int_as_float) => Ok(r.clone()),
            (l, r) if r.is_subtype_of(l, int_as_float) => Ok(l.clone()),
            (DType::None, other) | (other, DType::None) => Ok(DType::optional(other.clone())),
            _ => Err(fail()),
        }
    }
}
