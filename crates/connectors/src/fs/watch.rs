//! Reading files for as long as the run lasts: new, changed and vanished ones.
//!
//! Twice a second the files are listed and compared with what is known of them. A new file's rows
//! are added; a vanished file's rows are removed; of a changed file, rows that are no longer there
//! are removed and new ones added, all in one unit. What was read of each file is kept (`spool`), so
//! that its rows can be made again to remove them.
//!
//! A changed file is first checked to begin with exactly what was read before. If so, only what
//! follows is parsed, from the start of the last record if that was not terminated. If not, old and
//! new content are compared chunk by chunk at equal record ordinals, and only what differs is
//! parsed. Checking costs a read of the file, so a file that took long to check is left alone for a
//! while: appending to a huge file costs a bounded part of the time.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pathway_io::{ConnectorError, FailureClass, Reader, SourceOutput};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::chunks::{Chunk, Chunks};
use super::find::{Finder, Found};
use super::metadata::{Fingerprint, Owners};
use super::parse::FileRows;
use super::read::{Failure, Reading};
use super::spool::{Content, ContentReader, Spool};
use crate::formats::Framing;

/// The pause between two listings.
const INTERVAL: Duration = Duration::from_millis(500);
/// After looking at something for a time, it is left alone for this many times as long.
const PATIENCE: u32 = 4;
/// The most readers of one source: each lists all files.
const MAX_READERS: usize = 4;

/// Watches the files of one source, or a share of them.
pub(super) struct WatchReader {
    reading: Arc<Reading>,
    finder: Finder,
    /// Which of how many readers this is.
    share: (u64, u64),
}

impl WatchReader {
    /// Readers, at most `parallelism`, that watch all files between them.
    pub(super) fn split(reading: &Arc<Reading>, finder: &Finder, parallelism: usize) -> Vec<Box<dyn Reader>> {
        let readers = if finder.is_single_file() { 1 } else { parallelism.clamp(1, MAX_READERS) as u64 };
        let reader = |i| -> Box<dyn Reader> {
            Box::new(WatchReader { reading: reading.clone(), finder: finder.clone(), share: (i, readers) })
        };
        (0..readers).map(reader).collect()
    }

    fn is_mine(&self, path: &Path) -> bool {
        let (mine, of) = self.share;
        of == 1 || xxh3_64(path.as_os_str().as_encoded_bytes()) % of == mine
    }
}

impl Reader for WatchReader {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut watch = Watch {
            reading: &self.reading,
            output,
            spool: Rc::default(),
            owners: Owners::default(),
            files: HashMap::new(),
            complaints: HashSet::new(),
        };
        loop {
            let started = Instant::now();
            let mut listing = self.finder.list();
            let listed = started.elapsed();
            listing.files.retain(|found| self.is_mine(&found.path));
            for (path, error) in &listing.failed {
                watch.complain(path, &format!("cannot be looked into: {error}"));
            }
            let failed = listing.failed.into_iter().map(|(path, _)| path).collect();
            match watch.take_in(listing.files, failed) {
                Ok(()) => {}
                Err(Failure::Stopped) => return Ok(()),
                Err(Failure::Connector(error)) => return Err(error),
            }
            if watch.output.wait(INTERVAL.max(listed * PATIENCE)).is_err() {
                return Ok(());
            }
        }
    }
}

/// What is known of a file.
struct Known {
    fingerprint: Fingerprint,
    /// The file may have changed since without another fingerprint.
    fresh: bool,
    /// Not to be looked at before.
    not_before: Instant,
    /// What was read.
    content: Content,
    /// The hash of that.
    digest: u128,
    preamble: Vec<u8>,
    metadata: Option<Arc<str>>,
    /// Where the next record starts: the last one, if it was not terminated.
    tail: Tail,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tail {
    offset: u64,
    ordinal: u64,
}

impl Known {
    /// True if records that are appended cannot change how earlier bytes are read, except from the
    /// tail on.
    fn can_grow(&self, reading: &Reading) -> bool {
        let has_ended = |preamble: &[u8]| reading.format.preamble(preamble, false) == Some(preamble.len());
        reading.format.framing() == Framing::Records
            && reading.metadata.is_none()
            && if self.preamble.is_empty() { self.content.len() >= 4 } else { has_ended(&self.preamble) }
    }
}

/// A reader at work.
struct Watch<'a> {
    reading: &'a Reading,
    output: &'a mut dyn SourceOutput,
    spool: Rc<RefCell<Spool>>,
    owners: Owners,
    files: HashMap<PathBuf, Known>,
    /// What was complained about and has not been fine since.
    complaints: HashSet<PathBuf>,
}

impl Watch<'_> {
    /// Says, once, what is wrong with a path.
    fn complain(&mut self, path: &Path, what: &str) {
        if self.complaints.insert(path.to_owned()) {
            log::warn!("{}: {} {what}; trying again", self.reading.name, path.display());
        }
    }

    /// Brings the rows up to date with a listing. Nothing is known about files below `failed`.
    fn take_in(&mut self, files: Vec<Found>, failed: Vec<PathBuf>) -> Result<(), Failure> {
        let listed: HashSet<&Path> = files.iter().map(|found| &*found.path).collect();
        let is_gone =
            |path: &Path| !listed.contains(path) && !failed.iter().any(|place| path.starts_with(place));
        let mut gone: Vec<PathBuf> = self.files.keys().filter(|path| is_gone(path)).cloned().collect();
        gone.sort();
        // A file under a new name is moved in one unit.
        let mut moved: HashMap<PathBuf, PathBuf> = HashMap::new();
        for found in files.iter().filter(|found| !self.files.contains_key(&found.path)) {
            let fingerprint = Fingerprint::of(&found.metadata);
            let is_it = |path: &&PathBuf| self.files[*path].fingerprint.is_same_file(&fingerprint);
            if let Some(old) = gone.iter().find(is_it).cloned() {
                gone.retain(|path| *path != old);
                moved.insert(found.path.clone(), old);
            }
        }
        for path in gone {
            self.output.begin_atomic()?;
            self.forget(&path)?;
            self.output.end_atomic()?;
        }
        for found in files {
            match moved.remove(&found.path) {
                Some(old) => {
                    self.output.begin_atomic()?;
                    self.forget(&old)?;
                    self.look_at(&found)?;
                    self.output.end_atomic()?;
                }
                None => self.look_at(&found)?,
            }
            if self.output.is_stopped() {
                return Err(Failure::Stopped);
            }
        }
        Ok(())
    }

    /// Removes the rows of a file that is gone.
    fn forget(&mut self, path: &Path) -> Result<(), Failure> {
        self.complaints.remove(path);
        let Some(known) = self.files.remove(path) else { return Ok(()) };
        let end = known.content.len();
        self.remove_rows(path, &known.preamble, known.metadata.clone(), &known.content, end)?;
        self.spool.borrow_mut().release(known.content);
        Ok(())
    }

    /// Removes the rows of the first `end` bytes of a content.
    fn remove_rows(
        &mut self,
        path: &Path,
        preamble: &[u8],
        metadata: Option<Arc<str>>,
        content: &Content,
        end: u64,
    ) -> Result<(), Failure> {
        let rows = self.reading.rows(path, preamble, metadata);
        if self.reading.format.framing() == Framing::Nothing {
            return Ok(self.output.parse(rows.remove(Chunk::unread()))?);
        }
        let start = preamble.len() as u64;
        let input = ContentReader::new(&self.spool, content, start).take(end.saturating_sub(start));
        let mut chunks = Chunks::new(&*self.reading.format, input, 0, start);
        while let Some(chunk) = chunks.next().map_err(|error| self.spool_failed(&error))? {
            self.output.parse(rows.remove(chunk))?;
        }
        Ok(())
    }

    /// The copies of what was read are lost: rows cannot be removed any more.
    fn spool_failed(&self, error: &io::Error) -> Failure {
        Failure::Connector(ConnectorError::new(
            &*self.reading.name,
            FailureClass::Os,
            format!(
                "cannot keep a copy of what was read in {}: {error}; is there room for as much as all watched \
                 files take?",
                std::env::temp_dir().display()
            ),
        ))
    }

    /// Takes in a file that is there, if it is new or changed.
    fn look_at(&mut self, found: &Found) -> Result<(), Failure> {
        let fingerprint = Fingerprint::of(&found.metadata);
        if let Some(known) = self.files.get(&found.path) {
            let is_same = known.fingerprint == fingerprint && !known.fresh;
            if is_same || Instant::now() < known.not_before {
                return Ok(());
            }
        }
        if self.reading.format.framing() == Framing::Nothing {
            return self.look_at_outside(found, fingerprint);
        }
        let opened = File::open(&found.path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = match opened {
            Ok(opened) => opened,
            // The next listing will know.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                self.complain(&found.path, &format!("cannot be opened: {error}"));
                return Ok(());
            }
        };
        let seen = SystemTime::now();
        let fingerprint = Fingerprint::of(&metadata);
        let state = State {
            fingerprint,
            fresh: fingerprint.is_fresh(seen),
            metadata: self.reading.describe(&found.path, &metadata, &mut self.owners),
        };
        self.compare(&found.path, file, state)
    }

    /// Takes in a file whose content does not matter.
    fn look_at_outside(&mut self, found: &Found, fingerprint: Fingerprint) -> Result<(), Failure> {
        let metadata = self.reading.describe(&found.path, &found.metadata, &mut self.owners);
        let rows = self.reading.rows(&found.path, b"", metadata.clone());
        let known = self.files.get(&found.path);
        match known {
            None => self.output.parse(rows.add(Chunk::unread()))?,
            Some(known) if self.reading.metadata.is_some() => {
                let old = self.reading.rows(&found.path, b"", known.metadata.clone());
                let dtypes = &self.reading.dtypes;
                self.output.parse(rows.replace(&old, Chunk::unread(), Chunk::unread(), dtypes))?;
            }
            Some(_) => {}
        }
        let known = Known {
            fingerprint,
            fresh: false,
            not_before: Instant::now(),
            content: Content::default(),
            digest: 0,
            preamble: Vec::new(),
            metadata,
            tail: Tail::default(),
        };
        self.files.insert(found.path.clone(), known);
        Ok(())
    }

    /// Compares an open file with what is known of it, and takes in the difference.
    fn compare(&mut self, path: &Path, mut file: File, state: State) -> Result<(), Failure> {
        let started = Instant::now();
        let Some(mut known) = self.files.remove(path) else {
            return self.replace(path, file, state, None);
        };
        let prefix = match begins_with(&mut file, &known) {
            Ok(prefix) => prefix,
            Err(error) => {
                self.complain(path, &format!("cannot be read: {error}"));
                self.files.insert(path.to_owned(), known);
                return Ok(());
            }
        };
        let pause = Some(started.elapsed() * PATIENCE).filter(|pause| *pause > INTERVAL);
        let not_before = Instant::now() + pause.unwrap_or_default();
        let same_length = state.fingerprint.size == known.content.len();
        let describes_anew = self.reading.metadata.is_some() && state.fingerprint != known.fingerprint;
        match prefix {
            Some(_) if same_length && !describes_anew => {
                known.fingerprint = state.fingerprint;
                known.fresh = state.fresh;
                known.not_before = not_before;
                self.files.insert(path.to_owned(), known);
                return Ok(());
            }
            Some(hash) if known.can_grow(self.reading) => self.extend(path, file, state, known, hash)?,
            _ => self.replace(path, file, state, Some(known))?,
        }
        if let Some(known) = self.files.get_mut(path) {
            known.not_before = not_before;
        }
        Ok(())
    }

    /// Takes in what follows behind the known part of a file. `hash` covers it up to the tail.
    fn extend(
        &mut self,
        path: &Path,
        mut file: File,
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
    fn replace(
        &mut self,
        path: &Path,
        mut file: File,
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
    fn exchange<R: Read>(
        &mut self,
        path: &Path,
        mut new: Version<'_>,
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
        }
        self.settle(path, new, last, state, trouble)?;
        Ok(self.output.end_atomic()?)
    }

    /// Remembers the new content of a file, or takes its rows back if it could not all be read.
    fn settle(
        &mut self,
        path: &Path,
        new: Version<'_>,
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
        self.files.insert(path.to_owned(), known);
        Ok(())
    }
}

/// What the system said about a file when it was opened.
struct State {
    fingerprint: Fingerprint,
    fresh: bool,
    metadata: Option<Arc<str>>,
}

/// The new content of a file, being read.
struct Version<'f> {
    rows: FileRows,
    preamble: Vec<u8>,
    chunks: Chunks<'f, Tee>,
}

/// Why reading a file failed.
enum Trouble {
    /// The file cannot be read.
    Input(io::Error),
    /// What was read cannot be kept.
    Spool(io::Error),
}

/// Reads a file, and keeps and hashes what is read.
struct Tee {
    input: File,
    spool: Rc<RefCell<Spool>>,
    content: Content,
    hash: Xxh3,
    failed: Option<Trouble>,
}

impl Read for Tee {
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
fn begins_with(file: &mut File, known: &Known) -> io::Result<Option<Xxh3>> {
    let mut hash = Xxh3::new();
    if !feed(file, known.tail.offset, &mut hash)? {
        return Ok(None);
    }
    let mut whole = hash.clone();
    let rest = known.content.len().saturating_sub(known.tail.offset);
    Ok((feed(file, rest, &mut whole)? && whole.digest128() == known.digest).then_some(hash))
}

/// Hashes the next bytes of a file; false if there are not as many.
fn feed(file: &mut File, bytes: u64, hash: &mut Xxh3) -> io::Result<bool> {
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
