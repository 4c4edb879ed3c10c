//! Minimum and maximum where no row is ever removed: one value per group.

use arrow_array::Array;
use arrow_buffer::ScalarBuffer;

use pathway_types::view::CellView;
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, Diffs, Value};

use super::aggregate::{Aggregate, Merge, Rows};

/// The least or greatest value of each group.
pub(super) struct Extreme {
    dtype: DType,
    greatest: bool,
    best: Best,
}

enum Best {
    /// Integers and times; the flag tells that the group has a value.
    Ints(Vec<(i64, bool)>),
    Values(Vec<Option<Value>>),
}

impl Extreme {
    pub(super) fn new(dtype: DType, greatest: bool) -> Self {
        // None counts as the least value, so only columns without it take the typed way.
        let best = match dtype {
            DType::Int | DType::DateTimeNaive | DType::DateTimeUtc | DType::Duration => {
                Best::Ints(Vec::new())
            }
            _ => Best::Values(Vec::new()),
        };
        Extreme { dtype, greatest, best }
    }

    fn column(&self, slots: impl ExactSizeIterator<Item = usize>) -> Column {
        let mut builder = ColumnBuilder::new(&self.dtype, slots.len());
        for slot in slots {
            match &self.best {
                Best::Ints(best) => match best[slot] {
                    (value, true) => builder.push(&int_value(&self.dtype, value)),
                    _ => builder.push_error(),
                },
                Best::Values(best) => match &best[slot] {
                    Some(value) => builder.push(value),
                    None => builder.push_error(),
                },
            }
        }
        builder.finish()
    }
}

fn int_value(dtype: &DType, value: i64) -> Value {
    match dtype {
        DType::DateTimeNaive => Value::DateTimeNaive(value),
        DType::DateTimeUtc => Value::DateTimeUtc(value),
        DType::Duration => Value::Duration(value),
        _ => Value::Int(value),
    }
}

/// The values of any 64-bit integer layout.
fn int_values(column: &Column) -> ScalarBuffer<i64> {
    let data = column.array().to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

impl Aggregate for Extreme {
    fn width(&self) -> usize {
        1
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        vec![rows.arguments[0].clone()]
    }
    fn grow(&mut self, groups: usize) {
        match &mut self.best {
            Best::Ints(best) => best.resize(groups, (0, false)),
            Best::Values(best) => best.resize(groups, None),
        }
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let column = &merge.shipped[0];
        match &mut self.best {
            Best::Ints(best) => {
                let values = int_values(column);
                let nulls = column.array().nulls();
                for (row, slot) in merge.slots.iter().enumerate() {
                    if nulls.is_some_and(|n| n.is_null(row)) {
                        continue;
                    }
                    let (value, best) = (values[row], &mut best[*slot as usize]);
                    let better = if self.greatest { value > best.0 } else { value < best.0 };
                    if better || !best.1 {
                        *best = (value, true);
                    }
                }
            }
            Best::Values(best) => {
                let view = CellView::new(column, &self.dtype);
                for (row, slot) in merge.slots.iter().enumerate() {
                    if column.is_error(row) || column.is_pending(row) {
                        continue;
                    }
                    let best = &mut best[*slot as usize];
                    let better = match best {
                        None => true,
                        Some(best) if self.greatest => view.cmp_value(row, best).is_gt(),
                        Some(best) => view.cmp_value(row, best).is_lt(),
                    };
                    if better {
                        *best = Some(view.value(row));
                    }
                }
            }
        }
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        Some(vec![self.column(0..groups)])
    }
    fn results(&mut self, slots: &[u32], _report: &mut dyn FnMut(DataError)) -> Column {
        self.column(slots.iter().map(|slot| *slot as usize))
    }
    fn clear(&mut self, slot: u32) {
        match &mut self.best {
            Best::Ints(best) => best[slot as usize] = (0, false),
            Best::Values(best) => best[slot as usize] = None,
        }
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let column = self.column(slots.iter().map(|slot| *slot as usize));
        let keys: Vec<u128> = slots.iter().map(|slot| keys[*slot as usize]).collect();
        Ok(Batch::new(keys.into(), vec![column], Diffs::Ones(slots.len())))
    }
    fn per_group(&self) -> usize {
        size_of::<Value>()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Extreme::new(self.dtype.clone(), self.greatest))
    }
}
