//! Rows from CSV records.

use super::CsvSettings;
use super::general::{self, Step};
use super::scan::{Records, Span, has_quotes, unquote};
use crate::formats::{Decoder, Layout, RowBuilder};

/// Decodes the records of documents with one header.
pub(super) struct CsvDecoder {
    settings: CsvSettings,
    /// The position in a record of each field of the layout.
    columns: Vec<usize>,
    /// How many fields a record needs.
    needed: usize,
    /// Why no record can be read.
    problem: Option<String>,
}

impl CsvDecoder {
    /// A decoder for records under this header (the text of its line), which must have all `names`.
    pub(super) fn new(settings: &CsvSettings, layout: &Layout, names: &[Box<str>], header: &[u8]) -> Self {
        let header = header_names(settings, header);
        let mut decoder = CsvDecoder { settings: *settings, columns: Vec::new(), needed: 0, problem: None };
        for name in names {
            let mut places = (0..header.len()).filter(|i| header[*i] == **name);
            match (places.next(), places.next()) {
                (Some(place), None) => decoder.needed = decoder.needed.max(place + 1),
                (None, _) => {
                    decoder.problem = Some(format!(
                        "the header lacks the column {name:?} of the schema; it has {header:?}"
                    ));
                }
                (Some(_), Some(_)) => {
                    decoder.problem =
                        Some(format!("the header names the column {name:?} of the schema twice"));
                }
            }
        }
        decoder.columns = layout
            .fields()
            .iter()
            .map(|field| header.iter().position(|name| **name == *field.name).unwrap_or(0))
            .collect();
        decoder
    }

    fn fast<const QUOTES: bool>(&self, data: &[u8], is_utf8: bool, rows: &mut RowBuilder) {
        let mut records = Records::<QUOTES>::new(&self.settings, data);
        let mut spans = vec![Span::default(); self.columns.iter().max().map_or(0, |last| last + 1)];
        let mut scratch = Vec::new();
        loop {
            let record = records.next(|i, span| {
                if let Some(place) = spans.get_mut(i) {
                    *place = span;
                }
            });
            let Some(record) = record else { return };
            let raw = &data[record.start..record.end];
            if record.fields < self.needed || !is_utf8 && std::str::from_utf8(raw).is_err() {
                self.reject(raw, record.fields, rows);
                continue;
            }
            for (cell, place) in self.columns.iter().enumerate() {
                let span = spans[*place];
                let field = &data[span.start..span.end];
                let pushed = if QUOTES && span.intricate {
                    unquote(&self.settings, field, &mut scratch);
                    rows.cells[cell].push_text(&scratch)
                } else {
                    rows.cells[cell].push_text(field)
                };
                if let Err(fault) = pushed {
                    rows.fault(cell, fault, raw);
                }
            }
            rows.end_row();
        }
    }

    fn general(&self, data: &[u8], rows: &mut RowBuilder) {
        let mut records = general::Records::new(&self.settings, data);
        while let Step::Record { start, .. } = records.next() {
            let raw = data[start..records.position()].trim_ascii_end();
            let fields: Vec<&[u8]> = records.fields().collect();
            if fields.len() < self.needed || fields.iter().any(|field| std::str::from_utf8(field).is_err()) {
                self.reject(raw, fields.len(), rows);
                continue;
            }
            for (cell, place) in self.columns.iter().enumerate() {
                if let Err(fault) = rows.cells[cell].push_text(fields[*place]) {
                    rows.fault(cell, fault, raw);
                }
            }
            rows.end_row();
        }
    }

    #[cold]
    fn reject(&self, raw: &[u8], fields: usize, rows: &mut RowBuilder) {
        let reason = match &self.problem {
            Some(problem) => problem.clone(),
            None if fields < self.needed => {
                format!(
                    "the record has {fields} field(s), but the columns of the schema need {}",
                    self.needed
                )
            }
            None => "the record is not valid UTF-8".to_owned(),
        };
        rows.reject(raw, reason);
    }

    /// Rejects every record, since the header does not fit.
    #[cold]
    fn reject_all(&self, data: &[u8], rows: &mut RowBuilder) {
        let mut records = general::Records::new(&self.settings, data);
        while let Step::Record { start, .. } = records.next() {
            let fields = records.fields().len();
            let raw = data[start..records.position()].trim_ascii();
            self.reject(raw, fields, rows);
        }
    }
}

impl Decoder for CsvDecoder {
    fn decode(&self, records: &[u8], rows: &mut RowBuilder) {
        if self.problem.is_some() {
            return self.reject_all(records, rows);
        }
        if !self.settings.is_simple() {
            return self.general(records, rows);
        }
        let is_utf8 = simdutf8::basic::from_utf8(records).is_ok();
        if has_quotes(&self.settings, records) {
            self.fast::<true>(records, is_utf8, rows);
        } else {
            self.fast::<false>(records, is_utf8, rows);
        }
    }

    fn decode_record(&self, record: &[u8], rows: &mut RowBuilder) {
        self.decode(record, rows);
    }
}

/// The names in a header line.
fn header_names(settings: &CsvSettings, header: &[u8]) -> Vec<String> {
    let mut records = general::Records::new(settings, header);
    match records.next() {
        Step::Record { .. } => {
            records.fields().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        }
        Step::End => Vec::new(),
    }
}
