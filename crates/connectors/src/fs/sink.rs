//! Writing a table's changes into one file.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use pathway_io::{ConnectorError, Encoder, Sink, Writer};
use pathway_types::{Batch, Schema, Timestamp};

use super::os_error;
use crate::formats::csv::CsvEncoder;
use crate::formats::invalid;
use crate::formats::json::JsonEncoder;

/// How much is collected before it is written.
const BUFFER: usize = 1 << 18;

/// What is written per change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// A record under a header line, which is there even if no change ever comes.
    Csv,
    /// A JSON object per line.
    JsonLines,
}

/// Writes changes into a file, which is created or emptied when the run starts; its directory must
/// be there.
#[derive(Clone, Debug)]
pub struct FileSink {
    path: PathBuf,
    format: OutputFormat,
    schema: Schema,
}

impl FileSink {
    /// A sink for rows of `schema`.
    ///
    /// # Errors
    /// If the path is empty.
    pub fn new(
        path: impl Into<PathBuf>,
        format: OutputFormat,
        schema: Schema,
    ) -> Result<Self, ConnectorError> {
        let path = path.into();
        if path.as_os_str().is_empty() {
            return Err(invalid("fs", "the path of the output file is empty"));
        }
        Ok(FileSink { path, format, schema })
    }
}

impl Sink for FileSink {
    fn description(&self) -> String {
        let format = match self.format {
            OutputFormat::Csv => "csv",
            OutputFormat::JsonLines => "jsonlines",
        };
        format!("{format}({})", self.path.display())
    }

    fn open(&self) -> Result<Box<dyn Writer>, ConnectorError> {
        let name = self.description();
        let file = File::create(&self.path)
            .map_err(|error| os_error(&name, "create the output file", &self.path, &error))?;
        let mut buffer = Vec::with_capacity(BUFFER);
        let encoder: Box<dyn Encoder> = match self.format {
            OutputFormat::JsonLines => Box::new(JsonEncoder::new(&self.schema)),
            OutputFormat::Csv => {
                let encoder = CsvEncoder::new(&self.schema, b',');
                encoder.header(&mut buffer);
                Box::new(encoder)
            }
        };
        let mut writer = FileWriter { name, path: self.path.clone(), file, buffer, encoder };
        writer.flush()?;
        Ok(Box::new(writer))
    }

    fn encoder(&self) -> Option<Arc<dyn Encoder>> {
        Some(match self.format {
            OutputFormat::Csv => Arc::new(CsvEncoder::new(&self.schema, b',')),
            OutputFormat::JsonLines => Arc::new(JsonEncoder::new(&self.schema)),
        })
    }
}

/// The open file.
struct FileWriter {
    name: String,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    encoder: Box<dyn Encoder>,
}

impl FileWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        self.file.write_all(bytes).map_err(|error| os_error(&self.name, "write to", &self.path, &error))
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        let buffer = std::mem::take(&mut self.buffer);
        self.put(&buffer)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }
}

impl Writer for FileWriter {
    fn write(&mut self, batch: &Batch, time: Timestamp) -> Result<(), ConnectorError> {
        self.encoder.encode(batch, time, &mut self.buffer);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn write_encoded(&mut self, bytes: &[u8], _time: Timestamp) -> Result<(), ConnectorError> {
        if self.buffer.len() + bytes.len() < BUFFER {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush()?;
        self.put(bytes)
    }

    fn end_time(&mut self, _time: Timestamp) -> Result<(), ConnectorError> {
        self.flush()
    }

    fn end(&mut self) -> Result<(), ConnectorError> {
        self.flush()
    }
}
