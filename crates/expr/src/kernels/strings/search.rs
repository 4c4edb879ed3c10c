//! `count`, `find`, `rfind`.

use memchr::memmem::Finder;
use pathway_types::DType;

use super::super::call::Call;
use super::super::{int_array, ints, texts};
use super::{byte_position, char_count, slice_bounds};
use crate::evaluate::cells::{Cells, Strict};

/// `str.count`: occurrences that do not overlap; an empty text occurs between all characters.
pub(crate) fn count(call: &Call<'_>) -> Cells {
    search(call, 0, |part, needle| match needle.needle.is_empty() {
        true => Some(char_count(part) as i64 + 1),
        false => Some(needle.finder().find_iter(part.as_bytes()).count() as i64),
    })
}

/// `str.find`: position of the first occurrence, -1 if there is none.
pub(crate) fn find(call: &Call<'_>) -> Cells {
    search(call, -1, |part, needle| {
        let at = needle.finder().find(part.as_bytes())?;
        Some(needle.offset + char_count(&part[..at]) as i64)
    })
}

/// `str.rfind`: position of the last occurrence, -1 if there is none.
pub(crate) fn rfind(call: &Call<'_>) -> Cells {
    search(call, -1, |part, needle| {
        Some(needle.offset + char_count(&part[..part.rfind(needle.needle)?]) as i64)
    })
}

/// What is searched for in a part of a text.
struct Needle<'a> {
    needle: &'a str,
    /// Prepared if it is the same in all rows.
    prepared: Option<&'a Finder<'a>>,
    /// Code points before the part.
    offset: i64,
}

impl<'a> Needle<'a> {
    fn finder(&self) -> std::borrow::Cow<'_, Finder<'a>> {
        match self.prepared {
            Some(finder) => std::borrow::Cow::Borrowed(finder),
            None => std::borrow::Cow::Owned(Finder::new(self.needle)),
        }
    }
}

/// Searches the slice `[start:end]` of each text; `absent` where the slice is no slice or the search
/// finds nothing.
fn search(call: &Call<'_>, absent: i64, search: impl Fn(&str, &Needle<'_>) -> Option<i64>) -> Cells {
    let mut frame = Strict::none_allowed(&call.sides(), call.rows);
    frame.refuse_none_in(call.side(0));
    frame.refuse_none_in(call.side(1));
    let (values, needles) = (texts(&call.operands[0]), texts(&call.operands[1]));
    let (starts, ends) = (ints(&call.operands[2]), ints(&call.operands[3]));
    let unset = |i: usize| call.operands[i].nones(&DType::optional(DType::Int), call.rows);
    let (no_start, no_end) = (unset(2), unset(3));
    let finder = needles.one().map(Finder::new);
    let results = (0..call.rows).map(|row| {
        if !frame.is_valid(row) {
            return absent;
        }
        let text = values.get(row);
        let start = match &no_start {
            Some(unset) if unset.value(row) => 0,
            _ => starts.get(row),
        };
        let end = match &no_end {
            Some(unset) if unset.value(row) => i64::MAX,
            _ => ends.get(row),
        };
        let mut needle = Needle { needle: needles.get(row), prepared: finder.as_ref(), offset: 0 };
        if start == 0 && end == i64::MAX {
            return search(text, &needle).unwrap_or(absent);
        }
        let len = char_count(text);
        // A start beyond the end is not even an empty slice.
        if start > len as i64 {
            return absent;
        }
        let (from, to) = slice_bounds(start, end, len);
        if from > to {
            return absent;
        }
        let from_byte = byte_position(text, from);
        let rest = &text[from_byte..];
        needle.offset = from as i64;
        search(&rest[..byte_position(rest, to - from)], &needle).unwrap_or(absent)
    });
    let results = results.collect();
    frame.finish(|nulls| int_array(results, nulls, call.dtype))
}
