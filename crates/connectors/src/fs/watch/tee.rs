//! Reading a file while keeping and hashing what is read, and checking that it was read before.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use xxhash_rust::xxh3::Xxh3;

use super::Known;
use crate::fs::spool::{Content, Spool};

/// Why reading a file failed.
pub(super) enum Trouble {
    /// The file cannot be read.
    Input(io::Error),
    /// What was read cannot be kept.
    Spool(io::Error),
}

/// Reads a file, and keeps and hashes what is read.
pub(super) struct Tee<I> {
    pub(super) input: I,
    pub(super) spool: Rc<RefCell<Spool>>,
    pub(super) content: Content,
    pub(super) hash: Xxh3,
    pub(super) failed: Option<Trouble>,
}

impl<I: Read> Read for Tee<I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(Trouble::Input(error) | Trouble::Spool(error)) = &self.failed {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        let read = match self.input.read(out) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let again = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(Trouble::Input(error));
                return Err(again);
            }
        };
        self.hash.update(&out[..read]);
        if let Err(error) = self.spool.borrow_mut().append(&mut self.content, &out[..read]) {
            let again = io::Error::new(error.kind(), error.to_string());
            self.failed = Some(Trouble::Spool(error));
            return Err(again);
        }
        Ok(read)
    }
}

/// Checks that a file begins with what is known of it: the hash of that up to the tail.
pub(super) fn begins_with<I: Read>(file: &mut I, known: &Known) -> io::Result<Option<Xxh3>> {
    let mut hash = Xxh3::new();
    if !feed(file, known.tail.offset, &mut hash)? {
        return Ok(None);
    }
    let mut whole = hash.clone();
    let rest = known.content.len().saturating_sub(known.tail.offset);
    Ok((feed(file, rest, &mut whole)? && whole.digest128() == known.digest).then_some(hash))
}

/// Hashes the next bytes of a file; false if there are not as many.
fn feed<I: Read>(file: &mut I, bytes: u64, hash: &mut Xxh3) -> io::Result<bool> {
    let mut buffer = vec![0; 128 << 10];
    let mut left = bytes;
    while left > 0 {
        let wanted = buffer.len().min(left.try_into().unwrap_or(usize::MAX));
        match file.read(&mut buffer[..wanted]) {
            Ok(0) => return Ok(false),
            Ok(read) => {
                hash.update(&buffer[..read]);
                left -= read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
