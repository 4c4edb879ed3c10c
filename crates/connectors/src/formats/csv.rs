//! Delimited text with a header line (RFC 4180 and its relatives).
//!
//! Fields are found by the names in each document's own header. Cutting a document into records and
//! splitting records into fields share one scanner (`scan`), which looks at 64 bytes at a time;
//! settings beyond quotes (an escape character, comments) go through the `csv-core` crate instead
//! (`general`), with the same result where both apply.

use std::sync::Arc;

use pathway_io::ConnectorError;
use pathway_types::Schema;

use super::{Cut, Decoder, Format, Layout, invalid};

mod decode;
mod encode;
mod general;
mod scan;

pub use encode::CsvEncoder;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How the text is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvSettings {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    double_quote_escapes: bool,
    quoting: bool,
    comment: Option<u8>,
}

impl Default for CsvSettings {
    fn default() -> Self {
        CsvSettings {
            delimiter: b',',
            quote: b'"',
            escape: None,
            double_quote_escapes: true,
            quoting: true,
            comment: None,
        }
    }
}

impl CsvSettings {
    /// Checked settings: `delimiter` between fields, `quote` around them, `escape` before a quote
    /// inside quotes, `double_quote_escapes` if a doubled quote there is a quote, `quoting` if
    /// quotes mean anything, `comment` at the start of lines to skip.
    ///
    /// # Errors
    /// If a character is not ASCII, is a line end, or has two meanings.
    pub fn new(
        delimiter: char,
        quote: char,
        escape: Option<char>,
        double_quote_escapes: bool,
        quoting: bool,
        comment: Option<char>,
    ) -> Result<Self, ConnectorError> {
        let byte = |name: &str, c: char| match u8::try_from(c) {
            Ok(b'\n' | b'\r') => Err(invalid("csv", format!("the {name} character cannot be a line end"))),
            Ok(byte) if byte.is_ascii() => Ok(byte),
            _ => Err(invalid("csv", format!("the {name} character must be ASCII, not {c:?}"))),
        };
        let settings = CsvSettings {
            delimiter: byte("delimiter", delimiter)?,
            quote: byte("quote", quote)?,
            escape: escape.map(|c| byte("escape", c)).transpose()?,
            double_quote_escapes,
            quoting,
            comment: comment.map(|c| byte("comment", c)).transpose()?,
        };
        let clash = |one: &str, other: &str| {
            Err(invalid("csv", format!("the {one} and the {other} are the same character")))
        };
        if quoting && settings.quote == settings.delimiter {
            return clash("delimiter", "quote");
        }
        if settings.escape == Some(settings.delimiter) {
            return clash("delimiter", "escape character");
        }
        if settings.comment == Some(settings.delimiter) {
            return clash("delimiter", "comment character");
        }
        if quoting && settings.comment == Some(settings.quote) {
            return clash("quote", "comment character");
        }
        Ok(settings)
    }

    /// True if the scanner of this crate understands the settings.
    fn is_simple(&self) -> bool {
        self.escape.is_none() && self.comment.is_none()
    }
}

/// CSV bound to columns.
#[derive(Debug)]
pub(super) struct Csv {
    settings: CsvSettings,
    layout: Arc<Layout>,
    /// The names of all columns of the schema, wanted or not: a header must have them.
    names: Vec<Box<str>>,
}

impl Csv {
    pub(super) fn new(settings: CsvSettings, schema: &Schema, layout: Arc<Layout>) -> Self {
        Csv { settings, layout, names: schema.names().map(Box::from).collect() }
    }
}

impl Format for Csv {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn unit(&self) -> &'static str {
        "record"
    }

    /// The header record, with the blank lines before it.
    fn preamble(&self, data: &[u8], end: bool) -> Option<usize> {
        if !end && data.len() < BOM.len() && BOM.starts_with(data) {
            return None;
        }
        let bom = if data.starts_with(BOM) { BOM.len() } else { 0 };
        let header = self.cut(&data[bom..], end, 1);
        match header.records {
            0 if end => Some(data.len()),
            0 => None,
            _ => Some(bom + header.bytes),
        }
    }

    fn cut(&self, data: &[u8], end: bool, limit: u64) -> Cut {
        if self.settings.is_simple() {
            scan::cut(&self.settings, data, end, limit)
        } else {
            general::cut(&self.settings, data, end, limit)
        }
    }

    fn decoder(&self, preamble: &[u8]) -> Arc<dyn Decoder> {
        let header = preamble.strip_prefix(BOM).unwrap_or(preamble);
        Arc::new(decode::CsvDecoder::new(&self.settings, &self.layout, &self.names, header))
    }
}

#[cfg(test)]
mod tests;
