//! Writing a table's changes into one file.

use std::fs::File;
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use pathway_io::{ConnectorError, Durable, Encoder, Sink, Writer};
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

    fn open(&self, position: Option<&[u8]>) -> Result<Box<dyn Writer>, ConnectorError> {
        let name = self.description();
        let kept = position.and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        if let Some(length) = kept
            && let Some(file) = self.reopen(&name, length)?
        {
            let encoder: Box<dyn Encoder> = match self.format {
                OutputFormat::JsonLines => Box::new(JsonEncoder::new(&self.schema)),
                OutputFormat::Csv => Box::new(CsvEncoder::new(&self.schema, b',')),
            };
            let buffer = Vec::with_capacity(BUFFER);
            return Ok(Box::new(FileWriter { name, path: self.path.clone(), file, length, buffer, encoder }));
        }
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
        let path = self.path.clone();
        let mut writer = FileWriter { name, path, file, length: 0, buffer, encoder };
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

impl FileSink {
    /// The file of an earlier run, cut off where that run's last checkpoint was. If there is not as much of it,
    /// somebody has changed it since: it is written anew.
    fn reopen(&self, name: &str, length: u64) -> Result<Option<File>, ConnectorError> {
        let failed = |error| os_error(name, "go on with the output file", &self.path, &error);
        let file = match File::options().write(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                log::warn!("{name}: the file of the earlier run is gone; what comes now goes into a new one");
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Ok(None);
        }
        if metadata.len() < length {
            log::warn!("{name}: the file is shorter than the earlier run left it; it is written anew");
            return Ok(None);
        }
        file.set_len(length).map_err(failed)?;
        (&file).seek(SeekFrom::Start(length)).map_err(failed)?;
        Ok(Some(file))
    }
}

/// The open file.
struct FileWriter {
    name: String,
    path: PathBuf,
    file: File,
    /// The bytes in the file.
    length: u64,
    buffer: Vec<u8>,
    encoder: Box<dyn Encoder>,
}

impl FileWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| os_error(&self.name, "write to", &self.path, &error))?;
        self.length += bytes.len() as u64;
        Ok(())
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

    fn position(&self) -> Option<Vec<u8>> {
        Some(self.length.to_le_bytes().to_vec())
    }

    fn durable(&self) -> Option<Durable> {
        let (name, path) = (self.name.clone(), self.path.clone());
        let file = self.file.try_clone().ok()?;
        Some(Box::new(move || {
            // What is no file on a disk cannot be made durable, and need not be.
            match file.sync_data() {
                Err(error) if error.kind() != ErrorKind::InvalidInput => {
                    Err(os_error(&name, "make durable", &path, &error))
                }
                _ => Ok(()),
            }
        }))
    }
}
