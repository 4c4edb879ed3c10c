//! When two dtypes are stored alike, so that one may stand for the other without touching buffers.

use pathway_types::DType;
use pathway_types::storage::is_encoded;

/// True if cells of the two dtypes have the same Arrow layout and the same meaning of the bytes.
pub(crate) fn same_layout(left: &DType, right: &DType) -> bool {
    let (left, right) = (left.stored(), right.stored());
    if is_encoded(left) || is_encoded(right) {
        return is_encoded(left) && is_encoded(right);
    }
    match (left, right) {
        (DType::Pointer(_), DType::Pointer(_)) | (DType::PyObject(_), DType::PyObject(_)) => true,
        (DType::Tuple(l), DType::Tuple(r)) => {
            l.len() == r.len() && l.iter().zip(r.iter()).all(|(l, r)| same_layout(l, r))
        }
        (DType::List(l), DType::List(r)) => same_layout(l, r),
        (DType::Array { element: l, .. }, DType::Array { element: r, .. }) => l == r,
        (l, r) => l == r,
    }
}

/// The name by which messages call the values of a dtype.
pub(crate) fn kind_name(dtype: &DType) -> &'static str {
    match dtype.stored() {
        DType::Int => "int",
        DType::Float => "float",
        DType::Bool => "bool",
        DType::Str => "str",
        DType::Bytes => "bytes",
        DType::None => "None",
        DType::Any => "a value",
        DType::Pointer(_) => "pointer",
        DType::Tuple(_) => "tuple",
        DType::List(_) => "list",
        DType::Array { .. } => "array",
        DType::Json => "Json",
        DType::DateTimeNaive => "DateTimeNaive",
        DType::DateTimeUtc => "DateTimeUtc",
        DType::Duration => "Duration",
        DType::PyObject(_) => "PyObjectWrapper",
        DType::Callable(..) => "callable",
        DType::Optional(_) | DType::Future(_) => "a value",
    }
}
