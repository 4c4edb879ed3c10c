//! Python code over whole tables.
//!
//! A Python object that `open` gives follows the changes of a run: `step(changes)` is told, for each
//! input, the ids, columns (as lists) and diffs of what changed, and returns the changes of the
//! output, `(part, id, diff, values)`, and the exceptions that are to be reported. `save(start, end)`
//! gives the state of a range of shards as `(id, bytes)`, `load(state)` takes it up.

use std::ops::Range;
use std::sync::Arc;

use pathway_expr::{Transformation, Transformed, Transformer};
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, ErrorKind, Key};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::attach;
use crate::code::Code;
use crate::dtype::PyDType;
use crate::pointer::PyPointer;
use crate::raised;
use crate::value::{Converter, column_to_list};

/// Python code over whole tables.
#[pyclass(frozen, module = "pathway._engine", name = "Transformer")]
pub(crate) struct PyTransformer(pub(crate) Arc<UserTransformer>);

/// What the plan knows of it.
#[derive(Debug)]
pub(crate) struct UserTransformer {
    open: Code,
    name: String,
    /// For each input, the names and dtypes of the table that has its row ids.
    pub(crate) parts: Vec<(usize, Vec<(String, DType)>)>,
}

type PyPart<'py> = (usize, Vec<(String, Bound<'py, PyDType>)>);

#[pymethods]
impl PyTransformer {
    #[new]
    fn new(open: Py<PyAny>, name: String, parts: Vec<PyPart<'_>>) -> Self {
        let part = |(input, columns): PyPart<'_>| {
            let columns = columns.into_iter().map(|(name, dtype)| (name, dtype.get().0.clone()));
            (input, columns.collect())
        };
        PyTransformer(Arc::new(UserTransformer {
            open: open.into(),
            name,
            parts: parts.into_iter().map(part).collect(),
        }))
    }
    fn __repr__(&self) -> String {
        format!("Transformer({})", self.0.name)
    }
}

fn attached<T>(code: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, DataError> {
    let result = attach::attached(|py| code(py).map_err(|error| raised::data_error(py, error)));
    result
        .unwrap_or_else(|| Err(DataError::new(ErrorKind::Engine, "the Python interpreter is shutting down")))
}

impl Transformer for UserTransformer {
    fn name(&self) -> &str {
        &self.name
    }
    fn open(&self) -> Result<Box<dyn Transformation>, DataError> {
        let object = attached(|py| self.open.bind(py).call0().map(Bound::unbind))?;
        let dtypes: Vec<Vec<DType>> = self
            .parts
            .iter()
            .map(|(_, columns)| columns.iter().map(|(_, dtype)| dtype.clone()).collect())
            .collect();
        let converters = dtypes.iter().map(|part| part.iter().map(Converter::new).collect()).collect();
        Ok(Box::new(UserTransformation { object, dtypes, converters }))
    }
}

struct UserTransformation {
    object: Py<PyAny>,
    /// For each part.
    dtypes: Vec<Vec<DType>>,
    converters: Vec<Vec<Converter>>,
}

type Entry<'py> = (usize, Bound<'py, PyPointer>, i64, Bound<'py, PyTuple>);

impl Transformation for UserTransformation {
    fn step(&mut self, changes: &[(Batch, &[DType])]) -> Result<Transformed, DataError> {
        attached(|py| {
            let changes = changes.iter().map(|(batch, dtypes)| {
                let ids = batch.keys.as_slice().iter().map(|key| PyPointer(Key(*key)));
                let ids = PyList::new(py, ids.collect::<Vec<_>>())?;
                let columns = batch.columns.iter().zip(*dtypes);
                let columns = columns.map(|(column, dtype)| column_to_list(py, column, dtype));
                let columns = PyList::new(py, columns.collect::<PyResult<Vec<_>>>()?)?;
                let diffs = PyList::new(py, batch.diffs.iter().collect::<Vec<_>>())?;
                (ids, columns, diffs).into_pyobject(py)
            });
            let changes = PyList::new(py, changes.collect::<PyResult<Vec<_>>>()?)?;
            let result = self.object.bind(py).call_method1(intern!(py, "step"), (changes,))?;
            let (entries, raised): (Bound<'_, PyList>, Vec<Bound<'_, PyAny>>) = result.extract()?;
            let mut causes: Vec<DataError> =
                raised.into_iter().map(|error| raised::data_error(py, PyErr::from_value(error))).collect();
            let changes = self.changes(&entries, &mut causes)?;
            Ok(Transformed { changes, causes })
        })
    }

    fn save(&mut self, shards: Range<u32>) -> Result<Vec<(u128, Vec<u8>)>, DataError> {
        attached(|py| {
            let saved = self.object.bind(py).call_method1(intern!(py, "save"), (shards.start, shards.end))?;
            let saved: Vec<(Bound<'_, PyPointer>, Vec<u8>)> = saved.extract()?;
            Ok(saved.into_iter().map(|(id, bytes)| (id.get().0.0, bytes)).collect())
        })
    }

    fn load(&mut self, state: Vec<(u128, Vec<u8>)>) -> Result<(), DataError> {
        attached(|py| {
            let rows = state.iter().map(|(id, bytes)| (PyPointer(Key(*id)), PyBytes::new(py, bytes)));
            let rows = PyList::new(py, rows.collect::<Vec<_>>())?;
            self.object.bind(py).call_method1(intern!(py, "load"), (rows,)).map(drop)
        })
    }
}

impl UserTransformation {
    fn changes(&self, entries: &Bound<'_, PyList>, causes: &mut Vec<DataError>) -> PyResult<Batch> {
        let rows = entries.len();
        let (mut keys, mut diffs) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut number = ColumnBuilder::new(&DType::Int, rows);
        let mut parts: Vec<Vec<ColumnBuilder>> = self
            .dtypes
            .iter()
            .map(|part| part.iter().map(|dtype| ColumnBuilder::new(dtype, rows)).collect())
            .collect();
        for entry in entries {
            let (part, id, diff, values): Entry<'_> = entry.extract()?;
            keys.push(id.get().0.0);
            diffs.push(diff);
            number.push_int(part as i64);
            for (i, columns) in parts.iter_mut().enumerate() {
                if i != part {
                    columns.iter_mut().for_each(ColumnBuilder::push_none);
                    continue;
                }
                let converters = self.converters[i].iter().zip(values.iter_borrowed());
                for (column, (converter, value)) in columns.iter_mut().zip(converters) {
                    if let Err(rejected) = converter.push(&value, column)
                        && diff > 0
                    {
                        causes.push(rejected.into_data_error());
                    }
                }
            }
        }
        let columns = std::iter::once(&mut number).chain(parts.iter_mut().flatten());
        let columns: Vec<Column> = columns.map(ColumnBuilder::finish).collect();
        Ok(Batch::new(keys.into(), columns, diffs.into()))
    }
}
