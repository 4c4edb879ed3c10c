//! Topics of a Kafka broker as sources.

use std::sync::Arc;
use std::time::Duration;

use pathway_connectors::formats::json::JsonSettings;
use pathway_connectors::formats::message::MessageSpec;
use pathway_connectors::kafka::{KafkaSettings, KafkaSource, PayloadKind, RegistrySettings};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors;
use crate::field::{self, PyField};
use crate::source::file;

/// Reads the messages of a topic.
#[pyclass(frozen, module = "pathway._engine", name = "KafkaSource")]
pub(crate) struct PyKafkaSource {
    pub(crate) source: Arc<KafkaSource>,
}

#[pymethods]
impl PyKafkaSource {
    #[new]
    #[pyo3(signature = (
        settings, topic, format, schema, *, mode, in_key=Vec::new(), json_field_paths=None, with_metadata=false,
        ids_from_keys=false, start_from_timestamp_ms=None, parallel_readers=None, registry=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        settings: Vec<(String, String)>,
        topic: &str,
        format: &str,
        schema: Option<Vec<Bound<'_, PyField>>>,
        mode: &str,
        in_key: Vec<String>,
        json_field_paths: Option<Bound<'_, PyAny>>,
        with_metadata: bool,
        ids_from_keys: bool,
        start_from_timestamp_ms: Option<i64>,
        parallel_readers: Option<usize>,
        registry: Option<RegistryTuple>,
    ) -> PyResult<Self> {
        let mode = file::mode(mode)?;
        let settings = KafkaSettings::new(settings);
        let kind = if format == "avro" { PayloadKind::Avro } else { PayloadKind::Json };
        let format = match format {
            "raw" => MessageSpec::Raw,
            "plaintext" => MessageSpec::PlainText,
            // Avro records are JSON objects when their columns are looked for.
            "json" | "avro" => {
                let settings: JsonSettings = file::json(json_field_paths.as_ref())?;
                MessageSpec::Json { settings, in_key }
            }
            "debezium" | "debezium-mongodb" => {
                let settings: JsonSettings = file::json(json_field_paths.as_ref())?;
                MessageSpec::Debezium { settings, rows_are_text: format == "debezium-mongodb" }
            }
            _ => {
                let text = format!(
                    "format has to be raw, plaintext, json, avro, debezium or debezium-mongodb, not {format:?}"
                );
                return Err(PyValueError::new_err(text));
            }
        };
        let schema = schema.map(|fields| field::schema(&fields));
        let source = KafkaSource::new(settings, topic, format, schema, mode)
            .map_err(|error| errors::of_connector(&error))?;
        let source = source
            .ids_from_keys(ids_from_keys)
            .from_timestamp_ms(start_from_timestamp_ms)
            .most_readers(parallel_readers)
            .registry(registry.map(|settings| (of_tuple(settings), kind)));
        Ok(PyKafkaSource { source: Arc::new(if with_metadata { source.with_metadata() } else { source }) })
    }
}

/// Addresses, token, user name, password, headers, proxy, seconds.
pub(crate) type RegistryTuple = (
    Vec<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Vec<(String, String)>,
    Option<String>,
    Option<f64>,
);

/// The settings of a schema registry as Python hands them over.
pub(crate) fn of_tuple(settings: RegistryTuple) -> RegistrySettings {
    let (urls, token, name, password, headers, proxy, seconds) = settings;
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    RegistrySettings { urls, token, user: name.map(|name| (name, password)), headers, proxy, timeout }
}
