use super::*;

#[test]
fn segments_and_wildcards() {
    let path = "foo/bar/a.txt";
    for (pattern, expected) in [
        ("*.txt", false),
        ("**/*.txt", true),
        ("foo/*", false),
        ("foo/*/*", true),
        ("foo/**/a.txt", true),
        ("foo/bar/**/a.txt", true),
        ("foo/bar", false),
        ("foo/**", true),
        ("**", true),
        ("foo/b?r/[ab].txt", true),
        ("foo/b?r/[!a].txt", false),
        ("foo/b**r/a.t***", true),
        ("FOO/**", false),
        ("foo/bar/{a,b}.txt", false),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern}");
    }
    assert!(matches("a[b", "a[b"));
    assert!(matches("{a,b}", "{a,b}"));
    assert!(matches("*", ".hidden"));
}
