//! Rows from messages: the fields of the JSON document in the value, and those of the one in the key.

use super::JsonSettings;
use super::decode::{JsonDecoder, push_row};
use crate::formats::cells::Token;
use crate::formats::message::{self, Message, metadata_token};
use crate::formats::{Layout, METADATA, RowBuilder};

/// Decodes messages whose values, and perhaps keys, are JSON documents.
#[derive(Debug)]
pub(in crate::formats) struct MessageDecoder {
    value: JsonDecoder,
    /// The decoder of keys and the columns that it fills, if there are any.
    key: Option<(JsonDecoder, Vec<usize>)>,
    metadata: Option<usize>,
}

impl MessageDecoder {
    /// A decoder for these columns, of which `in_key` are read from the key.
    pub(in crate::formats) fn new(settings: &JsonSettings, in_key: &[String], layout: &Layout) -> Self {
        let is_in_key = |name: &str| in_key.iter().any(|other| other == name);
        let places = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let fields = layout.fields().iter().enumerate();
            fields.filter(|(_, field)| wanted(&field.name)).map(|(place, _)| place).collect()
        };
        let columns = places(&is_in_key);
        MessageDecoder {
            value: JsonDecoder::of_columns(settings, layout, |name| name != METADATA && !is_in_key(name)),
            key: (!columns.is_empty())
                .then(|| (JsonDecoder::of_columns(settings, layout, is_in_key), columns)),
            metadata: places(&|name| name == METADATA).first().copied(),
        }
    }
}

impl message::MessageDecoder for MessageDecoder {
    fn decode(&self, messages: &[Message<'_>], rows: &mut RowBuilder) {
        let mut values = self.value.session();
        let mut keys = self.key.as_ref().map(|(decoder, columns)| (decoder, columns, decoder.session()));
        for message in messages {
            rows.set_ordinal(message.ordinal);
            let raw = message.value.unwrap_or_default();
            if let Some(fault) = message.fault {
                rows.reject(raw, fault);
                continue;
            }
            values.tokens.fill(Token::Absent);
            if let Some(value) = message.value
                && let Err(reason) = self.value.document(value, &mut values)
            {
                rows.reject(raw, reason);
                continue;
            }
            if let Some((decoder, columns, session)) = &mut keys {
                session.tokens.fill(Token::Absent);
                if let Some(key) = message.key
                    && let Err(reason) = decoder.document(key, session)
                {
                    rows.reject(key, format!("the message key: {reason}"));
                    continue;
                }
                for column in columns.iter() {
                    values.tokens[*column] = session.tokens[*column];
                }
            }
            if let Some(column) = self.metadata {
                values.tokens[column] = metadata_token(message);
            }
            push_row(raw, &values.tokens, rows);
        }
    }
}
