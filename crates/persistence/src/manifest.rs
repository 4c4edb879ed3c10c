//! What belongs to a checkpoint, and how the last one is found.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use crate::pack::{self, Section};
use crate::{Store, StoreError};

const FOLDER: &str = "manifests";
/// The form of manifests and segments. A store with a later one was written by a later release.
const FORM: u32 = 1;

/// A checkpoint: the state of a run at one logical time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Tells the run from which all others of the store have gone on from those of other stores.
    #[serde(default)]
    pub origin: String,
    /// Counts the checkpoints of a store, over all runs.
    pub sequence: u64,
    /// Counts the runs of a store.
    pub run: u64,
    /// Everything of earlier logical times is in the state, nothing else.
    pub time: u64,
    /// The latest logical time of anything that is in it.
    pub last: u64,
    /// All sources had ended, and everything was processed.
    pub finished: bool,
    /// The number of workers of the run.
    pub workers: usize,
    /// What identifies the steps of the program, those without state too.
    pub steps: BTreeSet<String>,
    /// What operators with state keep, by what identifies them.
    pub operators: BTreeMap<String, OperatorState>,
    /// How far sources were read, by their names and their parts.
    pub sources: BTreeMap<String, BTreeMap<String, SavedPosition>>,
    /// How far sinks were written, by name.
    pub sinks: BTreeMap<String, SavedPosition>,
    /// The changes since the checkpoint before this one, for sinks that take whole checkpoints, by name. The last
    /// column of the rows is their time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outboxes: BTreeMap<String, Vec<Section>>,
}

/// What an operator keeps: on each worker the last whole state and what was noted since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatorState {
    /// How people know it.
    pub name: String,
    /// It is the log of a source: what was noted is read when it is wanted.
    #[serde(default)]
    pub is_log: bool,
    /// What the dtypes of its columns are called, for a log.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Whole states.
    pub states: Vec<SavedState>,
    /// What was noted, in the order of times for each worker.
    pub notes: Vec<SavedNotes>,
}

/// The whole state of an operator on one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    /// The worker.
    pub worker: usize,
    /// It is the state of everything of earlier times.
    pub before: u64,
    /// The rows of its tables.
    pub tables: Vec<(String, Section)>,
    /// What every worker has.
    pub common: Vec<(String, Section)>,
}

/// What an operator noted on one worker. The last column of the rows is their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedNotes {
    /// The worker.
    pub worker: usize,
    /// The input of the operator; nothing for what it computed.
    pub input: Option<usize>,
    /// The earliest time.
    #[serde(default)]
    pub first: u64,
    /// The latest time.
    pub last: u64,
    /// What was noted of times from this one on does not count: the run went on from a checkpoint before.
    pub end: u64,
    /// The rows.
    pub rows: Section,
}

/// How far a part of a source was read, or a sink was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedPosition {
    /// What it says of that.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub value: Vec<u8>,
    /// The objects that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
}

fn as_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn of_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// How a manifest is stored: the checksum is of the text of the manifest.
#[derive(Serialize, Deserialize)]
struct Envelope {
    form: u32,
    checksum: u64,
    manifest: String,
}

fn name(sequence: u64) -> String {
    format!("{FOLDER}/{sequence:012}.json")
}

/// The number of the checkpoint with a manifest of this name.
fn sequence_of(name: &str) -> Option<u64> {
    name.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?.parse().ok()
}

/// The last complete checkpoint, and the later ones that are damaged.
#[derive(Debug, Default)]
pub struct Found {
    /// The checkpoint, if there is one.
    pub manifest: Option<Manifest>,
    /// Why later ones are not used.
    pub damaged: Vec<StoreError>,
    /// The greatest number of any of them.
    pub sequence: u64,
}

/// Looks for the last checkpoint of which nothing is missing or damaged, as far as `check` says so too
/// (it may read the segments).
///
/// # Errors
/// If the store cannot be read, or was written by a later release.
pub fn latest(
    store: &Store,
    mut check: impl FnMut(&Manifest) -> Result<(), StoreError>,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let packs: BTreeSet<String> = pack::all(store)?.into_iter().map(|(_, name)| name).collect();
    let names = store.list(FOLDER)?;
    found.sequence = names.last().and_then(|name| sequence_of(name)).unwrap_or(0);
    for name in names.iter().rev() {
        let manifest = Manifest::read(store, name).and_then(|manifest| {
            manifest.have_packs(store, &packs)?;
            check(&manifest)?;
            Ok(manifest)
        });
        match manifest {
            Ok(manifest) => {
                found.manifest = Some(manifest);
                break;
            }
            Err(error @ (StoreError::Damaged { .. } | StoreError::Missing(_))) => found.damaged.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

impl Manifest {
    fn read(store: &Store, name: &str) -> Result<Manifest, StoreError> {
        let damaged = |cause: &dyn ToString| StoreError::damaged(store.full_name(name), cause.to_string());
        let text = store.get(name)?;
        let envelope: Envelope = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if envelope.form > FORM {
            return Err(StoreError::Unusable {
                store: store.full_name(name),
                cause: "it was written by a later release; use that one, or another place".to_owned(),
            });
        }
        if xxh3_64(envelope.manifest.as_bytes()) != envelope.checksum {
            return Err(damaged(&"the checksum is another"));
        }
        let mut manifest: Manifest =
            serde_json::from_str(&envelope.manifest).map_err(|error| damaged(&error))?;
        manifest.limit_states();
        Ok(manifest)
    }

    /// A state of a run at its end is of everything that there was, and not of what later runs add.
    fn limit_states(&mut self) {
        let end = self.last.saturating_add(1);
        for state in self.operators.values_mut().flat_map(|operator| &mut operator.states) {
            state.before = state.before.min(end);
        }
    }

    /// Completes the checkpoint: from now on it is the one to come back to. All its packs must have been
    /// written.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another run has written one with this number, or what the store says.
    pub fn write(&self, store: &Store) -> Result<(), StoreError> {
        let name = name(self.sequence);
        let text = |value: serde_json::Result<String>| {
            value.map_err(|error| StoreError::Failed {
                action: "writing",
                object: store.full_name(&name),
                cause: error.to_string(),
            })
        };
        let manifest = text(serde_json::to_string(self))?;
        let envelope = Envelope { form: FORM, checksum: xxh3_64(manifest.as_bytes()), manifest };
        store.put_new(&name, text(serde_json::to_string(&envelope))?.into())
    }

    /// Removes what earlier runs were writing when they were killed. Nobody may be writing a checkpoint.
    ///
    /// # Errors
    /// What the store says.
    pub fn remove_unfinished(store: &Store) -> Result<(), StoreError> {
        store.remove_unfinished(FOLDER)?;
        store.remove_unfinished(pack::FOLDER)
    }

    /// All segments of the checkpoint.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        let operators = self.operators.values().flat_map(|operator| {
            let tables = operator.states.iter().flat_map(|state| state.tables.iter().chain(&state.common));
            tables.map(|(_, rows)| rows).chain(operator.notes.iter().map(|notes| &notes.rows))
        });
        operators.chain(self.outboxes.values().flatten())
    }

    /// The objects that sources keep.
    pub fn objects(&self) -> impl Iterator<Item = &String> {
        self.sources.values().flat_map(|parts| parts.values()).flat_map(|position| &position.objects)
    }

    fn have_packs(&self, store: &Store, packs: &BTreeSet<String>) -> Result<(), StoreError> {
        match self.sections().find(|section| !packs.contains(&*section.pack)) {
            Some(section) => Err(StoreError::Missing(store.full_name(&section.pack))),
            None => Ok(()),
        }
    }

    /// Deletes the checkpoints before this one but for the last `keep`, and the packs that neither the
    /// remaining ones nor `others` name. This one must have been written.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another run has written a later one, so that this one does not count, or what the
    /// store says; then more is left than need be.
    pub fn collect(&self, store: &Store, keep: usize, others: &BTreeSet<String>) -> Result<(), StoreError> {
        let this = name(self.sequence);
        let mut earlier = store.list(FOLDER)?;
        let from = earlier.partition_point(|name| *name < this);
        if let Some(later) = earlier.drain(from..).find(|name| *name > this) {
            return Err(StoreError::Taken(store.full_name(&later)));
        }
        let (gone, kept) = earlier.split_at(earlier.len().saturating_sub(keep));
        let mut named: BTreeSet<String> = self.sections().map(|section| section.pack.clone()).collect();
        for name in kept {
            match Manifest::read(store, name) {
                Ok(manifest) => named.extend(manifest.sections().map(|section| section.pack.clone())),
                // A damaged one names nothing that could be used.
                Err(StoreError::Damaged { .. } | StoreError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        gone.iter().try_for_each(|name| store.delete(name))?;
        let packs = pack::all(store)?.into_iter();
        let mut unused = packs.filter(|(sequence, name)| {
            *sequence <= self.sequence && !named.contains(name) && !others.contains(name)
        });
        unused.try_for_each(|(_, name)| store.delete(&name))
    }
}

#[cfg(test)]
mod tests;
