use std::sync::{Arc, Mutex};

use pathway_expr::{Answers, Callee, Caller, OnFailure};
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, Key, Value};

use super::Calls;
use crate::context::{Context, Monitor, Report, Site};
use crate::operator::{Emitter, Operator, Progress};

struct Silent;

impl Monitor for Silent {
    fn report(&self, _report: Report<'_>) {}
}

/// Notes the calls: number and argument.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<(u64, Value)>>>);

impl Callee for Notes {
    fn name(&self) -> &str {
        "notes"
    }
    fn results(&self) -> &[DType] {
        &[DType::Int]
    }
    fn propagates_none(&self) -> bool {
        true
    }
    fn on_failure(&self) -> OnFailure {
        OnFailure::Error
    }
    fn open(&self, workers: usize) -> Result<Vec<Box<dyn Caller>>, DataError> {
        Ok((0..workers).map(|_| -> Box<dyn Caller> { Box::new(self.clone()) }).collect())
    }
}

impl Caller for Notes {
    fn call(&mut self, first: u64, arguments: &[(Column, DType)], rows: usize, _answers: &Arc<dyn Answers>) {
        let (column, dtype) = &arguments[0];
        let calls = (0..rows).map(|row| (first + row as u64, column.value(dtype, row)));
        self.0.lock().unwrap().extend(calls);
    }
    fn close(self: Box<Self>) -> Result<(), DataError> {
        Ok(())
    }
}

impl Notes {
    fn take(&self) -> Vec<(u64, Value)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn argument() -> DType {
    DType::optional(DType::Int)
}

fn operator(notes: &Notes) -> Calls {
    let events = vec![DType::Int, DType::optional(DType::Str), DType::optional(DType::Int)];
    let context = Context::new(false, 1024, Arc::new(Silent));
    let caller: Box<dyn Caller> = Box::new(notes.clone());
    let callee = Arc::new(notes.clone());
    Calls::new(callee, Some(caller), vec![argument()], 1, events, context, Site::default())
}

fn flush(operator: &mut Calls, time: u64, rows: &[(u128, Value, i64)]) {
    let mut column = ColumnBuilder::new(&argument(), rows.len());
    rows.iter().for_each(|row| column.push(&row.1));
    let keys: Vec<u128> = rows.iter().map(|row| row.0).collect();
    let diffs: Vec<i64> = rows.iter().map(|row| row.2).collect();
    let batch = Batch::new(keys.into(), vec![column.finish()], diffs.into());
    let progress = Progress { time, ..Progress::default() };
    operator.apply(0, batch, &progress, &mut Emitter::default());
    operator.flush(&progress, &mut Emitter::default());
}

/// The events of all groups that can be settled: key, time, result.
fn events(operator: &mut Calls) -> Vec<(Key, Value, Value, Value)> {
    operator.collect();
    let mut events = Vec::new();
    while let Some((_, batch, _)) = operator.settle() {
        for row in 0..batch.len() {
            let value = |column: usize, dtype: DType| batch.columns[column].value(&dtype, row);
            events.push((
                batch.keys.get(row),
                value(0, DType::Int),
                value(1, DType::optional(DType::Str)),
                value(2, argument()),
            ));
        }
    }
    events
}

#[test]
fn rows_are_called_for_where_that_is_needed() {
    let notes = Notes::default();
    let mut calls = operator(&notes);
    let rows = [
        (1, Value::Int(5), 1),
        (2, Value::None, 1),
        (3, Value::Error, 1),
        (4, Value::Int(6), 1),
        (4, Value::Int(6), -1),
    ];
    flush(&mut calls, 2, &rows);
    assert_eq!(notes.take(), [(0, Value::Int(5))]);
    let success = Value::from(super::SUCCESS);
    let known = events(&mut calls);
    let expected = [
        (Key(2), Value::Int(2), success.clone(), Value::None),
        (Key(3), Value::Int(2), success.clone(), Value::Error),
    ];
    assert_eq!(known, expected);
    calls.inbox.answer(0, Err(DataError::value("no")));
    assert_eq!(events(&mut calls), [(Key(1), Value::Int(2), success, Value::Error)]);
    assert!(calls.is_idle());
}

#[test]
fn an_update_is_one_event_and_pending_arguments_none() {
    let notes = Notes::default();
    let mut calls = operator(&notes);
    flush(&mut calls, 2, &[(1, Value::Int(5), 1), (2, Value::Pending, 1)]);
    flush(&mut calls, 4, &[(1, Value::Int(5), -1), (1, Value::Int(6), 1), (2, Value::Pending, -1)]);
    flush(&mut calls, 6, &[(1, Value::Int(6), -1)]);
    assert_eq!(notes.take(), [(0, Value::Int(5)), (1, Value::Int(6))]);
    calls.inbox.answer(1, Ok(vec![Value::Int(60)]));
    calls.inbox.answer(0, Ok(vec![Value::Int(50)]));
    let results: Vec<Value> = events(&mut calls).into_iter().map(|event| event.3).collect();
    assert_eq!(results, [Value::Int(50), Value::Int(60), Value::None]);
}

#[test]
fn what_waits_is_asked_for_again() {
    let notes = Notes::default();
    let mut first = operator(&notes);
    flush(&mut first, 2, &[(1, Value::Int(5), 1), (0x20002, Value::Int(6), 1)]);
    flush(&mut first, 4, &[(1, Value::Int(5), -1)]);
    first.inbox.answer(1, Ok(vec![Value::Int(60)]));
    assert_eq!(events(&mut first).len(), 1);
    notes.take();
    let mut second = operator(&notes);
    for shards in [0..2, 2..0x10000] {
        second.load(first.save(shards).unwrap()).unwrap();
    }
    // The answered row is not asked for again; the removal waits for the answer of its row.
    assert_eq!(notes.take(), [(0, Value::Int(5))]);
    assert!(events(&mut second).is_empty());
    second.inbox.answer(0, Ok(vec![Value::Int(50)]));
    let times: Vec<Value> = events(&mut second).into_iter().map(|event| event.1).collect();
    assert_eq!(times, [Value::Int(2), Value::Int(4)]);
}
