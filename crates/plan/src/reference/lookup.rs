//! Operations that match rows by id.

use std::collections::BTreeMap;

use pathway_types::{Key, Value};

use super::{ReferenceError, Relation, Row, Rows};
use crate::program::LookupStep;

/// The columns of all inputs side by side.
pub(super) fn zip(inputs: &[Relation<'_>]) -> Result<Rows, ReferenceError> {
    let mut all: BTreeMap<Key, Row> = BTreeMap::new();
    for row in inputs[0].rows {
        all.insert(row.key, row.clone());
    }
    for input in inputs {
        let ids = input.by_key()?;
        if !ids.keys().eq(all.keys()) {
            return Err(ReferenceError::Inconsistent("the inputs of a zip have different ids".to_owned()));
        }
    }
    for input in &inputs[1..] {
        for row in input.rows {
            if let Some(zipped) = all.get_mut(&row.key) {
                zipped.values.extend(row.values.iter().cloned());
            }
        }
    }
    Ok(all.into_values().collect())
}

/// Rows that pointers name.
pub(super) fn lookup(
    step: &LookupStep,
    asking: Relation<'_>,
    target: Relation<'_>,
) -> Result<Rows, ReferenceError> {
    let rows = target.by_key()?;
    let width = step.fetch.len();
    let answer = |pointer: &Value| match pointer {
        Value::None if step.optional => vec![Value::None; width],
        Value::Pointer(key) => match rows.get(key) {
            Some(row) => step.fetch.iter().map(|i| row.values[*i].clone()).collect(),
            None if step.allow_misses => vec![Value::None; width],
            None => vec![Value::Error; width],
        },
        _ => vec![Value::Error; width],
    };
    let results = asking.rows.iter().map(|row| {
        let mut values: Vec<Value> = step.keep.iter().map(|i| row.values[*i].clone()).collect();
        values.extend(answer(&row.values[step.pointer]));
        Row { key: row.key, values }
    });
    Ok(results.collect())
}

/// Rows of both; the second wins.
pub(super) fn update_rows(old: Relation<'_>, new: Relation<'_>) -> Result<Rows, ReferenceError> {
    let mut rows = old.by_key()?;
    rows.extend(new.by_key()?);
    Ok(rows.into_values().cloned().collect())
}

/// Some cells replaced; updates of rows that do not exist are ignored.
pub(super) fn update_cells(
    cells: &[(usize, usize)],
    input: Relation<'_>,
    updates: Relation<'_>,
) -> Result<Rows, ReferenceError> {
    let updates = updates.by_key()?;
    let mut rows = input.rows.clone();
    for row in &mut rows {
        if let Some(update) = updates.get(&row.key) {
            for (to, from) in cells {
                row.values[*to] = update.values[*from].clone();
            }
        }
    }
    Ok(rows)
}

/// The rows whose ids are chosen.
pub(super) fn keep(input: Relation<'_>, chosen: impl Fn(Key) -> bool) -> Result<Rows, ReferenceError> {
    Ok(input.rows.iter().filter(|row| chosen(row.key)).cloned().collect())
}

/// The rows for the ids of another table; rows of errors where they are missing.
pub(super) fn restrict(input: Relation<'_>, to: Relation<'_>, width: usize) -> Result<Rows, ReferenceError> {
    let rows = input.by_key()?;
    let row = |key: &Key| match rows.get(key) {
        Some(row) => (*row).clone(),
        None => Row { key: *key, values: vec![Value::Error; width] },
    };
    Ok(to.by_key()?.keys().map(row).collect())
}
