use chrono::DateTime;

use super::methods::method;
use super::*;
use DType::{DateTimeNaive, DateTimeUtc, Duration, Float, Int, Str};

/// Nanoseconds of an RFC 3339 text.
fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_nanos_opt().unwrap()
}

/// Nanoseconds of a local time, without a zone.
fn local(text: &str) -> i64 {
    at(&format!("{text}Z"))
}

const HOUR: i64 = 3_600_000_000_000;

#[test]
fn fields() {
    let (a, b) = (at("2024-02-29T13:14:15.123456789Z"), at("1969-12-31T23:59:59.5Z"));
    for (name, first, second) in [
        ("dt.year", 2024, 1969),
        ("dt.month", 2, 12),
        ("dt.day", 29, 31),
        ("dt.hour", 13, 23),
        ("dt.minute", 14, 59),
        ("dt.second", 15, 59),
        ("dt.millisecond", 123, 500),
        ("dt.microsecond", 123_456, 500_000),
        ("dt.nanosecond", 123_456_789, 500_000_000),
        ("dt.weekday", 3, 2),
    ] {
        method(name, &[(DateTimeNaive, vals![naive(a), naive(b), E])], Int, &vals![first, second, E]);
        method(name, &[(DateTimeUtc, vals![utc(a), utc(b), E])], Int, &vals![first, second, E]);
    }
    method("dt.year", &[(DateTimeNaive, vals![naive(i64::MIN), naive(i64::MAX)])], Int, &vals![1677, 2262]);
}

#[test]
fn timestamps() {
    let units =
        |unit: &'static str| move |e: &[Expr]| Expr::method("dt.timestamp", vec![e[0].clone(), lit(unit)]);
    let values = || [(DateTimeNaive, vals![naive(1_500_000_000), E])];
    check("timestamp s", &values(), units("s"), Float, &vals![1.5, E]);
    check("timestamp ms", &values(), units("ms"), Float, &vals![1500.0, E]);
    check("timestamp us", &values(), units("us"), Float, &vals![1_500_000.0, E]);
    check("timestamp ns", &values(), units("ns"), Float, &vals![1.5e9, E]);
    method("dt.timestamp", &[(DateTimeUtc, vals![utc(15), E])], Int, &vals![15, E]);
    let from = |name: &'static str, unit: &'static str| {
        move |e: &[Expr]| Expr::method(name, vec![e[0].clone(), lit(unit)])
    };
    let naives = vals![naive(1_000_000_000), naive(-2_000_000_000), E];
    check("from s", &[(Int, vals![1, -2, E])], from("dt.from_timestamp", "s"), DateTimeNaive, &naives);
    let floats = vals![1.5, f64::NAN, 1e300];
    check(
        "from float",
        &[(Float, floats.clone())],
        from("dt.from_timestamp", "us"),
        DateTimeNaive,
        &vals![naive(1500), naive(0), naive(i64::MAX)],
    );
    check(
        "utc from float",
        &[(Float, floats)],
        from("dt.utc_from_timestamp", "ns"),
        DateTimeUtc,
        &vals![utc(1), utc(0), utc(i64::MAX)],
    );
}

#[test]
fn durations() {
    let value = -(15 * 24 * HOUR + 90_061_001_002_003);
    for (name, expected) in [
        ("dt.nanoseconds", value),
        ("dt.microseconds", value / 1_000),
        ("dt.milliseconds", value / 1_000_000),
        ("dt.seconds", value / 1_000_000_000),
        ("dt.minutes", value / (HOUR / 60)),
        ("dt.hours", value / HOUR),
        ("dt.days", -16),
        ("dt.weeks", -2),
    ] {
        method(name, &[(Duration, vals![dur(value), dur(0), E])], Int, &vals![expected, 0, E]);
    }
    let units = vals!["W", "D", "day", "h", "hours", "min", "m", "s", "millis", "us", "nano", "w", "H", E];
    let counts = vals![1, 1, 2, 1, 2, 1, 1, 3, 1, 1, -1, 1, 1, 1];
    let expected = [
        7 * 24 * HOUR,
        24 * HOUR,
        48 * HOUR,
        HOUR,
        2 * HOUR,
        HOUR / 60,
        HOUR / 60,
        3_000_000_000,
        1_000_000,
        1_000,
        -1,
    ];
    let expected: Vec<Value> = expected.into_iter().map(dur).chain([E, E, E]).collect();
    method("dt.to_duration", &[(Int, counts), (Str, units)], Duration, &expected);
}

#[test]
fn rounding() {
    let steps = || (Duration, vals![dur(10), dur(10), dur(10), dur(10), dur(0), dur(-5), dur(7), E]);
    let values = || {
        (
            DateTimeNaive,
            vals![naive(25), naive(24), naive(-5), naive(-6), naive(1), naive(1), naive(11), naive(1)],
        )
    };
    method(
        "dt.floor",
        &[values(), steps()],
        DateTimeNaive,
        &vals![naive(20), naive(20), naive(-10), naive(-10), E, E, naive(7), E],
    );
    method(
        "dt.round",
        &[values(), steps()],
        DateTimeNaive,
        &vals![naive(30), naive(20), naive(0), naive(-10), E, E, naive(14), E],
    );
    method(
        "dt.round",
        &[(DateTimeUtc, vals![utc(i64::MAX)]), (Duration, vals![dur(HOUR)])],
        DateTimeUtc,
        &vals![E],
    );
    let week = |e: &[Expr]| Expr::method("dt.floor", vec![e[0].clone(), lit("7D")]);
    let monday = at("2024-02-26T12:00:00Z");
    check(
        "floor week",
        &[(DateTimeUtc, vals![utc(monday)])],
        week,
        DateTimeUtc,
        &vals![utc(at("2024-02-22T00:00:00Z"))],
    );
}

#[test]
fn zones() {
    let zone = || {
        (
            Str,
            vals![
                "Europe/Warsaw",
                "Europe/Warsaw",
                "Europe/Warsaw",
                "+01:00",
                "EST",
                "nowhere",
                "Pacific/Apia"
            ],
        )
    };
    let locals = [
        "2023-03-26T02:30:00",
        "2023-10-29T02:30:00",
        "2023-07-01T12:00:00",
        "2023-07-01T12:00:00",
        "2023-07-01T12:00:00",
        "2023-07-01T12:00:00",
        "2011-12-30T05:00:00",
    ];
    let instants = [
        "2023-03-26T01:00:00Z",
        "2023-10-29T01:30:00Z",
        "2023-07-01T10:00:00Z",
        "2023-07-01T11:00:00Z",
        "2023-07-01T17:00:00Z",
        "",
        "2011-12-30T10:00:00Z",
    ];
    let locals = || (DateTimeNaive, locals.iter().map(|text| naive(local(text))).collect::<Vec<_>>());
    let expected: Vec<Value> =
        instants.iter().map(|text| if text.is_empty() { E } else { utc(at(text)) }).collect();
    method("dt.to_utc", &[locals(), zone()], DateTimeUtc, &expected);
    let instant = |text: &str| utc(at(text));
    let instants = vals![instant("2023-03-26T01:00:00Z"), instant("2023-10-29T01:30:00Z"), E];
    let zones = || (Str, vals!["Europe/Warsaw", "Europe/Warsaw", "Europe/Warsaw"]);
    let walls = vals![naive(local("2023-03-26T03:00:00")), naive(local("2023-10-29T02:30:00")), E];
    method("dt.to_to_naive_in_timezone", &[(DateTimeUtc, instants), zones()], DateTimeNaive, &walls);

    let evening = || {
        (DateTimeNaive, vals![naive(local("2023-03-25T20:00:00")), naive(local("2023-10-28T20:00:00")), E])
    };
    let day = || (Duration, vals![dur(24 * HOUR), dur(24 * HOUR), dur(1)]);
    let expected = vals![naive(local("2023-03-26T21:00:00")), naive(local("2023-10-29T19:00:00")), E];
    method("dt.add_duration_in_timezone", &[evening(), day(), zones()], DateTimeNaive, &expected);
    let expected = vals![naive(local("2023-03-24T20:00:00")), naive(local("2023-10-27T20:00:00")), E];
    method("dt.subtract_duration_in_timezone", &[evening(), day(), zones()], DateTimeNaive, &expected);
    let next = (
        DateTimeNaive,
        vals![naive(local("2023-03-26T20:00:00")), naive(local("2023-10-29T20:00:00")), naive(0)],
    );
    let expected = vals![dur(-23 * HOUR), dur(-25 * HOUR), E];
    method("dt.subtract_date_time_in_timezone", &[evening(), next, zones()], Duration, &expected);
}

#[test]
fn formatting() {
    let value = at("2024-02-09T13:04:05.123456789Z");
    for (format, naive_text, utc_text) in [
        ("%Y-%m-%d %H:%M:%S", Some("2024-02-09 13:04:05"), Some("2024-02-09 13:04:05")),
        ("%f %3f %.f %.3f", Some("123456789 123 .123456789 .123"), Some("123456789 123 .123456789 .123")),
        ("%e|%-d|%I %p %b %A %j", Some(" 9|9|01 PM Feb Friday 040"), Some(" 9|9|01 PM Feb Friday 040")),
        ("%s", Some("1707483845"), Some("1707483845")),
        ("%Z %z %:z", None, Some("UTC +0000 +00:00")),
        ("%Q", None, None),
        ("ż", Some("ż"), Some("ż")),
    ] {
        let cell = |text: Option<&str>| text.map_or(E, Value::from);
        let format = (Str, vals![format, format]);
        method(
            "dt.strftime",
            &[(DateTimeNaive, vals![naive(value), E]), format.clone()],
            Str,
            &[cell(naive_text), E],
        );
        method("dt.strftime", &[(DateTimeUtc, vals![utc(value), E]), format], Str, &[cell(utc_text), E]);
    }
    let mixed = (Str, vals!["%Y", "%Q", "%m"]);
    method(
        "dt.strftime",
        &[(DateTimeUtc, vals![utc(value), utc(value), utc(value)]), mixed],
        Str,
        &vals!["2024", E, "02"],
    );
}

#[test]
fn parsing() {
    let parse = |format: &'static str, dtype: DType, cases: &[(&str, Option<&str>)]| {
        let build = move |e: &[Expr]| Expr::method("dt.strptime", vec![e[0].clone(), lit(format)]);
        let texts = cases.iter().map(|(text, _)| Value::from(*text)).collect();
        let value = |text: &str| if dtype == DateTimeUtc { utc(at(text)) } else { naive(local(text)) };
        let expected: Vec<Value> = cases.iter().map(|(_, value_text)| value_text.map_or(E, value)).collect();
        check(&format!("strptime {format}"), &[(Str, texts)], build, dtype.clone(), &expected);
    };
    parse(
        "%Y-%m-%d %H:%M:%S",
        DateTimeNaive,
        &[
            ("2024-02-29 10:20:30", Some("2024-02-29T10:20:30")),
            ("2023-02-29 10:20:30", None),
            ("2024-02-29 10:20", None),
            ("2024-02-29 10:20:30x", None),
            ("2023-12-31 23:59:60", Some("2024-01-01T00:00:00")),
            ("2300-01-01 00:00:00", None),
            ("1500-01-01 00:00:00", None),
        ],
    );
    parse(
        "%Y-%m-%dT%H:%M:%S.%f",
        DateTimeNaive,
        &[
            ("2024-01-01T00:00:00.5", Some("2024-01-01T00:00:00.5")),
            ("2024-01-01T00:00:00.123456789", Some("2024-01-01T00:00:00.123456789")),
            ("2024-01-01T00:00:00", Some("2024-01-01T00:00:00")),
        ],
    );
    parse("%Y-%m-%d", DateTimeNaive, &[("2024-01-02", Some("2024-01-02T00:00:00"))]);
    parse("%Y-%m-%d %H", DateTimeNaive, &[("2024-01-02 13", Some("2024-01-02T13:00:00"))]);
    parse("%H", DateTimeNaive, &[("13", Some("1900-01-01T13:00:00"))]);
    parse("%H:%M", DateTimeNaive, &[("13:14", Some("1900-01-01T13:14:00"))]);
    parse("%Y-%m", DateTimeNaive, &[("2024-02", Some("2024-02-01T00:00:00")), ("2024-13", None)]);
    parse("%Y", DateTimeNaive, &[("2024", Some("2024-01-01T00:00:00"))]);
    parse("%d %B, %H", DateTimeNaive, &[("3 May, 7", Some("1900-05-03T07:00:00"))]);
    parse("%A", DateTimeNaive, &[("Friday", None)]);
    parse("%Y %U", DateTimeNaive, &[("2024 07", None)]);
    parse(
        "%Z %Y-%m-%d %H:%M",
        DateTimeUtc,
        &[
            ("UTC 2024-01-01 12:00", Some("2024-01-01T12:00:00Z")),
            ("Z 2024-01-01 12:00", Some("2024-01-01T12:00:00Z")),
            ("CET 2024-07-01 12:00", Some("2024-07-01T10:00:00Z")),
            ("Europe/Warsaw 2024-01-01 12:00", Some("2024-01-01T11:00:00Z")),
            ("+01:00 2024-01-01 12:00", None),
            ("Nowhere 2024-01-01 12:00", None),
            (" 2024-01-01 12:00", None),
        ],
    );
    parse(
        "%H:%M %Z %z %Y-%m-%d",
        DateTimeUtc,
        &[("12:00 CET -0100 2024-01-01", Some("2024-01-01T13:00:00Z"))],
    );
    parse(
        "%A %Y-%m-%d",
        DateTimeNaive,
        &[("Friday 2024-02-09", Some("2024-02-09T00:00:00")), ("Monday 2024-02-09", None)],
    );
    parse("%s", DateTimeNaive, &[("15", Some("1970-01-01T00:00:15"))]);
    parse("%H:%M %f", DateTimeNaive, &[("13:14 5", None)]);
    parse("%Y%%f", DateTimeNaive, &[("2024%f", Some("2024-01-01T00:00:00"))]);
    for format in ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %:z"] {
        parse(
            format,
            DateTimeUtc,
            &[
                ("2024-01-01 12:00:00 +0100", Some("2024-01-01T11:00:00Z")),
                ("2024-01-01 12:00:00 +01:00", Some("2024-01-01T11:00:00Z")),
                ("2024-01-01 12:00:00 Z", Some("2024-01-01T12:00:00Z")),
                ("2024-01-01 12:00:00 +01", Some("2024-01-01T11:00:00Z")),
                ("2024-01-01 12:00:00 CET", None),
                ("2024-01-01 12:00:00", None),
            ],
        );
    }
    let formats = (Str, vals!["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d", E]);
    let texts = (Str, vals!["2024-01-02", "02.01.2024", "x", "2024-01-02"]);
    let column = |e: &[Expr]| Expr::method("dt.strptime", vec![e[0].clone(), e[1].clone(), lit(false)]);
    let day = naive(local("2024-01-02T00:00:00"));
    check("strptime columns", &[texts, formats], column, DateTimeNaive, &[day.clone(), day, E, E]);
}
