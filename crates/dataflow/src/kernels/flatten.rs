//! One row per element of a sequence column.
//!
//! The id of an element's row is `key(source id, position)` on the shard of the source id, so an
//! update of the sequence touches only the positions that changed.

use arrow_array::cast::AsArray;
use arrow_array::{Array, UInt32Array};

use pathway_plan::Frame;
use pathway_plan::program::Stage;
use pathway_types::key::tag;
use pathway_types::view::CellView;
use pathway_types::{
    Batch, Column, ColumnBuilder, DType, DataError, JsonText, Key, KeyHasher, NdArray, Value,
};

/// Flattens `batch` as the `Flatten` stage says (other stages leave it as it is). Rows whose cell is
/// not a sequence are reported through `failed` and give nothing.
pub fn flatten(
    batch: Batch,
    stage: &Stage,
    mut failed: impl FnMut(&Batch, usize, &Option<Frame>, DataError),
) -> Batch {
    let Stage::Flatten { column, sequence, element, origin_id, frame } = stage else { return batch };
    let cells = &batch.columns[*column];
    let elements = match sequence.stored() {
        DType::List(member) if !sequence.is_any_tuple() => list_elements(cells, member, element),
        _ => None,
    };
    let (rows, elements) = elements.unwrap_or_else(|| {
        scalar_elements(cells, sequence, element, |row, error| {
            failed(&batch, row, frame, error);
        })
    });
    let mut hasher = KeyHasher::default();
    let mut keys = Vec::with_capacity(rows.len());
    let mut position = 0i64;
    for (i, row) in rows.iter().enumerate() {
        position = if i > 0 && rows[i - 1] == *row { position + 1 } else { 0 };
        keys.push(element_key(&mut hasher, batch.keys.get(*row as usize), position).0);
    }
    let indices = UInt32Array::from(rows.clone());
    let mut columns: Vec<Column> = Vec::with_capacity(batch.columns.len() + 1);
    let mut elements = Some(elements);
    for (i, other) in batch.columns.iter().enumerate() {
        match elements.take_if(|_| i == *column) {
            Some(elements) => columns.push(elements),
            None => columns.push(other.take(&indices)),
        }
    }
    if *origin_id {
        columns.push(batch.keys.take(&rows).to_column());
    }
    Batch::new(keys.into(), columns, batch.diffs.take(&rows))
}

/// The elements of an Arrow list without looking at each: the child array of the valid rows.
fn list_elements(cells: &Column, member: &DType, element: &DType) -> Option<(Vec<u32>, Column)> {
    if member != element || cells.array().null_count() > 0 {
        return None;
    }
    let list = cells.array().as_list::<i64>();
    let offsets = list.value_offsets();
    let rows = (0..list.len())
        .flat_map(|row| std::iter::repeat_n(row as u32, (offsets[row + 1] - offsets[row]) as usize));
    let (first, last) = (*offsets.first()?, *offsets.last()?);
    let values = list.values().slice(first as usize, (last - first) as usize);
    Some((rows.collect(), Column::new(values)))
}

fn scalar_elements(
    cells: &Column,
    sequence: &DType,
    element: &DType,
    mut failed: impl FnMut(usize, DataError),
) -> (Vec<u32>, Column) {
    let view = CellView::new(cells, sequence);
    let mut rows = Vec::new();
    let mut out = ColumnBuilder::new(element, cells.len());
    for row in 0..cells.len() {
        let value = view.value(row);
        match members(&value) {
            Some(members) => {
                for member in members {
                    rows.push(row as u32);
                    out.push(&widen(member, element));
                }
            }
            None => {
                let message = format!("this value has no elements to flatten: {value}");
                failed(row, DataError::value(message));
            }
        }
    }
    (rows, out.finish())
}

/// An int member of a tuple whose common element type is float.
fn widen(value: Value, element: &DType) -> Value {
    match (&value, element.unoptional()) {
        (Value::Int(v), DType::Float) => Value::Float(*v as f64),
        _ => value,
    }
}

fn members(value: &Value) -> Option<Vec<Value>> {
    Some(match value {
        Value::Tuple(members) => members.to_vec(),
        Value::Str(text) => {
            let mut buffer = [0; 4];
            text.chars().map(|c| Value::from(&*c.encode_utf8(&mut buffer))).collect()
        }
        Value::Json(json) => match json.to_value() {
            serde_json::Value::Array(members) => {
                members.iter().map(|m| Value::Json(JsonText::from_value(m))).collect()
            }
            _ => return None,
        },
        Value::IntArray(array) => sub_arrays(array, Value::Int, |a| Value::IntArray(a.into()))?,
        Value::FloatArray(array) => sub_arrays(array, Value::Float, |a| Value::FloatArray(a.into()))?,
        _ => return None,
    })
}

fn sub_arrays<T: Copy>(
    array: &NdArray<T>,
    scalar: impl Fn(T) -> Value,
    wrap: impl Fn(NdArray<T>) -> Value,
) -> Option<Vec<Value>> {
    let (len, inner) = array.shape().split_first()?;
    if inner.is_empty() {
        return Some(array.elements().iter().map(|v| scalar(*v)).collect());
    }
    let size = inner.iter().product::<usize>();
    (0..*len)
        .map(|i| NdArray::new(inner.to_vec(), &array.elements()[i * size..(i + 1) * size]).map(&wrap))
        .collect()
}

/// The id of the element at `position` of the row `origin`.
fn element_key(hasher: &mut KeyHasher, origin: Key, position: i64) -> Key {
    hasher.clear();
    hasher.pointer(origin);
    hasher.i64(tag::INT, position);
    hasher.finish().on_shard_of(origin)
}

#[cfg(test)]
mod tests;
