//! Reading files once.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use pathway_io::{ConnectorError, Reader, Share, SourceOutput, Stopped};
use pathway_types::DType;

use super::chunks::{Chunk, Chunks};
use super::find::Found;
use super::metadata::{Owners, describe};
use super::parse::FileRows;
use super::{hash_of, os_error};
use crate::formats::{Format, Framing, Origin};

/// What readers of one source share.
#[derive(Debug)]
pub(super) struct Reading {
    /// The source's description, for messages.
    pub(super) name: String,
    pub(super) format: Arc<dyn Format>,
    /// The place of column `_metadata`, if it is wanted.
    pub(super) metadata: Option<usize>,
    /// The dtypes of the columns that are handed out.
    pub(super) dtypes: Arc<[DType]>,
}

impl Reading {
    /// How the rows of a file are made. `preamble` is what the file starts with.
    pub(super) fn rows(&self, path: &Path, preamble: &[u8], metadata: Option<Arc<str>>) -> FileRows {
        FileRows {
            layout: self.format.layout().clone(),
            decoder: self.format.decoder(preamble),
            origin: Origin::new(
                path.to_string_lossy(),
                path.as_os_str().as_encoded_bytes(),
                self.format.unit(),
            ),
            metadata: self.metadata.zip(metadata),
        }
    }

    /// The text of column `_metadata` of a file, if it is wanted.
    pub(super) fn describe(
        &self,
        path: &Path,
        metadata: &fs::Metadata,
        owners: &mut Owners,
    ) -> Option<Arc<str>> {
        self.metadata.map(|_| describe(path, metadata, SystemTime::now(), owners).into())
    }
}

/// Reads files once: each takes the next file that no other reader of the source has taken.
pub(super) struct OnceReader {
    reading: Arc<Reading>,
    files: Arc<[Found]>,
    next: Arc<AtomicUsize>,
    /// Bytes that all readers have to read; told by one of them.
    expects: u64,
}

impl OnceReader {
    /// Readers, at most `parallelism`, that read all `files` between them.
    pub(super) fn split(
        reading: &Arc<Reading>,
        mut files: Vec<Found>,
        share: Share,
        parallelism: usize,
    ) -> Vec<Box<dyn Reader>> {
        files.retain(|found| share.has(hash_of(&found.path)));
        let readers = parallelism.min(files.len()).max(1);
        let files: Arc<[Found]> = files.into();
        let next = Arc::new(AtomicUsize::new(0));
        let all = match reading.format.framing() {
            // They are not read.
            Framing::Nothing => 0,
            _ => files.iter().map(|found| found.metadata.len()).sum(),
        };
        let reader = |number| -> Box<dyn Reader> {
            let expects = if number == 0 { all } else { 0 };
            Box::new(OnceReader {
                reading: reading.clone(),
                files: files.clone(),
                next: next.clone(),
                expects,
            })
        };
        (0..readers).map(reader).collect()
    }

    /// Reads one file.
    fn file(&self, found: &Found, owners: &mut Owners, output: &mut dyn SourceOutput) -> Result<(), Failure> {
        let reading = &*self.reading;
        let path = &found.path;
        if reading.format.framing() == Framing::Nothing {
            let metadata = reading.describe(path, &found.metadata, owners);
            return Ok(output.parse(reading.rows(path, b"", metadata).add(Chunk::unread()))?);
        }
        let fail = |doing: &str, error| Failure::Connector(os_error(&reading.name, doing, path, &error));
        // A file may have become longer or shorter since it was found: it counts for what was expected of it.
        let expected = found.metadata.len();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                output.advance(expected);
                log::warn!("{}: {} has vanished before it could be read", reading.name, path.display());
                return Ok(());
            }
            Err(error) => return Err(fail("open", error)),
        };
        let metadata = file.metadata().map_err(|error| fail("look at", error))?;
        let metadata = reading.describe(path, &metadata, owners);
        let mut chunks = Chunks::new(&*reading.format, file, 0, 0);
        let preamble = chunks.preamble().map_err(|error| fail("read", error))?;
        let rows = reading.rows(path, &preamble, metadata);
        let mut told = 0;
        output.begin_atomic()?;
        while let Some(chunk) = chunks.next().map_err(|error| fail("read", error))? {
            output.parse(rows.add(chunk))?;
            let read = chunks.offset().min(expected);
            output.advance(read - told);
            told = read;
        }
        output.advance(expected - told);
        Ok(output.end_atomic()?)
    }
}

impl Reader for OnceReader {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut owners = Owners::default();
        if self.expects > 0 {
            output.expect(self.expects);
        }
        while let Some(found) = self.files.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            match self.file(found, &mut owners, output) {
                Ok(()) => {}
                Err(Failure::Stopped) => return Ok(()),
                Err(Failure::Connector(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Why reading ended early.
pub(super) enum Failure {
    /// The run is ending.
    Stopped,
    /// Something is wrong.
    Connector(ConnectorError),
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Failure::Stopped
    }
}
