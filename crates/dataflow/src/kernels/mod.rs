//! Work on whole batches that several operators share.

pub mod consolidate;
pub mod flatten;
