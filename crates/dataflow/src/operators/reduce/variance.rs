//! Population variance and standard deviation.
//!
//! Kept are the number of values, their sum and the sum of their squares, both without rounding error
//! ([`super::exact_sum`]): a removal leaves what was there before, and the result is that of the values that
//! are left, in whatever order they came. It is rounded at the end only, so that values far from zero and
//! close to each other are no problem. Integers beyond 2^53 are rounded to floats first.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, Float64Array};
use arrow_buffer::ScalarBuffer;

use pathway_types::{Batch, Column, DType, DataError};

use super::aggregate::{Aggregate, Merge, Rows};
use super::exact_sum::ExactSum;
use super::linear::{Count, FloatSum};

/// The variance of each group, or the square root of it.
pub(super) struct Variance {
    argument: DType,
    root: bool,
    count: Count,
    sum: FloatSum,
    squares: FloatSum,
}

/// Places of shipped columns: the count, then those of three sums: of the values, of the rounded squares, and
/// of what was lost by the rounding.
struct Width {
    sum: usize,
}

impl Width {
    fn blocks<'a>(&self, shipped: &'a [Column]) -> [&'a [Column]; 4] {
        let sum = self.sum;
        [
            &shipped[..1],
            &shipped[1..1 + sum],
            &shipped[1 + sum..1 + 2 * sum],
            &shipped[1 + 2 * sum..1 + 3 * sum],
        ]
    }
}

impl Variance {
    pub(super) fn new(argument: &DType, root: bool) -> Self {
        let (sum, squares) = (FloatSum::default(), FloatSum::default());
        Variance { argument: argument.clone(), root, count: Count::default(), sum, squares }
    }

    fn widths(&self) -> Width {
        Width { sum: self.sum.width() }
    }

    /// Columns that add nothing, in the form of a sum.
    fn nothing(&self, rows: usize) -> Vec<Column> {
        let mut empty = FloatSum::default();
        empty.grow(rows);
        empty.partials(rows).unwrap_or_default()
    }

    fn result(&self, slot: usize) -> f64 {
        let variance = variance(self.count.of(slot) as f64, self.sum.of(slot), self.squares.of(slot));
        if self.root { variance.sqrt() } else { variance }
    }
}

/// `(n * squares - sum * sum) / (n * n)`, rounded where it is divided.
fn variance(n: f64, sum: &ExactSum, squares: &ExactSum) -> f64 {
    if sum.special() != [0; 3] {
        return f64::NAN;
    }
    if squares.special() != [0; 3] {
        return f64::INFINITY;
    }
    let mut total = ExactSum::default();
    let mut add = |a: f64, b: f64, sign: f64| {
        let product = a * b;
        let lost = a.mul_add(b, -product);
        for part in [product, lost] {
            if !part.is_finite() {
                return false;
            }
            total.add(sign * part);
        }
        true
    };
    let exact = squares.all_parts().iter().all(|part| add(*part, n, 1.0))
        && sum.all_parts().iter().all(|a| sum.all_parts().iter().all(|b| add(*a, *b, -1.0)));
    let variance = if exact {
        total.value() / n / n
    } else {
        // The products are beyond the range of floats.
        let mean = sum.value() / n;
        squares.value() / n - mean * mean
    };
    variance.max(0.0)
}

impl Aggregate for Variance {
    fn width(&self) -> usize {
        1 + 3 * self.sum.width()
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let argument = rows.arguments[0];
        let values: ScalarBuffer<f64> = match self.argument.unoptional() {
            DType::Int => argument
                .array()
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .map(|value| *value as f64)
                .collect(),
            _ => argument.array().as_primitive::<Float64Type>().values().clone(),
        };
        let square = |value: f64| value * value;
        let lost = |value: f64| match square(value) {
            square if square.is_finite() => value.mul_add(value, -square),
            _ => 0.0,
        };
        let column = |of: &dyn Fn(f64) -> f64| {
            let cells: ScalarBuffer<f64> = values.iter().map(|value| of(*value)).collect();
            Column::new(Arc::new(Float64Array::new(cells, argument.array().nulls().cloned())))
        };
        let mut columns = self.count.lift(rows);
        for cells in [column(&|value| value), column(&square), column(&lost)] {
            columns.extend(self.sum.lift(&Rows { arguments: vec![&cells], ..*rows }));
        }
        columns
    }
    fn grow(&mut self, groups: usize) {
        self.count.grow(groups);
        self.sum.grow(groups);
        self.squares.grow(groups);
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        let [count, sum, squares, lost] = self.widths().blocks(merge.shipped);
        self.count.merge(&Merge { shipped: count, ..*merge });
        self.sum.merge(&Merge { shipped: sum, ..*merge });
        self.squares.merge(&Merge { shipped: squares, ..*merge });
        self.squares.merge(&Merge { shipped: lost, ..*merge });
    }
    fn partials(&self, groups: usize) -> Option<Vec<Column>> {
        let mut columns = self.count.partials(groups)?;
        columns.extend(self.sum.partials(groups)?);
        columns.extend(self.squares.partials(groups)?);
        columns.extend(self.nothing(groups));
        Some(columns)
    }
    fn results(&mut self, slots: &[u32], _report: &mut dyn FnMut(DataError)) -> Column {
        let results = slots.iter().map(|slot| self.result(*slot as usize));
        Column::new(Arc::new(results.collect::<Float64Array>()))
    }
    fn clear(&mut self, slot: u32) {
        self.count.clear(slot);
        self.sum.clear(slot);
        self.squares.clear(slot);
    }
    /// Rows of the counts, then of the sums, then of the squares, each as many as it needs.
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let parts =
            [self.count.save(slots, keys)?, self.sum.save(slots, keys)?, self.squares.save(slots, keys)?];
        let mut all = Vec::with_capacity(parts.len());
        for (which, part) in parts.into_iter().enumerate() {
            let rows: Vec<u32> = (0..part.len() as u32).collect();
            let (mut no_count, mut no_sum) = (Count::default(), FloatSum::default());
            no_count.grow(rows.len());
            no_sum.grow(rows.len());
            let no_count = no_count.save(&rows, part.keys.as_slice())?.columns;
            let no_sum = no_sum.save(&rows, part.keys.as_slice())?.columns;
            // Sums are saved in columns of the same layout whatever they are.
            let mut blocks = [no_count, no_sum.clone(), no_sum.clone(), no_sum];
            blocks[which] = part.columns.clone();
            all.push(Batch { columns: blocks.concat(), ..part });
        }
        Ok(Batch::concat(&all))
    }
    fn per_group(&self) -> usize {
        self.count.per_group() + 3 * self.sum.per_group()
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Variance::new(&self.argument, self.root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> f64 {
        let (mut sum, mut squares) = (ExactSum::default(), ExactSum::default());
        for value in values {
            sum.add(*value);
            squares.add(value * value);
            squares.add(value.mul_add(*value, -(value * value)));
        }
        variance(values.len() as f64, &sum, &squares)
    }

    #[test]
    fn is_that_of_the_values() {
        for (values, expected) in [
            (&[3.0][..], 0.0),
            (&[1.0, 3.0], 1.0),
            (&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 4.0),
            // What is close to each other far from zero.
            (&[1e9 + 1.0, 1e9 + 3.0], 1.0),
            (&[1e15, 1e15 + 0.5], 0.0625),
            (&[2f64.powi(500), -(2f64.powi(500))], 2f64.powi(1000)),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
        assert_eq!(of(&[0.1; 7]), 0.0);
    }

    #[test]
    fn infinite_and_huge_values() {
        let mut sum = ExactSum::default();
        let mut squares = ExactSum::default();
        squares.add_special([0, 1, 0]);
        assert_eq!(variance(1.0, &sum, &squares), f64::INFINITY);
        sum.add_special([0, 0, 1]);
        assert!(variance(1.0, &sum, &squares).is_nan());
    }
}
