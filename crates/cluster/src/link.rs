//! A stream of bytes to another process, for the dataflow.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::frame::Kind;
use crate::session::Shared;

/// A stream of bytes to another process. When it breaks, the session tells of it; the thread that reads
/// or writes waits until the workers are gone ([`crate::Cluster::workers_gone`]) and unwinds silently,
/// so that no worker meets the ruins.
pub struct Link {
    shared: Arc<Shared>,
    process: usize,
    reading: Reading,
}

/// Where the reading side is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing was read yet.
    Start,
    /// In a frame of data, of which so many bytes are left.
    Data(usize),
    /// The other side has ended its stream.
    End,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>, process: usize) -> Link {
        Link { shared, process, reading: Reading::Start }
    }

    /// Another handle of the same stream. One of them may read.
    pub fn another(&self) -> Link {
        Link::new(self.shared.clone(), self.process)
    }

    /// The own side of the stream ends here.
    pub fn end(&self) {
        self.shared.end_data(self.process);
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(peer) = self.shared.peer(self.process) else { return Ok(0) };
        loop {
            match self.reading {
                Reading::End => return Ok(0),
                Reading::Start => match self.shared.wait_for_turn(self.process) {
                    Some(length) => self.reading = Reading::Data(length),
                    None => self.shared.end_thread(),
                },
                Reading::Data(0) => match peer.read_header(|| self.shared.is_over()) {
                    Ok((Kind::Data, length)) => self.reading = Reading::Data(length),
                    Ok((Kind::DataEnd, _)) => {
                        self.reading = Reading::End;
                        self.shared.end_turn(self.process);
                        // What came after the own process had failed was not passed on: this is no end.
                        if self.shared.is_abandoned() {
                            self.shared.end_thread();
                        }
                    }
                    Ok((kind, length)) => {
                        if !self.shared.take(peer, kind, length) {
                            self.shared.end_thread();
                        }
                    }
                    Err(ended) => {
                        self.shared.broken(peer, ended);
                        self.shared.end_thread();
                    }
                },
                Reading::Data(left) => {
                    let most = buffer.len().min(left);
                    match peer.read(&mut buffer[..most], || self.shared.is_over()) {
                        Ok(count) => {
                            self.reading = Reading::Data(left - count);
                            // Once the own process has failed, what comes is read to the end for nothing.
                            if !self.shared.is_abandoned() {
                                return Ok(count);
                            }
                        }
                        Err(ended) => {
                            self.shared.broken(peer, ended);
                            self.shared.end_thread();
                        }
                    }
                }
            }
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Longer ones are cut; the writer comes again.
        let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
        if !bytes.is_empty() {
            self.shared.send(self.process, Kind::Data, bytes);
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
