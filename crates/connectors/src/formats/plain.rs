//! Formats without fields: lines of text, and whole documents as text, as bytes, or unread.

use std::sync::Arc;

use super::{Cut, Decoder, Format, Framing, Layout, RowBuilder};

/// Lines of text, stripped.
#[derive(Debug)]
pub(super) struct Lines {
    layout: Arc<Layout>,
}

impl Lines {
    pub(super) fn new(layout: Arc<Layout>) -> Self {
        Lines { layout }
    }
}

impl Format for Lines {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn unit(&self) -> &'static str {
        "line"
    }

    fn preamble(&self, _data: &[u8], _end: bool) -> Option<usize> {
        Some(0)
    }

    fn cut(&self, data: &[u8], end: bool, limit: u64) -> Cut {
        cut_lines(data, end, limit)
    }

    fn decoder(&self, _preamble: &[u8]) -> Arc<dyn Decoder> {
        Arc::new(LineDecoder { columns: self.layout.fields().len() })
    }
}

/// The longest run of at most `limit` lines.
pub(super) fn cut_lines(data: &[u8], end: bool, limit: u64) -> Cut {
    let mut cut = Cut::default();
    if limit == u64::MAX {
        cut.bytes = memchr::memrchr(b'\n', data).map_or(0, |at| at + 1);
        cut.records = memchr::memchr_iter(b'\n', &data[..cut.bytes]).count() as u64;
    } else {
        for at in memchr::memchr_iter(b'\n', data).take(limit.try_into().unwrap_or(usize::MAX)) {
            cut = Cut { bytes: at + 1, records: cut.records + 1 };
        }
    }
    if end && cut.bytes < data.len() && cut.records < limit {
        cut = Cut { bytes: data.len(), records: cut.records + 1 };
    }
    cut
}

struct LineDecoder {
    columns: usize,
}

impl LineDecoder {
    fn push(&self, line: &[u8], is_utf8: bool, rows: &mut RowBuilder) {
        let Some(line) = strip(line, is_utf8) else {
            return rows.reject(line, "the text is not valid UTF-8");
        };
        for column in 0..self.columns {
            rows.cells[column].push_bytes(line);
        }
        rows.end_row();
    }
}

impl Decoder for LineDecoder {
    fn decode(&self, records: &[u8], rows: &mut RowBuilder) {
        let is_utf8 = simdutf8::basic::from_utf8(records).is_ok();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', records) {
            self.push(&records[start..end], is_utf8, rows);
            start = end + 1;
        }
        if start < records.len() {
            self.push(&records[start..], is_utf8, rows);
        }
    }

    fn decode_record(&self, record: &[u8], rows: &mut RowBuilder) {
        self.push(record, false, rows);
    }
}

/// The text without white space around it; `None` if it is not UTF-8, which `is_utf8` rules out.
pub(super) fn strip(text: &[u8], is_utf8: bool) -> Option<&[u8]> {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_graphic());
    if is_utf8 && is_plain(text.first()) && is_plain(text.last()) {
        return Some(text);
    }
    std::str::from_utf8(text).ok().map(|text| text.trim().as_bytes())
}

/// What a row holds of its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Its text, stripped.
    Text,
    /// Its bytes.
    Bytes,
    /// Nothing.
    Unread,
}

/// One row per document.
#[derive(Debug)]
pub(super) struct Whole {
    layout: Arc<Layout>,
    content: Content,
}

impl Whole {
    pub(super) fn new(layout: Arc<Layout>, content: Content) -> Self {
        // What nobody looks at is not read.
        let content = if layout.fields().is_empty() { Content::Unread } else { content };
        Whole { layout, content }
    }
}

impl Format for Whole {
    fn framing(&self) -> Framing {
        if self.content == Content::Unread { Framing::Nothing } else { Framing::Document }
    }

    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn preamble(&self, _data: &[u8], _end: bool) -> Option<usize> {
        Some(0)
    }

    fn cut(&self, data: &[u8], end: bool, limit: u64) -> Cut {
        if end && limit > 0 { Cut { bytes: data.len(), records: 1 } } else { Cut::default() }
    }

    fn decoder(&self, _preamble: &[u8]) -> Arc<dyn Decoder> {
        Arc::new(WholeDecoder { content: self.content, columns: self.layout.fields().len() })
    }
}

struct WholeDecoder {
    content: Content,
    columns: usize,
}

impl Decoder for WholeDecoder {
    fn decode(&self, records: &[u8], rows: &mut RowBuilder) {
        let content = match self.content {
            Content::Unread => return rows.end_row(),
            Content::Bytes => records,
            Content::Text => match strip(records, false) {
                Some(text) => text,
                None => return rows.reject(records, "the text is not valid UTF-8"),
            },
        };
        for column in 0..self.columns {
            rows.cells[column].push_bytes(content);
        }
        rows.end_row();
    }

    fn decode_record(&self, record: &[u8], rows: &mut RowBuilder) {
        self.decode(record, rows);
    }
}

#[cfg(test)]
mod tests;
