//! `.str` and the operators on text, with the meaning of Python's `str` methods: positions and
//! lengths count code points. Text that is ASCII throughout takes shortcuts over whole buffers.

pub(crate) mod affix;
pub(crate) mod case;
pub(crate) mod concat;
pub(crate) mod parse;
pub(crate) mod replace;
pub(crate) mod search;
pub(crate) mod slice;

use super::TextLane;

/// The offsets and bytes of a column whose text is ASCII throughout.
pub(crate) fn ascii<'a>(lane: &TextLane<'a>) -> Option<(&'a [i64], &'a [u8])> {
    let (offsets, bytes) = lane.each()?;
    let range = *offsets.first()? as usize..*offsets.last()? as usize;
    bytes[range].is_ascii().then_some((offsets, bytes))
}

/// Python's white space: Unicode's, and the four separators of ASCII.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Where a Python slice `[start:end]` of a text of `len` code points begins and ends.
pub(crate) fn slice_bounds(start: i64, end: i64, len: usize) -> (usize, usize) {
    let clamp = |position: i64| {
        let position = if position < 0 { position.saturating_add(len as i64) } else { position };
        position.clamp(0, len as i64) as usize
    };
    (clamp(start), clamp(end))
}

/// The byte position of a code point; the length for one past the last.
pub(crate) fn byte_position(text: &str, position: usize) -> usize {
    if text.is_ascii() {
        return position.min(text.len());
    }
    text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
}

/// The number of code points.
pub(crate) fn char_count(text: &str) -> usize {
    // Bytes that do not continue a code point; the loop vectorises.
    text.as_bytes().iter().filter(|byte| (**byte as i8) >= -0x40).count()
}
