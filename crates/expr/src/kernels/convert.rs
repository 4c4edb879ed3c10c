//! The same values in another layout: `declare_type` and the implied conversions between related
//! types (`INT` to `ANY`, `List(ANY)` to `Tuple(INT, STR)`, `Tuple(INT)` to `Tuple(FLOAT)`, …).

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeListArray, StructArray, new_null_array};
use pathway_types::storage::{arrow_type, is_encoded, list_item, tuple_fields};
use pathway_types::{Column, ColumnBuilder, DType, DataError, Value};

use super::{by_values_in, float_array, map};
use crate::evaluate::cells::{Cells, Data, Strict};
use crate::layout::{kind_name, same_layout};

/// The operand under another, related dtype. A value that the new type cannot hold is an error.
pub(crate) fn convert(operand: &Cells, from: &DType, to: &DType, rows: usize) -> Cells {
    if same_layout(from, to) {
        return operand.clone();
    }
    if let Data::Rows(column) = &operand.data {
        if *from.stored() == DType::None && !is_encoded(to) {
            let array = new_null_array(&arrow_type(to), rows);
            let column = Column::with_errors(array, column.errors().cloned());
            return Cells::with_causes(column, operand.causes.clone());
        }
        if let Some(array) = convert_array(column.array(), from.stored(), to.stored()) {
            let column = Column::with_errors(array, column.errors().cloned());
            return Cells::with_causes(column, operand.causes.clone());
        }
    }
    let frame = Strict::none_allowed(&[(operand, from)], rows);
    by_values_in(frame, &[(operand, from)], to, |values| convert_value(&values[0], to))
}

/// A conversion that cannot fail, done on whole arrays. `None` if there is no such.
fn convert_array(array: &ArrayRef, from: &DType, to: &DType) -> Option<ArrayRef> {
    if same_layout(from, to) {
        return Some(array.clone());
    }
    match (from, to) {
        (DType::Int, DType::Float) => {
            let ints = array.as_primitive::<arrow_array::types::Int64Type>();
            let floats = map(super::Lane::Each(ints.values()), ints.len(), |v: i64| v as f64);
            Some(float_array(floats, ints.nulls().cloned()))
        }
        (DType::None, to) if !is_encoded(to) => Some(new_null_array(&arrow_type(to), array.len())),
        (DType::Tuple(from), DType::Tuple(to)) if from.len() == to.len() && !to.is_empty() => {
            let fields = array.as_struct();
            let columns = from
                .iter()
                .zip(to.iter())
                .enumerate()
                .map(|(i, (from, to))| convert_array(fields.column(i), from.stored(), to.stored()))
                .collect::<Option<Vec<_>>>()?;
            Some(Arc::new(StructArray::new(tuple_fields(to), columns, array.nulls().cloned())))
        }
        (DType::List(from), DType::List(to)) if !is_encoded(&DType::List(to.clone())) => {
            let list = array.as_list_opt::<i64>()?;
            let values = convert_array(list.values(), from.stored(), to.stored())?;
            let item = list_item(values.data_type().clone());
            Some(Arc::new(LargeListArray::new(item, list.offsets().clone(), values, list.nulls().cloned())))
        }
        _ => None,
    }
}

/// The value as one of `to`.
///
/// # Errors
/// A type mismatch if `to` does not hold it.
pub(crate) fn convert_value(value: &Value, to: &DType) -> Result<Value, DataError> {
    let mismatch = || DataError::type_mismatch(kind_name(to), value);
    match (value, to.unoptional()) {
        (_, DType::Any) => Ok(value.clone()),
        (Value::None, _) if to.admits_none() => Ok(Value::None),
        (Value::Int(v), DType::Float) => Ok(Value::Float(*v as f64)),
        (Value::Tuple(members), DType::Tuple(types)) if members.len() == types.len() => {
            let members = members.iter().zip(types.iter()).map(|(m, t)| convert_value(m, t));
            Ok(Value::Tuple(members.collect::<Result<_, _>>()?))
        }
        (Value::Tuple(members), DType::List(member)) => {
            Ok(Value::Tuple(members.iter().map(|m| convert_value(m, member)).collect::<Result<_, _>>()?))
        }
        (value, to) if ColumnBuilder::accepts(to, value) => Ok(value.clone()),
        _ => Err(mismatch()),
    }
}
