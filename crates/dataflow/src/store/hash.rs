//! Hash tables by 128-bit key.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::{HashMap, HashSet};

/// Folds a 128-bit key with one multiplication: keys are hashes already, except for pointers that a
/// user made from small integers.
#[derive(Default, Clone, Copy)]
pub struct KeyFold(u64);

const FOLD_LOW: u64 = 0x9E37_79B9_7F4A_7C15;
const FOLD_HIGH: u64 = 0xD6E8_FEB8_6659_FD93;

impl Hasher for KeyFold {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
    #[inline]
    fn write_u128(&mut self, key: u128) {
        let product = u128::from((key as u64) ^ FOLD_LOW) * u128::from(((key >> 64) as u64) ^ FOLD_HIGH);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(FOLD_LOW);
        }
    }
}

/// A map from keys.
pub type KeyMap<V> = HashMap<u128, V, BuildHasherDefault<KeyFold>>;
/// A set of keys.
pub type KeySet = HashSet<u128, BuildHasherDefault<KeyFold>>;

/// An empty map.
pub fn new_key_map<V>() -> KeyMap<V> {
    HashMap::default()
}
