//! Messages of one partition on their way to a parser thread.

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathway_io::{ConnectorError, ParseJob, Parsed};
use rdkafka::Timestamp;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::registry::{KnownSchemas, PREFIX, Reading};
use crate::formats::message::{Message, MessageDecoder};
use crate::formats::{Layout, Origin, RowBuilder};

/// Copies of consecutive messages.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    messages: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    offset: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    /// How key and value become JSON.
    readings: [Reading; 2],
    /// Why it cannot be read, if that is known.
    fault: Option<Box<str>>,
    /// Compact JSON; empty if nobody reads it.
    metadata: Range<usize>,
}

/// What all chunks of a partition have in common.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) layout: Arc<Layout>,
    pub(super) decoder: Arc<dyn MessageDecoder>,
    pub(super) origin: Origin,
}

impl Chunk {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The offset behind the last message.
    pub(super) fn end(&self) -> Option<i64> {
        self.messages.last().map(|last| last.offset + 1)
    }

    /// Copies a message, whose parts begin with the number of a schema if there is a registry; gives its size,
    /// or nothing if the run ends before the schema is known.
    pub(super) fn push(
        &mut self,
        message: &BorrowedMessage<'_>,
        with_metadata: bool,
        schemas: Option<&mut KnownSchemas>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<usize>, ConnectorError> {
        let before = self.bytes.len();
        let (mut key, mut value, mut fault) = (message.key(), message.payload(), None);
        let mut readings: [Reading; 2] = [None, None];
        if let Some(schemas) = schemas {
            // Keys may be plain documents, which do not begin with a zero.
            let framed = key.as_mut().filter(|key| key.first() == Some(&0));
            let parts = [framed, value.as_mut()].into_iter().zip(&mut readings);
            for (part, reading) in parts.filter_map(|(part, reading)| Some((part?, reading))) {
                match schemas.reading(part, is_stopped)? {
                    Some(Ok(found)) => (*part, *reading) = (&part[PREFIX..], found.clone()),
                    Some(Err(text)) => fault = Some(text.into()),
                    None => return Ok(None),
                }
            }
        }
        let key = key.map(|key| put(&mut self.bytes, key));
        let value = value.map(|value| put(&mut self.bytes, value));
        let start = self.bytes.len();
        if with_metadata {
            write_metadata(message, &mut self.bytes);
        }
        let metadata = start..self.bytes.len();
        self.messages.push(Record { offset: message.offset(), key, value, readings, fault, metadata });
        Ok(Some(self.bytes.len() - before))
    }

    /// The work that makes rows of it.
    pub(super) fn job(self, partition: &Partition) -> ParseJob {
        let partition = partition.clone();
        Box::new(move || self.parse(&partition))
    }

    /// Makes JSON of the parts that have a schema, behind all others.
    fn transcode(&mut self) {
        let Chunk { bytes, messages } = self;
        let mut json = Vec::new();
        for record in messages.iter_mut().filter(|record| record.fault.is_none()) {
            let [of_key, of_value] = &record.readings;
            for (part, reading) in [(&mut record.key, of_key), (&mut record.value, of_value)] {
                let (Some(range), Some(schema)) = (part, reading) else { continue };
                json.clear();
                if let Err(flaw) = schema.write_json(&bytes[range.clone()], &mut json) {
                    record.fault = Some(flaw.into());
                    break;
                }
                *range = put(bytes, &json);
            }
        }
    }

    fn parse(mut self, partition: &Partition) -> Parsed {
        self.transcode();
        let Partition { layout, decoder, origin } = partition;
        let first = self.messages.first().map_or(0, |first| first.offset as u64);
        let mut rows = RowBuilder::new(layout, origin, first, self.messages.len(), self.bytes.len());
        let part = |range: &Range<usize>| &self.bytes[range.clone()];
        let messages: Vec<Message<'_>> = self
            .messages
            .iter()
            .map(|record| Message {
                ordinal: record.offset as u64,
                key: record.key.as_ref().map(part),
                value: record.value.as_ref().map(part),
                fault: record.fault.as_deref(),
                metadata: part(&record.metadata),
            })
            .collect();
        decoder.decode(&messages, &mut rows);
        rows.finish()
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(part);
    start..bytes.len()
}

/// Where a message comes from, as compact JSON.
fn write_metadata(message: &BorrowedMessage<'_>, out: &mut Vec<u8>) {
    let timestamp = match message.timestamp() {
        Timestamp::CreateTime(time) | Timestamp::LogAppendTime(time) => time.to_string(),
        Timestamp::NotAvailable => "null".to_owned(),
    };
    let text = |text: &str| serde_json::Value::from(text).to_string();
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "{{\"timestamp_millis\":{timestamp},\"topic\":{},\"partition\":{},\"offset\":{},\"headers\":[",
        text(message.topic()),
        message.partition(),
        message.offset(),
    );
    for (place, header) in message.headers().into_iter().flat_map(|headers| headers.iter()).enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let value = header.value.map_or("null".to_owned(), |value| text(&STANDARD.encode(value)));
        let _ = write!(out, "{comma}[{},{value}]", text(header.key));
    }
    out.extend_from_slice(b"]}");
}
