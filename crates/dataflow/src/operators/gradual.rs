//! A number that all rows of a table know, but not exactly, so that few of them change when it does.
//!
//! Each row has one of two numbers around the value, the lower or the upper one: the upper one if the row's
//! id is in the part of all ids that the value is up from the lower to the upper number. While the two
//! stay, a value that moves changes only rows whose ids are between its old and its new place.
//!
//! *State*: the rows, and their ids in order; the numbers, on every worker. *Cost*: of a change of the
//! value the rows that change; of another lower or upper number the rows that have it. *Changes*: at the
//! end of a time the net difference. Without numbers there are no rows; of several rows of numbers the
//! least counts.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;

use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError};

use crate::kernels::consolidate::{consolidate, removals_first};
use crate::operator::{Emitter, Operator, Progress, State, WrongState};
use crate::store::{MultiMap, RowId, of_tree};

/// The inputs by number.
const ROWS: usize = 0;

/// How many numbers a row of the second input has: lower, value, upper.
const NUMBERS: usize = 3;

/// What the rows have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limits {
    /// The upper number below this id, which is no id's if all have it; the lower number from it on.
    Split { lower: f64, upper: f64, place: Option<u128> },
    /// Errors: one of the numbers is an error, or not a number.
    Wrong,
}

impl Limits {
    fn new(lower: f64, value: f64, upper: f64) -> Limits {
        if lower.is_nan() || value.is_nan() || upper.is_nan() {
            return Limits::Wrong;
        }
        let place = if value >= upper {
            None
        } else if value <= lower {
            Some(0)
        } else {
            let part = (value - lower) / (upper - lower);
            // As many ids as there are; what is beyond the last one is the last one.
            Some((part * (u128::MAX as f64)) as u128)
        };
        Limits::Split { lower, upper, place }
    }

    /// The number of a row; `None` is an error.
    fn at(&self, id: u128) -> Option<f64> {
        match self {
            Limits::Split { upper, place: None, .. } => Some(*upper),
            Limits::Split { lower, upper, place: Some(place) } => {
                Some(if id < *place { *upper } else { *lower })
            }
            Limits::Wrong => None,
        }
    }

    fn column(&self, ids: &[u128]) -> Column {
        let mut numbers = ColumnBuilder::new(&DType::Float, ids.len());
        for id in ids {
            match self.at(*id) {
                Some(number) => numbers.push_float(number),
                None => numbers.push_error(),
            }
        }
        numbers.finish()
    }

    /// Where what rows have may become another number.
    fn place(&self) -> u128 {
        match self {
            Limits::Split { place: Some(place), .. } => *place,
            Limits::Split { place: None, .. } | Limits::Wrong => u128::MAX,
        }
    }
}

/// The operator.
pub struct Gradual {
    dtypes: Vec<DType>,
    rows: MultiMap,
    ids: BTreeSet<u128>,
    numbers: MultiMap,
    limits: Option<Limits>,
    batches: [Vec<Batch>; 2],
}

impl Gradual {
    /// For rows with columns of these dtypes.
    pub fn new(dtypes: Vec<DType>) -> Self {
        Gradual {
            rows: MultiMap::new(dtypes.clone()),
            dtypes,
            ids: BTreeSet::new(),
            numbers: MultiMap::new(vec![DType::Float; NUMBERS]),
            limits: None,
            batches: [Vec::new(), Vec::new()],
        }
    }

    /// What the numbers say now.
    fn read(&self) -> Option<Limits> {
        let there = self.numbers.iter().flat_map(|(_, entries)| entries).filter(|entry| entry.count > 0);
        let rows = there.map(|entry| {
            let columns = self.numbers.rows().columns(entry.row);
            let at = entry.row.row as usize;
            let number = |column: &Column| match column.is_error(at) {
                true => f64::NAN,
                false => column.array().as_primitive::<Float64Type>().value(at),
            };
            [number(&columns[0]), number(&columns[1]), number(&columns[2])]
        });
        let least = rows.min_by(|a, b| {
            a.iter()
                .zip(b)
                .map(|(a, b)| a.total_cmp(b))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        least.map(|[lower, value, upper]| Limits::new(lower, value, upper))
    }

    /// Ids of rows to which other limits give something else.
    fn touched(&self, old: Option<Limits>, new: Option<Limits>) -> Vec<u128> {
        let (Some(old), Some(new)) = (old, new) else {
            return if old == new { Vec::new() } else { self.ids.iter().copied().collect() };
        };
        let (first, last) = (old.place().min(new.place()), old.place().max(new.place()));
        let changes = |id: u128| old.at(id).map(f64::to_bits) != new.at(id).map(f64::to_bits);
        // Within each of these parts all rows had the same, and have the same.
        let mut ids = Vec::new();
        if first > 0 && changes(0) {
            ids.extend(self.ids.range(..first));
        }
        if first < last && changes(first) {
            ids.extend(self.ids.range(first..last));
        }
        if changes(last) {
            ids.extend(self.ids.range(last..));
        }
        ids
    }

    /// The rows of these ids, with what the limits give them.
    fn shown(&self, ids: &[u128], limits: Limits) -> Batch {
        let entries = || ids.iter().flat_map(|id| self.rows.get(*id));
        let places: Vec<RowId> = entries().map(|entry| entry.row).collect();
        let Some(mut rows) = self.rows.rows().gather_batch(&places, 0..self.dtypes.len()) else {
            return Batch::default();
        };
        rows.diffs = entries().map(|entry| i64::from(entry.count)).collect::<Vec<_>>().into();
        with(rows, limits)
    }
}

fn with(mut rows: Batch, limits: Limits) -> Batch {
    rows.columns.push(limits.column(rows.keys.as_slice()));
    rows
}

impl Operator for Gradual {
    fn apply(&mut self, input: usize, batch: Batch, _progress: &Progress, _out: &mut Emitter) {
        self.batches[input].push(batch);
    }

    fn flush(&mut self, _progress: &Progress, out: &mut Emitter) {
        let numbers = Batch::concat(&std::mem::take(&mut self.batches[1 - ROWS]));
        let rows = Batch::concat(&std::mem::take(&mut self.batches[ROWS]));
        let (removed, added) = removals_first(consolidate(rows, &self.dtypes));
        let old = self.limits;
        if !numbers.is_empty() {
            self.numbers.apply(&numbers.keys, &numbers);
            self.limits = self.read();
            self.numbers.tidy();
        }
        if !removed.is_empty() {
            self.rows.apply(&removed.keys, &removed);
        }
        for id in removed.keys.as_slice() {
            if self.rows.get(*id).is_empty() {
                self.ids.remove(id);
            }
        }
        let touched = self.touched(old, self.limits);
        if let Some(old) = old {
            out.emit(with(removed, old));
            out.emit(self.shown(&touched, old).negate());
        }
        if let Some(limits) = self.limits {
            out.emit(self.shown(&touched, limits));
        }
        if !added.is_empty() {
            self.rows.apply(&added.keys, &added);
        }
        self.ids.extend(added.keys.as_slice());
        if let Some(limits) = self.limits {
            out.emit(with(added, limits));
        }
        self.rows.tidy();
    }

    fn wants(&self, _input: usize, _progress: &Progress) -> bool {
        true
    }

    fn save(&mut self, shards: Range<u32>) -> Result<State, DataError> {
        Ok(State {
            tables: vec![("rows", self.rows.save(&shards))],
            common: vec![("numbers", self.numbers.save(&(0..u32::MAX)))],
        })
    }

    fn load(&mut self, state: State) -> Result<(), WrongState> {
        for (_, table) in state.tables {
            self.rows.load(table)?;
        }
        // Each part of a saved state has all numbers.
        for (_, table) in state.common {
            if self.numbers.is_empty() {
                self.numbers.load(table)?;
            }
        }
        self.ids = self.rows.iter().map(|(id, _)| id).collect();
        self.limits = self.read();
        Ok(())
    }

    fn memory(&self) -> usize {
        self.rows.memory() + self.numbers.memory() + of_tree::<u128>(self.ids.len())
    }
}

#[cfg(test)]
mod tests;
