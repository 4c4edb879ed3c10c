//! What the indexes of loops take, on each worker.
//!
//! Chunks are shared by indexes and what reads them, so each counts its own bytes for as long as it is there. Parts of
//! a chunk count once more, while both are there.

use std::cell::Cell;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// The bytes of a chunk of this worker.
#[derive(Debug, Default)]
pub(super) struct Weight(usize);

impl Weight {
    pub(super) fn new(bytes: usize) -> Weight {
        BYTES.set(BYTES.get() + bytes);
        Weight(bytes)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        BYTES.set(BYTES.get() - self.0);
    }
}

/// Tells what all chunks of this worker take.
#[derive(Debug)]
pub(in crate::lattice) struct Scales(());

impl Scales {
    /// The only ones of this worker: whoever comes later gets none, so that nothing is counted twice.
    pub(in crate::lattice) fn of_worker() -> Option<Scales> {
        (!WATCHED.replace(true)).then_some(Scales(()))
    }

    /// Bytes of all chunks.
    pub(in crate::lattice) fn bytes(&self) -> usize {
        BYTES.get()
    }
}

impl Drop for Scales {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_while_they_are_there_and_told_to_one() {
        let scales = Scales::of_worker().unwrap();
        assert!(Scales::of_worker().is_none());
        let before = scales.bytes();
        let weights = [Weight::new(3), Weight::new(4)];
        assert_eq!(scales.bytes(), before + 7);
        drop(weights);
        assert_eq!(scales.bytes(), before);
        drop(scales);
        assert!(Scales::of_worker().is_some());
    }
}
