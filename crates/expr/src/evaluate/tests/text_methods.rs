use super::methods::method;
use super::*;
use DType::{Bool, Float, Int, Str};

/// A method of text that gives text.
#[track_caller]
fn text(name: &str, values: Vec<Value>, expected: Vec<Value>) {
    method(name, &[(Str, values)], Str, &expected);
}

#[test]
fn case() {
    text("str.lower", vals!["ABC", "aB1", "", E], vals!["abc", "ab1", "", E]);
    text("str.lower", vals!["ŻÓŁW", "ΑΣ İ", "ΑΣΑ", "a.Σ"], vals!["żółw", "ας i̇", "ασα", "a.ς"]);
    text("str.upper", vals!["abc", "aB1", E], vals!["ABC", "AB1", E]);
    text("str.upper", vals!["żółw", "ßﬁ"], vals!["ŻÓŁW", "SSFI"]);
    text("str.swap_case", vals!["aBc1", E], vals!["AbC1", E]);
    text("str.swap_case", vals!["aBß", "ŻóΣ"], vals!["AbSS", "żÓς"]);
    text(
        "str.title",
        vals!["hello wORLD they're 3rd x-ray", "", E],
        vals!["Hello World They'Re 3Rd X-Ray", "", E],
    );
    text("str.title", vals!["ǆabc ßab ﬁn żółw ŉa"], vals!["ǅabc Ssab Fin Żółw ʼNa"]);
}

#[test]
fn title_case_that_is_not_upper_case() {
    let letters = "ᾀ ᾁ ᾂ ᾃ ᾄ ᾅ ᾆ ᾇ ᾈ ᾉ ᾊ ᾋ ᾌ ᾍ ᾎ ᾏ ᾐ ᾑ ᾒ ᾓ ᾔ ᾕ ᾖ ᾗ ᾘ ᾙ ᾚ ᾛ ᾜ ᾝ ᾞ ᾟ ᾠ ᾡ ᾢ ᾣ ᾤ ᾥ ᾦ ᾧ ᾨ ᾩ ᾪ ᾫ ᾬ ᾭ ᾮ ᾯ ᾲ ᾳ ᾴ ᾷ ᾼ ῂ ῃ ῄ ῇ ῌ ῲ ῳ ῴ ῷ ῼ ß և ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ ﬓ ﬔ ﬕ ﬖ ﬗ Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ";
    let titles = "ᾈ ᾉ ᾊ ᾋ ᾌ ᾍ ᾎ ᾏ ᾈ ᾉ ᾊ ᾋ ᾌ ᾍ ᾎ ᾏ ᾘ ᾙ ᾚ ᾛ ᾜ ᾝ ᾞ ᾟ ᾘ ᾙ ᾚ ᾛ ᾜ ᾝ ᾞ ᾟ ᾨ ᾩ ᾪ ᾫ ᾬ ᾭ ᾮ ᾯ ᾨ ᾩ ᾪ ᾫ ᾬ ᾭ ᾮ ᾯ Ὰ\u{345} ᾼ Ά\u{345} Α\u{342}\u{345} ᾼ Ὴ\u{345} ῌ Ή\u{345} Η\u{342}\u{345} ῌ Ὼ\u{345} ῼ Ώ\u{345} Ω\u{342}\u{345} ῼ Ss Եւ Ff Fi Fl Ffi Ffl St St Մն Մե Մի Վն Մխ ǅ ǅ ǅ ǈ ǈ ǈ ǋ ǋ ǋ ǲ ǲ ǲ";
    text("str.title", vals![letters], vals![titles]);
}

#[test]
fn reversing_and_length() {
    text("str.reverse", vals!["abc", "żó", "", E], vals!["cba", "óż", "", E]);
    method("str.len", &[(Str, vals!["abc", "", E])], Int, &vals![3, 0, E]);
    method("str.len", &[(Str, vals!["żó", "abc", "🙂"])], Int, &vals![2, 3, 1]);
}

#[test]
fn slices() {
    let slice = |values: Vec<Value>, starts: Vec<Value>, ends: Vec<Value>, expected: Vec<Value>| {
        method("str.slice", &[(Str, values), (Int, starts), (Int, ends)], Str, &expected);
    };
    slice(
        vals!["abcdef", "abcdef", "abcdef", "abcdef", E],
        vals![1, -100, 4, 2, 0],
        vals![-1, 100, 2, 4, 1],
        vals!["bcde", "abcdef", "", "cd", E],
    );
    slice(
        vals!["żółwik", "żółwik", "ab"],
        vals![1, -2, i64::MIN],
        vals![3, 100, i64::MAX],
        vals!["ół", "ik", "ab"],
    );
}

#[test]
fn ends() {
    let affix = || (Str, vals!["ab", "ab", "", "x", E, "ż"]);
    let texts = || (Str, vals!["abab", "cab", "abc", E, "a", "żaż"]);
    method("str.starts_with", &[texts(), affix()], Bool, &vals![true, false, true, E, E, true]);
    method("str.ends_with", &[texts(), affix()], Bool, &vals![true, true, true, E, E, true]);
    method("str.remove_prefix", &[texts(), affix()], Str, &vals!["ab", "cab", "abc", E, E, "aż"]);
    method("str.remove_suffix", &[texts(), affix()], Str, &vals!["ab", "c", "abc", E, E, "ża"]);
    text("str.strip", vals!["\u{1c} a b\u{85}\u{2003}\n", "", E], vals!["a b", "", E]);
    let sets = (opt(Str), vals!["yx", N, "", "ż", E]);
    method(
        "str.strip",
        &[(Str, vals!["xyaxy", " a ", " a ", "żaż", "a"]), sets],
        Str,
        &vals!["a", "a", " a ", "a", E],
    );
}

#[test]
fn replacing() {
    let replace =
        |values: Vec<Value>, old: Vec<Value>, new: Vec<Value>, counts: Vec<Value>, expected: Vec<Value>| {
            method("str.replace", &[(Str, values), (Str, old), (Str, new), (Int, counts)], Str, &expected);
        };
    replace(
        vals!["aaa", "aaa", "aaa", E],
        vals!["a", "a", "aa", "a"],
        vals!["b", "b", "", "b"],
        vals![2, 0, -1, 1],
        vals!["bba", "aaa", "a", E],
    );
    replace(
        vals!["abc", "abc", "", "żó", "ab"],
        vals!["", "", "", "", ""],
        vals!["-", "-", "-", "-", "-"],
        vals![-1, 2, -1, -1, 0],
        vals!["-a-b-c-", "-a-bc", "-", "-ż-ó-", "ab"],
    );
    let inputs = [(Str, vals!["a.a"]), (Str, vals!["a"]), (Str, vals!["żz"])];
    method("str.replace", &inputs, Str, &vals!["żz.żz"]);
}

#[test]
fn searching() {
    /// Text, what is searched, start, end, result.
    type Case<'a> = (&'a str, &'a str, Value, Value, i64);
    let search = |name: &str, cases: &[Case<'_>]| {
        let column = |f: &dyn Fn(&Case<'_>) -> Value| -> Vec<Value> { cases.iter().map(f).collect() };
        let inputs = [
            (Str, column(&|c| c.0.into())),
            (Str, column(&|c| c.1.into())),
            (opt(Int), column(&|c| c.2.clone())),
            (opt(Int), column(&|c| c.3.clone())),
        ];
        method(name, &inputs, Int, &column(&|c| c.4.into()));
    };
    let at = Value::from;
    search(
        "str.count",
        &[
            ("aaaa", "aa", N, N, 2),
            ("abc", "", N, N, 4),
            ("abc", "", at(1), at(2), 2),
            ("abc", "", at(5), N, 0),
            ("abc", "", at(3), N, 1),
            ("żóż", "ż", at(1), N, 1),
            ("żóż", "", N, N, 4),
            ("abc", "x", N, N, 0),
            ("abc", "", at(2), at(1), 0),
        ],
    );
    search(
        "str.find",
        &[
            ("abc", "", at(3), N, 3),
            ("abc", "", at(4), N, -1),
            ("abc", "", at(2), at(1), -1),
            ("abcabc", "c", at(-2), N, 5),
            ("żóżó", "ó", N, N, 1),
            ("żóżó", "ó", at(2), N, 3),
            ("żóżó", "x", N, N, -1),
            ("abc", "c", N, at(2), -1),
        ],
    );
    search(
        "str.rfind",
        &[
            ("abc", "", N, N, 3),
            ("abcabc", "c", at(-5), at(-1), 2),
            ("abc", "", at(1), at(2), 2),
            ("żóżó", "ż", N, N, 2),
            ("abc", "x", N, N, -1),
        ],
    );
    method("str.find", &[(Str, vals!["ab", E]), (Str, vals!["b", "b"])], Int, &vals![1, E]);
}

#[test]
fn parsing() {
    let parse = |name: &str, optional: bool, dtype: DType, values: Vec<Value>, expected: Vec<Value>| {
        check(
            name,
            &[(Str, values)],
            |e| Expr::method(name, vec![e[0].clone(), lit(optional)]),
            dtype,
            &expected,
        );
    };
    let numbers = || vals![" +12 ", "-0", "1_0", "", "9223372036854775808", E];
    parse("str.parse_int", false, Int, numbers(), vals![12, 0, E, E, E, E]);
    parse("str.parse_int", true, opt(Int), numbers(), vals![12, 0, N, N, N, E]);
    let numbers = || vals![" +1.5e3 ", "Infinity", "-inf", "1e999", "infinit", "0x10", ".", "5.e2", E];
    let (inf, minus) = (f64::INFINITY, f64::NEG_INFINITY);
    parse("str.parse_float", false, Float, numbers(), vals![1500.0, inf, minus, inf, E, E, E, 500.0, E]);
    parse("str.parse_float", true, opt(Float), numbers(), vals![1500.0, inf, minus, inf, N, N, N, 500.0, E]);
    let words = vals![" TRUE ", "on", "0", "No", "x", E];
    method("str.parse_bool", &[(Str, words.clone())], Bool, &vals![true, true, false, false, E, E]);
    let own = |e: &[Expr]| {
        let words = |words: Vec<Value>| lit(Value::tuple(words));
        Expr::method(
            "str.parse_bool",
            vec![e[0].clone(), words(vals!["X", "on"]), words(vals!["ON", "0"]), lit(true)],
        )
    };
    check("parse_bool", &[(Str, words)], own, opt(Bool), &vals![N, true, false, N, true, E]);
    let expr = Expr::method("str.parse_int", vec![input(0, &Str)]).unwrap();
    assert_eq!(kinds(&expr, &[(Str, vals!["a"])]), [(0, ErrorKind::Parse)]);
}
