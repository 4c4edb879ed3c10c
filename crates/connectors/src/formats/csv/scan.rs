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
    let has_quotes = has_quotes(settings, data);
    if limit == u64::MAX {
        let whole = match has_quotes {
            false => Some(cut_plain(data, end)),
            true => cut_quoted(settings, data, end),
        };
        if let Some(cut) = whole {
            return cut;
        }
    }
    if has_quotes {
        walk::<true>(settings, data, end, limit)
    } else {
        walk::<false>(settings, data, end, limit)
    }
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

/// Cuts text without quotes.
fn cut_plain(data: &[u8], end: bool) -> Cut {
    let bytes = if end { data.len() } else { memchr::memrchr2(b'\n', b'\r', data).map_or(0, |at| at + 1) };
    let data = &data[..bytes];
    let is_regular = data.first().is_none_or(|byte| *byte != b'\n')
        && memchr::memchr(b'\r', data).is_none()
        && memchr::memmem::find(data, b"\n\n").is_none();
    if !is_regular {
        let mut ends = Ends::default();
        for (base, chunk) in (0..).step_by(64).zip(data.chunks(64)) {
            let block = Block::load(chunk);
            ends.add((block.eq(b'\n') | block.eq(b'\r')) & valid(chunk.len()), base, chunk.len());
        }
        return Cut { bytes, records: ends.records + u64::from(ends.blank == 0) };
    }
    let open = data.last().is_some_and(|byte| *byte != b'\n');
    Cut { bytes, records: memchr::memchr_iter(b'\n', data).count() as u64 + u64::from(open) }
}

/// Cuts text with quotes, by counting them: an odd number of them stands before what is quoted.
/// `None` if quotes stand where that does not hold: inside of unquoted text.
fn cut_quoted(settings: &CsvSettings, data: &[u8], end: bool) -> Option<Cut> {
    if !settings.double_quote_escapes {
        return None;
    }
    let mut ends = Ends::default();
    // All ones while inside of quotes; one if the byte before may be followed by an opening quote.
    let (mut inside, mut before) = (0u64, 1u64);
    let mut is_odd = false;
    for (base, chunk) in (0..).step_by(64).zip(data.chunks(64)) {
        let block = Block::load(chunk);
        let valid = valid(chunk.len());
        let quotes = block.eq(settings.quote) & valid;
        let line_ends = (block.eq(b'\n') | block.eq(b'\r')) & valid;
        let quoted = prefix_xor(quotes) ^ inside;
        let borders = block.eq(settings.delimiter) | line_ends | quotes;
        is_odd |= quotes & quoted & !(borders << 1 | before) != 0;
        inside = ((quoted as i64) >> 63) as u64;
        before = borders >> 63;
        ends.add(line_ends & !quoted, base, chunk.len());
    }
    if is_odd {
        return None;
    }
    Some(match end {
        true => Cut { bytes: data.len(), records: ends.records + u64::from(ends.blank == 0) },
        false => Cut { bytes: ends.last, records: ends.records },
    })
}

/// Bit `i` is the parity of bits `0..=i`.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Counts records by their ends, block by block: ends behind an end (or the start) end blank lines.
struct Ends {
    records: u64,
    /// Behind the last end.
    last: usize,
    /// One if the last byte was an end, or there was none.
    blank: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Ends { records: 0, last: 0, blank: 1 }
    }
}

impl Ends {
    /// Takes in the ends of the block of `len` bytes at `base`.
    #[inline]
    fn add(&mut self, ends: u64, base: usize, len: usize) {
        self.records += u64::from((ends & !(ends << 1 | self.blank)).count_ones());
        self.blank = ends >> (len - 1) & 1;
        if ends != 0 {
            self.last = base + 64 - ends.leading_zeros() as usize;
        }
    }
}
