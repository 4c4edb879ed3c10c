//! Formats of messages: a key and a value, each of which may be missing.
//!
//! | format | columns | what is missing |
//! |---|---|---|
//! | `raw` | `key: BYTES`, `data: BYTES` | None |
//! | `plaintext` | `key: STR`, `data: STR`, stripped | None |
//! | `json` | those of the schema, from the JSON object in the value, or, for some, from that in the key | every field is absent |
//! | `debezium` | those of the schema, from the rows of change events | the message means nothing |
//!
//! A row without a primary key is identified by the place of its message, so that no two have one id. On
//! request the rows of `raw` and `plaintext` are identified by the message keys instead.

use std::sync::Arc;

use pathway_io::ConnectorError;
use pathway_types::{DType, Field, Key, KeyHasher, Schema, key::tag};

use super::cells::Token;
use super::json::{EventDecoder, JsonSettings, MessageDecoder as JsonMessages};
use super::plain::strip;
use super::{DATA, FormatSpec, Layout, METADATA, RowBuilder};

/// The column of the key, in formats without fields.
pub const KEY: &str = "key";

/// A message to be decoded.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its number in its sequence.
    pub ordinal: u64,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; None is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Why it cannot be read, if that is known already.
    pub fault: Option<&'a str>,
    /// What column `_metadata` gets: compact JSON, empty if nobody reads it.
    pub metadata: &'a [u8],
}

/// A format of messages with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageSpec {
    /// Key and value as they are.
    Raw,
    /// Key and value as text.
    PlainText,
    /// A JSON object.
    Json {
        /// Where columns find their values.
        settings: JsonSettings,
        /// The columns that are read from the key.
        in_key: Vec<String>,
    },
    /// Change events of Debezium, as JSON. They set and remove rows by key.
    Debezium {
        /// Where columns find their values in a row.
        settings: JsonSettings,
        /// Rows are text that is JSON, as in events of MongoDB.
        rows_are_text: bool,
    },
}

/// Turns messages into rows.
pub trait MessageDecoder: Send + Sync + std::fmt::Debug {
    /// Appends the rows of these messages, which the builder's layout is for.
    fn decode(&self, messages: &[Message<'_>], rows: &mut RowBuilder);
}

impl MessageSpec {
    /// The name as users write it.
    pub fn name(&self) -> &'static str {
        match self {
            MessageSpec::Raw => "raw",
            MessageSpec::PlainText => "plaintext",
            MessageSpec::Json { .. } => "json",
            MessageSpec::Debezium { .. } => "debezium",
        }
    }

    /// True if messages set and remove rows by key, instead of adding rows.
    pub fn sets_rows(&self) -> bool {
        matches!(self, MessageSpec::Debezium { .. })
    }

    /// The columns that messages of this format give, without the metadata.
    ///
    /// # Errors
    /// If a schema is missing or out of place, or has columns that cannot be read.
    pub fn columns(&self, schema: Option<Schema>) -> Result<Schema, ConnectorError> {
        let payload = |dtype: DType| Schema::new([Field::new(KEY, dtype.clone()), Field::new(DATA, dtype)]);
        match (self, schema) {
            (MessageSpec::Json { settings, .. }, schema) => {
                FormatSpec::Json(settings.clone()).columns(schema)
            }
            (MessageSpec::Debezium { settings, rows_are_text }, schema) => {
                let mut schema = FormatSpec::Json(settings.clone()).columns(schema)?;
                if *rows_are_text {
                    // Events that remove a row tell only the key of the message.
                    schema.fields.iter_mut().for_each(|field| field.primary_key = false);
                }
                Ok(schema)
            }
            (_, Some(_)) => Err(super::invalid(
                self.name(),
                "messages of this format have no fields, so they are read without a schema",
            )),
            (MessageSpec::Raw, None) => Ok(payload(DType::Bytes)),
            (MessageSpec::PlainText, None) => Ok(payload(DType::Str)),
        }
    }

    /// The decoder for this layout. With `ids_from_keys` rows without a primary key are identified by the keys
    /// of their messages, where there are any.
    pub fn compile(&self, layout: &Layout, ids_from_keys: bool) -> Arc<dyn MessageDecoder> {
        match self {
            MessageSpec::Raw => Arc::new(Payloads::new(layout, false, ids_from_keys)),
            MessageSpec::PlainText => Arc::new(Payloads::new(layout, true, ids_from_keys)),
            MessageSpec::Json { settings, in_key } => Arc::new(JsonMessages::new(settings, in_key, layout)),
            MessageSpec::Debezium { settings, rows_are_text } => {
                Arc::new(EventDecoder::new(settings, *rows_are_text, layout))
            }
        }
    }
}

/// What a column holds of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Key,
    Value,
    Metadata,
}

/// Keys and values without fields.
#[derive(Debug)]
struct Payloads {
    parts: Vec<Part>,
    is_text: bool,
    ids_from_keys: bool,
}

impl Payloads {
    fn new(layout: &Layout, is_text: bool, ids_from_keys: bool) -> Self {
        let part = |field: &Field| match &*field.name {
            METADATA => Part::Metadata,
            KEY => Part::Key,
            _ => Part::Value,
        };
        Payloads { parts: layout.fields().iter().map(part).collect(), is_text, ids_from_keys }
    }

    /// The id of the row of a message with this key.
    fn id(&self, key: &[u8]) -> Key {
        let mut hasher = KeyHasher::default();
        hasher.bytes(if self.is_text { tag::STR } else { tag::BYTES }, key);
        hasher.finish()
    }
}

/// The text of a part, stripped if it is text.
fn content(part: Option<&[u8]>, is_text: bool) -> Result<Option<&[u8]>, ()> {
    match part {
        Some(bytes) if is_text => strip(bytes, false).map(Some).ok_or(()),
        part => Ok(part),
    }
}

impl MessageDecoder for Payloads {
    fn decode(&self, messages: &[Message<'_>], rows: &mut RowBuilder) {
        for message in messages {
            rows.set_ordinal(message.ordinal);
            if let Some(fault) = message.fault {
                rows.reject(message.value.unwrap_or_default(), fault);
                continue;
            }
            let (Ok(key), Ok(value)) =
                (content(message.key, self.is_text), content(message.value, self.is_text))
            else {
                rows.reject(message.value.unwrap_or_default(), "the message is not valid UTF-8");
                continue;
            };
            for (cells, part) in rows.cells.iter_mut().zip(&self.parts) {
                let bytes = match part {
                    Part::Key => key,
                    Part::Value => value,
                    Part::Metadata => Some(message.metadata),
                };
                match bytes {
                    Some(bytes) => cells.push_bytes(bytes),
                    None => cells.push_none(),
                }
            }
            match key {
                Some(key) if self.ids_from_keys => rows.end_row_as(self.id(key)),
                _ => rows.end_row(),
            }
        }
    }
}

/// The token of column `_metadata`.
pub(super) fn metadata_token<'a>(message: &Message<'a>) -> Token<'a> {
    Token::Nested(message.metadata)
}

#[cfg(test)]
mod tests;
