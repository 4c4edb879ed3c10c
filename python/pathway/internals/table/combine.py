"""Operations that bring the rows of several tables together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class CombineOperations(TableCore):
    """`concat`, `concat_reindex`, `update_cells`, `update_rows`."""

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
