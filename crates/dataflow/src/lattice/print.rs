//! Prints of rows: 128 bits per row that stand for its cells.
//!
//! Chunks order rows of one key by print and take rows with equal prints as equal, as row keys,
//! which are hashes of the same width, are taken as exact. Cells that compare as equal ([`pathway_types::view::CellView`]) print alike:
//! floats by value, everything else by its bits.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use xxhash_rust::xxh3::xxh3_128;

use pathway_types::Column;

use super::fitted;

/// Stand for cells without a value; a 64-bit value never has these bits.
const NONE: u128 = 1 << 64;
const ERROR: u128 = 2 << 64;
const PENDING: u128 = 3 << 64;

/// Random bits: what to multiply with (odd), and where rows, tuples and lists start from.
const FACTOR: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
const ROW: u128 = 0x2411_5F2B_7DA2_9B64_D13B_0F0E_5A8B_7C91;
const TUPLE: u128 = 0x8B6F_51C0_93A4_E21D_47D5_2C6A_B81E_60F3;
const LIST: u128 = 0x53E9_1D87_0C4A_B6F2_A97C_E35D_1604_8FB2;

/// Adds one cell to a row's print. Different cells after equal prints give different prints.
#[inline]
fn mix(print: u128, cell: u128) -> u128 {
    let product = (print.rotate_left(41) ^ cell).wrapping_mul(FACTOR);
    product ^ (product >> 64)
}

/// The prints of the rows of these columns.
pub(super) fn prints(columns: &[Column], rows: usize) -> Vec<u128> {
    let mut prints = Vec::with_capacity(rows);
    add_prints(columns, rows, &mut prints);
    prints
}

/// Adds the prints of the rows of these columns to those of others.
pub(super) fn add_prints(columns: &[Column], rows: usize, all: &mut Vec<u128>) {
    let before = all.len();
    all.resize(before + rows, ROW);
    let prints = &mut all[before..];
    for column in columns {
        match (column.errors(), column.pending()) {
            (None, None) => add_array(column.array(), prints),
            (errors, pending) => {
                let before = prints.to_vec();
                add_array(column.array(), prints);
                for (mask, tag) in [(errors, ERROR), (pending, PENDING)] {
                    for row in mask.into_iter().flat_map(|mask| mask.set_indices()) {
                        prints[row] = mix(before[row], tag);
                    }
                }
            }
        }
    }
}

/// The prints of the rows of a chunk. What follows at once from the cells is not kept beside them.
#[derive(Clone, Debug)]
pub(super) enum Prints {
    /// Of rows without cells.
    Same,
    /// Of rows of one number, by its bits.
    Narrow(ScalarBuffer<u64>),
    /// One for each row.
    Each(ScalarBuffer<u128>),
}

impl Prints {
    /// The prints of the rows of these columns, which are known.
    pub(super) fn new(columns: &[Column], known: Vec<u128>) -> Prints {
        match columns {
            [] => Prints::Same,
            [column] => narrow(column).map_or_else(|| Prints::Each(fitted(known).into()), Prints::Narrow),
            _ => Prints::Each(fitted(known).into()),
        }
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Prints::Same | Prints::Narrow(_) => 0,
            Prints::Each(prints) => size_of_val(&**prints),
        }
    }

    /// The print of a row.
    #[inline]
    pub(super) fn get(&self, row: usize) -> u128 {
        match self {
            Prints::Same => ROW,
            Prints::Narrow(bits) => mix(ROW, u128::from(bits[row])),
            Prints::Each(prints) => prints[row],
        }
    }

    /// Those of a range of rows.
    pub(super) fn slice(&self, offset: usize, len: usize) -> Prints {
        match self {
            Prints::Same => Prints::Same,
            Prints::Narrow(bits) => Prints::Narrow(bits.slice(offset, len)),
            Prints::Each(prints) => Prints::Each(prints.slice(offset, len)),
        }
    }

    /// Adds those of a range of rows to others.
    pub(super) fn add_to(&self, rows: Range<usize>, all: &mut Vec<u128>) {
        match self {
            Prints::Each(prints) => all.extend_from_slice(&prints[rows]),
            _ => all.extend(rows.map(|row| self.get(row))),
        }
    }
}

/// The bits of a column of nothing but numbers that are printed by their bits.
fn narrow(column: &Column) -> Option<ScalarBuffer<u64>> {
    let array = column.array();
    let plain = column.errors().is_none() && column.pending().is_none() && array.null_count() == 0;
    let by_bits =
        matches!(array.data_type(), DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_));
    (plain && by_bits).then(|| bits(array))
}

/// The values of an array of numbers of 64 bits.
fn bits(array: &ArrayRef) -> ScalarBuffer<u64> {
    let data = array.to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

/// Adds the cell of each row that `cell` gives, or none where it is null.
#[inline]
fn add_cells(nulls: Option<&NullBuffer>, prints: &mut [u128], cell: impl Fn(usize) -> u128) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => prints.iter_mut().enumerate().for_each(|(row, print)| *print = mix(*print, cell(row))),
        Some(nulls) => {
            for (row, print) in prints.iter_mut().enumerate() {
                *print = mix(*print, if nulls.is_valid(row) { cell(row) } else { NONE });
            }
        }
    }
}

fn add_array(array: &ArrayRef, prints: &mut [u128]) {
    let nulls = array.nulls();
    match array.data_type() {
        DataType::Null => {}
        DataType::Boolean => {
            let values = array.as_boolean().values();
            add_cells(nulls, prints, |row| u128::from(values.value(row)));
        }
        DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
            let values = bits(array);
            add_cells(nulls, prints, |row| u128::from(values[row]));
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            add_cells(nulls, prints, |row| u128::from(float_bits(values[row])));
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>().values();
            add_cells(nulls, prints, |row| values[row] as u128);
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            add_cells(nulls, prints, |row| xxh3_128(values.value(row).as_bytes()));
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            add_cells(nulls, prints, |row| xxh3_128(values.value(row)));
        }
        DataType::Struct(_) => {
            let mut inner = vec![TUPLE; array.len()];
            array.as_struct().columns().iter().for_each(|member| add_array(member, &mut inner));
            add_cells(nulls, prints, |row| inner[row]);
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[array.len()] as usize);
            let mut inner = vec![LIST; last - first];
            add_array(&list.values().slice(first, last - first), &mut inner);
            add_cells(nulls, prints, |row| {
                let members = &inner[offsets[row] as usize - first..offsets[row + 1] as usize - first];
                members.iter().fold(LIST ^ members.len() as u128, |print, member| mix(print, *member))
            });
        }
        other => {
            // `pathway_types::storage` lays dtypes out in the types above only.
            #[allow(clippy::panic)]
            {
                panic!("a column cannot be of the Arrow type {other}")
            }
        }
    }
}

/// Bits that equal floats share.
#[inline]
fn float_bits(value: f64) -> u64 {
    if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() }
}

#[cfg(test)]
mod tests;
