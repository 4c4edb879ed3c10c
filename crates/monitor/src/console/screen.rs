//! The view as a picture of characters: two tables, and below them what was logged.

use std::sync::Arc;

use pathway_dataflow::stats::Extent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr;

use super::logs;
use super::progress::{Operator, Place, Progress, share};
use super::table::{FIRST, Table, words};
use crate::log_tail::Record;

const CONNECTORS: &[&str] =
    &["connector", "no. messages in the last minibatch", "in the last minute", "since start"];
const OPERATORS: &[&str] =
    &["operator", "latency to wall clock [ms]", "lag to input [ms]", "total rows", "current rows"];
const CAPTION: &str = "Latency is how far an operator is behind the clock: now less the time of the rows that it is \
                       done with. Lag is how far it is behind the input.";
/// Names of sources and sinks take no more of a line of two tables.
const NAMES: u16 = 32;
/// The least widths of numbers where headings have space, and from which widths on they have that: for two tables
/// beside each other, and for one.
const ROOMY: [[u16; 4]; 2] = [[12, 11, 11, 0], [12, 12, 7, 8]];
const WIDE: u16 = 113;
const WIDE_ALONE: u16 = 70;
/// Those elsewhere.
const CLOSE: [[u16; 4]; 2] = [[8, 8, 8, 0], [8, 8, 6, 7]];
/// Between the two tables.
const GAP: u16 = 3;
/// So many lines are kept for what was logged, if there are as many for the tables.
const LOGS: u16 = 4;
/// Less of a line of the program says nothing.
const TEXT: usize = 8;
/// How wide the bar of a source is.
const BAR: usize = 10;
/// What has no place is told by that.
const MORE: &str = "...";

/// Draws the view, with a panel for what was logged if that is given.
pub(super) fn draw(progress: &Progress, records: Option<&[Arc<Record>]>, area: Rect, buffer: &mut Buffer) {
    let (width, height) = (area.width, area.height);
    let lines = |records| logs::lines(records, width.saturating_sub(4), LOGS).len() as u16;
    let kept = records.map_or(0, |records| (lines(records) + 2).min(height / 2));
    let tables = Tables::of(progress, width.saturating_sub(4), height.saturating_sub(kept + 2));
    let panel = Rect { height: (tables.height + 2).min(height), ..area };
    let title = Line::from(" PATHWAY PROGRESS DASHBOARD ").bold().centered();
    let summary = Line::from(format!(" {} ", progress.summary)).dim().right_aligned();
    let block = Block::bordered().title(title);
    let block = if progress.summary.is_empty() { block } else { block.title_bottom(summary) };
    block.render(panel, buffer);
    tables.draw(panel.inner(Margin::new(2, 1)), buffer);
    let below = Rect { y: area.y + panel.height, height: height - panel.height, ..area };
    let Some(records) = records.filter(|_| below.height >= 2) else { return };
    Block::bordered().title(Line::from(" LOGS ").bold().centered()).render(below, buffer);
    let inside = below.inner(Margin::new(2, 1));
    for (y, line) in logs::lines(records, inside.width, inside.height).iter().enumerate() {
        buffer.set_line(inside.x, inside.y + y as u16, line, inside.width);
    }
}

/// The height that shows everything, with so many lines for what was logged.
pub(super) fn whole(progress: &Progress, records: Option<&[Arc<Record>]>, width: u16, logs: u16) -> u16 {
    let tables = Tables::of(progress, width.saturating_sub(4), u16::MAX);
    let lines = |records| logs::lines(records, width.saturating_sub(4), logs).len() as u16;
    tables.height.saturating_add(2).saturating_add(records.map_or(0, |records| lines(records) + 2))
}

/// The two tables with the places that they have.
struct Tables<'a> {
    connectors: Table<'a>,
    operators: Table<'a>,
    caption: Vec<String>,
    /// Beside each other: the width of the first one.
    beside: Option<u16>,
    /// One below the other: a line between them, if there is space for it.
    between: u16,
    height: u16,
}

impl<'a> Tables<'a> {
    fn of(progress: &'a Progress, width: u16, height: u16) -> Tables<'a> {
        let least = if width >= WIDE { ROOMY } else { CLOSE };
        let connectors = progress.connectors.iter().flat_map(|connector| {
            let numbers = connector.numbers.iter().map(|cell| Line::from(cell.as_str()));
            let cells = std::iter::once(Line::from(connector.name.as_str())).chain(numbers).collect();
            std::iter::once(cells).chain(connector.reading.map(|reading| vec![bar(reading)]))
        });
        let mut connectors = Table { headings: CONNECTORS, least: least[0], rows: connectors.collect() };
        let all = std::iter::once(&progress.input)
            .chain(&progress.operators)
            .chain(std::iter::once(&progress.output));
        let rows = all.clone().map(|operator| cells(operator, u16::MAX)).collect();
        let mut operators = Table { headings: OPERATORS, least: least[1], rows };

        let left = connectors.width(connectors.first().min(NAMES));
        let beside = (left + GAP + operators.width(FIRST) <= width).then_some(left);
        if beside.is_none() && width >= WIDE_ALONE {
            [connectors.least, operators.least] = ROOMY;
        }
        let right = beside.map_or(width, |left| width - left - GAP);
        let first = right.saturating_sub(operators.width(0));
        operators.rows = all.map(|operator| cells(operator, first)).collect();
        let mut caption = words(CAPTION, right);
        // Heads and rows; what does not fit is left out, the explanation first.
        let (head_left, head_right) = (connectors.head(), operators.head());
        let rows = |table: &Table<'_>| u16::try_from(table.rows.len()).unwrap_or(u16::MAX);
        let needs = |connectors: &Table<'_>, operators: &Table<'_>, caption: &[String]| {
            let right = head_right.saturating_add(rows(operators)).saturating_add(caption.len() as u16);
            let left = head_left.saturating_add(rows(connectors));
            if beside.is_some() { left.max(right) } else { left.saturating_add(right) }
        };
        if needs(&connectors, &operators, &caption) > height {
            caption.clear();
        }
        if beside.is_some() {
            shorten(&mut connectors, height.saturating_sub(head_left), 0);
            shorten(&mut operators, height.saturating_sub(head_right), 1);
        } else {
            // Operators give way first, down to input and output.
            let space = height.saturating_sub(head_left + head_right);
            shorten(&mut connectors, space.saturating_sub(rows(&operators).min(3)).max(1), 0);
            let left = space.saturating_sub(rows(&connectors));
            shorten(&mut operators, left, 1);
        }
        let needed = needs(&connectors, &operators, &caption).min(height);
        let between = u16::from(beside.is_none() && needed < height);
        Tables { connectors, operators, caption, beside, between, height: needed + between }
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let (left, right) = match self.beside {
            Some(width) => {
                let x = area.x + width + GAP;
                let right = Rect { x, width: area.width.saturating_sub(width + GAP), ..area };
                (Rect { width, ..area }, right)
            }
            None => {
                let height = (self.connectors.head() + self.connectors.rows.len() as u16).min(area.height);
                let above = (height + self.between).min(area.height);
                let right = Rect { y: area.y + above, height: area.height - above, ..area };
                (Rect { height, ..area }, right)
            }
        };
        self.connectors.draw(left, buffer);
        self.operators.draw(right, buffer);
        let below = self.operators.head() + self.operators.rows.len() as u16;
        for (number, text) in self.caption.iter().enumerate() {
            let y = below + number as u16;
            if y < right.height {
                buffer.set_line(right.x, right.y + y, &Line::from(text.as_str()).dim(), right.width);
            }
        }
    }
}

/// Leaves out rows that have no space, but not the last ones.
fn shorten(table: &mut Table<'_>, space: u16, last: usize) {
    let space = usize::from(space);
    if table.rows.len() <= space {
        return;
    }
    let first = space.saturating_sub(1 + last);
    let end = table.rows.len() - last.min(table.rows.len());
    table.rows.splice(first.min(end)..end, [vec![Line::from(MORE)]]);
}

/// How far a source is: below its name.
fn bar(reading: Extent) -> Line<'static> {
    let (percent, all) = share(reading);
    let full = (percent as usize * BAR / 100).min(BAR);
    Line::from(vec![
        Span::from("█".repeat(full)),
        Span::from("░".repeat(BAR - full)).dim(),
        Span::from(format!(" {percent} % of {all}")),
    ])
}

/// The cells of an operator, the first of which should have this width.
fn cells(operator: &Operator, width: u16) -> Vec<Line<'_>> {
    let mut label = vec![Span::from(operator.label.as_str())];
    if let Some(Place { file, line, text }) = &operator.place {
        let place = format!("  {file}:{line}");
        let left = usize::from(width).checked_sub(operator.label.width() + place.width());
        if let Some(left) = left {
            label.push(Span::from(place).dim());
            if left > TEXT {
                label.push(Span::from(format!("  {text}")).dim());
            }
        } else {
            // The number of the line says more than the beginning of the name of the file.
            label.push(Span::from(format!("  :{line}")).dim());
        }
    }
    let numbers = [&operator.latency, &operator.lag, &operator.total, &operator.current];
    let numbers = numbers.into_iter().map(|text| Line::from(text.as_str()));
    std::iter::once(Line::from(label)).chain(numbers).collect()
}
