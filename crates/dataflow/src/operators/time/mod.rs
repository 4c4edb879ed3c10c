//! Operators that compare rows with a clock: [`Freeze`], [`Buffer`], [`Forget`].
//!
//! The clock of an operator is the largest event time of all rows that entered it, on any worker (one for
//! each instance, if there are instances). Every row has a threshold; it is *due* when the clock reaches
//! that. The columns of the rows are: the time, the threshold, a pointer to the instance if there are
//! instances, and those that are passed on. Only net changes of a time count. A second input brings what
//! the clocks of all workers hear: see [`clock::heard`].

use arrow_buffer::BooleanBuffer;
use pathway_types::{Batch, DType, DataError, Key, Keys};

use crate::context::{Context, Site};
use crate::kernels::nans::nans;
use crate::store::{OrderKey, Place};

mod buffer;
pub mod clock;
mod forget;
mod freeze;
mod held;

pub use buffer::Buffer;
pub use forget::Forget;
pub use freeze::Freeze;

/// The rows of such an operator.
#[derive(Clone)]
pub struct Timed {
    /// The dtypes of all columns.
    pub dtypes: Vec<DType>,
    /// There are instances.
    pub instances: bool,
    /// Where the operator's errors are reported.
    pub site: Site,
    /// What the run shares.
    pub context: Context,
}

/// Rows with the places of their thresholds.
struct Rows<K> {
    places: Vec<Place<K>>,
    /// All columns but the time.
    batch: Batch,
}

impl<K: OrderKey> Rows<K> {
    /// The rows at these positions.
    fn take(&self, rows: &[u32]) -> Rows<K> {
        let places = rows.iter().map(|row| self.places[*row as usize].clone()).collect();
        Rows { places, batch: self.batch.take(rows) }
    }

    /// The rows where this holds, and the others.
    fn split(self, holds: impl Fn(&Place<K>) -> bool) -> (Rows<K>, Rows<K>) {
        let positions = 0..self.batch.len() as u32;
        let (yes, no): (Vec<u32>, Vec<u32>) = positions.partition(|row| holds(&self.places[*row as usize]));
        let empty = |rows: &Rows<K>| Rows { places: vec![], batch: rows.batch.slice(0, 0) };
        match (yes.is_empty(), no.is_empty()) {
            (_, true) => (Rows { places: self.places.clone(), batch: self.batch.clone() }, empty(&self)),
            (true, _) => (empty(&self), self),
            _ => (self.take(&yes), self.take(&no)),
        }
    }

    fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl Timed {
    /// How many columns are not passed on.
    fn controls(&self) -> usize {
        2 + usize::from(self.instances)
    }

    /// The dtypes of what is kept of rows: all but the time.
    fn kept(&self) -> Vec<DType> {
        self.dtypes[1..].to_vec()
    }

    /// What is passed on of rows without their time.
    fn passed(&self, batch: &Batch) -> Batch {
        let columns: Vec<usize> = (self.controls() - 1..batch.columns.len()).collect();
        batch.project(&columns)
    }

    /// The instance of each row.
    fn instances(&self, batch: &Batch, column: usize) -> Keys {
        if self.instances { Keys::of_column(&batch.columns[column]) } else { vec![0; batch.len()].into() }
    }

    /// The rows whose time, threshold and instance are there.
    fn usable(&self, batch: Batch, report: bool) -> Batch {
        let controls = &batch.columns[..self.controls()];
        let nans: Vec<Option<BooleanBuffer>> =
            controls.iter().zip(&self.dtypes).take(2).map(|(column, dtype)| nans(column, dtype)).collect();
        if controls.iter().all(|column| column.errors().is_none()) && nans.iter().all(Option::is_none) {
            return batch;
        }
        let mut keep = Vec::with_capacity(batch.len());
        for row in 0..batch.len() {
            let fails = controls.iter().any(|column| column.is_error(row));
            let is_nan = nans.iter().flatten().any(|nans| nans.value(row));
            if !fails && !is_nan {
                keep.push(row as u32);
            } else if report && batch.diffs.get(row) > 0 {
                let place = format!("time of {}", self.site.name);
                let error = match fails {
                    true => DataError::skipped(&place),
                    false => {
                        let id = Key(batch.keys.as_slice()[row]);
                        DataError::value(format!("the {place} is nan for the row {id}: the row is skipped"))
                    }
                };
                self.context.data_error(&self.site, &error);
            }
        }
        batch.take(&keep)
    }

    /// The rows of a batch with the places of their thresholds.
    fn rows<K: OrderKey>(&self, batch: Batch) -> Rows<K> {
        let mut batch = self.usable(batch, true);
        batch.columns.remove(0);
        self.placed(batch)
    }

    /// Rows without their time.
    fn placed<K: OrderKey>(&self, batch: Batch) -> Rows<K> {
        let thresholds = K::of(&batch.columns[0], &self.dtypes[1]);
        let instances = self.instances(&batch, 1);
        let ids = instances.as_slice().iter().zip(batch.keys.as_slice());
        let places = thresholds.into_iter().zip(ids);
        let places = places.map(|(key, (instance, id))| Place { instance: *instance, key, id: *id });
        Rows { places: places.collect(), batch }
    }
}
