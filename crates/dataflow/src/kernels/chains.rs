//! The rows of a batch by their keys.

use std::ops::Range;

use hashbrown::HashTable;

use crate::kernels::fold;

/// The rows so that those of one key follow one another, in the order they had; keys ascend. Returned
/// are the rows and the range of each key in them.
///
/// *Cost*: a hash lookup per row, sorting the distinct keys.
pub fn chains(keys: &[u128]) -> (Vec<u32>, Vec<Range<usize>>) {
    let mut known: HashTable<(u128, u32)> = HashTable::new();
    let mut firsts: Vec<(u128, u32)> = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    let chain_of = |key: &u128| {
        let entry = known.entry(fold(*key), |(other, _)| other == key, |(other, _)| fold(*other));
        let chain = entry.or_insert_with(|| (*key, firsts.len() as u32)).get().1;
        if chain as usize == firsts.len() {
            firsts.push((*key, chain));
            counts.push(0);
        }
        counts[chain as usize] += 1;
        chain
    };
    let chain: Vec<u32> = keys.iter().map(chain_of).collect();
    firsts.sort_unstable();
    let mut places = vec![0; firsts.len()];
    let mut ranges = Vec::with_capacity(firsts.len());
    let mut start = 0;
    for (_, chain) in firsts {
        places[chain as usize] = start;
        ranges.push(start..start + counts[chain as usize]);
        start += counts[chain as usize];
    }
    let mut rows = vec![0; keys.len()];
    for (row, chain) in chain.into_iter().enumerate() {
        rows[places[chain as usize]] = row as u32;
        places[chain as usize] += 1;
    }
    (rows, ranges)
}

#[cfg(test)]
mod tests {
    use super::chains;

    #[test]
    fn rows_of_a_key_follow_one_another_in_their_order() {
        let (rows, ranges) = chains(&[7, 3, 7, u128::MAX, 3, 7]);
        assert_eq!(rows, [1, 4, 0, 2, 5, 3]);
        assert_eq!(ranges, [0..2, 2..5, 5..6]);
        assert_eq!(chains(&[]), (vec![], vec![]));
    }
}
