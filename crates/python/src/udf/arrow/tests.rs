//! Which Arrow types stand for values of which dtypes.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use pathway_types::DType;
use pathway_types::storage::arrow_type;

use super::converts;

#[test]
fn other_layouts_of_the_same_values() {
    let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
    let seconds = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Second, zone.map(Arc::from));
    for (from, to) in [
        (DataType::Int8, DType::Int),
        (DataType::UInt64, DType::Int),
        (DataType::Int32, DType::Float),
        (DataType::Float16, DType::Float),
        (DataType::Utf8, DType::Str),
        (DataType::Utf8View, DType::Json),
        (DataType::FixedSizeBinary(3), DType::Bytes),
        (seconds(None), DType::DateTimeNaive),
        (seconds(Some("Europe/Warsaw")), DType::DateTimeUtc),
        (DataType::Duration(TimeUnit::Millisecond), DType::Duration),
        (list(DataType::Int16), DType::list(DType::optional(DType::Int))),
        (DataType::Null, DType::optional(DType::Str)),
    ] {
        assert!(converts(&from, &to), "{from} for {to}");
    }
}

#[test]
fn other_values() {
    for (from, to) in [
        (DataType::Float64, DType::Int),
        (DataType::Boolean, DType::Int),
        (DataType::Utf8, DType::Int),
        (DataType::Int64, DType::Str),
        (DataType::Null, DType::Int),
        (DataType::Timestamp(TimeUnit::Second, None), DType::DateTimeUtc),
        (DataType::Int64, DType::Duration),
        (arrow_type(&DType::ANY_POINTER), DType::Int),
        (DataType::Utf8, DType::any_tuple()),
        (DataType::Utf8, DType::Any),
    ] {
        assert!(!converts(&from, &to), "{from} for {to}");
    }
}
