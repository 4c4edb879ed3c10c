//! A batch of changes: row keys, columns and diffs, all of one logical time.

use arrow_array::UInt32Array;
use arrow_buffer::{BooleanBuffer, ScalarBuffer};

use crate::key::{KeyHasher, SHARD_MASK};
use crate::view::CellView;
use crate::{Column, DType, Key};

/// The row keys of a batch.
#[derive(Clone, Debug)]
pub struct Keys(ScalarBuffer<u128>);

impl Keys {
    /// The keys as integers.
    #[inline]
    pub fn as_slice(&self) -> &[u128] {
        &self.0
    }
    /// The number of keys.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// One key.
    #[inline]
    pub fn get(&self, row: usize) -> Key {
        Key(self.0[row])
    }
    /// The keys at these rows.
    pub fn take(&self, rows: &[u32]) -> Keys {
        rows.iter().map(|row| self.0[*row as usize]).collect::<Vec<_>>().into()
    }
    /// The keys where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Keys {
        keep.set_indices().map(|row| self.0[row]).collect::<Vec<_>>().into()
    }
    /// A part of the keys, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Keys {
        Keys(self.0.slice(offset, len))
    }
    /// The keys as a pointer column.
    pub fn to_column(&self) -> Column {
        // The pointer layout carries the same bits under Arrow's signed 128-bit type.
        let bits = ScalarBuffer::<i128>::new(self.0.inner().clone(), 0, self.0.len());
        let array = arrow_array::Decimal128Array::new(bits, None).with_data_type(crate::storage::POINTER);
        Column::new(std::sync::Arc::new(array))
    }
    /// The keys held by a pointer column (whatever stands under null or error cells included).
    pub fn of_column(column: &Column) -> Keys {
        use arrow_array::cast::AsArray;
        let bits = column.array().as_primitive::<arrow_array::types::Decimal128Type>().values();
        Keys(ScalarBuffer::new(bits.inner().clone(), 0, bits.len()))
    }
}

impl From<Vec<u128>> for Keys {
    fn from(keys: Vec<u128>) -> Self {
        Keys(keys.into())
    }
}

/// How often each row is added (positive) or removed (negative).
#[derive(Clone, Debug)]
pub enum Diffs {
    /// Every row is added once.
    Ones(usize),
    /// One number per row, none of them zero.
    Each(ScalarBuffer<i64>),
}

impl Diffs {
    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Diffs::Ones(len) => *len,
            Diffs::Each(diffs) => diffs.len(),
        }
    }
    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The diff of one row.
    #[inline]
    pub fn get(&self, row: usize) -> i64 {
        match self {
            Diffs::Ones(_) => 1,
            Diffs::Each(diffs) => diffs[row],
        }
    }
    /// True if every row is added once.
    pub fn is_ones(&self) -> bool {
        matches!(self, Diffs::Ones(_))
    }
    /// The diffs at these rows.
    pub fn take(&self, rows: &[u32]) -> Diffs {
        match self {
            Diffs::Ones(_) => Diffs::Ones(rows.len()),
            Diffs::Each(diffs) => rows.iter().map(|row| diffs[*row as usize]).collect::<Vec<_>>().into(),
        }
    }
    /// The diffs where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Diffs {
        match self {
            Diffs::Ones(_) => Diffs::Ones(keep.count_set_bits()),
            Diffs::Each(diffs) => keep.set_indices().map(|row| diffs[row]).collect::<Vec<_>>().into(),
        }
    }
    /// A part of the diffs.
    pub fn slice(&self, offset: usize, len: usize) -> Diffs {
        match self {
            Diffs::Ones(_) => Diffs::Ones(len),
            Diffs::Each(diffs) => Diffs::Each(diffs.slice(offset, len)),
        }
    }
    /// Several one after another.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a Diffs> + Clone) -> Diffs {
        let rows = parts.clone().map(Diffs::len).sum();
        if parts.clone().all(Diffs::is_ones) {
            return Diffs::Ones(rows);
        }
        let mut all = Vec::with_capacity(rows);
        parts.for_each(|part| match part {
            Diffs::Ones(rows) => all.resize(all.len() + rows, 1),
            Diffs::Each(diffs) => all.extend_from_slice(diffs),
        });
        Diffs::Each(all.into())
    }
    /// All diffs with the opposite sign.
    pub fn negate(&self) -> Diffs {
        match self {
            Diffs::Ones(len) => Diffs::Each(vec![-1; *len].into()),
            Diffs::Each(diffs) => diffs.iter().map(|d| -d).collect::<Vec<_>>().into(),
        }
    }
    /// The diffs one by one.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl From<Vec<i64>> for Diffs {
    /// Recognises the all-added case.
    fn from(diffs: Vec<i64>) -> Self {
        if diffs.iter().all(|d| *d == 1) { Diffs::Ones(diffs.len()) } else { Diffs::Each(diffs.into()) }
    }
}

/// Changes of one logical time: `keys`, `diffs` and every column have the same length.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Row ids.
    pub keys: Keys,
    /// The cells.
    pub columns: Vec<Column>,
    /// Additions and removals.
    pub diffs: Diffs,
}

impl Default for Batch {
    fn default() -> Self {
        Batch { keys: Vec::new().into(), columns: Vec::new(), diffs: Diffs::Ones(0) }
    }
}

impl Batch {
    /// A batch of these parts.
    pub fn new(keys: Keys, columns: Vec<Column>, diffs: Diffs) -> Self {
        debug_assert_eq!(keys.len(), diffs.len());
        debug_assert!(columns.iter().all(|c| c.len() == keys.len()));
        Batch { keys, columns, diffs }
    }
    /// An empty batch with columns of these dtypes.
    pub fn empty(dtypes: &[DType]) -> Self {
        let columns = dtypes.iter().map(|d| Column::nulls(d, 0)).collect();
        Batch { keys: Vec::new().into(), columns, diffs: Diffs::Ones(0) }
    }
    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.keys.len()
    }
    /// True without rows.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
    /// The rows at these positions.
    pub fn take(&self, rows: &[u32]) -> Batch {
        let indices = UInt32Array::from(rows.to_vec());
        Batch {
            keys: self.keys.take(rows),
            columns: self.columns.iter().map(|c| c.take(&indices)).collect(),
            diffs: self.diffs.take(rows),
        }
    }
    /// The rows where `keep` is set.
    pub fn filter(&self, keep: &BooleanBuffer) -> Batch {
        if keep.count_set_bits() == keep.len() {
            return self.clone();
        }
        Batch {
            keys: self.keys.filter(keep),
            columns: self.columns.iter().map(|c| c.filter(keep)).collect(),
            diffs: self.diffs.filter(keep),
        }
    }
    /// A part of the rows, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Batch {
        Batch {
            keys: self.keys.slice(offset, len),
            columns: self.columns.iter().map(|c| c.slice(offset, len)).collect(),
            diffs: self.diffs.slice(offset, len),
        }
    }
    /// The batches one after another; all of one layout.
    pub fn concat(batches: &[Batch]) -> Batch {
        match batches {
            [] => Batch::default(),
            [one] => one.clone(),
            [first, ..] => {
                let mut keys = Vec::with_capacity(batches.iter().map(Batch::len).sum());
                batches.iter().for_each(|batch| keys.extend_from_slice(batch.keys.as_slice()));
                let columns = (0..first.columns.len())
                    .map(|i| Column::concat(&batches.iter().map(|b| &b.columns[i]).collect::<Vec<_>>()));
                let diffs = Diffs::concat(batches.iter().map(|batch| &batch.diffs));
                Batch { keys: keys.into(), columns: columns.collect(), diffs }
            }
        }
    }
    /// The same rows with only these columns, in this order.
    pub fn project(&self, columns: &[usize]) -> Batch {
        Batch {
            keys: self.keys.clone(),
            columns: columns.iter().map(|i| self.columns[*i].clone()).collect(),
            diffs: self.diffs.clone(),
        }
    }
    /// Bytes held by the batch.
    pub fn memory_size(&self) -> usize {
        self.keys.len() * 16 + self.columns.iter().map(Column::memory_size).sum::<usize>()
    }
    /// The same rows with removals for additions and the reverse.
    pub fn negate(&self) -> Batch {
        Batch { diffs: self.diffs.negate(), ..self.clone() }
    }
}

/// The keys that rows have by the values of some columns, and the rows that have none (an error).
pub struct RowKeys {
    /// One key per row; zero where `errors` is set.
    pub keys: Keys,
    /// Rows with an error or pending cell.
    pub errors: Option<BooleanBuffer>,
}

/// Hashes each row's cells of `columns` in order, with the shard of `instance` if one is given
/// (whose cells are then hashed last).
pub fn hash_rows(columns: &[(&Column, &DType)], instance: Option<(&Column, &DType)>, rows: usize) -> RowKeys {
    let views: Vec<CellView<'_>> =
        columns.iter().chain(instance.iter()).map(|(c, d)| CellView::new(c, d)).collect();
    let instance = instance.map(|(c, d)| CellView::new(c, d));
    if let ([view], None) = (&views[..], &instance)
        && let Some(keys) = view.plain_keys(rows)
    {
        return RowKeys { keys: keys.into(), errors: None };
    }
    let mut errors: Vec<usize> = Vec::new();
    let mut hasher = KeyHasher::default();
    let mut keys = Vec::with_capacity(rows);
    for row in 0..rows {
        hasher.clear();
        let mut failed = false;
        for view in &views {
            failed |= view.hash(row, &mut hasher).is_err();
        }
        if failed {
            errors.push(row);
            keys.push(0);
            continue;
        }
        let mut key = hasher.finish();
        if let Some(instance) = &instance {
            hasher.clear();
            failed |= instance.hash(row, &mut hasher).is_err();
            debug_assert!(!failed, "the instance was hashed with the row before");
            key = key.on_shard_of(hasher.finish());
        }
        keys.push(key.0);
    }
    let errors = (!errors.is_empty()).then(|| {
        let mut mask = vec![false; rows];
        errors.iter().for_each(|row| mask[*row] = true);
        BooleanBuffer::from(mask)
    });
    RowKeys { keys: keys.into(), errors }
}

/// Splits rows among `workers` by the shard of their keys: the rows of each worker, in order.
pub fn partition_rows(keys: &[u128], workers: usize) -> Vec<Vec<u32>> {
    let mut rows: Vec<Vec<u32>> =
        (0..workers).map(|_| Vec::with_capacity(keys.len() / workers + 16)).collect();
    for (row, key) in keys.iter().enumerate() {
        rows[(key & SHARD_MASK) as usize % workers].push(row as u32);
    }
    rows
}

#[cfg(test)]
mod tests;
