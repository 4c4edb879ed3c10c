//! One other process and the connection to it.
//!
//! Two threads take turns at reading: the one of the session, which takes messages, and from the first
//! byte of the dataflow to the last the one that hands them to the dataflow, which takes what comes in
//! between as well.

use std::io::{self, BufReader, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::frame::{HEADER, Kind, header, parse};

/// How often reading and writing look up.
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// Small reads go through a buffer of this size, larger ones past it.
const BUFFER: usize = 16 << 10;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The connection is closed or broken.
    Broken(io::Error),
    /// The other is silent for too long.
    Silent,
    /// What comes is not a frame.
    Nonsense,
    /// The caller gave up.
    GivenUp,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) process: usize,
    pub(crate) address: String,
    stream: TcpStream,
    reader: Mutex<BufReader<TcpStream>>,
    writer: Mutex<Writing>,
    begin: Instant,
    /// When something came last, in milliseconds since `begin`.
    heard: AtomicU64,
    silence: Duration,
    /// What it has told of its rows: sent and received.
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

impl Peer {
    pub(crate) fn new(
        process: usize,
        address: String,
        stream: TcpStream,
        silence: Duration,
    ) -> io::Result<Peer> {
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        stream.set_nodelay(true)?;
        Ok(Peer {
            process,
            address,
            reader: Mutex::new(BufReader::with_capacity(BUFFER, stream.try_clone()?)),
            writer: Mutex::new(Writing { stream: stream.try_clone()?, torn: false }),
            stream,
            begin: Instant::now(),
            heard: AtomicU64::new(0),
            silence,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        })
    }

    /// True if the other side has hung up before it has said anything that was not read.
    pub(crate) fn has_hung_up(&self) -> bool {
        let mut byte = [0];
        let peeked = self.stream.set_nonblocking(true).and_then(|()| self.stream.peek(&mut byte));
        match (peeked, self.stream.set_nonblocking(false)) {
            (Ok(count), Ok(())) => count == 0,
            (Err(error), Ok(())) => !looks_up(&error),
            (_, Err(_)) => true,
        }
    }

    /// Reads some bytes, at least one.
    pub(crate) fn read(&self, buffer: &mut [u8], gives_up: impl Fn() -> bool) -> Result<usize, Ended> {
        let mut reader = lock(&self.reader);
        loop {
            match reader.read(buffer) {
                Ok(0) => return Err(Ended::Broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    self.heard.store(self.begin.elapsed().as_millis() as u64, Ordering::Relaxed);
                    return Ok(count);
                }
                Err(error) if looks_up(&error) => {
                    if gives_up() {
                        return Err(Ended::GivenUp);
                    }
                    let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
                    if self.begin.elapsed().saturating_sub(heard) > self.silence {
                        return Err(Ended::Silent);
                    }
                }
                Err(error) => return Err(Ended::Broken(error)),
            }
        }
    }

    /// Reads exactly so many bytes.
    pub(crate) fn read_all(&self, mut buffer: &mut [u8], gives_up: impl Fn() -> bool) -> Result<(), Ended> {
        while !buffer.is_empty() {
            let count = self.read(buffer, &gives_up)?;
            buffer = &mut buffer[count..];
        }
        Ok(())
    }

    /// Reads the header of the next frame.
    pub(crate) fn read_header(&self, gives_up: impl Fn() -> bool) -> Result<(Kind, usize), Ended> {
        let mut bytes = [0; HEADER];
        self.read_all(&mut bytes, gives_up)?;
        parse(bytes).ok_or(Ended::Nonsense)
    }

    /// Writes a frame, all of it or nothing after it. That the connection is broken shows where it is read.
    pub(crate) fn write(&self, kind: Kind, content: &[u8], gives_up: impl Fn() -> bool) {
        lock(&self.writer).frame(kind, content, |_| gives_up());
    }

    /// Writes a frame if that is possible at once.
    pub(crate) fn write_if_free(&self, kind: Kind, content: &[u8], gives_up: impl Fn() -> bool) {
        if let Ok(mut writing) = self.writer.try_lock() {
            writing.frame(kind, content, |begun| !begun || gives_up());
        }
    }

    /// Nothing more is written; the other sees the end of it.
    pub(crate) fn close_writing(&self) {
        // It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Nothing more is read or written.
    pub(crate) fn close(&self) {
        // As above.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn looks_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// The writing side of a connection.
#[derive(Debug)]
struct Writing {
    stream: TcpStream,
    /// A frame was not written to its end: what follows would be taken for its rest.
    torn: bool,
}

impl Writing {
    /// Writes a frame. `gives_up` is asked every now and then when the other side takes nothing, and told
    /// whether some of the frame is written already.
    fn frame(&mut self, kind: Kind, content: &[u8], gives_up: impl Fn(bool) -> bool) {
        let header = header(kind, content.len());
        let (mut header, mut content) = (&header[..], content);
        let mut begun = false;
        while !(self.torn || header.is_empty() && content.is_empty()) {
            match self.stream.write_vectored(&[IoSlice::new(header), IoSlice::new(content)]) {
                Ok(0) => self.torn = true,
                Ok(count) => {
                    begun = true;
                    let of_header = count.min(header.len());
                    header = &header[of_header..];
                    content = &content[count - of_header..];
                }
                Err(error) if looks_up(&error) => {
                    if gives_up(begun) {
                        self.torn = begun;
                        return;
                    }
                }
                Err(_) => self.torn = true,
            }
        }
    }
}
