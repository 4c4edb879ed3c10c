//! `+` on text, `*` of a text and a number.

use pathway_types::{DType, DataError};

use super::super::builder::TextBuilder;
use super::super::{ints, texts};
use crate::evaluate::cells::{Cells, Strict};

/// The longest text that `*` makes.
const LONGEST: usize = 1 << 31;

/// `left + right`.
pub(crate) fn concat(left: &Cells, right: &Cells, rows: usize) -> Cells {
    let frame = Strict::of(&[(left, &DType::Str), (right, &DType::Str)], rows);
    let (a, b) = (texts(left), texts(right));
    let size = |lane: &super::TextLane<'_>| match (lane.one(), lane.each()) {
        (Some(text), _) => text.len() * rows,
        (_, Some((offsets, _))) => (offsets[rows] - offsets[0]) as usize,
        _ => 0,
    };
    let mut out = TextBuilder::new(rows, size(&a) + size(&b));
    for row in 0..rows {
        out.push_str(a.get(row));
        out.push_str(b.get(row));
        out.end_row();
    }
    frame.finish(|nulls| out.finish(nulls))
}

/// `text * times`; nothing if `times` is not positive.
pub(crate) fn repeat(text: &Cells, times: &Cells, rows: usize) -> Cells {
    let mut frame = Strict::of(&[(text, &DType::Str), (times, &DType::Int)], rows);
    let (values, counts) = (texts(text), ints(times));
    let mut out = TextBuilder::new(rows, 0);
    for row in 0..rows {
        if frame.is_valid(row) {
            let text = values.get(row);
            let count = usize::try_from(counts.get(row)).unwrap_or(0);
            if text.len().saturating_mul(count) > LONGEST {
                let message = format!("a text of {} bytes repeated {count} times is too long", text.len());
                frame.fail(row, DataError::value(message));
            } else if !text.is_empty() {
                (0..count).for_each(|_| out.push_str(text));
            }
        }
        out.end_row();
    }
    frame.finish(|nulls| out.finish(nulls))
}
