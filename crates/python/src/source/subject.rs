//! The sending half of a subject: native base of `pw.io.python.ConnectorSubject`.

use std::sync::Arc;

use parking_lot::Mutex;
use pathway_io::Session;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::feed::{Event, Feed, Row};
use super::rows::Identity;
use crate::attach::RunEnded;
use crate::mapping;
use crate::pointer::PyPointer;

/// Sends rows from any thread. Calls wait while too many rows are under way.
#[pyclass(frozen, subclass, module = "pathway._engine", name = "SubjectBase")]
pub(crate) struct PySubject {
    feed: Mutex<Option<Arc<Feed>>>,
}

/// Whether a row is added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

impl PySubject {
    /// Lets rows go to this feed.
    pub(super) fn attach(&self, feed: Arc<Feed>) {
        *self.feed.lock() = Some(feed);
    }

    /// Lets rows go to the feed of a run, after those that were sent before it.
    pub(super) fn replace(&self, run: Arc<Feed>, columns: &[usize]) {
        let mut feed = self.feed.lock();
        if let Some(before) = feed.as_ref().filter(|before| before.json.is_none()) {
            before.move_to(&run, columns);
        }
        *feed = Some(run);
    }

    fn feed(&self) -> PyResult<Arc<Feed>> {
        self.feed.lock().clone().ok_or_else(not_connected)
    }

    /// The feed, when it has room for one more row; `None` if it takes no more rows.
    fn feed_with_room(&self, py: Python<'_>) -> PyResult<Option<Arc<Feed>>> {
        loop {
            let feed = self.feed()?;
            let (full, stopped, closed, moved) = {
                let state = feed.lock();
                (state.is_full(), state.stopped, state.closed, state.moved)
            };
            if closed {
                return Ok(None);
            }
            if stopped {
                return Err(RunEnded::new_err("the run has ended; nothing more can be sent"));
            }
            if full {
                py.detach(|| feed.wait_for_room());
                py.check_signals()?;
            } else if !moved {
                return Ok(Some(feed));
            }
        }
    }

    fn send(
        &self,
        key: Option<&Bound<'_, PyPointer>>,
        values: &Bound<'_, PyDict>,
        change: Change,
    ) -> PyResult<()> {
        while let Some(feed) = self.feed_with_room(values.py())? {
            if send_to(&feed, key, values, change)? {
                break;
            }
        }
        Ok(())
    }

    fn send_event(&self, py: Python<'_>, event: Event) -> PyResult<()> {
        if self.feed_with_room(py)?.is_some() {
            // Under this lock the feed is not replaced by that of a run.
            let feed = self.feed.lock();
            feed.as_ref().ok_or_else(not_connected)?.event(event);
        }
        Ok(())
    }

    fn send_text(&self, py: Python<'_>, text: &[u8]) -> PyResult<()> {
        while let Some(feed) = self.feed_with_room(py)? {
            let mut state = feed.lock();
            if !state.moved {
                state.push_json(text);
                feed.notify(state);
                break;
            }
        }
        Ok(())
    }
}

fn not_connected() -> PyErr {
    PyRuntimeError::new_err("this subject is not connected: pass it to pw.io.python.read() first")
}

/// Converts and appends a row; false if the feed has moved meanwhile.
#[inline]
fn send_to(
    feed: &Feed,
    key: Option<&Bound<'_, PyPointer>>,
    values: &Bound<'_, PyDict>,
    change: Change,
) -> PyResult<bool> {
    let rows = &feed.rows;
    let content = rows.content();
    if !content.deletions && (change == Change::Remove || content.session == Session::Upsert) {
        return Err(PyValueError::new_err(format!(
            "{} cannot remove or replace rows: deletions are not enabled for it",
            content.description
        )));
    }
    let diff = if change == Change::Add { 1 } else { -1 };
    let only_key = change == Change::Remove && content.session == Session::Upsert;
    // Python code may run here (conversions); the lock is taken when all cells are there.
    let objects = rows.objects(values)?;
    let cells = rows.cells(&objects, only_key);
    let key = key.map(|key| key.get().0.0);
    let identity = match (key, rows.identity()) {
        (Some(_), _) | (None, Identity::Position) => Ok(None),
        (None, Identity::PrimaryKey | Identity::Content) => rows.hash(&cells).map(Some),
    };
    // A record is only described (which is Python code too) if something is wrong with it.
    let broken = cells[..rows.outputs()].iter().any(Result::is_err) || identity.is_err();
    let record = broken.then(|| rows.record(values, 0, String::new()));
    let record = |ordinal: u64, reason: String| match &record {
        Some(record) => {
            pathway_io::Rejected { reason, position: rows.origin().position(ordinal), ..record.clone() }
        }
        None => pathway_io::Rejected { raw: Vec::new(), position: String::new(), reason },
    };

    let mut state = feed.lock();
    if state.moved {
        return Ok(false);
    }
    let ordinal = state.next_ordinal();
    let key = match (key, identity) {
        (Some(key), _) => key,
        (None, Ok(None)) => rows.origin().key(ordinal),
        (None, Ok(Some(key))) if rows.identity() == Identity::PrimaryKey => key,
        (None, Ok(Some(content))) => match change {
            Change::Add => {
                let key = rows.origin().key(ordinal);
                state.remember(content, key);
                key
            }
            Change::Remove => match state.forget(content) {
                Some(key) => key,
                None => {
                    drop(state);
                    return Err(PyValueError::new_err(
                        "a row is removed that was never added: the values have to be those of an added row, or \
                         the schema needs a primary key",
                    ));
                }
            },
        },
        (None, Err(cause)) => {
            state.reject(record(ordinal, format!("error in primary key, skipping the row: {cause}")));
            feed.notify(state);
            return Ok(true);
        }
    };
    state.push(&Row { key, diff, cells: &cells }, |reason| record(ordinal, reason));
    feed.notify(state);
    Ok(true)
}

#[pymethods]
impl PySubject {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        PySubject { feed: Mutex::new(None) }
    }

    /// Adds a row.
    #[pyo3(signature = (**values))]
    fn next(&self, py: Python<'_>, values: Option<Bound<'_, PyDict>>) -> PyResult<()> {
        self.send(None, &values.unwrap_or_else(|| PyDict::new(py)), Change::Add)
    }
    /// Adds the row of a JSON object.
    fn next_json(&self, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = message.py();
        let dumps = py.import(intern!(py, "json"))?.getattr(intern!(py, "dumps"))?;
        let options = PyDict::new(py);
        options.set_item(intern!(py, "ensure_ascii"), false)?;
        let text: String = dumps.call((message,), Some(&options))?.extract()?;
        self.send_text(py, text.as_bytes())
    }
    /// Adds the row of a text: the text itself, or the JSON object it stands for.
    fn next_str(&self, py: Python<'_>, message: &str) -> PyResult<()> {
        if self.feed()?.rows.content().is_text {
            return self.send_data(message.into_pyobject(py)?.as_any());
        }
        self.send_text(py, message.as_bytes())
    }
    /// Adds the row of a byte string.
    fn next_bytes(&self, message: &Bound<'_, PyBytes>) -> PyResult<()> {
        let feed = self.feed()?;
        let content = feed.rows.content();
        if content.is_text {
            let text = std::str::from_utf8(message.as_bytes());
            let text =
                text.map_err(|error| PyValueError::new_err(format!("the message is not UTF-8: {error}")))?;
            return self.send_data(text.into_pyobject(message.py())?.as_any());
        }
        let columns = &content.schema.fields;
        if columns.iter().any(|field| &*field.name == "data" && field.dtype == pathway_types::DType::Bytes) {
            return self.send_data(message.as_any());
        }
        self.send_text(message.py(), message.as_bytes())
    }
    /// Removes a row.
    #[pyo3(signature = (**values))]
    fn delete(&self, py: Python<'_>, values: Option<Bound<'_, PyDict>>) -> PyResult<()> {
        self.send(None, &values.unwrap_or_else(|| PyDict::new(py)), Change::Remove)
    }
    /// Closes the minibatch.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.send_event(py, Event::Commit)
    }
    /// Ends the source.
    fn close(&self) -> PyResult<()> {
        let feed = self.feed.lock();
        feed.as_ref().ok_or_else(not_connected)?.close();
        Ok(())
    }
    /// Adds a row with an explicit key.
    fn _add_inner(&self, key: Option<Bound<'_, PyPointer>>, values: &Bound<'_, PyAny>) -> PyResult<()> {
        self.send(key.as_ref(), &mapping::dict(values)?, Change::Add)
    }
    /// Removes a row with an explicit key.
    fn _remove_inner(&self, key: Option<Bound<'_, PyPointer>>, values: &Bound<'_, PyAny>) -> PyResult<()> {
        self.send(key.as_ref(), &mapping::dict(values)?, Change::Remove)
    }
    /// No minibatch is closed by the clock from here on.
    fn _disable_commits(&self, py: Python<'_>) -> PyResult<()> {
        self.send_event(py, Event::BeginAtomic)
    }
    /// The clock closes minibatches again.
    fn _enable_commits(&self, py: Python<'_>) -> PyResult<()> {
        self.send_event(py, Event::EndAtomic)
    }
    /// The external position that covers everything sent so far.
    fn _report_offset(&self, py: Python<'_>, offset: Vec<u8>) -> PyResult<()> {
        self.send_event(py, Event::Position(offset))
    }
}

impl PySubject {
    /// Adds a row of the column `data` only.
    fn send_data(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let values = PyDict::new(data.py());
        values.set_item(intern!(data.py(), "data"), data)?;
        self.send(None, &values, Change::Add)
    }
}
