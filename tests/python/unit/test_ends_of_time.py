"""Windows next to the least and the greatest whole number: no border is beyond them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import pathway as pw

LEAST, MOST = -(2**63), 2**63 - 1
TIMES = [end for distance in (0, 1, 3, 12) for end in (MOST - distance, LEAST + distance)]
Rows = list[tuple[Any, ...]]


class Moment(pw.Schema):
    t: int


def moments(times: list[int] = TIMES) -> pw.Table:
    return pw.debug.table_from_rows(Moment, [(time,) for time in times])


def rows_of(table: pw.Table, key: Callable[[Any], Any] | None = None) -> Rows:
    _, columns = pw.debug.table_to_dicts(table)
    cells = [list(column.values()) for column in columns.values()]
    return sorted(zip(*cells, strict=True), key=key)


def grid(hop: int, span: int, origin: int | None) -> Iterator[tuple[int, int]]:
    """The windows that hold some of the times."""
    for time in TIMES:
        first = (time - (origin or 0) - span) // hop
        for number in range(first, first + span // hop + 2):
            start = number * hop + (origin or 0)
            exists = start >= (LEAST if origin is None else origin) and start + span <= MOST
            if exists and start <= time < start + span:
                yield start, start + span


@pytest.mark.parametrize("origin", [None, 3, MOST - 40, -1, LEAST, LEAST + 2])
@pytest.mark.parametrize(
    ("hop", "span", "window"),
    [
        (10, 10, {"duration": 10}),
        (10, 7, {"duration": 7}),
        (1, 1, {"ratio": 1}),
        (3, 8, {"duration": 8}),
        (3, 9, {"ratio": 3}),
        (1, 20, {"ratio": 20}),
        (2, 5, {"duration": 5}),
        (5, 14, {"duration": 14}),
        (8, 27, {"duration": 27}),
        (2**62, 2**62, {"ratio": 1}),
        (2**62, MOST, {"duration": MOST}),
    ],
)
def test_windows_whose_borders_are_no_times_do_not_exist(
    hop: int, span: int, window: dict[str, int], origin: int | None
) -> None:
    t = moments()
    windows = t.windowby(t.t, window=pw.temporal.sliding(hop, origin=origin, **window))
    start, end = pw.this._pw_window_start, pw.this._pw_window_end
    expected = [
        (start, end, tuple(sorted(time for time in TIMES if start <= time < end)))
        for start, end in sorted(set(grid(hop, span, origin)))
    ]
    assert rows_of(windows.reduce(start, end, times=pw.reducers.sorted_tuple(t.t))) == expected
    # The same put together of panes.
    counts = windows.reduce(start, end, n=pw.reducers.count())
    assert rows_of(counts) == [(start, end, len(times)) for start, end, times in expected]


def test_joins_in_windows_whose_borders_are_no_times() -> None:
    left, right = moments(), moments()
    joined = left.window_join(right, left.t, right.t, pw.temporal.tumbling(10))
    pairs = joined.select(a=left.t, b=right.t, start=pw.this._pw_window_start)
    windows = sorted(set(grid(10, 10, None)))
    inside = [(start, [time for time in TIMES if start <= time < end]) for start, end in windows]
    assert rows_of(pairs) == sorted((a, b, start) for start, times in inside for a in times for b in times)


def test_sessions_do_not_go_around() -> None:
    t = moments()
    windows = t.windowby(t.t, window=pw.temporal.session(max_gap=MOST))
    sessions = windows.reduce(pw.this._pw_window_start, pw.this._pw_window_end)
    assert rows_of(sessions) == [(LEAST, LEAST + 12), (MOST - 12, MOST)]


def test_windows_around_values_end_where_time_ends() -> None:
    t = moments()
    windows = t.windowby(t.t, window=pw.temporal.intervals_over(at=t.t, lower_bound=-5, upper_bound=5))
    found = windows.reduce(
        at=pw.this._pw_window_location,
        start=pw.this._pw_window_start,
        end=pw.this._pw_window_end,
        times=pw.reducers.sorted_tuple(t.t),
    )
    borders = [(at, max(at - 5, LEAST), min(at + 5, MOST)) for at in sorted(TIMES)]
    assert rows_of(found) == [
        (at, start, end, tuple(sorted(time for time in TIMES if start <= time <= end)))
        for at, start, end in borders
    ]


@pytest.mark.parametrize(
    "behavior",
    [
        pw.temporal.common_behavior(cutoff=30),
        pw.temporal.common_behavior(delay=30),
        pw.temporal.exactly_once_behavior(shift=30),
        None,
    ],
)
def test_windows_that_stay_open_to_the_end_of_time(behavior: Any) -> None:
    """What is so much later than their ends is no time: they are never over."""
    times = [(0, 2, 1), (MOST - 20, 4, 1), (MOST - 12, 6, 1)]
    stream = pw.debug.table_from_rows(Moment, times, is_stream=True)
    for window, starts in (
        (pw.temporal.tumbling(10), [0, MOST - 27, MOST - 17]),
        (pw.temporal.sliding(10, ratio=2), [-10, 0, MOST - 37, MOST - 27]),
    ):
        windows = stream.windowby(stream.t, window=window, behavior=behavior)
        assert [start for (start,) in rows_of(windows.reduce(pw.this._pw_window_start))] == starts


@pytest.mark.parametrize(
    ("kind", "gap", "named"),
    [
        (int, -1, ", not -1"),
        (float, -0.5, ", not -0.5"),
        (float, float("nan"), ", not NaN"),
        (pw.DateTimeNaive, datetime.timedelta(seconds=-1), ""),
    ],
)
def test_gaps_of_sessions_are_not_negative(kind: Any, gap: Any, named: str) -> None:
    t = pw.Table.empty(t=kind)
    session = pw.temporal.session(max_gap=gap)
    with pytest.raises(ValueError, match=f"the max_gap of a session must not be negative{named}: no rows"):
        t.windowby(t.t, window=session)
    with pytest.raises(ValueError, match="the max_gap of a session must not be negative"):
        t.window_join(t.copy(), pw.left.t, pw.right.t, session)


def test_without_a_gap_each_row_is_a_session() -> None:
    t = moments([1, 1, 2])
    windows = t.windowby(t.t, window=pw.temporal.session(max_gap=0))
    assert rows_of(windows.reduce(pw.this._pw_window_start)) == [(1,), (1,), (2,)]


NEAR = [end for distance in range(4) for end in (MOST - distance, LEAST + distance)]


class At(pw.Schema):
    t: pw.DateTimeNaive


class AtUtc(pw.Schema):
    t: pw.DateTimeUtc


def ends_of(kind: Any) -> tuple[pw.Table, Any]:
    """Times next to the first and the last one, and what makes distances of them."""
    if kind is int:
        return moments(NEAR), int
    zone = None if kind is pw.DateTimeNaive else "UTC"
    times = [(pd.Timestamp(time, unit="ns", tz=zone),) for time in NEAR if time != LEAST]
    return pw.debug.table_from_rows(At if zone is None else AtUtc, times), pw.Duration


@pytest.mark.parametrize("kind", [int, pw.DateTimeNaive, pw.DateTimeUtc])
@pytest.mark.parametrize("bounds", [(-2, 1), (1, 2), (-2, -1), (1, 1), (-1, -1), (5, 9), (0, 0)])
@pytest.mark.parametrize("behavior", [None, pw.temporal.common_behavior()])
def test_interval_joins_match_no_times_that_are_too_near(
    kind: Any, bounds: tuple[int, int], behavior: Any
) -> None:
    left, interval = ends_of(kind)
    right = left.copy()
    lower, upper = (interval(bound) for bound in bounds)
    joined = left.interval_join_outer(
        right, left.t, right.t, pw.temporal.interval(lower, upper), behavior=behavior
    )

    def number(time: Any) -> int | None:
        return time if time is None or isinstance(time, int) else time.value

    pairs = {(number(a), number(b)) for a, b in rows_of(joined.select(a=left.t, b=right.t), key=repr)}
    times = [time for time in NEAR if kind is int or time != LEAST]
    inside = {(a, b) for a in times for b in times if bounds[0] <= b - a <= bounds[1]}
    alone = {(a, None) for a in times if a not in {pair[0] for pair in inside}}
    assert pairs == inside | alone | {(None, b) for b in times if b not in {pair[1] for pair in inside}}


def test_interval_joins_in_steps_match_no_times_that_are_too_near() -> None:
    def step(rows: pw.Table) -> pw.Table:
        other = outer.copy()
        near = rows.interval_join(other, rows.t, other.t, pw.temporal.interval(1, 2))
        found = (
            near.select(t=rows.t, n=pw.right.t).groupby(pw.this.t).reduce(pw.this.t, n=pw.reducers.count())
        )
        return rows.join_left(found, rows.t == found.t, id=rows.id).select(rows.t, n=pw.coalesce(found.n, 0))

    outer = moments(NEAR)
    result = pw.iterate(step, rows=outer.select(outer.t, n=-1))
    assert rows_of(result) == [(a, sum(1 <= b - a <= 2 for b in NEAR)) for a in sorted(NEAR)]


@pytest.mark.parametrize("bounds", [(1, 3), (2, 2), (-3, -1)])
def test_windows_around_values_hold_no_times_that_are_too_near(bounds: tuple[int, int]) -> None:
    t = moments(NEAR)
    around = pw.temporal.intervals_over(at=t.t, lower_bound=bounds[0], upper_bound=bounds[1], is_outer=False)
    found = t.windowby(t.t, window=around).reduce(pw.this._pw_window_location, times=pw.reducers.tuple(t.t))
    inside = [(at, tuple(sorted(t for t in NEAR if bounds[0] <= t - at <= bounds[1]))) for at in sorted(NEAR)]
    assert rows_of(found) == [window for window in inside if window[1]]


def test_as_of_joins_next_to_the_ends_of_time() -> None:
    left, right = moments([MOST, LEAST, 0, -1]), moments([MOST - 1, LEAST + 1])
    for direction, found in (
        (pw.temporal.Direction.BACKWARD, [LEAST + 1, LEAST + 1, MOST - 1]),
        (pw.temporal.Direction.FORWARD, [LEAST + 1, MOST - 1, MOST - 1, None]),
        # As far from -1 as from 0, by one: what is later is nearer to 0.
        (pw.temporal.Direction.NEAREST, [LEAST + 1, LEAST + 1, MOST - 1, MOST - 1]),
    ):
        joined = left.asof_join_left(right, left.t, right.t, direction=direction)
        pairs = rows_of(joined.select(a=left.t, b=right.t), key=lambda row: row[0])
        expected = [None, *found] if len(found) == 3 else found
        assert pairs == list(zip([LEAST, -1, 0, MOST], expected, strict=True)), direction
