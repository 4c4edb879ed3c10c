"""`windowby`: rows grouped by windows of time."""

from __future__ import annotations

from typing import Any

from pathway import _engine
from pathway._engine import Expr
from pathway.internals.arguments import collect_columns
from pathway.internals.expression.column import ColumnReference, column_named
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.reducer import ReducerExpression
from pathway.internals.expression.walk import nodes_of
from pathway.internals.groupby import GroupedTable
from pathway.internals.resolve import ColumnKey, Scope, TableScope, checked_table
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table import Table
from pathway.internals.trace import current_frame, trace_user_frame
from pathway.stdlib.temporal._window import Window
from pathway.stdlib.temporal.temporal_behavior import CommonBehavior, ExactlyOnceBehavior

_ORIGINAL_ID = "_pw_original_id"


class WindowRows(Table):
    """What the reducers of a windowed table see; ids are those of the windowed table."""

    def __init__(self, engine: _engine.Table, original: Table) -> None:
        super().__init__(engine)
        self._original = original

    @property
    def may_be_empty(self) -> bool:
        """True if windows without rows are there: with one row that has no id."""
        return self._engine.column_dtype(_ORIGINAL_ID).kind == "optional"

    def _lookup(self, pointer: ColumnExpression, flags: dict[str, Any], scope: Scope) -> Table:
        if self.may_be_empty:
            flags = {**flags, "optional": True}
        return self._original._lookup(pointer, flags, scope)


class WindowScope(TableScope):
    """Expressions over the rows of windows; columns of the windowed table are found among them."""

    def __init__(self, rows: WindowRows) -> None:
        super().__init__(rows)
        self._rows = rows

    def resolve(self, reference: ColumnReference) -> ColumnReference:
        reference = super().resolve(reference)
        if reference.table is self._rows._original:
            named = ColumnReference if reference._is_row_id else column_named
            return named(self._rows, reference.name)
        return reference

    def key(self, reference: ColumnReference) -> ColumnKey:
        return super().key(self.resolve(reference))

    def column(self, reference: ColumnReference) -> Expr:
        reference = self.resolve(reference)
        table = checked_table(reference)
        if table is self._rows:
            return Expr.column(self.base, _ORIGINAL_ID if reference._is_row_id else reference.name)
        original = self._rows._original._engine
        if table._engine.universe.is_equal_to(original.universe):
            ids = Expr.column(self.base, _ORIGINAL_ID)
            if reference._is_row_id:
                return ids
            optional = self._rows.may_be_empty
            found = table._engine.ix(
                ids, self.base, optional=optional, allow_misses=False, frame=current_frame()
            )
            return Expr.column(found, reference.name)
        return super().column(reference)


class WindowedTable(GroupedTable):
    """The result of `windowby`; only `reduce` computes something."""

    _source: WindowRows

    def __init__(self, grouped: _engine.WindowBy, original: Table) -> None:
        super().__init__(WindowRows(grouped.rows, original), [])
        self._grouped = grouped

    def _scope(self) -> Scope:
        return WindowScope(self._source)

    def _group_reduce(self, scope: Scope, columns: dict[str, ColumnExpression]) -> _engine.Table:
        return self._grouped.reduce(scope.named(columns), current_frame())


class GroupedByExpressions(GroupedTable):
    """The result of `windowby` without a window: groups by what `reduce` has outside of reducers."""

    def __init__(self, table: Table, instance: ColumnExpression | None) -> None:
        super().__init__(table, [])
        self._kept_apart = instance

    @trace_user_frame
    def reduce(self, *args: Any, **kwargs: Any) -> Table:
        """One row for each combination of values of the expressions outside of reducers."""
        columns = collect_columns(args, kwargs, self._scope(), "reduce")
        by = {
            f"_pw_by_{name}": expression
            for name, expression in columns.items()
            if not any(isinstance(node, ReducerExpression) for node in nodes_of(expression))
        }
        if not by:
            raise ValueError(
                "windowby() without window= groups rows by the expressions of reduce() that are outside of "
                "reducers, such as table.time.dt.floor('1h'), and there is none. Write one, or "
                "window=pw.temporal.tumbling(...)."
            )
        if self._kept_apart is not None:
            by["_pw_instance"] = self._kept_apart
        table: Table = self._source.with_columns(**by)
        reduced = {
            name: table[f"_pw_by_{name}"] if f"_pw_by_{name}" in by else expression
            for name, expression in columns.items()
        }
        return table.groupby(*(table[name] for name in by)).reduce(**reduced)


@trace_user_frame
def windowby(
    self: Table,
    time_expr: ColumnExpression,
    *args: Any,
    window: Window | None = None,
    behavior: CommonBehavior | ExactlyOnceBehavior | None = None,
    instance: ColumnExpression | None = None,
    **kwargs: Any,
) -> GroupedTable:
    """Rows grouped by windows of time; `reduce` then gives one row per window.

    Outside of reducers `pw.this._pw_window` (for `intervals_over`: `_pw_window_location`),
    `_pw_window_start`, `_pw_window_end` and `_pw_instance` can be used; inside of them these, and all
    columns of the table.

    Args:
        time_expr: the time of a row.
        window: how times are put into windows. Without one, rows are grouped by the expressions of `reduce`
            that are outside of reducers, such as `t.at.dt.floor("1h")`.
        behavior: when windows are shown and closed, see `common_behavior` and `exactly_once_behavior`.
        instance: rows with different values of it are in different windows.

    Raises:
        TypeError: if the types of the time, the window and the behavior do not go together.
        ValueError: if the window cannot have a behavior: a session by a predicate.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... shop | t  | v
    ... A    | 1  | 10
    ... B    | 3  | 20
    ... A    | 4  | 30
    ... A    | 12 | 40
    ... ''')
    >>> sums = t.windowby(t.t, window=pw.temporal.tumbling(5), instance=t.shop).reduce(
    ...     shop=pw.this._pw_instance, start=pw.this._pw_window_start, v=pw.reducers.sum(pw.this.v)
    ... )
    >>> pw.debug.compute_and_print(sums, include_id=False)
    shop | start | v
    A    | 0     | 40
    A    | 10    | 40
    B    | 0     | 20
    """
    if args:
        raise ValueError(
            "Table.windowby() received extra args.\nIt handles grouping only by a single column."
            + (" The window is given by name: window=..." if isinstance(args[0], Window) else "")
        )
    if kwargs:
        raise ValueError(
            "Table.windowby() received extra kwargs.\n"
            "You probably want to use Table.windowby(...).reduce(**kwargs) to compute output columns.\n"
            + f"There is no parameter {', '.join(kwargs)}"
            + ("; rows are kept apart by instance=." if "shard" in kwargs else ".")
        )
    if window is None:
        return _without_window(self, time_expr, behavior, instance)
    if not isinstance(window, Window):
        raise TypeError(
            f"windowby(): parameter window={window!r} violates type hint Window: write "
            "pw.temporal.tumbling(...), sliding(...), session(...) or intervals_over(...)."
        )
    return _windowby(self, time_expr, window, behavior, instance)


@check_arg_types
def _without_window(
    self: Table,
    time_expr: ColumnExpression,
    behavior: CommonBehavior | ExactlyOnceBehavior | None,
    instance: ColumnExpression | None,
) -> GroupedByExpressions:
    if behavior is not None:
        raise ValueError("behavior= needs window=: without a window nothing says when a group is over.")
    TableScope(self).lower(time_expr)
    return GroupedByExpressions(self, instance)


@check_arg_types
def _windowby(
    self: Table,
    time_expr: ColumnExpression,
    window: Window,
    behavior: CommonBehavior | ExactlyOnceBehavior | None,
    instance: ColumnExpression | None,
) -> WindowedTable:
    return WindowedTable(window._group(TableScope(self), time_expr, behavior, instance), self)
