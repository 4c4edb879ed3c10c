"""The namespaces `.str` and `.dt`."""

import datetime

import pathway as pw

t = pw.debug.table_from_rows(
    pw.schema_from_types(s=str, d=pw.DateTimeNaive, u=pw.DateTimeUtc, n=int),
    [
        ("abc", pw.DateTimeNaive("2024-02-29 10:31:12.5"), pw.DateTimeUtc("2024-02-29 10:31:12.5+01:00"), 90),
        ("Żółw", pw.DateTimeNaive("1969-12-31 23:59:59.5"), pw.DateTimeUtc("1969-12-31 23:59:59.5Z"), -1),
    ],
)


def show(**columns):
    pw.debug.compute_and_print(t.select(**columns), include_id=False)


s, d, u = t.s.str, t.d.dt, t.u.dt
show(len=s.len(), upper=s.upper(), title=s.title(), swap=s.swapcase(), back=s.reversed(), lower=s.lower())
show(
    replace=s.replace("b", "BB"),
    find=s.find("c"),
    count=s.count("b"),
    slice=s.slice(1, -1),
    strip=s.strip("ac"),
)
show(
    starts=s.startswith("a"), ends=s.endswith("w"), prefix=s.removeprefix("a"), int=s.parse_int(optional=True)
)
show(
    y=d.year(),
    mo=d.month(),
    d=d.day(),
    h=d.hour(),
    mi=d.minute(),
    s=d.second(),
    ms=d.millisecond(),
    wd=d.weekday(),
)
show(stamp=d.timestamp(unit="ms"), text=d.strftime("%Y-%m-%d %H:%M:%S.%f"), utc=u.strftime("%d.%m.%y %z %Z"))
show(round=d.round("1h"), floor=d.floor(datetime.timedelta(days=1)), parsed=t.s.to_string().str.len())
show(utc=d.to_utc("Europe/Warsaw"), naive=u.to_naive_in_timezone("America/New_York"))
show(
    minutes=t.n.dt.to_duration("min"),
    moment=t.n.dt.from_timestamp("s"),
    instant=t.n.dt.utc_from_timestamp("s"),
)
show(gap=t.d - pw.DateTimeNaive("2024-01-01"), later=t.d + datetime.timedelta(hours=1))
