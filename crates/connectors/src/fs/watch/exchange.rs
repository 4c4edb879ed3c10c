//! Exchanging the rows of a file's old content for those of its new one.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Instant;

use xxhash_rust::xxh3::Xxh3;

use super::lasting::part;
use super::tee::{Tee, Trouble};
use super::{Known, State, Tail, Watch};
use crate::fs::chunks::{Chunk, Chunks};
use crate::fs::parse::FileRows;
use crate::fs::read::Failure;
use crate::fs::spool::{Content, ContentReader};

impl Watch<'_> {
    /// Takes in what follows behind the known part of a file. `hash` covers it up to the tail.
    pub(super) fn extend<I: Read + Seek>(
        &mut self,
        path: &Path,
        mut file: I,
        state: State,
        known: Known,
        hash: Xxh3,
    ) -> Result<(), Failure> {
        let Known { mut content, preamble, metadata, tail, .. } = known;
        let mut old_tail = Vec::new();
        ContentReader::new(&self.spool, &content, tail.offset)
            .read_to_end(&mut old_tail)
            .map_err(|error| self.spool_failed(&error))?;
        self.spool.borrow_mut().truncate(&mut content, tail.offset);
        let seek = file.seek(SeekFrom::Start(tail.offset));
        let format = self.reading.format.clone();
        let input = Tee {
            input: file,
            spool: self.spool.clone(),
            content,
            hash,
            failed: seek.err().map(Trouble::Input),
        };
        let new = Chunks::new(&*format, input, tail.ordinal, tail.offset);
        let old = Chunks::new(&*format, &*old_tail, tail.ordinal, tail.offset);
        let old_rows = self.reading.rows(path, &preamble, metadata);
        let new = Version { rows: old_rows.clone(), preamble, chunks: new };
        self.exchange(path, new, Some((old_rows, old)), state, true)
    }

    /// Takes in a whole file in place of what is known of it.
    pub(super) fn replace<I: Read + Seek>(
        &mut self,
        path: &Path,
        mut file: I,
        state: State,
        known: Option<Known>,
    ) -> Result<(), Failure> {
        let seek = file.seek(SeekFrom::Start(0));
        let format = self.reading.format.clone();
        let failed = seek.err().map(Trouble::Input);
        let input = Tee {
            input: file,
            spool: self.spool.clone(),
            content: Content::default(),
            hash: Xxh3::new(),
            failed,
        };
        let mut chunks = Chunks::new(&*format, input, 0, 0);
        // If this fails, so will the next read, which reports it.
        let preamble = chunks.preamble().unwrap_or_default();
        let rows = self.reading.rows(path, &preamble, state.metadata.clone());
        let comparable =
            known.as_ref().is_some_and(|known| known.preamble == preamble) && self.reading.metadata.is_none();
        let spool = self.spool.clone();
        let old = known.as_ref().map(|known| {
            let start = known.preamble.len() as u64;
            let rows = self.reading.rows(path, &known.preamble, known.metadata.clone());
            (rows, Chunks::new(&*format, ContentReader::new(&spool, &known.content, start), 0, start))
        });
        self.exchange(path, Version { rows, preamble, chunks }, old, state, comparable)?;
        if let Some(known) = known {
            self.spool.borrow_mut().release(known.content);
        }
        Ok(())
    }

    /// Removes old rows and adds new ones, except where the same bytes stand at the same ordinals
    /// and, if `comparable`, mean the same rows. Then the new content is what is known of the file.
    fn exchange<I: Read, R: Read>(
        &mut self,
        path: &Path,
        mut new: Version<'_, I>,
        mut old: Option<(FileRows, Chunks<'_, R>)>,
        state: State,
        comparable: bool,
    ) -> Result<(), Failure> {
        self.output.begin_atomic()?;
        let mut last: Option<Chunk> = None;
        let mut trouble = None;
        loop {
            // What cannot be read is treated as if the file ended there, and then forgotten.
            let come = match new.chunks.available() {
                Ok(come) => come,
                Err(error) => {
                    trouble = Some(error);
                    None
                }
            };
            let gone = match &mut old {
                Some((_, chunks)) => chunks.available().map_err(|error| self.spool_failed(&error))?,
                None => None,
            };
            match (gone, come, &mut old) {
                (Some(gone), Some(come), Some((old_rows, old_chunks))) => {
                    let records = gone.min(come);
                    let (was, is) = (old_chunks.take(records), new.chunks.take(records));
                    last = Some(is.clone());
                    if !comparable || was.bytes() != is.bytes() {
                        let job = new.rows.replace(old_rows, was, is, &self.reading.dtypes);
                        self.output.parse(job)?;
                    }
                }
                (Some(gone), None, Some((old_rows, old_chunks))) => {
                    self.output.parse(old_rows.remove(old_chunks.take(gone)))?;
                }
                (_, Some(come), _) => {
                    let is = new.chunks.take(come);
                    last = Some(is.clone());
                    self.output.parse(new.rows.add(is))?;
                }
                (_, None, _) => break,
            }
            self.tell(new.chunks.offset());
        }
        self.settle(path, new, last, state, trouble)?;
        Ok(self.output.end_atomic()?)
    }

    /// Remembers the new content of a file, or takes its rows back if it could not all be read.
    fn settle<I: Read>(
        &mut self,
        path: &Path,
        new: Version<'_, I>,
        last: Option<Chunk>,
        state: State,
        trouble: Option<io::Error>,
    ) -> Result<(), Failure> {
        let end = Tail { offset: new.chunks.offset(), ordinal: new.chunks.ordinal() };
        let Tee { content, hash, failed, .. } = new.chunks.into_input();
        if let Some(Trouble::Spool(error)) = &failed {
            return Err(self.spool_failed(error));
        }
        if let Some(error) = trouble {
            self.complain(path, &format!("cannot be read to its end: {error}"));
            self.remove_rows(path, &new.preamble, state.metadata, &content, end.offset)?;
            self.spool.borrow_mut().release(content);
            if self.lasting {
                self.output.position(&part(path), None)?;
            }
            return Ok(());
        }
        let tail = last.map_or(end, |last| {
            let whole = self.reading.format.cut(last.bytes(), false, u64::MAX);
            match whole.bytes == last.bytes().len() {
                true => end,
                false => {
                    Tail { offset: last.offset + whole.bytes as u64, ordinal: last.first + whole.records }
                }
            }
        });
        let known = Known {
            fingerprint: state.fingerprint,
            fresh: state.fresh,
            not_before: Instant::now(),
            content,
            digest: hash.digest128(),
            preamble: new.preamble,
            metadata: state.metadata,
            tail,
        };
        self.complaints.remove(path);
        self.remember(path, known)
    }
}

/// The new content of a file, being read.
struct Version<'f, I> {
    rows: FileRows,
    preamble: Vec<u8>,
    chunks: Chunks<'f, Tee<I>>,
}
