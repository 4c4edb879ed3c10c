//! Json access on the compact text itself: the wanted member is found by scanning, and nothing is
//! parsed that is not asked for.

use std::borrow::Cow;

use arrow_buffer::BooleanBufferBuilder;
use pathway_types::view::CellView;
use pathway_types::{DType, DataError, Value};

use super::builder::TextBuilder;
use super::{Lane, TextLane, bool_array, bools, float_array, floats, int_array, ints, texts};
use crate::evaluate::cells::{Cells, Strict, mask_of};

/// The text of the member `key` of an object; `None` if it has none or is no object.
pub(crate) fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let end_of_key = skip_string(bytes, at);
        let found = string_is(&text[at..end_of_key], key);
        at = skip_space(bytes, end_of_key);
        // The colon.
        at = skip_space(bytes, at + 1);
        let end = skip_value(bytes, at);
        if found {
            return text.get(at..end);
        }
        at = skip_space(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
    }
    None
}

/// The text of an element of an array, counted from the end if the index is negative; `None` if it has
/// none or is no array.
pub(crate) fn element(text: &str, index: i64) -> Option<&str> {
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => {
            let from_end = usize::try_from(index.unsigned_abs()).ok()?;
            elements(text)?.count().checked_sub(from_end)?
        }
    };
    elements(text)?.nth(index)
}

/// The texts of the elements of an array; `None` if it is no array.
fn elements(text: &str) -> Option<impl Iterator<Item = &str>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    Some(std::iter::from_fn(move || {
        if matches!(bytes.get(at), None | Some(b']')) {
            return None;
        }
        let (start, end) = (at, skip_value(bytes, at));
        at = skip_space(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        text.get(start..end)
    }))
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// The position after the string that starts at `at`.
fn skip_string(bytes: &[u8], at: usize) -> usize {
    /// Strings are short as a rule: a plain loop has found the end before a vectorised search starts.
    const SHORT: usize = 24;
    let mut at = at + 1;
    let mut steps = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
        steps += 1;
        if steps == SHORT {
            steps = 0;
            at += memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()).unwrap_or(0);
        }
    }
    bytes.len()
}

/// The position after the value that starts at `at`.
fn skip_value(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => {
            let mut depth = 0usize;
            let mut at = at;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = skip_string(bytes, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            bytes.len()
        }
        _ => {
            let rest = bytes.get(at..).unwrap_or_default();
            let len =
                rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r'));
            len.map_or(bytes.len(), |len| at + len)
        }
    }
}

/// True if the quoted string has this content.
fn string_is(quoted: &str, content: &str) -> bool {
    match quoted.len().checked_sub(2) {
        Some(len) if !quoted.contains('\\') => len == content.len() && &quoted[1..=len] == content,
        _ => unquote(quoted).is_some_and(|text| text == content),
    }
}

/// The content of a quoted string.
fn unquote(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// `json[index]`, with JSON null for what is missing.
pub(crate) fn get_item(object: (&Cells, &DType), index: (&Cells, &DType), rows: usize) -> Cells {
    let frame = Strict::of(&[object], rows);
    find(frame, object, index, |_| Some("null"))
}

/// `json.get(index, default)`.
pub(crate) fn get(
    object: (&Cells, &DType),
    index: (&Cells, &DType),
    default: (&Cells, &DType),
    dtype: &DType,
    rows: usize,
) -> Cells {
    let mut frame = Strict::none_allowed(&[object, default], rows);
    frame.refuse_none_in(object);
    let spread = default.0.spread_none(dtype, rows);
    let (defaults, none) = (texts(&spread), default.0.nones(default.1, rows));
    find(frame, object, index, |row| {
        if none.as_ref().is_some_and(|none| none.value(row)) { None } else { Some(defaults.get(row)) }
    })
}

/// The index of an access.
enum Index<'a> {
    Key(TextLane<'a>),
    Position(Lane<'a, i64>),
    /// Told by the value only; any other kind is an error.
    Any(&'a CellView<'a>),
}

impl Index<'_> {
    fn find<'t>(&self, document: &'t str, row: usize) -> Result<Option<&'t str>, DataError> {
        match self {
            Index::Key(keys) => Ok(member(document, keys.get(row))),
            Index::Position(positions) => Ok(element(document, positions.get(row))),
            Index::Any(view) => match view.value(row) {
                Value::Str(key) => Ok(member(document, &key)),
                Value::Int(position) => Ok(element(document, position)),
                other => {
                    Err(DataError::value(format!("an index into Json must be str or int, it is {other}")))
                }
            },
        }
    }
}

/// The member or element at `index`, or what `missing` gives.
fn find<'a>(
    mut frame: Strict,
    object: (&Cells, &DType),
    index: (&Cells, &DType),
    missing: impl Fn(usize) -> Option<&'a str>,
) -> Cells {
    let rows = frame.rows();
    frame.add_errors(index.0);
    let (column, view);
    let spread = index.0.spread_none(index.1, rows);
    let index = match index.1 {
        DType::Str => Index::Key(texts(&spread)),
        DType::Int => Index::Position(ints(&spread)),
        dtype => {
            column = spread.column(dtype, rows);
            view = CellView::new(&column, dtype);
            Index::Any(&view)
        }
    };
    let documents = texts(object.0);
    let mut out = TextBuilder::new(rows, 0);
    let mut nones: Vec<u32> = Vec::new();
    for row in 0..rows {
        if frame.is_valid(row) {
            match index.find(documents.get(row), row) {
                Ok(found) => match found.or_else(|| missing(row)) {
                    Some(text) => out.push_str(text),
                    None => nones.push(row as u32),
                },
                Err(error) => frame.fail(row, error),
            }
        }
        out.end_row();
    }
    if !nones.is_empty() {
        frame.give_none(&mask_of(nones.into_iter(), rows));
    }
    frame.finish(|nulls| out.finish(nulls))
}

/// `as_int`, `as_float`, `as_str`, `as_bool`: Json to a plain type; None and JSON null give the
/// default.
pub(crate) fn convert(
    operand: (&Cells, &DType),
    default: Option<(&Cells, &DType)>,
    unwrap: bool,
    dtype: &DType,
    rows: usize,
) -> Cells {
    let target = dtype.unoptional();
    let no_default = (Cells::scalar(Value::None, target, rows), DType::None);
    let default = default.unwrap_or((&no_default.0, &no_default.1));
    let mut frame = Strict::none_allowed(&[operand, default], rows);
    let documents = operand.0.spread_none(operand.1, rows);
    let documents = texts(&documents);
    let none = operand.0.nones(operand.1, rows);
    let no_value = default.0.nones(default.1, rows);
    let spread = default.0.spread_none(target, rows);

    // What each row gives: a document of the right kind, or nothing.
    let mut nones: Vec<u32> = Vec::new();
    let mut given = |row: usize| -> Given<'_> {
        if !frame.is_valid(row) {
            return Given::Nothing;
        }
        let document = documents.get(row).trim();
        if !none.as_ref().is_some_and(|none| none.value(row)) && document != "null" {
            return Given::Document(document);
        }
        if !no_value.as_ref().is_some_and(|none| none.value(row)) {
            return Given::Default;
        }
        if unwrap {
            let message = "None was found where a value is expected; give a default or do not ask to unwrap";
            frame.fail(row, DataError::value(message));
        } else {
            nones.push(row as u32);
        }
        Given::Nothing
    };
    let given: Vec<Given<'_>> = (0..rows).map(&mut given).collect();
    if !nones.is_empty() {
        frame.give_none(&mask_of(nones.into_iter(), rows));
    }
    let mut refuse = |row: usize, document: &str| {
        let name = crate::layout::kind_name(target);
        let mut shown: String = document.chars().take(80).collect();
        if shown.len() < document.len() {
            shown.push('…');
        }
        frame.fail(row, DataError::value(format!("the Json value {shown} is not of type {name}")));
    };
    match target {
        DType::Int => {
            let defaults = ints(&spread);
            let values = given.iter().enumerate().map(|(row, given)| match given {
                Given::Document(text) => text.parse::<i64>().unwrap_or_else(|_| {
                    refuse(row, text);
                    0
                }),
                Given::Default => defaults.get(row),
                Given::Nothing => 0,
            });
            let values = values.collect();
            frame.finish(|nulls| int_array(values, nulls, &DType::Int))
        }
        DType::Float => {
            let defaults = floats(&spread);
            let values = given.iter().enumerate().map(|(row, given)| match given {
                Given::Document(text) => number(text).unwrap_or_else(|| {
                    refuse(row, text);
                    0.0
                }),
                Given::Default => defaults.get(row),
                Given::Nothing => 0.0,
            });
            let values = values.collect();
            frame.finish(|nulls| float_array(values, nulls))
        }
        DType::Bool => {
            let defaults = bools(&spread, rows);
            let mut bits = BooleanBufferBuilder::new(rows);
            for (row, given) in given.iter().enumerate() {
                bits.append(match given {
                    Given::Document("true") => true,
                    Given::Document("false") => false,
                    Given::Document(text) => {
                        refuse(row, text);
                        false
                    }
                    Given::Default => defaults.value(row),
                    Given::Nothing => false,
                });
            }
            let bits = bits.finish();
            frame.finish(|nulls| bool_array(bits, nulls))
        }
        _ => {
            let defaults = texts(&spread);
            let mut out = TextBuilder::new(rows, 0);
            for (row, given) in given.iter().enumerate() {
                match given {
                    Given::Document(text) => match unquote(text) {
                        Some(text) => out.push_str(&text),
                        None => refuse(row, text),
                    },
                    Given::Default => out.push_str(defaults.get(row)),
                    Given::Nothing => {}
                }
                out.end_row();
            }
            frame.finish(|nulls| out.finish(nulls))
        }
    }
}

/// Where a converted value comes from.
#[derive(Clone, Copy)]
enum Given<'a> {
    Document(&'a str),
    Default,
    Nothing,
}

/// A JSON number.
fn number(text: &str) -> Option<f64> {
    text.bytes()
        .next()
        .is_some_and(|byte| byte == b'-' || byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests;
