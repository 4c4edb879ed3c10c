use super::*;

fn of(times: &[DType], intervals: &[DType]) -> Result<TimeKind, PlanError> {
    let times = times.iter().map(|dtype| ("time_expr", Role::Time, dtype));
    let intervals = intervals.iter().map(|dtype| ("window.hop", Role::Interval, dtype));
    TimeKind::of(&times.chain(intervals).collect::<Vec<_>>())
}

#[test]
fn kinds_that_go_together() {
    use DType::{DateTimeNaive, DateTimeUtc, Duration, Float, Int};
    assert_eq!(of(&[Int], &[Int]), Ok(TimeKind::Int));
    assert_eq!(of(&[Int], &[Float]), Ok(TimeKind::Float));
    assert_eq!(of(&[Float, Int], &[Int]), Ok(TimeKind::Float));
    assert_eq!(of(&[DateTimeNaive], &[Duration]), Ok(TimeKind::Naive));
    assert_eq!(of(&[DateTimeUtc, DateTimeUtc], &[]), Ok(TimeKind::Utc));
    for (times, intervals) in [
        (vec![DType::Str], vec![Int]),
        (vec![DType::Bool], vec![Int]),
        (vec![Duration], vec![Duration]),
        (vec![DType::Any], vec![]),
        (vec![DType::optional(Int)], vec![Int]),
        (vec![DateTimeNaive, DateTimeUtc], vec![]),
        (vec![DateTimeNaive], vec![Int]),
    ] {
        assert!(of(&times, &intervals).is_err(), "{times:?} {intervals:?}");
    }
}

#[test]
fn the_refusal_names_arguments_and_types() {
    let Err(PlanError::Type(text)) = of(&[DType::Str], &[DType::Int]) else { panic!("refused as a type") };
    assert_eq!(
        text,
        "Arguments (time_expr, window.hop) have to be of types (INT, INT) or (FLOAT, FLOAT) or \
         (DATE_TIME_NAIVE, DURATION) or (DATE_TIME_UTC, DURATION) but are of types (STR, INT). Times that \
         are texts become dates with dt.strptime, or numbers with str.parse_int."
    );
}

#[test]
fn the_refusal_tells_what_to_write() {
    use DType::{Any, DateTimeNaive, DateTimeUtc, Duration, Int, Json};
    for (times, intervals, said) in [
        (vec![DType::optional(Int)], vec![Int], "coalesce."),
        (vec![Any], vec![Int], "declare_type."),
        (vec![Json], vec![Int], "as_int."),
        (vec![DateTimeNaive, DateTimeUtc], vec![Duration], "dt.to_utc."),
        (vec![DateTimeUtc], vec![Int], "datetime.timedelta."),
        (vec![Int], vec![Duration], "are numbers."),
        (vec![DType::Bool], vec![Int], "(BOOL, INT)."),
    ] {
        let Err(PlanError::Type(text)) = of(&times, &intervals) else { panic!("refused as a type") };
        assert!(text.ends_with(said), "{text}");
    }
}

#[test]
fn windows_start_on_mondays() {
    let day = 86_400 * 1_000_000_000;
    // 1970-01-05 was a Monday.
    assert_eq!((FIRST_MONDAY_1973 - 4 * day) % (7 * day), 0);
}
