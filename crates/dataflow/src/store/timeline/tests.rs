use proptest::prelude::*;

use super::*;

fn by_tick(a: Entry, b: Entry) -> Ordering {
    a.tick.cmp(&b.tick)
}

fn entry(tick: i64, row: Handle) -> Entry {
    Entry { tick, row }
}

/// What a timeline is: a sorted list.
fn check(line: &Timeline, model: &[Entry]) {
    assert_eq!(line.iter().collect::<Vec<_>>(), model);
    assert_eq!(line.is_empty(), model.is_empty());
    assert!(line.blocks.iter().all(|block| !block.is_empty() && block.len() <= BLOCK));
}

#[test]
fn merged_in_order_and_in_any_order() {
    for step in [1, 7, 997] {
        let mut line = Timeline::default();
        let mut model: Vec<Entry> = Vec::new();
        for batch in 0..6 {
            let ticks = (0..1000).map(|i| (batch * 1000 + i) * step % 6007);
            let mut new: Vec<Entry> =
                ticks.map(|tick| entry(tick, (batch * 10_000 + tick) as Handle)).collect();
            new.sort_by_key(|e| e.tick);
            line.merge(&new, by_tick, |_, _| false);
            model.extend(new);
            model.sort_by_key(|e| e.tick);
            check(&line, &model);
        }
    }
}

#[test]
fn few_entries_go_into_a_long_line_one_by_one() {
    let mut line = Timeline::default();
    let mut model: Vec<Entry> = (0..50_000).map(|i| entry(i * 2, i as Handle)).collect();
    line.merge(&model, by_tick, |_, _| false);
    let new = [entry(-1, 1), entry(33, 2), entry(40_000, 3), entry(99_998, 4)];
    let mut equal = Vec::new();
    line.merge(&new, by_tick, |old, new| {
        equal.push((old.row, new.row));
        true
    });
    // Those that are there already were kept out.
    assert_eq!(equal, [(20_000, 3), (49_999, 4)]);
    model.extend([entry(-1, 1), entry(33, 2)]);
    model.sort_by_key(|e| e.tick);
    check(&line, &model);
}

proptest! {
    #[test]
    fn insertions_and_removals(ticks in prop::collection::vec((0i64..400, any::<bool>()), 0..3000)) {
        let mut line = Timeline::default();
        let mut model: Vec<Entry> = Vec::new();
        for (row, (tick, insert)) in ticks.into_iter().enumerate() {
            let place = line.seek(|e| e.tick < tick);
            let at = model.partition_point(|e| e.tick < tick);
            prop_assert_eq!(line.get(place), model.get(at).copied());
            let before = line.previous(place).and_then(|place| line.get(place));
            prop_assert_eq!(before, at.checked_sub(1).map(|at| model[at]));
            prop_assert_eq!(line.from(place).take(3).collect::<Vec<_>>(), model[at..].iter().copied().take(3).collect::<Vec<_>>());
            if insert || model.len() <= at {
                line.insert(place, entry(tick, row as Handle));
                model.insert(at, entry(tick, row as Handle));
            } else {
                prop_assert_eq!(line.get(line.next(place)), model.get(at + 1).copied());
                line.remove(place);
                model.remove(at);
            }
        }
        check(&line, &model);
    }
}
