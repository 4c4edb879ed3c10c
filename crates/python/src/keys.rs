//! The ids of many rows: a column of keys in Python's hands, without an object for each.

use pathway_types::key::KeyHasher;
use pyo3::prelude::*;
use pyo3::types::PyList;
use xxhash_rust::xxh3::xxh3_128;

use crate::pointer::{PyPointer, unhashable};
use crate::value::natural_cell;

/// The ids of rows, in order.
#[pyclass(frozen, module = "pathway._engine", name = "Keys")]
pub(crate) struct PyKeys(pub(crate) Vec<u128>);

#[pymethods]
impl PyKeys {
    #[new]
    fn new(pointers: Vec<Bound<'_, PyPointer>>) -> Self {
        PyKeys(pointers.iter().map(|pointer| pointer.get().0.0).collect())
    }
    /// The key of each row of some columns, as `ref_scalar` makes it of the row's values.
    #[staticmethod]
    fn of_columns(columns: Vec<Bound<'_, PyList>>) -> PyResult<Self> {
        let rows = columns.iter().map(PyListMethods::len).min().unwrap_or_default();
        let mut hasher = KeyHasher::default();
        let keys = (0..rows).map(|row| {
            hasher.clear();
            for column in &columns {
                natural_cell(&column.get_item(row)?)?.hash(&mut hasher).map_err(|_| unhashable())?;
            }
            Ok(hasher.finish().0)
        });
        keys.collect::<PyResult<Vec<_>>>().map(PyKeys)
    }
    /// A number that is equal for equal changes of rows, in whatever order they come.
    fn digest(&self, times: Option<Vec<u64>>, diffs: Option<Vec<i64>>, shards: Option<Vec<u64>>) -> u128 {
        fn number<T: Copy>(numbers: Option<&Vec<T>>, row: usize, absent: T) -> T {
            numbers.and_then(|numbers| numbers.get(row)).copied().unwrap_or(absent)
        }
        let mut bytes = [0; 40];
        let rows = self.0.iter().enumerate().map(|(row, key)| {
            bytes[..16].copy_from_slice(&key.to_le_bytes());
            bytes[16..24].copy_from_slice(&number(times.as_ref(), row, 0).to_le_bytes());
            bytes[24..32].copy_from_slice(&number(diffs.as_ref(), row, 1).to_le_bytes());
            bytes[32..].copy_from_slice(&number(shards.as_ref(), row, 0).to_le_bytes());
            xxh3_128(&bytes)
        });
        // A sum does not depend on the order.
        rows.fold(0, u128::wrapping_add)
    }
    fn __len__(&self) -> usize {
        self.0.len()
    }
    fn __repr__(&self) -> String {
        format!("Keys({} rows)", self.0.len())
    }
}

/// The ids of rows in either form.
#[derive(FromPyObject)]
pub(crate) enum RowKeys<'py> {
    Keys(Bound<'py, PyKeys>),
    Pointers(Vec<Bound<'py, PyPointer>>),
}

impl RowKeys<'_> {
    pub(crate) fn into_keys(self) -> Vec<u128> {
        match self {
            RowKeys::Keys(keys) => keys.get().0.clone(),
            RowKeys::Pointers(pointers) => PyKeys::new(pointers).0,
        }
    }
}
