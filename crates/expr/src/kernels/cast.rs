//! `cast`: conversions between INT, FLOAT, BOOL and STR.

use arrow_buffer::BooleanBuffer;
use pathway_types::{DType, DataError};

use super::builder::TextBuilder;
use super::strings::parse::{parse_float, parse_int};
use super::{Lane, bool_array, bools, convert, float_array, floats, int_array, ints, map, texts, zip_bits};
use crate::evaluate::cells::{Cells, Strict};

/// The operand converted to `to`; None stays None if `to` is Optional and is an error otherwise.
pub(crate) fn cast(operand: &Cells, from: &DType, to: &DType, rows: usize) -> Cells {
    use DType::{Bool, Float, Int, Str};
    let (source, target) = (from.unoptional(), to.unoptional());
    let simple = |dtype: &DType| matches!(dtype, Int | Float | Bool | Str);
    if !simple(source) || !simple(target) || source == target {
        return convert::convert(operand, from, to, rows);
    }
    let operand = &operand.spread_none(from, rows);
    let mut frame = if to.is_optional() {
        let mut frame = Strict::none_allowed(&[(operand, from)], rows);
        if let Some(nones) = operand.nones(from, rows) {
            frame.give_none(&nones);
        }
        frame
    } else {
        Strict::of(&[(operand, target)], rows)
    };
    match (source, target) {
        (Int, Float) => {
            let values = map(ints(operand), rows, |v| v as f64);
            frame.finish(|nulls| float_array(values, nulls))
        }
        (Int, Bool) => {
            let bits = zip_bits(ints(operand), Lane::One(0), rows, |a, b| a != b);
            frame.finish(|nulls| bool_array(bits, nulls))
        }
        (Int, Str) => {
            let values = ints(operand);
            let mut digits = itoa::Buffer::new();
            write_texts(frame, |out, row| out.push_str(digits.format(values.get(row))))
        }
        (Float, Int) => {
            // `as` truncates, saturates, and takes NaN to zero.
            let values = map(floats(operand), rows, |v| v as i64);
            frame.finish(|nulls| int_array(values, nulls, &Int))
        }
        (Float, Bool) => {
            let bits = zip_bits(floats(operand), Lane::One(0.0), rows, |a, b| a != b);
            frame.finish(|nulls| bool_array(bits, nulls))
        }
        (Float, Str) => {
            let values = floats(operand);
            write_texts(frame, |out, row| pathway_types::text::write_plain_float(out, values.get(row)))
        }
        (Bool, Int) => {
            let bits = bools(operand, rows);
            let values = bits.iter().map(i64::from).collect();
            frame.finish(|nulls| int_array(values, nulls, &Int))
        }
        (Bool, Float) => {
            let bits = bools(operand, rows);
            let values = bits.iter().map(|bit| f64::from(u8::from(bit))).collect();
            frame.finish(|nulls| float_array(values, nulls))
        }
        (Bool, Str) => {
            let bits = bools(operand, rows);
            write_texts(frame, |out, row| out.push_str(if bits.value(row) { "True" } else { "False" }))
        }
        (Str, Bool) => {
            let values = texts(operand);
            let bits = BooleanBuffer::collect_bool(rows, |row| !values.get(row).is_empty());
            frame.finish(|nulls| bool_array(bits, nulls))
        }
        (Str, Int) => {
            let values = parse(operand, &mut frame, "int", parse_int);
            frame.finish(|nulls| int_array(values, nulls, &Int))
        }
        // The only pair left is STR to FLOAT.
        _ => {
            let values = parse(operand, &mut frame, "float", parse_float);
            frame.finish(|nulls| float_array(values, nulls))
        }
    }
}

fn parse<T: Default>(
    operand: &Cells,
    frame: &mut Strict,
    target: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let (values, rows) = (texts(operand), frame.rows());
    let mut parse_row = |row| {
        if !frame.is_valid(row) {
            return T::default();
        }
        parse(values.get(row)).unwrap_or_else(|| {
            let text = values.get(row);
            frame.fail(row, DataError::parse(format!("the text {text:?} cannot be cast to {target}")));
            T::default()
        })
    };
    (0..rows).map(&mut parse_row).collect()
}

/// A text per valid row.
pub(crate) fn write_texts(frame: Strict, mut write: impl FnMut(&mut String, usize)) -> Cells {
    let rows = frame.rows();
    let mut out = TextBuilder::new(rows, rows * 8);
    for row in 0..rows {
        if frame.is_valid(row) {
            write(out.text(), row);
        }
        out.end_row();
    }
    frame.finish(|nulls| out.finish(nulls))
}
