//! Which files a path stands for.
//!
//! A path is a file, a directory (everything below it), or a glob (`*`, `?`, `[ab]`, `**`) of either.
//! Hidden files count, symbolic links are followed, and a file that is reached under several names
//! through links is listed once, under its own name if that is among them.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::{MatchOptions, Pattern};
use pathway_io::{ConnectorError, FailureClass};

use crate::formats::invalid;

/// A file that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its path, in terms of the path that is searched.
    pub(super) path: PathBuf,
    /// What the directory says about it.
    pub(super) metadata: Metadata,
}

/// What a search gave.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files, by modification time, then by path.
    pub(super) files: Vec<Found>,
    /// Places that could not be looked into: nothing is known about the files below them.
    pub(super) failed: Vec<(PathBuf, String)>,
}

/// What to search for.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    path: PathBuf,
    file_name: Option<Pattern>,
}

/// How file names are matched.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

impl Finder {
    /// Searches `path` for files whose names match `file_name`.
    ///
    /// # Errors
    /// If `file_name` is no pattern.
    pub(super) fn new(path: PathBuf, file_name: &str) -> Result<Self, ConnectorError> {
        if path.as_os_str().is_empty() {
            return Err(invalid("fs", "the path is empty"));
        }
        let file_name = match file_name {
            "*" => None,
            pattern => Some(Pattern::new(pattern).map_err(|error| {
                invalid("fs", format!("the object pattern {pattern:?} is malformed: {error}"))
            })?),
        };
        Ok(Finder { path, file_name })
    }

    /// The glob that the path is, if it is one: it has wildcards and is not the name of something.
    fn glob(&self) -> Option<&str> {
        let text = self.path.to_str()?;
        (text.contains(['*', '?', '[']) && !self.path.exists()).then_some(text)
    }

    /// Checks that the path can be searched.
    ///
    /// # Errors
    /// If it is a malformed glob.
    pub(super) fn check(&self) -> Result<(), ConnectorError> {
        match self.glob().map(|glob| (glob, Pattern::new(glob))) {
            Some((glob, Err(error))) => Err(ConnectorError::new(
                "fs",
                FailureClass::Os,
                format!("the path {glob:?} is a malformed pattern: {error}; escape a literal [ as [[]"),
            )),
            _ => Ok(()),
        }
    }

    /// True if the path names one file (or nothing yet), not a directory or a glob.
    pub(super) fn is_single_file(&self) -> bool {
        self.glob().is_none() && !self.path.is_dir()
    }

    /// Searches.
    pub(super) fn list(&self) -> Listing {
        let mut search = Search::new(self);
        match self.glob() {
            None => search.visit(&self.path),
            Some(glob) => match glob::glob_with(glob, MATCHING) {
                // Checked when the source was opened; the path may have come to look like a glob since.
                Err(error) => search.listing.failed.push((self.path.clone(), error.to_string())),
                Ok(paths) => {
                    for path in paths {
                        match path {
                            Ok(path) => search.visit(&path),
                            Err(error) => search.fail(error.path(), error.error()),
                        }
                    }
                }
            },
        }
        search.finish()
    }
}

/// A file that may be the same as another one.
struct Candidate {
    found: Found,
    /// The file's own path, free of links.
    real: PathBuf,
    /// `found.path` leads through a link.
    aliased: bool,
}

struct Search<'f> {
    finder: &'f Finder,
    candidates: Vec<Candidate>,
    /// Directories that were looked into, by their own paths.
    seen: HashSet<PathBuf>,
    /// Links to directories: looked into last, so that files are found under their own names first.
    links: Vec<PathBuf>,
    /// The own paths of directories that hold files named directly.
    parents: HashMap<PathBuf, Option<PathBuf>>,
    listing: Listing,
}

impl<'f> Search<'f> {
    fn new(finder: &'f Finder) -> Self {
        Search {
            finder,
            candidates: Vec::new(),
            seen: HashSet::new(),
            links: Vec::new(),
            parents: HashMap::new(),
            listing: Listing::default(),
        }
    }

    /// A place that could not be looked into. What is not there, or leads nowhere, is no failure.
    fn fail(&mut self, path: &Path, error: &std::io::Error) {
        if error.kind() != ErrorKind::NotFound {
            self.listing.failed.push((path.to_owned(), error.to_string()));
        }
    }

    /// Takes in a file or directory that was named.
    fn visit(&mut self, path: &Path) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.fail(path, &error),
        };
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        if metadata.is_dir() {
            return if is_link { self.links.push(path.to_owned()) } else { self.directory(path) };
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let real_parent = match self.parents.get(parent) {
            Some(real) => real.clone(),
            None => {
                let real = fs::canonicalize(parent).ok();
                self.parents.insert(parent.to_owned(), real.clone());
                real
            }
        };
        self.file(path.to_owned(), metadata, real_parent.as_deref(), is_link, false);
    }

    /// Takes in a file. `parent` is its directory's own path.
    fn file(
        &mut self,
        path: PathBuf,
        metadata: Metadata,
        parent: Option<&Path>,
        is_link: bool,
        aliased: bool,
    ) {
        let Some(name) = path.file_name() else { return };
        let is_wanted = match &self.finder.file_name {
            None => true,
            Some(pattern) => pattern.matches_with(&name.to_string_lossy(), MATCHING),
        };
        if !metadata.is_file() || !is_wanted {
            return;
        }
        let real = match (is_link, parent) {
            (false, Some(parent)) => parent.join(name),
            _ => fs::canonicalize(&path).unwrap_or_else(|_| path.clone()),
        };
        self.candidates.push(Candidate {
            found: Found { path, metadata },
            real,
            aliased: aliased || is_link,
        });
    }

    /// Takes in everything below a directory.
    fn directory(&mut self, path: &Path) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.fail(path, &error),
        };
        self.below(path, real, false);
    }

    fn below(&mut self, path: &Path, real: PathBuf, aliased: bool) {
        if !self.seen.insert(real.clone()) {
            return;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.fail(path, &error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.fail(path, &error),
            };
            let name = entry.file_name();
            let path = path.join(&name);
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.fail(&path, &error);
                    continue;
                }
            };
            if !metadata.is_dir() {
                self.file(path, metadata, Some(&real), is_link, aliased);
            } else if is_link {
                self.links.push(path);
            } else {
                self.below(&path, real.join(&name), aliased);
            }
        }
    }

    fn finish(mut self) -> Listing {
        while let Some(path) = self.links.pop() {
            match fs::canonicalize(&path) {
                Ok(real) => self.below(&path, real, true),
                Err(error) => self.fail(&path, &error),
            }
        }
        // Own names first, then links by path, so that the choice between links is always the same.
        self.candidates.sort_by(|a, b| (a.aliased, &a.found.path).cmp(&(b.aliased, &b.found.path)));
        let mut seen = HashSet::with_capacity(self.candidates.len());
        let unique = self.candidates.into_iter().filter(|c| seen.insert(c.real.clone()));
        self.listing.files = unique.map(|candidate| candidate.found).collect();
        let modified = |found: &Found| found.metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        self.listing.files.sort_by_cached_key(|found| (modified(found), found.path.clone()));
        self.listing
    }
}
