//! Cuts a stream of bytes into chunks of whole records.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::formats::{Cut, Format, Framing};

/// How many bytes are read at once, and the usual size of a chunk.
const CHUNK: usize = 1 << 20;

/// Whole records of one document.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    data: Arc<Vec<u8>>,
    range: Range<usize>,
    /// The ordinal of the first record.
    pub(super) first: u64,
    /// The number of records.
    pub(super) records: u64,
    /// Where the chunk starts in the document.
    pub(super) offset: u64,
}

impl Chunk {
    /// The chunk of a document whose content is not read.
    pub(super) fn unread() -> Self {
        Chunk { data: Arc::default(), range: 0..0, first: 0, records: 1, offset: 0 }
    }

    /// The records.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.data[self.range.clone()]
    }
}

/// Reads a document chunk by chunk.
pub(super) struct Chunks<'f, R> {
    format: &'f dyn Format,
    input: R,
    /// What was read and not yet handed out starts at `start`.
    data: Arc<Vec<u8>>,
    start: usize,
    /// The input is over.
    ended: bool,
    /// The document's only record was handed out.
    done: bool,
    ordinal: u64,
    offset: u64,
    /// The whole records at `start`, once they were looked for.
    ready: Option<Cut>,
}

impl<'f, R: Read> Chunks<'f, R> {
    /// Reads `input`, which starts with the record of this ordinal (or the preamble), at this offset
    /// of the document.
    pub(super) fn new(format: &'f dyn Format, input: R, ordinal: u64, offset: u64) -> Self {
        Chunks {
            format,
            input,
            data: Arc::default(),
            start: 0,
            ended: false,
            done: false,
            ordinal,
            offset,
            ready: None,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.data[self.start..]
    }

    /// Where the next chunk starts in the document.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The ordinal of the next record.
    pub(super) fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// The input, of which more may have been read than was handed out.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// Reads more behind what is left, at least as much again.
    fn fill(&mut self) -> io::Result<()> {
        let rest = self.data.len() - self.start;
        let mut data = Vec::with_capacity(CHUNK.max(2 * rest));
        data.extend_from_slice(self.rest());
        let room = data.capacity() - rest;
        let read = (&mut self.input).take(room as u64).read_to_end(&mut data)?;
        self.ended = read < room;
        self.data = Arc::new(data);
        self.start = 0;
        Ok(())
    }

    /// Reads what precedes the first record.
    pub(super) fn preamble(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(len) = self.format.preamble(self.rest(), self.ended) {
                let preamble = self.rest()[..len].to_vec();
                self.start += len;
                self.offset += len as u64;
                return Ok(preamble);
            }
            if self.ended {
                return Ok(Vec::new());
            }
            self.fill()?;
        }
    }

    /// Makes whole records available: how many; `None` if there are no more.
    pub(super) fn available(&mut self) -> io::Result<Option<u64>> {
        if let Some(cut) = self.ready {
            return Ok(Some(cut.records));
        }
        if self.done {
            return Ok(None);
        }
        loop {
            let cut = self.format.cut(self.rest(), self.ended, u64::MAX);
            if cut.records > 0 {
                self.ready = Some(cut);
                return Ok(Some(cut.records));
            }
            self.start += cut.bytes;
            self.offset += cut.bytes as u64;
            if self.ended {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// Hands out at most `limit` of the records that are available.
    pub(super) fn take(&mut self, limit: u64) -> Chunk {
        let cut = match self.ready.take() {
            Some(cut) if cut.records <= limit => cut,
            _ => self.format.cut(self.rest(), self.ended, limit),
        };
        let range = self.start..self.start + cut.bytes;
        let chunk = Chunk {
            data: self.data.clone(),
            range,
            first: self.ordinal,
            records: cut.records,
            offset: self.offset,
        };
        self.start += cut.bytes;
        self.offset += cut.bytes as u64;
        self.ordinal += cut.records;
        self.done = self.format.framing() == Framing::Document;
        chunk
    }

    /// The next chunk.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        Ok(self.available()?.map(|records| self.take(records)))
    }
}
