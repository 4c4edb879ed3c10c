//! `strftime`.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDateTime, Utc};
use pathway_types::{DType, DataError};

use super::super::builder::TextBuilder;
use super::super::call::Call;
use super::super::{ints, texts};
use crate::evaluate::cells::{Cells, Strict};

/// The parts of a format, or why it is none.
pub(super) fn parse_format(format: &str) -> Result<Vec<Item<'_>>, DataError> {
    StrftimeItems::new(format).parse().map_err(|_| {
        DataError::parse(format!("{format:?} is not a datetime format: it has an unknown specifier"))
    })
}

/// `dt.strftime`.
pub(crate) fn strftime(call: &Call<'_>) -> Cells {
    let mut frame = Strict::of(&call.sides(), call.rows);
    let (instants, formats) = (ints(&call.operands[0]), texts(&call.operands[1]));
    let utc = *call.types[0] == DType::DateTimeUtc;
    let mut parsed: Option<(&str, Result<Vec<Item<'_>>, DataError>)> = None;
    let mut out = TextBuilder::new(call.rows, 0);
    for row in 0..call.rows {
        if frame.is_valid(row) {
            let format = formats.get(row);
            let items = match &mut parsed {
                Some((last, items)) if *last == format => items,
                other => &mut other.insert((format, parse_format(format))).1,
            };
            let at = DateTime::from_timestamp_nanos(instants.get(row));
            let start = out.text().len();
            let written = match items {
                Ok(items) => write(&mut out, at, utc, items).map_err(|_| inapplicable(format)),
                Err(error) => Err(error.clone()),
            };
            if let Err(error) = written {
                out.text().truncate(start);
                frame.fail(row, error);
            }
        }
        out.end_row();
    }
    frame.finish(|nulls| out.finish(nulls))
}

fn write(out: &mut TextBuilder, at: DateTime<Utc>, utc: bool, items: &[Item<'_>]) -> std::fmt::Result {
    if utc {
        return write!(out, "{}", at.format_with_items(items.iter()));
    }
    let naive: NaiveDateTime = at.naive_utc();
    write!(out, "{}", naive.format_with_items(items.iter()))
}

fn inapplicable(format: &str) -> DataError {
    DataError::value(format!(
        "the format {format:?} asks for something that a datetime without a time zone does not have"
    ))
}
