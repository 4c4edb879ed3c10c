"""Window joins: pairs of rows that are in one window."""

from __future__ import annotations

from typing import Any, ClassVar

from pathway._engine import DType, Expr
from pathway.internals.api import Pointer
from pathway.internals.expression.column import ColumnReference, column_named
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.join_condition import Sides, joined, place
from pathway.internals.join_mode import JoinMode
from pathway.internals.joins import JoinResult
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.stdlib.temporal._arguments import check_extra, check_no_how, constant
from pathway.stdlib.temporal._window import Window, _SessionWindow, _SlidingWindow
from pathway.stdlib.temporal._windowby import windowby

#: What is equal for rows that are joined, in the order in which ids depend on it.
_SHARED = ("_pw_window_start", "_pw_window_end", "_pw_window")
#: The columns that describe the window of a row.
_ON_GRID = ("_pw_key", "_pw_instance", *_SHARED)
#: The time of a row, among its columns.
_TIME = "\0time"
_IN_SESSION = ("_pw_window", "_pw_window_start", "_pw_window_end")


class WindowJoinResult(JoinResult):
    """The result of a window join; `select` chooses its columns.

    `pw.this._pw_window_start`, `_pw_window_end` and `_pw_window` describe the window of the joined rows.
    """

    _keys_are_there: ClassVar[bool] = True


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
    plain = Sides(self, other)
    times = _times(plain, self_time, other_time, window)
    if isinstance(window, _SlidingWindow):
        windowed = (_on_grid(self, times[0], window), _on_grid(other, times[1], window))
    elif isinstance(window, _SessionWindow):
        pairs = [plain.condition(condition) for condition in on]
        if left_instance is not None and right_instance is not None:
            pairs.append(plain.pair(left_instance, right_instance))
        instances = [[plain.lower(pair)[side] for pair in pairs] for side in range(2)]
        windowed = _in_sessions((self, other), times, instances, window)
    else:
        raise NotImplementedError(
            "a window join takes tumbling, sliding and session windows; for the rows around the values "
            "of a column use interval_join"
        )
    sides = _WindowedSides((self, other), windowed)
    shared = [(windowed[0][name], windowed[1][name]) for name in _SHARED]
    conditions = list(on)
    if left_instance is not None and right_instance is not None:
        # One more equality, after the others.
        pair = sides.pair(left_instance, right_instance)
        conditions.append(pair[0] == pair[1])
        left_instance = right_instance = None
    made = joined(
        *windowed,
        (*(left == right for left, right in shared), *conditions),
        how=how,
        instances=(left_instance, right_instance),
        sides=sides,
    )
    result = place(made, WindowJoinResult)
    result._known = (self, other)
    return result


def _times(sides: Sides, left: Any, right: Any, window: Window) -> tuple[Expr, Expr]:
    """The times of both sides, of one type."""
    times = (sides.lower_on(0, left), sides.lower_on(1, right))
    dtypes = {str(time.dtype) for time in times}
    if dtypes == {str(DType.INT), str(DType.FLOAT)}:
        return (times[0].cast(DType.FLOAT), times[1].cast(DType.FLOAT))
    if len(dtypes) > 1:
        raise TypeError(
            "Arguments (left_time_expression, right_time_expression) have to be of one type but are of types "
            f"({times[0].dtype}, {times[1].dtype})."
        )
    return times


def _with_time(table: Table, name: str, time: Expr) -> Table:
    """The table with its time as one more column."""
    columns = [(c, Expr.column(table._engine, c), current_frame()) for c in table.column_names()]
    return Table(table._engine.select([*columns, (name, time, current_frame())], current_frame()))


def _on_grid(table: Table, time: Expr, window: _SlidingWindow) -> Table:
    """The rows once for each of their windows, with ids that are made of their own and which window it is."""
    timed = _with_time(table, _TIME, time)
    rows = windowby(timed, timed[_TIME], window=window)._source
    which = rows["_pw_window_start"]
    if rows._engine.column_dtype("_pw_key").kind != "float":
        # How many windows of the row start earlier; for floats, to count them is not exact.
        length = window.duration if window.ratio is None else window.hop * window.ratio
        which = -((rows["_pw_key"] - which - length) // window.hop) - 1
    found = rows.with_columns(_pw_original_id=rows.pointer_from(rows["_pw_original_id"], which))
    columns = dict.fromkeys([*table.column_names(), *_ON_GRID])
    windowed: Table = found.with_id(found["_pw_original_id"])[list(columns)]
    return windowed.update_id_type(Pointer, id_append_only=False)


def _in_sessions(
    tables: tuple[Table, Table],
    times: tuple[Expr, Expr],
    instances: list[list[Expr]],
    window: _SessionWindow,
) -> tuple[Table, Table]:
    """The rows of both tables in sessions of the rows of both."""
    parts = []
    for side, table in enumerate(tables):
        frame = current_frame()
        parts.append(
            Table(
                table._engine.select(
                    [
                        ("time", times[side], frame),
                        ("instance", Expr.make_tuple(instances[side]), frame),
                        ("right", constant(bool(side)), frame),
                        ("own", Expr.id(table._engine), frame),
                    ],
                    frame,
                )
            )
        )
    union = Table.concat_reindex(*parts)
    rows = windowby(union, union.time, window=window, instance=union.instance)._source
    return (
        _of_side(tables[0], rows.filter(~rows.right)),
        _of_side(tables[1], rows.filter(rows.right)),
    )


def _of_side(table: Table, rows: Table) -> Table:
    found = rows.with_id(rows.own)[list(_IN_SESSION)].promise_universe_is_subset_of(table)
    return table.restrict(found).with_columns(*found)


def _window_join_how(
    how: JoinMode, self: Table, other: Table, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> WindowJoinResult:
    check_no_how(kwargs, f"window_join_{how.name.lower()}")
    return window_join(self, other, *args, how=how, **kwargs)


@trace_user_frame
def window_join_inner(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps rows with a partner only."""
    return _window_join_how(JoinMode.INNER, self, other, args, kwargs)


@trace_user_frame
def window_join_left(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all left rows."""
    return _window_join_how(JoinMode.LEFT, self, other, args, kwargs)


@trace_user_frame
def window_join_right(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all right rows."""
    return _window_join_how(JoinMode.RIGHT, self, other, args, kwargs)


@trace_user_frame
def window_join_outer(self: Table, other: Table, *args: Any, **kwargs: Any) -> WindowJoinResult:
    """[`window_join`][] that keeps all rows of both sides."""
    return _window_join_how(JoinMode.OUTER, self, other, args, kwargs)
