//! Paths and patterns.

use glob::{MatchOptions, Pattern};

/// Within one segment of a path, except for `**`.
const BY_SEGMENT: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// True if a path is as a pattern says: `*`, `?` and classes as `[ab]` and `[!b]` stand for characters of
/// one segment, `**` alone in a segment for any number of segments.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let matches = |pattern: &Pattern| pattern.matches_with(path, BY_SEGMENT);
    match Pattern::new(pattern) {
        Ok(pattern) => matches(&pattern),
        Err(_) => Pattern::new(&plain(pattern)).is_ok_and(|pattern| matches(&pattern)),
    }
}

/// A pattern in which stars beside other characters are one star, and a bracket that nothing closes is a
/// character.
fn plain(pattern: &str) -> String {
    let segment = |segment: &str| {
        if segment == "**" {
            return segment.to_owned();
        }
        let mut out = String::with_capacity(segment.len());
        for (at, c) in segment.char_indices() {
            match c {
                '*' if out.ends_with('*') => {}
                '[' if Pattern::new(&segment[at..]).is_err() && !segment[at + 1..].contains(']') => {
                    out.push_str("[[]");
                }
                c => out.push(c),
            }
        }
        out
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
