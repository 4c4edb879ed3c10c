//! Row-wise stages.

use pathway_expr::{Evaluator, Expr, Input};
use pathway_types::{Column, ColumnBuilder, DType, Key, Keys, NdArray, Value};
use std::sync::Arc;

use super::{ReferenceError, Relation, Row, Rows};
use crate::program::Stage;

/// The rows after all stages.
pub(super) fn stages(stages: &[Stage], input: Relation<'_>) -> Result<Rows, ReferenceError> {
    let mut rows = input.rows.clone();
    let mut dtypes = input.dtypes.to_vec();
    for stage in stages {
        match stage {
            Stage::Map { expressions, .. } => {
                let columns = evaluate(expressions, &rows, &dtypes);
                for (i, row) in rows.iter_mut().enumerate() {
                    row.values = columns.iter().map(|column| column[i].clone()).collect();
                }
                dtypes = expressions.iter().map(|e| e.dtype().clone()).collect();
            }
            Stage::Filter { condition, .. } => {
                let kept = evaluate(std::slice::from_ref(condition), &rows, &dtypes);
                let mut kept = kept[0].iter().map(|value| *value == Value::Bool(true));
                rows.retain(|_| kept.next().unwrap_or(false));
            }
            Stage::Reindex { column, .. } => {
                rows = rows
                    .into_iter()
                    .filter_map(|row| match row.values[*column] {
                        Value::Pointer(key) => Some(Row { key, ..row }),
                        _ => None,
                    })
                    .collect();
            }
            Stage::Flatten { column, sequence, element, origin_id, .. } => {
                let mut flat = Vec::new();
                for row in &rows {
                    let elements = elements(&row.values[*column], sequence).into_iter().enumerate();
                    for (i, value) in elements {
                        let mut values = row.values.clone();
                        values[*column] = value;
                        if *origin_id {
                            values.push(Value::Pointer(row.key));
                        }
                        let hashed = [Value::Pointer(row.key), Value::Int(i as i64)];
                        let key = Key::of(&hashed).unwrap_or(Key::EMPTY).on_shard_of(row.key);
                        flat.push(Row { key, values });
                    }
                }
                rows = flat;
                dtypes[*column] = element.clone();
                if *origin_id {
                    dtypes.push(DType::Pointer(None));
                }
            }
        }
    }
    Ok(rows)
}

/// The values of each expression.
fn evaluate(expressions: &[Expr], rows: &Rows, dtypes: &[DType]) -> Vec<Vec<Value>> {
    let columns: Vec<Column> = (0..dtypes.len())
        .map(|i| {
            let mut builder = ColumnBuilder::new(&dtypes[i], rows.len());
            rows.iter().for_each(|row| builder.push(&row.values[i]));
            builder.finish()
        })
        .collect();
    let keys = Keys::from(rows.iter().map(|row| row.key.0).collect::<Vec<u128>>());
    let results = Evaluator::new(expressions.to_vec()).evaluate(&Input {
        columns: &columns,
        keys: &keys,
        check_types: false,
    });
    let values = results.iter().zip(expressions).map(|(result, expression)| {
        (0..rows.len()).map(|i| result.column.value(expression.dtype(), i)).collect()
    });
    values.collect()
}

/// The elements of a sequence; none of what is no sequence.
fn elements(sequence: &Value, dtype: &DType) -> Vec<Value> {
    match sequence {
        Value::Tuple(members) => members.to_vec(),
        Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        Value::IntArray(array) => rows_of_array(array).into_iter().map(|(s, e)| int_array(s, e)).collect(),
        Value::FloatArray(array) => {
            rows_of_array(array).into_iter().map(|(s, e)| float_array(s, e)).collect()
        }
        Value::Json(json) if *dtype == DType::Json || *dtype == DType::Any => match json.to_value() {
            serde_json::Value::Array(members) => {
                members.iter().map(|m| Value::Json(pathway_types::JsonText::from_value(m))).collect()
            }
            _ => vec![],
        },
        _ => vec![],
    }
}

/// The parts of an array along its first dimension: shape and elements.
fn rows_of_array<T: Clone>(array: &NdArray<T>) -> Vec<(Vec<usize>, Vec<T>)> {
    let Some((count, shape)) = array.shape().split_first() else { return vec![] };
    let size: usize = shape.iter().product();
    (0..*count).map(|i| (shape.to_vec(), array.elements()[i * size..(i + 1) * size].to_vec())).collect()
}

fn int_array(shape: Vec<usize>, elements: Vec<i64>) -> Value {
    match (&shape[..], &elements[..]) {
        ([], [one]) => Value::Int(*one),
        _ => NdArray::new(shape, elements).map_or(Value::Error, |array| Value::IntArray(Arc::new(array))),
    }
}

fn float_array(shape: Vec<usize>, elements: Vec<f64>) -> Value {
    match (&shape[..], &elements[..]) {
        ([], [one]) => Value::Float(*one),
        _ => NdArray::new(shape, elements).map_or(Value::Error, |array| Value::FloatArray(Arc::new(array))),
    }
}
