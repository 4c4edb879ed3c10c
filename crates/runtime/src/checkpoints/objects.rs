//! What sources keep in the store of a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pathway_dataflow::Context;
use pathway_io::{ConnectorError, FailureClass, Objects};
use pathway_persistence::{Store, StoreError};

/// Their folder in the store.
const FOLDER: &str = "objects";
/// The first pause before a store is tried again, which is doubled each time, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a source that waits looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// Keeps what the sources of one run have read. Names count up, with the numbers of the run and of the process
/// in front.
pub(super) struct SourceObjects {
    store: Arc<Store>,
    /// Where those of this run are.
    own: Arc<Store>,
    run: u64,
    process: usize,
    next: AtomicU64,
    context: Context,
}

impl std::fmt::Debug for SourceObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceObjects").field("store", &self.own).finish_non_exhaustive()
    }
}

impl SourceObjects {
    /// In a store, or `own` instead.
    pub(super) fn new(
        store: Arc<Store>,
        own: Option<Arc<Store>>,
        run: u64,
        process: usize,
        context: Context,
    ) -> Self {
        let own = own.unwrap_or_else(|| store.clone());
        SourceObjects { store, own, run, process, next: AtomicU64::new(0), context }
    }

    /// What the names of this run begin with.
    fn prefix(&self) -> String {
        format!("{:08}-{}-", self.run, self.process)
    }
}

impl Objects for SourceObjects {
    fn put(&self, content: Vec<u8>) -> Result<String, ConnectorError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number:08}", self.prefix());
        let (object, content) = (format!("{FOLDER}/{name}"), Bytes::from(content));
        patiently(&self.own, &self.context, || self.own.put(&object, content.clone()))?;
        Ok(name)
    }

    fn get(&self, name: &str) -> Result<Vec<u8>, ConnectorError> {
        let store = if name.starts_with(&self.prefix()) { &self.own } else { &self.store };
        let object = format!("{FOLDER}/{name}");
        patiently(store, &self.context, || store.get(&object)).map(|content| content.to_vec())
    }
}

/// Does something with a store. If it is reached through a network and fails, it is tried again until it does not,
/// or sources are to end.
fn patiently<T>(
    store: &Store,
    context: &Context,
    mut action: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, ConnectorError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match action() {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let may_pass = matches!(error, StoreError::Failed { .. }) && !store.is_folder();
        if !may_pass || context.ends_sources() {
            return Err(ConnectorError::new("persistence", FailureClass::Os, error.to_string()));
        }
        context.message(true, &format!("a source waits for the store, which is tried again: {error}"));
        let begin = Instant::now();
        while begin.elapsed() < pause && !context.ends_sources() {
            std::thread::sleep(PATIENCE.min(pause));
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pathway_dataflow::{Monitor, Report};

    struct Silent;

    impl Monitor for Silent {
        fn report(&self, _report: Report<'_>) {}
    }

    /// Fails so many times; gives the result, and how often it was tried.
    fn tried(store: &Store, context: &Context, failures: usize) -> (Result<usize, String>, usize) {
        let mut tries = 0;
        let result = patiently(store, context, || {
            tries += 1;
            let failed =
                || StoreError::Failed { action: "writing", object: "x".into(), cause: "silence".into() };
            if tries > failures { Ok(7) } else { Err(failed()) }
        });
        (result.map_err(|error| error.to_string()), tries)
    }

    fn context() -> Context {
        Context::new(true, 1024, Arc::new(Silent))
    }

    #[test]
    fn a_store_behind_a_network_is_tried_again() {
        assert_eq!(tried(&Store::memory().unwrap(), &context(), 2), (Ok(7), 3));
    }

    #[test]
    fn a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (result, tries) = tried(&Store::directory(folder.path()).unwrap(), &context(), 2);
        assert_eq!(tries, 1);
        assert!(result.unwrap_err().contains("writing of x failed: silence"));
    }

    #[test]
    fn nobody_waits_for_it_when_the_run_ends() {
        let context = context();
        context.wind_down();
        let (result, tries) = tried(&Store::memory().unwrap(), &context, 2);
        assert_eq!((result.is_err(), tries), (true, 1));
    }

    #[test]
    fn what_is_missing_stays_so() {
        let objects = SourceObjects::new(Arc::new(Store::memory().unwrap()), None, 1, 0, context());
        assert!(objects.get("00000001-0-00000000").is_err());
        let name = objects.put(b"abc".to_vec()).unwrap();
        assert_eq!(objects.get(&name).unwrap(), b"abc");
    }
}
