//! `lower`, `upper`, `title`, `swapcase`.

use std::sync::Arc;

use arrow_array::LargeStringArray;
use arrow_array::cast::AsArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use smallvec::SmallVec;

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
            each_with_lower(text, |c, lower| {
                if c.is_uppercase() {
                    out.extend(lower);
                } else if c.is_lowercase() {
                    out.extend(c.to_uppercase());
                } else {
                    out.push(c);
                }
            });
        })
    })
}

/// `str.title`: a cased letter after one that has no case is made title case, others lower case.
pub(crate) fn title(call: &Call<'_>) -> Cells {
    by_texts(call, |out, text| {
        let mut in_word = false;
        each_with_lower(text, |c, lower| {
            if in_word {
                out.extend(lower);
            } else {
                title_char(out, c);
            }
            in_word = is_cased(c);
        });
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

/// Code point by code point, but for a sigma, whose lower case depends on what stands around it.
fn lower_text(out: &mut String, text: &str) {
    if text.contains('Σ') {
        out.push_str(&text.to_lowercase());
    } else {
        out.extend(text.chars().flat_map(char::to_lowercase));
    }
}

fn upper_text(out: &mut String, text: &str) {
    out.extend(text.chars().flat_map(char::to_uppercase));
}

/// Calls `f` with each code point and its lower case at that place of the text.
fn each_with_lower(text: &str, mut f: impl FnMut(char, &mut dyn Iterator<Item = char>)) {
    if text.contains('Σ') {
        let lowered = text.to_lowercase();
        let mut lowered = lowered.chars();
        for c in text.chars() {
            // As many code points as without a context: only which sigma it is differs.
            let lower: SmallVec<[char; 4]> = lowered.by_ref().take(c.to_lowercase().len()).collect();
            f(c, &mut lower.into_iter());
        }
    } else {
        text.chars().for_each(|c| f(c, &mut c.to_lowercase()));
    }
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title_case(c)
}

/// The digraphs that have a title case of their own, and Greek letters with a prosgegrammeni.
fn is_title_case(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | 'ᾈ'..='ᾏ' | 'ᾘ'..='ᾟ' | 'ᾨ'..='ᾯ' | 'ᾼ' | 'ῌ' | 'ῼ')
}

/// The title case of a code point.
fn title_char(out: &mut String, c: char) {
    let single = match c {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Greek letters with an iota below: the capital with an iota beside it is one letter too, eight
        // code points on.
        'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => char::from_u32(c as u32 + 8).unwrap_or(c),
        'ᾳ' => 'ᾼ',
        'ῃ' => 'ῌ',
        'ῳ' => 'ῼ',
        _ if is_title_case(c) => c,
        // With an accent as well, the iota stays below as a mark.
        'ᾲ' | 'ᾴ' | 'ᾷ' | 'ῂ' | 'ῄ' | 'ῇ' | 'ῲ' | 'ῴ' | 'ῷ' => {
            let marks = c.to_uppercase().map(|upper| if upper == 'Ι' { '\u{345}' } else { upper });
            out.extend(marks);
            return;
        }
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
