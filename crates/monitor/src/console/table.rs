//! A table whose columns are as wide as they have to be, with headings of several lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: u16 = 2;

/// A table. The first column is text and takes what space there is, the others are numbers.
pub(super) struct Table<'a> {
    /// The headings.
    pub(super) headings: &'a [&'a str],
    /// How wide columns of numbers are at least.
    pub(super) least: [u16; 4],
    /// The cells of each row.
    pub(super) rows: Vec<Vec<Line<'a>>>,
}

/// The first column is never narrower.
pub(super) const FIRST: u16 = 12;

impl Table<'_> {
    /// The widths of the columns of numbers.
    fn numbers(&self) -> Vec<u16> {
        let column = |number: usize| {
            let word = self.headings[number].split(' ').map(UnicodeWidthStr::width).max();
            let cell = self.rows.iter().filter_map(|row| row.get(number)).map(Line::width).max();
            (word.max(cell).unwrap_or(0) as u16).max(self.least[number - 1])
        };
        (1..self.headings.len()).map(column).collect()
    }

    /// How wide it is with so much for the first column.
    pub(super) fn width(&self, first: u16) -> u16 {
        self.numbers().iter().fold(first, |sum, width| sum.saturating_add(GAP + width))
    }

    /// How wide the first column would like to be.
    pub(super) fn first(&self) -> u16 {
        let cells = self.rows.iter().filter_map(|row| row.first()).map(Line::width).max().unwrap_or(0);
        (cells.max(self.headings[0].width()) as u16).max(FIRST)
    }

    /// How many lines the headings take, with that below them.
    pub(super) fn head(&self) -> u16 {
        let numbers = self.numbers();
        let lines = numbers.iter().zip(&self.headings[1..]).map(|(width, text)| words(text, *width).len());
        lines.max().unwrap_or(1) as u16 + 1
    }

    /// Draws as many rows as there is space for.
    pub(super) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let numbers = self.numbers();
        let first = area.width.saturating_sub(self.width(0));
        let head = self.head();
        let mut widths = vec![first];
        widths.extend(numbers);
        let mut x = area.x;
        for (number, width) in widths.into_iter().enumerate() {
            let column = Rect { x, width, ..area }.intersection(area);
            let lines = words(self.headings[number], width);
            for (line, text) in lines.iter().enumerate() {
                let y = (head - 1).saturating_sub(lines.len() as u16) + line as u16;
                put(buffer, column, y, number > 0, Line::from(text.clone()).bold());
            }
            for (row, cells) in self.rows.iter().enumerate() {
                let Some(cell) = cells.get(number) else { continue };
                put(buffer, column, head + row as u16, number > 0, cut(cell, column.width));
            }
            x = x.saturating_add(width + GAP);
        }
        let rule = "─".repeat(usize::from(area.width));
        put(buffer, area, head - 1, false, Line::from(rule).dim());
    }
}

fn put(buffer: &mut Buffer, column: Rect, y: u16, right: bool, line: Line<'_>) {
    if y >= column.height {
        return;
    }
    let shift = if right { column.width.saturating_sub(line.width() as u16) } else { 0 };
    buffer.set_line(column.x + shift, column.y + y, &line, column.width - shift);
}

/// A line that fits; what is left out is marked.
fn cut<'a>(line: &Line<'a>, width: u16) -> Line<'a> {
    let width = usize::from(width);
    if line.width() <= width {
        return line.clone();
    }
    let mut left = width.saturating_sub(1);
    let mut spans: Vec<Span<'a>> = Vec::new();
    for span in &line.spans {
        let mut text = String::new();
        for c in span.content.chars() {
            let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if wide > left {
                left = 0;
                break;
            }
            left -= wide;
            text.push(c);
        }
        spans.push(Span::styled(text, span.style));
        if left == 0 {
            break;
        }
    }
    spans.push(Span::styled("…", Style::new()));
    Line::from(spans)
}

/// The words of a text in lines of this width.
pub(super) fn words(text: &str, width: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= usize::from(width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
