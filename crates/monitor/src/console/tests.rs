use std::time::Duration;

use pathway_dataflow::stats::{
    ConnectorStats, Extent, Frontier, Kind, Line, Node, OperatorStats, Outline, SinkStats, Snapshot, Unit,
};

use super::*;

fn outline(operators: u32) -> Outline {
    let of_kind = |kind: Kind, mut node: Node| {
        node.kind = kind;
        node
    };
    let mut nodes = vec![of_kind(Kind::Input, Node::new(1, "input(csv)", vec![]))];
    nodes.extend((2..2 + operators).map(|id| {
        let line = Line {
            function: "main".to_owned(),
            file: "/home/me/app.py".to_owned(),
            line: id,
            source: format!("  late{id} = flights.filter(delay > 0)"),
        };
        let mut node = Node::new(id, "filter", vec![id - 1]);
        node.line = Some(line);
        node
    }));
    let id = 2 + operators;
    nodes.push(of_kind(Kind::Output, Node::new(id, "output(csv)", vec![id - 1])));
    Outline { nodes }
}

fn snapshot(outline: &Outline) -> Snapshot {
    let operator = |id: u32, worker: usize| OperatorStats {
        id,
        worker,
        rows_in: 5,
        insertions: 4,
        deletions: 1,
        busy: Duration::ZERO,
        frontier: Frontier::At(800 + u64::from(id)),
        memory: 0,
        files: 0,
    };
    let connector = |id: u32, name: &str, finished: bool| ConnectorStats {
        id,
        name: name.to_owned(),
        last_minibatch: 3,
        last_minute: 12,
        messages: 120,
        minibatches: 2,
        errors: 1,
        dead_letters: 0,
        reading: finished.then_some(Extent { done: 5, all: 5, unit: Unit::Bytes }),
        finished,
        frontier: Frontier::At(900),
    };
    Snapshot {
        at: 1000,
        input: Frontier::At(900),
        output: Frontier::Done,
        operators: outline
            .nodes
            .iter()
            .flat_map(|node| [operator(node.id, 0), operator(node.id, 1)])
            .collect(),
        errors: [(2, 2)].into(),
        connectors: vec![connector(1, "flights", false), connector(1, "weather", true)],
        sinks: vec![SinkStats {
            id: 9,
            name: "out".to_owned(),
            rows: 8,
            busy: Duration::ZERO,
            frontier: Frontier::Done,
        }],
    }
}

/// The screen of a terminal of this size.
fn screen(progress: &Progress, records: &[Arc<Record>], width: u16, height: u16) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    screen::draw(progress, Some(records), area, &mut buffer);
    let rows = (0..height).map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    rows.map(|row| row.trim_end().to_owned()).collect()
}

fn of(operators: u32, all: bool) -> Progress {
    let outline = outline(operators);
    progress::progress(&outline, &snapshot(&outline), all, Duration::from_secs(3723))
}

fn record(level: u32, message: &str) -> Arc<Record> {
    let level_name = if level == 40 { "ERROR" } else { "INFO" };
    let (message, level_name) = (message.to_owned(), level_name.to_owned());
    Arc::new(Record { level, level_name, message, ..Record::default() })
}

#[test]
fn a_wide_terminal_has_two_tables_beside_each_other() {
    let lines = screen(&of(2, true), &[record(20, "hello")], 180, 30);
    assert!(lines[0].contains("PATHWAY PROGRESS DASHBOARD"));
    let find = |text: &str| {
        lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text} in {lines:#?}"))
    };
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let flights = words(find("flights "));
    assert_eq!(flights[1..5], ["flights", "3", "12", "120"]);
    let weather = words(find("weather"));
    assert_eq!(weather[1..5], ["weather", "finished", "12", "120"]);
    let filter = find("app.py:2");
    assert!(filter.contains("filter  app.py:2  late2 = flights.filter(delay > 0)"), "{filter}");
    let numbers = words(filter);
    assert_eq!(numbers[numbers.len() - 5..numbers.len() - 1], ["198", "98", "10", "6"]);
    let output = words(find("output"));
    assert_eq!(output[output.len() - 5..output.len() - 1], ["output", "finished", "finished", "8"]);
    assert!(find("1:02:03").contains("2 workers · 2 errors · 2 parse errors"));
    assert!(find("LOGS").starts_with('┌'));
    assert!(find("hello").contains("INFO     hello"));
    assert!(lines[29].starts_with('└'), "the log reaches to the end");
}

#[test]
fn a_source_whose_length_is_known_has_a_bar() {
    let mut progress = of(2, false);
    let with = |progress: &Progress, width: u16| {
        let lines = screen(progress, &[], width, 30);
        let bars = lines.iter().filter(|line| line.contains('░') || line.contains('█'));
        bars.map(|line| line.trim_matches(['│', ' ']).split("   ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(with(&progress, 180).is_empty(), "what is finished has none");
    progress.connectors[0].reading =
        Some(Extent { done: 519_000_000, all: 1_234_000_000, unit: Unit::Bytes });
    for width in [180, 80] {
        assert_eq!(with(&progress, width), ["████░░░░░░ 42 % of 1.2 GB"]);
        let lines = screen(&progress, &[], width, 30);
        let name = lines.iter().position(|line| line.contains("flights ")).unwrap();
        assert!(lines[name + 1].contains("42 %"), "{lines:#?}");
        assert!(lines[name + 2].contains("weather"), "{lines:#?}");
    }
    assert_eq!(lines::of(&progress)[0], "flights: 120 messages, 12 in the last minute, 42 % of 1.2 GB");
    progress.connectors[0].reading = Some(Extent { done: 7, all: 7, unit: Unit::Rows });
    assert_eq!(with(&progress, 80), ["██████████ 100 % of 7 rows"]);
}

#[test]
fn lengths_are_short() {
    let told = |all| progress::share(Extent { done: 0, all, unit: Unit::Bytes }).1;
    assert_eq!(
        [7, 999, 1_000, 12_345, 999_400_000_000_000].map(told),
        ["7 B", "999 B", "1.0 kB", "12 kB", "999 TB"]
    );
}

#[test]
fn a_narrow_terminal_has_one_below_the_other() {
    let lines = screen(&of(2, true), &[], 80, 40);
    let position = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    assert!(position("connector") < position("weather"));
    assert!(position("weather") < position("operator"));
    assert!(position("operator") < position("app.py:3"));
    assert!(position("app.py:3") < position("output"));
    assert!(position("output") < position("LOGS"));
}

#[test]
fn the_usual_size_has_operators() {
    let lines = screen(&of(9, true), &[record(20, "a\nb\nc\nd\ne")], 80, 24);
    let shown = lines.iter().filter(|line| line.contains("filter  app.py:")).count();
    assert!(shown >= 3, "{lines:#?}");
}

#[test]
fn the_number_of_a_line_is_there_without_its_file() {
    let lines = screen(&of(2, true), &[], 52, 40);
    assert!(lines.iter().any(|line| line.contains("filter  :3  ")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("app.py")), "{lines:#?}");
}

#[test]
fn operators_without_a_place_are_told_by_dots() {
    for (width, height) in [(140, 24), (80, 30)] {
        let lines = screen(&of(60, true), &[], width, height);
        let shown = lines.iter().filter(|line| line.contains("filter  app.py")).count();
        assert!((1..60).contains(&shown), "{lines:#?}");
        let dots = lines.iter().position(|line| line.contains(" ... ")).unwrap();
        assert!(lines[dots - 1].contains("filter"));
        assert!(lines[dots + 1].contains("output"), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("LOGS")));
    }
}

#[test]
fn no_size_is_too_small() {
    let records = [record(20, "a\nb"), record(40, "wide 漢字 and \x1b[31m\ttab")];
    for width in [1, 2, 3, 5, 10, 40] {
        for height in [1, 2, 3, 4, 6, 11] {
            screen(&of(3, true), &records, width, height);
            screen(&Progress::unknown(), &records, width, height);
        }
    }
}

#[test]
fn log_records_are_wrapped_and_harmless() {
    let mut error = Record::clone(&record(40, "first\n\x1b[31msecond\tline that is long"));
    error.exception = Some("ValueError: no".to_owned());
    let lines = logs::lines(&[record(20, "before"), Arc::new(error)], 38, 4);
    let texts: Vec<String> = lines.iter().map(|line| line.to_string()[18..].to_owned()).collect();
    assert_eq!(texts, ["first", "[31msecond    line", "that is long", "ValueError: no"]);
}

#[test]
fn long_words_are_broken() {
    let long = record(20, "a 0123456789abcdefghijk, 漢字漢字漢字漢字漢字漢字");
    let texts: Vec<String> =
        logs::lines(&[long], 38, 9).iter().map(|line| line.to_string()[18..].to_owned()).collect();
    assert_eq!(texts, ["a 0123456789abcdefgh", "ijk, 漢字漢字漢字漢", "字漢字漢字"]);
}

#[test]
fn where_no_terminal_is_there_are_lines() {
    let lines = lines::of(&of(1, true));
    assert_eq!(
        lines,
        [
            "flights: 120 messages, 12 in the last minute",
            "weather: 120 messages, 12 in the last minute, finished",
            "input: latency 100 ms, 10 rows, 6 rows now",
            "filter (app.py:2): latency 198 ms, lag 98 ms, 10 rows, 6 rows now",
            "output: latency finished, 8 rows",
        ]
    );
    assert_eq!(lines::of(&of(1, false)).len(), 4, "no operators");
}

#[test]
fn the_text_is_as_high_as_it_has_to_be() {
    let tail = Arc::new(LogTail::default());
    let console = Console::new(tail.clone(), false);
    let without = console.text(120, 5);
    tail.push(Record::clone(&record(20, "hello 漢")));
    let text = console.text(120, 5);
    assert_eq!(text.lines().count(), without.lines().count() + 1);
    assert!(text.contains("hello 漢"));
    assert!(text.contains("initializing"), "{text}");
    let alone = console.text(120, 0);
    assert_eq!(alone.lines().count(), without.lines().count() - 2);
    assert!(!alone.contains("LOGS"), "{alone}");
}
