use pathway_types::{Batch, ColumnBuilder, DType, Value};

use super::Answers;
use crate::operator::{Emitter, Operator, Progress};
use crate::operators::calls::SUCCESS;

type Row = (u128, Option<i64>, i64);

/// Events: key, cause's time, and the result to set (or None to remove it).
fn events(rows: &[(u128, i64, Option<i64>)]) -> Batch {
    let dtypes = [DType::Int, DType::optional(DType::Str), DType::optional(DType::Int)];
    let mut columns: Vec<ColumnBuilder> = dtypes.iter().map(|d| ColumnBuilder::new(d, 0)).collect();
    for (_, time, result) in rows {
        columns[0].push_int(*time);
        columns[1].push(&result.map_or(Value::None, |_| SUCCESS.into()));
        columns[2].push(&Value::from(*result));
    }
    let keys: Vec<u128> = rows.iter().map(|row| row.0).collect();
    let diffs = vec![1; keys.len()];
    Batch::new(keys.into(), columns.iter_mut().map(ColumnBuilder::finish).collect(), diffs.into())
}

/// Changes of the calls' input: key, argument, diff.
fn changes(rows: &[(u128, i64, i64)]) -> Batch {
    let mut column = ColumnBuilder::new(&DType::Int, 0);
    rows.iter().for_each(|row| column.push_int(row.1));
    let keys: Vec<u128> = rows.iter().map(|row| row.0).collect();
    let diffs: Vec<i64> = rows.iter().map(|row| row.2).collect();
    Batch::new(keys.into(), vec![column.finish()], diffs.into())
}

fn outputs(pending: bool) -> Vec<DType> {
    let (status, result) = (DType::Str, DType::optional(DType::Int));
    if pending { vec![DType::future(status), DType::future(result)] } else { vec![status, result] }
}

fn settled() -> Answers {
    Answers::new(outputs(false), None)
}

fn with_pending() -> Answers {
    Answers::new(outputs(true), Some(vec![DType::Int]))
}

/// What one time changes: key, result (None while pending), diff.
fn step(operator: &mut Answers, time: u64, inputs: [Option<Batch>; 2]) -> Vec<Row> {
    let progress = Progress { time, ..Progress::default() };
    let mut out = Emitter::default();
    for (i, batch) in inputs.into_iter().enumerate() {
        if let Some(batch) = batch {
            operator.apply(i, batch, &progress, &mut out);
        }
    }
    operator.flush(&progress, &mut out);
    let mut rows = Vec::new();
    for batch in out.take() {
        for row in 0..batch.len() {
            let result = match batch.columns[1].value(&DType::future(DType::Int), row) {
                Value::Int(v) => Some(v),
                _ => None,
            };
            rows.push((batch.keys.as_slice()[row], result, batch.diffs.get(row)));
        }
    }
    rows.sort_unstable();
    rows
}

#[test]
fn the_last_result_of_a_row_counts() {
    let mut operator = settled();
    let set = |rows| [Some(events(rows)), None];
    assert_eq!(step(&mut operator, 10, set(&[(1, 2, Some(5))])), [(1, Some(5), 1)]);
    // Of several events of one time the one with the latest cause.
    let both = set(&[(1, 6, Some(7)), (1, 4, Some(6))]);
    assert_eq!(step(&mut operator, 12, both), [(1, Some(5), -1), (1, Some(7), 1)]);
    // Late events of earlier changes, as when a row moved to another instance.
    assert!(step(&mut operator, 14, set(&[(1, 4, None)])).is_empty());
    assert!(step(&mut operator, 16, set(&[(1, 5, Some(3))])).is_empty());
    // The removal of an update loses against its insertion.
    let update = set(&[(1, 8, Some(9)), (1, 8, None)]);
    assert_eq!(step(&mut operator, 18, update), [(1, Some(7), -1), (1, Some(9), 1)]);
    assert_eq!(step(&mut operator, 20, set(&[(1, 10, None)])), [(1, Some(9), -1)]);
    assert!(step(&mut operator, 22, set(&[(1, 12, None)])).is_empty());
}

#[test]
fn equal_results_change_nothing() {
    let mut operator = settled();
    step(&mut operator, 10, [Some(events(&[(1, 2, Some(5))])), None]);
    assert!(step(&mut operator, 12, [Some(events(&[(1, 4, Some(5))])), None]).is_empty());
}

#[test]
fn rows_are_pending_until_the_result_of_their_last_change() {
    let mut operator = with_pending();
    assert_eq!(step(&mut operator, 2, [None, Some(changes(&[(1, 0, 1)]))]), [(1, None, 1)]);
    // An update of a pending row shows nothing, and makes the call before it void.
    assert!(step(&mut operator, 4, [None, Some(changes(&[(1, 0, -1), (1, 1, 1)]))]).is_empty());
    assert!(step(&mut operator, 10, [Some(events(&[(1, 2, Some(5))])), None]).is_empty());
    let answer = [Some(events(&[(1, 4, Some(6))])), None];
    assert_eq!(step(&mut operator, 12, answer), [(1, None, -1), (1, Some(6), 1)]);
    let update = [None, Some(changes(&[(1, 1, -1), (1, 2, 1)]))];
    assert_eq!(step(&mut operator, 14, update), [(1, None, 1), (1, Some(6), -1)]);
    assert_eq!(step(&mut operator, 16, [None, Some(changes(&[(1, 2, -1)]))]), [(1, None, -1)]);
    // The row has gone: neither its result nor its removal matter.
    assert!(step(&mut operator, 18, [Some(events(&[(1, 14, Some(7)), (1, 16, None)])), None]).is_empty());
}

#[test]
fn a_row_that_comes_and_goes_in_one_time_is_not_seen() {
    let mut operator = with_pending();
    let both = changes(&[(1, 0, 1), (1, 0, -1)]);
    assert!(step(&mut operator, 2, [None, Some(both)]).is_empty());
    assert!(operator.current.is_empty());
}

#[test]
fn state_is_taken_up_again() {
    let mut first = with_pending();
    step(&mut first, 2, [None, Some(changes(&[(1, 0, 1), (0x20002, 0, 1)]))]);
    step(&mut first, 10, [Some(events(&[(1, 2, Some(5))])), None]);
    let mut second = with_pending();
    for shards in [0..2, 2..0x10000] {
        second.load(first.save(shards).unwrap()).unwrap();
    }
    let answers = [Some(events(&[(1, 2, Some(8)), (0x20002, 2, Some(6))])), None];
    let expected = [(1, Some(5), -1), (1, Some(8), 1), (0x20002, None, -1), (0x20002, Some(6), 1)];
    assert_eq!(step(&mut second, 12, answers), expected);
}
