//! Texts of moments, and reading back what was written.

use proptest::prelude::*;

use super::*;

fn text(write: fn(i64, &mut Vec<u8>), nanos: i64) -> String {
    let mut out = Vec::new();
    write(nanos, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn accepted_and_refused_texts() {
    let naive = [
        ("2025-01-02T03:04:05", Some("2025-01-02T03:04:05.000000000")),
        ("2025-01-02T03:04:05.5", Some("2025-01-02T03:04:05.500000000")),
        ("2025-1-2T3:4:5", Some("2025-01-02T03:04:05.000000000")),
        ("2025-01-02T03:04:60", Some("2025-01-02T03:05:00.000000000")),
        ("2025-01-02T03:04:05.1234567891", Some("2025-01-02T03:04:05.123456789")),
        ("2025-01-02 03:04:05", Some("2025-01-02T03:04:05.000000000")),
        ("2025-01-02", Some("2025-01-02T00:00:00.000000000")),
        ("1677-09-21T00:12:44", Some("1677-09-21T00:12:44.000000000")),
        ("2024-02-29", Some("2024-02-29T00:00:00.000000000")),
        ("2025-02-29", None),
        ("2025-01-02T03:04", None),
        ("2025-01-02T03:04:05.", None),
        ("2025-01-02T24:00:00", None),
        ("2025-01-02T03:04:05+0000", None),
        ("2025-01-02T03:04:05Z", None),
        ("2500-01-02T03:04:05", None),
        ("2025-13-02", None),
        ("", None),
        ("x", None),
    ];
    for (input, expected) in naive {
        let read = parse_naive(input.as_bytes()).ok().map(|nanos| text(write_naive, nanos));
        assert_eq!(read.as_deref(), expected, "{input:?}");
    }
    let utc = [
        ("2025-01-02T03:04:05+0000", Some("2025-01-02T03:04:05.000000000+0000")),
        ("2025-01-02T03:04:05+00:00", Some("2025-01-02T03:04:05.000000000+0000")),
        ("2025-01-02T03:04:05+0200", Some("2025-01-02T01:04:05.000000000+0000")),
        ("2025-01-02T03:04:05.5-02:30", Some("2025-01-02T05:34:05.500000000+0000")),
        ("2025-01-02T03:04:05Z", Some("2025-01-02T03:04:05.000000000+0000")),
        ("2025-01-02 03:04:05Z", Some("2025-01-02T03:04:05.000000000+0000")),
        ("2025-01-02", Some("2025-01-02T00:00:00.000000000+0000")),
        ("2025-01-02T03:04:05", None),
        ("2025-01-02T03:04:05+02", None),
        ("2025-01-02T03:04:05+0200x", None),
    ];
    for (input, expected) in utc {
        let read = parse_utc(input.as_bytes()).ok().map(|nanos| text(write_utc, nanos));
        assert_eq!(read.as_deref(), expected, "{input:?}");
    }
}

proptest! {
    #[test]
    fn written_moments_read_back(nanos in any::<i64>()) {
        prop_assert_eq!(parse_naive(text(write_naive, nanos).as_bytes()), Ok(nanos));
        prop_assert_eq!(parse_utc(text(write_utc, nanos).as_bytes()), Ok(nanos));
    }
}
