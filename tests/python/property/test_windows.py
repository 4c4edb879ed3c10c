"""Windows of regular length: incremental equals static, and both equal a direct reading of the rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import check_incremental, property_settings, settle, updates_of
from .histories import Column, History, histories, letter, quarter, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]

event_time: Column = (int, st.integers(-12, 12))
tenth: Column = (float, st.integers(-15, 15).map(lambda n: n / 10))

#: hop, duration, ratio, origin
whole_windows = st.one_of(
    st.tuples(st.integers(1, 6), st.integers(1, 14), st.none(), st.none() | st.integers(-5, 5)),
    st.tuples(st.integers(1, 6), st.none(), st.integers(1, 5), st.none() | st.integers(-5, 5)),
)
_tenths = st.integers(1, 9).map(lambda n: n / 10)
float_windows = st.one_of(
    st.tuples(_tenths, _tenths, st.none(), st.none() | st.just(0.3)),
    st.tuples(_tenths, st.none(), st.integers(1, 4), st.none() | st.just(-0.2)),
)
Windows = tuple[Any, Any, Any, Any]


def aggregates(t: Table, windows: Windows, instance: Any) -> Table:
    hop, duration, ratio, origin = windows
    window = pw.temporal.sliding(hop, duration=duration, ratio=ratio, origin=origin)
    return t.windowby(t.t, window=window, instance=instance).reduce(
        i=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        end=pw.this._pw_window_end,
        n=pw.reducers.count(),
        total=pw.reducers.sum(pw.this.v),
        mean=pw.reducers.avg(pw.this.v),
        low=pw.reducers.min(pw.this.v),
        high=pw.reducers.max(pw.this.v + pw.this.t),
        best=pw.reducers.argmax(pw.this.v),
    )


def windows_of(time: Any, windows: Windows) -> list[tuple[Any, Any]]:
    """Start and end of the windows that hold a time, by trying all that may."""
    hop, duration, ratio, origin = windows
    found = []
    base = origin if origin is not None else type(hop)(0)
    length = duration if duration is not None else hop * ratio
    around = int((time - base) / hop)
    for k in range(around - int(length / hop) - 3, around + 3):
        start = hop * k + base
        end = hop * k + duration + base if ratio is None else hop * (k + ratio) + base
        if start <= time < end and (origin is None or start >= origin):
            found.append((start, end))
    return found


def expected(history: History, windows: Windows, by_instance: bool) -> dict[Any, Any]:
    groups: dict[Any, list[tuple[int, Any]]] = {}
    for k, (time, v, i) in history.state().items():
        for start, end in windows_of(time, windows):
            groups.setdefault((i if by_instance else None, start, end), []).append((k, (time, v)))
    return {
        group: (
            len(rows),
            sum(v for _, (_, v) in rows),
            sum(v for _, (_, v) in rows) / len(rows),
            min(v for _, (_, v) in rows),
            max(v + time for _, (time, v) in rows),
        )
        for group, rows in groups.items()
    }


def check(history: History, windows: Windows, by_instance: bool, prefix: int) -> None:
    def program(t: Table) -> Table:
        return aggregates(t, windows, t.i if by_instance else None)

    check_incremental(program, history, prefix=prefix)
    rows = settle(updates_of(lambda: program(history.as_stream()), 1))
    plain = [tuple(v[1] if isinstance(v, tuple) else v for v in row) for row in rows.values()]
    assert {row[:3]: row[3:8] for row in plain} == expected(history, windows, by_instance)


@property_settings
@given(histories(t=event_time, v=small_int, i=letter, keys=8), whole_windows, st.booleans(), PREFIX)
def test_whole_times(t: History, windows: Windows, by_instance: bool, prefix: int) -> None:
    check(t, windows, by_instance, prefix)


@property_settings
@given(histories(t=tenth, v=quarter, i=letter, keys=8), float_windows, st.booleans(), PREFIX)
def test_float_times(t: History, windows: Windows, by_instance: bool, prefix: int) -> None:
    check(t, windows, by_instance, prefix)
