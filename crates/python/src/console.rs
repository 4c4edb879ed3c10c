//! The view of a run for people, as Python sees it: what is logged goes in, a terminal or a text comes out.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pathway_monitor::console::{Console, Drawing};
use pathway_monitor::{LogTail, Record};
use pathway_runtime::Statistics;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::attach;

/// A record as Python gives it: its time in seconds since 1970, level and the name of that, logger, message, fields
/// and exception.
#[derive(FromPyObject)]
pub(crate) struct PyRecord(f64, u32, String, String, String, BTreeMap<String, String>, Option<String>);

impl From<PyRecord> for Record {
    fn from(record: PyRecord) -> Record {
        let PyRecord(seconds, level, level_name, logger, message, fields, exception) = record;
        let time = (seconds * 1000.0) as u64;
        Record { time, level, level_name, logger, message, fields, exception }
    }
}

/// The last records that were logged.
#[pyclass(frozen, module = "pathway._engine", name = "LogTail")]
pub(crate) struct PyLogTail(pub(crate) Arc<LogTail>);

#[pymethods]
impl PyLogTail {
    #[new]
    fn new() -> PyLogTail {
        PyLogTail(Arc::default())
    }

    fn push(&self, record: PyRecord) {
        self.0.push(record.into());
    }
}

/// A view of one run.
#[pyclass(frozen, module = "pathway._engine", name = "Console")]
pub(crate) struct PyConsole {
    console: Arc<Console>,
    terminal: Mutex<Option<File>>,
    lines: Option<(Duration, Py<PyAny>)>,
}

#[pymethods]
impl PyConsole {
    #[new]
    #[pyo3(signature = (tail, *, operators, terminal=None, lines=None))]
    fn new(
        tail: &Bound<'_, PyLogTail>,
        operators: bool,
        terminal: Option<RawFd>,
        lines: Option<(f64, Py<PyAny>)>,
    ) -> PyResult<PyConsole> {
        let console = Arc::new(Console::new(tail.get().0.clone(), operators));
        // SAFETY: the caller hands the descriptor over.
        let terminal = terminal.map(|terminal| unsafe { File::from_raw_fd(terminal) });
        let lines = lines.map(|(seconds, tell)| {
            let every = Duration::try_from_secs_f64(seconds);
            every.map(|every| (every, tell)).map_err(|error| PyValueError::new_err(error.to_string()))
        });
        Ok(PyConsole { console, terminal: Mutex::new(terminal), lines: lines.transpose()? })
    }

    /// True if there is, or was, a run to show.
    fn has_begun(&self) -> bool {
        self.console.has_begun()
    }

    /// The whole view as text, with so many lines of the log at most.
    #[pyo3(signature = (width, logs=10))]
    fn text(&self, py: Python<'_>, width: u16, logs: u16) -> String {
        py.detach(|| self.console.text(width, logs))
    }
}

impl PyConsole {
    /// Shows a run until it is let go.
    pub(crate) fn show(&self, py: Python<'_>, statistics: Arc<Statistics>) -> PyResult<Shown> {
        self.console.open(statistics);
        let drawing = if let Some(terminal) = self.terminal.lock().take() {
            self.console.draw(terminal).map(Some)
        } else if let Some((every, tell)) = &self.lines {
            let tell = tell.clone_ref(py);
            self.console
                .lines(*every, move |line| {
                    attach::attached(|py| {
                        if let Err(error) = tell.bind(py).call1((line,)) {
                            error.write_unraisable(py, Some(tell.bind(py)));
                        }
                    });
                })
                .map(Some)
        } else {
            Ok(None)
        };
        drawing.map(Shown).map_err(|error| PyOSError::new_err(error.to_string()))
    }
}

/// A view that ends without the interpreter lock, which it may need for its last words.
pub(crate) struct Shown(Option<Drawing>);

impl Drop for Shown {
    fn drop(&mut self) {
        let drawing = self.0.take();
        Python::attach(|py| py.detach(|| drop(drawing)));
    }
}
