//! JSON strings.

use super::quote;

#[test]
fn quoted_text_is_what_a_parser_reads() {
    for text in ["", "plain", "ż 🦀", "a\"b", "back\\slash", "line\nend", "\u{0}\u{1f}\u{7f}", "</script>"]
    {
        let mut quoted = String::from("[");
        quote(text, &mut quoted);
        quoted.push(']');
        assert_eq!(serde_json::from_str::<Vec<String>>(&quoted).unwrap(), [text]);
        // Two ways of writing one string would be two values.
        assert_eq!(quoted, serde_json::json!([text]).to_string());
    }
}
