//! A function of the user's, called per change.

use std::sync::Arc;

use pathway_io::{ConnectorError, FailureClass, Sink, Writer};
use pathway_types::{Batch, DType, Timestamp};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator, PyList, PyString, PyTuple};

use crate::attach;
use crate::dtype::PyDType;
use crate::pointer::PyPointer;
use crate::raised;
use crate::value::column_to_list;

/// The names of the arguments of `on_change`.
const PARAMETERS: [&str; 4] = ["key", "row", "time", "is_addition"];

/// Calls functions of the user's with the changes of a table.
#[pyclass(frozen, module = "pathway._engine", name = "CallbackSink")]
pub(crate) struct PyCallbackSink {
    pub(crate) sink: Arc<Callbacks>,
}

/// The functions, and the columns that they get.
#[derive(Debug)]
pub(crate) struct Callbacks {
    names: Vec<Py<PyString>>,
    dtypes: Vec<DType>,
    on_change: Py<PyAny>,
    on_time_end: Option<Py<PyAny>>,
    on_end: Option<Py<PyAny>>,
    skip_pending: bool,
    /// Which of the [`PARAMETERS`] each positional parameter of `on_change` is, if they are just these.
    order: Option<[usize; 4]>,
}

#[pymethods]
impl PyCallbackSink {
    #[new]
    #[pyo3(signature = (column_names, dtypes, *, on_change, on_time_end, on_end, skip_pending=true))]
    fn new(
        py: Python<'_>,
        column_names: Vec<String>,
        dtypes: Vec<Bound<'_, PyDType>>,
        on_change: Bound<'_, PyAny>,
        on_time_end: Option<Py<PyAny>>,
        on_end: Option<Py<PyAny>>,
        skip_pending: bool,
    ) -> PyResult<Self> {
        if column_names.len() != dtypes.len() {
            return Err(PyValueError::new_err("there have to be as many dtypes as column names"));
        }
        Ok(PyCallbackSink {
            sink: Arc::new(Callbacks {
                names: column_names.iter().map(|name| PyString::intern(py, name).unbind()).collect(),
                dtypes: dtypes.iter().map(|dtype| dtype.get().0.clone()).collect(),
                order: positional_order(&on_change).unwrap_or(None),
                on_change: on_change.unbind(),
                on_time_end,
                on_end,
                skip_pending,
            }),
        })
    }
}

/// The order in which a plain Python function (or method) takes the [`PARAMETERS`], if it takes
/// nothing else: then it can be called with positional arguments, which is much cheaper.
fn positional_order(function: &Bound<'_, PyAny>) -> PyResult<Option<[usize; 4]>> {
    let py = function.py();
    let kind = function.get_type().name()?.to_string();
    let (function, bound) = match kind.as_str() {
        "function" => (function.clone(), 0),
        "method" => (function.getattr(intern!(py, "__func__"))?, 1),
        _ => return Ok(None),
    };
    if function.get_type().name()? != "function" {
        return Ok(None);
    }
    const VARIADIC: u32 = 0x04 | 0x08;
    let code = function.getattr(intern!(py, "__code__"))?;
    let number = |name: &str| code.getattr(name)?.extract::<usize>();
    let flags: u32 = code.getattr(intern!(py, "co_flags"))?.extract()?;
    let plain = number("co_argcount")? == PARAMETERS.len() + bound
        && number("co_posonlyargcount")? <= bound
        && number("co_kwonlyargcount")? == 0
        && flags & VARIADIC == 0;
    if !plain {
        return Ok(None);
    }
    let names: Vec<String> = code.getattr(intern!(py, "co_varnames"))?.extract()?;
    let mut order = [0; 4];
    for (place, name) in order.iter_mut().zip(&names[bound..]) {
        match PARAMETERS.iter().position(|parameter| parameter == name) {
            Some(parameter) => *place = parameter,
            None => return Ok(None),
        }
    }
    Ok(Some(order))
}

impl Sink for Callbacks {
    fn description(&self) -> String {
        "subscribe".to_owned()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        let sink = attached(|py| {
            Ok(Callbacks {
                names: self.names.iter().map(|name| name.clone_ref(py)).collect(),
                dtypes: self.dtypes.clone(),
                on_change: self.on_change.clone_ref(py),
                on_time_end: self.on_time_end.as_ref().map(|f| f.clone_ref(py)),
                on_end: self.on_end.as_ref().map(|f| f.clone_ref(py)),
                ..*self
            })
        })?;
        Ok(Box::new(CallbackWriter(sink)))
    }
}

/// Calls Python; what it raises is kept for the run to raise.
fn attached<T>(call: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, ConnectorError> {
    let result = attach::attached(|py| {
        call(py).map_err(|error| {
            let (text, class) = raised::failure(py, error);
            ConnectorError::new("subscribe", class, text)
        })
    });
    result.unwrap_or_else(|| {
        let text = "the Python interpreter is shutting down";
        Err(ConnectorError::new("subscribe", FailureClass::Engine, text))
    })
}

struct CallbackWriter(Callbacks);

impl Writer for CallbackWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        attached(|py| self.0.write(py, batch, time))
    }
    fn end_time(&mut self, time: Timestamp) -> Result<(), ConnectorError> {
        match &self.0.on_time_end {
            Some(function) => attached(|py| function.bind(py).call1((time,)).map(drop)),
            None => Ok(()),
        }
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        match &self.0.on_end {
            Some(function) => attached(|py| function.bind(py).call0().map(drop)),
            None => Ok(()),
        }
    }
}

/// Rows whose values exist as Python objects at one time.
const CHUNK: usize = 4096;

impl Callbacks {
    fn write(&self, py: Python<'_>, batch: &Batch, time: Timestamp) -> PyResult<()> {
        let batch = match self.skip_pending && batch.columns.iter().any(|c| c.pending().is_some()) {
            true => {
                let resolved = |row: usize| !batch.columns.iter().any(|c| c.is_pending(row));
                batch.filter(&(0..batch.len()).map(resolved).collect())
            }
            false => batch.clone(),
        };
        let time = time.into_bound_py_any(py)?;
        let mut start = 0;
        while start < batch.len() {
            let len = CHUNK.min(batch.len() - start);
            let chunk = batch.slice(start, len);
            let rows = self.rows(py, &chunk)?;
            match self.order {
                Some(order) => self.call_by_position(py, order, &chunk, rows, &time)?,
                None => self.call_by_name(py, &chunk, rows, &time)?,
            }
            start += len;
        }
        Ok(())
    }

    /// A dict per row.
    fn rows<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows: Vec<Bound<'py, PyDict>> = (0..batch.len()).map(|_| PyDict::new(py)).collect();
        for ((name, dtype), column) in self.names.iter().zip(&self.dtypes).zip(&batch.columns) {
            let name = name.bind(py);
            let values = column_to_list(py, column, dtype)?;
            for (row, value) in rows.iter().zip(values.iter()) {
                row.set_item(name, value)?;
            }
        }
        Ok(rows)
    }

    /// Python's own `map` walks the arguments.
    fn call_by_position<'py>(
        &self,
        py: Python<'py>,
        order: [usize; 4],
        batch: &Batch,
        rows: Vec<Bound<'py, PyDict>>,
        time: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let len = batch.len();
        let lists = [
            PyList::new(py, (0..len).map(|row| PyPointer(batch.keys.get(row))))?,
            PyList::new(py, rows)?,
            PyList::new(py, (0..len).map(|_| time))?,
            PyList::new(py, (0..len).map(|row| batch.diffs.get(row) > 0))?,
        ];
        let on_change = self.on_change.bind(py).clone();
        let arguments = std::iter::once(on_change).chain(order.iter().map(|i| lists[*i].as_any().clone()));
        let arguments = PyTuple::new(py, arguments.collect::<Vec<_>>())?;
        let mut calls = map_class(py)?.call1(arguments)?.cast_into::<PyIterator>()?;
        for row in 0..len {
            match calls.next() {
                Some(result) => drop(result?),
                None => return Err(PyStopIteration::new_err("raised by on_change")),
            }
            // A row that is there several times is that many changes.
            for _ in 1..batch.diffs.get(row).unsigned_abs() {
                let arguments =
                    order.iter().map(|i| lists[*i].get_item(row)).collect::<PyResult<Vec<_>>>()?;
                self.on_change.bind(py).call1(PyTuple::new(py, arguments)?)?;
            }
        }
        Ok(())
    }

    fn call_by_name<'py>(
        &self,
        py: Python<'py>,
        batch: &Batch,
        rows: Vec<Bound<'py, PyDict>>,
        time: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let on_change = self.on_change.bind(py);
        for (row, values) in rows.into_iter().enumerate() {
            let diff = batch.diffs.get(row);
            let key = PyPointer(batch.keys.get(row)).into_bound_py_any(py)?;
            for _ in 0..diff.unsigned_abs() {
                let arguments = PyDict::new(py);
                arguments.set_item(intern!(py, "key"), &key)?;
                arguments.set_item(intern!(py, "row"), &values)?;
                arguments.set_item(intern!(py, "time"), time)?;
                arguments.set_item(intern!(py, "is_addition"), diff > 0)?;
                on_change.call((), Some(&arguments))?;
            }
        }
        Ok(())
    }
}

fn map_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MAP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MAP.import(py, "builtins", "map")
}
