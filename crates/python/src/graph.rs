//! The plan under construction in Python.

pub(crate) mod static_table;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pathway_io::{Sink, Source};
use pathway_plan::program::StepOp;
use pathway_plan::rewrite::{Goal, Rewrites};
use pathway_plan::{ErrorLogId, Graph, OutputId, OutputOptions, SourceOptions, origins_of_all};
use pathway_runtime::ClusterConfig;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::console::PyConsole;
use crate::dtype::PyDType;
use crate::errors;
use crate::explain::{PyCounts, PyExplanation};
use crate::expr::{PyExpr, exprs};
use crate::field::{self, PyField};
use crate::frame::{self, PyFrame};
use crate::handle::PyRunHandle;
use crate::keys::RowKeys;
use crate::persistence::PyPersistence;
use crate::run::{self, RunArguments};
use crate::serving::PyServing;
use crate::sink::{PyCallbackSink, PyCaptureSink, PyFileSink, PyNullSink};
use crate::source::{PyFileSource, PySubjectSource};
use crate::table::PyTable;
use crate::transform::PyTransformer;
use crate::universe::PyUniverse;
use crate::value::describe;
use crate::why::{self, OriginStep};

/// The name, the sink, the line and the table of an output.
type OutputParts = (Option<String>, String, Option<Py<PyFrame>>, PyTable);

/// The plan under construction.
#[pyclass(frozen, module = "pathway._engine", name = "Graph")]
pub(crate) struct PyGraph {
    pub(crate) graph: Graph,
    /// The numbers of outputs that only run when they are asked for.
    captures: Mutex<Vec<OutputId>>,
}

#[pymethods]
impl PyGraph {
    #[new]
    fn new() -> Self {
        PyGraph { graph: Graph::new(), captures: Mutex::default() }
    }
    fn clear(&self) {
        self.captures.lock().clear();
        self.graph.clear();
    }

    #[pyo3(signature = (
        schema, keys, columns, *, times=None, diffs=None, shards=None, universe=None, id_dtype=None,
        known_at_start=false, frame=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn static_table(
        slf: &Bound<'_, Self>,
        schema: Vec<Bound<'_, PyField>>,
        keys: RowKeys<'_>,
        columns: Vec<Bound<'_, PyAny>>,
        times: Option<Vec<u64>>,
        diffs: Option<Vec<i64>>,
        shards: Option<Vec<u64>>,
        universe: Option<&Bound<'_, PyUniverse>>,
        id_dtype: Option<&Bound<'_, PyDType>>,
        known_at_start: bool,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyTable> {
        let schema = field::schema(&schema);
        let keys = keys.into_keys();
        let rows = static_table::Rows { keys: &keys, columns: &columns, times, diffs, shards };
        let (batches, shards) = rows.into_batches(&schema)?;
        let options = pathway_plan::StaticOptions {
            shards,
            universe: universe.map(|universe| universe.get().id),
            id_dtype: id_dtype.map(|dtype| dtype.get().0.clone()),
            empty: keys.is_empty(),
            known_at_start,
            frame: frame::of(frame),
        };
        let table = slf.get().graph.static_table(&schema, batches, options).map_err(errors::of_plan)?;
        Ok(PyTable { table, graph: slf.clone().unbind() })
    }

    #[pyo3(signature = (
        source, *, name=None, autocommit_ms=Some(1500), max_backlog=None, id_dtype=None, append_only=false, frame=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn read(
        slf: &Bound<'_, Self>,
        source: &Bound<'_, PyAny>,
        name: Option<String>,
        autocommit_ms: Option<u64>,
        max_backlog: Option<usize>,
        id_dtype: Option<&Bound<'_, PyDType>>,
        append_only: bool,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<PyTable> {
        let graph = &slf.get().graph;
        let source: Arc<dyn Source> = if let Ok(file) = source.cast_exact::<PyFileSource>() {
            file.get().source.clone()
        } else if let Some(system) = of_system::source(source) {
            system
        } else if let Ok(subject) = source.cast_exact::<PySubjectSource>() {
            subject.get().source(graph.len() as u64, max_backlog)
        } else {
            return Err(PyTypeError::new_err(format!("a source is needed, not {}", describe(source))));
        };
        let options = SourceOptions {
            name,
            autocommit: autocommit_ms.map(Duration::from_millis),
            max_backlog,
            id_dtype: id_dtype.map(|dtype| dtype.get().0.clone()),
            append_only,
            frame: frame::of(frame),
        };
        let table = graph.source(source, options).map_err(errors::of_plan)?;
        Ok(PyTable { table, graph: slf.clone().unbind() })
    }

    /// Node and name of the column that is passed on until it is this expression.
    fn passed_from(&self, expr: &Bound<'_, PyExpr>) -> Option<(u32, String)> {
        let (node, name) = self.graph.passed_from(&expr.get().expr)?;
        Some((node.0, name.to_string()))
    }

    #[pyo3(signature = (transformer, inputs, frame=None))]
    fn transform(
        slf: &Bound<'_, Self>,
        transformer: &Bound<'_, PyTransformer>,
        inputs: Vec<(Bound<'_, PyTable>, Vec<Bound<'_, PyExpr>>)>,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<Vec<PyTable>> {
        let transformer = transformer.get().0.clone();
        let inputs: Vec<_> =
            inputs.iter().map(|(table, columns)| (&table.get().table, exprs(columns))).collect();
        let parts: Vec<pathway_plan::Part<'_>> = transformer
            .parts
            .iter()
            .map(|(input, columns)| (*input, columns.iter().map(|(n, d)| (n.as_str(), d.clone())).collect()))
            .collect();
        let tables = slf.get().graph.transform(&inputs, transformer.clone(), &parts, frame::of(frame));
        let tables = tables.map_err(errors::of_plan)?;
        Ok(tables.into_iter().map(|table| PyTable { table, graph: slf.clone().unbind() }).collect())
    }

    #[pyo3(signature = (table, sink, *, name=None, sort_by=None, keep_errors=false, frame=None))]
    fn output(
        &self,
        table: &Bound<'_, PyTable>,
        sink: &Bound<'_, PyAny>,
        name: Option<String>,
        sort_by: Option<Vec<Bound<'_, PyExpr>>>,
        keep_errors: bool,
        frame: Option<&Bound<'_, PyFrame>>,
    ) -> PyResult<u32> {
        let capture = sink.is_exact_instance_of::<PyCaptureSink>();
        let sink: Arc<dyn Sink> = if let Ok(sink) = sink.cast_exact::<PyCaptureSink>() {
            sink.get().sink.clone()
        } else if let Ok(sink) = sink.cast_exact::<PyCallbackSink>() {
            sink.get().sink.clone()
        } else if let Ok(sink) = sink.cast_exact::<PyFileSink>() {
            sink.get().sink.clone()
        } else if let Some(system) = of_system::sink(sink) {
            system
        } else if sink.is_exact_instance_of::<PyNullSink>() {
            Arc::new(pathway_connectors::null::NullSink)
        } else {
            return Err(PyTypeError::new_err(format!("a sink is needed, not {}", describe(sink))));
        };
        let sort_by = sort_by.map(|columns| exprs(&columns).into_iter().map(Into::into).collect());
        let options = OutputOptions { name, sort_by, keep_errors };
        let table = table.get().table.at(frame::of(frame));
        let id = table.output(sink, options).map_err(errors::of_plan)?;
        if capture {
            self.captures.lock().push(id);
        }
        Ok(id.0)
    }

    /// The name, the sink, the line and the table of an output.
    fn output_at(slf: &Bound<'_, Self>, number: u32) -> PyResult<OutputParts> {
        let output = slf.get().graph.output(OutputId(number)).map_err(errors::of_plan)?;
        let table = slf.get().graph.table(output.table).map_err(errors::of_plan)?;
        let table = PyTable { table, graph: slf.clone().unbind() };
        let frame = frame::object(slf.py(), output.frame.as_ref())?;
        Ok((output.name, output.sink.description(), frame, table))
    }

    /// What all rows of some tables come from: the tables on the way, and the numbers of these among them.
    fn origins_of_all(
        slf: &Bound<'_, Self>,
        tables: Vec<Bound<'_, PyTable>>,
    ) -> PyResult<(Vec<OriginStep>, Vec<usize>)> {
        let tables: Vec<_> = tables.iter().map(|table| &table.get().table).collect();
        let (origins, numbers) = origins_of_all(&tables).map_err(errors::of_plan)?;
        Ok((why::steps(slf.py(), &slf.clone().unbind(), origins)?, numbers))
    }

    /// The log of all operators without another.
    fn global_error_log(slf: &Bound<'_, Self>) -> PyTable {
        let table = slf.get().graph.global_error_log(frame::of(None));
        PyTable { table, graph: slf.clone().unbind() }
    }
    /// A new log and its number.
    #[pyo3(signature = (frame=None))]
    fn local_error_log(slf: &Bound<'_, Self>, frame: Option<&Bound<'_, PyFrame>>) -> (u32, PyTable) {
        let (log, table) = slf.get().graph.local_error_log(frame::of(frame));
        (log.0, PyTable { table, graph: slf.clone().unbind() })
    }
    /// Lets operators built from now on report to this log; gives the one before.
    fn log_to(&self, log: u32) -> u32 {
        self.graph.log_to(ErrorLogId(log)).0
    }

    /// Lets the rows of a static table stand for a source in debugging runs.
    fn debug_as(&self, source: &Bound<'_, PyTable>, rows: &Bound<'_, PyTable>) -> PyResult<()> {
        self.graph.debug_as(&source.get().table, &rows.get().table).map_err(errors::of_plan)
    }

    fn take_warnings(&self, py: Python<'_>) -> PyResult<Vec<(String, Option<Py<PyFrame>>)>> {
        let warnings = self.graph.take_warnings().into_iter();
        warnings.map(|warning| Ok((warning.message, frame::object(py, warning.frame.as_ref())?))).collect()
    }

    #[pyo3(signature = (*, rewritten=false, outputs=None))]
    fn explain(&self, rewritten: bool, outputs: Option<Vec<u32>>) -> PyResult<String> {
        if !rewritten {
            return Ok(self.graph.explain());
        }
        let goal = Goal::Outputs(self.chosen(outputs));
        Ok(self.graph.program(&goal).map_err(errors::of_plan)?.to_string())
    }

    /// The plan for these outputs or tables, before and after rewriting.
    #[pyo3(signature = (*, outputs=None, tables=None, run_all=false, debug=false))]
    fn explanation(
        &self,
        outputs: Option<Vec<u32>>,
        tables: Option<Vec<Bound<'_, PyTable>>>,
        run_all: bool,
        debug: bool,
    ) -> PyResult<PyExplanation> {
        let goal = self.goal(outputs, tables.as_deref(), run_all);
        let rewrites = Rewrites::default();
        let program = match debug {
            true => self.graph.debug_program(&goal, rewrites),
            false => self.graph.program_with(&goal, rewrites),
        };
        let program = program.map_err(errors::of_plan)?;
        let explanation = self.graph.explanation_of(&goal, &program, debug).map_err(errors::of_plan)?;
        Ok(PyExplanation(explanation))
    }

    #[pyo3(signature = (*, outputs=None))]
    fn sources(&self, outputs: Option<Vec<u32>>) -> PyResult<Vec<String>> {
        let goal = self.goal(outputs, None, false);
        let program = self.graph.program_with(&goal, Rewrites::default()).map_err(errors::of_plan)?;
        let steps = program.steps.iter().enumerate();
        let sources = steps.filter_map(|(number, step)| match &step.op {
            StepOp::Source(_) => Some(program.label(number)),
            _ => None,
        });
        Ok(sources.collect())
    }

    #[pyo3(signature = (
        *, outputs=None, tables=None, run_all=false, threads=1, terminate_on_error=true, max_batch_size=1024,
        start_timestamp_ms=None, on_error=None, on_interrupt=None, debug=false, check_types=false,
        results_folder=None, memory_limit=None, persistence=None, scaling_window_ms=None, serving=None,
        metrics=None, counts=None, console=None, telemetry=None, handle=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn run(
        &self,
        py: Python<'_>,
        outputs: Option<Vec<u32>>,
        tables: Option<Vec<Bound<'_, PyTable>>>,
        run_all: bool,
        threads: usize,
        terminate_on_error: bool,
        max_batch_size: usize,
        start_timestamp_ms: Option<u64>,
        on_error: Option<Py<PyAny>>,
        on_interrupt: Option<Py<PyAny>>,
        debug: bool,
        check_types: bool,
        results_folder: Option<std::path::PathBuf>,
        memory_limit: Option<(usize, std::path::PathBuf)>,
        persistence: Option<Bound<'_, PyPersistence>>,
        scaling_window_ms: Option<u64>,
        serving: Option<Bound<'_, PyServing>>,
        metrics: Option<(std::path::PathBuf, String)>,
        counts: Option<Bound<'_, PyCounts>>,
        console: Option<Bound<'_, PyConsole>>,
        telemetry: Option<Py<PyAny>>,
        handle: Option<Bound<'_, PyRunHandle>>,
    ) -> PyResult<Option<&'static str>> {
        if threads == 0 || max_batch_size == 0 {
            return Err(PyValueError::new_err("threads and max_batch_size have to be at least 1"));
        }
        let goal = self.goal(outputs, tables.as_deref(), run_all);
        let cluster = ClusterConfig::from_environment(|name| std::env::var(name).ok())
            .map_err(|error| errors::EngineError::new_err(error.to_string()))?;
        let arguments = RunArguments {
            cluster,
            debug,
            threads,
            terminate_on_error,
            max_batch_size,
            start_timestamp_ms,
            on_error,
            on_interrupt,
            check_types,
            results_folder,
            memory_limit,
            persistence: persistence.map(Bound::unbind),
            scaling_window_ms,
            serving: serving.map(Bound::unbind),
            metrics,
            counts: counts.map(Bound::unbind),
            console: console.map(Bound::unbind),
            telemetry,
            handle: handle.map(Bound::unbind),
        };
        run::run(py, &self.graph, &goal, arguments)
    }
}

impl PyGraph {
    /// What is to be computed.
    fn goal(&self, outputs: Option<Vec<u32>>, tables: Option<&[Bound<'_, PyTable>]>, run_all: bool) -> Goal {
        match tables {
            Some(tables) => Goal::Tables(tables.iter().map(|table| table.get().table.node()).collect()),
            None if run_all => Goal::Everything,
            None => Goal::Outputs(self.chosen(outputs)),
        }
    }

    /// The outputs asked for; without a wish all but the captures.
    fn chosen(&self, outputs: Option<Vec<u32>>) -> Vec<OutputId> {
        match outputs {
            Some(outputs) => outputs.into_iter().map(OutputId).collect(),
            None => {
                let captures = self.captures.lock();
                self.graph.outputs().into_iter().filter(|id| !captures.contains(id)).collect()
            }
        }
    }
}

/// Sources and sinks of systems, each of which is built only with its feature.
mod of_system {
    use super::{Arc, Bound, PyAny, Sink, Source};

    pub(super) fn source(source: &Bound<'_, PyAny>) -> Option<Arc<dyn Source>> {
        #[cfg(feature = "kafka")]
        if let Ok(source) = source.cast_exact::<crate::source::PyKafkaSource>() {
            return Some(source.get().source.clone());
        }
        #[cfg(feature = "postgres")]
        if let Ok(source) = source.cast_exact::<crate::source::PyPostgresSource>() {
            return Some(source.get().source.clone());
        }
        let _of_no_system = source;
        None
    }

    pub(super) fn sink(sink: &Bound<'_, PyAny>) -> Option<Arc<dyn Sink>> {
        #[cfg(feature = "kafka")]
        if let Ok(sink) = sink.cast_exact::<crate::sink::PyKafkaSink>() {
            return Some(sink.get().sink.clone());
        }
        #[cfg(feature = "postgres")]
        if let Ok(sink) = sink.cast_exact::<crate::sink::PyPostgresSink>() {
            return Some(sink.get().sink.clone());
        }
        let _of_no_system = sink;
        None
    }
}
