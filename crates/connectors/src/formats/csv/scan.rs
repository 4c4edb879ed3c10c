//! Records and fields of CSV text without escape characters and comments.
//!
//! A record ends at `\n` or `\r`; blank lines (and so the `\n` of `\r\n`) are no records. A quote
//! opens a quoted field only where a field starts; elsewhere it is an ordinary character. After the
//! closing quote everything up to the next delimiter belongs to the field as it is.

use super::CsvSettings;
use crate::formats::Cut;
use crate::formats::bits::{Block, valid};

/// Where a field stands and how it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte, without an enclosing quote unless `intricate`.
    pub(super) start: usize,
    /// Behind the last byte.
    pub(super) end: usize,
    /// The field starts with a quote and holds more of them: see [`unquote`].
    pub(super) intricate: bool,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The first byte.
    pub(super) start: usize,
    /// Behind the last byte, without the terminator.
    pub(super) end: usize,
    /// The number of fields.
    pub(super) fields: usize,
    /// It ends with a line end, not with the data.
    pub(super) terminated: bool,
}

/// The positions of delimiters, line ends and, if `QUOTES`, quotes, one after another.
struct Marks<'a, const QUOTES: bool> {
    data: &'a [u8],
    delimiter: u8,
    quote: u8,
    base: usize,
    bits: u64,
}

impl<'a, const QUOTES: bool> Marks<'a, QUOTES> {
    fn new(settings: &CsvSettings, data: &'a [u8]) -> Self {
        let (delimiter, quote) = (settings.delimiter, settings.quote);
        let mut marks = Marks { data, delimiter, quote, base: 0, bits: 0 };
        marks.load();
        marks
    }

    #[inline]
    fn load(&mut self) {
        let rest = &self.data[self.base.min(self.data.len())..];
        let block = Block::load(rest);
        let mut bits = block.eq(self.delimiter) | block.eq(b'\n') | block.eq(b'\r');
        if QUOTES {
            bits |= block.eq(self.quote);
        }
        self.bits = bits & valid(rest.len());
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.base += 64;
            if self.base >= self.data.len() {
                return None;
            }
            self.load();
        }
        let position = self.base + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(position)
    }
}

/// The records of some text, one after another. `QUOTES` must be set if there is any quote in it
/// that could open a field.
pub(super) struct Records<'a, const QUOTES: bool> {
    marks: Marks<'a, QUOTES>,
    double_quote_escapes: bool,
    position: usize,
}

impl<'a, const QUOTES: bool> Records<'a, QUOTES> {
    pub(super) fn new(settings: &CsvSettings, data: &'a [u8]) -> Self {
        Records {
            marks: Marks::new(settings, data),
            double_quote_escapes: settings.double_quote_escapes,
            position: 0,
        }
    }

    /// Behind the last record's terminator.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next record that is not blank; `field` is told each of its fields, counted from 0.
    #[inline]
    pub(super) fn next(&mut self, mut field: impl FnMut(usize, Span)) -> Option<Record> {
        let data = self.marks.data;
        let mut fields = 0;
        let mut start = self.position;
        let mut record = start;
        loop {
            let quoted = QUOTES && data.get(start) == Some(&self.marks.quote);
            let (span, mark) = if quoted { self.quoted(start) } else { self.plain(start) };
            let Some(mark) = mark else {
                self.position = data.len();
                if fields == 0 && record == data.len() {
                    return None;
                }
                field(fields, span);
                return Some(Record {
                    start: record,
                    end: data.len(),
                    fields: fields + 1,
                    terminated: false,
                });
            };
            if data[mark] == self.marks.delimiter {
                field(fields, span);
                fields += 1;
                start = mark + 1;
            } else if fields == 0 && mark == record {
                // A blank line.
                start = mark + 1;
                record = start;
            } else {
                field(fields, span);
                self.position = mark + 1;
                return Some(Record { start: record, end: mark, fields: fields + 1, terminated: true });
            }
        }
    }

    /// The field from `start` on, and what ends it (`None`: the end of the data).
    #[inline]
    fn plain(&mut self, start: usize) -> (Span, Option<usize>) {
        let mark = self.next_border();
        (Span { start, end: mark.unwrap_or(self.marks.data.len()), intricate: false }, mark)
    }

    /// The next delimiter or line end, whatever quotes come before it.
    #[inline]
    fn next_border(&mut self) -> Option<usize> {
        loop {
            match self.marks.next() {
                Some(mark) if QUOTES && self.marks.data[mark] == self.marks.quote => {}
                mark => return mark,
            }
        }
    }

    /// The field that is opened by a quote at `start`.
    fn quoted(&mut self, start: usize) -> (Span, Option<usize>) {
        let data = self.marks.data;
        let quote = self.marks.quote;
        let opening = self.marks.next();
        debug_assert_eq!(opening, Some(start));
        let mut intricate = false;
        loop {
            match self.marks.next() {
                // Never closed: the rest of the data.
                None if intricate => return (Span { start, end: data.len(), intricate }, None),
                None => return (Span { start: start + 1, end: data.len(), intricate }, None),
                Some(mark) if data[mark] != quote => {}
                Some(mark) if self.double_quote_escapes && data.get(mark + 1) == Some(&quote) => {
                    self.marks.next();
                    intricate = true;
                }
                Some(closing) => {
                    let border = self.next_border();
                    let end = border.unwrap_or(data.len());
                    if intricate || end != closing + 1 {
                        return (Span { start, end, intricate: true }, border);
                    }
                    return (Span { start: start + 1, end: closing, intricate: false }, border);
                }
            }
        }
    }
}

/// The content of an intricate field: `raw` starts with the opening quote.
pub(super) fn unquote(settings: &CsvSettings, raw: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let quote = settings.quote;
    let mut rest = &raw[1..];
    loop {
        let Some(at) = memchr::memchr(quote, rest) else {
            return out.extend_from_slice(rest);
        };
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if settings.double_quote_escapes && rest.first() == Some(&quote) {
            out.push(quote);
            rest = &rest[1..];
        } else {
            return out.extend_from_slice(rest);
        }
    }
}

/// True if `data` has quotes that matter.
pub(super) fn has_quotes(settings: &CsvSettings, data: &[u8]) -> bool {
    settings.quoting && memchr::memchr(settings.quote, data).is_some()
}

/// See [`crate::formats::Format::cut`]. Blank lines are not counted.
pub(super) fn cut(settings: &CsvSettings, data: &[u8], end: bool, limit: u64) -> Cut {
    if has_quotes(settings, data) {
        return walk::<true>(settings, data, end, limit);
    }
    if limit < u64::MAX {
        return walk::<false>(settings, data, end, limit);
    }
    let bytes = if end { data.len() } else { memchr::memrchr2(b'\n', b'\r', data).map_or(0, |at| at + 1) };
    Cut { bytes, records: count(&data[..bytes]) }
}

/// Cuts record by record.
fn walk<const QUOTES: bool>(settings: &CsvSettings, data: &[u8], end: bool, limit: u64) -> Cut {
    let mut records = Records::<QUOTES>::new(settings, data);
    let mut cut = Cut::default();
    while cut.records < limit {
        match records.next(|_, _| ()) {
            Some(record) if record.terminated || end => {
                cut.records += 1;
                cut.bytes = records.position();
            }
            Some(_) => break,
            None => {
                cut.bytes = records.position();
                break;
            }
        }
    }
    cut
}

/// The number of records in text without quotes: of line ends (and the end of the data) that do not
/// stand behind another line end or the start.
fn count(data: &[u8]) -> u64 {
    let mut records = 0;
    let mut blank = 1u64;
    for chunk in data.chunks(64) {
        let block = Block::load(chunk);
        let ends = (block.eq(b'\n') | block.eq(b'\r')) & valid(chunk.len());
        records += u64::from((ends & !(ends << 1 | blank)).count_ones());
        blank = ends >> (chunk.len() - 1) & 1;
    }
    records + u64::from(blank == 0)
}
