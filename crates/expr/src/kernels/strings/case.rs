//! `lower`, `upper`, `title`, `swapcase`.

use std::sync::Arc;

use arrow_array::LargeStringArray;
use arrow_array::cast::AsArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::super::call::Call;
use super::super::cast::write_texts;
use super::super::texts;
use super::ascii;
use crate::evaluate::cells::{Cells, Data, Strict};

/// `str.lower`.
pub(crate) fn lower(call: &Call<'_>) -> Cells {
    by_bytes(call, <[u8]>::to_ascii_lowercase).unwrap_or_else(|| by_texts(call, lower_text))
}

/// `str.upper`.
pub(crate) fn upper(call: &Call<'_>) -> Cells {
    by_bytes(call, <[u8]>::to_ascii_uppercase).unwrap_or_else(|| by_texts(call, upper_text))
}

/// `str.swap_case`.
pub(crate) fn swap_case(call: &Call<'_>) -> Cells {
    let swap = |bytes: &[u8]| {
        let swap = |byte: &u8| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { *byte };
        bytes.iter().map(swap).collect()
    };
    by_bytes(call, swap).unwrap_or_else(|| {
        by_texts(call, |out, text| {
            for (at, c) in text.char_indices() {
                if c.is_uppercase() {
                    lower_char(out, text, at, c);
                } else if c.is_lowercase() {
                    out.extend(c.to_uppercase());
                } else {
                    out.push(c);
                }
            }
        })
    })
}

/// `str.title`: a cased letter after one that has no case is made title case, others lower case.
pub(crate) fn title(call: &Call<'_>) -> Cells {
    by_texts(call, |out, text| {
        let mut in_word = false;
        for (at, c) in text.char_indices() {
            if in_word {
                lower_char(out, text, at, c);
            } else {
                title_char(out, c);
            }
            in_word = is_cased(c);
        }
    })
}

/// Maps all bytes of an ASCII column at once; the offsets stay as they are.
fn by_bytes(call: &Call<'_>, map: impl Fn(&[u8]) -> Vec<u8>) -> Option<Cells> {
    let (offsets, bytes) = ascii(&texts(&call.operands[0]))?;
    let Data::Rows(column) = &call.operands[0].data else { return None };
    let frame = Strict::of(&call.sides(), call.rows);
    let (start, end) = (*offsets.first()?, *offsets.last()?);
    let mapped = map(&bytes[start as usize..end as usize]);
    let offsets = if start == 0 {
        column.array().as_string::<i64>().offsets().clone()
    } else {
        OffsetBuffer::new(ScalarBuffer::from(offsets.iter().map(|at| at - start).collect::<Vec<_>>()))
    };
    Some(frame.finish(|nulls| {
        // SAFETY: ASCII bytes were mapped to ASCII bytes one by one, and the offsets are those of
        // the operand, moved to begin at zero.
        Arc::new(unsafe { LargeStringArray::new_unchecked(offsets, Buffer::from_vec(mapped), nulls) })
    }))
}

fn by_texts(call: &Call<'_>, map: impl Fn(&mut String, &str)) -> Cells {
    let values = texts(&call.operands[0]);
    write_texts(Strict::of(&call.sides(), call.rows), |out, row| map(out, values.get(row)))
}

fn lower_text(out: &mut String, text: &str) {
    for (at, c) in text.char_indices() {
        lower_char(out, text, at, c);
    }
}

fn upper_text(out: &mut String, text: &str) {
    out.extend(text.chars().flat_map(char::to_uppercase));
}

/// The lower case of the code point at byte `at`; a sigma depends on what stands around it.
fn lower_char(out: &mut String, text: &str, at: usize, c: char) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
    } else if c == 'Σ' {
        out.push(if is_final_sigma(text, at) { 'ς' } else { 'σ' });
    } else {
        out.extend(c.to_lowercase());
    }
}

/// A sigma is final after a cased letter and not before one; case-ignorable characters between do
/// not count.
fn is_final_sigma(text: &str, at: usize) -> bool {
    let cased = |c: char| !is_case_ignorable(c);
    let before = text[..at].chars().rev().find(|c| cased(*c)).is_some_and(is_cased);
    let after = text[at + 'Σ'.len_utf8()..].chars().find(|c| cased(*c)).is_some_and(is_cased);
    before && !after
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title_case(c)
}

/// The digraphs that have a title case of their own, and Greek letters with a prosgegrammeni.
fn is_title_case(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | 'ᾈ'..='ᾏ' | 'ᾘ'..='ᾟ' | 'ᾨ'..='ᾯ' | 'ᾼ' | 'ῌ' | 'ῼ')
}

/// Marks and punctuation inside words that do not end them for the sigma rule.
fn is_case_ignorable(c: char) -> bool {
    matches!(
        c,
        '\'' | '.' | ':' | '^' | '`' | '\u{a8}' | '\u{ad}' | '\u{af}' | '\u{b4}' | '\u{b7}' | '\u{b8}'
            | '\u{2b0}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{200b}'..='\u{200f}'
            | '\u{2018}' | '\u{2019}' | '\u{2024}' | '\u{2027}' | '\u{20d0}'..='\u{20f0}' | '\u{fe00}'..='\u{fe0f}'
    )
}

/// The title case of a code point.
fn title_char(out: &mut String, c: char) {
    let single = match c {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Georgian letters are their own title case.
        'ა'..='ჺ' | 'ჽ'..='ჿ' => c,
        'ŉ' => {
            out.push_str("ʼN");
            return;
        }
        _ if c.is_ascii() => c.to_ascii_uppercase(),
        _ => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            // `ß` becomes `Ss`: what follows the first letter is lower case.
            out.extend(upper.flat_map(char::to_lowercase));
            return;
        }
    };
    out.push(single);
}
