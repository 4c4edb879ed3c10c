//! Times that are no times.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_buffer::BooleanBuffer;
use pathway_types::{Column, DType};

/// Which cells are NaN; `None` if none is.
pub fn nans(column: &Column, dtype: &DType) -> Option<BooleanBuffer> {
    if *dtype.unoptional() != DType::Float {
        return None;
    }
    let cells = column.array().as_primitive::<Float64Type>().values();
    cells.iter().any(|cell| cell.is_nan()).then(|| cells.iter().map(|cell| cell.is_nan()).collect())
}
