//! What is said of an operator: a heading, and lines with a word in front.

use pathway_plan::explanation::{Detail, Loop, Measured, Operator, Place};

use crate::Stage;

/// How an operator is called where others refer to it.
pub(crate) fn reference(stage: Stage, id: &str) -> String {
    match stage {
        Stage::Before => format!("#{id}"),
        Stage::After => id.to_owned(),
    }
}

/// `filter #3`, with the name that the user has given.
pub(crate) fn heading(stage: Stage, operator: &Operator) -> String {
    let heading = format!("{} {}", operator.operator, reference(stage, &operator.id));
    match &operator.name {
        Some(name) => format!("{heading} {name:?}"),
        None => heading,
    }
}

/// What an operator goes by. A name that is nothing but what the source is would be there twice.
pub(crate) fn details(operator: &Operator) -> impl Iterator<Item = &Detail> {
    operator.details.iter().filter(|detail| operator.name.as_ref() != Some(&detail.text))
}

/// All that is known of an operator: what each line is about, and the line.
pub(crate) fn lines(stage: Stage, operator: &Operator) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut add = |label: &str, text: String| lines.push((label.to_owned(), visible(&text)));
    for detail in details(operator) {
        add(&detail.label, detail.text.clone());
    }
    let (computed, passed): (Vec<_>, Vec<_>) =
        operator.columns.iter().partition(|column| column.value.is_some());
    if !passed.is_empty() {
        let passed: Vec<String> =
            passed.iter().map(|column| format!("{}: {}", column.name, column.dtype)).collect();
        add("columns", passed.join(", "));
    } else if computed.is_empty() && operator.operator != "feedback" {
        add("columns", "none: row ids only".to_owned());
    }
    for column in computed {
        let value = column.value.as_deref().unwrap_or_default();
        add("column", format!("{}: {} = {value}", column.name, column.dtype));
    }
    match (&operator.ids, &operator.universe) {
        (Some(ids), Some(universe)) => add("ids", format!("{ids} [{universe}]")),
        (Some(ids), None) => add("ids", ids.clone()),
        (None, Some(universe)) => add("ids", format!("[{universe}]")),
        (None, None) => {}
    }
    if let Some(inside) = &operator.inside {
        add("inside", inside.clone());
    }
    let kept = if operator.append_only { "; never removed" } else { "" };
    add("rows", format!("{}{kept}", operator.estimate));
    if let Some(measured) = &operator.measured {
        add("counted", counted(measured));
    }
    let names = |ids: &[String], stage| -> String {
        let ids: Vec<String> = ids.iter().map(|id| reference(stage, id)).collect();
        ids.join(", ")
    };
    match stage {
        Stage::Before if operator.counterparts.is_empty() => {
            add("became", "part of what reads it".to_owned())
        }
        Stage::Before => add("became", names(&operator.counterparts, Stage::After)),
        Stage::After if operator.counterparts.is_empty() => {}
        Stage::After => add("made of", names(&operator.counterparts, Stage::Before)),
    }
    operator.place.iter().for_each(|place| add("line", line(place)));
    operator.also.iter().for_each(|place| add("and", line(place)));
    lines
}

/// A text as one line that does nothing but be shown.
pub(crate) fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// `prog.py:12 in main: t.filter(…)`.
pub(crate) fn line(place: &Place) -> String {
    let mut text = format!("{}:{}", place.file, place.line);
    if !place.function.is_empty() && place.function != "<module>" {
        text += &format!(" in {}", place.function);
    }
    if !place.source.is_empty() {
        text += &format!(": {}", place.source);
    }
    text
}

/// A loop, in lines: how often it is repeated, what was counted of all that is inside, and its place in the program.
pub(crate) fn repeated(looped: &Loop) -> Vec<String> {
    let inside = looped.inside.as_ref().map(|outer| format!(" inside {outer}")).unwrap_or_default();
    let rounds = match looped.limit {
        Some(limit) => format!("at most {limit} rounds"),
        None => "until nothing changes".to_owned(),
    };
    let mut lines = vec![format!("{}{inside}: {rounds}", looped.id)];
    lines.extend(looped.measured.as_ref().map(|measured| format!("counted {}", counted(measured))));
    lines.extend(looped.place.as_ref().map(line));
    lines
}

/// What was counted, in a line.
pub(crate) fn counted(measured: &Measured) -> String {
    let Measured { rows_in, insertions, deletions, busy_seconds, state_bytes, spilled_bytes, errors } =
        *measured;
    let mut text = format!("{rows_in} in, +{insertions} -{deletions} out");
    // How long loops work is not known.
    if busy_seconds > 0.0 {
        text += &format!(", {}", time(busy_seconds));
    }
    if state_bytes > 0 {
        text += &format!(", state {}", bytes(state_bytes));
    }
    if spilled_bytes > 0 {
        text += &format!(", {} in files", bytes(spilled_bytes));
    }
    match errors {
        0 => {}
        1 => text += ", 1 error",
        errors => text += &format!(", {errors} errors"),
    }
    text
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.0} \u{b5}s", seconds * 1e6),
    }
}

fn bytes(bytes: u64) -> String {
    // Shown with one digit after the point.
    #[allow(clippy::cast_precision_loss)]
    let number = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", number / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", number / 1_048_576.0),
        _ => format!("{:.1} GiB", number / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_told() {
        let looped = Measured { rows_in: 4, insertions: 3, deletions: 1, errors: 1, ..Measured::default() };
        assert_eq!(counted(&looped), "4 in, +3 -1 out, 1 error");
        let busy = Measured { busy_seconds: 0.5, state_bytes: 2048, spilled_bytes: 10, ..looped };
        assert_eq!(counted(&busy), "4 in, +3 -1 out, 500.0 ms, state 2.0 KiB, 10 B in files, 1 error");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 2.5e-6, 0.0123, 61.0].map(time), ["0 \u{b5}s", "2 \u{b5}s", "12.3 ms", "61.00 s"]);
        assert_eq!([5, 1536, 3 << 20, 5 << 30].map(bytes), ["5 B", "1.5 KiB", "3.0 MiB", "5.0 GiB"]);
    }
}
