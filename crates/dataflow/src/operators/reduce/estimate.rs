//! An estimate of the number of distinct values in little memory, where rows are only added.
//!
//! HyperLogLog: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal
//! cardinality estimation algorithm", 2007, with the linear counting of small cardinalities.

use arrow_array::cast::AsArray;

use pathway_types::batch::hash_rows;
use pathway_types::{Batch, Column, ColumnBuilder, DType, DataError, Diffs, ErrorKind, Keys, Value};

use super::aggregate::{Aggregate, Merge, Rows};
use super::ordered::results_column;

/// `2^precision` registers per group.
pub(super) struct Estimate {
    arguments: Vec<DType>,
    precision: u8,
    groups: Vec<Group>,
}

#[derive(Clone, Default)]
struct Group {
    registers: Box<[u8]>,
    removed: bool,
}

impl Estimate {
    pub(super) fn new(arguments: Vec<DType>, precision: u8) -> Self {
        Estimate { arguments, precision, groups: Vec::new() }
    }

    fn registers(&mut self, slot: u32) -> &mut [u8] {
        let group = &mut self.groups[slot as usize];
        if group.registers.is_empty() {
            group.registers = vec![0; 1 << self.precision].into();
        }
        &mut group.registers
    }

    fn add(&mut self, slot: u32, key: u128) {
        let precision = u32::from(self.precision);
        let hash = (key >> 64) as u64;
        let register = (hash >> (64 - precision)) as usize;
        let rank = ((hash << precision) | (1 << (precision - 1))).leading_zeros() as u8 + 1;
        let old = &mut self.registers(slot)[register];
        *old = rank.max(*old);
    }
}

/// The number of distinct values that fill registers like these.
fn estimate(registers: &[u8]) -> i64 {
    if registers.is_empty() {
        return 0;
    }
    let m = registers.len() as f64;
    let alpha = match registers.len() {
        16 => 0.673,
        32 => 0.697,
        64 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / m),
    };
    let sum: f64 = registers.iter().map(|rank| 2f64.powi(-i32::from(*rank))).sum();
    let raw = alpha * m * m / sum;
    let zeros = registers.iter().filter(|rank| **rank == 0).count();
    let estimate = if raw <= 2.5 * m && zeros > 0 { m * (m / zeros as f64).ln() } else { raw };
    estimate.round() as i64
}

impl Aggregate for Estimate {
    /// The key of the arguments, and the registers, which only a saved state fills.
    fn width(&self) -> usize {
        2
    }
    fn lift(&self, rows: &Rows<'_>) -> Vec<Column> {
        let columns: Vec<(&Column, &DType)> = rows.arguments.iter().copied().zip(&self.arguments).collect();
        let hashed = hash_rows(&columns, None, rows.diffs.len());
        let keys: Vec<u128> = (0..rows.diffs.len())
            .map(|row| match rows.errors {
                Some(errors) if errors.value(row) => 0,
                _ => hashed.keys.as_slice()[row],
            })
            .collect();
        vec![Keys::from(keys).to_column(), Column::nulls(&DType::None, rows.diffs.len())]
    }
    fn grow(&mut self, groups: usize) {
        self.groups.resize(groups, Group::default());
    }
    fn merge(&mut self, merge: &Merge<'_>) {
        if let Some(saved) = merge.shipped[1].array().as_binary_opt::<i64>() {
            for (row, slot) in merge.slots.iter().enumerate() {
                let registers = self.registers(*slot);
                registers.iter_mut().zip(saved.value(row)).for_each(|(r, s)| *r = (*r).max(*s));
            }
            return;
        }
        let keys = Keys::of_column(&merge.shipped[0]);
        for (row, slot) in merge.slots.iter().enumerate() {
            match keys.as_slice()[row] {
                // The mark of a row whose argument is an error.
                0 => {}
                _ if merge.diffs.get(row) < 0 => self.groups[*slot as usize].removed = true,
                key => self.add(*slot, key),
            }
        }
    }
    fn partials(&self, _groups: usize) -> Option<Vec<Column>> {
        None
    }
    fn results(&mut self, slots: &[u32], report: &mut dyn FnMut(DataError)) -> Column {
        results_column(&DType::Int, slots, report, |slot| {
            if self.groups[slot].removed {
                let message =
                    "the count_distinct_approximate reducer needs input from which no row is removed";
                return Err(DataError::new(ErrorKind::Engine, message));
            }
            Ok(Value::Int(estimate(&self.groups[slot].registers)))
        })
    }
    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Group::default();
    }
    fn save(&mut self, slots: &[u32], keys: &[u128]) -> Result<Batch, DataError> {
        let mut registers = ColumnBuilder::new(&DType::Bytes, slots.len());
        let mut owners = Vec::new();
        for slot in slots {
            registers.push(&Value::Bytes(self.registers(*slot).into()));
            owners.push(keys[*slot as usize]);
        }
        let rows = owners.len();
        let columns = vec![Keys::from(vec![0; rows]).to_column(), registers.finish()];
        Ok(Batch::new(owners.into(), columns, Diffs::Ones(rows)))
    }
    fn per_group(&self) -> usize {
        size_of::<Group>() + (1 << self.precision)
    }
    fn fresh(&self) -> Box<dyn Aggregate> {
        Box::new(Estimate::new(self.arguments.clone(), self.precision))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_close() {
        for (distinct, precision) in [(10u64, 12), (1000, 12), (100_000, 12), (100_000, 14)] {
            let mut aggregate = Estimate::new(vec![DType::Int], precision);
            aggregate.grow(1);
            for i in 0..2 * distinct {
                let key = pathway_types::Key::of(&[Value::Int((i % distinct) as i64)]).unwrap();
                aggregate.add(0, key.0);
            }
            let estimate = estimate(&aggregate.groups[0].registers) as f64;
            let error = (estimate - distinct as f64).abs() / distinct as f64;
            assert!(error < 0.05, "{distinct} at {precision}: {estimate}");
        }
    }
}
