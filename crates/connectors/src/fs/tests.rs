//! Reading and writing real files, into a double of the engine's input.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pathway_io::{
    ConnectorError, FailureClass, ParseJob, Parsed, Position, ReadMode, Sink, Source, SourceOutput, Stopped,
    Writer,
};
use pathway_types::{DType, Field, Schema, Value};
use tempfile::TempDir;

use super::*;
use crate::formats::FormatSpec;
use crate::formats::csv::CsvSettings;
use crate::formats::json::JsonSettings;
use crate::formats::testing::{cells, schema};

mod once;
mod resume;
mod sink;
mod watch;

/// What a reader did.
#[derive(Debug)]
enum Event {
    Rows(Parsed),
    Begin,
    End,
    Position(String, Option<Position>),
}

/// Hands over what a reader does, parsing at once.
struct Recorder {
    events: Sender<Event>,
    stop: Arc<AtomicBool>,
    /// Each pause of the reader takes a token from here, if there is something to wait for.
    steps: Option<Receiver<()>>,
    pauses: Option<Sender<()>>,
}

impl Recorder {
    fn send(&self, event: Event) -> Result<(), Stopped> {
        self.events.send(event).map_err(|_| Stopped)
    }
}

impl SourceOutput for Recorder {
    fn rows(&mut self, parsed: Parsed) -> Result<(), Stopped> {
        self.send(Event::Rows(parsed))
    }
    fn parse(&mut self, job: ParseJob) -> Result<(), Stopped> {
        self.send(Event::Rows(job()))
    }
    fn commit(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
    fn begin_atomic(&mut self) -> Result<(), Stopped> {
        self.send(Event::Begin)
    }
    fn end_atomic(&mut self) -> Result<(), Stopped> {
        self.send(Event::End)
    }
    fn position(&mut self, part: &str, position: Option<Position>) -> Result<(), Stopped> {
        self.send(Event::Position(part.to_owned(), position))
    }
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
    fn wait(&self, _timeout: Duration) -> Result<(), Stopped> {
        if let Some(pauses) = &self.pauses {
            pauses.send(()).map_err(|_| Stopped)?;
        }
        match &self.steps {
            Some(steps) => steps.recv().map_err(|_| Stopped),
            None => Err(Stopped),
        }
    }
}

/// A row: its key, its cells, and how often it was added.
type Change = (u128, Vec<Value>, i64);

fn changes(parsed: &Parsed, dtypes: &[DType]) -> Vec<Change> {
    let rows = cells(parsed, dtypes).into_iter().enumerate();
    rows.map(|(i, row)| (parsed.batch.keys.as_slice()[i], row, parsed.batch.diffs.get(i))).collect()
}

fn csv() -> FormatSpec {
    FormatSpec::Csv(CsvSettings::default())
}

fn json() -> FormatSpec {
    FormatSpec::Json(JsonSettings::default())
}

fn write(directory: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Gives a file a modification time some seconds after 1970.
fn date(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// Reads a static source to its end with one reader after another.
fn read_events(source: &dyn Source, parallelism: usize) -> Result<Vec<Event>, ConnectorError> {
    let (events, received) = channel();
    for reader in source.open(parallelism, None)? {
        let mut output = Recorder { events: events.clone(), stop: Arc::default(), steps: None, pauses: None };
        reader.run(&mut output)?;
    }
    drop(events);
    Ok(received.iter().collect())
}

fn parsed(events: Vec<Event>) -> Vec<Parsed> {
    let rows = events.into_iter().filter_map(|event| match event {
        Event::Rows(parsed) => Some(parsed),
        _ => None,
    });
    rows.collect()
}

/// How much a reader has said that there is, and how much it has read, each time that it said so.
#[derive(Default)]
struct Lengths {
    expected: u64,
    read: Vec<u64>,
}

impl SourceOutput for Lengths {
    fn rows(&mut self, _parsed: Parsed) -> Result<(), Stopped> {
        Ok(())
    }
    fn parse(&mut self, _job: ParseJob) -> Result<(), Stopped> {
        Ok(())
    }
    fn commit(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
    fn begin_atomic(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
    fn end_atomic(&mut self) -> Result<(), Stopped> {
        Ok(())
    }
    fn position(&mut self, _part: &str, _position: Option<Position>) -> Result<(), Stopped> {
        Ok(())
    }
    fn expect(&mut self, bytes: u64) {
        self.expected += bytes;
    }
    fn advance(&mut self, bytes: u64) {
        self.read.push(bytes);
    }
    fn is_stopped(&self) -> bool {
        false
    }
    fn wait(&self, _timeout: Duration) -> Result<(), Stopped> {
        Err(Stopped)
    }
}

/// The rows of a static source, in order.
fn read(source: &dyn Source) -> Vec<Vec<Value>> {
    let dtypes = source.schema().dtypes();
    let parsed = parsed(read_events(source, 1).unwrap());
    parsed.iter().flat_map(|parsed| cells(parsed, &dtypes)).collect()
}

/// The texts of a source with a column `data`.
fn texts(source: &dyn Source) -> Vec<String> {
    let text = |row: Vec<Value>| match &row[row.len() - 1] {
        Value::Str(text) => text.to_string(),
        other => panic!("{other} is not text"),
    };
    read(source).into_iter().map(text).collect()
}

fn plain(path: impl Into<PathBuf>) -> FileSource {
    FileSource::new(path, FormatSpec::PlainText, None, ReadMode::Static).unwrap()
}
