"""As-of joins: each row with the nearest one in time of the other table."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pathway import _engine
from pathway._engine import DType, Expr
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.join_condition import Joined, Sides, joined, optional_columns
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import ROW_IDS, JoinResult
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.stdlib.temporal._arguments import check_extra, constant, lower_behavior, with_how

if TYPE_CHECKING:
    from pathway.internals.table import Table
    from pathway.stdlib.temporal.temporal_behavior import CommonBehavior


class Direction(enum.Enum):
    """Where the partner of a row is: before it, after it, or whichever is nearer."""

    BACKWARD = 0
    FORWARD = 1
    NEAREST = 2


_DIRECTIONS = {Direction.BACKWARD: "backward", Direction.FORWARD: "forward", Direction.NEAREST: "nearest"}


class AsofJoinResult(JoinResult):
    """The result of an as-of join; `select` chooses its columns.

    `pw.this` has what is said about the row that is given a partner: `t`, its time; `instance`, the
    values of its conditions; `side`, True for a right row; `key`, by which the rows of both sides are
    ordered.
    """


@trace_user_frame
def asof_join(
    self: Table,
    other: Table,
    self_time: ColumnExpression,
    other_time: ColumnExpression,
    *on: Any,
    how: JoinMode,
    behavior: CommonBehavior | None = None,
    defaults: Mapping[ColumnReference, Any] | None = None,
    direction: Direction = Direction.BACKWARD,
    left_instance: Any = None,
    right_instance: Any = None,
    **kwargs: Any,
) -> AsofJoinResult:
    """Each row with the nearest one in time of the other side, of those that fulfil all conditions.

    Args:
        other: the right side.
        self_time: the time of the left rows: integer, float or datetime.
        other_time: the time of the right rows.
        on: conditions `left.column == right.column`.
        how: `LEFT`: one row for each left row, `RIGHT`: for each right row, `OUTER`: for each row of both.
        behavior: when rows are let in and forgotten, see [`common_behavior`][] and [`interval_join`][].
        defaults: values of columns where there is no partner, instead of None.
        direction: whether the partner is before the row, after it, or the nearer one of the two (the one
            after it, if both are equally near).
        left_instance: one more column to be equal with `right_instance`.
        right_instance: see `left_instance`.

    Raises:
        TypeError: if the types of the times, or of a column and its default, do not go together.
        ValueError: if `how` is `INNER`.

    >>> import pathway as pw
    >>> trades = pw.debug.table_from_markdown('''
    ... stock | t | amount
    ... A     | 3 | 10
    ... A     | 8 | 20
    ... B     | 1 | 30
    ... ''')
    >>> quotes = pw.debug.table_from_markdown('''
    ... stock | t | price
    ... A     | 2 | 100
    ... A     | 5 | 101
    ... B     | 4 | 200
    ... ''')
    >>> priced = trades.asof_join(
    ...     quotes, trades.t, quotes.t, trades.stock == quotes.stock, how=pw.JoinMode.LEFT
    ... ).select(trades.stock, pw.this.t, trades.amount, quotes.price)
    >>> pw.debug.compute_and_print(priced, include_id=False)
    stock | t | amount | price
    A     | 3 | 10     | 100
    A     | 8 | 20     | 101
    B     | 1 | 30     |
    """
    check_extra(kwargs, "asof_join")
    if isinstance(direction, str):
        raise ValueError(
            f"direction={direction!r} is a string; write pw.temporal.Direction.{direction.upper()}."
        )
    if not isinstance(direction, Direction):
        raise ValueError(f"direction={direction!r} is no member of pw.temporal.Direction.")
    if not isinstance(defaults, Mapping | None):
        raise TypeError(f"defaults are given by column, as in {{table.price: 0}}, not as {defaults!r}.")
    for column in defaults or {}:
        if not isinstance(column, ColumnReference):
            raise TypeError(f"defaults are given by column, as in {{table.price: 0}}; {column!r} is none.")

    def in_time(sides: Sides) -> _engine.InTime:
        times = (sides.lower_on(0, self_time), sides.lower_on(1, other_time))
        return _engine.InTime.asof(*times, _DIRECTIONS[direction], behavior=lower_behavior(behavior))

    instances = (left_instance, right_instance)
    result = joined(self, other, on, how=how, instances=instances, in_time=in_time)
    return _Placing(result, direction).place(defaults or {})


class _Placing:
    """The columns of an as-of join under the names that they have in it."""

    def __init__(self, result: Joined, direction: Direction) -> None:
        self._joined = result
        self._direction = direction
        self._sides = (result.sides.left._engine, result.sides.right._engine)

    def place(self, defaults: Mapping[ColumnReference, Any]) -> AsofJoinResult:
        sides, engine = self._joined.sides, self._joined.engine
        filled = dict(self._filled(column, value) for column, value in defaults.items())
        about = {
            "instance": self._instance(),
            "t": self._of_self(self._time),
            "key": self._key(),
            "side": Expr.column(engine, "side"),
        }
        columns = {name: filled.get(name, Expr.column(engine, name)) for name in engine.column_names()}
        columns.update((f"m.{name}", column) for name, column in about.items())
        frame = current_frame()
        return AsofJoinResult(
            engine.select([(name, column, frame) for name, column in columns.items()], frame),
            left=sides.left,
            right=sides.right,
            prefixes=sides.prefixes(),
            names=dict.fromkeys(about),
            optional=optional_columns(self._joined) - filled.keys(),
            mergeable={name: f"m.{name}" for name in about},
        )

    def _column(self, side: int, name: str) -> Expr:
        """A column of a side where that side has a row."""
        own = self._sides[side]
        dtype = own.id_dtype if name == ROW_IDS else own.column_dtype(name)
        return Expr.column(self._joined.engine, f"{'lr'[side]}.{name}").declare_type(dtype)

    def _time(self, side: int) -> Expr:
        time = Expr.column(self._joined.engine, f"time.{'lr'[side]}")
        return time.narrow() if time.dtype.kind == "optional" else time

    def _of_self(self, of_side: Callable[[int], Expr]) -> Expr:
        """What is `of_side(side)` for the side of the row that is given a partner."""
        if self._joined.how is JoinMode.LEFT:
            return of_side(0)
        if self._joined.how is JoinMode.RIGHT:
            return of_side(1)
        return Expr.if_else(Expr.column(self._joined.engine, "side"), of_side(1), of_side(0))

    def _instance(self) -> Expr:
        values = [
            self._of_self(lambda side, pair=pair: self._column(side, pair[side].name))  # type: ignore[misc]
            for pair in self._joined.pairs
        ]
        if not values:
            return constant(None)
        return values[0] if len(values) == 1 else Expr.make_tuple(values)

    def _key(self) -> Expr:
        """What the rows of both sides are ordered by."""
        side = Expr.column(self._joined.engine, "side")
        if (self._joined.how, self._direction) in (
            (JoinMode.LEFT, Direction.BACKWARD),
            (JoinMode.RIGHT, Direction.FORWARD),
        ):
            side = Expr.unary("invert", side)
        return Expr.make_tuple(
            [self._of_self(self._time), side, self._of_self(lambda s: self._column(s, ROW_IDS))]
        )

    def _filled(self, column: ColumnReference, value: Any) -> tuple[str, Expr]:
        """A column with a default where its side has no row."""
        side, own = self._joined.sides.place_of(column)
        name = f"{'lr'[side]}.{own.name}"
        known = Expr.column(self._joined.engine, name)
        kept = (JoinMode.LEFT, JoinMode.RIGHT)[side]
        if value is None or self._joined.how is kept:
            return name, known
        there, default = self._column(side, own.name), constant(value)
        try:
            dtype = DType.common_type(there.dtype, default.dtype)
        except TypeError:
            raise TypeError(
                f"the default {value!r} of {column!r} and the column, of type {there.dtype}, have no type in "
                "common."
            ) from None
        missing = Expr.column(self._joined.engine, f"{'lr'[side]}.{ROW_IDS}").is_none()
        return name, Expr.if_else(missing, default.cast(dtype), there.cast(dtype))


@trace_user_frame
def asof_join_left(self: Table, other: Table, *args: Any, **kwargs: Any) -> AsofJoinResult:
    """[`asof_join`][] with one row for each left row.

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
    >>> before = a.asof_join_left(b, a.t, b.t, defaults={b.t: 0}).select(a=a.t, b=b.t)
    >>> pw.debug.compute_and_print(before, include_id=False)
    a | b
    1 | 0
    7 | 2
    """
    return with_how(asof_join, JoinMode.LEFT, self, other, args, kwargs)


@trace_user_frame
def asof_join_right(self: Table, other: Table, *args: Any, **kwargs: Any) -> AsofJoinResult:
    """[`asof_join`][] with one row for each right row."""
    return with_how(asof_join, JoinMode.RIGHT, self, other, args, kwargs)


@trace_user_frame
def asof_join_outer(self: Table, other: Table, *args: Any, **kwargs: Any) -> AsofJoinResult:
    """[`asof_join`][] with one row for each row of both sides."""
    return with_how(asof_join, JoinMode.OUTER, self, other, args, kwargs)
