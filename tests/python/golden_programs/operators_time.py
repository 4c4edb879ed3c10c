"""Datetimes and durations: operators and the namespace `.dt`."""

import datetime

import pandas as pd
from blocks import accepted, program, rows, values

import pathway as pw

N, U, D = pw.DateTimeNaive, pw.DateTimeUtc, pw.Duration


def moments():
    return rows(
        {"n": N, "u": U, "d": D},
        (N("2024-02-29 10:31:12.123456789"), U("2024-02-29T10:31:12.5+01:00"), D(hours=1, minutes=30)),
        (N("1969-12-31 23:59:59.5"), U("1969-12-31T23:59:59.000000001Z"), D(days=-2, nanoseconds=3)),
        (N("2000-01-01"), U("2023-10-29T00:30:00Z"), D(0)),
    )


@program
def arithmetic_of_moments_and_durations():
    t = moments()
    values(t.select(t.k, a=t.n + t.d, b=t.d + t.n, c=t.n - t.d, d=t.u + t.d, e=t.u - t.d))
    values(t.select(t.k, a=t.n - t.n, b=t.u - t.u, c=t.d + t.d, d=t.d - t.d, e=-t.d))
    values(
        t.select(
            t.k,
            a=t.n - N("2024-01-01"),
            b=datetime.datetime(2024, 1, 1) - t.n,
            c=t.u - U("2024-01-01T00:00:00+05:00"),
        )
    )
    values(t.select(t.k, a=t.n + datetime.timedelta(days=1), b=pd.Timedelta("1h") + t.u))


@program
def arithmetic_of_durations_and_numbers():
    t = rows(
        {"n": int, "m": int, "f": float},
        (10, 3, 0.19),
        (-10, 3, 2.0),
        (10, -3, -0.5),
        (7, 7, 1e300),
        (5, 0, 0.0),
    )
    t = t.select(t.k, t.m, t.f, a=t.n.dt.to_duration("ns"), b=t.m.dt.to_duration("ns"))
    values(t.select(t.k, mul=t.a * t.m, lum=t.m * t.a, fmul=t.a * t.f, fdiv=t.a / t.f))
    values(t.select(t.k, div=t.a / t.m, floor=t.a // t.m))
    values(t.select(t.k, ratio=t.a / t.b, whole=t.a // t.b, rest=t.a % t.b))


@program
def comparing_moments():
    t = moments()
    values(
        t.select(
            t.k, a=t.n < N("2000-01-01"), b=t.n == N("2000-01-01"), c=t.u >= U("2023-10-29T02:30:00+02:00")
        )
    )
    values(t.select(t.k, a=t.d > D(0), b=t.d == D(0), c=t.d <= D(hours=1), d=t.d != t.d))
    accepted(
        lambda: t.select(x=t.n == t.u),
        lambda: t.select(x=t.n < t.u),
        lambda: t.select(x=t.n - t.u),
        lambda: t.select(x=t.d // 1.5),
        lambda: t.select(x=t.n + t.n),
    )


@program
def fields_of_moments():
    t = moments()
    for c in (t.n, t.u):
        values(
            t.select(
                t.k,
                y=c.dt.year(),
                mo=c.dt.month(),
                d=c.dt.day(),
                h=c.dt.hour(),
                mi=c.dt.minute(),
                s=c.dt.second(),
                wd=c.dt.weekday(),
            )
        )
        values(t.select(t.k, ms=c.dt.millisecond(), us=c.dt.microsecond(), ns=c.dt.nanosecond()))


@program
def timestamps_of_moments():
    t = moments()
    for c in (t.n, t.u):
        values(
            t.select(
                t.k,
                s=c.dt.timestamp("s"),
                ms=c.dt.timestamp("ms"),
                us=c.dt.timestamp(unit="us"),
                ns=c.dt.timestamp(unit="ns"),
                plain=c.dt.timestamp(),
            )
        )
    accepted(lambda: t.n.dt.timestamp("m"), lambda: t.n.dt.timestamp(unit="D"))


@program
def lengths_of_durations():
    t = rows({"n": int}, (90061 * 10**9 + 1002003,), (-90061 * 10**9 - 1002003,), (0,), (20 * 86400 * 10**9,))
    d = t.n.dt.to_duration("ns").dt
    values(t.select(t.k, w=d.weeks(), d=d.days(), h=d.hours(), m=d.minutes(), s=d.seconds()))
    values(t.select(t.k, ms=d.milliseconds(), us=d.microseconds(), ns=d.nanoseconds()))


@program
def durations_from_numbers():
    units = [
        "W",
        "D",
        "day",
        "days",
        "h",
        "hr",
        "hour",
        "hours",
        "m",
        "min",
        "minute",
        "minutes",
        "s",
        "sec",
        "second",
        "seconds",
        "ms",
        "millisecond",
        "milliseconds",
        "millis",
        "milli",
        "us",
        "microsecond",
        "microseconds",
        "micros",
        "micro",
        "ns",
        "nanosecond",
        "nanoseconds",
        "nanos",
        "nano",
        "d",
        "w",
        "week",
        "H",
        "x",
        "",
    ]
    t = rows({"n": int, "unit": str}, *[(i + 1, unit) for i, unit in enumerate(units)])
    values(t.select(t.unit, d=t.n.dt.to_duration(t.unit)))
    values(t.select(t.k, h=(-t.n).dt.to_duration("hours")).filter(pw.this.k < 3))


@program
def moments_from_numbers():
    t = rows({"n": int, "x": float}, (0, 0.5), (1_700_000_000, 1_700_000_000.123), (-1, -1.5))
    values(
        t.select(
            t.k,
            s=t.n.dt.from_timestamp("s"),
            ms=t.n.dt.from_timestamp("ms"),
            us=t.n.dt.from_timestamp("us"),
            ns=t.n.dt.from_timestamp(unit="ns"),
        )
    )
    values(
        t.select(
            t.k, s=t.x.dt.from_timestamp("s"), ms=t.x.dt.from_timestamp("ms"), ns=t.x.dt.from_timestamp("ns")
        )
    )
    values(t.select(t.k, s=t.n.dt.utc_from_timestamp("s"), ms=t.x.dt.utc_from_timestamp("ms")))
    accepted(lambda: t.n.dt.from_timestamp("m"), lambda: t.n.dt.utc_from_timestamp("D"))


@program
def parsing_moments_without_zone():
    cases = [
        ("2023-03-26 12:30:15", "%Y-%m-%d %H:%M:%S"),
        ("26.03.23 12:30 PM", "%d.%m.%y %I:%M %p"),
        ("2023-085", "%Y-%j"),
        ("2023-03-26", "%F"),
        ("12:30:15", "%T"),
        ("03/26/23", "%D"),
        ("12:30", "%R"),
        ("Mar 26 2023 01:02", "%b %d %Y %H:%M"),
        ("March 26, 2023", "%B %d, %Y"),
        ("Sun 2023-03-26", "%a %Y-%m-%d"),
        ("Mon 2023-03-26", "%a %Y-%m-%d"),
        ("1679833815", "%s"),
        ("2023-03-26 12:30:15.5", "%Y-%m-%d %H:%M:%S.%f"),
        ("2023-03-26 12:30:15", "%Y-%m-%d %H:%M:%S.%f"),
        ("2023-03-26 12:30:15.123456789", "%Y-%m-%d %H:%M:%S.%f"),
        ("2023-03-26 12:30:15.123", "%Y-%m-%d %H:%M:%S%.3f"),
        ("2023-03-26 12:30:15.123456", "%Y-%m-%d %H:%M:%S%.f"),
        ("2023-03-26 12:30:15 5", "%Y-%m-%d %H:%M:%S %f"),
        ("2023-02-29", "%Y-%m-%d"),
        ("2023-13-01", "%Y-%m-%d"),
        ("2023", "%Y"),
        ("2023-03", "%Y-%m"),
        ("2023-03-26 x", "%Y-%m-%d"),
        ("2023-03-26 12", "%Y-%m-%d %H"),
        ("2023-03-26 12:30:60", "%Y-%m-%d %H:%M:%S"),
        ("1600-01-01", "%Y-%m-%d"),
        ("2300-01-01", "%Y-%m-%d"),
        ("2023-03-26 5% 01:02", "%Y-%m-%d 5%% %H:%M"),
        (" 3 2023-03", "%e %Y-%m"),
        ("", "%Y"),
    ]
    t = rows({"s": str, "f": str}, *cases)
    values(t.select(t.k, x=t.s.dt.strptime(t.f, contains_timezone=False)))
    accepted(lambda: t.s.dt.strptime(t.f), lambda: t.select(x=t.s.dt.strptime(5)))


@program
def parsing_moments_with_zone():
    cases = [
        ("2023-03-26T12:30:15+0100", "%Y-%m-%dT%H:%M:%S%z"),
        ("2023-03-26T12:30:15+01:00", "%Y-%m-%dT%H:%M:%S%z"),
        ("2023-03-26T12:30:15-05:30", "%Y-%m-%dT%H:%M:%S%:z"),
        ("2023-03-26T12:30:15.25+0100", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("2023-03-26T12:30+0100", "%Y-%m-%dT%H:%M%z"),
        ("2023-03-26+0100", "%Y-%m-%d%z"),
        ("2023-03-26T12:30:15", "%Y-%m-%dT%H:%M:%S%z"),
        ("nonsense", "%Y%z"),
    ]
    t = rows({"s": str, "f": str}, *cases)
    values(t.select(t.k, x=t.s.dt.strptime(t.f, contains_timezone=True)))
    values(t.select(t.k, x=t.s.dt.strptime("%Y-%m-%dT%H:%M:%S%z")))


@program
def formatting_moments():
    t = moments()
    for f in [
        "%Y-%m-%d %H:%M:%S",
        "%d.%m.%y %I:%M %p",
        "%j %U %W %u %w",
        "%b %B %a %A %h",
        "%F %T %D %R",
        "%e|%k|%l|%-d|%-m|%-H",
        "%f %3f %6f %9f",
        "%.f %.3f %.6f %.9f",
        "%s",
        "%G-W%V",
        "%C %y",
        "%% %n%t.",
        "%x %X %c",
        "%P",
        "%_d %0e",
    ]:
        values(t.select(t.k, n=t.n.dt.strftime(f), u=t.u.dt.strftime(f)))
    values(t.select(t.k, u=t.u.dt.strftime("%z %:z %Z"), iso=t.u.dt.strftime("%+")))
    by_row = rows({"f": str}, ("%Y",), ("%m",), ("plain",))
    values(
        by_row.select(
            by_row.k, x=pw.apply_with_type(lambda f: N("2024-05-06"), N, by_row.f).dt.strftime(by_row.f)
        )
    )


@program
def time_zones():
    local = rows(
        {"s": str, "zone": str},
        ("2023-03-26 01:59", "Europe/Warsaw"),
        ("2023-03-26 02:30", "Europe/Warsaw"),
        ("2023-10-29 02:30", "Europe/Warsaw"),
        ("2023-07-01 12:00", "America/New_York"),
        ("2023-07-01 12:00", "Asia/Kathmandu"),
        ("2023-07-01 12:00", "UTC"),
        ("2023-07-01 12:00", "EST"),
        ("2023-07-01 12:00", "europe/warsaw"),
        ("2023-07-01 12:00", "Mars/Base"),
    )
    t = local.select(local.k, local.zone, n=local.s.dt.strptime("%Y-%m-%d %H:%M"))
    u = t.select(t.k, t.zone, u=t.n.dt.to_utc(t.zone))
    values(u)
    values(u.select(u.k, back=u.u.dt.to_naive_in_timezone(u.zone)))
    values(t.select(t.k, x=t.n.dt.to_utc("Europe/Warsaw").dt.to_naive_in_timezone("America/New_York")))


@program
def arithmetic_in_time_zones():
    t = rows(
        {"n": N, "m": N},
        (N("2023-03-26 01:23"), N("2023-03-26 03:23")),
        (N("2023-10-29 01:23"), N("2023-10-29 03:23")),
        (N("2023-07-01"), N("2023-01-01")),
    )
    d = D(hours=2)
    values(
        t.select(
            t.k,
            add=t.n.dt.add_duration_in_timezone(d, "Europe/Warsaw"),
            sub=t.m.dt.subtract_duration_in_timezone(d, timezone="Europe/Warsaw"),
        )
    )
    values(t.select(t.k, gap=t.m.dt.subtract_date_time_in_timezone(t.n, "Europe/Warsaw"), plain=t.m - t.n))


@program
def rounding_moments():
    t = rows(
        {"n": N, "u": U},
        (N("2023-05-15 10:30:00"), U("2023-05-15T10:30:00Z")),
        (N("2023-05-15 10:29:59.999999999"), U("2023-05-15T23:59:59Z")),
        (N("1969-12-31 23:30:00"), U("1969-12-30T12:00:00Z")),
        (N("2023-05-18"), U("1970-01-01T00:00:00Z")),
    )
    for step in [
        "1h",
        "15min",
        "D",
        "2h3min",
        "1.5h",
        "14ms22ms14us",
        "7D",
        "10s",
        D(days=7),
        datetime.timedelta(minutes=90),
    ]:
        values(
            t.select(
                t.k, r=t.n.dt.round(step), f=t.n.dt.floor(step), ru=t.u.dt.round(step), fu=t.u.dt.floor(step)
            )
        )
    for step in ["1H", "30T", "1S", "5L", "5U", "5N"]:
        values(t.select(t.k, r=t.n.dt.round(step)))
    accepted(*[lambda step=step: t.n.dt.round(step) for step in ["W", "B", "M", "xyz", "", "5"]])
    values(t.select(t.k, by=t.n.dt.floor((t.k + 1).dt.to_duration("h"))))
