//! Rows from change events of Debezium: an operation, and the row before and after it.
//!
//! The form is that of [its JSON converter](https://debezium.io/documentation/reference/stable/connectors/postgresql.html),
//! with the schema around the payload or without it. Events set and remove rows by key: that of the schema, or
//! else that of the message.

use pathway_types::{DType, Field, Key, KeyHasher, Schema, key::tag};

use super::JsonSettings;
use super::decode::{JsonDecoder, Session, push_row};
use super::scan::unescape;
use crate::formats::cells::Token;
use crate::formats::message::{self, Message, metadata_token};
use crate::formats::{Layout, METADATA, RowBuilder};

/// The fields of an event that count.
const ENVELOPE: [&str; 4] = ["payload", "op", "before", "after"];
const NO_ROW: &str = "the event has no row";
const NO_KEY: &str =
    "the message has no key, and the schema no primary key: which row changes cannot be told";
const NO_PRIMARY_KEY: &str = "the event removes a row and does not tell its primary key: the table at the source has \
                              to log it (REPLICA IDENTITY)";

/// Decodes events.
#[derive(Debug)]
pub(in crate::formats) struct EventDecoder {
    envelope: JsonDecoder,
    row: JsonDecoder,
    /// Rows are text that is JSON, as in events of MongoDB.
    rows_are_text: bool,
    /// The columns of the primary key; none if messages have the keys.
    key: Vec<usize>,
    metadata: Option<usize>,
}

/// What an event does.
enum Event<'a> {
    /// Something that changes no row.
    Nothing,
    Set {
        before: Option<&'a [u8]>,
        after: Document<'a>,
    },
    Remove {
        before: Option<&'a [u8]>,
    },
}

/// A row.
enum Document<'a> {
    Plain(&'a [u8]),
    /// The number of a text.
    Text(usize),
}

impl EventDecoder {
    /// A decoder for these columns.
    pub(in crate::formats) fn new(settings: &JsonSettings, rows_are_text: bool, layout: &Layout) -> Self {
        let envelope = Schema::new(ENVELOPE.map(|name| Field::new(name, DType::Json)));
        let envelope = Layout::new(&envelope, &[0, 1, 2, 3]);
        EventDecoder {
            envelope: JsonDecoder::new(&JsonSettings::default(), &envelope),
            row: JsonDecoder::of_columns(settings, layout, |name| name != METADATA),
            rows_are_text,
            key: layout.primary_key().to_vec(),
            metadata: layout.fields().iter().position(|field| &*field.name == METADATA),
        }
    }

    /// What the event of a message is; texts that are rows are added to `texts`.
    fn event<'a>(
        &self,
        value: &'a [u8],
        session: &mut Session<'a>,
        texts: &mut Vec<Vec<u8>>,
    ) -> Result<Event<'a>, String> {
        let read = |document, session: &mut Session<'a>| {
            self.envelope.document(document, session).map_err(|reason| format!("the message: {reason}"))
        };
        read(value, session)?;
        if let Token::Nested(payload) = session.tokens[0] {
            read(payload, session)?;
        } else if matches!(session.tokens[1], Token::Absent) {
            return Err(
                "the message is no change event: it has neither a payload nor an operation (op)".into()
            );
        }
        let (op, before, after) = (session.tokens[1], session.tokens[2], session.tokens[3]);
        let plain =
            |token: Token<'a>| if let Token::Nested(document) = token { Some(document) } else { None };
        match op {
            Token::Str(b"r" | b"c" | b"u") => {
                let after = match after {
                    Token::Str(text) | Token::Escaped(text) if self.rows_are_text => {
                        let mut document = Vec::with_capacity(text.len());
                        unescape(text, &mut document);
                        texts.push(document);
                        Document::Text(texts.len() - 1)
                    }
                    after => Document::Plain(plain(after).ok_or(NO_ROW)?),
                };
                Ok(Event::Set { before: plain(before), after })
            }
            Token::Str(b"d") => Ok(Event::Remove { before: plain(before) }),
            Token::Str(b"m") => Ok(Event::Nothing),
            Token::Str(b"t") => {
                Err("the table was emptied at the source (TRUNCATE), which is not followed".into())
            }
            Token::Str(other) => Err(format!(
                "the operation {:?} is not one of c, r, u, d, t, m",
                String::from_utf8_lossy(other)
            )),
            _ => Err("the operation (op) of the event is no text".into()),
        }
    }

    /// Appends what an event does.
    fn push<'a>(
        &self,
        message: &Message<'a>,
        event: &Event<'a>,
        texts: &'a [Vec<u8>],
        [before, after]: &mut [Session<'a>; 2],
        rows: &mut RowBuilder,
    ) -> Result<(), String> {
        let id = match message.key {
            _ if !self.key.is_empty() || matches!(event, Event::Nothing) => Key::default(),
            Some(key) => id(key),
            None => return Err(NO_KEY.into()),
        };
        let of_row = |reason| format!("the row of the event: {reason}");
        let raw = message.value.unwrap_or_default();
        let is_keyed = |session: &Session<'a>| {
            self.key.iter().all(|column| !matches!(session.tokens[*column], Token::Absent | Token::Null))
        };
        match event {
            Event::Nothing => rows.skip(),
            Event::Set { before: earlier, after: document } => {
                let document = match document {
                    Document::Plain(document) => document,
                    Document::Text(number) => &*texts[*number],
                };
                self.row.document(document, after).map_err(of_row)?;
                if let Some(earlier) = earlier.filter(|_| !self.key.is_empty()) {
                    self.row.document(earlier, before).map_err(of_row)?;
                    let moves = self.key.iter().any(|column| before.tokens[*column] != after.tokens[*column]);
                    if moves && is_keyed(before) {
                        self.remove(raw, &before.tokens, id, rows);
                        rows.set_ordinal(message.ordinal);
                    }
                }
                if let Some(column) = self.metadata {
                    after.tokens[column] = metadata_token(message);
                }
                if self.key.is_empty() {
                    rows.next_row_is(id);
                }
                push_row(raw, &after.tokens, rows);
            }
            Event::Remove { before: earlier } => {
                before.tokens.fill(Token::Absent);
                if let Some(earlier) = earlier {
                    self.row.document(earlier, before).map_err(of_row)?;
                }
                if !is_keyed(before) {
                    return Err(NO_PRIMARY_KEY.into());
                }
                self.remove(raw, &before.tokens, id, rows);
            }
        }
        Ok(())
    }

    /// Appends the removal of a row.
    fn remove(&self, raw: &[u8], tokens: &[Token<'_>], id: Key, rows: &mut RowBuilder) {
        for (column, token) in tokens.iter().enumerate() {
            if !self.key.contains(&column) {
                rows.cells[column].push_none();
            } else if let Err(fault) = rows.cells[column].push_json(*token) {
                rows.fault(column, fault, raw);
            }
        }
        if self.key.is_empty() {
            rows.next_row_is(id);
        }
        rows.end_removal();
    }
}

/// The id of the row of messages with a key.
fn id(key: &[u8]) -> Key {
    let mut hasher = KeyHasher::default();
    hasher.bytes(tag::BYTES, key);
    hasher.finish()
}

impl message::MessageDecoder for EventDecoder {
    fn decode(&self, messages: &[Message<'_>], rows: &mut RowBuilder) {
        let mut texts = Vec::new();
        let mut envelope = self.envelope.session();
        let events: Vec<Result<Event<'_>, String>> = messages
            .iter()
            .map(|message| match (message.fault, message.value) {
                (Some(fault), _) => Err(fault.to_owned()),
                // It follows the removal of a row.
                (None, None) => Ok(Event::Nothing),
                (None, Some(value)) => self.event(value, &mut envelope, &mut texts),
            })
            .collect();
        let mut sessions = [self.row.session(), self.row.session()];
        for (message, event) in messages.iter().zip(events) {
            rows.set_ordinal(message.ordinal);
            let pushed = event.and_then(|event| self.push(message, &event, &texts, &mut sessions, rows));
            if let Err(reason) = pushed {
                rows.set_ordinal(message.ordinal);
                rows.reject(message.value.unwrap_or_default(), reason);
            }
        }
    }
}
