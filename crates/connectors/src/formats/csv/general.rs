//! Records of CSV text with escape characters or comments, by the `csv-core` crate.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::CsvSettings;
use crate::formats::Cut;

/// The records of some text, one after another.
pub(super) struct Records<'a> {
    data: &'a [u8],
    reader: Box<Reader>,
    position: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

/// How far a step of the reader came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A record, terminated by a line end or by the end of the data.
    Record {
        /// Where its text starts; blank lines and comments may precede it.
        start: usize,
        /// It ends with a line end.
        terminated: bool,
    },
    /// The data is over.
    End,
}

impl<'a> Records<'a> {
    pub(super) fn new(settings: &CsvSettings, data: &'a [u8]) -> Self {
        let mut builder = ReaderBuilder::new();
        builder
            .delimiter(settings.delimiter)
            .quote(settings.quote)
            .escape(settings.escape)
            .double_quote(settings.double_quote_escapes)
            .quoting(settings.quoting)
            .comment(settings.comment);
        Records {
            data,
            reader: Box::new(builder.build()),
            position: 0,
            text: vec![0; 1024],
            ends: vec![0; 64],
            fields: 0,
        }
    }

    /// Behind what was read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The fields of the last record.
    pub(super) fn fields(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.fields).map(|i| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.text[start..self.ends[i]]
        })
    }

    /// Reads a record.
    pub(super) fn next(&mut self) -> Step {
        let start = self.position;
        let (mut text, mut ends) = (0, 0);
        let mut at_end = false;
        loop {
            let input = &self.data[self.position..];
            at_end |= input.is_empty();
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.text[text..], &mut self.ends[ends..]);
            self.position += read;
            text += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    self.fields = ends;
                    return Step::Record { start, terminated: !at_end };
                }
                ReadRecordResult::End => return Step::End,
            }
        }
    }
}

/// See [`crate::formats::Format::cut`]. Blank lines and comments are not counted.
pub(super) fn cut(settings: &CsvSettings, data: &[u8], end: bool, limit: u64) -> Cut {
    let mut records = Records::new(settings, data);
    let mut cut = Cut::default();
    while cut.records < limit {
        match records.next() {
            Step::Record { terminated, .. } if terminated || end => {
                cut.records += 1;
                cut.bytes = records.position();
            }
            Step::Record { .. } => break,
            Step::End => {
                if end {
                    cut.bytes = data.len();
                }
                break;
            }
        }
    }
    cut
}
