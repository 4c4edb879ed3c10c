//! Rows from JSON records.

use pathway_types::Field;

use super::JsonSettings;
use super::pointer::Pointer;
use super::scan::{Scanner, Syntax, unescape};
use crate::formats::cells::Token;
use crate::formats::{Decoder, Layout, RowBuilder};

/// Decodes JSON records.
#[derive(Debug)]
pub(super) struct JsonDecoder {
    /// The field of the record that each column reads, for those that read one.
    names: Vec<Option<Box<[u8]>>>,
    /// The other columns, with the pointers they follow.
    pointers: Vec<(usize, Pointer)>,
    /// The pointers of all columns, if all have one: then a record need not be an object.
    all_pointers: Option<Vec<(usize, Pointer)>>,
}

/// Appends the row of these values.
#[inline]
pub(super) fn push_row(raw: &[u8], tokens: &[Token<'_>], rows: &mut RowBuilder) {
    for (column, token) in tokens.iter().enumerate() {
        if let Err(fault) = rows.cells[column].push_json(*token) {
            rows.fault(column, fault, raw.trim_ascii_end());
        }
    }
    rows.end_row();
}

/// What the decoder carries from record to record.
pub(super) struct Session<'a> {
    /// The value of each column in the current record.
    pub(super) tokens: Vec<Token<'a>>,
    /// The fields of the last records, by their places.
    expected: Vec<Expected>,
}

/// The field that stood at some place.
struct Expected {
    /// Its name, in quotes, as written.
    text: Vec<u8>,
    /// The column that reads it.
    column: Option<usize>,
}

impl JsonDecoder {
    pub(super) fn new(settings: &JsonSettings, layout: &Layout) -> Self {
        JsonDecoder::of_columns(settings, layout, |_| true)
    }

    /// A decoder of those columns whose names are chosen; the others are not in the document.
    pub(super) fn of_columns(
        settings: &JsonSettings,
        layout: &Layout,
        chosen: impl Fn(&str) -> bool,
    ) -> Self {
        let mut names: Vec<Option<Box<[u8]>>> = Vec::new();
        let mut pointers = Vec::new();
        let pointer_of = |field: &Field| {
            let path = settings.field_paths.iter().find(|(column, _)| **column == *field.name);
            path.map(|(_, path)| Pointer::new(path))
        };
        // Columns without a path come first: their names are taken.
        let mut taken: Vec<Box<[u8]>> = layout
            .fields()
            .iter()
            .filter(|field| chosen(&field.name) && pointer_of(field).is_none())
            .map(|field| field.name.as_bytes().into())
            .collect();
        for (column, field) in layout.fields().iter().enumerate() {
            if !chosen(&field.name) {
                names.push(None);
                continue;
            }
            let Some(pointer) = pointer_of(field) else {
                names.push(Some(field.name.as_bytes().into()));
                continue;
            };
            match pointer.field() {
                Some(name) if taken.iter().all(|other| **other != *name) => {
                    taken.push(name.into());
                    names.push(Some(name.into()));
                }
                _ => {
                    names.push(None);
                    pointers.push((column, pointer));
                }
            }
        }
        let all = layout.fields().iter().enumerate().filter(|(_, field)| chosen(&field.name));
        let all_pointers: Option<Vec<_>> =
            all.map(|(column, field)| Some((column, pointer_of(field)?))).collect();
        JsonDecoder { names, pointers, all_pointers: all_pointers.filter(|all| !all.is_empty()) }
    }

    /// What reading starts with.
    pub(super) fn session<'a>(&self) -> Session<'a> {
        Session { tokens: vec![Token::Absent; self.names.len()], expected: Vec::new() }
    }

    /// Reads a whole document into the session's tokens; tells what is wrong with it.
    pub(super) fn document<'a>(&self, document: &'a [u8], session: &mut Session<'a>) -> Result<(), Syntax> {
        if simdutf8::basic::from_utf8(document).is_err() {
            return Err("the record is not valid UTF-8");
        }
        match self.record(&mut Scanner::<false>::new(document), session) {
            Ok(true) => Ok(()),
            Ok(false) => Err("the record is empty"),
            Err(reason) => Err(reason),
        }
    }

    /// Decodes valid UTF-8.
    fn run<const LINES: bool>(&self, data: &[u8], rows: &mut RowBuilder) {
        let mut scanner = Scanner::<LINES>::new(data);
        let mut session = self.session();
        while scanner.position < data.len() {
            let start = scanner.position;
            match self.record(&mut scanner, &mut session) {
                Ok(true) => {
                    let end = scanner.position;
                    push_row(&data[start..end], &session.tokens, rows);
                }
                Ok(false) => rows.skip(),
                Err(reason) => {
                    let end = if LINES { memchr::memchr(b'\n', &data[start..]) } else { None };
                    let end = end.map_or(data.len(), |at| start + at);
                    scanner.position = end;
                    rows.reject(data[start..end].trim_ascii_end(), reason);
                }
            }
            // The line feed.
            scanner.position += 1;
        }
    }

    /// Reads one record up to its end; false if it is blank.
    #[inline]
    fn record<'a, const LINES: bool>(
        &self,
        scanner: &mut Scanner<'a, LINES>,
        session: &mut Session<'a>,
    ) -> Result<bool, Syntax> {
        session.tokens.fill(Token::Absent);
        scanner.space();
        let start = scanner.position;
        let document = match scanner.peek() {
            Some(b'{') => {
                self.object(scanner, session)?;
                Token::Nested(&scanner.data()[start..scanner.position])
            }
            _ if scanner.at_end() => return Ok(false),
            _ => {
                let value = scanner.value(0)?;
                let pointers = self
                    .all_pointers
                    .as_ref()
                    .ok_or("the record is JSON, but no object with named fields")?;
                for (column, pointer) in pointers {
                    session.tokens[*column] = pointer.resolve(value);
                }
                value
            }
        };
        scanner.space();
        if !scanner.at_end() {
            return Err("something follows behind the JSON value");
        }
        for (column, pointer) in &self.pointers {
            session.tokens[*column] = pointer.resolve(document);
        }
        Ok(true)
    }

    /// Reads the fields of an object, whose brace comes next.
    #[inline]
    fn object<'a, const LINES: bool>(
        &self,
        scanner: &mut Scanner<'a, LINES>,
        session: &mut Session<'a>,
    ) -> Result<(), Syntax> {
        scanner.position += 1;
        scanner.space();
        if scanner.accept(b'}') {
            return Ok(());
        }
        for place in 0.. {
            let column = match session.expected.get(place) {
                Some(expected) if scanner.accept_text(&expected.text) => expected.column,
                _ => self.name(scanner, &mut session.expected, place)?,
            };
            scanner.colon()?;
            let token = scanner.value(1)?;
            if let Some(column) = column {
                session.tokens[column] = token;
            }
            if scanner.accept(b'}') {
                break;
            }
            scanner.space();
            if scanner.accept(b',') {
                scanner.space();
            } else if scanner.accept(b'}') {
                break;
            } else {
                return Err(match scanner.at_end() {
                    true => "the record ends inside an object",
                    false => "a comma or a closing brace is expected",
                });
            }
        }
        Ok(())
    }

    /// Reads the name of a field and expects it at this place from now on.
    fn name<const LINES: bool>(
        &self,
        scanner: &mut Scanner<'_, LINES>,
        expected: &mut Vec<Expected>,
        place: usize,
    ) -> Result<Option<usize>, Syntax> {
        /// Places beyond this one are looked up each time.
        const REMEMBERED: usize = 1024;
        if scanner.peek() != Some(b'"') {
            return Err(match scanner.at_end() {
                true => "the record ends inside an object",
                false => "the name of a field is expected",
            });
        }
        let start = scanner.position;
        let (text, escaped) = scanner.string()?;
        let mut unescaped = Vec::new();
        let name = if escaped {
            unescape(text, &mut unescaped);
            &unescaped
        } else {
            text
        };
        let column = self.names.iter().position(|other| other.as_deref() == Some(name));
        if place >= REMEMBERED {
            return Ok(column);
        }
        if expected.len() <= place {
            expected.push(Expected { text: Vec::new(), column: None });
        }
        if let Some(expected) = expected.get_mut(place) {
            expected.text.clear();
            expected.text.extend_from_slice(&scanner.data()[start..scanner.position]);
            expected.column = column;
        }
        Ok(column)
    }
}

impl Decoder for JsonDecoder {
    fn decode(&self, records: &[u8], rows: &mut RowBuilder) {
        if simdutf8::basic::from_utf8(records).is_ok() {
            return self.run::<true>(records, rows);
        }
        let mut start = 0;
        while start < records.len() {
            let end = memchr::memchr(b'\n', &records[start..]).map_or(records.len(), |at| start + at + 1);
            let line = &records[start..end];
            if std::str::from_utf8(line).is_ok() {
                self.run::<true>(line, rows);
            } else {
                rows.reject(line.trim_ascii_end(), "the record is not valid UTF-8");
            }
            start = end;
        }
    }

    fn decode_record(&self, record: &[u8], rows: &mut RowBuilder) {
        if simdutf8::basic::from_utf8(record).is_err() {
            return rows.reject(record, "the record is not valid UTF-8");
        }
        if record.trim_ascii().is_empty() {
            return rows.reject(record, "the record is empty");
        }
        self.run::<false>(record, rows);
    }
}
