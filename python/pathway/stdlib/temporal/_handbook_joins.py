"""Joins in time under the names of the user's handbook; see `pathway.handbook`.

There the times are compared in conditions, or there is a greatest distance; rows without a partner are left
out.
"""

from __future__ import annotations

import datetime
import enum
import functools
from collections.abc import Callable, Mapping
from typing import Any

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import Binary, Constant
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import JoinResult
from pathway.internals.table import Table
from pathway.internals.thisclass import left as left_side
from pathway.internals.thisclass import right as right_side
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.stdlib.temporal._asof_join import Direction, asof_join
from pathway.stdlib.temporal._interval import Interval, interval
from pathway.stdlib.temporal._interval_join import interval_join

_COMPARISONS = ("ge", "gt", "le", "lt")


class ASOF_join_behavior(enum.Enum):
    """Which pairs there are: for each left row the closest right one, the other way around, or all."""

    EMIT_PER_LEFT = "emit_per_left"
    EMIT_PER_RIGHT = "emit_per_right"
    EMIT_ALL = "all"


def with_conditions(canonical: Callable[..., Any]) -> Callable[..., Any]:
    """`asof_join` that also takes what the handbook gives it."""

    @functools.wraps(canonical)
    def asof(self: Table, other: Table, *arguments: Any, **options: Any) -> Any:
        by_handbook = (
            any(_is(argument, _COMPARISONS) for argument in arguments[:1])
            or any(isinstance(argument, (int, float, datetime.timedelta)) for argument in arguments[2:3])
            or isinstance(options.get("behavior"), (str, ASOF_join_behavior))
            or not options.keys().isdisjoint(("selectors", "time_distance", "closed_window"))
        )
        join = _asof_join if by_handbook else canonical
        return join(self, other, *arguments, **options)

    return asof


@trace_user_frame
def _asof_join(
    left: Table,
    right: Table,
    *arguments: Any,
    time_distance: Any = None,
    closed_window: bool = True,
    behavior: ASOF_join_behavior | str = ASOF_join_behavior.EMIT_PER_LEFT,
    selectors: Mapping[ColumnReference, str] | None = None,
) -> JoinResult | Table:
    """Right rows are not later than the left ones, and as close as may be.

    Args:
        arguments: conditions, `left.time >= right.time` being the first, or the two times and the greatest
            distance between them.
        time_distance: the greatest distance.
        closed_window: whether rows just so far apart belong together.
        behavior: which pairs there are.
        selectors: names of the columns of the result.
    """
    chosen = ASOF_join_behavior(behavior)
    if arguments and _is(arguments[0], _COMPARISONS):
        times, others = _compared(arguments[0]), list(arguments[1:])
    elif len(arguments) in (2, 3):
        times, others = (arguments[0], arguments[1]), []
        time_distance = arguments[2] if len(arguments) == 3 else time_distance
    else:
        raise TypeError(
            "asof_join() takes two times, or conditions, the first being left.time >= right.time."
        )
    if time_distance is not None:
        apart = times[0] - times[1]
        others.append(apart <= time_distance if closed_window else apart < time_distance)
    equalities = [c for c in others if _is(c, ("eq",))]
    filters = [c for c in others if not _is(c, ("eq",))]
    result: JoinResult
    if chosen is ASOF_join_behavior.EMIT_ALL:
        result = _all_pairs(left, right, times, time_distance, equalities)
    else:
        per_left = chosen is ASOF_join_behavior.EMIT_PER_LEFT
        how, direction = (
            (JoinMode.LEFT, Direction.BACKWARD) if per_left else (JoinMode.RIGHT, Direction.FORWARD)
        )
        joined = asof_join(left, right, *times, *equalities, how=how, direction=direction)
        result = _with_partner(joined, right if per_left else left)
    for condition in filters:
        result = result.filter(condition)
    if selectors is None:
        return result
    return result.select(**{name: column for column, name in selectors.items()})


def _is(condition: Any, operators: tuple[str, ...]) -> bool:
    return isinstance(condition, Binary) and condition._op in operators


def _all_pairs(
    left: Table,
    right: Table,
    times: tuple[ColumnExpression, ColumnExpression],
    distance: Any,
    equalities: list[ColumnExpression],
) -> JoinResult:
    if distance is None:
        return left.join(right, *equalities).filter(times[0] >= times[1])
    near = interval(-distance, type(distance)(0))
    return interval_join(left, right, *times, near, *equalities)


def _compared(condition: Binary) -> tuple[ColumnExpression, ColumnExpression]:
    """The left and the right time."""
    first, second = condition._operands
    if condition._op == "ge":
        return first, second
    if condition._op == "le":
        return second, first
    raise ValueError(
        f"the first condition of asof_join is left.time >= right.time, which lets equal times match; "
        f"{condition!r} does not."
    )


def _with_partner(joined: JoinResult, partners: Table) -> JoinResult:
    """The rows that have a partner, whose columns are not Optional any more."""
    scope = joined._scope()
    is_there = scope.lower(partners.id.is_not_none())
    optional = joined._optional
    return joined._over(joined._engine.filter(is_there, sorted(optional), current_frame()), optional)


def with_inequalities(canonical: Callable[..., Any]) -> Callable[..., Any]:
    """`join` that also takes `selectors`, and with them conditions that are no equalities."""

    @functools.wraps(canonical)
    def join(self: Table, other: Table, *conditions: Any, **options: Any) -> Any:
        if "selectors" not in options:
            return canonical(self, other, *conditions, **options)
        return _join_where(self, other, *conditions, **options)

    return join


#: The names of what is compared in the handbook's interval joins.
_SPANS = ("left_time_lower", "left_time_upper", "right_time_lower", "right_time_upper")


def with_spans(canonical: Callable[..., Any]) -> Callable[..., Any]:
    """`interval_join` that also takes where the times of a left and a right row begin and end."""

    @functools.wraps(canonical)
    def interval_join(*arguments: Any, **options: Any) -> Any:
        by_handbook = not options.keys().isdisjoint(("selectors", "left_table", "right_table", *_SPANS)) or (
            len(arguments) >= 6 and not any(isinstance(argument, Interval) for argument in arguments)
        )
        return (_spans_that_meet if by_handbook else canonical)(*arguments, **options)

    return interval_join


@trace_user_frame
def _spans_that_meet(
    left_table: Table,
    right_table: Table,
    left_time_lower: ColumnExpression,
    left_time_upper: ColumnExpression,
    right_time_lower: ColumnExpression,
    right_time_upper: ColumnExpression,
    selectors: Mapping[ColumnReference, str] | None = None,
) -> JoinResult | Table:
    """Pairs of rows whose spans of time have a time in common; both ends belong to a span."""
    conditions = (left_time_lower <= right_time_upper, right_time_lower <= left_time_upper)
    return _join_where(left_table, right_table, *conditions, selectors=selectors)


@trace_user_frame
def _join_where(
    left: Table,
    right: Table,
    *conditions: Any,
    selectors: Mapping[ColumnReference, str] | None,
    **options: Any,
) -> JoinResult | Table:
    """Pairs of rows that fulfil all conditions: an interval join where these are bounds of a distance."""
    comparisons = [condition for condition in conditions if _is(condition, _COMPARISONS)]
    others = [condition for condition in conditions if not _is(condition, _COMPARISONS)]
    found = _interval_of(left, right, comparisons)
    result: JoinResult
    if found is None or options:
        result = left.join(right, *others, **options)
    else:
        result = interval_join(left, right, *found, *others)
    for condition in comparisons:
        result = result.filter(condition)
    if selectors is None:
        return result
    return result.select(**{name: column for column, name in selectors.items()})


def _interval_of(
    left: Table, right: Table, comparisons: list[Binary]
) -> tuple[ColumnReference, ColumnReference, Interval] | None:
    """The times of both sides and how far apart they are, if the comparisons bound that on both sides."""
    times: tuple[ColumnReference, ColumnReference] | None = None
    lower: list[Any] = []
    upper: list[Any] = []
    for comparison in comparisons:
        first, second = comparison._operands
        if comparison._op in ("ge", "gt"):
            first, second = second, first
        (early, more), (late, less) = _shifted(first), _shifted(second)
        sides = (_side(early, left, right), _side(late, left, right))
        if sides not in ((0, 1), (1, 0)) or not (
            isinstance(early, ColumnReference) and isinstance(late, ColumnReference)
        ):
            continue
        from_left = sides == (0, 1)
        pair = (early, late) if from_left else (late, early)
        if times is not None and [time._name for time in times] != [time._name for time in pair]:
            continue
        own, theirs = (more, less) if from_left else (less, more)
        if isinstance(theirs, float):
            # What is rounded there is not rounded here.
            continue
        times = pair
        (lower if from_left else upper).append(_difference(own, theirs))
    if times is None or not lower or not upper:
        return None
    zero = next((type(bound)(0) for bound in (*lower, *upper) if bound is not None), 0)
    bounds = [[zero if bound is None else bound for bound in side] for side in (lower, upper)]
    if zero == 0 and all(bound is None for bound in (*lower, *upper)):
        return None
    return (*times, interval(max(bounds[0]), min(bounds[1])))


def _shifted(time: Any) -> tuple[Any, Any]:
    """A time, and by how much it is shifted; None if it is not."""
    if isinstance(time, Binary) and time._op in ("add", "sub"):
        first, second = time._operands
        if isinstance(second, Constant):
            return first, second._value if time._op == "add" else -second._value
        if isinstance(first, Constant) and time._op == "add":
            return second, first._value
    return time, None


def _difference(first: Any, second: Any) -> Any:
    if second is None:
        return first
    return -second if first is None else first - second


def _side(time: Any, left: Table, right: Table) -> int | None:
    if not isinstance(time, ColumnReference):
        return None
    for side, tables in enumerate(((left, left_side), (right, right_side))):
        if any(time._table is table for table in tables):
            return side
    return None
