//! How each dtype is laid out in Arrow. The only place that decides it.
//!
//! | dtype | Arrow |
//! |---|---|
//! | INT, FLOAT, BOOL | Int64, Float64, Boolean |
//! | STR, Json | LargeUtf8 (Json as compact text) |
//! | BYTES, PyObjectWrapper | LargeBinary (objects serialised) |
//! | NONE | Null |
//! | pointer, method of a row (its id) | Decimal128(38, 0): the bits of the 128-bit key, since Arrow has no such integer |
//! | naive / UTC datetime, duration | Timestamp(ns) / Timestamp(ns, "UTC") / Duration(ns) |
//! | Tuple | Struct with fields `0`, `1`, … |
//! | List(T) | LargeList of T |
//! | Array(INT or FLOAT) | Struct of `shape` and `elements`, both LargeList |
//! | ANY, List(ANY), Array of unknown element | LargeBinary in the encoding of [`crate::encoding`] |
//! | Optional(T), Future(T) | as T; None is Arrow's null |
//!
//! Offsets are 64-bit so that no gather can overflow them.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::DType;

/// Precision of the decimal type that carries pointer bits.
const POINTER_PRECISION: u8 = 38;

/// The Arrow type of a pointer column.
pub const POINTER: DataType = DataType::Decimal128(POINTER_PRECISION, 0);

/// The Arrow type that stores cells of this dtype.
pub fn arrow_type(dtype: &DType) -> DataType {
    match dtype {
        DType::Int => DataType::Int64,
        DType::Float => DataType::Float64,
        DType::Bool => DataType::Boolean,
        DType::Str | DType::Json => DataType::LargeUtf8,
        DType::Bytes | DType::PyObject(_) | DType::Any => DataType::LargeBinary,
        DType::None => DataType::Null,
        DType::Optional(inner) | DType::Future(inner) => arrow_type(inner),
        DType::Pointer(_) => POINTER,
        DType::Tuple(members) => DataType::Struct(tuple_fields(members)),
        DType::List(_) if dtype.is_any_tuple() => DataType::LargeBinary,
        DType::List(member) => DataType::LargeList(list_item(arrow_type(member))),
        DType::Array { element, .. } => match **element {
            DType::Int | DType::Float => DataType::Struct(array_fields(arrow_type(element))),
            _ => DataType::LargeBinary,
        },
        DType::DateTimeNaive => DataType::Timestamp(TimeUnit::Nanosecond, None),
        DType::DateTimeUtc => DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC"))),
        DType::Duration => DataType::Duration(TimeUnit::Nanosecond),
        // A method of a row: the row's id.
        DType::Callable(..) => POINTER,
    }
}

/// True if cells of this dtype are stored in the order-preserving encoding.
pub fn is_encoded(dtype: &DType) -> bool {
    match dtype {
        DType::Any => true,
        DType::Optional(inner) | DType::Future(inner) => is_encoded(inner),
        DType::List(_) => dtype.is_any_tuple(),
        DType::Array { element, .. } => !matches!(**element, DType::Int | DType::Float),
        _ => false,
    }
}

/// The fields of the struct that stores a tuple.
pub fn tuple_fields(members: &[DType]) -> Fields {
    members.iter().enumerate().map(|(i, m)| Field::new(i.to_string(), arrow_type(m), true)).collect()
}

/// The item field of a list.
pub fn list_item(item: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", item, true))
}

/// The fields of the struct that stores an n-dimensional array.
pub fn array_fields(element: DataType) -> Fields {
    Fields::from(vec![
        Field::new("shape", DataType::LargeList(list_item(DataType::Int64)), true),
        Field::new("elements", DataType::LargeList(list_item(element)), true),
    ])
}
