//! What is known of a file, as a position that lasts longer than the run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pathway_io::{ConnectorError, FailureClass, Position};
use serde::{Deserialize, Serialize};

use super::{Known, Tail, Watch};
use crate::fs::metadata::Fingerprint;
use crate::fs::read::Failure;
use crate::fs::spool::{Content, Piece};

#[derive(Serialize, Deserialize)]
struct Saved {
    fingerprint: Fingerprint,
    fresh: bool,
    pieces: Vec<Piece>,
    /// In hexadecimal, as JSON has no numbers of this size.
    digest: String,
    preamble: Vec<u8>,
    metadata: Option<String>,
    tail: Tail,
}

/// What a path that is no text begins with, in the name of its part.
const CODED: &str = "\0base64:";

/// The name of the part that is a file.
pub(super) fn part(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => format!("{CODED}{}", URL_SAFE_NO_PAD.encode(path.as_os_str().as_encoded_bytes())),
    }
}

/// The path of a part.
#[cfg(unix)]
pub(super) fn path(part: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    let coded = part.strip_prefix(CODED).and_then(|coded| URL_SAFE_NO_PAD.decode(coded).ok());
    coded.map_or_else(|| PathBuf::from(part), |bytes| std::ffi::OsString::from_vec(bytes).into())
}

/// The path of a part.
#[cfg(not(unix))]
pub(super) fn path(part: &str) -> PathBuf {
    PathBuf::from(part)
}

impl Known {
    /// What an earlier run has left.
    pub(super) fn of_position(position: &Position, source: &str) -> Result<Known, ConnectorError> {
        let wrong = |cause: String| {
            let text = format!("what an earlier run has left of its position cannot be read: {cause}");
            ConnectorError::new(source, FailureClass::Engine, text)
        };
        let saved: Saved =
            serde_json::from_slice(&position.value).map_err(|error| wrong(error.to_string()))?;
        let digest = u128::from_str_radix(&saved.digest, 16).map_err(|error| wrong(error.to_string()))?;
        Ok(Known {
            fingerprint: saved.fingerprint,
            fresh: saved.fresh,
            not_before: Instant::now(),
            content: Content::Pieces(saved.pieces, Vec::new()),
            digest,
            preamble: saved.preamble,
            metadata: saved.metadata.map(Arc::from),
            tail: saved.tail,
        })
    }
}

impl Watch<'_> {
    /// Remembers what is known of a file, as its position too.
    pub(super) fn remember(&mut self, path: &Path, mut known: Known) -> Result<(), Failure> {
        if self.lasting {
            let sealed = self.spool.borrow_mut().seal(&mut known.content).map(<[Piece]>::to_vec);
            let pieces = sealed.map_err(|error| self.spool_failed(&error))?;
            let objects = pieces.iter().map(|piece| piece.name.clone()).collect();
            let saved = Saved {
                fingerprint: known.fingerprint,
                fresh: known.fresh,
                pieces,
                digest: format!("{:x}", known.digest),
                preamble: known.preamble.clone(),
                metadata: known.metadata.as_deref().map(str::to_owned),
                tail: known.tail,
            };
            let value = serde_json::to_vec(&saved).map_err(|error| self.spool_failed(&error.into()))?;
            self.output.position(&part(path), Some(Position { value, objects }))?;
        }
        self.files.insert(path.to_owned(), known);
        Ok(())
    }
}
