"""Interval joins: pairs of rows whose times are so far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pathway import _engine
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.join_condition import Sides, joined, place
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import JoinResult
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.temporal._arguments import check_extra, constant, lower_behavior, with_how
from pathway.stdlib.temporal._interval import Interval

if TYPE_CHECKING:
    from pathway.internals.table import Table
    from pathway.stdlib.temporal.temporal_behavior import CommonBehavior


class IntervalJoinResult(JoinResult):
    """The result of an interval join; `select` chooses its columns."""

    _keys_are_there: ClassVar[bool] = True
    _a_side_is_there: ClassVar[bool] = True


@trace_user_frame
def interval_join(
    self: Table,
    other: Table,
    self_time: ColumnExpression,
    other_time: ColumnExpression,
    interval: Interval,
    *on: Any,
    behavior: CommonBehavior | None = None,
    how: JoinMode = JoinMode.INNER,
    left_instance: Any = None,
    right_instance: Any = None,
    **kwargs: Any,
) -> IntervalJoinResult:
    """Pairs of rows with `self_time + lower <= other_time <= self_time + upper` that fulfil all conditions.

    Args:
        other: the right side.
        self_time: the time of the left rows: integer, float or datetime.
        other_time: the time of the right rows.
        interval: how much later the right row may be, see [`interval`][].
        on: conditions `left.column == right.column`.
        behavior: when rows are let in and forgotten, see [`common_behavior`][]. Each side has a clock of its
            own, the largest time of its rows. A row is held back until the clock of its side is `delay` after
            its time; it is ignored if that is `cutoff` after it before the row comes, and forgotten with the
            next rows of its side when it is. With `keep_results`, what has been shown stays.
        how: which rows without a partner are kept, each once, with None for the columns of the other side.
        left_instance: one more column to be equal with `right_instance`.
        right_instance: see `left_instance`.

    Raises:
        TypeError: if the types of the times and of the interval do not go together.
        ValueError: if the lower bound is above the upper one.

    >>> import pathway as pw
    >>> doors = pw.debug.table_from_markdown('''
    ... room | t
    ... A    | 3
    ... A    | 9
    ... B    | 4
    ... ''')
    >>> lights = pw.debug.table_from_markdown('''
    ... room | t
    ... A    | 4
    ... A    | 5
    ... B    | 2
    ... ''')
    >>> soon = doors.interval_join(
    ...     lights, doors.t, lights.t, pw.temporal.interval(0, 2), doors.room == lights.room
    ... ).select(pw.this.room, door=pw.left.t, light=pw.right.t)
    >>> pw.debug.compute_and_print(soon, include_id=False)
    room | door | light
    A    | 3    | 4
    A    | 3    | 5

    With a behavior, rows are forgotten:

    >>> behavior = pw.temporal.common_behavior(cutoff=2, keep_results=False)
    >>> recent = doors.interval_join(
    ...     lights, doors.t, lights.t, pw.temporal.interval(0, 2), behavior=behavior
    ... ).select(door=pw.left.t, light=pw.right.t)
    >>> pw.debug.compute_and_print(recent, include_id=False)
    door | light
    3    | 4
    3    | 5
    4    | 4
    4    | 5
    """
    check_extra(kwargs, "interval_join")
    if not isinstance(interval, Interval):
        raise TypeError(
            f"interval_join(): parameter interval={interval!r} violates type hint Interval: write "
            "pw.temporal.interval(lower, upper)."
        )

    def in_time(sides: Sides) -> _engine.InTime:
        return _engine.InTime.interval(
            sides.lower_on(0, self_time),
            sides.lower_on(1, other_time),
            constant(interval.lower_bound),
            constant(interval.upper_bound),
            behavior=lower_behavior(behavior),
        )

    instances = (left_instance, right_instance)
    return place(joined(self, other, on, how=how, instances=instances, in_time=in_time), IntervalJoinResult)


@trace_user_frame
def interval_join_inner(self: Table, other: Table, *args: Any, **kwargs: Any) -> IntervalJoinResult:
    """[`interval_join`][] that keeps rows with a partner only."""
    return with_how(interval_join, JoinMode.INNER, self, other, args, kwargs)


@trace_user_frame
def interval_join_left(self: Table, other: Table, *args: Any, **kwargs: Any) -> IntervalJoinResult:
    """[`interval_join`][] that keeps all left rows.

    >>> import pathway as pw
    >>> a = pw.debug.table_from_markdown('''
    ... t
    ... 1
    ... 7
    ... ''')
    >>> b = pw.debug.table_from_markdown('''
    ... t
    ... 2
    ... ''')
    >>> near = a.interval_join_left(b, a.t, b.t, pw.temporal.interval(-1, 1)).select(a=a.t, b=b.t)
    >>> pw.debug.compute_and_print(near, include_id=False)
    a | b
    1 | 2
    7 |
    """
    return with_how(interval_join, JoinMode.LEFT, self, other, args, kwargs)


@trace_user_frame
def interval_join_right(self: Table, other: Table, *args: Any, **kwargs: Any) -> IntervalJoinResult:
    """[`interval_join`][] that keeps all right rows."""
    return with_how(interval_join, JoinMode.RIGHT, self, other, args, kwargs)


@trace_user_frame
def interval_join_outer(self: Table, other: Table, *args: Any, **kwargs: Any) -> IntervalJoinResult:
    """[`interval_join`][] that keeps all rows of both sides."""
    return with_how(interval_join, JoinMode.OUTER, self, other, args, kwargs)
