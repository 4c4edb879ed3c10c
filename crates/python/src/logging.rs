//! What connectors and the like log while they work, handed to Python's `logging`.

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::intern;
use pyo3::prelude::*;

use crate::attach;

/// The logger that gets it.
const LOGGER: &str = "pathway_engine.connectors";

struct PythonLog;

impl Log for PythonLog {
    /// Libraries have their own ideas of what users want to know.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info && metadata.target().starts_with("pathway")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        let method = match record.level() {
            Level::Error => "error",
            Level::Warn => "warning",
            _ => "info",
        };
        attach::attached(|py| {
            let logged = py
                .import(intern!(py, "logging"))
                .and_then(|logging| logging.call_method1(intern!(py, "getLogger"), (LOGGER,)))
                .and_then(|logger| logger.call_method1(method, ("%s", text)));
            if let Err(error) = logged {
                error.write_unraisable(py, None);
            }
        });
    }

    fn flush(&self) {}
}

/// Connects the two.
pub(crate) fn register() {
    // Somebody who has the process log elsewhere has reasons.
    if log::set_logger(&PythonLog).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
