//! What sources keep in the store of a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pathway_io::{ConnectorError, FailureClass, Objects};
use pathway_persistence::{Store, StoreError};

/// Their folder in the store.
const FOLDER: &str = "objects";

/// Keeps what the sources of one run have read. Names count up, with the numbers of the run and of the process
/// in front.
#[derive(Debug)]
pub(super) struct SourceObjects {
    store: Arc<Store>,
    /// Where those of this run are.
    own: Arc<Store>,
    run: u64,
    process: usize,
    next: AtomicU64,
}

impl SourceObjects {
    /// In a store, or `own` instead.
    pub(super) fn new(store: Arc<Store>, own: Option<Arc<Store>>, run: u64, process: usize) -> Self {
        let own = own.unwrap_or_else(|| store.clone());
        SourceObjects { store, own, run, process, next: AtomicU64::new(0) }
    }

    /// What the names of this run begin with.
    fn prefix(&self) -> String {
        format!("{:08}-{}-", self.run, self.process)
    }

    fn failed(error: &StoreError) -> ConnectorError {
        ConnectorError::new("persistence", FailureClass::Os, error.to_string())
    }
}

impl Objects for SourceObjects {
    fn put(&self, content: Vec<u8>) -> Result<String, ConnectorError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number:08}", self.prefix());
        let put = self.own.put(&format!("{FOLDER}/{name}"), content.into());
        put.map(|()| name).map_err(|error| Self::failed(&error))
    }

    fn get(&self, name: &str) -> Result<Vec<u8>, ConnectorError> {
        let store = if name.starts_with(&self.prefix()) { &self.own } else { &self.store };
        let content = store.get(&format!("{FOLDER}/{name}"));
        content.map(|content| content.to_vec()).map_err(|error| Self::failed(&error))
    }
}

/// Deletes what earlier runs have kept and no position names, or had not kept yet when they were killed.
pub(super) fn collect(store: &Store, named: &BTreeSet<&str>) -> Result<(), StoreError> {
    store.remove_unfinished(FOLDER)?;
    for object in store.list(FOLDER)? {
        let name = object.rsplit('/').next().unwrap_or_default();
        if !named.contains(name) {
            store.delete(&object)?;
        }
    }
    Ok(())
}

/// Deletes an object.
pub(super) fn delete(store: &Store, name: &str) -> Result<(), StoreError> {
    store.delete(&format!("{FOLDER}/{name}"))
}
