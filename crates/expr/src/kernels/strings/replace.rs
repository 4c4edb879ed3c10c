//! `replace`.

use memchr::memmem::Finder;

use super::super::call::Call;
use super::super::cast::write_texts;
use super::super::{ints, texts};
use crate::evaluate::cells::{Cells, Strict};

/// `str.replace`: the first `count` occurrences, all if it is negative.
pub(crate) fn replace(call: &Call<'_>) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let [values, old, new] = [0, 1, 2].map(|i| texts(&call.operands[i]));
    let counts = ints(&call.operands[3]);
    let prepared = old.one().map(Finder::new);
    write_texts(frame, |out, row| {
        let (text, old, new) = (values.get(row), old.get(row), new.get(row));
        let count = usize::try_from(counts.get(row)).unwrap_or(usize::MAX);
        if old.is_empty() {
            between_all(out, text, new, count);
            return;
        }
        if let [byte] = *old.as_bytes() {
            replace_byte(out, text, byte, new, count);
            return;
        }
        let own;
        let finder = match &prepared {
            Some(finder) => finder,
            None => {
                own = Finder::new(old);
                &own
            }
        };
        let mut copied = 0;
        for at in finder.find_iter(text.as_bytes()).take(count) {
            out.push_str(&text[copied..at]);
            out.push_str(new);
            copied = at + old.len();
        }
        out.push_str(&text[copied..]);
    })
}

/// The empty text occurs before each character and at the end.
fn between_all(out: &mut String, text: &str, new: &str, count: usize) {
    let mut left = count;
    for c in text.chars() {
        if left > 0 {
            out.push_str(new);
            left -= 1;
        }
        out.push(c);
    }
    if left > 0 {
        out.push_str(new);
    }
}

/// A single byte, which in UTF-8 is a whole character, is found without setting up a search.
fn replace_byte(out: &mut String, text: &str, old: u8, new: &str, count: usize) {
    let (mut copied, mut left) = (0, count);
    for (at, byte) in text.bytes().enumerate() {
        if byte == old {
            if left == 0 {
                break;
            }
            left -= 1;
            out.push_str(&text[copied..at]);
            out.push_str(new);
            copied = at + 1;
        }
    }
    out.push_str(&text[copied..]);
}
