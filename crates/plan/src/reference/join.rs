//! Joins, by comparing all pairs.

use std::collections::BTreeMap;

use pathway_types::{Key, Value};

use super::{ReferenceError, Relation, Row, Rows};
use crate::program::{JoinIds, JoinMode, JoinStep};

/// The joined rows.
pub(super) fn join(step: &JoinStep, left: Relation<'_>, right: Relation<'_>) -> Result<Rows, ReferenceError> {
    let mut pairs: Vec<(Option<&Row>, Option<&Row>)> = Vec::new();
    let mut matched_right = vec![false; right.rows.len()];
    for l in left.rows {
        let mut matched = false;
        for (i, r) in right.rows.iter().enumerate() {
            if keys(&l.values, &step.left_on).is_some_and(|k| Some(k) == keys(&r.values, &step.right_on)) {
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

/// The values of the key columns; `None` with an error among them.
fn keys(values: &[Value], on: &[usize]) -> Option<Vec<Value>> {
    let keys: Vec<Value> = on.iter().map(|i| values[*i].clone()).collect();
    (!keys.iter().any(|v| matches!(v, Value::Error | Value::Pending))).then_some(keys)
}

fn pointer(row: Option<&Row>) -> Value {
    row.map_or(Value::None, |row| Value::Pointer(row.key))
}

fn id(step: &JoinStep, left: Option<&Row>, right: Option<&Row>) -> Key {
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
