//! As-of-now joins against a plain model: what a left row finds when it comes, and takes along when it goes.

use super::*;
use crate::operators::asof_now_join::AsofNowJoin;

fn spec(mode: JoinMode, ids: JoinIds) -> JoinSpec {
    JoinSpec {
        mode,
        ids,
        dtypes: [dtypes(), dtypes()],
        row_ids: [true, true],
        pad: Pad::None,
        once: [false, false],
    }
}

fn side(mode: JoinMode) -> ShipSide {
    ShipSide {
        inputs: dtypes(),
        columns: vec![0, 1, 2],
        key: JoinKey::Hash { columns: vec![0], instance: false },
        preserved: mode == JoinMode::Left,
        side: 0,
    }
}

fn out() -> Vec<DType> {
    let mut out: Vec<DType> = [dtypes(), dtypes()].concat().into_iter().map(DType::optional).collect();
    out.extend([DType::optional(DType::ANY_POINTER), DType::optional(DType::ANY_POINTER)]);
    out
}

/// The cells of the rows that a left row gives.
fn given(
    mode: JoinMode,
    ids: JoinIds,
    (key, row): (u128, &Vec<Value>),
    right: &BTreeMap<u128, Vec<Value>>,
) -> Vec<Vec<Value>> {
    let own = Value::from(Key(key));
    let matches: Vec<_> = right.iter().filter(|(_, other)| other[0] == row[0]).collect();
    let padded = |value: Value| [row.clone(), vec![value.clone(); 3], vec![own.clone(), value]].concat();
    match &matches[..] {
        [] if mode == JoinMode::Inner => vec![],
        [] => vec![padded(Value::None)],
        [_, _, ..] if ids == JoinIds::Left => vec![padded(Value::Error)],
        _ => {
            let row = |(id, other): &(&u128, &Vec<Value>)| {
                [row.clone(), (*other).clone(), vec![own.clone(), Value::from(Key(**id))]].concat()
            };
            matches.iter().map(row).collect()
        }
    }
}

#[test]
fn each_left_row_keeps_what_it_found() {
    for (mode, ids) in [
        (JoinMode::Inner, JoinIds::Pair),
        (JoinMode::Left, JoinIds::Pair),
        (JoinMode::Inner, JoinIds::Left),
        (JoinMode::Left, JoinIds::Left),
    ] {
        let new = || -> Box<dyn Operator> {
            Box::new(AsofNowJoin::new(spec(mode, ids), true, context(), Site::default()))
        };
        let (side, out) = (side(mode), out());
        let ship = |_, batch| side.apply(batch, &mut context(), &Site::default());
        check(2, new, ship, &out);

        for seed in 0..200 {
            let (mut random, mut operator) = (Random(seed), new());
            let mut states = vec![BTreeMap::new(); 2];
            let mut result: BTreeMap<Vec<Value>, i64> = BTreeMap::new();
            let mut known: BTreeMap<(u128, Vec<Value>), Vec<Vec<Value>>> = BTreeMap::new();
            for time in 0..8 {
                let batches = states.iter_mut().map(|state| ship(0, changes(state, &mut random))).collect();
                for ((key, row), diff) in epoch(&mut *operator, batches, &out) {
                    assert!(ids == JoinIds::Pair || row[6] == Value::from(Key(key)), "the ids of left rows");
                    *result.entry(row).or_insert(0) += diff;
                }
                result.retain(|_, count| *count != 0);
                known.retain(|(key, row), _| states[0].get(key) == Some(row));
                for (key, row) in &states[0] {
                    known
                        .entry((*key, row.clone()))
                        .or_insert_with(|| given(mode, ids, (*key, row), &states[1]));
                }
                let mut expected = BTreeMap::new();
                known.values().flatten().for_each(|row| *expected.entry(row.clone()).or_insert(0) += 1);
                assert_eq!(result, expected, "{mode:?} {ids:?}, seed {seed}, time {time}");
            }
        }
    }
}

/// A right row whose id is that of a row of the result gives it to no other one, until that row has gone.
#[test]
fn ids_of_right_rows_are_given_once() {
    let spec = spec(JoinMode::Inner, JoinIds::Right);
    let (side, out) = (side(JoinMode::Inner), out());
    let rows = |rows: &[(u128, i64)]| {
        let columns = dtypes().into_iter().enumerate().map(|(i, dtype)| {
            let mut builder = ColumnBuilder::new(&dtype, rows.len());
            let cells = [Value::Int(1), Value::None, Value::from("")];
            rows.iter().for_each(|_| builder.push(&cells[i]));
            builder.finish()
        });
        let (keys, diffs): (Vec<u128>, Vec<i64>) = rows.iter().copied().unzip();
        let batch = Batch::new(keys.into(), columns.collect(), diffs.into());
        side.apply(batch, &mut context(), &Site::default())
    };
    let mut operator = AsofNowJoin::new(spec.clone(), true, context(), Site::default());
    let step = |operator: &mut AsofNowJoin, left: &[(u128, i64)], right: &[(u128, i64)]| {
        let bag = epoch(operator, vec![rows(left), rows(right)], &out);
        bag.into_iter().map(|((key, row), diff)| (key, row[6].clone(), diff)).collect::<Vec<_>>()
    };
    let of = |key: u128| Value::from(Key(key));
    assert_eq!(step(&mut operator, &[(1, 1)], &[(7, 1)]), [(7, of(1), 1)]);
    assert_eq!(step(&mut operator, &[(2, 1)], &[]), [], "the id is in use");
    let mut restored = AsofNowJoin::new(spec, true, context(), Site::default());
    restored.load(operator.save(0..65_536).unwrap()).unwrap();
    assert_eq!(step(&mut restored, &[(3, 1)], &[(7, -1), (8, 1)]), [(8, of(3), 1)]);
    assert_eq!(step(&mut restored, &[(1, -1)], &[(7, 1), (8, -1)]), [(7, of(1), -1)]);
    assert_eq!(step(&mut restored, &[(4, 1)], &[]), [(7, of(4), 1)]);
}
