//! Plans as drawings. Where operators are is decided by the crate `dagre`; no other program is needed.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};
use pathway_plan::Explanation;
use pathway_plan::explanation::{Loop, Operator};

use crate::Stage;
use crate::label::{counted, details, heading, repeated, visible};
use crate::text::whole;

/// The size of letters, all of which are equally wide, and the distance of lines.
const FONT: f64 = 12.0;
const LETTER: f64 = 7.25;
const LINE: f64 = 15.0;
const PADDING: f64 = 8.0;
const MARGIN: f64 = 12.0;
/// Lines that are longer are cut; the whole is in the tooltip.
const LONGEST: usize = 56;

/// One of the plans as a drawing: rows flow downwards, and what is known of loops is below. All that is known of an operator is in its tooltip. What is drawn has
/// classes, by which a page may give it other colours.
pub fn svg(explanation: &Explanation, stage: Stage) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, stage, stage.of(explanation), &explanation.loops);
    text
}

struct Card<'a> {
    operator: &'a Operator,
    lines: Vec<String>,
}

impl Card<'_> {
    fn width(&self) -> f64 {
        let letters = self.lines.iter().map(|line| letters(line)).max().unwrap_or(0);
        to_number(letters) * LETTER + 2.0 * PADDING
    }

    fn height(&self) -> f64 {
        to_number(self.lines.len()) * LINE + 2.0 * PADDING
    }
}

/// Where an operator is drawn.
#[derive(Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Area {
    /// The point of the upper or lower border that is nearest to a distance from the left, corners excepted.
    fn border(self, x: f64, lower: bool) -> (f64, f64) {
        let corner = PADDING.min(self.width / 2.0);
        let x = x.min(self.left + self.width - corner).max(self.left + corner);
        (x, if lower { self.top + self.height } else { self.top })
    }
}

// There are far less than 2^52 of anything that is drawn.
#[allow(clippy::cast_precision_loss)]
fn to_number(count: usize) -> f64 {
    count as f64
}

/// How wide a line is, in letters: those outside of Latin scripts may take twice the place.
fn letters(line: &str) -> usize {
    line.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// What is drawn of an operator.
fn card(stage: Stage, operator: &Operator) -> Card<'_> {
    let mut lines = vec![heading(stage, operator)];
    lines.extend(details(operator).map(|detail| format!("{} {}", detail.label, detail.text)));
    let computed = operator.columns.iter().filter_map(|column| Some((column, column.value.as_ref()?)));
    lines.extend(computed.map(|(column, value)| format!("{} = {value}", column.name)));
    if let Some(inside) = &operator.inside {
        lines.push(format!("inside {inside}"));
    }
    let rows = operator.estimate.to_string();
    if operator.estimate.least > 0 || operator.estimate.most.is_some() {
        lines.push(format!("rows {}", rows.split(" (").next().unwrap_or_default()));
    }
    lines.extend(operator.measured.iter().map(counted));
    lines.extend(operator.place.iter().map(|place| {
        let file = place.file.rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{file}:{}", place.line)
    }));
    Card { operator, lines: lines.iter().map(|line| short(&visible(line))).collect() }
}

fn short(line: &str) -> String {
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    line.chars().take(LONGEST - 1).chain(['\u{2026}']).collect()
}

fn write(f: &mut String, stage: Stage, operators: &[Operator], loops: &[Loop]) -> fmt::Result {
    let cards: Vec<Card<'_>> = operators.iter().map(|operator| card(stage, operator)).collect();
    let options = GraphOptions { directed: true, multigraph: true, compound: false };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
    for card in &cards {
        let label = NodeLabel { width: card.width(), height: card.height(), ..NodeLabel::default() };
        graph.set_node(card.operator.id.clone(), Some(label));
    }
    for card in &cards {
        for input in card.operator.inputs.iter().filter(|input| operators.iter().any(|o| o.id == **input)) {
            graph.set_edge(input.clone(), card.operator.id.clone(), Some(EdgeLabel::default()), None);
        }
    }
    let options = LayoutOptions { marginx: MARGIN, marginy: MARGIN, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));

    let placed: Vec<(&Card<'_>, Area)> = cards
        .iter()
        .filter_map(|card| {
            let label = graph.node(&card.operator.id)?;
            let (width, height) = (card.width(), card.height());
            Some((card, Area { left: label.x? - width / 2.0, top: label.y? - height / 2.0, width, height }))
        })
        .collect();
    let areas: BTreeMap<&str, Area> =
        placed.iter().map(|(card, area)| (card.operator.id.as_str(), *area)).collect();
    let edges: Vec<Vec<(f64, f64)>> = graph
        .edges()
        .iter()
        .filter_map(|edge| {
            let label = graph.edge(&edge.v, &edge.w, edge.name.as_deref())?;
            let points = label.points.iter().map(|point| (point.x, point.y)).collect();
            Some(joined(points, *areas.get(edge.v.as_str())?, *areas.get(edge.w.as_str())?))
        })
        .collect();
    let corners = placed.iter().map(|(_, area)| (area.left + area.width, area.top + area.height));
    let all = corners.chain(edges.iter().flatten().copied());
    let (width, height) = all.fold((0.0f64, 0.0f64), |(w, h), (x, y)| (w.max(x), h.max(y)));
    let below: Vec<String> = loops.iter().flat_map(repeated).map(|line| short(&visible(&line))).collect();
    let longest = to_number(below.iter().map(|line| letters(line)).max().unwrap_or(0)) * LETTER;
    let (width, bottom) = (width.max(MARGIN + longest) + MARGIN, height + MARGIN);
    let height = bottom + to_number(below.len()) * LINE;

    writeln!(
        f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"monospace\" font-size=\"{FONT}\">"
    )?;
    writeln!(
        f,
        "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto-start-reverse\"><path d=\"M 0 0 L 10 5 L 0 10 z\" fill=\"#555\"/></marker></defs>"
    )?;
    writeln!(f, "<rect class=\"ground\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>")?;
    edges.iter().try_for_each(|points| draw_edge(f, points))?;
    placed.iter().try_for_each(|(card, area)| draw_card(f, stage, card, *area))?;
    for (number, line) in below.iter().enumerate() {
        let base = bottom + FONT / 2.0 + to_number(number) * LINE;
        writeln!(
            f,
            "<text class=\"about\" x=\"{MARGIN:.1}\" y=\"{base:.1}\" xml:space=\"preserve\">{}</text>",
            escaped(line)
        )?;
    }
    writeln!(f, "</svg>")
}

/// A line that leaves and enters operators at their lower and upper borders: one that comes from far away to the side
/// of an operator would go through those beside it.
fn joined(mut points: Vec<(f64, f64)>, from: Area, to: Area) -> Vec<(f64, f64)> {
    let goes_down = from.top < to.top;
    if let [first, second, ..] = &mut points[..] {
        *first = from.border(second.0, goes_down);
    }
    if let [.., before, last] = &mut points[..] {
        *last = to.border(before.0, !goes_down);
    }
    points
}

fn draw_edge(f: &mut String, points: &[(f64, f64)]) -> fmt::Result {
    let [first, middle @ .., last] = points else { return Ok(()) };
    write!(
        f,
        "<path class=\"edge\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#arrow)\" d=\"M {:.1} {:.1}",
        first.0, first.1
    )?;
    // A curve through the middles between points, with the points to bend it.
    for (i, point) in middle.iter().enumerate() {
        let end = match middle.get(i + 1) {
            Some(next) => (f64::midpoint(point.0, next.0), f64::midpoint(point.1, next.1)),
            None => *last,
        };
        write!(f, " Q {:.1} {:.1} {:.1} {:.1}", point.0, point.1, end.0, end.1)?;
    }
    if middle.is_empty() {
        write!(f, " L {:.1} {:.1}", last.0, last.1)?;
    }
    writeln!(f, "\"/>")
}

fn draw_card(f: &mut String, stage: Stage, card: &Card<'_>, area: Area) -> fmt::Result {
    let (x, y) = (area.left, area.top);
    let (class, fill) = match (card.operator.inputs.is_empty(), card.operator.operator.as_str()) {
        (true, _) => ("source", "#e3f1e3"),
        (_, "output") => ("output", "#fbe9d7"),
        _ if card.operator.inside.is_some() => ("loop", "#ece6f6"),
        _ => ("step", "#e9f0fa"),
    };
    writeln!(
        f,
        "<g id=\"{}\"><title>{}</title>",
        escaped(&card.operator.id),
        escaped(&whole(stage, card.operator))
    )?;
    writeln!(
        f,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\" fill=\"{fill}\" stroke=\"#555\"/>",
        area.width, area.height
    )?;
    let left = x + PADDING;
    let mut base = y + PADDING + FONT;
    for (i, line) in card.lines.iter().enumerate() {
        let weight = if i == 0 { " font-weight=\"bold\"" } else { "" };
        writeln!(
            f,
            "<text x=\"{left:.1}\" y=\"{base:.1}\" xml:space=\"preserve\"{weight}>{}</text>",
            escaped(line)
        )?;
        base += LINE;
    }
    writeln!(f, "</g>")
}

/// Text that may stand in XML: characters that must not are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_to_operators_from_above_and_leave_them_below() {
        let area = |left, top| Area { left, top, width: 100.0, height: 50.0 };
        let (above, below) = (area(0.0, 0.0), area(900.0, 100.0));
        let points = vec![(100.0, 30.0), (950.0, 75.0), (900.0, 120.0)];
        let down = joined(points.clone(), above, below);
        assert_eq!(down, [(92.0, 50.0), (950.0, 75.0), (950.0, 100.0)]);
        // What is fed back in a loop goes up.
        let up = joined(points.into_iter().rev().collect(), below, above);
        assert_eq!(up, [(950.0, 100.0), (950.0, 75.0), (92.0, 50.0)]);
    }
}
