"""Rows and a clock of events: what is late, what is held back, what is forgotten.

The clock of an operation is the largest time of all rows that have reached it, whatever happens to them
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pathway._engine import Expr
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import operand
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class ForgettingOperations(TableCore):
    """`ignore_late`, `buffer`, `forget`, `filter_out_results_of_forgetting`."""

    @trace_user_frame
    @check_arg_types
    def ignore_late(self, time_column: ColumnExpression, threshold: Any) -> Table:
        """Without rows that come too late: whose time plus threshold the clock had reached before.

        A removal that comes too late is dropped as well, unless another row with that id comes.

        Args:
            time_column: the times of the rows.
            threshold: how long a row may come late: a number, or a duration where times are datetimes.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... t | __time__
        ... 1 | 2
        ... 8 | 4
        ... 3 | 6
        ... 7 | 6
        ... ''')
        >>> pw.debug.compute_and_print(t.ignore_late(t.t, 3), include_id=False)
        t
        1
        7
        8
        """
        return self._freeze(self._due("ignore_late", time_column, threshold), time_column)

    @trace_user_frame
    @check_arg_types
    def buffer(self, time_column: ColumnExpression, threshold: Any) -> Table:
        """The rows from when the clock has reached their time plus threshold.

        What is still held back when the input ends comes then. A row that is removed while it is held back
        is never seen.

        Args:
            time_column: the times of the rows.
            threshold: how long a row is held back, by the clock.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... t | __time__
        ... 1 | 2
        ... 2 | 4
        ... 5 | 6
        ... ''')
        >>> pw.debug.compute_and_print_update_stream(t.buffer(t.t, 3), include_id=False)
        t | __time__             | __diff__
        1 | 6                    | 1
        2 | 6                    | 1
        5 | 18446744073709551614 | 1
        """
        return self._buffer(self._due("buffer", time_column, threshold), time_column)

    @trace_user_frame
    @check_arg_types
    def forget(
        self, time_column: ColumnExpression, threshold: Any, mark_forgetting_records: bool = False
    ) -> Table:
        """The rows until the clock has reached their time plus threshold.

        They are removed when the next rows come after that. What comes to be removed from the input later is
        ignored.

        Args:
            time_column: the times of the rows.
            threshold: how long a row stays, by the clock.
            mark_forgetting_records: the removals come at an odd time, right after the rows that cause them;
                `filter_out_results_of_forgetting` takes out all that came of them.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... t | __time__
        ... 1 | 2
        ... 5 | 4
        ... 3 | 6
        ... ''')
        >>> pw.debug.compute_and_print_update_stream(t.forget(t.t, 3), include_id=False)
        t | __time__ | __diff__
        1 | 2        | 1
        5 | 4        | 1
        1 | 6        | -1
        3 | 6        | 1
        """
        return self._forget(self._due("forget", time_column, threshold), time_column, mark_forgetting_records)

    @trace_user_frame
    @check_arg_types
    def filter_out_results_of_forgetting(self, ensure_consistency: bool = False) -> Table:
        """Without all that came of removals marked by `forget`: as if nothing had been forgotten.

        Args:
            ensure_consistency: what is left may insert an id that is there, or remove a row that is not; if
                set, such changes are made to fit. This keeps a row for each id.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... t | __time__
        ... 1 | 2
        ... 5 | 4
        ... 9 | 6
        ... ''')
        >>> recent = t.forget(t.t, 3, mark_forgetting_records=True)
        >>> pw.debug.compute_and_print(recent.filter_out_results_of_forgetting(), include_id=False)
        t
        1
        5
        9
        """
        engine = self._engine.filter_out_results_of_forgetting(ensure_consistency, current_frame())
        return self._wrap(engine)

    @trace_user_frame
    @check_arg_types
    def _freeze(
        self,
        threshold_column: ColumnExpression,
        time_column: ColumnExpression,
        instance_column: ColumnExpression | None = None,
    ) -> Table:
        threshold, time, instance = self._controls(threshold_column, time_column, instance_column)
        return self._wrap(self._engine.freeze(threshold, time, instance, current_frame()))

    @trace_user_frame
    @check_arg_types
    def _buffer(
        self,
        threshold_column: ColumnExpression,
        time_column: ColumnExpression,
        instance_column: ColumnExpression | None = None,
    ) -> Table:
        threshold, time, instance = self._controls(threshold_column, time_column, instance_column)
        return self._wrap(self._engine.buffer(threshold, time, instance, current_frame()))

    @trace_user_frame
    @check_arg_types
    def _forget(
        self,
        threshold_column: ColumnExpression,
        time_column: ColumnExpression,
        mark_forgetting_records: bool,
        instance_column: ColumnExpression | None = None,
    ) -> Table:
        threshold, time, instance = self._controls(threshold_column, time_column, instance_column)
        marks = mark_forgetting_records
        return self._wrap(self._engine.forget(threshold, time, marks, instance, current_frame()))

    def _due(self, operation: str, time_column: ColumnExpression, threshold: Any) -> ColumnExpression:
        """The time plus threshold; both are known for every row."""
        for part in (time_column, operand(threshold)):
            dtype = self.eval_type(part)
            if dtype.kind in ("optional", "none", "any", "json"):
                raise TypeError(
                    f"{operation}(): {part!r} is of type {dtype}, but every row needs its time and "
                    "threshold. Remove None with coalesce or a filter, convert Json, and tell the type "
                    "of Any with declare_type."
                )
        due: ColumnExpression = time_column + threshold
        return due

    def _controls(
        self, threshold: ColumnExpression, time: ColumnExpression, instance: Any
    ) -> tuple[Expr, Expr, Expr | None]:
        scope = TableScope(cast("Table", self))
        lowered = None if instance is None else scope.lower(instance)
        return scope.lower(threshold), scope.lower(time), lowered

    @trace_user_frame
    def _forget_immediately(self) -> Table:
        """The rows at the time when they come only; their removals are marked."""
        return self._wrap(self._engine.forget_immediately(current_frame()))
