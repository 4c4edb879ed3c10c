use super::*;

fn accepts(filter: &str, metadata: &str) -> Result<bool, FilterError> {
    Filter::new(filter)?.accepts(&Metadata::new(metadata))
}

#[test]
fn what_is_true_passes() {
    let metadata = r#"{"owner": "alice", "n": 3, "tags": ["x", "y"], "path": "docs/a/b.txt", "a.b": 1}"#;
    for (filter, expected) in [
        ("owner == 'alice'", true),
        ("owner == `alice`", true),
        ("owner == `\"alice\"`", true),
        ("owner == 'bob' || n > `2`", true),
        ("n", false),
        ("owner", false),
        ("missing == 'x'", false),
        ("missing > `1`", false),
        ("owner < `1`", false),
        ("contains(tags, 'x') && !contains(tags, 'z')", true),
        ("contains(tags, `x`)", true),
        ("length(tags) == `2`", true),
        ("\"a.b\" == `1`", true),
        ("globmatch('docs/**/*.txt', path)", true),
        ("globmatch('*.txt', path)", false),
        ("'back`quote' == 'x'", false),
    ] {
        assert_eq!(accepts(filter, metadata), Ok(expected), "{filter}");
    }
}

#[test]
fn what_cannot_be_applied_is_an_error() {
    for filter in
        ["owner ==", "nope(owner)", "contains(missing, 'x')", "globmatch('a')", "globmatch(`1`, path)", ""]
    {
        assert!(accepts(filter, r#"{"owner": "alice", "path": "a"}"#).is_err(), "{filter}");
    }
    assert!(accepts("owner == 'x'", "{").is_err());
}

#[test]
fn metadata_need_not_be_an_object() {
    assert_eq!(accepts("@ == `1`", "1"), Ok(true));
    assert_eq!(accepts("owner == 'x'", "null"), Ok(false));
}
