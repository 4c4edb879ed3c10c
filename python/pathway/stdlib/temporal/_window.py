"""Descriptions of windows: `tumbling`, `sliding`, `session`, `intervals_over`."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pathway import _engine
from pathway.internals.expression.column import ColumnReference
from pathway.internals.resolve import Scope, TableScope, checked_table
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.stdlib.temporal._arguments import constant

if TYPE_CHECKING:
    from pathway.internals.expression.expression import ColumnExpression
    from pathway.stdlib.temporal.temporal_behavior import Behavior

#: A point in time.
TimeType = int | float | datetime.datetime
#: A distance between two points in time.
IntervalType = int | float | datetime.timedelta


class Window(ABC):
    """How rows are grouped by their time; made by `tumbling`, `sliding`, `session` and others."""

    @abstractmethod
    def _group(
        self,
        scope: Scope,
        time: ColumnExpression,
        behavior: Behavior | None,
        instance: ColumnExpression | None,
    ) -> _engine.WindowBy:
        """Groups the rows of the scope by their window, and by the instance if there is one."""

    @abstractmethod
    def _share(self, left: _engine.Expr, right: _engine.Expr) -> _engine.InTime:
        """The rows of two tables, with these times, that are in one window."""


@dataclass
class _SlidingWindow(Window):
    hop: IntervalType
    duration: IntervalType | None
    ratio: int | None
    origin: TimeType | None

    def _group(
        self,
        scope: Scope,
        time: ColumnExpression,
        behavior: Behavior | None,
        instance: ColumnExpression | None,
    ) -> _engine.WindowBy:
        return _engine.WindowBy.sliding(
            scope.base,
            scope.lower(time),
            hop=constant(self.hop),
            duration=_optional(self.duration),
            ratio=self.ratio,
            origin=_optional(self.origin),
            behavior=None if behavior is None else behavior._lower(),
            instance=None if instance is None else scope.lower(instance),
            frame=current_frame(),
        )

    def _share(self, left: _engine.Expr, right: _engine.Expr) -> _engine.InTime:
        return _engine.InTime.sliding(
            left,
            right,
            hop=constant(self.hop),
            duration=_optional(self.duration),
            ratio=self.ratio,
            origin=_optional(self.origin),
        )


@dataclass
class _SessionWindow(Window):
    predicate: Callable[[Any, Any], bool] | None
    max_gap: IntervalType | None

    def _group(
        self,
        scope: Scope,
        time: ColumnExpression,
        behavior: Behavior | None,
        instance: ColumnExpression | None,
    ) -> _engine.WindowBy:
        return _engine.WindowBy.session(
            scope.base,
            scope.lower(time),
            predicate=self.predicate,
            max_gap=_optional(self.max_gap),
            behavior=None if behavior is None else behavior._lower(),
            instance=None if instance is None else scope.lower(instance),
            frame=current_frame(),
        )

    def _share(self, left: _engine.Expr, right: _engine.Expr) -> _engine.InTime:
        return _engine.InTime.session(left, right, predicate=self.predicate, max_gap=_optional(self.max_gap))


@dataclass
class _IntervalsOverWindow(Window):
    at: ColumnReference
    lower_bound: IntervalType
    upper_bound: IntervalType
    is_outer: bool

    def _group(
        self,
        scope: Scope,
        time: ColumnExpression,
        behavior: Behavior | None,
        instance: ColumnExpression | None,
    ) -> _engine.WindowBy:
        at = scope.resolve(self.at)
        probes = TableScope(checked_table(at))
        return _engine.WindowBy.intervals_over(
            scope.base,
            scope.lower(time),
            probes=probes.base,
            at=probes.lower(at),
            lower_bound=constant(self.lower_bound),
            upper_bound=constant(self.upper_bound),
            is_outer=self.is_outer,
            behavior=None if behavior is None else behavior._lower(),
            instance=None if instance is None else scope.lower(instance),
            frame=current_frame(),
        )

    def _share(self, left: _engine.Expr, right: _engine.Expr) -> _engine.InTime:
        raise NotImplementedError(
            "windows of intervals_over() cannot be joined: use interval_join(), which finds the rows around "
            "the values of a column."
        )


def _optional(value: Any) -> _engine.Expr | None:
    return None if value is None else constant(value)


def _one_of(**parameters: Any) -> None:
    names = ", ".join(parameters)
    given = [name for name, value in parameters.items() if value is not None]
    if not given:
        raise ValueError(f"At least one of the parameters [{names}] should be provided.")
    if len(given) > 1:
        raise ValueError(f"Cannot provide both [{names}] at the same time.")


@trace_user_frame
@check_arg_types
def tumbling(
    duration: int | float | datetime.timedelta,
    origin: int | float | datetime.datetime | None = None,
) -> Window:
    """Windows of one length side by side, each with its start and without its end.

    Args:
        duration: the length.
        origin: where windows start; there are none before it. Without it they are everywhere, on
            multiples of the duration (for dates: counted from Monday, 1973-01-01).

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ...  t | v
    ...  1 | 10
    ...  4 | 20
    ... 12 | 30
    ... ''')
    >>> sums = t.windowby(t.t, window=pw.temporal.tumbling(5)).reduce(
    ...     start=pw.this._pw_window_start, end=pw.this._pw_window_end, v=pw.reducers.sum(pw.this.v)
    ... )
    >>> pw.debug.compute_and_print(sums, include_id=False)
    start | end | v
    0     | 5   | 30
    10    | 15  | 30
    """
    return _SlidingWindow(hop=duration, duration=None, ratio=1, origin=origin)


@trace_user_frame
@check_arg_types
def sliding(
    hop: int | float | datetime.timedelta,
    duration: int | float | datetime.timedelta | None = None,
    ratio: int | None = None,
    origin: int | float | datetime.datetime | None = None,
) -> Window:
    """Windows of one length at regular distances, which may overlap or leave gaps.

    Args:
        hop: from the start of a window to that of the next.
        duration: the length.
        ratio: the length in hops; either this or the duration is given.
        origin: where windows start; there are none before it.

    Raises:
        ValueError: if not exactly one of `duration` and `ratio` is given.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... t
    ... 1
    ... 7
    ... 10
    ... 12
    ... ''')
    >>> window = pw.temporal.sliding(hop=3, duration=10, origin=5)
    >>> counts = t.windowby(t.t, window=window).reduce(
    ...     start=pw.this._pw_window_start, end=pw.this._pw_window_end, n=pw.reducers.count()
    ... )
    >>> pw.debug.compute_and_print(counts, include_id=False)
    start | end | n
    5     | 15  | 3
    8     | 18  | 2
    11    | 21  | 1
    """
    _one_of(duration=duration, ratio=ratio)
    return _SlidingWindow(hop=hop, duration=duration, ratio=ratio, origin=origin)


@trace_user_frame
@check_arg_types
def session(
    *,
    predicate: Callable[[Any, Any], bool] | None = None,
    max_gap: int | float | datetime.timedelta | None = None,
) -> Window:
    """Windows of rows that follow each other closely: each from its first to its last time, inclusive.

    Args:
        predicate: says of two neighbouring times, the earlier one first, whether they belong together.
        max_gap: neighbours that are less than this apart belong together.

    Raises:
        ValueError: if not exactly one of the two is given.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... t
    ... 1
    ... 4
    ... 6
    ... ''')
    >>> sessions = t.windowby(t.t, window=pw.temporal.session(max_gap=3)).reduce(
    ...     start=pw.this._pw_window_start, end=pw.this._pw_window_end, n=pw.reducers.count()
    ... )
    >>> pw.debug.compute_and_print(sessions, include_id=False)
    start | end | n
    1     | 1   | 1
    4     | 6   | 2
    """
    _one_of(predicate=predicate, max_gap=max_gap)
    return _SessionWindow(predicate=predicate, max_gap=max_gap)


@trace_user_frame
@check_arg_types
def intervals_over(
    *,
    at: ColumnReference,
    lower_bound: int | float | datetime.timedelta,
    upper_bound: int | float | datetime.timedelta,
    is_outer: bool = True,
) -> Window:
    """Windows around the values of a column: rows from `at + lower_bound` to `at + upper_bound`, inclusive.

    Values that are equal have one window, in which every row is as often as the value. Reducers such as
    `tuple` see the rows in the order of their times.

    Args:
        at: the column; of any table, of the windowed one too.
        lower_bound: where a window starts, seen from the value.
        upper_bound: where it ends.
        is_outer: windows without rows are there, too, with one row in which everything is None.

    Raises:
        TypeError: if `at` is no column, or the types of times and bounds do not go together.
        ValueError: if the lower bound is above the upper one.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... t | v
    ... 1 | 10
    ... 3 | 20
    ... 4 | 30
    ... ''')
    >>> moments = pw.debug.table_from_markdown('''
    ... at
    ... 3
    ... 9
    ... ''')
    >>> around = pw.temporal.intervals_over(at=moments.at, lower_bound=-2, upper_bound=0)
    >>> found = t.windowby(t.t, window=around).reduce(
    ...     at=pw.this._pw_window_location, v=pw.reducers.tuple(pw.this.v)
    ... )
    >>> pw.debug.compute_and_print(found, include_id=False)
    at | v
    3  | (10, 20)
    9  | (None,)
    """
    return _IntervalsOverWindow(at=at, lower_bound=lower_bound, upper_bound=upper_bound, is_outer=is_outer)
