//! What stands at the ends of a text: `startswith`, `endswith`, `removeprefix`, `removesuffix`,
//! `strip`.

use arrow_buffer::BooleanBuffer;
use pathway_types::DType;

use super::super::call::Call;
use super::super::cast::write_texts;
use super::super::{bool_array, texts};
use super::is_space;
use crate::evaluate::cells::{Cells, Strict};

/// `str.starts_with`.
pub(crate) fn starts_with(call: &Call<'_>) -> Cells {
    test(call, |text, prefix| text.as_bytes().starts_with(prefix.as_bytes()))
}

/// `str.ends_with`.
pub(crate) fn ends_with(call: &Call<'_>) -> Cells {
    test(call, |text, suffix| text.as_bytes().ends_with(suffix.as_bytes()))
}

fn test(call: &Call<'_>, test: impl Fn(&str, &str) -> bool) -> Cells {
    let frame = Strict::of(&call.sides(), call.rows);
    let (values, affixes) = (texts(&call.operands[0]), texts(&call.operands[1]));
    let bits = BooleanBuffer::collect_bool(call.rows, |row| test(values.get(row), affixes.get(row)));
    frame.finish(|nulls| bool_array(bits, nulls))
}

/// `str.remove_prefix`.
pub(crate) fn remove_prefix(call: &Call<'_>) -> Cells {
    remove(call, |text, prefix| text.strip_prefix(prefix).unwrap_or(text))
}

/// `str.remove_suffix`.
pub(crate) fn remove_suffix(call: &Call<'_>) -> Cells {
    remove(call, |text, suffix| text.strip_suffix(suffix).unwrap_or(text))
}

fn remove(call: &Call<'_>, remove: impl for<'t> Fn(&'t str, &str) -> &'t str) -> Cells {
    let (values, affixes) = (texts(&call.operands[0]), texts(&call.operands[1]));
    write_texts(Strict::of(&call.sides(), call.rows), |out, row| {
        out.push_str(remove(values.get(row), affixes.get(row)));
    })
}

/// `str.strip`: white space, or the given characters, at both ends.
pub(crate) fn strip(call: &Call<'_>) -> Cells {
    let (values, sets) = (texts(&call.operands[0]), texts(&call.operands[1]));
    let mut frame = Strict::none_allowed(&call.sides(), call.rows);
    frame.refuse_none_in(call.side(0));
    let unset = call.operands[1].nones(&DType::optional(DType::Str), call.rows);
    write_texts(frame, |out, row| {
        let text = values.get(row);
        out.push_str(match &unset {
            Some(unset) if unset.value(row) => text.trim_matches(is_space),
            _ => {
                let set = sets.get(row);
                text.trim_matches(|c| set.contains(c))
            }
        });
    })
}
