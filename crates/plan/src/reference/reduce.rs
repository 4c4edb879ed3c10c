//! Group-by, by going through each group's rows once per reducer.

use std::collections::BTreeMap;
use std::sync::Arc;

use pathway_expr::Reducer;
use pathway_types::{DType, Key, NdArray, Value};

use super::{ReferenceError, Relation, Row, Rows};
use crate::program::{ARGUMENT_ID, GroupKey, Panes, ReduceColumn, ReduceStep};

/// One row per group.
pub(super) fn reduce(step: &ReduceStep, input: Relation<'_>) -> Result<Rows, ReferenceError> {
    let rows: Vec<Row> = match &step.panes {
        Some(panes) => input.rows.iter().flat_map(|row| in_windows(row, panes)).collect(),
        None => input.rows.to_vec(),
    };
    let mut groups: BTreeMap<Key, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        if let Some(key) = group_key(&step.key, row) {
            groups.entry(key).or_default().push(row);
        }
    }
    let mut results = Vec::new();
    for (key, mut rows) in groups {
        rows.sort_by_key(|row| (step.sort_by.map(|i| row.values[i].clone()), row_id(step, row)));
        let mut values: Vec<Value> = step.group_columns.iter().map(|i| rows[0].values[*i].clone()).collect();
        let mut present = true;
        for column in &step.reducers {
            match aggregate(column, &rows, step)? {
                Some(value) => values.push(value),
                // Every reducer must have a row that it did not ignore.
                None => present = false,
            }
        }
        if present {
            results.push(Row { key, values });
        }
    }
    Ok(results)
}

/// A row once for each window that its pane is part of.
fn in_windows(row: &Row, panes: &Panes) -> Vec<Row> {
    let Value::Int(pane) = row.values[panes.column] else { return vec![] };
    let (first, last) = panes.windows(pane);
    let in_window = |window: i64| {
        let mut row = row.clone();
        row.values[panes.column] = Value::Int(window);
        row
    };
    (first..=last).map(in_window).collect()
}

/// The id of a row's group; `None` with an error among the grouping columns.
fn group_key(key: &GroupKey, row: &Row) -> Option<Key> {
    match key {
        GroupKey::Pointer(column) => match row.values[*column] {
            Value::Pointer(key) => Some(key),
            _ => None,
        },
        GroupKey::Hash { columns, instance } => {
            let values: Vec<Value> = columns.iter().map(|i| row.values[*i].clone()).collect();
            match values.split_last() {
                Some((last, rest)) if *instance => Key::with_instance(rest, last),
                _ => Key::of(&values),
            }
        }
    }
}

/// The id that reducers go by.
fn row_id(step: &ReduceStep, row: &Row) -> Key {
    match step.row_ids.map(|column| &row.values[column]) {
        Some(Value::Pointer(id)) => *id,
        _ => row.key,
    }
}

/// The result of one reducer; `None` if it ignored all rows.
fn aggregate(
    column: &ReduceColumn,
    rows: &[&Row],
    step: &ReduceStep,
) -> Result<Option<Value>, ReferenceError> {
    let mut arguments: Vec<(Key, Vec<Value>)> = Vec::new();
    let mut errors = false;
    for row in rows {
        let cells: Vec<Value> = column
            .arguments
            .iter()
            .map(|i| match *i {
                ARGUMENT_ID => Value::Pointer(row.key),
                i => row.values[i].clone(),
            })
            .collect();
        match cells.iter().any(Value::is_error) {
            true => errors = true,
            false => arguments.push((row_id(step, row), cells)),
        }
    }
    if !step.skip_errors && errors {
        return Ok(Some(match column.reducer {
            Reducer::Count => Value::Int(rows.len() as i64),
            _ => Value::Error,
        }));
    }
    if arguments.is_empty() {
        return Ok(None);
    }
    value(column, arguments)
}

fn value(column: &ReduceColumn, rows: Vec<(Key, Vec<Value>)>) -> Result<Option<Value>, ReferenceError> {
    let first = || rows.iter().map(|(_, cells)| cells[0].clone());
    let listed =
        |skip_nones: bool| -> Vec<Value> { first().filter(|v| !(skip_nones && v.is_none())).collect() };
    Ok(Some(match &column.reducer {
        Reducer::Count => Value::Int(rows.len() as i64),
        Reducer::Sum { .. } => sum(first())?,
        Reducer::Avg => {
            let total = match sum(first())? {
                Value::Int(total) => total as f64,
                Value::Float(total) => total,
                _ => return Ok(Some(Value::Error)),
            };
            Value::Float(total / rows.len() as f64)
        }
        Reducer::Variance { root } => {
            let numbers: Vec<f64> = first()
                .map(|value| match value {
                    Value::Int(value) => value as f64,
                    Value::Float(value) => value,
                    _ => f64::NAN,
                })
                .collect();
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            let variance = numbers.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
            Value::Float(if *root { variance.sqrt() } else { variance })
        }
        Reducer::Min => first().min().unwrap_or(Value::None),
        Reducer::Max => first().max().unwrap_or(Value::None),
        Reducer::ArgMin | Reducer::ArgMax => {
            let all = rows.iter().map(|(_, cells)| (&cells[0], &cells[1]));
            let extreme = match column.reducer {
                Reducer::ArgMin => first().min(),
                _ => first().max(),
            };
            let ties = all.filter(|(value, _)| Some(*value) == extreme.as_ref());
            ties.map(|(_, id)| id.clone()).min().unwrap_or(Value::None)
        }
        Reducer::Unique => {
            let mut values = first();
            let one = values.next().unwrap_or(Value::None);
            if values.all(|v| v == one) { one } else { Value::Error }
        }
        Reducer::Any => {
            const MASK: u128 = 0x2152_4110_2152_4110_2152_4110_2152_4110;
            let chosen = rows.iter().max_by_key(|(key, _)| key.0 ^ MASK);
            chosen.map_or(Value::None, |(_, cells)| cells[0].clone())
        }
        Reducer::Tuple { skip_nones } => Value::tuple(listed(*skip_nones)),
        Reducer::SortedTuple { skip_nones } => {
            let mut values = listed(*skip_nones);
            values.sort();
            Value::tuple(values)
        }
        Reducer::NdArray { skip_nones } => array(&listed(*skip_nones))?,
        Reducer::CountDistinct => {
            let mut distinct: Vec<&Vec<Value>> = rows.iter().map(|(_, cells)| cells).collect();
            distinct.sort();
            distinct.dedup();
            Value::Int(distinct.len() as i64)
        }
        Reducer::Earliest => by_id(&rows, false),
        Reducer::Latest => by_id(&rows, true),
        Reducer::Custom(custom) => {
            let mut counts: BTreeMap<Vec<Value>, i64> = BTreeMap::new();
            rows.into_iter().for_each(|(_, cells)| *counts.entry(cells).or_default() += 1);
            let changes: Vec<(Vec<Value>, i64)> = counts.into_iter().collect();
            let mut group = custom.new_group();
            let result = group.update(&changes).and_then(|()| group.result());
            return Ok(result.unwrap_or(Some(Value::Error)));
        }
        Reducer::CountDistinctApproximate { .. } => {
            return Err(ReferenceError::Unsupported("estimates have no naive form".to_owned()));
        }
    }))
}

fn by_id(rows: &[(Key, Vec<Value>)], last: bool) -> Value {
    let chosen = match last {
        false => rows.iter().min_by_key(|(key, _)| *key),
        true => rows.iter().max_by_key(|(key, _)| *key),
    };
    chosen.map_or(Value::None, |(_, cells)| cells[0].clone())
}

/// Integers wrap around; floats are added with compensation.
fn sum(values: impl Iterator<Item = Value>) -> Result<Value, ReferenceError> {
    let (mut ints, mut floats) = (0i64, Vec::new());
    for value in values {
        match value {
            Value::Int(v) => ints = ints.wrapping_add(v),
            Value::Float(v) => floats.push(v),
            other => {
                return Err(ReferenceError::Unsupported(format!("the sum of {other} has no naive form")));
            }
        }
    }
    if floats.is_empty() {
        return Ok(Value::Int(ints));
    }
    let (mut total, mut lost) = (0.0f64, 0.0f64);
    for v in floats {
        let next = total + v;
        lost += if total.abs() >= v.abs() { (total - next) + v } else { (v - next) + total };
        total = next;
    }
    Ok(Value::Float(if lost.is_finite() { total + lost } else { total }))
}

/// What `numpy.array` makes of numbers.
fn array(values: &[Value]) -> Result<Value, ReferenceError> {
    let shape = vec![values.len()];
    let ints: Option<Vec<i64>> =
        values.iter().map(|v| if let Value::Int(v) = v { Some(*v) } else { None }).collect();
    if let Some(array) = ints.and_then(|ints| NdArray::new(shape.clone(), ints)) {
        return Ok(Value::IntArray(Arc::new(array)));
    }
    let floats: Option<Vec<f64>> =
        values.iter().map(|v| if let Value::Float(v) = v { Some(*v) } else { None }).collect();
    match floats.and_then(|floats| NdArray::new(shape, floats)) {
        Some(array) => Ok(Value::FloatArray(Arc::new(array))),
        None => {
            let dtype = DType::array(None, DType::Any);
            Err(ReferenceError::Unsupported(format!("an {dtype} of arrays or tuples has no naive form")))
        }
    }
}
