use super::*;

#[test]
fn members_are_found_by_scanning() {
    let text = r#"{"a":1,"b":{"a":[1,"}",{"x":"]"}]},"q\"\u00e9":"\\","last":null}"#;
    assert_eq!(member(text, "a"), Some("1"));
    assert_eq!(member(text, "b"), Some(r#"{"a":[1,"}",{"x":"]"}]}"#));
    assert_eq!(member(text, "q\"é"), Some(r#""\\""#));
    assert_eq!(member(text, "last"), Some("null"));
    assert_eq!(member(text, "x"), None);
    assert_eq!(member("[1]", "a"), None);
    assert_eq!(member("{}", "a"), None);
    assert_eq!(member(r#" { "a" : 1 , "b" : 2 } "#, "b"), Some("2"));
}

#[test]
fn elements_are_found_by_scanning() {
    let text = r#"[1,"a,]",[2,3],{"k":[4]},null]"#;
    let expected = ["1", r#""a,]""#, "[2,3]", r#"{"k":[4]}"#, "null"];
    for (index, expected) in (0..).zip(expected) {
        assert_eq!(element(text, index), Some(expected));
        assert_eq!(element(text, index - 5), Some(expected));
    }
    assert_eq!(element(text, -6), None);
    assert_eq!(element(text, i64::MIN), None);
    assert_eq!(element(text, 5), None);
    assert_eq!(element("[]", 0), None);
    assert_eq!(element("{}", 0), None);
}

#[test]
fn broken_text_is_missing_not_a_panic() {
    for text in ["", "{", "{\"a", "{\"a\"", "{\"a\":", "[", "[1", "[\"", "{\"a\":1", "\"\\"] {
        let _ = (member(text, "b"), element(text, 3), element(text, -1));
    }
}
