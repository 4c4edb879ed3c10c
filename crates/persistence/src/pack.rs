//! Segments that were written together, in one object.

use bytes::Bytes;
use pathway_types::Batch;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Store, StoreError, segment};

/// The folder of packs in a store.
pub(crate) const FOLDER: &str = "packs";

/// Where a segment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The name of its pack.
    pub pack: String,
    /// Its first byte in the pack.
    pub offset: u64,
    /// Its number of bytes.
    pub length: u64,
    /// Its number of rows.
    pub rows: u64,
    /// The XXH3 hash (64 bits) of its bytes.
    pub checksum: u64,
}

impl Section {
    /// The rows of the segment.
    ///
    /// # Errors
    /// If the pack is missing, cannot be read, or does not hold what was written.
    pub fn read(&self, store: &Store) -> Result<Batch, StoreError> {
        let bytes = self.bytes(store)?;
        let rows = segment::decode(&bytes).map_err(|error| self.damaged(store, &error.to_string()))?;
        if rows.len() as u64 != self.rows {
            return Err(self.damaged(store, &format!("{} rows instead of {}", rows.len(), self.rows)));
        }
        Ok(rows)
    }

    /// Reads the segment, to see that it is there as it was written.
    ///
    /// # Errors
    /// If it is not.
    pub fn check(&self, store: &Store) -> Result<(), StoreError> {
        self.bytes(store).map(drop)
    }

    fn bytes(&self, store: &Store) -> Result<Bytes, StoreError> {
        let bytes = store.get_range(&self.pack, self.offset..self.offset + self.length)?;
        if bytes.len() as u64 != self.length {
            return Err(self.damaged(store, &format!("it ends before byte {}", self.offset + self.length)));
        }
        if xxh3_64(&bytes) != self.checksum {
            let cause = format!("the checksum of the bytes from {} on is another", self.offset);
            return Err(self.damaged(store, &cause));
        }
        Ok(bytes)
    }

    fn damaged(&self, store: &Store, cause: &str) -> StoreError {
        StoreError::damaged(store.full_name(&self.pack), cause)
    }
}

/// A pack in the making.
#[derive(Debug)]
pub struct Pack {
    name: String,
    bytes: Vec<u8>,
}

impl Pack {
    /// An empty pack that a process writes for the checkpoint with this number. `part` tells apart what
    /// the process writes for one checkpoint.
    pub fn new(store: &Store, sequence: u64, process: usize, part: &str) -> Pack {
        let name = format!("{FOLDER}/{sequence:012}-{process}-{part}-{}", store.token());
        Pack { name, bytes: Vec::new() }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// If they cannot be encoded.
    pub fn add(&mut self, store: &Store, rows: &Batch) -> Result<Section, StoreError> {
        let bytes = segment::encode(rows).map_err(|error| StoreError::Failed {
            action: "encoding rows",
            object: store.full_name(&self.name),
            cause: error.to_string(),
        })?;
        let section = Section {
            pack: self.name.clone(),
            offset: self.bytes.len() as u64,
            length: bytes.len() as u64,
            rows: rows.len() as u64,
            checksum: xxh3_64(&bytes),
        };
        self.bytes.extend(bytes);
        Ok(section)
    }

    /// The number of bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True if nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes the pack durable. An empty one is not written.
    ///
    /// # Errors
    /// What the store says.
    pub fn write(self, store: &Store) -> Result<(), StoreError> {
        if self.bytes.is_empty() { Ok(()) } else { store.put_new(&self.name, self.bytes.into()) }
    }
}

/// The packs of a store with the number of the checkpoint that each was written for.
pub(crate) fn all(store: &Store) -> Result<Vec<(u64, String)>, StoreError> {
    let names = store.list(FOLDER)?;
    let numbered = names.into_iter().filter_map(|name| {
        let number = name.rsplit('/').next()?.split('-').next()?.parse().ok()?;
        Some((number, name))
    });
    Ok(numbered.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pathway_types::{Diffs, Keys};

    use super::*;

    fn rows(keys: &[u128]) -> Batch {
        Batch::new(Keys::from(keys.to_vec()), vec![], Diffs::Ones(keys.len()))
    }

    #[test]
    fn segments_of_a_pack_are_read_one_by_one() {
        let store = Store::memory().unwrap();
        let mut pack = Pack::new(&store, 7, 1, "rows");
        let sections = [pack.add(&store, &rows(&[1, 2])).unwrap(), pack.add(&store, &rows(&[3])).unwrap()];
        pack.write(&store).unwrap();
        assert_eq!(sections[1].read(&store).unwrap().keys.as_slice(), [3]);
        assert_eq!(sections[0].read(&store).unwrap().keys.as_slice(), [1, 2]);
        assert_eq!(all(&store).unwrap(), [(7, sections[0].pack.to_string())]);
    }

    #[test]
    fn damage_is_noticed_and_named() {
        let store = Store::memory().unwrap();
        let mut pack = Pack::new(&store, 1, 0, "rows");
        let section = pack.add(&store, &rows(&[1, 2])).unwrap();
        let bytes = pack.bytes.clone();
        let message = || section.read(&store).unwrap_err().to_string();
        assert!(message().contains("is missing"), "{}", message());
        for byte in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut bytes = bytes.clone();
            bytes[byte] ^= 1;
            store.put(&section.pack, bytes.into()).unwrap();
            assert!(
                message().contains("packs/000000000001-0-rows-")
                    && message().contains(" is damaged: the checksum"),
                "{}",
                message()
            );
        }
        store.put(&section.pack, bytes[..bytes.len() - 1].to_vec().into()).unwrap();
        assert!(section.read(&store).is_err());
        store.put(&section.pack, bytes.into()).unwrap();
        assert_eq!(section.read(&store).unwrap().len(), 2);
    }
}
