"""Windows next to the least and the greatest whole number: no border is beyond them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

import pathway as pw

LEAST, MOST = -(2**63), 2**63 - 1
TIMES = [end for distance in (0, 1, 3, 12) for end in (MOST - distance, LEAST + distance)]
Rows = list[tuple[Any, ...]]


class Moment(pw.Schema):
    t: int


def moments(times: list[int] = TIMES) -> pw.Table:
    return pw.debug.table_from_rows(Moment, [(time,) for time in times])


def rows_of(table: pw.Table) -> Rows:
    _, columns = pw.debug.table_to_dicts(table)
    cells = [list(column.values()) for column in columns.values()]
    return sorted(zip(*cells, strict=True))


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
        (2**62, 2**62, {"ratio": 1}),
        (2**62, MOST, {"duration": MOST}),
    ],
)
def test_windows_whose_borders_are_no_times_do_not_exist(
    hop: int, span: int, window: dict[str, int], origin: int | None
) -> None:
    if hop == 1 and origin is not None:
        # Otherwise there are more windows than numbers of 64 bits.
        origin = max(origin, 0)
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
