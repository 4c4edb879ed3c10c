//! A lane of times against a plain list of them.

use proptest::prelude::*;

use super::*;
use crate::timely::Product;

type Time = Product<u64, u64>;

fn list(times: &Times<Time>) -> Vec<Time> {
    times.iter().copied().collect()
}

fn lane(times: &[Time]) -> Times<Time> {
    Times::new(times.to_vec(), (0..times.len() as u32).collect())
}

fn times(len: usize) -> impl Strategy<Value = Vec<Time>> {
    prop::collection::vec((0..3u64, 0..3u64).prop_map(|(a, b)| Product::new(a, b)), 0..len)
}

fn check(lane: &Times<Time>, expected: &[Time]) {
    assert_eq!(list(lane), expected);
    assert_eq!(lane.len(), expected.len());
    assert!(lane.table().windows(2).all(|pair| pair[0] < pair[1]));
    assert!(lane.table().len() <= expected.len().max(1));
}

proptest! {
    #[test]
    fn picks_and_joins(a in times(9), b in times(9), keep in prop::collection::vec(any::<bool>(), 9)) {
        let (left, right) = (lane(&a), lane(&b));
        check(&left, &a);
        let both: Vec<Time> = a.iter().chain(&b).copied().collect();
        let joined = Times::concat([&left, &right].into_iter());
        assert_eq!(list(&joined), both);
        let kept: Vec<u32> = (0..a.len() as u32).filter(|row| keep[*row as usize]).collect();
        let expected: Vec<Time> = kept.iter().map(|row| a[*row as usize]).collect();
        check(&left.take(&kept), &expected);
        let mask: BooleanBuffer = keep[..a.len()].iter().copied().collect();
        check(&left.filter(&mask), &expected);
        for (start, end) in [(0, a.len()), (a.len() / 3, a.len() / 2), (a.len(), a.len())] {
            check(&left.slice(start, end - start), &a[start..end]);
        }
        let used: Vec<Time> =
            left.table().iter().zip(left.used()).filter(|(_, used)| *used).map(|(time, _)| *time).collect();
        assert!(used.iter().all(|time| a.contains(time)) && a.iter().all(|time| used.contains(time)));
    }

    #[test]
    fn changes_of_times(a in times(9)) {
        let left = lane(&a);
        let swap = |time: &Time| Product::new(time.inner, time.outer);
        check(&left.map(swap), &a.iter().map(swap).collect::<Vec<_>>());
        let flat = |time: &Time| Product::new(time.outer, 0);
        check(&left.map(flat), &a.iter().map(flat).collect::<Vec<_>>());
        let some = |time: &Time| (time.inner > 0).then(|| Product::new(time.outer, time.inner - 1));
        let (lane, keep) = left.map_some(some);
        check(&lane, &a.iter().filter_map(some).collect::<Vec<_>>());
        let kept: Vec<usize> = keep.map_or((0..a.len()).collect(), |keep| keep.set_indices().collect());
        assert_eq!(kept, (0..a.len()).filter(|row| a[*row].inner > 0).collect::<Vec<_>>());
    }
}

#[test]
fn a_shared_time_is_known() {
    let time = Product::new(1, 2);
    assert_eq!(lane(&[time, time, time]).shared(), Some(&time));
    assert_eq!(Times::same(time, 3).shared(), Some(&time));
    assert_eq!(lane(&[time, Product::new(1, 3)]).shared(), None);
    let parts = [Times::same(time, 2), Times::default(), Times::same(time, 1)];
    assert_eq!(Times::concat(parts.iter()).shared(), Some(&time));
}

#[test]
fn a_table_finds_times_again() {
    let mut table = TimeTable::default();
    let times: Vec<Time> = (0..40).map(|n| Product::new(n % 20, n / 40)).collect();
    let places: Vec<u32> = times.iter().map(|time| table.place(time)).collect();
    assert_eq!(places[..20], (0..20).collect::<Vec<u32>>());
    assert_eq!(places[20..], places[..20]);
    assert_eq!(list(&table.finish(places)), times);
}
