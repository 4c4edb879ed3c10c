"""Operations on rows by their time; they are functions of `pw.temporal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table
    from pathway.stdlib.temporal._windowby import WindowedTable


class TemporalOperations(TableCore):
    """`windowby`."""

    @trace_user_frame
    def windowby(self, *args: Any, **kwargs: Any) -> WindowedTable:
        """See [`pathway.temporal.windowby`][]."""
        from pathway.stdlib import temporal

        return temporal.windowby(cast("Table", self), *args, **kwargs)
