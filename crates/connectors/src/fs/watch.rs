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
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pathway_io::{ConnectorError, FailureClass, Reader, Resume, Share, SourceOutput};
use serde::{Deserialize, Serialize};

use super::chunks::{Chunk, Chunks};
use super::find::{Finder, Found};
use super::hash_of;
use super::metadata::{Fingerprint, Owners};
use super::read::{Failure, Reading};
use super::spool::{Content, ContentReader, Spool};
use crate::formats::Framing;
use tee::begins_with;

mod exchange;
mod lasting;
mod tee;

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
    /// What earlier runs have read, where they left it, and this one is to.
    resume: Option<Resume>,
    /// It ends when it has taken in what is there.
    once: bool,
}

impl WatchReader {
    /// Readers, at most `parallelism`, that watch all files between them.
    pub(super) fn split(
        reading: &Arc<Reading>,
        finder: &Finder,
        share: Share,
        parallelism: usize,
        resume: Option<&Resume>,
        once: bool,
    ) -> Vec<Box<dyn Reader>> {
        let is_single = finder.is_single_file();
        if is_single && share.number > 0 {
            return Vec::new();
        }
        let readers = if is_single { 1 } else { parallelism.clamp(1, MAX_READERS) as u64 };
        let (first, of) =
            if is_single { (0, 1) } else { (share.number as u64 * readers, share.of as u64 * readers) };
        let reader = |i| -> Box<dyn Reader> {
            Box::new(WatchReader {
                reading: reading.clone(),
                finder: finder.clone(),
                share: (first + i, of),
                resume: resume.cloned(),
                once,
            })
        };
        (0..readers).map(reader).collect()
    }

    fn is_mine(&self, path: &Path) -> bool {
        let (mine, of) = self.share;
        of == 1 || hash_of(path) % of == mine
    }
}

impl Reader for WatchReader {
    fn run(self: Box<Self>, output: &mut dyn SourceOutput) -> Result<(), ConnectorError> {
        let mut watch = Watch {
            reading: &self.reading,
            output,
            spool: Rc::default(),
            lasting: self.resume.is_some(),
            owners: Owners::default(),
            files: HashMap::new(),
            complaints: HashMap::new(),
            progress: self.once.then(Progress::default),
        };
        if let Some(Resume { positions, objects, .. }) = &self.resume {
            watch.spool = Rc::new(RefCell::new(Spool::lasting(objects.clone())));
            for (path, position) in positions {
                let path = lasting::path(path);
                if self.is_mine(&path) {
                    watch.files.insert(path, Known::of_position(position, &self.reading.name)?);
                }
            }
        }
        loop {
            let started = Instant::now();
            let mut listing = self.finder.list();
            let listed = started.elapsed();
            listing.files.retain(|found| self.is_mine(&found.path));
            for (path, error) in &listing.failed {
                watch.complain(path, &format!("cannot be looked into: {error}"));
            }
            if self.once {
                watch.expect(&listing.files);
            }
            let failed = listing.failed.into_iter().map(|(path, _)| path).collect();
            match watch.take_in(listing.files, failed) {
                Ok(()) => {}
                Err(Failure::Stopped) => return Ok(()),
                Err(Failure::Connector(error)) => return Err(error),
            }
            if self.once {
                let Some((path, complaint)) = watch.complaints.iter().min() else { return Ok(()) };
                return Err(ConnectorError::new(
                    &*self.reading.name,
                    FailureClass::Os,
                    format!("{} {complaint}", path.display()),
                ));
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

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Tail {
    offset: u64,
    ordinal: u64,
}

impl Known {
    /// True if it is surely the file that was read.
    fn is_same(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == *fingerprint && !self.fresh
    }

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
    /// What is known of files is to last longer than the run.
    lasting: bool,
    owners: Owners,
    files: HashMap<PathBuf, Known>,
    /// What was complained about and has not been fine since.
    complaints: HashMap<PathBuf, String>,
    /// How much of the present file has been read, if files are read once: of others nobody knows how much comes.
    progress: Option<Progress>,
}

/// How much of a file has been read.
#[derive(Default)]
struct Progress {
    /// Bytes that are expected of it. It may have become longer or shorter since it was found.
    expected: u64,
    /// Bytes of these that have been told.
    told: u64,
}

impl Watch<'_> {
    /// Says, once, what is wrong with a path.
    fn complain(&mut self, path: &Path, what: &str) {
        if self.complaints.insert(path.to_owned(), what.to_owned()).is_none() {
            log::warn!("{}: {} {what}; trying again", self.reading.name, path.display());
        }
    }

    /// Tells how much is to be read of files.
    fn expect(&mut self, files: &[Found]) {
        let changed = files.iter().filter(|found| self.is_to_be_read(found));
        self.output.expect(changed.map(|found| found.metadata.len()).sum());
    }

    /// True if a file has content that may be another one than is known.
    fn is_to_be_read(&self, found: &Found) -> bool {
        self.reading.format.framing() != Framing::Nothing
            && self
                .files
                .get(&found.path)
                .is_none_or(|known| !known.is_same(&Fingerprint::of(&found.metadata)))
    }

    /// The present file has been read up to an offset.
    fn tell(&mut self, offset: u64) {
        if let Some(Progress { expected, told }) = &mut self.progress {
            let read = offset.clamp(*told, *expected);
            self.output.advance(read - *told);
            *told = read;
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
        let mut by_identity: HashMap<(u64, u64), PathBuf> = HashMap::new();
        for path in &gone {
            by_identity
                .extend(self.files[path].fingerprint.identity().map(|identity| (identity, path.clone())));
        }
        for found in files.iter().filter(|found| !self.files.contains_key(&found.path)) {
            let identity = Fingerprint::of(&found.metadata).identity();
            moved
                .extend(identity.and_then(|id| by_identity.remove(&id)).map(|old| (found.path.clone(), old)));
        }
        let kept: HashSet<&PathBuf> = moved.values().collect();
        gone.retain(|path| !kept.contains(path));
        for path in gone {
            self.output.begin_atomic()?;
            self.forget(&path)?;
            self.output.end_atomic()?;
        }
        for found in files {
            let expected = if self.is_to_be_read(&found) { found.metadata.len() } else { 0 };
            if let Some(progress) = &mut self.progress {
                *progress = Progress { expected, told: 0 };
            }
            match moved.remove(&found.path) {
                Some(old) => {
                    self.output.begin_atomic()?;
                    self.forget(&old)?;
                    self.look_at(&found)?;
                    self.output.end_atomic()?;
                }
                None => self.look_at(&found)?,
            }
            self.tell(expected);
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
        if self.lasting {
            self.output.position(&lasting::part(path), None)?;
        }
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
        let folder =
            if self.lasting { String::new() } else { format!(" in {}", std::env::temp_dir().display()) };
        let message = format!(
            "cannot keep a copy of what was read{folder}: {error}; is there room for as much as all watched files \
             take?"
        );
        Failure::Connector(ConnectorError::new(&*self.reading.name, FailureClass::Os, message))
    }

    /// Takes in a file that is there, if it is new or changed.
    fn look_at(&mut self, found: &Found) -> Result<(), Failure> {
        let fingerprint = Fingerprint::of(&found.metadata);
        if let Some(known) = self.files.get(&found.path)
            && (known.is_same(&fingerprint) || Instant::now() < known.not_before)
        {
            return Ok(());
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
        self.remember(&found.path, known)
    }

    /// Compares an open file with what is known of it, and takes in the difference.
    fn compare<I: Read + Seek>(&mut self, path: &Path, mut file: I, state: State) -> Result<(), Failure> {
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
}

/// What the system said about a file when it was opened.
struct State {
    fingerprint: Fingerprint,
    fresh: bool,
    metadata: Option<Arc<str>>,
}

#[cfg(test)]
mod tests;
