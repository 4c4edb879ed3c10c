//! Rows that are part of the program.

use pathway_types::{Batch, ColumnBuilder, Keys, Schema, Timestamp};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::value::Converter;

/// Rows as Python gives them: whole columns, and one key (time, diff, shard) per row.
pub(crate) struct Rows<'a, 'py> {
    pub(crate) keys: &'a [u128],
    pub(crate) columns: &'a [Bound<'py, PyAny>],
    pub(crate) times: Option<Vec<u64>>,
    pub(crate) diffs: Option<Vec<i64>>,
    pub(crate) shards: Option<Vec<u64>>,
}

/// Changes in order of time, and the shards of their rows.
type Batches = (Vec<(Timestamp, Batch)>, Option<Vec<Vec<u64>>>);

impl Rows<'_, '_> {
    /// One batch per time.
    pub(crate) fn into_batches(self, schema: &Schema) -> PyResult<Batches> {
        let rows = self.keys.len();
        self.check_lengths(schema)?;
        let columns = schema.fields.iter().zip(self.columns);
        let columns =
            columns.map(|(field, cells)| column(&field.name, &Converter::new(&field.dtype), cells, rows));
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        let keys = self.keys.to_vec();
        let diffs = self.diffs.unwrap_or_else(|| vec![1; rows]);
        if diffs.contains(&0) {
            return Err(PyValueError::new_err(
                "a diff of a static table is 0: such a row is neither added nor removed",
            ));
        }
        let all = Batch::new(Keys::from(keys), columns, diffs.into());
        let Some(times) = self.times else {
            return Ok((vec![(0, all)], self.shards.map(|shards| vec![shards])));
        };
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_by_key(|row| times[*row as usize]);
        let mut batches = Vec::new();
        let mut shards = self.shards.as_ref().map(|_| Vec::new());
        for same_time in order.chunk_by(|a, b| times[*a as usize] == times[*b as usize]) {
            batches.push((times[same_time[0] as usize], all.take(same_time)));
            if let (Some(all), Some(shards)) = (&self.shards, &mut shards) {
                shards.push(same_time.iter().map(|row| all[*row as usize]).collect());
            }
        }
        Ok((batches, shards))
    }

    fn check_lengths(&self, schema: &Schema) -> PyResult<()> {
        let rows = self.keys.len();
        if self.columns.len() != schema.fields.len() {
            return Err(PyValueError::new_err(format!(
                "a schema of {} columns was given {} columns of values",
                schema.fields.len(),
                self.columns.len()
            )));
        }
        let lengths = [
            ("times", self.times.as_ref().map(Vec::len)),
            ("diffs", self.diffs.as_ref().map(Vec::len)),
            ("shards", self.shards.as_ref().map(Vec::len)),
        ];
        match lengths.into_iter().find(|(_, len)| len.is_some_and(|len| len != rows)) {
            None => Ok(()),
            Some((name, len)) => Err(PyValueError::new_err(format!(
                "{rows} rows need as many {name}, {} were given",
                len.unwrap_or_default()
            ))),
        }
    }
}

fn column(
    name: &str,
    converter: &Converter,
    cells: &Bound<'_, PyAny>,
    rows: usize,
) -> PyResult<pathway_types::Column> {
    let mut column = ColumnBuilder::new(converter.dtype(), rows);
    let push = |cell: &Bound<'_, PyAny>, column: &mut ColumnBuilder| {
        let row = column.len();
        converter
            .push(cell, column)
            .map_err(|rejected| rejected.in_context(&format!("column {name}, row {row}")))
    };
    match cells.cast::<PyList>() {
        Ok(list) => list.iter().try_for_each(|cell| push(&cell, &mut column))?,
        Err(_) => {
            for cell in cells.try_iter()? {
                push(&cell?, &mut column)?;
            }
        }
    }
    if column.len() != rows {
        return Err(PyValueError::new_err(format!(
            "column {name} has {} values for {rows} rows",
            column.len()
        )));
    }
    Ok(column.finish())
}
