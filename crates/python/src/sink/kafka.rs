//! Topics of a Kafka broker as sinks.

use std::sync::Arc;

use pathway_connectors::kafka::{KafkaSettings, KafkaSink, MessageFormat, Subject, Topic};
use pathway_io::Delivery;
use pathway_types::{Field, Schema};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::dtype::PyDType;
use crate::errors;
use crate::source::{RegistryTuple, of_tuple};

/// Writes the changes of a table as messages.
#[pyclass(frozen, module = "pathway._engine", name = "KafkaSink")]
pub(crate) struct PyKafkaSink {
    pub(crate) sink: Arc<KafkaSink>,
}

#[pymethods]
impl PyKafkaSink {
    #[new]
    #[pyo3(signature = (
        settings, format, column_names, dtypes, *, topic=None, topic_column=None, key=None, value=None,
        headers=Vec::new(), delimiter=',', registry=None, exactly_once=true
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        settings: Vec<(String, String)>,
        format: &str,
        column_names: Vec<String>,
        dtypes: Vec<Bound<'_, PyDType>>,
        topic: Option<String>,
        topic_column: Option<usize>,
        key: Option<usize>,
        value: Option<usize>,
        headers: Vec<(String, usize)>,
        delimiter: char,
        registry: Option<(RegistryTuple, Option<String>)>,
        exactly_once: bool,
    ) -> PyResult<Self> {
        let refused = |text: &str| Err(PyValueError::new_err(text.to_owned()));
        let format = match (format, value) {
            ("json", _) => MessageFormat::Json,
            ("avro", _) => MessageFormat::Avro,
            ("dsv", _) => match u8::try_from(delimiter) {
                Ok(delimiter) if delimiter.is_ascii() => MessageFormat::Dsv { delimiter },
                _ => return refused("the delimiter has to be an ASCII character"),
            },
            ("raw" | "plaintext", Some(column)) => MessageFormat::Column(column),
            ("raw" | "plaintext", None) => return refused("a column with the payload is needed"),
            _ => {
                return refused(&format!(
                    "format has to be json, avro, dsv, raw or plaintext, not {format:?}"
                ));
            }
        };
        let topic = match (topic, topic_column) {
            (Some(topic), None) => Topic::Fixed(topic),
            (None, Some(column)) => Topic::Column(column),
            _ => return refused("a topic is needed, or a column with topics"),
        };
        let columns = topic_column.iter().chain(&key).chain(&value).chain(headers.iter().map(|(_, c)| c));
        if column_names.len() != dtypes.len() || columns.into_iter().any(|c| *c >= dtypes.len()) {
            return refused("there have to be as many dtypes as column names, and every column among them");
        }
        let fields = column_names.into_iter().zip(&dtypes);
        let schema = Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype.get().0.clone())));
        let sink = KafkaSink::new(KafkaSettings::new(settings), topic, format, schema)
            .map_err(|error| errors::of_connector(&error))?;
        let registry = registry.map(|(settings, subject)| {
            (of_tuple(settings), subject.map_or(Subject::OfTopic, Subject::Named))
        });
        let delivery = if exactly_once { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce };
        let sink = sink.key(key).headers(headers).registry(registry).delivery(delivery);
        Ok(PyKafkaSink { sink: Arc::new(sink) })
    }
}
