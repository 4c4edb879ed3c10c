//! Sources in Python: files, topics of brokers, tables of databases, and subjects whose rows Python code sends.
//!
//! * `rows`: Python values to the cells and the key of a row
//! * `feed`: where rows wait between the threads that send them and the reader
//! * `subject`: the sending half, base of the user's class
//! * `reader`: the receiving half, a `pathway_io::Reader`

mod feed;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod rows;
mod subject;

use std::sync::Arc;

use pathway_connectors::formats::FormatSpec;
use pathway_connectors::formats::json::JsonSettings;
use pathway_io::{ConnectorError, ReadMode, Reader, Resume, Session, Source};
use pathway_types::Schema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::field::{self, PyField};
use feed::Feed;
use reader::SubjectReader;
use rows::{Content, Rows};

pub(crate) use file::PyFileSource;
#[cfg(feature = "kafka")]
pub(crate) use kafka::{PyKafkaSource, RegistryTuple, of_tuple};
#[cfg(feature = "postgres")]
pub(crate) use postgres::{PyPostgresSource, of_pairs};
pub(crate) use subject::PySubject;

/// A source fed by a subject.
#[pyclass(frozen, module = "pathway._engine", name = "SubjectSource")]
pub(crate) struct PySubjectSource {
    subject: Arc<Py<PySubject>>,
    calls: Arc<Calls>,
    content: Arc<Content>,
}

/// What the reader calls in Python.
#[derive(Debug)]
struct Calls {
    start: Py<PyAny>,
    finite: Py<PyAny>,
    /// Takes the last position of an earlier run, or None, in a run that may be gone on with.
    resume: Py<PyAny>,
}

#[pymethods]
impl PySubjectSource {
    #[new]
    #[pyo3(signature = (subject, schema, *, session, deletions, start, finite, resume, description, format="values"))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        subject: Bound<'_, PySubject>,
        schema: Vec<Bound<'_, PyField>>,
        session: &str,
        deletions: bool,
        start: Py<PyAny>,
        finite: Py<PyAny>,
        resume: Py<PyAny>,
        description: String,
        format: &str,
    ) -> PyResult<Self> {
        let session = match session {
            "native" => Session::Native,
            "upsert" => Session::Upsert,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "session has to be native or upsert, not {session:?}"
                )));
            }
        };
        if !matches!(format, "values" | "json" | "raw" | "binary") {
            let text = format!("format has to be values, json, raw or binary, not {format:?}");
            return Err(PyValueError::new_err(text));
        }
        let schema = field::schema(&schema);
        let content = Arc::new(Content { schema, session, deletions, description, is_text: format == "raw" });
        // Rows that are sent before the run starts wait here.
        let all: Vec<usize> = (0..content.schema.fields.len()).collect();
        let rows = Rows::new(subject.py(), content.clone(), &all, 0);
        subject.get().attach(Feed::waiting(rows));
        Ok(PySubjectSource {
            subject: Arc::new(subject.unbind()),
            calls: Arc::new(Calls { start, finite, resume }),
            content,
        })
    }
}

impl PySubjectSource {
    /// The source as the engine knows it. `number` tells the sources of a plan apart.
    pub(crate) fn source(&self, number: u64, max_backlog: Option<usize>) -> Arc<dyn Source> {
        Arc::new(SubjectSource {
            subject: self.subject.clone(),
            calls: self.calls.clone(),
            columns: (0..self.content.schema.fields.len()).collect(),
            schema: self.content.schema.clone(),
            content: self.content.clone(),
            number,
            max_backlog,
        })
    }
}

/// A subject, or the part of its columns that a program uses.
struct SubjectSource {
    subject: Arc<Py<PySubject>>,
    calls: Arc<Calls>,
    content: Arc<Content>,
    columns: Vec<usize>,
    schema: Schema,
    number: u64,
    max_backlog: Option<usize>,
}

impl std::fmt::Debug for SubjectSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubjectSource({})", self.content.description)
    }
}

impl Source for SubjectSource {
    fn description(&self) -> String {
        match &*self.content.description {
            "python" => "PythonReader".to_owned(),
            name => format!("python({name})"),
        }
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn session(&self) -> Session {
        self.content.session
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Streaming
    }
    fn insert_only(&self) -> bool {
        self.content.session == Session::Native && !self.content.deletions
    }
    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        Arc::new(SubjectSource {
            subject: self.subject.clone(),
            calls: self.calls.clone(),
            content: self.content.clone(),
            columns: columns.iter().map(|c| self.columns[*c]).collect(),
            schema: Schema::new(columns.iter().map(|c| self.schema.fields[*c].clone())),
            number: self.number,
            max_backlog: self.max_backlog,
        })
    }
    fn open(
        &self,
        _parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        // The ids of rows without keys tell runs apart, too: each counts its rows from the first.
        let run = resume.as_ref().map_or(1, |resume| resume.run);
        let number = self.number | (run - 1) << 32;
        let rows = Python::attach(|py| Rows::new(py, self.content.clone(), &self.columns, number));
        let json = FormatSpec::Json(JsonSettings::default()).compile(&self.content.schema, &self.columns);
        let feed = Feed::started(rows, Some(json), self.max_backlog);
        self.subject.get().replace(feed.clone(), &self.columns);
        let resume = resume.filter(|resume| !resume.records);
        let resume = resume.map(|resume| resume.positions.get("").map(|position| position.value.clone()));
        Ok(vec![Box::new(SubjectReader { feed, calls: self.calls.clone(), resume })])
    }
}
