"""Operations that bring the rows of several tables together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pathway.internals.expression.nodes import column_value
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class CombineOperations(TableCore):
    """`concat`, `concat_reindex`, `update_cells`, `update_rows`, gradual broadcast."""

    @trace_user_frame
    def _gradual_broadcast(
        self, threshold_table: Table, lower_column: Any, value_column: Any, upper_column: Any
    ) -> Table:
        """The rows with a value that all of them know roughly, as the column `apx_value: float`.

        It is one of the two numbers around the value, and for the more rows the upper one the nearer the
        value is to it. When only the value moves, few rows change.

        Args:
            threshold_table: a table of one row; without it there are no rows.
            lower_column, value_column, upper_column: the numbers, expressions over it.

        Raises:
            TypeError: if they are no numbers.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_rows(pw.schema_from_types(n=int), [(n,) for n in range(100)])
        >>> around = pw.debug.table_from_rows(
        ...     pw.schema_from_types(lower=float, value=float, upper=float), [(0.0, 2.5, 10.0)]
        ... )
        >>> known = t._gradual_broadcast(around, around.lower, around.value, around.upper)
        >>> counts = known.groupby(known.apx_value).reduce(known.apx_value, n=pw.reducers.count())
        >>> pw.debug.compute_and_print(counts, include_id=False)
        apx_value | n
        0.0       | 77
        10.0      | 23
        """
        scope = TableScope(threshold_table)
        numbers = (lower_column, value_column, upper_column)
        lower, value, upper = (scope.lower(column_value(number)) for number in numbers)
        thresholds = threshold_table._engine
        return self._wrap(self._engine.gradual_broadcast(thresholds, lower, value, upper, current_frame()))

    @trace_user_frame
    @check_arg_types
    def concat(self, *others: Table) -> Table:
        """All rows of all tables, under their ids, which must be disjoint.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 5
        ... 2
        ... ''')
        >>> big, small = t.split(t.a > 3)
        >>> pw.debug.compute_and_print(big.concat(small), include_id=False)
        a
        2
        5
        """
        return self._wrap(self._engine.concat([other._engine for other in others], current_frame()))

    @trace_user_frame
    @check_arg_types
    def concat_reindex(self, *tables: Table) -> Table:
        """All rows of all tables, under new ids.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 5
        ... 2
        ... ''')
        >>> pw.debug.compute_and_print(t.concat_reindex(t), include_id=False)
        a
        2
        2
        5
        5
        """
        return self._wrap(self._engine.concat_reindex([t._engine for t in tables], current_frame()))

    @trace_user_frame
    @check_arg_types
    def update_cells(self, other: Table) -> Table:
        """The rows of this table, with the cells that `other` has taken from there.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a | b
        ... 1 | 5 | x
        ... 2 | 2 | y
        ... ''')
        >>> new = pw.debug.table_from_markdown('''
        ...   | a
        ... 2 | 9
        ... ''').promise_universe_is_subset_of(t)
        >>> pw.debug.compute_and_print(t.update_cells(new), include_id=False)
        a | b
        5 | x
        9 | y
        """
        return self._wrap(self._engine.update_cells(other._engine, current_frame()))

    def __lshift__(self, other: Table) -> Table:
        if not isinstance(other, TableCore):
            return NotImplemented
        return self.update_cells(other)

    @trace_user_frame
    @check_arg_types
    def update_rows(self, other: Table) -> Table:
        """The rows of both tables; where an id is in both, the row of `other`.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a
        ... 1 | 5
        ... 2 | 2
        ... ''')
        >>> new = pw.debug.table_from_markdown('''
        ...   | a
        ... 2 | 9
        ... 3 | 7
        ... ''')
        >>> pw.debug.compute_and_print(t.update_rows(new), include_id=False)
        a
        5
        7
        9
        """
        result = self._engine.update_rows(other._engine, current_frame())
        if result.node == other._engine.node:
            from pathway.internals.parse_graph import G

            G.touch()
            return other
        return self._wrap(result)
