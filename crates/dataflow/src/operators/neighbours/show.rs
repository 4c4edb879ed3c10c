//! What is shown of a row and its neighbours.

use std::sync::Arc;

use arrow_array::Decimal128Array;
use arrow_buffer::{NullBuffer, ScalarBuffer};
use pathway_types::{Batch, Column, DType, storage};

use crate::store::ordered::Around;
use crate::store::{MultiMap, RowId};

/// What an operator shows of rows and their neighbours.
pub trait Show: 'static {
    /// What is shown of one row: if it is equal, so is what is shown.
    type Row: Copy + PartialEq;
    /// What is shown of this row now.
    fn row(&self, id: u128, around: Around) -> Self::Row;
    /// The columns of such rows; also of rows that were removed since the last [`Show::tidy`].
    fn columns(&self, rows: &[Self::Row]) -> Vec<Column>;
    /// Takes changes of the columns that are to be shown.
    fn apply(&mut self, changes: &Batch);
    /// Forgets removed rows.
    fn tidy(&mut self);
    /// Those columns of these rows.
    fn save(&self, ids: &[u128], dtypes: &[DType]) -> Vec<Column>;
}

/// The ids of the neighbours.
pub struct Links;

impl Show for Links {
    type Row = Around;
    fn row(&self, _id: u128, around: Around) -> Around {
        around
    }
    fn columns(&self, rows: &[Around]) -> Vec<Column> {
        let pointers = |pointer: fn(&Around) -> Option<u128>| {
            let bits: ScalarBuffer<i128> =
                rows.iter().map(|row| pointer(row).unwrap_or_default() as i128).collect();
            let nulls: NullBuffer = rows.iter().map(|row| pointer(row).is_some()).collect();
            let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
            Column::new(Arc::new(Decimal128Array::new(bits, nulls).with_data_type(storage::POINTER)))
        };
        vec![pointers(|row| row.prev), pointers(|row| row.next)]
    }
    fn apply(&mut self, _changes: &Batch) {}
    fn tidy(&mut self) {}
    fn save(&self, _ids: &[u128], _dtypes: &[DType]) -> Vec<Column> {
        vec![]
    }
}

/// The cells of the row, and those of the row before it (None if there is none).
pub struct Previous {
    dtypes: Vec<DType>,
    rows: MultiMap,
}

impl Previous {
    /// For rows with these columns.
    pub fn new(dtypes: Vec<DType>) -> Self {
        Previous { rows: MultiMap::new(dtypes.clone()), dtypes }
    }

    fn find(&self, id: u128) -> Option<RowId> {
        self.rows.get(id).iter().find(|entry| entry.count > 0).map(|entry| entry.row)
    }

    fn gather(&self, rows: &[Option<RowId>], column: usize) -> Column {
        self.rows.rows().gather_or_none(rows, column, &self.dtypes[column])
    }
}

impl Show for Previous {
    type Row = [Option<RowId>; 2];
    fn row(&self, id: u128, around: Around) -> Self::Row {
        [self.find(id), around.prev.and_then(|prev| self.find(prev))]
    }
    fn columns(&self, rows: &[Self::Row]) -> Vec<Column> {
        let side = |side: usize| {
            let rows: Vec<Option<RowId>> = rows.iter().map(|row| row[side]).collect();
            (0..self.dtypes.len()).map(move |column| self.gather(&rows, column))
        };
        side(0).chain(side(1)).collect()
    }
    fn apply(&mut self, changes: &Batch) {
        self.rows.apply(&changes.keys, changes);
    }
    fn tidy(&mut self) {
        self.rows.tidy();
    }
    fn save(&self, ids: &[u128], _dtypes: &[DType]) -> Vec<Column> {
        let rows: Vec<Option<RowId>> = ids.iter().map(|id| self.find(*id)).collect();
        (0..self.dtypes.len()).map(|column| self.gather(&rows, column)).collect()
    }
}
