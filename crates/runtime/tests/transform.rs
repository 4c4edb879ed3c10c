//! A transformer over two tables, under random histories: each row of the first table comes out with
//! the number of rows of both.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use common::{Changes, Input, bag, batch, check, step};
use pathway_expr::{Transformation, Transformed, Transformer};
use pathway_plan::program::StepOp;
use pathway_types::key::SHARD_MASK;
use pathway_types::{Batch, DType, DataError, Value};

#[derive(Debug)]
struct Count;

#[derive(Default)]
struct Counting {
    tables: [BTreeMap<u128, Value>; 2],
}

impl Counting {
    /// What it has told of the tables as they are.
    fn rows(&self) -> Changes {
        let count = Value::Int((self.tables[0].len() + self.tables[1].len()) as i64);
        let row = |value: &Value| vec![Value::Int(0), value.clone(), count.clone()];
        self.tables[0].iter().map(|(key, value)| (*key, row(value), 1)).collect()
    }
}

impl Transformer for Count {
    fn name(&self) -> &str {
        "count"
    }
    fn open(&self) -> Result<Box<dyn Transformation>, DataError> {
        Ok(Box::new(Counting::default()))
    }
}

fn outputs() -> Vec<DType> {
    vec![DType::Int, DType::optional(DType::Int), DType::optional(DType::Int)]
}

impl Transformation for Counting {
    fn step(&mut self, changes: &[(Batch, &[DType])]) -> Result<Transformed, DataError> {
        // All rows are told anew; what is equal cancels.
        let mut all: Changes = self.rows().into_iter().map(|(key, row, _)| (key, row, -1)).collect();
        for (table, (batch, dtypes)) in self.tables.iter_mut().zip(changes) {
            for sign in [-1, 1] {
                for row in (0..batch.len()).filter(|row| batch.diffs.get(*row) == sign) {
                    let (key, value) = (batch.keys.as_slice()[row], batch.columns[0].value(&dtypes[0], row));
                    if sign > 0 {
                        assert!(table.insert(key, value).is_none(), "net changes");
                    } else {
                        assert_eq!(table.remove(&key), Some(value));
                    }
                }
            }
        }
        all.extend(self.rows());
        Ok(Transformed { changes: batch(&outputs(), &all), causes: vec![] })
    }
    fn save(&mut self, shards: Range<u32>) -> Result<Vec<(u128, Vec<u8>)>, DataError> {
        let mut saved = Vec::new();
        for (number, table) in (0..).zip(&self.tables) {
            for (key, value) in
                table.iter().filter(|(key, _)| shards.contains(&((**key & SHARD_MASK) as u32)))
            {
                let Value::Int(value) = value else { panic!("a column of ints: {value:?}") };
                saved.push((*key, [vec![number], value.to_le_bytes().to_vec()].concat()));
            }
        }
        Ok(saved)
    }
    fn load(&mut self, state: Vec<(u128, Vec<u8>)>) -> Result<(), DataError> {
        for (key, bytes) in state {
            let value = Value::Int(i64::from_le_bytes(bytes[1..].try_into().unwrap()));
            assert!(self.tables[bytes[0] as usize].insert(key, value).is_none(), "it is loaded once");
        }
        Ok(())
    }
}

fn input() -> Input {
    Input { dtypes: vec![DType::Int], keys: 8, row: |random| vec![Value::Int(random.below(4) as i64)] }
}

#[test]
fn a_transformer_sees_net_changes_of_all_tables() {
    let steps = || vec![step(StepOp::Transform(Arc::new(Count)), &[0, 1], outputs())];
    check("transform", &[input(), input()], steps, |inputs| {
        let count = Value::Int((inputs[0].len() + inputs[1].len()) as i64);
        bag(inputs[0].iter().map(|(key, row)| (*key, vec![Value::Int(0), row[0].clone(), count.clone()])))
    });
}
