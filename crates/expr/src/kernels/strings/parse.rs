//! `parse_int`, `parse_float`, `parse_bool`, and the number forms that casts share.

use arrow_buffer::BooleanBufferBuilder;
use pathway_types::{DType, DataError, Value};

use super::super::call::Call;
use super::super::{bool_array, float_array, int_array, texts};
use crate::evaluate::cells::{Cells, Data, Strict, mask_of};

/// An optional sign and decimal digits inside white space.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Decimal and exponent forms, `inf`, `nan`, inside white space; what is too large is infinite.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// `str.parse_int`.
pub(crate) fn int(call: &Call<'_>) -> Cells {
    let (frame, values) = parse(call, "int", parse_int);
    frame.finish(|nulls| int_array(values, nulls, &DType::Int))
}

/// `str.parse_float`.
pub(crate) fn float(call: &Call<'_>) -> Cells {
    let (frame, values) = parse(call, "float", parse_float);
    frame.finish(|nulls| float_array(values, nulls))
}

/// `str.parse_bool`.
pub(crate) fn bool(call: &Call<'_>) -> Cells {
    let words = |i: usize| -> Vec<&str> {
        match &call.operands[i].data {
            Data::Scalar(Value::Tuple(words)) => words
                .iter()
                .filter_map(|word| if let Value::Str(word) = word { Some(&**word) } else { None })
                .collect(),
            _ => Vec::new(),
        }
    };
    let (yes, no) = (words(1), words(2));
    let answer = |text: &str| {
        let among = |words: &[&str]| words.contains(&text);
        if among(&yes) { Some(true) } else { among(&no).then_some(false) }
    };
    let (frame, values) = parse(call, "bool", |text| {
        let text = text.trim();
        if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            answer_lower(text, answer)
        } else {
            answer(text)
        }
    });
    let mut bits = BooleanBufferBuilder::new(call.rows);
    bits.append_slice(&values);
    let bits = bits.finish();
    frame.finish(|nulls| bool_array(bits, nulls))
}

fn answer_lower(text: &str, answer: impl Fn(&str) -> Option<bool>) -> Option<bool> {
    answer(&text.to_lowercase())
}

/// Parses each text; one that does not parse is None if the result may be, an error otherwise.
fn parse<T: Default>(call: &Call<'_>, target: &str, parse: impl Fn(&str) -> Option<T>) -> (Strict, Vec<T>) {
    let mut frame = Strict::of(&[call.side(0)], call.rows);
    let values = texts(&call.operands[0]);
    let optional = call.dtype.is_optional();
    let mut nones: Vec<u32> = Vec::new();
    let results = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return T::default();
        }
        let text = values.get(row);
        parse(text).unwrap_or_else(|| {
            if optional {
                nones.push(row as u32);
            } else {
                frame.fail(row, DataError::parse(format!("the text {text:?} is not of type {target}")));
            }
            T::default()
        })
    });
    let results = results.collect();
    if !nones.is_empty() {
        frame.give_none(&mask_of(nones.into_iter(), call.rows));
    }
    (frame, results)
}
