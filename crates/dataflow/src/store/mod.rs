//! Keyed, untimed state: rows kept as columns, reached through hash tables.

pub mod folder;
pub mod hash;
pub mod multimap;
pub mod ordered;
pub mod rows;
pub mod timed;
pub mod timeline;

pub use folder::Folder;
pub use hash::{KeyFold, KeyMap, KeySet, new_key_map};
pub use multimap::{Entry, MultiMap};
pub use ordered::{OrderKey, Ordered, Place};
pub use rows::{RowId, RowStore};
pub use timed::{Timed, TimedRows};
pub use timeline::{Entry as TimeEntry, Handle, NO_ROW, Timeline};
