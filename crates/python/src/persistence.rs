//! Where the state of a run is kept, and what is replayed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pathway_persistence::Store;
use pathway_plan::program::{Program, StepOp};
use pathway_runtime::{Access, InputLogs, Pace, Persistence, Recording, Replay};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::EngineError;
use crate::graph::static_table::Rows;
use crate::keys::RowKeys;

/// Changes of a source: by its name the ids, values, times and diffs of rows.
type Given<'py> = Vec<(String, RowKeys<'py>, Vec<Py<PyAny>>, Vec<u64>, Vec<i64>)>;

/// A directory or a place in a cloud with checkpoints, and what a run does with them.
#[pyclass(frozen, module = "pathway._engine", name = "Persistence")]
pub(crate) struct PyPersistence {
    /// None for one that lasts as long as the run.
    place: Option<String>,
    /// Those of a place in a cloud.
    options: Option<Vec<(String, String)>>,
    interval: Duration,
    logs: InputLogs,
    access: Access,
    pace: Option<Pace>,
    continues: bool,
    given: Option<Vec<GivenRows>>,
}

/// What a source is given in place of what it recorded.
struct GivenRows {
    source: String,
    keys: Vec<u128>,
    columns: Vec<Py<PyAny>>,
    times: Vec<u64>,
    diffs: Vec<i64>,
}

#[pymethods]
impl PyPersistence {
    #[new]
    #[pyo3(signature = (
        place, *, options=None, interval_ms=0, logs="all", access="full", pace=None, speed=1.0, continues=true,
        given=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        place: Option<String>,
        options: Option<Vec<(String, String)>>,
        interval_ms: u64,
        logs: &str,
        access: &str,
        pace: Option<&str>,
        speed: f64,
        continues: bool,
        given: Option<Given<'_>>,
    ) -> PyResult<Self> {
        let known = [("all", InputLogs::All), ("named", InputLogs::Named), ("none", InputLogs::None)];
        let logs = choice("logs", logs, &known)?;
        let known = [
            ("full", Access::Full),
            ("record", Access::Record),
            ("replay", Access::Read),
            ("offsets_only", Access::Positions),
        ];
        let access = choice("access", access, &known)?;
        let known = [
            ("batch", Pace::Batch),
            ("speedrun_replay", Pace::Speedrun),
            ("realtime_replay", Pace::Realtime(speed)),
        ];
        let pace = pace.map(|pace| choice("pace", pace, &known)).transpose()?;
        let given = given.map(|given| {
            let rows = |(source, keys, columns, times, diffs): (_, RowKeys<'_>, _, _, _)| GivenRows {
                source,
                keys: keys.into_keys(),
                columns,
                times,
                diffs,
            };
            given.into_iter().map(rows).collect()
        });
        let interval = Duration::from_millis(interval_ms);
        Ok(PyPersistence { place, options, interval, logs, access, pace, continues, given })
    }
}

fn choice<T: Copy>(name: &str, text: &str, known: &[(&str, T)]) -> PyResult<T> {
    let found = known.iter().find(|(of, _)| *of == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(of, _)| *of).collect();
        PyValueError::new_err(format!("{name} has to be one of {}, not {text:?}", names.join(", ")))
    })
}

impl PyPersistence {
    /// Sources give recorded rows once more.
    pub(crate) fn replays(&self) -> bool {
        self.pace.is_some()
    }

    /// Opens the store, for a run of a program.
    pub(crate) fn open(&self, py: Python<'_>, program: &Program) -> PyResult<Persistence> {
        let store = match (&self.place, &self.options) {
            (None, _) => Store::memory(),
            (Some(place), None) => Store::directory(Path::new(place)),
            (Some(place), Some(options)) => Store::cloud(place, options),
        };
        let store = store.map_err(|error| EngineError::new_err(format!("persistence: {error}")))?;
        let given = self.given.as_ref().map(|given| recording(py, given, program)).transpose()?;
        Ok(Persistence {
            interval: self.interval,
            logs: self.logs,
            access: self.access,
            replay: self.pace.map(|pace| Replay { pace, given: given.map(Arc::new) }),
            continues: self.continues,
            ..Persistence::new(Arc::new(store))
        })
    }
}

/// The rows that sources of a program are given.
fn recording(py: Python<'_>, given: &[GivenRows], program: &Program) -> PyResult<Recording> {
    let mut recording: Recording = BTreeMap::new();
    for (number, step) in program.steps.iter().enumerate() {
        let StepOp::Source(spec) = &step.op else { continue };
        let name = program.persistent_name(number);
        for rows in given.iter().filter(|rows| rows.source == name) {
            let columns: Vec<_> = rows.columns.iter().map(|column| column.bind(py).clone()).collect();
            let (times, diffs) = (Some(rows.times.clone()), Some(rows.diffs.clone()));
            let rows = Rows { keys: &rows.keys, columns: &columns, times, diffs, shards: None };
            let (batches, _) = rows.into_batches(spec.source.schema())?;
            recording.insert(name.clone(), batches);
        }
    }
    Ok(recording)
}
