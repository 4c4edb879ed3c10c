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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Multiset;

    thread_local!(static COMPARISONS: Cell<usize> = const { Cell::new(0) });

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Counted(u64);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn a_change_costs_a_logarithm() {
        const SIZE: u64 = 1_000_000;
        let mut set = Multiset::default();
        (0..SIZE).for_each(|i| set.add(Counted(i.wrapping_mul(7_919) % SIZE), 1));
        for (member, count) in [(0, -1), (SIZE - 1, -1), (SIZE / 2, 1), (SIZE, 1), (SIZE, -1)] {
            let before = COMPARISONS.get();
            set.add(Counted(member), count);
            assert!(set.first().is_some() && set.last().is_some());
            let cost = COMPARISONS.get() - before;
            assert!(cost <= 120, "{cost} comparisons for one change among {SIZE} members");
        }
        assert_eq!((set.first(), set.last()), (Some(&Counted(1)), Some(&Counted(SIZE - 2))));
    }

    proptest! {
        #[test]
        fn is_a_sorted_map_of_numbers(changes in prop::collection::vec((0..24u64, -2..3i64), 0..80)) {
            let (mut set, mut model) = (Multiset::default(), BTreeMap::new());
            for (member, count) in changes {
                if count != 0 {
                    set.add(member, count);
                    *model.entry(member).or_insert(0) += count;
                    model.retain(|_, count| *count != 0);
                }
                let there: Vec<(u64, i64)> = model.iter().map(|(k, n)| (*k, *n)).filter(|m| m.1 > 0).collect();
                prop_assert_eq!(set.iter().map(|(k, n)| (*k, n)).collect::<Vec<_>>(), there.clone());
                prop_assert_eq!(set.raw().map(|(k, n)| (*k, n)).collect::<BTreeMap<_, _>>(), model.clone());
                prop_assert_eq!(set.first().copied(), there.first().map(|m| m.0));
                prop_assert_eq!(set.last().copied(), there.last().map(|m| m.0));
            }
        }
    }
}
