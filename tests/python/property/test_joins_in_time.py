"""Joins in which times matter: whatever the history, the result is that of a static run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathway as pw

from .check import WORKERS, check_incremental, property_settings, settle, updates_of
from .histories import History, histories, letter, maybe_int, quarter, small_int

PREFIX = st.integers(0, 4)
Table = pw.Table[Any]
MODES = list(pw.JoinMode)


@pytest.mark.parametrize("how", MODES)
@property_settings
@given(histories(t=small_int, g=maybe_int, s=letter), histories(t=small_int, g=maybe_int), PREFIX)
def test_interval_join(how: pw.JoinMode, a: History, b: History, prefix: int) -> None:
    def program(a: Table, b: Table) -> Table:
        near = pw.temporal.interval(-1, 2)
        joined = a.interval_join(b, a.t, b.t, near, a.g == b.g, how=how)
        return joined.select(pw.this.g, pw.left.s, at=a.t, bt=b.t, missing=pw.right.id.is_none())

    check_incremental(program, a, b, prefix=prefix)


@pytest.mark.parametrize("how", MODES)
@property_settings
@given(histories(t=quarter), histories(t=small_int), PREFIX)
def test_interval_join_of_all_rows(how: pw.JoinMode, a: History, b: History, prefix: int) -> None:
    def program(a: Table, b: Table) -> Table:
        joined = a.interval_join(b, a.t, b.t, pw.temporal.interval(0.25, 1.5), how=how)
        return joined.select(at=a.t, bt=b.t)

    check_incremental(program, a, b, prefix=prefix)


@pytest.mark.parametrize("how", MODES[1:])
@pytest.mark.parametrize("direction", list(pw.temporal.Direction))
@property_settings
@given(histories(t=small_int, g=maybe_int, s=letter), histories(t=small_int, g=maybe_int), PREFIX)
def test_asof_join(
    how: pw.JoinMode, direction: pw.temporal.Direction, a: History, b: History, prefix: int
) -> None:
    def program(a: Table, b: Table) -> Table:
        joined = a.asof_join(b, a.t, b.t, a.g == b.g, how=how, direction=direction, defaults={a.s: "none"})
        about = pw.this.slice[["instance", "t", "side", "key"]]
        return joined.select(*about, pw.left.s, at=a.t, bt=b.t)

    check_incremental(program, a, b, prefix=prefix)


@property_settings
@given(histories(t=quarter), histories(t=quarter), PREFIX)
def test_asof_join_of_all_rows(a: History, b: History, prefix: int) -> None:
    def program(a: Table, b: Table) -> Table:
        return a.asof_join_left(b, a.t, b.t).select(pw.this.t, bt=b.t)

    check_incremental(program, a, b, prefix=prefix)


@pytest.mark.parametrize("how", MODES)
@property_settings
@given(
    histories(t=small_int, g=maybe_int),
    histories(t=small_int, g=maybe_int),
    st.sampled_from([None, 0, 1, 3]),
    st.sampled_from([0, 1, 3]),
    st.booleans(),
)
def test_results_with_behaviors_are_consistent(
    how: pw.JoinMode, a: History, b: History, delay: int | None, cutoff: int, keep: bool
) -> None:
    behavior = pw.temporal.common_behavior(delay, cutoff, keep)

    def interval(a: Table, b: Table) -> Table:
        near = pw.temporal.interval(-1, 2)
        joined = a.interval_join(b, a.t, b.t, near, a.g == b.g, how=how, behavior=behavior)
        return joined.select(pw.this.g, at=a.t, bt=b.t)

    def asof(a: Table, b: Table) -> Table:
        joined = a.asof_join(b, a.t, b.t, a.g == b.g, how=how, behavior=behavior)
        return joined.select(pw.this.side, at=a.t, bt=b.t)

    for program in (interval, asof) if how is not pw.JoinMode.INNER else (interval,):
        streams = []
        for workers in WORKERS:
            updates = updates_of(lambda program=program: program(a.as_stream(), b.as_stream()), workers)  # type: ignore[misc]
            settle(updates)
            assert all(time % 2 == 0 for _, _, time, _ in updates)
            streams.append(Counter(updates))
        assert streams[0] == streams[1] == streams[2]


@pytest.mark.parametrize("how", MODES)
@property_settings
@given(
    histories(t=small_int, g=maybe_int),
    histories(t=small_int, g=maybe_int),
    st.sampled_from([pw.temporal.tumbling(3), pw.temporal.sliding(2, 3), pw.temporal.session(max_gap=2)]),
    PREFIX,
)
def test_window_join(how: pw.JoinMode, a: History, b: History, window: Any, prefix: int) -> None:
    def program(a: Table, b: Table) -> Table:
        joined = a.window_join(b, a.t, b.t, window, a.g == b.g, how=how)
        return joined.select(pw.this.g, pw.this._pw_window_start, pw.this._pw_window_end, at=a.t, bt=b.t)

    check_incremental(program, a, b, prefix=prefix)
