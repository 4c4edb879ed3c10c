//! Files on local (or mounted) disks.
//!
//! A [`FileSource`] reads a file, a directory with everything below it, or all that a glob matches,
//! once or for as long as the run lasts. Per file the work is: find it (`find`), cut its bytes into
//! runs of whole records (`chunks`), and hand each run to a parser thread (`parse`). While watching
//! (`watch`), what was read of every file is kept outside of memory (`spool`), so that the rows of a
//! file that changes or vanishes can be taken back exactly.
//!
//! | | |
//! |---|---|
//! | modes | static, streaming |
//! | order | files by modification time, records as they stand |
//! | unit | one file's change is never split over two times |
//! | row keys | the primary key, else the file's path and the record's ordinal |
//!
//! A [`FileSink`] writes csv or JSON lines into one file.

mod chunks;
mod find;
mod metadata;
mod parse;
mod read;
mod sink;
mod source;
mod spool;
mod watch;

pub use sink::{FileSink, OutputFormat};
pub use source::FileSource;

use std::path::Path;

use pathway_io::{ConnectorError, FailureClass};
use xxhash_rust::xxh3::xxh3_64;

/// The operating system refused something about `path`.
fn os_error(connector: &str, doing: &str, path: &Path, error: &std::io::Error) -> ConnectorError {
    ConnectorError::new(connector, FailureClass::Os, format!("cannot {doing} {}: {error}", path.display()))
}

/// Decides who reads a file.
fn hash_of(path: &Path) -> u64 {
    xxh3_64(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests;
