//! Columns of schemas in Python.

use pathway_types::{Field, Schema};
use pyo3::prelude::*;

use crate::dtype::PyDType;
use crate::value::Converter;

/// One column of a schema.
#[pyclass(frozen, module = "pathway._engine", name = "Field")]
pub(crate) struct PyField(Field);

#[pymethods]
impl PyField {
    #[new]
    #[pyo3(signature = (name, dtype, *, primary_key=false, has_default=false, default=None, append_only=false))]
    fn new(
        name: &str,
        dtype: &Bound<'_, PyDType>,
        primary_key: bool,
        has_default: bool,
        default: Option<Bound<'_, PyAny>>,
        append_only: bool,
    ) -> PyResult<Self> {
        let py = dtype.py();
        let mut field = Field::new(name, dtype.get().0.clone());
        (field.primary_key, field.append_only) = (primary_key, append_only);
        if has_default {
            let default = default.unwrap_or_else(|| py.None().into_bound(py));
            let value = Converter::new(&field.dtype).value(&default);
            field.default = Some(
                value.map_err(|rejected| rejected.in_context(&format!("the default of column {name}")))?,
            );
        }
        Ok(PyField(field))
    }
    fn __repr__(&self) -> String {
        format!("Field({}: {})", self.0.name, self.0.dtype)
    }
}

/// The schema of these columns.
pub(crate) fn schema(fields: &[Bound<'_, PyField>]) -> Schema {
    Schema::new(fields.iter().map(|field| field.get().0.clone()))
}
