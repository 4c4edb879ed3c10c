//! The rows of one key in order of time: a sorted list in blocks.
//!
//! *Cost*: a position is found with a logarithm; an insertion moves a part of one block; a long run of
//! new rows is merged in one pass.

use std::cmp::Ordering;

use smallvec::SmallVec;

/// The number of a row in its [`TimedRows`](super::TimedRows).
pub type Handle = u32;

/// No row.
pub const NO_ROW: Handle = Handle::MAX;

/// Entries per block at most; a full block is split.
const BLOCK: usize = 512;
/// Entries per block where many are put in at once, so that there is room for more.
const FILLED: usize = 384;
/// Where so many old entries follow for each new one, new ones are put in one by one.
const FEW: usize = 64;

/// A row and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time, in an order-preserving form.
    pub tick: i64,
    /// The row.
    pub row: Handle,
}

/// A place in a timeline; one past the last entry has no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    block: u32,
    at: u32,
}

/// Entries in order.
#[derive(Debug, Default)]
pub struct Timeline {
    /// None of them is empty.
    blocks: SmallVec<[Vec<Entry>; 1]>,
}

impl Timeline {
    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    /// The place of the first entry that is not before something; those before come first.
    #[inline]
    pub fn seek(&self, mut before: impl FnMut(&Entry) -> bool) -> Place {
        let block = self.blocks.partition_point(|block| block.last().is_some_and(&mut before));
        let at = self.blocks.get(block).map_or(0, |block| block.partition_point(&mut before));
        Place { block: block as u32, at: at as u32 }
    }

    /// The entry at a place.
    #[inline]
    pub fn get(&self, place: Place) -> Option<Entry> {
        self.blocks.get(place.block as usize)?.get(place.at as usize).copied()
    }

    /// The place after one that has an entry.
    #[inline]
    pub fn next(&self, place: Place) -> Place {
        let full = self.blocks.get(place.block as usize).map_or(0, Vec::len);
        if place.at as usize + 1 < full {
            Place { at: place.at + 1, ..place }
        } else {
            Place { block: place.block + 1, at: 0 }
        }
    }

    /// The place before; `None` at the start.
    #[inline]
    pub fn previous(&self, place: Place) -> Option<Place> {
        if place.at > 0 {
            return Some(Place { at: place.at - 1, ..place });
        }
        let block = place.block.checked_sub(1)?;
        Some(Place { block, at: self.blocks[block as usize].len() as u32 - 1 })
    }

    /// The entries from a place on.
    #[inline]
    pub fn from(&self, place: Place) -> impl Iterator<Item = Entry> + '_ {
        let first = self.blocks.get(place.block as usize).map_or(&[][..], |b| &b[place.at as usize..]);
        let rest = self.blocks.iter().skip(place.block as usize + 1);
        first.iter().copied().chain(rest.flatten().copied())
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.blocks.iter().flatten().copied()
    }

    /// Puts an entry in at its place.
    pub fn insert(&mut self, place: Place, entry: Entry) {
        let mut place = place;
        if place.block as usize == self.blocks.len() {
            // The end; the last block may have room.
            match self.blocks.last() {
                Some(last) => place = Place { block: place.block - 1, at: last.len() as u32 },
                None => self.blocks.push(Vec::new()),
            }
        }
        let (number, at) = (place.block as usize, place.at as usize);
        let block = &mut self.blocks[number];
        if block.len() < BLOCK {
            return block.insert(at, entry);
        }
        // What comes in order fills blocks; anything else splits them in halves.
        let cut = if at == BLOCK { BLOCK } else { BLOCK / 2 };
        let mut upper = block.split_off(cut);
        if at < cut {
            block.insert(at, entry);
        } else {
            upper.insert(at - cut, entry);
        }
        self.blocks.insert(number + 1, upper);
    }

    /// Takes out the entry at a place.
    pub fn remove(&mut self, place: Place) {
        let number = place.block as usize;
        let block = &mut self.blocks[number];
        block.remove(place.at as usize);
        let left = block.len();
        if left == 0 {
            self.blocks.remove(number);
        } else if left < BLOCK / 8
            && let Some(next) = self.blocks.get_mut(number + 1)
            && left + next.len() <= FILLED
        {
            let next = std::mem::take(next);
            self.blocks[number].extend(next);
            self.blocks.remove(number + 1);
        }
    }

    /// Merges sorted entries in. Where one equals an old one by `order`, `same(old, new)` may keep it
    /// out.
    pub fn merge(
        &mut self,
        new: &[Entry],
        order: impl Fn(Entry, Entry) -> Ordering,
        mut same: impl FnMut(Entry, Entry) -> bool,
    ) {
        let Some(first) = new.first() else { return };
        // Blocks that end before the first new entry stay as they are.
        let kept = self
            .blocks
            .partition_point(|block| block.last().is_some_and(|last| order(*last, *first) == Ordering::Less));
        let behind = self.blocks.len() - kept;
        if let Some(last) = self.blocks.last_mut()
            && behind == 0
        {
            // The usual case of a stream: later rows after earlier ones.
            let room = FILLED.saturating_sub(last.len()).min(new.len());
            last.extend_from_slice(&new[..room]);
            self.blocks.extend(new[room..].chunks(FILLED).map(<[Entry]>::to_vec));
            return;
        }
        if new.len() * FEW < behind * FILLED {
            for entry in new {
                let place = self.seek(|old| order(*old, *entry) == Ordering::Less);
                let is_known = {
                    let mut equals = self.from(place).take_while(|e| order(*e, *entry) == Ordering::Equal);
                    equals.any(|old| same(old, *entry))
                };
                if !is_known {
                    self.insert(place, *entry);
                }
            }
            return;
        }
        let old: Vec<Entry> = self.blocks.drain(kept..).flatten().collect();
        let mut merged = Vec::with_capacity(old.len() + new.len());
        let mut at = 0;
        for entry in new {
            while at < old.len() && order(old[at], *entry) != Ordering::Greater {
                merged.push(old[at]);
                at += 1;
            }
            let mut equals = merged.iter().rev().take_while(|old| order(**old, *entry) == Ordering::Equal);
            if !equals.any(|old| same(*old, *entry)) {
                merged.push(*entry);
            }
        }
        merged.extend_from_slice(&old[at..]);
        self.blocks.extend(merged.chunks(FILLED).map(<[Entry]>::to_vec));
    }
}

#[cfg(test)]
mod tests;
