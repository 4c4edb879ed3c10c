//! Objects by name, in a directory or in a cloud store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::{Builder, Runtime};

use crate::StoreError;

/// Stores immutable objects under a root. Calls block until the store has answered; they may come from
/// any thread that is not a worker of an asynchronous runtime.
#[derive(Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Path,
    /// How people name the place.
    place: String,
    /// Where objects are files.
    folder: Option<PathBuf>,
    /// Tells apart what different runs put.
    token: String,
    runtime: Runtime,
}

impl Store {
    /// Objects are files of this directory, which is made if it is missing. What was put is on the disk
    /// when the call returns, so it survives a power failure.
    ///
    /// # Errors
    /// If the path is not a directory that can be written.
    pub fn directory(path: &FilePath) -> Result<Store, StoreError> {
        let place = path.display().to_string();
        let unusable = |cause: String| StoreError::Unusable { store: place.clone(), cause };
        if path.exists() && !path.is_dir() {
            return Err(unusable("it is a file, not a directory".to_owned()));
        }
        fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(error.to_string()))?;
        let mut store = Store::new(Arc::new(objects.with_fsync(true)), "", place.clone())?;
        store.folder = Some(path.to_owned());
        Ok(store)
    }

    /// Objects live as long as this process.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn memory() -> Result<Store, StoreError> {
        Store::new(Arc::new(InMemory::new()), "", "memory".to_owned())
    }

    /// Objects of this store whose names begin with `root`; people know the place as `place`.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn new(objects: Arc<dyn ObjectStore>, root: &str, place: String) -> Result<Store, StoreError> {
        let mut threads = Builder::new_multi_thread();
        let runtime = threads.worker_threads(1).thread_name("pathway:store").enable_all().build();
        let runtime = runtime
            .map_err(|error| StoreError::Unusable { store: place.clone(), cause: error.to_string() })?;
        let token = random_name(&place)?;
        Ok(Store { objects, root: Path::from(root), place, folder: None, token, runtime })
    }

    /// True if objects are files of this machine.
    pub fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// What no other opened store has.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// How people name an object.
    pub fn full_name(&self, name: &str) -> String {
        format!("{}/{name}", self.place.trim_end_matches('/'))
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    fn failed(&self, action: &'static str, name: &str, error: &Error) -> StoreError {
        StoreError::Failed { action, object: self.full_name(name), cause: error.to_string() }
    }

    /// Writes an object; it is there as a whole or not at all.
    ///
    /// # Errors
    /// What the store says.
    pub fn put(&self, name: &str, content: Bytes) -> Result<(), StoreError> {
        let path = self.path(name);
        let put = async { self.objects.put(&path, PutPayload::from_bytes(content)).await };
        self.runtime.block_on(put).map_err(|error| self.failed("writing", name, &error))?;
        Ok(())
    }

    /// Writes an object that is not there yet; it is there as a whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Taken`] or what the store says.
    pub fn put_new(&self, name: &str, content: Bytes) -> Result<(), StoreError> {
        let path = self.path(name);
        let payload = PutPayload::from_bytes(content);
        let put = async { self.objects.put_opts(&path, payload, PutMode::Create.into()).await };
        match self.runtime.block_on(put) {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. }) => Err(StoreError::Taken(self.full_name(name))),
            Err(error) => Err(self.failed("writing", name, &error)),
        }
    }

    /// The content of an object.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or what the store says.
    pub fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        let path = self.path(name);
        let content = async { self.objects.get(&path).await?.bytes().await };
        self.runtime.block_on(content).map_err(|error| self.unread(name, &error))
    }

    /// A part of an object.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or what the store says.
    pub fn get_range(&self, name: &str, range: std::ops::Range<u64>) -> Result<Bytes, StoreError> {
        let path = self.path(name);
        let content = async { self.objects.get_range(&path, range).await };
        self.runtime.block_on(content).map_err(|error| self.unread(name, &error))
    }

    fn unread(&self, name: &str, error: &Error) -> StoreError {
        match error {
            Error::NotFound { .. } => StoreError::Missing(self.full_name(name)),
            error => self.failed("reading", name, error),
        }
    }

    /// The names of the objects under a prefix (whole parts of names), sorted.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let path = self.path(prefix);
        let found = async { self.objects.list(Some(&path)).try_collect::<Vec<_>>().await };
        let found = self.runtime.block_on(found).map_err(|error| self.failed("listing", prefix, &error))?;
        let mut names: Vec<String> = found.iter().filter_map(|meta| self.name(&meta.location)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Removes what processes that were killed have begun to write under a prefix. Nobody may be writing there.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_unfinished(&self, prefix: &str) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let remove = || -> io::Result<()> {
            for entry in fs::read_dir(folder.join(prefix))? {
                let path = entry?.path();
                if is_unfinished(&path) {
                    fs::remove_file(path)?;
                }
            }
            Ok(())
        };
        match remove() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::Failed {
                action: "clearing",
                object: self.full_name(prefix),
                cause: error.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn name(&self, path: &Path) -> Option<String> {
        let parts: Vec<String> =
            path.prefix_match(&self.root)?.map(|part| part.as_ref().to_owned()).collect();
        Some(parts.join("/"))
    }

    /// Deletes an object; it may be gone already.
    ///
    /// # Errors
    /// What the store says.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        match self.runtime.block_on(async { self.objects.delete(&path).await }) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("deleting", name, &error)),
        }
    }
}

/// Whether a file is what becomes an object when it is whole: `object_store` adds a number to its name.
fn is_unfinished(path: &FilePath) -> bool {
    let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('#'));
    number.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A name that is given once.
///
/// # Errors
/// If the system gives no random numbers.
pub(crate) fn random_name(store: &str) -> Result<String, StoreError> {
    let unusable =
        |error: getrandom::Error| StoreError::Unusable { store: store.to_owned(), cause: error.to_string() };
    getrandom::u64().map(|number| format!("{number:016x}")).map_err(unusable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn behaves(store: &Store) {
        store.put("a/2", Bytes::from_static(b"two")).unwrap();
        store.put("a/1", Bytes::from_static(b"one")).unwrap();
        store.put("b/3", Bytes::from_static(b"three")).unwrap();
        assert_eq!(store.list("a").unwrap(), ["a/1", "a/2"]);
        assert_eq!(store.list("").unwrap(), ["a/1", "a/2", "b/3"]);
        assert_eq!(store.list("nothing").unwrap(), Vec::<String>::new());
        assert_eq!(store.get("b/3").unwrap(), "three");
        assert_eq!(store.get_range("b/3", 1..3).unwrap(), "hr");
        store.put_new("b/5", Bytes::from_static(b"five")).unwrap();
        let taken = store.put_new("b/5", Bytes::from_static(b"six")).unwrap_err();
        assert!(matches!(&taken, StoreError::Taken(name) if name.ends_with("/b/5")), "{taken:?}");
        assert_eq!(store.get("b/5").unwrap(), "five");
        store.delete("b/5").unwrap();
        assert!(matches!(store.get("b/4"), Err(StoreError::Missing(name)) if name.ends_with("/b/4")));
        store.delete("a/1").unwrap();
        store.delete("a/1").unwrap();
        assert_eq!(store.list("a").unwrap(), ["a/2"]);
    }

    #[test]
    fn in_memory() {
        behaves(&Store::memory().unwrap());
        let objects = Arc::new(InMemory::new());
        behaves(&Store::new(objects.clone(), "some/root", "memory".to_owned()).unwrap());
        let beside = Store::new(objects, "some/other", "memory".to_owned()).unwrap();
        assert_eq!(beside.list("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn in_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when missing");
        behaves(&Store::directory(&path).unwrap());
        assert_eq!(Store::directory(&path).unwrap().get("b/3").unwrap(), "three");
    }

    #[test]
    fn what_a_killed_process_was_writing_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::directory(folder.path()).unwrap();
        store.put("a/1", Bytes::from_static(b"one")).unwrap();
        fs::write(folder.path().join("a/2#1"), "tw").unwrap();
        fs::write(folder.path().join("a/3#"), "not ours").unwrap();
        store.remove_unfinished("a").unwrap();
        store.remove_unfinished("nothing").unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path().join("a")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["1", "3#"]);
        Store::memory().unwrap().remove_unfinished("a").unwrap();
    }

    #[test]
    fn a_file_is_no_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Store::directory(file.path()).unwrap_err().to_string();
        assert!(
            error.contains("not a directory") && error.contains(file.path().to_str().unwrap()),
            "{error}"
        );
    }
}
