"""Window joins: pairs of rows that are in one window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar

from pathway.internals.expression.column import ColumnReference, column_named
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.join_condition import Pair, Sides, joined, place
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import JoinResult
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.temporal._arguments import check_extra, with_how
from pathway.stdlib.temporal._window import Window

#: What is equal for rows that are joined.
_ABOUT = ("_pw_window", "_pw_window_start", "_pw_window_end")


class WindowJoinResult(JoinResult):
    """The result of a window join; `select` chooses its columns.

    `pw.this._pw_window_start`, `_pw_window_end` and `_pw_window` describe the window of the joined rows.
    """

    _keys_are_there: ClassVar[bool] = True
    # The ids of rows in windows are others.
    _row_ids: ClassVar[str] = "\0own"
    _joined: tuple[Table, Table]

    def _tables(self) -> Iterator[tuple[Table, str]]:
        yield from zip(self._joined, ("l.", "r."), strict=True)


class _WindowedSides(Sides):
    """The rows of both sides in their windows; columns of the joined tables are found among them."""

    def __init__(self, tables: tuple[Table, Table], windowed: tuple[Table, Table]) -> None:
        super().__init__(*windowed)
        self._tables = tables
        for members, table in zip(self._members, tables, strict=True):
            members.add(id(table))

    def _resolve(self, side: int, column: ColumnReference) -> ColumnReference:
        column = super()._resolve(side, column)
        if column.table is self._tables[side]:
            return column_named((self.left, self.right)[side], column.name)
        return column

    def windowed(self, pair: Pair) -> Pair:
        """Columns of the joined tables as those of their rows in windows."""
        return self._resolve(0, pair[0]), self._resolve(1, pair[1])

    def prefixes(self) -> dict[int, str]:
        own = {id(table): prefix for table, prefix in zip(self._tables, ("l.", "r."), strict=True)}
        return {**own, **super().prefixes()}


@trace_user_frame
def window_join(
    self: Table,
    other: Table,
    self_time: ColumnExpression,
    other_time: ColumnExpression,
    window: Window,
    *on: Any,
    how: JoinMode = JoinMode.INNER,
    left_instance: Any = None,
    right_instance: Any = None,
    **kwargs: Any,
) -> WindowJoinResult:
    """Pairs of rows that are in one window and fulfil all conditions, once for each such window.

    The windows of a session are made of the rows of both sides, for rows with equal values of the
    conditions.

    Args:
        other: the right side.
        self_time: the time of the left rows: integer, float or datetime.
        other_time: the time of the right rows.
        window: how times are put into windows: `tumbling`, `sliding` or `session`.
        on: conditions `left.column == right.column`.
        how: which rows are kept that have no partner in a window, once for each such window.
        left_instance: one more column to be equal with `right_instance`.
        right_instance: see `left_instance`.

    Raises:
        TypeError: if the types of the times and of the window do not go together.
        NotImplementedError: for windows of `intervals_over`.

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
    ... A    | 1
    ... B    | 7
    ... ''')
    >>> together = doors.window_join(
    ...     lights, doors.t, lights.t, pw.temporal.tumbling(5), doors.room == lights.room
    ... ).select(pw.this.room, start=pw.this._pw_window_start, door=doors.t, light=lights.t)
    >>> pw.debug.compute_and_print(together, include_id=False)
    room | start | door | light
    A    | 0     | 3    | 1
    A    | 0     | 3    | 4
    """
    check_extra(kwargs, "window_join")
    if not isinstance(window, Window):
        raise TypeError(
            f"window_join(): parameter window={window!r} violates type hint Window: write "
            "pw.temporal.tumbling(...), for instance."
        )
    if not isinstance(other, Table):
        raise TypeError(f"window_join(): parameter other={other!r} violates type hint Table: it is no table.")
    made = joined(
        self,
        other,
        on,
        how=how,
        instances=(left_instance, right_instance),
        in_time=lambda sides: window._share(sides.lower_on(0, self_time), sides.lower_on(1, other_time)),
        with_itself=True,
    )
    own = WindowJoinResult._row_ids
    rows = (Table(made.rows[0]).without(own), Table(made.rows[1]).without(own))
    sides = _WindowedSides((self, other), rows)
    pairs = [(rows[0][name], rows[1][name]) for name in _ABOUT]
    pairs.extend(sides.windowed(pair) for pair in made.pairs)
    result = place(dataclasses.replace(made, sides=sides, pairs=pairs), WindowJoinResult)
    result._joined = result._known = (self, other)
    return result


@trace_user_frame
def window_join_inner(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps rows with a partner only."""
    return with_how(window_join, JoinMode.INNER, self, other, args, kwargs)


@trace_user_frame
def window_join_left(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all left rows."""
    return with_how(window_join, JoinMode.LEFT, self, other, args, kwargs)


@trace_user_frame
def window_join_right(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all right rows."""
    return with_how(window_join, JoinMode.RIGHT, self, other, args, kwargs)


@trace_user_frame
def window_join_outer(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all rows of both sides."""
    return with_how(window_join, JoinMode.OUTER, self, other, args, kwargs)
