//! Chunks against a plain map from rows and times to diffs.

use std::collections::BTreeMap;

use pathway_types::{ColumnBuilder, DType};
use proptest::prelude::*;

use super::*;
use crate::lattice::tests::harness::rows;
use crate::timely::{ContainerBuilder, Lattice, PartialOrder, Product, PushInto};

type Time = Product<u64, u64>;
type Update = (u128, i64, Time, i64);
/// Key, value and time of an update, and its diff.
type Updates = BTreeMap<(u128, i64, Time), i64>;

fn time(outer: u64, inner: u64) -> Time {
    Product::new(outer, inner)
}

fn updates() -> impl Strategy<Value = Vec<Update>> {
    let diff = prop_oneof![Just(-1i64), Just(1)];
    let update = (0..4u128, 0..3i64, 0..3u64, 0..3u64, diff);
    prop::collection::vec(update.prop_map(|(key, value, a, b, diff)| (key, value, time(a, b), diff)), 0..40)
}

/// The updates as changes, or with numbers: the diff, and the diff times the value.
fn packet(updates: &[Update], with_numbers: bool) -> TimedPacket<Time> {
    let mut values = ColumnBuilder::new(&DType::Int, 0);
    updates.iter().for_each(|(_, value, ..)| values.push_int(*value));
    let keys: Vec<u128> = updates.iter().map(|update| update.0).collect();
    let mut diffs: Vec<i64> = updates.iter().map(|update| update.3).collect();
    let mut columns = vec![values.finish()];
    if with_numbers {
        let numbers = updates.iter().flat_map(|(_, value, _, diff)| [*diff, diff * value]);
        columns.push(Sums::new(2, numbers.collect()).to_column());
        diffs.fill(1);
    }
    let times = updates.iter().map(|update| update.2).collect();
    TimedPacket {
        batch: Batch { keys: keys.into(), columns, diffs: diffs.into() },
        times: Times::new(times, (0..updates.len() as u32).collect()),
    }
}

/// The chunks that a sorter makes of packets, which are cut to pieces to make several of them.
fn chunks(updates: &[Update], piece: usize, with_numbers: bool) -> VecDeque<TimedChunk<Time>> {
    let mut sorter = Sorter::default();
    for part in updates.chunks(5) {
        sorter.push_into(&mut packet(part, with_numbers));
    }
    let mut out = VecDeque::new();
    while let Some(chunk) = sorter.finish() {
        for start in (0..chunk.len()).step_by(piece) {
            out.push_back(chunk.slice(start..chunk.len().min(start.saturating_add(piece))));
        }
    }
    out
}

fn model(updates: impl Iterator<Item = Update>) -> Updates {
    let mut all = Updates::new();
    for (key, value, time, diff) in updates {
        *all.entry((key, value, time)).or_insert(0) += diff;
    }
    all.retain(|_, diff| *diff != 0);
    all
}

/// What the chunks hold; checks that they ascend without repeating a row.
fn contents<'a>(chunks: impl IntoIterator<Item = &'a TimedChunk<Time>>) -> Updates {
    let mut all = Updates::new();
    let mut last = None;
    for chunk in chunks {
        assert!(chunk.len() > 0);
        let cells = rows(&[DType::Int], &chunk.packet().batch.project(&[0]));
        let owners = (0..chunk.count()).flat_map(|row| chunk.updates(row).map(move |_| row));
        for (row, (owner, (key, value, diff))) in owners.zip(cells).enumerate() {
            let pathway_types::Value::Int(value) = value[0] else { panic!() };
            let at = (chunk.identity(owner), *chunk.times.get(row));
            assert!(last.is_none_or(|last| last < at), "rows ascend");
            last = Some(at);
            let diff = match chunk.sums.width() {
                0 => diff,
                _ => {
                    let numbers = chunk.sums.of(row);
                    assert_eq!(numbers, [numbers[0], numbers[0] * value]);
                    numbers[0]
                }
            };
            assert_ne!(diff, 0);
            all.insert((key, value, *chunk.times.get(row)), diff);
        }
    }
    all
}

fn frontier(times: &[(u64, u64)]) -> Antichain<Time> {
    times.iter().map(|(a, b)| time(*a, *b)).collect()
}

proptest! {
    #[test]
    fn sorted_and_merged(a in updates(), b in updates(), piece in 1..20usize, numbers: bool) {
        let (mut left, mut right) = (chunks(&a, piece, numbers), chunks(&b, piece, numbers));
        assert_eq!(contents(&left), model(a.iter().copied()));
        let mut out = VecDeque::new();
        while !left.is_empty() && !right.is_empty() {
            let before = left.iter().chain(&right).map(Chunk::len).sum::<usize>();
            TimedChunk::merge(&mut left, &mut right, &mut out);
            assert!(left.iter().chain(&right).map(Chunk::len).sum::<usize>() < before);
        }
        out.extend(left);
        out.extend(right);
        assert_eq!(contents(&out), model(a.iter().chain(&b).copied()));
        let settled = crate::timely::settle_all(out.iter().cloned());
        assert_eq!(contents(&settled), contents(&out));
        assert!(settled.len() <= 1);
    }

    #[test]
    fn extracted(a in updates(), piece in 1..20usize, bounds in prop::collection::vec((0..4u64, 0..4u64), 0..3), numbers: bool) {
        let (mut input, frontier) = (chunks(&a, piece, numbers), frontier(&bounds));
        let (mut keep, mut ship, mut residual) = (VecDeque::new(), VecDeque::new(), Antichain::new());
        while !input.is_empty() {
            TimedChunk::extract(&mut input, frontier.borrow(), &mut residual, &mut keep, &mut ship);
        }
        let beyond = |time: &Time| frontier.less_equal(time);
        let all = model(a.iter().copied());
        let part = |kept: bool| -> Updates { all.clone().into_iter().filter(|((_, _, t), _)| beyond(t) == kept).collect() };
        assert_eq!(contents(&keep), part(true));
        assert_eq!(contents(&ship), part(false));
        let expected: Antichain<Time> = part(true).keys().map(|(_, _, time)| *time).collect();
        assert!(PartialOrder::less_equal(&residual, &expected) && PartialOrder::less_equal(&expected, &residual));
    }

    #[test]
    fn advanced(a in updates(), piece in 1..20usize, bounds in prop::collection::vec((0..4u64, 0..4u64), 0..3), burst in 1..4usize, numbers: bool) {
        let frontier = frontier(&bounds);
        let mut waiting = chunks(&a, piece, numbers);
        let (mut input, mut out) = (VecDeque::new(), VecDeque::new());
        while !waiting.is_empty() {
            input.extend(waiting.drain(..burst.min(waiting.len())));
            TimedChunk::advance(&mut input, frontier.borrow(), false, &mut out);
        }
        TimedChunk::advance(&mut input, frontier.borrow(), true, &mut out);
        assert!(input.is_empty());
        let advance = |(key, value, mut time, diff): Update| {
            time.advance_by(frontier.borrow());
            (key, value, time, diff)
        };
        assert_eq!(contents(&out), model(a.iter().copied().map(advance)));
    }
}

#[test]
fn chunks_are_bounded() {
    let many: Vec<Update> =
        (0..3 * CHUNK_UPDATES as u128 / 2).map(|key| (key * 7919 % 65_521, 0, time(0, 0), 1)).collect();
    let few: Vec<Update> = (0..100).map(|key| (key * 601, 1, time(1, 0), 1)).collect();
    let (mut left, mut right) = (chunks(&many, usize::MAX, false), chunks(&few, usize::MAX, false));
    let mut out = VecDeque::new();
    TimedChunk::merge(&mut left, &mut right, &mut out);
    out.extend(left);
    out.extend(right);
    let settled = crate::timely::settle_all(out);
    assert!(crate::timely::is_graded(&settled));
    assert_eq!(contents(&settled), model(many.into_iter().chain(few)));
}
