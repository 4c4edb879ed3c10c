//! Vectors out of the cells of columns, and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Float64Array, LargeListArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use pathway_types::storage::list_item;
use pathway_types::{CellView, Column, DType, Value};

/// A column of vectors.
pub(super) struct VectorColumn<'a> {
    view: CellView<'a>,
    /// Where the numbers stand, if they stand in the column as they are.
    plain: Option<(&'a [i64], &'a [f64])>,
    dimensions: usize,
}

impl<'a> VectorColumn<'a> {
    /// Reads vectors of this length.
    pub(super) fn new(column: &'a Column, dtype: &DType, dimensions: usize) -> Self {
        let list = match dtype.unoptional() {
            DType::Array { element, .. } if **element == DType::Float => {
                Some(column.array().as_struct().column(1).as_list::<i64>())
            }
            DType::List(member) if **member == DType::Float => Some(column.array().as_list::<i64>()),
            _ => None,
        };
        let plain =
            list.map(|list| (list.value_offsets(), &**list.values().as_primitive::<Float64Type>().values()));
        VectorColumn { view: CellView::new(column, dtype), plain, dimensions }
    }

    /// Puts the vector of a row behind others; if it is none, says what is wrong.
    pub(super) fn read(&self, row: usize, out: &mut Vec<f64>) -> Result<(), String> {
        if self.view.is_error(row) {
            return Err("the vector is an error value".to_owned());
        }
        if self.view.is_none(row) {
            return Err("the vector is None".to_owned());
        }
        let start = out.len();
        let fits = match self.plain {
            Some((offsets, numbers)) => {
                out.extend_from_slice(&numbers[offsets[row] as usize..offsets[row + 1] as usize]);
                Ok(())
            }
            None => numbers(&self.view.value(row), out),
        };
        let length = out.len() - start;
        let fits = fits.and_then(|()| match length == self.dimensions {
            true => Ok(()),
            false => Err(format!("the vector has {length} elements instead of {}", self.dimensions)),
        });
        if fits.is_err() {
            out.truncate(start);
        }
        fits
    }
}

fn numbers(value: &Value, out: &mut Vec<f64>) -> Result<(), String> {
    match value {
        Value::FloatArray(array) => out.extend_from_slice(array.elements()),
        Value::IntArray(array) => out.extend(array.elements().iter().map(|x| *x as f64)),
        Value::Tuple(members) => {
            for member in members.iter() {
                match member {
                    Value::Float(x) => out.push(*x),
                    Value::Int(x) => out.push(*x as f64),
                    other => return Err(format!("{other} in the vector is no number")),
                }
            }
        }
        other => return Err(format!("{other} is no vector")),
    }
    Ok(())
}

/// Vectors of one length as a column, one after another in `numbers`.
pub(super) fn to_column(numbers: Vec<f64>, dimensions: usize, rows: usize) -> Column {
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(dimensions, rows));
    let values = Arc::new(Float64Array::from(numbers));
    Column::new(Arc::new(LargeListArray::new(list_item(DataType::Float64), offsets, values, None)))
}
