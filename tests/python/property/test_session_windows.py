"""Session windows: incremental equals static, and both equal a direct reading of the rules."""

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
instance: Column = (str, st.sampled_from(["a", "b"]))


def aggregates(t: Table, window: Any, instance: Any) -> Table:
    return t.windowby(t.t, window=window, instance=instance).reduce(
        i=pw.this._pw_instance,
        start=pw.this._pw_window_start,
        end=pw.this._pw_window_end,
        last=pw.this._pw_window,
        n=pw.reducers.count(),
        total=pw.reducers.sum(pw.this.v),
        values=pw.reducers.sorted_tuple(pw.this.v),
        best=pw.reducers.argmax(pw.this.v),
        most=pw.reducers.max(pw.this._pw_window_end - pw.this.t),
    )


def sessions(history: History, together: Any, by_instance: bool) -> set[Any]:
    """Instance, start, end, values of each session."""
    instances: dict[Any, list[tuple[Any, Any]]] = {}
    for time, v, i in history.state().values():
        instances.setdefault(i if by_instance else None, []).append((time, v))
    found = []
    for i, rows in instances.items():
        session: list[tuple[Any, Any]] = []
        for row in sorted(rows):
            if session and not together(session[-1][0], row[0]):
                found.append((i, session))
                session = []
            session.append(row)
        found.append((i, session))
    return {
        (i, s[0][0], s[-1][0], len(s), sum(v for _, v in s), tuple(sorted(v for _, v in s))) for i, s in found
    }


def check(history: History, window: Any, together: Any, by_instance: bool, prefix: int) -> None:
    def program(t: Table) -> Table:
        return aggregates(t, window, t.i if by_instance else None)

    check_incremental(program, history, prefix=prefix)
    rows = settle(updates_of(lambda: program(history.as_stream()), 1)).values()
    plain = [
        [v[1] if isinstance(v, tuple) and v and isinstance(v[0], str) else v for v in row] for row in rows
    ]
    found = [(*row[:3], *row[4:7]) for row in plain]
    assert set(found) == sessions(history, together, by_instance)
    assert len(set(found)) == len(found)
    assert all(row[8] == row[2] - row[1] for row in plain)


@property_settings
@given(
    histories(t=event_time, v=small_int, i=instance, keys=12, max_changes=30),
    st.integers(1, 4),
    st.booleans(),
    PREFIX,
)
def test_whole_times(t: History, gap: int, by_instance: bool, prefix: int) -> None:
    check(t, pw.temporal.session(max_gap=gap), lambda a, b: b - a < gap, by_instance, prefix)


@property_settings
@given(
    histories(t=quarter, v=small_int, i=instance, keys=12, max_changes=30),
    st.sampled_from([0.25, 0.3, 0.5, 1, 1.5]),
    st.booleans(),
    PREFIX,
)
def test_float_times(t: History, gap: float, by_instance: bool, prefix: int) -> None:
    check(t, pw.temporal.session(max_gap=gap), lambda a, b: b - a < gap, by_instance, prefix)


@property_settings
@given(histories(t=event_time, v=small_int, i=instance, keys=12, max_changes=30), st.booleans(), PREFIX)
def test_a_predicate(t: History, by_instance: bool, prefix: int) -> None:
    # A new row between two others may part them.
    def together(a: int, b: int) -> bool:
        return (a + b) % 3 != 0

    # Rows of equal time may be in different sessions: values are left out of the comparison there.
    times = [time for time, _, _ in t.state().values()]
    if len(set(times)) == len(times):
        check(t, pw.temporal.session(predicate=together), together, by_instance, prefix)
    else:
        check_incremental(
            lambda t: aggregates(t, pw.temporal.session(predicate=together), t.i if by_instance else None),
            t,
            prefix=prefix,
        )


@property_settings
@given(histories(t=letter, v=small_int, i=instance, keys=8, max_changes=20), PREFIX)
def test_a_predicate_of_texts(t: History, prefix: int) -> None:
    window = pw.temporal.session(predicate=lambda a, b: len(a) == len(b))

    def program(t: Table) -> Table:
        return t.windowby(t.t, window=window).reduce(
            pw.this._pw_window_start, pw.this._pw_window_end, v=pw.reducers.sorted_tuple(pw.this.v)
        )

    check_incremental(program, t, prefix=prefix)
