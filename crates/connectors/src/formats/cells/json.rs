//! Cells from JSON values.
//!
//! Nothing is coerced: an INT column takes integers in the range of 64 bits (not `5.0`, not
//! `"5"`), a FLOAT column any number, a BOOL column `true` and `false`, a STR column strings;
//! BYTES, datetimes and pointers are strings in the forms of CSV cells, DURATION an integer. `null`
//! is None in an Optional column and an error elsewhere, also in a Json column.

use pathway_types::{DType, Key, PyObject, Value};

use super::{CellBuilder, Data, Fault};
use crate::formats::json::unescape;
use crate::formats::{datetime, number, values};

/// A JSON value, found but not yet converted. The bytes are those of a valid JSON text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::formats) enum Token<'a> {
    /// There is no such field.
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent.
    Int(&'a [u8]),
    /// Any other number.
    Float(&'a [u8]),
    /// What stands between the quotes, if it holds no escapes.
    Str(&'a [u8]),
    /// What stands between the quotes, if it does.
    Escaped(&'a [u8]),
    /// An array or an object.
    Nested(&'a [u8]),
}

impl Token<'_> {
    /// The value as text for messages.
    fn shown(&self) -> std::borrow::Cow<'_, [u8]> {
        match self {
            Token::Absent => b"".into(),
            Token::Null => b"null".into(),
            Token::Bool(true) => b"true".into(),
            Token::Bool(false) => b"false".into(),
            Token::Int(text) | Token::Float(text) | Token::Nested(text) => (*text).into(),
            Token::Str(text) | Token::Escaped(text) => [b"\"", *text, b"\""].concat().into(),
        }
    }
}

impl CellBuilder {
    /// Appends the cell that a JSON value stands for.
    #[inline]
    pub(in crate::formats) fn push_json(&mut self, token: Token<'_>) -> Result<(), Fault> {
        match (&mut self.data, token) {
            (Data::Str(cells), Token::Str(text)) => {
                cells.push(text);
                return Ok(());
            }
            (Data::Int(cells), Token::Int(text)) => {
                if let Some(value) = number::parse_int(text) {
                    cells.push(value);
                    return Ok(());
                }
            }
            (Data::Float(cells), Token::Int(text) | Token::Float(text)) => match number::parse_float(text) {
                Some(value) if value.is_finite() => {
                    cells.push(value);
                    return Ok(());
                }
                _ => {}
            },
            (Data::Bool(cells), Token::Bool(value)) => {
                cells.append(value);
                return Ok(());
            }
            _ => return self.push_rare_json(token),
        }
        self.fail(&token.shown(), "the number is out of range")
    }

    fn push_rare_json(&mut self, token: Token<'_>) -> Result<(), Fault> {
        match token {
            Token::Absent => return self.push_absent(),
            Token::Null if self.optional || self.dtype == DType::None => {
                self.push_none();
                return Ok(());
            }
            _ => {}
        }
        // Dtypes that are written as strings.
        let mut unescaped = Vec::new();
        let string: Option<&[u8]> = match token {
            Token::Str(text) => Some(text),
            Token::Escaped(text) => {
                unescape(text, &mut unescaped);
                Some(&unescaped)
            }
            _ => None,
        };
        let converted: Result<(), &'static str> = match (&mut self.data, string) {
            (Data::Str(cells), Some(text)) => {
                cells.push(text);
                Ok(())
            }
            (Data::Bytes(cells), Some(text)) => values::decode_base64(text)
                .map(|bytes| cells.push(&bytes))
                .ok_or("it is not base64 with padding"),
            (Data::DateTimeNaive(cells), Some(text)) => datetime::parse_naive(text).map(|v| cells.push(v)),
            (Data::DateTimeUtc(cells), Some(text)) => datetime::parse_utc(text).map(|v| cells.push(v)),
            (Data::Pointer(cells), Some(text)) => std::str::from_utf8(text)
                .ok()
                .and_then(Key::parse)
                .map(|key| cells.push(key.0 as i128))
                .ok_or("^ and 26 characters are expected"),
            (Data::Values(cells), Some(text)) => match (&self.dtype, std::str::from_utf8(text)) {
                (DType::Any, Ok(text)) => {
                    cells.push(&Value::from(text));
                    Ok(())
                }
                (DType::PyObject(_), _) => values::decode_base64(text)
                    .map(|bytes| cells.push(&Value::PyObject(PyObject::new(bytes))))
                    .ok_or("it is not base64 with padding"),
                _ => Err("a string has no place here"),
            },
            (Data::Duration(cells), None) => match token {
                Token::Int(text) => {
                    number::parse_int(text).map(|v| cells.push(v)).ok_or("it is out of range")
                }
                _ => Err("a whole number of nanoseconds is expected"),
            },
            (Data::Json(_), _) => Ok(()),
            (Data::Values(cells), None) => {
                let json = serde_json::from_slice(&token.shown()).map_err(|_| "the number is out of range");
                let value = json.and_then(|json| {
                    values::from_json(&self.dtype, &json)
                        .ok_or("the JSON is of another shape or its members are of other types")
                });
                value.map(|value| cells.push(&value))
            }
            _ => Err(""),
        };
        if let (Ok(()), Data::Json(cells)) = (&converted, &mut self.data) {
            if push_compact(cells, token) {
                return Ok(());
            }
            let why = if token == Token::Null {
                "null needs an Optional column"
            } else {
                "a number is out of range"
            };
            return self.fail(&token.shown(), why);
        }
        match converted {
            Ok(()) => Ok(()),
            Err(why) => self.fail(&token.shown(), why),
        }
    }

    /// Appends what stands for a field that the record lacks.
    fn push_absent(&mut self) -> Result<(), Fault> {
        if self.push_default() {
            return Ok(());
        }
        if self.optional || self.dtype == DType::None {
            self.push_none();
            return Ok(());
        }
        self.push_error();
        Err(format!(
            "the record has no field for column {:?} of type {}; give the column a default or make it Optional",
            self.name, self.dtype
        )
        .into())
    }
}

/// Appends any value but null as compact JSON text; false, and no cell, if that is impossible.
fn push_compact(cells: &mut super::Bytes, token: Token<'_>) -> bool {
    match token {
        Token::Absent | Token::Null => return false,
        Token::Bool(value) => cells.bytes.extend_from_slice(if value { b"true" } else { b"false" }),
        // Short integers are their own compact form.
        Token::Int(text) if text.len() <= 18 && text != b"-0" => cells.bytes.extend_from_slice(text),
        Token::Str(text) => {
            cells.bytes.push(b'"');
            cells.bytes.extend_from_slice(text);
            cells.bytes.push(b'"');
        }
        token => {
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(&token.shown()) else { return false };
            if serde_json::to_writer(&mut cells.bytes, &value).is_err() {
                cells.undo();
                return false;
            }
        }
    }
    cells.close();
    true
}
