//! Log records as lines that fit.

use std::sync::Arc;

use chrono::{Local, TimeZone};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::log_tail::Record;

/// The width of time and level.
const HEAD: usize = 18;
/// Records with warnings and errors are marked from these levels on.
const WARNING: u32 = 30;
const ERROR: u32 = 40;

/// The last lines of some records.
pub(super) fn lines(records: &[Arc<Record>], width: u16, height: u16) -> Vec<Line<'static>> {
    let (width, height) = (usize::from(width), usize::from(height));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for record in records.iter().rev() {
        if lines.len() >= height {
            break;
        }
        // They are collected from the last one to the first.
        lines.extend(of(record, width).into_iter().rev());
    }
    lines.truncate(height);
    lines.reverse();
    lines
}

fn of(record: &Record, width: usize) -> Vec<Line<'static>> {
    let style = match record.level {
        ERROR.. => Style::new().fg(Color::Red),
        WARNING.. => Style::new().fg(Color::Yellow),
        _ => Style::new(),
    };
    let time = i64::try_from(record.time).ok().and_then(|time| Local.timestamp_millis_opt(time).single());
    let time = time.map_or_else(String::new, |time| time.format("%H:%M:%S").to_string());
    // What was printed has no level.
    let level = if record.level == 0 { "" } else { &record.level_name };
    let mut head = vec![Span::from(format!("{time:8} ")).dim(), Span::styled(format!("{level:8.8} "), style)];
    let texts = std::iter::once(&record.message).chain(&record.exception);
    let mut lines = Vec::new();
    for text in texts.flat_map(|text| text.lines()) {
        for piece in pieces(text, width.saturating_sub(HEAD).max(1)) {
            let mut spans = std::mem::take(&mut head);
            if spans.is_empty() {
                spans.push(Span::from(" ".repeat(HEAD)));
            }
            spans.push(Span::styled(piece, style));
            lines.push(Line::from(spans));
        }
    }
    lines
}

/// A text in pieces of this width, with nothing that a terminal would act upon. Words are broken if they are long.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut taken = 0;
    let tabs = text.replace('\t', "    ");
    for c in tabs.chars().filter(|c| !c.is_control()) {
        let wide = c.width().unwrap_or(0);
        if taken + wide > width && !piece.is_empty() {
            let word = piece.rfind(' ').map(|space| space + 1).filter(|word| {
                let (before, after) = piece.split_at(*word);
                !before.trim().is_empty() && after.width() * 2 <= width
            });
            let rest = piece.split_off(word.unwrap_or(piece.len()));
            pieces.push(piece.trim_end().to_owned());
            taken = rest.width();
            piece = rest;
            if c == ' ' && piece.is_empty() {
                continue;
            }
        }
        taken += wide;
        piece.push(c);
    }
    pieces.push(piece);
    pieces
}
