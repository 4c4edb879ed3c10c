"""Windows around values: incremental equals static, and both equal a direct reading of the rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import check_incremental, property_settings, settle, updates_of
from .histories import Column, History, histories, letter, quarter, small_int

Table = pw.Table[Any]

event_time: Column = (int, st.integers(-8, 8))
bounds = st.tuples(st.integers(-4, 4), st.integers(0, 4)).map(lambda b: (b[0], b[0] + b[1]))


def program_of(bounds: tuple[Any, Any], outer: bool, by_instance: bool) -> Any:
    def program(t: Table, probes: Table) -> Table:
        window = pw.temporal.intervals_over(
            at=probes.at, lower_bound=bounds[0], upper_bound=bounds[1], is_outer=outer
        )
        return t.windowby(t.t, window=window, instance=t.i if by_instance else None).reduce(
            at=pw.this._pw_window_location,
            start=pw.this._pw_window_start,
            end=pw.this._pw_window_end,
            i=pw.this._pw_instance,
            n=pw.reducers.count(),
            times=pw.reducers.tuple(pw.this.t),
            values=pw.reducers.sorted_tuple(pw.this.v),
            low=pw.reducers.min(pw.this.v),
        )

    return program


def expected(
    history: History, probes: History, bounds: tuple[Any, Any], outer: bool, by_instance: bool
) -> dict[Any, Any]:
    rows = sorted((time, v, i) for time, v, i in history.state().values())
    values: dict[Any, list[Any]] = {}
    for at, count in Counter(at for (at,) in probes.state().values()).items():
        about = (at, at + bounds[0], at + bounds[1])
        found = [row for row in rows if about[1] <= row[0] <= about[2]]
        for time, v, i in found:
            values.setdefault((*about, i if by_instance else None), []).extend([(time, v)] * count)
        if not found and outer:
            values[(*about, None)] = [(None, None)] * count
    return {
        about: (
            len(window),
            tuple(time for time, _ in window),
            tuple(sorted((v for _, v in window), key=lambda v: (v is not None, v))),
            min((v for _, v in window if v is not None), default=None),
        )
        for about, window in values.items()
    }


def plain(value: Any) -> Any:
    return value[1] if isinstance(value, tuple) and value and isinstance(value[0], str) else value


def check(t: History, probes: History, bounds: Any, outer: bool, by_instance: bool, prefix: int) -> None:
    program = program_of(bounds, outer, by_instance)
    check_incremental(program, t, probes, prefix=prefix)
    rows = settle(updates_of(lambda: program(t.as_stream(), probes.as_stream()), 1)).values()
    found = [tuple(plain(v) for v in row) for row in rows]
    assert {row[:4]: row[4:] for row in found} == expected(t, probes, bounds, outer, by_instance)


@property_settings
@given(
    histories(t=event_time, v=small_int, i=letter, keys=8),
    histories(at=event_time, keys=5),
    bounds,
    st.booleans(),
    st.booleans(),
    st.integers(0, 4),
)
def test_whole_times(
    t: History, probes: History, bounds: Any, outer: bool, by_instance: bool, prefix: int
) -> None:
    check(t, probes, bounds, outer, by_instance, prefix)


@property_settings
@given(
    histories(t=quarter, v=small_int, i=letter, keys=8),
    histories(at=quarter, keys=5),
    bounds.map(lambda b: (b[0] / 4, b[1] / 4)),
    st.booleans(),
)
def test_float_times(t: History, probes: History, bounds: Any, outer: bool) -> None:
    check(t, probes, bounds, outer, False, 0)
