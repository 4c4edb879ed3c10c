//! Record formats: how bytes become rows, and rows become bytes.
//!
//! Reading is split in two, so that the costly half runs in parallel. A [`Format`] cuts a document
//! (a file, an object, a response) into runs of whole records, looking only for their borders; its
//! [`Decoder`] then turns any run into cells, on any thread, straight into the column builders of a
//! [`RowBuilder`] and only for the columns that are asked for. Message queues skip the first half:
//! theirs are the formats of [`message`].
//!
//! A [`FormatSpec`] is a format with its settings as a user writes them;
//! [`FormatSpec::compile`] makes the [`Format`] for a schema and a choice of its columns. The other
//! direction are the encoders ([`csv::CsvEncoder`], [`json::JsonEncoder`]).

use std::fmt;
use std::sync::Arc;

use pathway_io::{ConnectorError, FailureClass};
use pathway_types::{DType, Field, Schema};

#[cfg(feature = "kafka")]
pub(crate) mod avro;
pub mod cells;
pub mod csv;
pub mod json;
pub mod message;
pub mod plain;

mod bits;
pub(crate) mod datetime;
pub(crate) mod lanes;
mod layout;
pub(crate) mod number;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
mod values;

pub use layout::Layout;
pub use rows::{Origin, RowBuilder};

/// The name of the column that tells where a record came from.
pub const METADATA: &str = "_metadata";
/// The only column of formats without fields.
pub const DATA: &str = "data";

/// What one record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A document is a sequence of records.
    Records,
    /// A document is one record.
    Document,
    /// A document gives one row, and its content is not read at all.
    Nothing,
}

/// A run of whole records at the start of some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// How many bytes the run takes.
    pub bytes: usize,
    /// How many records it holds, by the format's own count (which may count blank lines).
    pub records: u64,
}

/// A record format, bound to the columns that are wanted.
pub trait Format: fmt::Debug + Send + Sync {
    /// What one record is.
    fn framing(&self) -> Framing {
        Framing::Records
    }

    /// The columns that decoders fill.
    fn layout(&self) -> &Arc<Layout>;

    /// What a record is called in positions: `line`, `record`.
    fn unit(&self) -> &'static str;

    /// The length of what precedes the first record of a document (byte order mark, header);
    /// `None` if that cannot be told from `data` alone, which is impossible at the `end`.
    fn preamble(&self, data: &[u8], end: bool) -> Option<usize>;

    /// The longest run of at most `limit` whole records at the start of `data`, which starts at a
    /// record's border. At the `end` of the document the last record needs no terminator.
    fn cut(&self, data: &[u8], end: bool, limit: u64) -> Cut;

    /// The decoder for documents with this preamble.
    fn decoder(&self, preamble: &[u8]) -> Arc<dyn Decoder>;
}

/// Turns records into rows. Shared by all threads that work on one document.
pub trait Decoder: Send + Sync {
    /// Appends the rows of a run of whole records, as [`Format::cut`] gives them.
    fn decode(&self, records: &[u8], rows: &mut RowBuilder);

    /// Appends the row of a single record (a message).
    fn decode_record(&self, record: &[u8], rows: &mut RowBuilder);
}

/// A format with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatSpec {
    /// Delimited text with a header line.
    Csv(csv::CsvSettings),
    /// One JSON object per line or message.
    Json(json::JsonSettings),
    /// One row per line or message: column `data: STR`, stripped.
    PlainText,
    /// One row per document: column `data: STR`, stripped.
    PlainTextByFile,
    /// One row per document: column `data: BYTES`.
    Binary,
    /// One row per document, without its content.
    OnlyMetadata,
}

impl FormatSpec {
    /// The name as users write it.
    pub fn name(&self) -> &'static str {
        match self {
            FormatSpec::Csv(_) => "csv",
            FormatSpec::Json(_) => "json",
            FormatSpec::PlainText => "plaintext",
            FormatSpec::PlainTextByFile => "plaintext_by_file",
            FormatSpec::Binary => "binary",
            FormatSpec::OnlyMetadata => "only_metadata",
        }
    }

    /// The columns that records of this format give: those of the user's schema, or the fixed ones
    /// of a format without fields.
    ///
    /// # Errors
    /// If a schema is missing or out of place, or has columns that cannot be read.
    pub fn columns(&self, schema: Option<Schema>) -> Result<Schema, ConnectorError> {
        let fail = |message: String| Err(invalid(self.name(), message));
        let data = |dtype: DType| Schema::new([Field::new(DATA, dtype)]);
        let columns = match (self, schema) {
            (FormatSpec::Csv(_) | FormatSpec::Json(_), Some(schema)) => schema,
            (FormatSpec::Csv(_) | FormatSpec::Json(_), None) => {
                return fail("this format needs a schema that names and types its fields".to_owned());
            }
            (_, Some(_)) => {
                return fail(format!(
                    "this format has no fields, so it takes no schema; leave it out or choose csv or json instead \
                     of {}",
                    self.name()
                ));
            }
            (FormatSpec::PlainText | FormatSpec::PlainTextByFile, None) => data(DType::Str),
            (FormatSpec::Binary, None) => data(DType::Bytes),
            (FormatSpec::OnlyMetadata, None) => Schema::default(),
        };
        for field in &columns.fields {
            if &*field.name == METADATA {
                return fail(format!(
                    "the column name {METADATA} is reserved for the origin of a record; rename the column, or \
                     ask for metadata with with_metadata=True"
                ));
            }
            if let DType::Future(_) | DType::Callable(..) = field.dtype.unoptional() {
                return fail(format!("column {:?} of type {} cannot be read", field.name, field.dtype));
            }
        }
        if let FormatSpec::Json(settings) = self {
            settings.check(&columns)?;
        }
        Ok(columns)
    }

    /// The format for these columns of `schema` (as [`FormatSpec::columns`] gave it), in this order.
    pub fn compile(&self, schema: &Schema, columns: &[usize]) -> Arc<dyn Format> {
        let layout = Arc::new(Layout::new(schema, columns));
        match self {
            FormatSpec::Csv(settings) => Arc::new(csv::Csv::new(*settings, schema, layout)),
            FormatSpec::Json(settings) => Arc::new(json::JsonLines::new(settings, layout)),
            FormatSpec::PlainText => Arc::new(plain::Lines::new(layout)),
            FormatSpec::PlainTextByFile => Arc::new(plain::Whole::new(layout, plain::Content::Text)),
            FormatSpec::Binary => Arc::new(plain::Whole::new(layout, plain::Content::Bytes)),
            FormatSpec::OnlyMetadata => Arc::new(plain::Whole::new(layout, plain::Content::Unread)),
        }
    }
}

/// Settings that make no sense.
pub(crate) fn invalid(connector: &str, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(connector, FailureClass::Value, message)
}
