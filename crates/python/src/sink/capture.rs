//! The update stream of a table, or its last rows, kept in memory.

use std::sync::Arc;

use parking_lot::Mutex;
use pathway_dataflow::kernels::consolidate::consolidate;
use pathway_io::{ConnectorError, Sink, Writer};
use pathway_types::{Batch, DType, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::dtype::PyDType;
use crate::pointer::PyPointer;
use crate::value::column_to_list;

/// Keeps the changes of a table.
#[pyclass(frozen, module = "pathway._engine", name = "CaptureSink")]
pub(crate) struct PyCaptureSink {
    pub(crate) sink: Arc<Capture>,
}

/// Changes that are few are not worth being added up.
const FEW: usize = 1 << 16;

/// What is captured.
#[derive(Debug)]
pub(crate) struct Capture {
    dtypes: Arc<[DType]>,
    /// Only the rows that remain are wanted, not how they came about.
    only_last: bool,
    kept: Arc<Mutex<Kept>>,
}

/// Changes in order of arrival.
#[derive(Debug, Default)]
struct Kept {
    updates: Vec<(Timestamp, Batch)>,
    /// How many changes these are.
    count: usize,
    /// How many there were when they were last added up.
    settled: usize,
}

impl Kept {
    /// Leaves one change for each row that remains, at the last time.
    fn add_up(&mut self, dtypes: &[DType]) {
        let Some(time) = self.updates.last().map(|(time, _)| *time) else { return };
        let batches: Vec<Batch> = self.updates.drain(..).map(|(_, batch)| batch).collect();
        let rows = consolidate(Batch::concat(&batches), dtypes);
        (self.count, self.settled) = (rows.len(), rows.len());
        self.updates.push((time, rows));
    }
}

impl Sink for Capture {
    fn description(&self) -> String {
        "capture".to_owned()
    }
    /// Starts anew: a run captures its own changes only.
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        *self.kept.lock() = Kept::default();
        let dtypes = self.only_last.then(|| self.dtypes.clone());
        Ok(Box::new(CaptureWriter { dtypes, kept: self.kept.clone() }))
    }
}

struct CaptureWriter {
    /// Of the columns, if changes are added up.
    dtypes: Option<Arc<[DType]>>,
    kept: Arc<Mutex<Kept>>,
}

impl Writer for CaptureWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        let mut kept = self.kept.lock();
        kept.updates.push((time, batch.clone()));
        kept.count += batch.len();
        if let Some(dtypes) = &self.dtypes
            && kept.count > FEW + 2 * kept.settled
        {
            kept.add_up(dtypes);
        }
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
}

#[pymethods]
impl PyCaptureSink {
    #[new]
    #[pyo3(signature = (dtypes, *, only_last=false))]
    fn new(dtypes: Vec<Bound<'_, PyDType>>, only_last: bool) -> Self {
        let dtypes = dtypes.iter().map(|dtype| dtype.get().0.clone()).collect();
        PyCaptureSink { sink: Arc::new(Capture { dtypes, only_last, kept: Arc::default() }) }
    }
    /// Key, values, time and diff of each change, or of each row that remains.
    fn updates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let updates = {
            let mut kept = self.sink.kept.lock();
            if self.sink.only_last {
                kept.add_up(&self.sink.dtypes);
            }
            kept.updates.clone()
        };
        let all = PyList::empty(py);
        for (time, batch) in &updates {
            let columns = batch.columns.iter().zip(&*self.sink.dtypes);
            let columns = columns.map(|(column, dtype)| column_to_list(py, column, dtype));
            let columns = columns.collect::<PyResult<Vec<_>>>()?;
            for row in 0..batch.len() {
                let values =
                    columns.iter().map(|column| column.get_item(row)).collect::<PyResult<Vec<_>>>()?;
                let values = PyTuple::new(py, values)?;
                all.append((PyPointer(batch.keys.get(row)), values, *time, batch.diffs.get(row)))?;
            }
        }
        Ok(all)
    }
    fn clear(&self) {
        *self.sink.kept.lock() = Kept::default();
    }
}
