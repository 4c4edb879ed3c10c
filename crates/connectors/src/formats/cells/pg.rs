//! Cells from the text of a PostgreSQL value, as a server shows it with ISO dates in UTC.
//!
//! | dtype | accepted text |
//! |---|---|
//! | INT, FLOAT | numbers |
//! | BOOL | `t`, `f` |
//! | STR, ANY | every text, as it is |
//! | BYTES, PyObjectWrapper | `\x` and hexadecimal digits |
//! | Json | JSON |
//! | naive datetime | a timestamp or a date; UTC ones have an offset |
//! | DURATION | microseconds, an interval without months, a time of day |
//! | pointer | `^` and 26 characters |
//! | List, Tuple, Array | `{…}`, or `[…]` of a vector |

use std::sync::Arc;

use pathway_types::{DType, JsonText, Key, NdArray, PyObject, Value};

use super::text::push_json_text;
use super::{CellBuilder, Data, Fault};
use crate::formats::{datetime, number};

/// Why a text was not accepted, where more can be said than what was expected.
type Why = &'static str;

impl CellBuilder {
    /// Appends the cell that `text` stands for (valid UTF-8), or that of NULL.
    #[inline]
    pub(crate) fn push_pg(&mut self, text: Option<&[u8]>) -> Result<(), Fault> {
        let Some(text) = text else {
            if self.optional || matches!(self.dtype, DType::None | DType::Any) {
                self.push_none();
                return Ok(());
            }
            return self.fail(b"NULL", "the column is not Optional");
        };
        let converted = match &mut self.data {
            Data::Str(cells) => {
                cells.push(text);
                return Ok(());
            }
            Data::Int(cells) => number::parse_int(text).map(|value| cells.push(value)).ok_or(""),
            Data::Float(cells) => number::parse_float(text).map(|value| cells.push(value)).ok_or(""),
            Data::Bool(cells) => boolean(text).map(|value| cells.append(value)).ok_or(""),
            Data::Json(cells) => push_json_text(cells, text),
            Data::Bytes(cells) => match hexadecimal(text, &mut cells.bytes) {
                Ok(()) => {
                    cells.close();
                    Ok(())
                }
                Err(why) => {
                    cells.undo();
                    Err(why)
                }
            },
            Data::DateTimeNaive(cells) => moment(text, false).map(|value| cells.push(value)),
            Data::DateTimeUtc(cells) => moment(text, true).map(|value| cells.push(value)),
            Data::Duration(cells) => span(text).map(|value| cells.push(value)),
            Data::Pointer(cells) => pointer(text).map(|key| cells.push(key.0 as i128)),
            Data::Values(cells) => value_of(&self.dtype, text).map(|value| cells.push(&value)),
        };
        match converted {
            Ok(()) => Ok(()),
            Err(why) => self.fail(text, why),
        }
    }
}

fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"t" | b"true" => Some(true),
        b"f" | b"false" => Some(false),
        _ => None,
    }
}

fn pointer(text: &[u8]) -> Result<Key, Why> {
    std::str::from_utf8(text).ok().and_then(Key::parse).ok_or("^ and 26 characters are expected")
}

/// Appends the bytes of `\x0a…`.
fn hexadecimal(text: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
    const EXPECTED: Why = "\\x and pairs of hexadecimal digits are expected";
    let digits = text.strip_prefix(b"\\x").filter(|digits| digits.len() % 2 == 0).ok_or(EXPECTED)?;
    out.reserve(digits.len() / 2);
    let digit = |c: u8| char::from(c).to_digit(16);
    for pair in digits.chunks_exact(2) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return Err(EXPECTED) };
        out.push((high << 4 | low) as u8);
    }
    Ok(())
}

/// A timestamp or a date, in nanoseconds.
fn moment(text: &[u8], utc: bool) -> Result<i64, Why> {
    let offset_is_short = text.len() > 3 && matches!(text[text.len() - 3], b'+' | b'-');
    if !(utc && offset_is_short) {
        return if utc { datetime::parse_utc(text) } else { datetime::parse_naive(text) };
    }
    let mut buffer = [b'0'; 48];
    let place = buffer.get_mut(..text.len()).filter(|_| text.len() + 2 <= 48);
    place.ok_or("it is too long for a moment in time")?.copy_from_slice(text);
    datetime::parse_utc(&buffer[..text.len() + 2])
}

/// Microseconds, an interval or a time of day, in nanoseconds.
fn span(text: &[u8]) -> Result<i64, Why> {
    const FAR: Why = "it is too long to be held";
    if let Some(micros) = number::parse_int(text) {
        return micros.checked_mul(1000).ok_or(FAR);
    }
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    let mut nanos: i128 = 0;
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        if word.contains(':') {
            nanos += clock(word).ok_or("hours, minutes and seconds are expected")?;
            continue;
        }
        let count: i128 = word.parse().map_err(|_| "an interval is expected")?;
        match words.next().unwrap_or_default() {
            "day" | "days" => nanos += count * 86_400_000_000_000,
            _ => return Err("months and years have no length of their own"),
        }
    }
    i64::try_from(nanos).map_err(|_| FAR)
}

/// `-01:02:03.5` in nanoseconds.
fn clock(text: &str) -> Option<i128> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.split(':');
    let (hours, minutes): (i128, i128) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (whole, fraction) = parts.next()?.split_once('.').unwrap_or((text.rsplit(':').next()?, ""));
    let seconds: i128 = whole.parse().ok()?;
    let digits = fraction.len() as u32;
    let fraction: i128 = if digits == 0 { 0 } else { fraction.parse().ok()? };
    let nanos = fraction * 10i128.checked_pow(9u32.checked_sub(digits)?)?;
    Some(sign * ((hours * 3600 + minutes * 60 + seconds) * 1_000_000_000 + nanos))
}

/// The value of a dtype that has no builder of its own, or of a member of one.
fn value_of(dtype: &DType, text: &[u8]) -> Result<Value, Why> {
    let utf8 = || std::str::from_utf8(text).map_err(|_| "it is not UTF-8");
    let bytes = || {
        let mut bytes = Vec::new();
        hexadecimal(text, &mut bytes).map(|()| bytes)
    };
    Ok(match dtype {
        DType::Optional(inner) => value_of(inner, text)?,
        DType::Int => Value::Int(number::parse_int(text).ok_or("")?),
        DType::Float => Value::Float(number::parse_float(text).ok_or("")?),
        DType::Bool => Value::Bool(boolean(text).ok_or("")?),
        DType::Str | DType::Any => Value::from(utf8()?),
        DType::Bytes => Value::Bytes(bytes()?.into()),
        DType::PyObject(_) => Value::PyObject(PyObject::new(bytes()?)),
        DType::Json => {
            let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
            Value::Json(JsonText::from_value(&value))
        }
        DType::DateTimeNaive => Value::DateTimeNaive(moment(text, false)?),
        DType::DateTimeUtc => Value::DateTimeUtc(moment(text, true)?),
        DType::Duration => Value::Duration(span(text)?),
        DType::Pointer(_) => Value::Pointer(pointer(text)?),
        DType::List(_) | DType::Tuple(_) => sequence(dtype, &tree(text)?)?,
        DType::Array { n_dim, element } => array(*n_dim, element, &tree(text)?)?,
        _ => return Err("no column of a database has this type"),
    })
}

/// An array as it is written.
enum Node {
    Null,
    Leaf(Vec<u8>),
    List(Vec<Node>),
}

/// Takes `{1,NULL,"a,b"}` or `[1,2]` apart.
fn tree(text: &[u8]) -> Result<Node, Why> {
    const EXPECTED: Why = "an array in braces is expected";
    // Bounds other than 1 stand in front: `[0:2]={…}`.
    let bounds = text.windows(2).position(|pair| pair == b"={").filter(|_| text.first() == Some(&b'['));
    let text = bounds.map_or(text, |at| &text[at + 1..]);
    let (close, text) = match text {
        [b'[', rest @ ..] => (b']', rest),
        [b'{', rest @ ..] => (b'}', rest),
        _ => return Err(EXPECTED),
    };
    let mut open: Vec<Vec<Node>> = vec![Vec::new()];
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'{' => open.push(Vec::new()),
            c if c == close => {
                let done = open.pop().ok_or(EXPECTED)?;
                match open.last_mut() {
                    Some(outer) => outer.push(Node::List(done)),
                    None if at + 1 == text.len() => return Ok(Node::List(done)),
                    None => return Err(EXPECTED),
                }
            }
            b',' => {}
            b'"' => {
                let mut leaf = Vec::new();
                at += 1;
                while *text.get(at).ok_or(EXPECTED)? != b'"' {
                    at += usize::from(text[at] == b'\\');
                    leaf.push(*text.get(at).ok_or(EXPECTED)?);
                    at += 1;
                }
                open.last_mut().ok_or(EXPECTED)?.push(Node::Leaf(leaf));
            }
            _ => {
                let ends = |c: &u8| matches!(c, b',' | b'}' | b']');
                let length = text[at..].iter().position(ends).ok_or(EXPECTED)?;
                let leaf = &text[at..at + length];
                let is_null = leaf.eq_ignore_ascii_case(b"null");
                let node = if is_null { Node::Null } else { Node::Leaf(leaf.to_vec()) };
                open.last_mut().ok_or(EXPECTED)?.push(node);
                at += length;
                continue;
            }
        }
        at += 1;
    }
    Err(EXPECTED)
}

fn sequence(dtype: &DType, node: &Node) -> Result<Value, Why> {
    Ok(match (dtype, node) {
        (DType::Optional(_) | DType::Any | DType::None, Node::Null) => Value::None,
        (_, Node::Null) => return Err("a member is NULL and its type is not Optional"),
        (DType::Optional(inner), node) => sequence(inner, node)?,
        (DType::Tuple(dtypes), Node::List(members)) => {
            if dtypes.len() != members.len() {
                return Err("it has another number of members");
            }
            let members = dtypes.iter().zip(members).map(|(dtype, member)| sequence(dtype, member));
            Value::Tuple(members.collect::<Result<Arc<[Value]>, Why>>()?)
        }
        (DType::List(member), Node::List(members)) => {
            let members = members.iter().map(|node| sequence(member, node));
            Value::Tuple(members.collect::<Result<Arc<[Value]>, Why>>()?)
        }
        (dtype @ DType::Array { .. }, Node::List(_)) => {
            let DType::Array { n_dim, element } = dtype else { return Err("") };
            array(*n_dim, element, node)?
        }
        (_, Node::List(_)) => return Err("it has more dimensions than its type"),
        (dtype, Node::Leaf(text)) => value_of(dtype, text)?,
    })
}

fn array(n_dim: Option<usize>, element: &DType, node: &Node) -> Result<Value, Why> {
    let (mut shape, mut leaves) = (Vec::new(), Vec::new());
    collect(node, 0, &mut shape, &mut leaves)?;
    // An array without elements has lost its shape.
    if leaves.is_empty()
        && let Some(n_dim) = n_dim
    {
        shape = vec![0; n_dim];
    }
    if n_dim.is_some_and(|n_dim| n_dim != shape.len()) {
        return Err("it has another number of dimensions");
    }
    let ints = || leaves.iter().map(|leaf| number::parse_int(leaf)).collect::<Option<Vec<i64>>>();
    let floats = || leaves.iter().map(|leaf| number::parse_float(leaf)).collect::<Option<Vec<f64>>>();
    const NUMBERS: Why = "an array holds numbers";
    let of_ints =
        |elements| NdArray::new(shape.clone(), elements).map(|array| Value::IntArray(Arc::new(array)));
    let of_floats =
        |elements| NdArray::new(shape.clone(), elements).map(|array| Value::FloatArray(Arc::new(array)));
    let value = match element {
        DType::Int => of_ints(ints().ok_or(NUMBERS)?),
        DType::Float => of_floats(floats().ok_or(NUMBERS)?),
        _ => match ints().filter(|ints| !ints.is_empty()) {
            Some(elements) => of_ints(elements),
            None => of_floats(floats().ok_or(NUMBERS)?),
        },
    };
    value.ok_or("its dimensions do not fit")
}

fn collect<'a>(
    node: &'a Node,
    depth: usize,
    shape: &mut Vec<usize>,
    leaves: &mut Vec<&'a [u8]>,
) -> Result<(), Why> {
    match node {
        Node::Null => Err("an array of numbers has no NULL"),
        Node::Leaf(text) => {
            leaves.push(text);
            Ok(())
        }
        Node::List(members) => {
            if shape.len() == depth {
                shape.push(members.len());
            }
            members.iter().try_for_each(|member| collect(member, depth + 1, shape, leaves))
        }
    }
}

#[cfg(test)]
mod tests;
