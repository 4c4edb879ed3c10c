//! Keyed, untimed state: rows kept as columns, reached through hash tables.

pub mod folder;
pub mod hash;
pub mod multimap;
pub mod ordered;
pub mod rows;
pub mod timed;
pub mod timeline;

/// About how many bytes a B-tree of so many elements takes: its nodes are two thirds full.
pub(crate) fn of_tree<T>(len: usize) -> usize {
    len * size_of::<T>() * 3 / 2
}

pub use folder::Folder;
pub use hash::{KeyFold, KeyMap, KeySet, new_key_map};
pub use multimap::{Entry, MultiMap};
pub use ordered::{OrderKey, Ordered, Place};
pub use rows::{RowId, RowStore};
pub use timed::{Timed, TimedRows};
pub use timeline::{Entry as TimeEntry, Handle, NO_ROW, Timeline};
