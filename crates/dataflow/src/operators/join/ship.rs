//! The form in which rows come to a join: the columns that the result needs and the join key.

use arrow_array::Array;

use pathway_types::{Batch, Column, DType, DataError, Keys};

use crate::context::{Faults, Site};

/// Where the join key of a row comes from.
#[derive(Clone, Debug)]
pub enum JoinKey {
    /// The values of these columns; the last may be the instance.
    Hash {
        /// Positions in the input.
        columns: Vec<usize>,
        /// The last column is the instance.
        instance: bool,
    },
    /// The pointer in this column.
    Pointer(usize),
    /// The row id.
    RowId,
}

/// Brings the rows of one side into shipped form.
#[derive(Clone, Debug)]
pub struct ShipSide {
    /// The dtypes of the input.
    pub inputs: Vec<DType>,
    /// The columns that the result needs.
    pub columns: Vec<usize>,
    /// The join key.
    pub key: JoinKey,
    /// Rows whose key is an error stay, as rows without a match; otherwise they are dropped.
    pub preserved: bool,
    /// The side's number.
    pub side: u8,
}

impl ShipSide {
    /// The batch in shipped form.
    pub(crate) fn apply(&self, batch: Batch, faults: &mut dyn Faults, site: &Site) -> Batch {
        let mut shipped = batch.project(&self.columns);
        match &self.key {
            JoinKey::RowId => shipped.columns.push(batch.keys.to_column()),
            JoinKey::Pointer(column) => {
                let pointers = self.pointers(&batch, *column, faults, site);
                match pointers.array().nulls() {
                    None => shipped.columns.push(pointers.clone()),
                    Some(nulls) => {
                        shipped.columns.push(self.unmatched_keys(
                            &Keys::of_column(&pointers),
                            &batch.keys,
                            &!nulls.inner(),
                            pointers.errors(),
                        ));
                    }
                }
            }
            JoinKey::Hash { columns, instance } => {
                let pair = |c: &usize| (&batch.columns[*c], &self.inputs[*c]);
                let (plain, last) = match columns.split_last() {
                    Some((last, plain)) if *instance => (plain, Some(pair(last))),
                    _ => (&columns[..], None),
                };
                let plain: Vec<_> = plain.iter().map(pair).collect();
                let hashed = pathway_types::batch::hash_rows(&plain, last, batch.len());
                let Some(errors) = hashed.errors else {
                    shipped.columns.push(hashed.keys.to_column());
                    return shipped;
                };
                let error = DataError::skipped("join condition");
                errors.set_indices().for_each(|row| faults.fault(&batch, row, site, &error));
                shipped.columns.push(self.unmatched_keys(&hashed.keys, &batch.keys, &errors, None));
                if !self.preserved {
                    return shipped.filter(&!&errors);
                }
            }
        }
        shipped
    }

    /// The pointers, where None is an error if the column is not optional.
    fn pointers(&self, batch: &Batch, position: usize, faults: &mut dyn Faults, site: &Site) -> Column {
        let column = &batch.columns[position];
        let optional = matches!(self.inputs[position], DType::Optional(_) | DType::Any | DType::None);
        let Some(nulls) = column.array().nulls().filter(|_| !optional) else { return column.clone() };
        let mut none = !nulls.inner();
        if let Some(errors) = column.errors() {
            none = &none & &!errors;
        }
        if none.count_set_bits() == 0 {
            return column.clone();
        }
        let error = DataError::type_mismatch("pointer", "None (use optional=True to get None for it)");
        none.set_indices().for_each(|row| faults.fault(batch, row, site, &error));
        let errors = column.errors().map_or_else(|| none.clone(), |errors| errors | &none);
        Column::with_errors(column.array().clone(), Some(errors))
    }

    /// Keys as a pointer column in which rows of `none` are null and carry bits of their own.
    pub(crate) fn unmatched_keys(
        &self,
        keys: &Keys,
        ids: &Keys,
        none: &arrow_buffer::BooleanBuffer,
        errors: Option<&arrow_buffer::BooleanBuffer>,
    ) -> Column {
        let unmatched = UNMATCHED ^ (u128::from(self.side) << 16);
        let bits: Vec<i128> = (0..keys.len())
            .map(|row| {
                let key =
                    if none.value(row) { ids.as_slice()[row] ^ unmatched } else { keys.as_slice()[row] };
                key as i128
            })
            .collect();
        let nulls = arrow_buffer::NullBuffer::new(!none);
        let array = arrow_array::Decimal128Array::new(bits.into(), Some(nulls))
            .with_data_type(pathway_types::storage::POINTER);
        Column::with_errors(std::sync::Arc::new(array), errors.cloned())
    }
}

/// Turns the bits of a row id into a key that nothing else has, also no row of the other side.
const UNMATCHED: u128 = 0x6E6F_206D_6174_6368_206E_6F20_6D61_0000;
