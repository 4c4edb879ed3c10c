//! Work on whole batches that several operators share.

pub mod chains;
pub mod consolidate;
pub mod flatten;
pub mod nans;

/// A hash of a key, which is one itself.
pub fn fold(key: u128) -> u64 {
    (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
