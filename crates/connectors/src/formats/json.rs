//! JSON lines: one object per line (or per message).
//!
//! A line is scanned once (`scan`): the values of wanted fields are noted, all others are checked and
//! skipped, and only then the noted ones become cells, so that a broken record leaves none behind.
//! Lines of one document mostly have the same fields in the same order; the decoder remembers which
//! field stood at which place and first compares with that.

use std::sync::Arc;

use pathway_io::ConnectorError;
use pathway_types::Schema;

use super::plain::cut_lines;
use super::{Cut, Decoder, Format, Layout, METADATA, invalid};

mod debezium;
mod decode;
mod encode;
mod message;
mod pointer;
mod scan;

pub(super) use debezium::EventDecoder;
pub use encode::JsonEncoder;
pub(super) use message::MessageDecoder;
pub(super) use scan::unescape;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Where columns find their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonSettings {
    /// JSON pointers (RFC 6901) of columns that are not simply the field of their own name.
    pub field_paths: Vec<(String, String)>,
}

impl JsonSettings {
    /// Checks the paths against the columns.
    pub(super) fn check(&self, schema: &Schema) -> Result<(), ConnectorError> {
        for (column, path) in &self.field_paths {
            if column == METADATA {
                return Err(invalid(
                    "json",
                    format!("{METADATA} is not read from the record, so it has no path"),
                ));
            }
            if schema.index_of(column).is_none() {
                let names: Vec<&str> = schema.names().collect();
                return Err(invalid(
                    "json",
                    format!("json_field_paths has a path for {column:?}, but the columns are {names:?}"),
                ));
            }
            if !path.is_empty() && !path.starts_with('/') {
                return Err(invalid(
                    "json",
                    format!(
                        "the path {path:?} of column {column:?} is no JSON pointer: it must be empty or start with /"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// JSON lines bound to columns.
#[derive(Debug)]
pub(super) struct JsonLines {
    layout: Arc<Layout>,
    decoder: Arc<decode::JsonDecoder>,
}

impl JsonLines {
    pub(super) fn new(settings: &JsonSettings, layout: Arc<Layout>) -> Self {
        let decoder = Arc::new(decode::JsonDecoder::new(settings, &layout));
        JsonLines { layout, decoder }
    }
}

impl Format for JsonLines {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn unit(&self) -> &'static str {
        "line"
    }

    fn preamble(&self, data: &[u8], end: bool) -> Option<usize> {
        match data.starts_with(BOM) {
            true => Some(BOM.len()),
            false if !end && data.len() < BOM.len() && BOM.starts_with(data) => None,
            false => Some(0),
        }
    }

    fn cut(&self, data: &[u8], end: bool, limit: u64) -> Cut {
        cut_lines(data, end, limit)
    }

    fn decoder(&self, _preamble: &[u8]) -> Arc<dyn Decoder> {
        self.decoder.clone()
    }
}

#[cfg(test)]
mod tests;
