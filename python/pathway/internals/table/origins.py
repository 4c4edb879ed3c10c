"""`Table.why`: where a row comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway._engine import Pointer
from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.debug.why import Reason
    from pathway.internals.table import Table


class OriginOperations(TableCore):
    """Looking back from a row."""

    @trace_user_frame
    def why(
        self,
        row: Pointer | str | None = None,
        *,
        limit: int = 10,
        options: dict[str, Any] | None = None,
        **cells: Any,
    ) -> Reason:
        """Where a row comes from: rows of the tables before, with operations and lines, back to the inputs.

        Computes what is needed for it until the inputs end, as `pw.debug.compute_and_print` does.

        Args:
            row: the id, or the beginning of its text as it is printed; without it, the cells tell the row.
            limit: how many rows are followed where one comes from more, as that of a group does.
            options: those of `pw.run`.
            cells: cells of the row, by column.

        Raises:
            KeyError: there is no such row when the inputs have ended, or there are several.
            ValueError: an input does not end.

        >>> import pathway as pw
        >>> flights = pw.debug.table_from_markdown('''
        ... origin | delay
        ... EWR    | 12
        ... JFK    | -3
        ... EWR    | 70
        ... ''')
        >>> late = flights.filter(pw.this.delay > 0)
        >>> counts = late.groupby(pw.this.origin).reduce(pw.this.origin, n=pw.reducers.count())
        >>> reason = counts.why(origin="EWR")
        >>> reason.operations, [row.operations for row in reason.origins]
        (['groupby'], [['filter'], ['filter']])
        >>> sorted(row.cells["delay"] for row in reason.inputs())
        [12, 70]
        """
        from pathway.debug.why import why

        return why(cast("Table", self), row, cells, limit, options or {})
