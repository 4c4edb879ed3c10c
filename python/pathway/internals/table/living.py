"""`Table.live`: a table that is computed while the program goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.interactive import LiveTable
    from pathway.internals.table import Table


class LiveOperations(TableCore):
    """`live`."""

    @trace_user_frame
    def live(self) -> LiveTable:
        """Begins to compute the table in the background; the result can be looked at while that goes on.

        What the table has is taken in when something else is computed from it, at the times of then; what
        happens later follows. It works with any number of workers in one process.

        Returns:
            A table with the same rows, and with `snapshot`, `frontier`, `failed`, `subscribe` and `stop`.

        Raises:
            NotImplementedError: in a program of several processes.

        >>> import pathway as pw
        >>> import warnings
        >>> warnings.simplefilter("ignore")
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 1
        ... 2
        ... ''')
        >>> total = t.reduce(total=pw.reducers.sum(t.a)).live()
        >>> total.wait()
        True
        >>> [values for _, values in total.snapshot().data]
        [[3]]
        >>> pw.debug.compute_and_print(total.select(twice=2 * total.total), include_id=False)
        twice
        6
        """
        from pathway.internals.interactive import live

        return live(cast("Table", self))
