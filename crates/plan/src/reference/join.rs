//! Joins, by comparing all pairs.

use std::collections::BTreeMap;

use pathway_types::{Key, Value};

use super::{ReferenceError, Relation, Row, Rows};
use crate::program::{Bounds, Direction, JoinIds, JoinMode, JoinStep, Matching};

/// The joined rows.
pub(super) fn join(step: &JoinStep, left: Relation<'_>, right: Relation<'_>) -> Result<Rows, ReferenceError> {
    if let Matching::AsOf { times, direction } = step.matching {
        return Ok(asof(step, times, direction, left.rows, right.rows));
    }
    let mut pairs: Vec<(Option<&Row>, Option<&Row>)> = Vec::new();
    let mut matched_right = vec![false; right.rows.len()];
    for l in left.rows {
        let mut matched = false;
        for (i, r) in right.rows.iter().enumerate() {
            if matches(step, l, r) {
                pairs.push((Some(l), Some(r)));
                matched = true;
                matched_right[i] = true;
            }
        }
        if !matched && matches!(step.mode, JoinMode::Left | JoinMode::Outer) {
            pairs.push((Some(l), None));
        }
    }
    if matches!(step.mode, JoinMode::Right | JoinMode::Outer) {
        let unmatched = right.rows.iter().zip(matched_right).filter(|(_, matched)| !matched);
        pairs.extend(unmatched.map(|(r, _)| (None, Some(r))));
    }
    let rows = pairs.into_iter().map(|(l, r)| Row { key: id(step, l, r), values: values(step, l, r) });
    Ok(match step.ids {
        JoinIds::Pair => rows.collect(),
        // The kept side's columns agree, where others do not the cell is an error.
        JoinIds::Left | JoinIds::Right => {
            let mut unique: BTreeMap<Key, Row> = BTreeMap::new();
            for row in rows {
                match unique.get_mut(&row.key) {
                    None => _ = unique.insert(row.key, row),
                    Some(known) => {
                        for (cell, other) in known.values.iter_mut().zip(row.values) {
                            if *cell != other {
                                *cell = Value::Error;
                            }
                        }
                    }
                }
            }
            unique.into_values().collect()
        }
    })
}

fn matches(step: &JoinStep, left: &Row, right: &Row) -> bool {
    let on = keys(&left.values, &step.left_on);
    if on.is_none() || on != keys(&right.values, &step.right_on) {
        return false;
    }
    match &step.matching {
        // As-of joins have been dealt with; in a batch, now is always.
        Matching::Equal | Matching::AsOf { .. } | Matching::AsOfNow => true,
        Matching::Interval { times: [l, r], bounds, .. } => {
            are_apart(&left.values[*l], &right.values[*r], *bounds)
        }
    }
}

/// Each row with the nearest one of the other side in one sequence of both.
fn asof(step: &JoinStep, times: [usize; 2], direction: Direction, left: &[Row], right: &[Row]) -> Rows {
    let right_first = matches!(
        (step.mode, direction),
        (JoinMode::Left, Direction::Backward) | (JoinMode::Right, Direction::Forward)
    );
    let on = [&step.left_on, &step.right_on];
    let has_time = |time: &Value| match time {
        Value::Float(time) => !time.is_nan(),
        time => !matches!(time, Value::Error | Value::Pending),
    };
    // Group, time, place of the side, id; then the side and the row.
    let mut sequence = Vec::new();
    for (side, rows) in [left, right].into_iter().enumerate() {
        for row in rows {
            let time = row.values[times[side]].clone();
            let group = keys(&row.values, on[side]).filter(|_| has_time(&time));
            sequence.push(((group, time, (side == 1) != right_first, row.key), side, row));
        }
    }
    sequence.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut rows = Rows::new();
    for (place, ((group, time, ..), side, row)) in sequence.iter().enumerate() {
        let shown = if *side == 0 { step.mode != JoinMode::Right } else { step.mode != JoinMode::Left };
        if !shown {
            continue;
        }
        let candidates = |(i, ((other_group, ..), other, _)): (usize, &((_, _, _, _), usize, _))| {
            let is_candidate = group.is_some() && other_group == group && other != side;
            is_candidate.then_some(i)
        };
        let before = sequence[..place].iter().enumerate().filter_map(candidates).next_back();
        let after = sequence.iter().enumerate().skip(place + 1).find_map(candidates);
        let partner = match (direction, before, after) {
            (Direction::Backward, before, _) => before,
            (Direction::Forward, _, after) => after,
            (Direction::Nearest, Some(before), Some(after)) => {
                let [earlier, later] = [before, after].map(|i| &sequence[i].0.1);
                Some(if is_nearer(earlier, time, later) { before } else { after })
            }
            (Direction::Nearest, before, after) => before.or(after),
        };
        let partner = partner.map(|i| sequence[i].2);
        let (l, r) = if *side == 0 { (Some(*row), partner) } else { (partner, Some(*row)) };
        let mut cells = values(step, l, r);
        cells.extend(step.side.then_some(Value::Bool(*side == 1)));
        rows.push(Row { key: numbered(row.key, *side as i64), values: cells });
    }
    rows
}

/// True if what is earlier is nearer to the time than what is later.
fn is_nearer(earlier: &Value, time: &Value, later: &Value) -> bool {
    let whole = |value: &Value| match value {
        Value::Int(time) | Value::DateTimeNaive(time) | Value::DateTimeUtc(time) => Some(i128::from(*time)),
        _ => None,
    };
    match (earlier, time, later) {
        (Value::Float(earlier), Value::Float(time), Value::Float(later)) => time - earlier < later - time,
        _ => match [earlier, time, later].map(whole) {
            [Some(earlier), Some(time), Some(later)] => time - earlier < later - time,
            _ => false,
        },
    }
}

/// The id made of a row's id and a number.
fn numbered(id: Key, number: i64) -> Key {
    Key::of(&[Value::Pointer(id), Value::Int(number)]).unwrap_or(Key::EMPTY)
}

fn are_apart(left: &Value, right: &Value, bounds: Bounds) -> bool {
    match (left, right, bounds) {
        (Value::Float(left), Value::Float(right), Bounds::Float(lower, upper)) => {
            left + lower <= *right && *right <= left + upper
        }
        (
            Value::Int(left) | Value::DateTimeNaive(left) | Value::DateTimeUtc(left),
            Value::Int(right) | Value::DateTimeNaive(right) | Value::DateTimeUtc(right),
            Bounds::Int(lower, upper),
        ) => (lower.into()..=upper.into()).contains(&(i128::from(*right) - i128::from(*left))),
        // A time that is an error.
        _ => false,
    }
}

/// The id of a row of an interval join.
fn interval_id(step: &JoinStep, time: usize, bounds: Bounds, left: Option<&Row>, right: Option<&Row>) -> Key {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (Some(left), None) => return numbered(left.key, 1),
        (_, right) => {
            let number = if step.mode == JoinMode::Outer { 2 } else { 1 };
            return numbered(right.map_or(Key::EMPTY, |right| right.key), number);
        }
    };
    let monday = 94_694_400_000_000_000;
    let bucket = match (&left.values[time], bounds) {
        (Value::Float(time), Bounds::Float(lower, upper)) => (time / (upper - lower)).floor() as i64,
        (Value::Int(time), Bounds::Int(lower, upper)) => time.div_euclid(upper.saturating_sub(lower)),
        (Value::DateTimeNaive(time) | Value::DateTimeUtc(time), Bounds::Int(lower, upper)) => {
            time.wrapping_sub(monday).div_euclid(upper.saturating_sub(lower))
        }
        _ => 0,
    };
    let mut on = vec![Value::Int(bucket)];
    on.extend(keys(&left.values, &step.left_on).unwrap_or_default());
    let shard = Key::of(&on).unwrap_or(Key::EMPTY);
    let pair = Key::of(&[Value::Pointer(left.key), Value::Pointer(right.key)]).unwrap_or(Key::EMPTY);
    match step.mode {
        JoinMode::Inner => pair.on_shard_of(shard),
        _ => numbered(pair.on_shard_of(shard), 0),
    }
}

/// The values of the key columns; `None` with an error among them.
fn keys(values: &[Value], on: &[usize]) -> Option<Vec<Value>> {
    let keys: Vec<Value> = on.iter().map(|i| values[*i].clone()).collect();
    (!keys.iter().any(|v| matches!(v, Value::Error | Value::Pending))).then_some(keys)
}

fn pointer(row: Option<&Row>) -> Value {
    row.map_or(Value::None, |row| Value::Pointer(row.key))
}

fn id(step: &JoinStep, left: Option<&Row>, right: Option<&Row>) -> Key {
    if let Matching::Interval { times: [time, _], bounds, .. } = &step.matching {
        return interval_id(step, *time, *bounds, left, right);
    }
    match (step.ids, left, right) {
        (JoinIds::Left, Some(row), _) | (JoinIds::Right, _, Some(row)) => row.key,
        _ => {
            let key = Key::of(&[pointer(left), pointer(right)]).unwrap_or(Key::EMPTY);
            let on = match (left, right) {
                (Some(row), _) => keys(&row.values, &step.left_on),
                (None, Some(row)) => keys(&row.values, &step.right_on),
                (None, None) => None,
            };
            // An unmatched row with an error in its key has no shard but that of no values.
            let mut on = on.unwrap_or_default();
            if step.instance {
                on.drain(..on.len().saturating_sub(1));
            }
            key.on_shard_of(Key::of(&on).unwrap_or(Key::EMPTY))
        }
    }
}

fn values(step: &JoinStep, left: Option<&Row>, right: Option<&Row>) -> Vec<Value> {
    let cells = |row: Option<&Row>, columns: &[usize]| -> Vec<Value> {
        columns.iter().map(|i| row.map_or(Value::None, |row| row.values[*i].clone())).collect()
    };
    let mut values = cells(left, &step.left_columns);
    values.extend(cells(right, &step.right_columns));
    values.extend(step.left_id.then(|| pointer(left)));
    values.extend(step.right_id.then(|| pointer(right)));
    values
}
