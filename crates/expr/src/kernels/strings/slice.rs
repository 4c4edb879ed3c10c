//! `len`, `slice`, `reversed`.

use super::super::call::Call;
use super::super::cast::write_texts;
use super::super::{int_array, ints, texts};
use super::{ascii, byte_position, char_count, slice_bounds};
use crate::evaluate::cells::{Cells, Strict};

/// `str.len`.
pub(crate) fn len(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let values = texts(&call.operands[0]);
    let lengths = match ascii(&values) {
        Some((offsets, _)) => offsets.windows(2).map(|pair| pair[1] - pair[0]).collect(),
        None => (0..call.rows).map(|row| char_count(values.get(row)) as i64).collect(),
    };
    frame.finish(|nulls| int_array(lengths, nulls, call.dtype))
}

/// `str.slice`.
pub(crate) fn slice(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let values = texts(&call.operands[0]);
    let (starts, ends) = (ints(&call.operands[1]), ints(&call.operands[2]));
    write_texts(frame, |out, row| {
        let text = values.get(row);
        let (start, end) = (starts.get(row), ends.get(row));
        // Counting from the front needs no length.
        let (from, to) = match start >= 0 && end >= 0 {
            true => (start as usize, end as usize),
            false => slice_bounds(start, end, char_count(text)),
        };
        if from < to {
            let from_byte = byte_position(text, from);
            let rest = &text[from_byte..];
            out.push_str(&rest[..byte_position(rest, to - from)]);
        }
    })
}

/// `str.reverse`.
pub(crate) fn reverse(call: &Call<'_>) -> Cells {
    let values = texts(&call.operands[0]);
    write_texts(Strict::of(&call.sides(), call.rows), |out, row| out.extend(values.get(row).chars().rev()))
}
