//! Numbers that add up: what linear aggregates keep of rows.
//!
//! The updates of an index may carry some numbers each, in place of a diff. Equal updates are then one
//! with the sums of their numbers, and nothing where all of these are zero: a group that a million rows
//! came to and left again is as small as one that a single row came to.
//!
//! In a packet the numbers are the last column, a list of one fixed size, which no dtype has.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{FixedSizeListArray, Int64Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Field};
use pathway_types::Column;

use crate::lattice::fitted;

/// So many numbers for each update, those of one after those of another.
#[derive(Clone, Debug, Default)]
pub(in crate::lattice) struct Sums {
    width: usize,
    values: ScalarBuffer<i64>,
}

impl Sums {
    /// The numbers of updates, `width` (at least one) for each.
    pub(in crate::lattice) fn new(width: usize, values: Vec<i64>) -> Self {
        debug_assert_eq!(values.len() % width, 0);
        Sums { width, values: fitted(values).into() }
    }

    /// How many numbers each update has; zero if updates carry none.
    #[inline]
    pub(in crate::lattice) fn width(&self) -> usize {
        self.width
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.values)
    }

    /// The numbers of an update.
    #[inline]
    pub(in crate::lattice) fn of(&self, update: usize) -> &[i64] {
        &self.values[update * self.width..][..self.width]
    }

    /// The numbers of a range of updates.
    pub(super) fn slice(&self, offset: usize, len: usize) -> Self {
        Sums { width: self.width, values: self.values.slice(offset * self.width, len * self.width) }
    }

    /// The numbers of these updates.
    pub(super) fn take(&self, updates: &[u32]) -> Self {
        let mut values = Vec::with_capacity(updates.len() * self.width);
        updates.iter().for_each(|update| values.extend_from_slice(self.of(*update as usize)));
        Sums { width: self.width, values: values.into() }
    }

    /// The numbers of several batches of updates one after another.
    pub(super) fn concat<'a>(parts: impl Iterator<Item = &'a Sums> + Clone) -> Self {
        let width = parts.clone().next().map_or(0, |part| part.width);
        let mut values = Vec::with_capacity(parts.clone().map(|part| part.values.len()).sum());
        parts.for_each(|part| values.extend_from_slice(&part.values));
        Sums { width, values: values.into() }
    }

    /// The numbers in such a column, if it is one.
    pub(in crate::lattice) fn of_column(column: &Column) -> Option<Self> {
        let list = column.array().as_fixed_size_list_opt()?;
        let width = list.value_length() as usize;
        let values = list.values().as_primitive_opt::<Int64Type>()?.values();
        Some(Sums { width, values: values.clone() })
    }

    /// The numbers as a column.
    pub(in crate::lattice) fn to_column(&self) -> Column {
        let field = Arc::new(Field::new_list_field(DataType::Int64, false));
        let values = Arc::new(Int64Array::new(self.values.clone(), None));
        Column::new(Arc::new(FixedSizeListArray::new(field, self.width as i32, values, None)))
    }
}
