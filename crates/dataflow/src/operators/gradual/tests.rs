use std::collections::BTreeMap;

use pathway_types::Value;
use proptest::prelude::*;

use super::*;

const FLOAT: DType = DType::Float;

fn batch(changes: &[(u128, Vec<Value>, i64)], dtypes: &[DType]) -> Batch {
    let columns = dtypes.iter().enumerate().map(|(at, dtype)| {
        let mut builder = ColumnBuilder::new(dtype, changes.len());
        changes.iter().for_each(|(_, row, _)| builder.push(&row[at]));
        builder.finish()
    });
    let columns = columns.collect();
    let keys: Vec<u128> = changes.iter().map(|(key, ..)| *key).collect();
    let diffs: Vec<i64> = changes.iter().map(|(.., diff)| *diff).collect();
    Batch::new(keys.into(), columns, diffs.into())
}

/// Ids all over the place, some at the ends.
fn id(number: u8) -> u128 {
    match number {
        0 => 0,
        1 => u128::MAX,
        n => u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
    }
}

/// What a row has by the definition.
fn expected(id: u128, [lower, value, upper]: [f64; 3]) -> f64 {
    let place = id as f64 / u128::MAX as f64;
    if value >= upper || (value > lower && place < (value - lower) / (upper - lower)) { upper } else { lower }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever comes and goes, each row has what it should; the changes of a time are net.
    #[test]
    fn follows_the_definition(
        times in prop::collection::vec(
            (
                prop::collection::vec((0..12u8, 0..3i64, any::<bool>()), 0..6),
                prop::option::of(prop::option::of((0..3u8, 0..=8u8))),
            ),
            1..10,
        )
    ) {
        let mut operator = Gradual::new(vec![DType::Int]);
        let mut rows: BTreeMap<u128, i64> = BTreeMap::new();
        let mut numbers: Option<[f64; 3]> = None;
        let mut shown: BTreeMap<u128, (Value, Value)> = BTreeMap::new();
        for (changed, moved) in times {
            let mut changes = Vec::new();
            for (number, cell, stays) in changed {
                if let Some(old) = rows.remove(&id(number)) {
                    changes.push((id(number), vec![Value::Int(old)], -1));
                }
                if stays {
                    rows.insert(id(number), cell);
                    changes.push((id(number), vec![Value::Int(cell)], 1));
                }
            }
            let mut thresholds = Vec::new();
            if let Some(moved) = moved {
                let row = |numbers: [f64; 3]| numbers.map(Value::Float).to_vec();
                thresholds.extend(numbers.map(|old| (7, row(old), -1)));
                numbers = moved.map(|(kind, value)| {
                    let [lower, upper] = [[0.0, 1.0], [-1.0, 1.0], [0.5, 0.5]][usize::from(kind)];
                    [lower, f64::from(value) / 4.0 - 1.0, upper]
                });
                thresholds.extend(numbers.map(|new| (7, row(new), 1)));
            }
            let (progress, mut out) = (Progress::default(), Emitter::default());
            operator.apply(0, batch(&changes, &[DType::Int]), &progress, &mut out);
            operator.apply(1, batch(&thresholds, &vec![FLOAT; 3]), &progress, &mut out);
            operator.flush(&progress, &mut out);
            let emitted = Batch::concat(&out.take());
            let emitted = consolidate(emitted, &[DType::Int, FLOAT]);
            let (removed, added) = removals_first(emitted);
            for (part, is_added) in [(removed, false), (added, true)] {
                for (at, key) in part.keys.as_slice().iter().enumerate() {
                    let row = (part.columns[0].value(&DType::Int, at), part.columns[1].value(&FLOAT, at));
                    let before = if is_added { shown.insert(*key, row) } else { shown.remove(key) };
                    prop_assert_eq!(before.is_some(), !is_added);
                }
            }
            let there = numbers.map(|numbers| {
                rows.iter().map(|(key, cell)| {
                    (*key, (Value::Int(*cell), Value::Float(expected(*key, numbers))))
                }).collect()
            });
            prop_assert_eq!(&shown, &there.unwrap_or_default());
        }
    }
}

/// While the two numbers stay, only rows between the old and the new place of the value change.
#[test]
fn few_rows_change() {
    let mut operator = Gradual::new(vec![]);
    let (progress, mut out) = (Progress::default(), Emitter::default());
    let rows: Vec<_> = (0..1000u128).map(|n| (n * (u128::MAX / 1000), vec![], 1)).collect();
    let numbers = |value: f64, diff| (1, [0.0, value, 10.0].map(Value::Float).to_vec(), diff);
    operator.apply(0, batch(&rows, &[]), &progress, &mut out);
    operator.apply(1, batch(&[numbers(2.0, 1)], &vec![FLOAT; 3]), &progress, &mut out);
    operator.flush(&progress, &mut out);
    assert_eq!(out.take().iter().map(Batch::len).sum::<usize>(), 1000);
    operator.apply(1, batch(&[numbers(2.0, -1), numbers(2.1, 1)], &vec![FLOAT; 3]), &progress, &mut out);
    operator.flush(&progress, &mut out);
    let changed = out.take().iter().map(Batch::len).sum::<usize>();
    assert_eq!(changed, 20);
}
