"""Windows under the names of the user's handbook; see `pathway.handbook`."""

from __future__ import annotations

import datetime
from typing import cast

from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.temporal._window import Window, session, sliding, tumbling
from pathway.stdlib.temporal._windowby import WindowedTable, windowby
from pathway.stdlib.temporal.temporal_behavior import common_behavior

#: A length of time, or of numbers where times are numbers.
Length = int | float | datetime.timedelta


class TableWindows:
    """`table.window`: the rows of a table grouped by windows, ready for `reduce`.

    Without `timestamp` the time is the only column of the table that holds dates. With `watermark` a window
    takes rows until the latest time of a row is so far past its end, and then stays as it is.

    >>> import pathway as pw
    >>> from pathway.stdlib import tools
    >>> t = pw.debug.table_from_markdown('''
    ... t  | v
    ... 1  | 10
    ... 4  | 20
    ... 12 | 30
    ... ''')
    >>> sums = t.window.tumbling(window_length=5, timestamp=t.t).reduce(v=tools.sum(t.v))
    >>> pw.debug.compute_and_print(sums, include_id=False)
    v
    30
    30
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @trace_user_frame
    def tumbling(
        self,
        *,
        window_length: Length,
        timestamp: ColumnExpression | None = None,
        session_gap: Length | None = None,
        watermark: Length | None = None,
        instance: ColumnExpression | None = None,
    ) -> WindowedTable:
        """`windowby` with `pw.temporal.tumbling`.

        Args:
            session_gap: so much lies between a window and the next; rows there are in no window.
        """
        if session_gap is None:
            window = tumbling(window_length)
        else:
            window = sliding(_sum_of(window_length, session_gap), duration=window_length)
        return self._group(window, timestamp, watermark, instance)

    @trace_user_frame
    def sliding(
        self,
        *,
        window_length: Length,
        slide: Length,
        timestamp: ColumnExpression | None = None,
        watermark: Length | None = None,
        instance: ColumnExpression | None = None,
    ) -> WindowedTable:
        """`windowby` with `pw.temporal.sliding`."""
        return self._group(sliding(slide, duration=window_length), timestamp, watermark, instance)

    @trace_user_frame
    def session(
        self,
        *,
        gap: Length,
        timestamp: ColumnExpression | None = None,
        watermark: Length | None = None,
        instance: ColumnExpression | None = None,
    ) -> WindowedTable:
        """`windowby` with `pw.temporal.session`."""
        return self._group(session(max_gap=gap), timestamp, watermark, instance)

    def _group(
        self,
        window: Window,
        timestamp: ColumnExpression | None,
        watermark: Length | None,
        instance: ColumnExpression | None,
    ) -> WindowedTable:
        time = _the_time_of(self._table) if timestamp is None else timestamp
        behavior = None if watermark is None else common_behavior(cutoff=watermark)
        grouped = windowby(self._table, time, window=window, behavior=behavior, instance=instance)
        return cast(WindowedTable, grouped)


def _sum_of(length: Length, gap: Length) -> Length:
    if isinstance(length, datetime.timedelta) and isinstance(gap, datetime.timedelta):
        return length + gap
    if isinstance(length, (int, float)) and isinstance(gap, (int, float)):
        return length + gap
    raise TypeError(
        f"window_length and session_gap have to be of one kind, both numbers or both timedelta, but are of "
        f"types {type(length).__name__} and {type(gap).__name__}."
    )


def _the_time_of(table: Table) -> ColumnExpression:
    engine = table._engine
    kinds = ("date_time_naive", "date_time_utc")
    times = [name for name in engine.column_names() if engine.column_dtype(name).kind in kinds]
    if len(times) != 1:
        found = f"has several: {', '.join(times)}" if times else "has none"
        raise ValueError(
            f"timestamp= is missing: without it the time of a row is in the only column of dates, but the "
            f"table {found}."
        )
    column: ColumnExpression = table[times[0]]
    return column


@trace_user_frame
def tumbling_window(
    table: Table,
    time_column: ColumnExpression | None,
    window_length: Length,
    hop: Length | None = None,
    name: str | None = None,
) -> WindowedTable:
    """`windowby` with `pw.temporal.tumbling`, or with `sliding` if there is a hop.

    Args:
        name: for the reader; nothing depends on it.
    """
    if hop is not None:
        return sliding_window(table, time_column, window_length, hop)
    return TableWindows(table).tumbling(window_length=window_length, timestamp=time_column)


@trace_user_frame
def sliding_window(
    table: Table, time_column: ColumnExpression | None, window_length: Length, slide: Length
) -> WindowedTable:
    """`windowby` with `pw.temporal.sliding`."""
    return TableWindows(table).sliding(window_length=window_length, slide=slide, timestamp=time_column)


@trace_user_frame
def session_window(table: Table, time_column: ColumnExpression | None, gap: Length) -> WindowedTable:
    """`windowby` with `pw.temporal.session`."""
    return TableWindows(table).session(gap=gap, timestamp=time_column)


#: What the handbook has in this module.
NAMES = {
    "window": TableWindows,
    "tumbling_window": tumbling_window,
    "sliding_window": sliding_window,
    "session_window": session_window,
}
