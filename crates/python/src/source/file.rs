//! Files as sources.

use std::sync::Arc;

use pathway_connectors::formats::FormatSpec;
use pathway_connectors::formats::csv::CsvSettings;
use pathway_connectors::formats::json::JsonSettings;
use pathway_connectors::fs::FileSource;
use pathway_io::ReadMode;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::errors;
use crate::field::{self, PyField};
use crate::mapping;

/// Reads records of files.
#[pyclass(frozen, module = "pathway._engine", name = "FileSource")]
pub(crate) struct PyFileSource {
    pub(crate) source: Arc<FileSource>,
}

#[pymethods]
impl PyFileSource {
    #[new]
    #[pyo3(signature = (
        path, format, schema, *, mode, object_pattern="*", with_metadata=false, csv_settings=None,
        json_field_paths=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        path: &str,
        format: &str,
        schema: Vec<Bound<'_, PyField>>,
        mode: &str,
        object_pattern: &str,
        with_metadata: bool,
        csv_settings: Option<Bound<'_, PyAny>>,
        json_field_paths: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mode = self::mode(mode)?;
        let spec = match format {
            "csv" => FormatSpec::Csv(csv(csv_settings.as_ref())?),
            "json" => FormatSpec::Json(json(json_field_paths.as_ref())?),
            "plaintext" => FormatSpec::PlainText,
            "plaintext_by_file" => FormatSpec::PlainTextByFile,
            "binary" => FormatSpec::Binary,
            "only_metadata" => FormatSpec::OnlyMetadata,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "format has to be csv, json, plaintext, plaintext_by_file, binary or only_metadata, not {format:?}"
                )));
            }
        };
        // Formats without fields have columns of their own.
        let has_fields = matches!(spec, FormatSpec::Csv(_) | FormatSpec::Json(_));
        let schema = has_fields.then(|| field::schema(&schema));
        let source = FileSource::new(path, spec, schema, mode)
            .and_then(|source| source.object_pattern(object_pattern))
            .map_err(|error| errors::of_connector(&error))?;
        Ok(PyFileSource { source: Arc::new(source.with_metadata(with_metadata)) })
    }
}

/// The mode that a user names.
pub(super) fn mode(mode: &str) -> PyResult<ReadMode> {
    match mode {
        "static" => Ok(ReadMode::Static),
        "streaming" => Ok(ReadMode::Streaming),
        _ => Err(PyValueError::new_err(format!("mode has to be static or streaming, not {mode:?}"))),
    }
}

/// The settings under the names of `pw.io.CsvParserSettings`.
fn csv(settings: Option<&Bound<'_, PyAny>>) -> PyResult<CsvSettings> {
    let Some(settings) = settings else { return Ok(CsvSettings::default()) };
    let (mut delimiter, mut quote, mut escape, mut comment) = (',', '"', None, None);
    let (mut double_quote_escapes, mut quoting) = (true, true);
    for (name, value) in mapping::dict(settings)? {
        match name.extract::<String>()?.as_str() {
            "delimiter" => delimiter = value.extract()?,
            "quote" => quote = value.extract()?,
            "escape" => escape = value.extract()?,
            "enable_double_quote_escapes" => double_quote_escapes = value.extract()?,
            "enable_quoting" => quoting = value.extract()?,
            "comment_character" => comment = value.extract()?,
            name => return Err(PyTypeError::new_err(format!("there is no csv setting {name:?}"))),
        }
    }
    CsvSettings::new(delimiter, quote, escape, double_quote_escapes, quoting, comment)
        .map_err(|error| errors::of_connector(&error))
}

pub(super) fn json(paths: Option<&Bound<'_, PyAny>>) -> PyResult<JsonSettings> {
    let mut field_paths = Vec::new();
    if let Some(paths) = paths {
        for (column, path) in mapping::dict(paths)? {
            field_paths.push((column.extract()?, path.extract()?));
        }
    }
    Ok(JsonSettings { field_paths })
}
