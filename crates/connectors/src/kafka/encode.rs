//! Messages from rows: payloads and keys.

use pathway_io::{ConnectorError, FailureClass};
use pathway_types::{Batch, DType, Schema, Timestamp, Value};

use crate::formats::avro::AvroEncoder;
use crate::formats::csv::CsvEncoder;
use crate::formats::json::JsonEncoder;
use crate::formats::lanes::{Cells, Lane};

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFormat {
    /// A JSON object of all columns, then `diff` and `time`.
    Json,
    /// An Avro record of all columns, with the number of its schema in a registry in front.
    Avro,
    /// A record of delimited text, after a header line that is a message of its own.
    Dsv {
        /// An ASCII character.
        delimiter: u8,
    },
    /// This column, which holds bytes or text.
    Column(usize),
}

/// Makes the payloads of batches.
#[derive(Debug)]
pub(super) enum Payload {
    Json(JsonEncoder),
    Avro(AvroEncoder),
    Dsv(CsvEncoder),
    Column(usize),
}

/// The payloads of the rows of a batch that are made anew.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// Where the payload of each row ends, and the byte behind it.
    ends: Vec<usize>,
}

impl Payload {
    pub(super) fn new(format: MessageFormat, schema: &Schema) -> Result<Self, ConnectorError> {
        Ok(match format {
            MessageFormat::Json => Payload::Json(JsonEncoder::new(schema)),
            MessageFormat::Avro => Payload::Avro(AvroEncoder::new(schema)?),
            MessageFormat::Dsv { delimiter } => Payload::Dsv(CsvEncoder::new(schema, delimiter)),
            MessageFormat::Column(column) => Payload::Column(column),
        })
    }

    /// The message before all others.
    pub(super) fn header_line(&self) -> Option<Vec<u8>> {
        let Payload::Dsv(encoder) = self else { return None };
        let mut header = Vec::new();
        encoder.header(&mut header);
        header.pop();
        Some(header)
    }

    /// Encodes a batch, if it has to be.
    pub(super) fn encode(
        &self,
        batch: &Batch,
        time: Timestamp,
        encoded: &mut Encoded,
    ) -> Result<(), ConnectorError> {
        let Encoded { bytes, ends } = encoded;
        bytes.clear();
        ends.clear();
        match self {
            Payload::Json(encoder) => encoder.encode_rows(batch, time, bytes, |end| ends.push(end)),
            Payload::Dsv(encoder) => encoder.encode_rows(batch, time, bytes, |end| ends.push(end)),
            Payload::Avro(encoder) => encoder.encode_rows(batch, bytes, |end| ends.push(end))?,
            Payload::Column(_) => {}
        }
        Ok(())
    }
}

impl Encoded {
    /// The payload of a row, without the byte behind it.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row] - 1]
    }
}

/// A column of bytes or text; None is no bytes at all.
pub(super) struct BytesLane<'a> {
    lane: Lane<'a>,
    what: &'static str,
}

impl<'a> BytesLane<'a> {
    /// Reads the column at this place as what it is used for.
    pub(super) fn new(batch: &'a Batch, column: usize, dtypes: &[DType], what: &'static str) -> Self {
        BytesLane { lane: Lane::new(&batch.columns[column], &dtypes[column]), what }
    }

    /// The bytes of a row; `keep` holds them where the column has values of any type.
    pub(super) fn get<'b>(
        &'b self,
        row: usize,
        keep: &'b mut Vec<u8>,
        connector: &str,
    ) -> Result<Option<&'b [u8]>, ConnectorError> {
        if self.lane.is_none(row) {
            return Ok(None);
        }
        match &self.lane.cells {
            Cells::Str(cells) => Ok(Some(cells.value(row).as_bytes())),
            Cells::Bytes(cells) => Ok(Some(cells.value(row))),
            Cells::Values(cells) => {
                keep.clear();
                match cells.value(row) {
                    Value::None => return Ok(None),
                    Value::Str(text) => keep.extend_from_slice(text.as_bytes()),
                    Value::Bytes(bytes) => keep.extend_from_slice(&bytes),
                    other => return Err(self.misfit(connector, &other)),
                }
                Ok(Some(keep))
            }
            _ => Err(self.misfit(connector, &Value::None)),
        }
    }

    #[cold]
    fn misfit(&self, connector: &str, value: &Value) -> ConnectorError {
        let what = self.what;
        let message = format!("the {what} of a message is text or bytes, but a row has {value:?} there");
        ConnectorError::new(connector, FailureClass::Value, message)
    }
}
