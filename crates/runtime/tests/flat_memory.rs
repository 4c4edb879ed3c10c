//! With a cutoff, memory stays what it is however long a stream is: what is over is dropped.
//!
//! `PATHWAY_STREAM_ROWS` says how many rows a stream has (10,000,000 for the full size).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use pathway_dataflow::{Context, Monitor, Report};
use pathway_io::{ConnectorError, Parsed, ReadMode, Reader, Resume, Sink, Source, SourceOutput, Writer};
use pathway_plan::col::reducers;
use pathway_plan::temporal::Behavior;
use pathway_plan::{Goal, Graph, OutputOptions, SessionGap, SourceOptions, Span, Window, col};
use pathway_runtime::{RunOptions, run};
use pathway_types::{Batch, ColumnBuilder, DType, Diffs, Field, Schema, Timestamp, Value};

/// Rows of one time, and how far it is from one time to the next.
const ROWS: u64 = 10_000;
const STEP: i64 = 100;
/// So much may come on top once a fifth of the stream has passed. Without a cutoff a row takes more than 50
/// bytes, and the stream of the smallest size in use 50 MB.
const ALLOWED_MB: i64 = 25;

#[derive(Debug)]
struct Stream {
    schema: Schema,
    rows: u64,
}

impl Source for Stream {
    fn description(&self) -> String {
        "a long stream".into()
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn mode(&self) -> ReadMode {
        ReadMode::Static
    }
    fn insert_only(&self) -> bool {
        true
    }
    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let fields = columns.iter().map(|column| self.schema.fields[*column].clone());
        Arc::new(Stream { schema: Schema::new(fields), rows: self.rows })
    }
    fn open(&self, _: usize, _: Option<Resume>) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        let names = self.schema.fields.iter().map(|field| field.name.to_string());
        Ok(vec![Box::new(Reading { columns: names.collect(), rows: self.rows })])
    }
}

struct Reading {
    columns: Vec<String>,
    rows: u64,
}

impl Reader for Reading {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        for time in 0..self.rows / ROWS {
            let keys: Vec<u128> = (0..ROWS)
                .map(|row| {
                    u128::from(time * ROWS + row).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
                })
                .collect();
            let columns = self.columns.iter().map(|name| {
                let mut builder = ColumnBuilder::new(&DType::Int, ROWS as usize);
                for row in 0..ROWS as i64 {
                    builder.push(&Value::Int(match name.as_str() {
                        "i" => row % 50,
                        // A hundredth of the rows is long over.
                        "t" if row % 100 == 0 => 1,
                        "t" => time as i64 * STEP + row % STEP,
                        _ => row,
                    }));
                }
                builder.finish()
            });
            let columns = columns.collect();
            let batch = Batch::new(keys.into(), columns, Diffs::Ones(ROWS as usize));
            let handed = output.rows(Parsed { batch, ..Parsed::default() });
            if handed.is_err() || output.commit().is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Notes how much memory there is while results come.
#[derive(Debug, Default)]
struct Watch {
    resident: Arc<Mutex<Vec<i64>>>,
}

impl Sink for Watch {
    fn description(&self) -> String {
        "memory".into()
    }
    fn open(&self, _position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        Ok(Box::new(Watch { resident: self.resident.clone() }))
    }
}

impl Writer for Watch {
    fn write(&mut self, _batch: &Batch, _time: Timestamp) -> Result<(), ConnectorError> {
        Ok(())
    }
    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: i64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
        self.resident.lock().unwrap().push(pages * 4 / 1024);
        Ok(())
    }
    fn end(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }
}

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

/// Megabytes at each time.
fn resident(window: &Window, behavior: &Behavior, rows: u64) -> Vec<i64> {
    let graph = Graph::new();
    let fields = ["i", "t", "v"].map(|name| Field::new(name, DType::Int));
    let stream = Stream { schema: Schema::new(fields), rows };
    let table = graph.source(Arc::new(stream), SourceOptions::default()).unwrap();
    let windows = table.window_by(col("t"), window, Some(behavior), Some(col("i"))).unwrap();
    let result = windows
        .reduce([
            ("start", col("_pw_window_start")),
            ("rows", reducers::count()),
            ("sum", reducers::sum(col("v"))),
            ("most", reducers::max(col("v"))),
        ])
        .unwrap();
    let watch = Arc::new(Watch::default());
    let output = result.output(watch.clone(), OutputOptions::default()).unwrap();
    let program = graph.program(&Goal::Outputs(vec![output])).unwrap();
    let context = Context::new(true, 1024, Arc::new(Silent));
    run(program, &RunOptions { workers: 1, ..RunOptions::default() }, &context).unwrap();
    std::mem::take(&mut *watch.resident.lock().unwrap())
}

#[test]
fn memory_stays() {
    let rows = std::env::var("PATHWAY_STREAM_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows: u64 = rows.unwrap_or(1_000_000);
    let cutoff = |keep_results| Behavior::Common { delay: None, cutoff: Some(Value::Int(50)), keep_results };
    let once = Behavior::ExactlyOnce { shift: None };
    let tumbling = Window::Sliding { hop: Value::Int(10), span: Span::Ratio(1), origin: None };
    let session = Window::Session(SessionGap::LessThan(Value::Int(2)));
    // Every moment has rows, but an instance has some at each fiftieth moment only: these are sessions.
    for (name, window, behavior) in [
        ("tumbling", &tumbling, cutoff(true)),
        ("tumbling, results dropped", &tumbling, cutoff(false)),
        ("tumbling, once", &tumbling, once.clone()),
        ("session", &session, cutoff(true)),
        ("session, results dropped", &session, cutoff(false)),
        ("session, once", &session, once),
    ] {
        let resident = resident(window, &behavior, rows);
        assert!(resident.len() as u64 > rows / ROWS / 2, "{name}: {} times", resident.len());
        let early = *resident[..resident.len() / 5].iter().max().unwrap();
        let late = *resident.iter().max().unwrap();
        assert!(late - early < ALLOWED_MB, "{name}: {early} MB at first, {late} MB in the end");
    }
}
