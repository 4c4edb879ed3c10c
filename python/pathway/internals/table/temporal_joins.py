"""Joins by time; they are functions of `pw.temporal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway.internals.table.core import TableCore
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table
    from pathway.stdlib.temporal import (
        AsofJoinResult,
        AsofNowJoinResult,
        IntervalJoinResult,
        WindowJoinResult,
    )


class TemporalJoinOperations(TableCore):
    """`asof_join`, `asof_now_join`, `interval_join`, `window_join` and their variants."""

    @trace_user_frame
    def interval_join(self, *args: Any, **kwargs: Any) -> IntervalJoinResult:
        """See [`pathway.temporal.interval_join`][]."""
        from pathway.stdlib import temporal

        return temporal.interval_join(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def interval_join_inner(self, *args: Any, **kwargs: Any) -> IntervalJoinResult:
        """See [`pathway.temporal.interval_join_inner`][]."""
        from pathway.stdlib import temporal

        return temporal.interval_join_inner(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def interval_join_left(self, *args: Any, **kwargs: Any) -> IntervalJoinResult:
        """See [`pathway.temporal.interval_join_left`][]."""
        from pathway.stdlib import temporal

        return temporal.interval_join_left(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def interval_join_right(self, *args: Any, **kwargs: Any) -> IntervalJoinResult:
        """See [`pathway.temporal.interval_join_right`][]."""
        from pathway.stdlib import temporal

        return temporal.interval_join_right(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def interval_join_outer(self, *args: Any, **kwargs: Any) -> IntervalJoinResult:
        """See [`pathway.temporal.interval_join_outer`][]."""
        from pathway.stdlib import temporal

        return temporal.interval_join_outer(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_join(self, *args: Any, **kwargs: Any) -> AsofJoinResult:
        """See [`pathway.temporal.asof_join`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_join(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_join_left(self, *args: Any, **kwargs: Any) -> AsofJoinResult:
        """See [`pathway.temporal.asof_join_left`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_join_left(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_join_right(self, *args: Any, **kwargs: Any) -> AsofJoinResult:
        """See [`pathway.temporal.asof_join_right`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_join_right(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_join_outer(self, *args: Any, **kwargs: Any) -> AsofJoinResult:
        """See [`pathway.temporal.asof_join_outer`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_join_outer(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_now_join(self, *args: Any, **kwargs: Any) -> AsofNowJoinResult:
        """See [`pathway.temporal.asof_now_join`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_now_join(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_now_join_inner(self, *args: Any, **kwargs: Any) -> AsofNowJoinResult:
        """See [`pathway.temporal.asof_now_join_inner`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_now_join_inner(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def asof_now_join_left(self, *args: Any, **kwargs: Any) -> AsofNowJoinResult:
        """See [`pathway.temporal.asof_now_join_left`][]."""
        from pathway.stdlib import temporal

        return temporal.asof_now_join_left(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def window_join(self, *args: Any, **kwargs: Any) -> WindowJoinResult:
        """See [`pathway.temporal.window_join`][]."""
        from pathway.stdlib import temporal

        return temporal.window_join(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def window_join_inner(self, *args: Any, **kwargs: Any) -> WindowJoinResult:
        """See [`pathway.temporal.window_join_inner`][]."""
        from pathway.stdlib import temporal

        return temporal.window_join_inner(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def window_join_left(self, *args: Any, **kwargs: Any) -> WindowJoinResult:
        """See [`pathway.temporal.window_join_left`][]."""
        from pathway.stdlib import temporal

        return temporal.window_join_left(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def window_join_right(self, *args: Any, **kwargs: Any) -> WindowJoinResult:
        """See [`pathway.temporal.window_join_right`][]."""
        from pathway.stdlib import temporal

        return temporal.window_join_right(cast("Table", self), *args, **kwargs)

    @trace_user_frame
    def window_join_outer(self, *args: Any, **kwargs: Any) -> WindowJoinResult:
        """See [`pathway.temporal.window_join_outer`][]."""
        from pathway.stdlib import temporal

        return temporal.window_join_outer(cast("Table", self), *args, **kwargs)
