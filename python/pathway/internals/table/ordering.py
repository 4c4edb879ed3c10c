"""Operations over the rows in an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import column_value
from pathway.internals.interpolate_mode import InterpolateMode
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class OrderOperations(TableCore):
    """`sort`, `diff`, `interpolate`."""

    @trace_user_frame
    @check_arg_types
    def sort(self, key: ColumnExpression | tuple[Any, ...], instance: Any = None) -> Table:
        """The ids of the rows before and after each row, as columns `prev` and `next`.

        The first row has no `prev`, the last one no `next`. Rows with equal keys are in the order of their
        ids.

        Args:
            key: what the rows are ordered by, ascending; a tuple of expressions for several.
            instance: rows are neighbours only within equal values of this expression.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... n
        ... 30
        ... 10
        ... 20
        ... ''')
        >>> order = t.sort(t.n)
        >>> before = t.select(t.n, before=t.ix(order.prev, optional=True).n)
        >>> pw.debug.compute_and_print(before, include_id=False)
        n  | before
        10 |
        20 | 10
        30 | 20
        """
        scope = TableScope(cast("Table", self))
        lowered = None if instance is None else scope.lower(column_value(instance))
        return self._wrap(self._engine.sort(scope.lower(column_value(key)), lowered, current_frame()))

    @trace_user_frame
    @check_arg_types
    def diff(
        self, timestamp: ColumnReference, *values: ColumnReference, instance: ColumnReference | None = None
    ) -> Table:
        """The difference of values to those of the row before, as columns `diff_...`.

        It is None in the first row, and where one of the two values is None.

        Args:
            timestamp: the order of the rows.
            values: columns of numbers or datetimes.
            instance: the row before is looked for within equal values of this column.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... ts | v
        ... 1  | 1
        ... 2  | 4
        ... 3  | 9
        ... ''')
        >>> pw.debug.compute_and_print(t.select(t.v) + t.diff(t.ts, t.v), include_id=False)
        v | diff_v
        1 |
        4 | 3
        9 | 5
        """
        scope = TableScope(cast("Table", self))
        names = [_own(self, value, scope, "diff") for value in values]
        lowered = None if instance is None else scope.lower(instance)
        return self._wrap(self._engine.diff(scope.lower(timestamp), names, lowered, current_frame()))

    @trace_user_frame
    def interpolate(
        self, timestamp: ColumnReference, *values: ColumnReference, mode: Any = InterpolateMode.LINEAR
    ) -> Table:
        """The table with missing values of some columns filled in; they become `float`.

        A value is on the line between the nearest ones before and after in the order of the timestamps; where
        there is only one of these, it is that one.

        Args:
            timestamp: a column of numbers, datetimes or durations.
            values: columns of numbers, where None is missing.
            mode: `InterpolateMode.LINEAR`.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... ts | v
        ... 1  | 1
        ... 2  |
        ... 4  | 7
        ... 5  |
        ... ''')
        >>> pw.debug.compute_and_print(t.interpolate(t.ts, t.v), include_id=False)
        ts | v
        1  | 1.0
        2  | 3.0
        4  | 7.0
        5  | 7.0
        """
        if mode is not InterpolateMode.LINEAR:
            raise ValueError(f"interpolate: Invalid mode. {mode!r} is not InterpolateMode.LINEAR.")
        scope = TableScope(cast("Table", self))
        time = _interpolated(self, timestamp, scope, "timestamp")
        names = [_interpolated(self, value, scope, "value") for value in values]
        if time in names:
            raise AssertionError(f"interpolate: the timestamps {time} cannot be values at the same time.")
        return self._wrap(self._engine.interpolate(time, names, current_frame()))


def _own(table: OrderOperations, reference: ColumnReference, scope: TableScope, operation: str) -> str:
    """The name of a column of the table itself."""
    resolved = scope.resolve(reference)
    if resolved.table is not table or resolved.name not in table.column_names():
        raise ValueError(f"{operation}() takes columns of its table, and {reference!r} is none.")
    return resolved.name


def _interpolated(table: OrderOperations, given: Any, scope: TableScope, parameter: str) -> str:
    problem = f"Table.interpolate(): Invalid column reference for the parameter {parameter}"
    if isinstance(given, str):
        raise ValueError(f"{problem}, found a string. Did you mean this.{given} instead of {given!r}?")
    if not isinstance(given, ColumnReference):
        raise ValueError(f"{problem}: {given!r}.")
    return _own(table, given, scope, "interpolate")
