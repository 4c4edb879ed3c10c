//! What is known about a file beside its content.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::json;

/// Tells two states of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    modified: SystemTime,
    pub(super) size: u64,
    identity: (u64, u64),
}

impl Fingerprint {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Fingerprint {
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            size: metadata.len(),
            identity: identity(metadata),
        }
    }

    /// What stays with a file when it gets another name, where the system tells.
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        Some(self.identity).filter(|identity| *identity != (0, 0))
    }

    /// True if the file may have been changed again since, at `seen`, without a trace: the clock of
    /// its modification times ticks more slowly than files can be written.
    pub(super) fn is_fresh(&self, seen: SystemTime) -> bool {
        let since_epoch = self.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let tick = match since_epoch.subsec_nanos() {
            0 => Duration::from_secs(2),
            _ => Duration::from_millis(50),
        };
        match seen.duration_since(self.modified) {
            Ok(age) => age < tick,
            Err(ahead) => ahead.duration() < tick,
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// The names of users, looked up once each.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<u32, Option<String>>);

impl Owners {
    /// The name of the file's owner, if it has one.
    #[cfg(unix)]
    fn name(&mut self, metadata: &Metadata) -> Option<&str> {
        use std::os::unix::fs::MetadataExt as _;
        let uid = metadata.uid();
        let look_up = || nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name);
        self.0.entry(uid).or_insert_with(look_up).as_deref()
    }

    #[cfg(not(unix))]
    fn name(&mut self, _metadata: &Metadata) -> Option<&str> {
        None
    }
}

/// The content of column `_metadata`: compact JSON.
pub(super) fn describe(path: &Path, metadata: &Metadata, seen: SystemTime, owners: &mut Owners) -> String {
    let seconds =
        |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    json!({
        "created_at": metadata.created().ok().map(seconds),
        "modified_at": metadata.modified().ok().map(seconds),
        "owner": owners.name(metadata),
        "path": path.to_string_lossy(),
        "size": metadata.len(),
        "seen_at": seconds(seen),
    })
    .to_string()
}
