//! The dtypes of columns: what they are, how they normalise, how they print.
//!
//! `relations` holds the subtype and common-type rules, `notation` the text and dictionary forms.

use std::fmt;
use std::sync::Arc;

mod notation;
mod relations;

pub use notation::{DTypeNotation, ParseDTypeError};
pub use relations::NoCommonType;

/// The type of a column's cells.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum DType {
    /// Signed 64-bit integers.
    Int,
    /// IEEE doubles.
    Float,
    /// Booleans.
    Bool,
    /// UTF-8 text.
    Str,
    /// Byte strings.
    Bytes,
    /// Only None.
    None,
    /// Any value.
    Any,
    /// None or a value of the wrapped type (never Optional, Any or None itself).
    Optional(Arc<DType>),
    /// Row keys; with the dtypes of the hashed values where they are known.
    Pointer(Option<Arc<[DType]>>),
    /// Tuples of fixed length.
    Tuple(Arc<[DType]>),
    /// Tuples of any length with members of one type.
    List(Arc<DType>),
    /// n-dimensional arrays; the element type is Int, Float or Any (unknown).
    Array {
        /// Number of dimensions where it is known.
        n_dim: Option<usize>,
        /// The element type.
        element: Arc<DType>,
    },
    /// JSON values, JSON null included.
    Json,
    /// Nanoseconds since the epoch, without a zone.
    DateTimeNaive,
    /// Nanoseconds since the epoch, UTC.
    DateTimeUtc,
    /// A signed number of nanoseconds.
    Duration,
    /// Python objects; the text names the class and is not enforced by the engine.
    PyObject(Arc<str>),
    /// A value or a result that is still pending.
    Future(Arc<DType>),
    /// Column methods of class transformers; arguments where known, and the result.
    Callable(Option<Arc<[DType]>>, Arc<DType>),
}

impl DType {
    /// A pointer to anything.
    pub const ANY_POINTER: DType = DType::Pointer(None);

    /// `Optional(inner)`, normalised: Optional of Optional, Any or None is the inner type itself.
    pub fn optional(inner: DType) -> DType {
        match inner {
            DType::Optional(_) | DType::Any | DType::None => inner,
            other => DType::Optional(Arc::new(other)),
        }
    }
    /// `Future(inner)`; a future of a future is the inner future.
    pub fn future(inner: DType) -> DType {
        match inner {
            DType::Future(_) => inner,
            other => DType::Future(Arc::new(other)),
        }
    }
    /// `List(member)`.
    pub fn list(member: DType) -> DType {
        DType::List(Arc::new(member))
    }
    /// The untyped sequence, `List(ANY)`.
    pub fn any_tuple() -> DType {
        DType::list(DType::Any)
    }
    /// `Tuple(members…)`.
    pub fn tuple(members: impl IntoIterator<Item = DType>) -> DType {
        DType::Tuple(members.into_iter().collect())
    }
    /// `Pointer(arguments…)`.
    pub fn pointer(arguments: impl IntoIterator<Item = DType>) -> DType {
        DType::Pointer(Some(arguments.into_iter().collect()))
    }
    /// An array; dimensions of a nested array with known dimension add up.
    pub fn array(n_dim: Option<usize>, element: DType) -> DType {
        match element {
            DType::Array { n_dim: Some(inner), element } => {
                DType::Array { n_dim: n_dim.map(|n| n + inner), element }
            }
            DType::Array { n_dim: None, element } => DType::Array { n_dim: None, element },
            other => DType::Array { n_dim, element: Arc::new(other) },
        }
    }
    /// The type without Optional.
    pub fn unoptional(&self) -> &DType {
        match self {
            DType::Optional(inner) => inner,
            other => other,
        }
    }
    /// True for Optional(T).
    pub fn is_optional(&self) -> bool {
        matches!(self, DType::Optional(_))
    }
    /// True if None may stand in a cell: Optional, None, Any.
    pub fn admits_none(&self) -> bool {
        matches!(self, DType::Optional(_) | DType::None | DType::Any)
    }
    /// True for Tuple and List.
    pub fn is_sequence(&self) -> bool {
        matches!(self, DType::Tuple(_) | DType::List(_))
    }
    /// True for Pointer with or without arguments.
    pub fn is_pointer(&self) -> bool {
        matches!(self, DType::Pointer(_))
    }
}

impl fmt::Debug for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
