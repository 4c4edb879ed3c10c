//! Aggregates that add up: count, sums, average.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, Float64Array, Int64Array};

use pathway_types::{Batch, Column, DType, DataError, Diffs};

use super::aggregate::{Aggregate, Merge, Rows};
use super::exact_sum::{ExactSum, Special, special_index};

fn ints(values: impl IntoIterator<Item = i64>) -> Column {
    Column::new(Arc::new(values.into_iter().collect::<Int64Array>()))
}

fn nothing(len: usize) -> Column {
    Column::nulls(&DType::None, len)
}

/// The saved form of an aggregate: its partials for some groups.
fn saved(slots: &[u32], keys: &[u128], columns: Vec<Column>) -> Result<Batch, DataError> {
    let keys: Vec<u128> = slots.iter().map(|slot| keys[*slot as usize]).collect();
    Ok(Batch::new(keys.into(), columns, Diffs::Ones(slots.len())))
}

/// Number of rows without an error in the arguments.
#[derive(Default)]
pub(super) struct Count {
    counts: Vec<i64>,
}

/// Diffs of rows, zero where an argument is an error.
fn weights(rows: &Rows<'_>) -> Column {
    let mut weights: Vec<i64> = match rows.diffs {
        Diffs::Ones(len) => vec![1; *len],
        Diffs::Each(diffs) => diffs.to_vec(),
    };
    if let Some(errors) = rows.errors {
        errors.set_indices().for_each(|row| weights[row] = 0);
    }
    Column::new(Arc::new(Int64Array::from(weights)))
}

impl Count {
    /// Of a group.
    pub(super) fn of(&self, group: usize) -> i64 {
        self.counts[group]
    }
}

impl Aggregate for Count {
    fn width(&self) -> usize {
        1
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        vec![weights(rows)]
    }
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let counts = merge.shipped[0].array().as_primitive::<Int64Type>();
        for (slot, count) in merge.slots.iter().zip(counts.values()) {
            self.counts[*slot as usize] += count;
        }
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        Some(vec![ints(self.counts[..groups].iter().copied())])
    }
    fn adds_up(&self) -> bool {
        true
    }
    fn results(&mut self, slots: &[u32], _report: &mut dyn FnMut(DataError)) -> Column {
        ints(slots.iter().map(|slot| self.counts[*slot as usize]))
    }
    fn clear(&mut self, slot: u32) {
        self.counts[slot as usize] = 0;
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        saved(slots, keys, vec![ints(slots.iter().map(|slot| self.counts[*slot as usize]))])
    }
    fn per_group(&self) -> usize {
        size_of::<i64>()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Count::default())
    }
}

/// Wrapping sum of integers.
#[derive(Default)]
pub(super) struct IntSum {
    sums: Vec<i64>,
}

impl Aggregate for IntSum {
    fn width(&self) -> usize {
        1
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let values = rows.arguments[0].array().as_primitive::<Int64Type>();
        if rows.diffs.is_ones() {
            return vec![Column::new(rows.arguments[0].array().clone())];
        }
        let products = values.iter().zip(rows.diffs.iter()).map(|(v, d)| v.unwrap_or(0).wrapping_mul(d));
        vec![ints(products)]
    }
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let values = merge.shipped[0].array().as_primitive::<Int64Type>();
        let mut add = |slot: u32, value: i64| {
            let sum = &mut self.sums[slot as usize];
            *sum = sum.wrapping_add(value);
        };
        match values.nulls() {
            None => merge.slots.iter().zip(values.values()).for_each(|(slot, v)| add(*slot, *v)),
            Some(_) => merge.slots.iter().zip(values).for_each(|(slot, v)| add(*slot, v.unwrap_or(0))),
        }
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        Some(vec![ints(self.sums[..groups].iter().copied())])
    }
    fn adds_up(&self) -> bool {
        true
    }
    fn results(&mut self, slots: &[u32], _report: &mut dyn FnMut(DataError)) -> Column {
        ints(slots.iter().map(|slot| self.sums[*slot as usize]))
    }
    fn clear(&mut self, slot: u32) {
        self.sums[slot as usize] = 0;
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        saved(slots, keys, vec![ints(slots.iter().map(|slot| self.sums[*slot as usize]))])
    }
    fn per_group(&self) -> usize {
        size_of::<i64>()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(IntSum::default())
    }
}

/// Exact sum of floats. Shipped: up to three finite parts, then the counts of NaN, +inf and -inf;
/// parts and counts that are not needed are columns of type Null.
#[derive(Default)]
pub(super) struct FloatSum {
    sums: Vec<ExactSum>,
}

const PARTS: usize = 3;

fn floats(values: impl IntoIterator<Item = f64>) -> Column {
    Column::new(Arc::new(values.into_iter().collect::<Float64Array>()))
}

impl FloatSum {
    /// Of a group.
    pub(super) fn of(&self, group: usize) -> &ExactSum {
        &self.sums[group]
    }
}

impl Aggregate for FloatSum {
    fn width(&self) -> usize {
        PARTS + 3
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let array = rows.arguments[0].array();
        let values = array.as_primitive::<Float64Type>();
        let len = values.len();
        let finite = values.values().iter().all(|v| v.is_finite());
        if rows.diffs.is_ones() && finite {
            let mut columns = vec![Column::new(array.clone())];
            columns.extend((1..PARTS + 3).map(|_| nothing(len)));
            return columns;
        }
        let mut parts = [vec![0.0; len], vec![0.0; len]];
        let mut special = [vec![0; len], vec![0; len], vec![0; len]];
        for (row, (value, diff)) in values.iter().zip(rows.diffs.iter()).enumerate() {
            let Some(value) = value else { continue };
            if value.is_finite() {
                let factor = diff as f64;
                let product = value * factor;
                parts[0][row] = product;
                parts[1][row] = value.mul_add(factor, -product);
            } else {
                special[special_index(value)][row] = diff;
            }
        }
        let [first, second] = parts;
        let mut columns = vec![floats(first)];
        columns.push(if second.iter().all(|v| *v == 0.0) { nothing(len) } else { floats(second) });
        columns.push(nothing(len));
        columns.extend(special.into_iter().map(|counts| if finite { nothing(len) } else { ints(counts) }));
        columns
    }
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, ExactSum::default());
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        for part in &merge.shipped[..PARTS] {
            let Some(values) = part.array().as_primitive_opt::<Float64Type>() else { continue };
            match values.nulls() {
                None => {
                    let pairs = merge.slots.iter().zip(values.values());
                    pairs.for_each(|(slot, value)| self.sums[*slot as usize].add(*value));
                }
                Some(_) => {
                    let pairs = merge.slots.iter().zip(values);
                    pairs.for_each(|(slot, value)| self.sums[*slot as usize].add(value.unwrap_or(0.0)));
                }
            }
        }
        for (kind, counts) in merge.shipped[PARTS..].iter().enumerate() {
            let Some(counts) = counts.array().as_primitive_opt::<Int64Type>() else { continue };
            for (slot, count) in merge.slots.iter().zip(counts.values()) {
                if *count != 0 {
                    let mut special = Special::default();
                    special[kind] = *count;
                    self.sums[*slot as usize].add_special(special);
                }
            }
        }
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        let parts: Vec<[f64; PARTS]> =
            self.sums[..groups].iter().map(ExactSum::parts).collect::<Option<_>>()?;
        let column = |part: usize| {
            let unused = part > 0 && parts.iter().all(|p| p[part] == 0.0);
            if unused { nothing(groups) } else { floats(parts.iter().map(|p| p[part])) }
        };
        let mut columns: Vec<Column> = (0..PARTS).map(column).collect();
        columns.extend((0..3).map(|_| nothing(groups)));
        Some(columns)
    }
    fn results(&mut self, slots: &[u32], _report: &mut dyn FnMut(DataError)) -> Column {
        floats(slots.iter().map(|slot| self.sums[*slot as usize].value()))
    }
    fn clear(&mut self, slot: u32) {
        self.sums[slot as usize] = ExactSum::default();
    }
    /// As many rows per group as its sum needs.
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let (mut owners, mut parts) = (Vec::new(), Vec::new());
        let mut special: [Vec<i64>; 3] = Default::default();
        for slot in slots {
            let sum = &self.sums[*slot as usize];
            for (i, part) in sum.all_parts().iter().copied().chain(std::iter::once(0.0)).enumerate() {
                owners.push(*slot);
                parts.push(part);
                let counts = if i == 0 { sum.special() } else { Special::default() };
                special.iter_mut().zip(counts).for_each(|(column, count)| column.push(count));
            }
        }
        let mut columns = vec![floats(parts)];
        columns.extend((1..PARTS).map(|_| nothing(owners.len())));
        columns.extend(special.into_iter().map(ints));
        saved(&owners, keys, columns)
    }
    fn per_group(&self) -> usize {
        size_of::<ExactSum>()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(FloatSum::default())
    }
}

/// Arithmetic mean: a sum and a count.
pub(super) struct Average {
    argument: DType,
    sum: Box<dyn Aggregate>,
    count: Count,
}

impl Average {
    pub(super) fn new(argument: &DType) -> Self {
        let sum: Box<dyn Aggregate> = match argument.unoptional() {
            DType::Int => Box::new(IntSum::default()),
            _ => Box::new(FloatSum::default()),
        };
        Average { argument: argument.clone(), sum, count: Count::default() }
    }
}

impl Aggregate for Average {
    fn width(&self) -> usize {
        1 + self.sum.width()
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let mut columns = self.count.lift(rows);
        columns.extend(self.sum.lift(rows));
        columns
    }
    fn grow(&mut self, groups: usize) {
        self.count.grow(groups);
        self.sum.grow(groups);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        self.count.merge(&Merge { shipped: &merge.shipped[..1], ..*merge });
        self.sum.merge(&Merge { shipped: &merge.shipped[1..], ..*merge });
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        let mut columns = self.count.partials(groups)?;
        columns.extend(self.sum.partials(groups)?);
        Some(columns)
    }
    fn adds_up(&self) -> bool {
        self.sum.adds_up()
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        let sums = self.sum.results(slots, report);
        let counts = slots.iter().map(|slot| self.count.counts[*slot as usize] as f64);
        match self.argument.unoptional() {
            DType::Int => {
                let sums = sums.array().as_primitive::<Int64Type>();
                floats(sums.values().iter().zip(counts).map(|(sum, n)| *sum as f64 / n))
            }
            _ => {
                let sums = sums.array().as_primitive::<Float64Type>();
                floats(sums.values().iter().zip(counts).map(|(sum, n)| sum / n))
            }
        }
    }
    fn clear(&mut self, slot: u32) {
        self.count.clear(slot);
        self.sum.clear(slot);
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        // The sum may need several rows per group; the count goes with the first of them.
        let sum = self.sum.save(slots, keys)?;
        let counts: std::collections::HashMap<u128, i64> =
            slots.iter().map(|s| (keys[*s as usize], self.count.counts[*s as usize])).collect();
        let mut seen = std::collections::HashSet::new();
        let column = sum.keys.as_slice().iter().map(|key| if seen.insert(*key) { counts[key] } else { 0 });
        let mut columns = vec![ints(column)];
        columns.extend(sum.columns);
        Ok(Batch { columns, ..sum })
    }
    fn per_group(&self) -> usize {
        self.sum.per_group() + self.count.per_group()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Average::new(&self.argument))
    }
}
