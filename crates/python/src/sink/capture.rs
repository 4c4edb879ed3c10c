//! The update stream of a table, kept in memory.

use std::sync::Arc;

use parking_lot::Mutex;
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

/// What was captured, in order of arrival.
#[derive(Debug)]
pub(crate) struct Capture {
    dtypes: Vec<DType>,
    updates: Arc<Mutex<Vec<(Timestamp, Batch)>>>,
}

impl Sink for Capture {
    fn description(&self) -> String {
        "capture".to_owned()
    }
    /// Starts anew: a run captures its own changes only.
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        self.updates.lock().clear();
        Ok(Box::new(CaptureWriter(self.updates.clone())))
    }
}

struct CaptureWriter(Arc<Mutex<Vec<(Timestamp, Batch)>>>);

impl Writer for CaptureWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.0.lock().push((time, batch.clone()));
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
    fn new(dtypes: Vec<Bound<'_, PyDType>>) -> Self {
        let dtypes = dtypes.iter().map(|dtype| dtype.get().0.clone()).collect();
        PyCaptureSink { sink: Arc::new(Capture { dtypes, updates: Arc::default() }) }
    }
    /// Key, values, time and diff of each change.
    fn updates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let updates = self.sink.updates.lock().clone();
        let all = PyList::empty(py);
        for (time, batch) in &updates {
            let columns = batch.columns.iter().zip(&self.sink.dtypes);
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
        self.sink.updates.lock().clear();
    }
}
