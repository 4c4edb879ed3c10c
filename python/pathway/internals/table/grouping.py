"""`groupby` and `reduce` of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.groupby import GroupedTable
from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class GroupOperations(TableCore):
    """Rows brought together by equal values."""

    @trace_user_frame
    def groupby(
        self,
        *args: Any,
        id: Any = None,
        sort_by: Any = None,
        instance: Any = None,
        _skip_errors: bool = True,
        **kwargs: Any,
    ) -> GroupedTable:
        """Rows grouped by columns; `reduce` then gives one row per group.

        Args:
            args: references of the columns to group by.
            id: a column of pointers that become the ids of the groups.
            sort_by: the order of values in `tuple` and `ndarray` reducers.
            instance: one more grouping column; groups with equal instances are computed together.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... shop | n
        ... A    | 2
        ... A    | 5
        ... B    | 1
        ... ''')
        >>> sums = t.groupby(t.shop).reduce(t.shop, total=pw.reducers.sum(t.n))
        >>> pw.debug.compute_and_print(sums, include_id=False)
        shop | total
        A    | 7
        B    | 1
        """
        if kwargs:
            raise ValueError(
                f"groupby() has no parameters {', '.join(kwargs)}; output columns are computed by reduce: "
                "table.groupby(...).reduce(name=...)."
            )
        return GroupedTable.create(
            cast("Table", self),
            args,
            id=id,
            sort_by=sort_by,
            instance=instance,
            skip_errors=_skip_errors,
        )

    @trace_user_frame
    def reduce(self, *args: Any, **kwargs: Any) -> Table:
        """One row made of all rows.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... n
        ... 2
        ... 5
        ... ''')
        >>> pw.debug.compute_and_print(t.reduce(total=pw.reducers.sum(t.n)), include_id=False)
        total
        7
        """
        return self.groupby().reduce(*args, **kwargs)
