"""Operations on rows by their time; they are functions of `pw.temporal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.groupby import GroupedTable
    from pathway.internals.table import Table


class TemporalOperations(TableCore):
    """`windowby`, and what goes by the clock on the wall."""

    @trace_user_frame
    def windowby(self, *args: Any, **kwargs: Any) -> GroupedTable:
        """See [`pathway.temporal.windowby`][]."""
        from pathway.stdlib import temporal

        return temporal.windowby(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def inactivity_detection(self, *args: Any, **kwargs: Any) -> Table:
        """See [`pathway.temporal.inactivity_detection`][]."""
        from pathway.stdlib import temporal

        return temporal.inactivity_detection(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def add_update_timestamp_utc(self, *args: Any, **kwargs: Any) -> Table:
        """See [`pathway.temporal.add_update_timestamp_utc`][]."""
        from pathway.stdlib import temporal

        return temporal.add_update_timestamp_utc(cast("Table", self), *args, **kwargs)
