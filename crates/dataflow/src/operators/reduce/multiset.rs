//! An ordered multiset that is small while it holds little.

use std::collections::BTreeMap;

use smallvec::SmallVec;

/// Above this many distinct members a tree takes over.
const FEW: usize = 8;

/// Distinct members in ascending order with their multiplicities (never zero; negative while a
/// removal came before its insertion).
#[derive(Clone, Debug)]
pub(super) enum Multiset<K> {
    Few(SmallVec<[(K, i64); 1]>),
    Many(BTreeMap<K, i64>),
}

impl<K> Default for Multiset<K> {
    fn default() -> Self {
        Multiset::Few(SmallVec::new())
    }
}

impl<K: Ord> Multiset<K> {
    /// Adds `count` of `member` (removes if negative).
    pub(super) fn add(&mut self, member: K, count: i64) {
        match self {
            Multiset::Few(members) => match members.binary_search_by(|(k, _)| k.cmp(&member)) {
                Ok(at) => {
                    members[at].1 += count;
                    if members[at].1 == 0 {
                        members.remove(at);
                    }
                }
                Err(at) => {
                    if members.len() >= FEW {
                        let mut tree: BTreeMap<K, i64> = members.drain(..).collect();
                        tree.insert(member, count);
                        *self = Multiset::Many(tree);
                    } else {
                        members.insert(at, (member, count));
                    }
                }
            },
            Multiset::Many(tree) => match tree.entry(member) {
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    *entry.get_mut() += count;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(count);
                }
            },
        }
    }

    /// Members that are there, ascending, with their multiplicities.
    pub(super) fn iter(&self) -> Box<dyn DoubleEndedIterator<Item = (&K, i64)> + '_> {
        match self {
            Multiset::Few(members) => Box::new(members.iter().map(|(k, n)| (k, *n)).filter(|(_, n)| *n > 0)),
            Multiset::Many(tree) => Box::new(tree.iter().map(|(k, n)| (k, *n)).filter(|(_, n)| *n > 0)),
        }
    }

    /// Everything, also negative multiplicities.
    pub(super) fn raw(&self) -> Box<dyn Iterator<Item = (&K, i64)> + '_> {
        match self {
            Multiset::Few(members) => Box::new(members.iter().map(|(k, n)| (k, *n))),
            Multiset::Many(tree) => Box::new(tree.iter().map(|(k, n)| (k, *n))),
        }
    }

    /// The least member.
    pub(super) fn first(&self) -> Option<&K> {
        self.iter().next().map(|(k, _)| k)
    }

    /// The greatest member.
    pub(super) fn last(&self) -> Option<&K> {
        self.iter().next_back().map(|(k, _)| k)
    }
}
