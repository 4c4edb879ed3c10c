//! Cells from the text of a CSV field.
//!
//! | dtype | accepted text |
//! |---|---|
//! | INT | optional sign and digits |
//! | FLOAT | decimal or scientific; `nan`, `inf`, `infinity` in any case |
//! | BOOL | `true/false, t/f, 1/0, yes/no, y/n, on/off` in any case, spaces around allowed |
//! | STR, ANY | every text, as it is |
//! | BYTES, PyObjectWrapper | standard base64 with padding |
//! | Json | JSON |
//! | datetimes | see `datetime` |
//! | DURATION | an integer, nanoseconds |
//! | pointer | `^` and 26 characters |
//! | List, Tuple, Array | JSON |
//!
//! Except for STR and ANY, an empty text is the column's default if it has one. An Optional column
//! takes an empty text, `none` and `null` (any case) as None, except that text and bytes are always
//! taken literally and Json reads `null` as JSON null.

use pathway_types::{Key, PyObject, Value};

use super::{CellBuilder, Data, Fault};
use crate::formats::{datetime, number, values};
use pathway_types::DType;

/// Why a text was not accepted, where more can be said than what was expected.
type Why = &'static str;

impl CellBuilder {
    /// Appends the cell that `text` (valid UTF-8 if the column is text) stands for.
    #[inline]
    pub(in crate::formats) fn push_text(&mut self, text: &[u8]) -> Result<(), Fault> {
        match &mut self.data {
            Data::Str(cells) => {
                cells.push(text);
                return Ok(());
            }
            Data::Int(cells) => {
                if let Some(value) = number::parse_int(text) {
                    cells.push(value);
                    return Ok(());
                }
            }
            Data::Float(cells) => {
                if let Some(value) = number::parse_float(text) {
                    cells.push(value);
                    return Ok(());
                }
            }
            _ => return self.push_rare(text),
        }
        self.push_missing(text, "")
    }

    /// Appends a cell of one of the less common dtypes.
    fn push_rare(&mut self, text: &[u8]) -> Result<(), Fault> {
        if text.is_empty() && self.dtype != DType::Any && self.push_default() {
            return Ok(());
        }
        let converted: Result<(), Why> = match &mut self.data {
            Data::Bool(cells) => parse_bool(text.trim_ascii()).map(|value| cells.append(value)).ok_or(""),
            Data::Json(cells) => push_json_text(cells, text),
            Data::Bytes(cells) => values::decode_base64(text)
                .map(|bytes| cells.push(&bytes))
                .ok_or("it is not base64 with padding"),
            Data::DateTimeNaive(cells) => datetime::parse_naive(text).map(|value| cells.push(value)),
            Data::DateTimeUtc(cells) => datetime::parse_utc(text).map(|value| cells.push(value)),
            Data::Duration(cells) => number::parse_int(text)
                .map(|value| cells.push(value))
                .ok_or("a whole number of nanoseconds is expected"),
            Data::Pointer(cells) => std::str::from_utf8(text)
                .ok()
                .and_then(Key::parse)
                .map(|key| cells.push(key.0 as i128))
                .ok_or("^ and 26 characters are expected"),
            Data::Values(cells) => match value_of_text(&self.dtype, text) {
                Ok(value) => {
                    cells.push(&value);
                    Ok(())
                }
                Err(why) => Err(why),
            },
            Data::Int(_) | Data::Float(_) | Data::Str(_) => Err(""),
        };
        match converted {
            Ok(()) => Ok(()),
            Err(why) => self.push_missing(text, why),
        }
    }

    /// Appends what a text that is no value of the dtype stands for: a default, None, or an error.
    #[cold]
    fn push_missing(&mut self, text: &[u8], why: Why) -> Result<(), Fault> {
        if text.is_empty() && self.push_default() {
            return Ok(());
        }
        let is_bytes = matches!(self.data, Data::Bytes(_));
        if (self.optional || self.dtype == DType::None) && !is_bytes && is_none(text) {
            self.push_none();
            return Ok(());
        }
        self.fail(text, why)
    }
}

/// True for the texts that mean None.
fn is_none(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty() || text.eq_ignore_ascii_case(b"none") || text.eq_ignore_ascii_case(b"null")
}

fn parse_bool(text: &[u8]) -> Option<bool> {
    let is = |names: [&str; 6]| names.iter().any(|name| text.eq_ignore_ascii_case(name.as_bytes()));
    if is(["true", "t", "1", "yes", "y", "on"]) {
        Some(true)
    } else if is(["false", "f", "0", "no", "n", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// Appends JSON text compactly.
pub(super) fn push_json_text(cells: &mut super::Bytes, text: &[u8]) -> Result<(), Why> {
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
    // Writing a value to a vector cannot fail.
    if serde_json::to_writer(&mut cells.bytes, &value).is_err() {
        cells.undo();
        return Err("it cannot be written back as JSON");
    }
    cells.close();
    Ok(())
}

/// The value of a dtype that has no builder of its own.
fn value_of_text(dtype: &DType, text: &[u8]) -> Result<Value, Why> {
    match dtype {
        DType::Any => std::str::from_utf8(text).map(Value::from).map_err(|_| "it is not UTF-8"),
        DType::PyObject(_) => values::decode_base64(text)
            .map(|bytes| Value::PyObject(PyObject::new(bytes)))
            .ok_or("it is not base64 with padding"),
        dtype => {
            let json = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
            values::from_json(dtype, &json)
                .ok_or("the JSON is of another shape or its members are of other types")
        }
    }
}
