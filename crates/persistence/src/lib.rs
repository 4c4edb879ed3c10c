//! Checkpoints: what a run needs to go on where an earlier one stopped.
//!
//! A checkpoint is the state of the whole run at one logical time: for every operator with state a whole
//! state of some earlier time and the changes that it noted since, the log of what sources gave, and
//! how far sources and sinks are. Rows are in *segments*; segments that were written together share one
//! object, a *pack*; a *manifest* names the segments that belong to a checkpoint and is what makes them one.
//! Nothing is ever overwritten: a manifest is written when all packs it names are durable, and packs are
//! deleted when no kept manifest names them any more.

#[cfg(feature = "cloud")]
mod cloud;
mod error;
mod manifest;
mod pack;
mod segment;
mod store;

pub use error::StoreError;
pub use manifest::{Found, Manifest, OperatorState, SavedNotes, SavedPosition, SavedState, latest};
pub use pack::{Pack, Section};
pub use segment::{decode, encode};
pub use store::Store;
