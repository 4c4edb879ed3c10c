"""Operations that depend on the order in which changes come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from pathway._engine import Acceptor
from pathway.internals.acceptor import asking
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import column_value, operand
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.table_like import TableLike
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class StreamOperations(TableCore):
    """`deduplicate`; tables as streams of events, and back."""

    @trace_user_frame
    @check_arg_types
    def deduplicate(
        self,
        *,
        value: Any,
        instance: ColumnExpression | tuple[Any, ...] | None = None,
        acceptor: Callable[..., Any],
        name: str | None = None,
    ) -> Table:
        """Of the rows of each instance the one that was accepted last.

        The first row of an instance is accepted. Every later one is offered to `acceptor(new, accepted)`,
        which gets the two values, and takes the accepted row's place if the result is true; rows that come
        together are offered in the order of their values. That a row is removed from the input changes
        nothing.

        Args:
            value: what the acceptor compares, an expression or a tuple of expressions.
            instance: rows are compared within equal values of this expression, or tuple of expressions; by
                default all are.
            acceptor: decides whether a row takes the place of the accepted one.
            name: the name under which the accepted rows persist.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... n | __time__
        ... 1 | 2
        ... 2 | 4
        ... 3 | 6
        ... ''')
        >>> kept = t.deduplicate(value=t.n, acceptor=lambda new, accepted: new >= accepted + 2)
        >>> pw.debug.compute_and_print_update_stream(kept, include_id=False)
        n | __time__ | __diff__
        1 | 2        | 1
        1 | 6        | -1
        3 | 6        | 1
        """
        if not callable(acceptor):
            raise TypeError(f"deduplicate() needs a function as acceptor, not {acceptor!r}.")
        scope = TableScope(cast("Table", self))
        return self._wrap(
            self._engine.deduplicate(
                scope.lower(column_value(value)),
                None if instance is None else scope.lower(operand(instance)),
                Acceptor(asking(acceptor), getattr(acceptor, "__qualname__", type(acceptor).__name__)),
                name,
                current_frame(),
            )
        )

    @trace_user_frame
    @check_arg_types
    def to_stream(self, upsert_column_name: str = "is_upsert") -> Table:
        """One row for each id that changes at a time, and never a removal.

        It has the new values and `True`, or, if there is no such id any more, the old ones and `False`. The
        same id may come many times, which most operations do not expect: filter, select and write such
        a table.

        Args:
            upsert_column_name: the name of the column with the flag, the last one unless there is such a
                column.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a | __time__ | __diff__
        ... 1 | 5 | 2        | 1
        ... 1 | 5 | 4        | -1
        ... 1 | 6 | 4        | 1
        ... 1 | 6 | 6        | -1
        ... ''')
        >>> pw.debug.compute_and_print_update_stream(t.to_stream(), include_id=False)
        a | is_upsert | __time__ | __diff__
        5 | True      | 2        | 1
        6 | True      | 4        | 1
        6 | False     | 6        | 1
        """
        return self._wrap(self._engine.to_stream(upsert_column_name, current_frame()))

    @trace_user_frame
    @check_arg_types
    def stream_to_table(self, is_upsert: ColumnExpression) -> Table:
        """The table that events make: they set the row of their id, or remove it.

        Args:
            is_upsert: true to set the row, false to remove it. All columns are kept.

        >>> import pathway as pw
        >>> events = pw.debug.table_from_markdown('''
        ...   | a | keep  | __time__
        ... 1 | 5 | True  | 2
        ... 2 | 6 | True  | 2
        ... 1 | 7 | True  | 4
        ... 2 | 0 | False | 6
        ... ''')
        >>> table = events.stream_to_table(events.keep).select(pw.this.a)
        >>> pw.debug.compute_and_print(table, include_id=False)
        a
        7
        """
        scope = TableScope(cast("Table", self))
        return self._wrap(self._engine.stream_to_table(scope.lower(is_upsert), current_frame()))

    @trace_user_frame
    @check_arg_types
    def from_streams(self, deletion_stream: TableLike) -> Table:
        """The table that two streams make: the rows of this one set rows, those of the other remove them.

        Args:
            deletion_stream: only its ids matter.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ...   | a | __time__ | __diff__
        ... 1 | 5 | 2        | 1
        ... 2 | 6 | 2        | 1
        ... 1 | 5 | 4        | -1
        ... ''')
        >>> events = t.to_stream()
        >>> same = pw.Table.from_streams(
        ...     events.filter(events.is_upsert).without("is_upsert"), events.filter(~events.is_upsert)
        ... )
        >>> pw.debug.compute_and_print(same, include_id=False)
        a
        6
        """
        return self._wrap(self._engine.stream_with_deletions(deletion_stream._engine, current_frame()))

    @trace_user_frame
    def assert_append_only(self) -> Table:
        """The table with all its columns append-only; a removal raises `ValueError` in the run.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a
        ... 5
        ... ''')
        >>> counts = t.groupby(t.a).reduce(t.a)
        >>> counts.is_append_only, counts.assert_append_only().is_append_only
        (False, True)
        """
        return self._wrap(self._engine.assert_append_only(current_frame()))

    @trace_user_frame
    def unpack_snapshots(self) -> Table:
        """Whenever the table changes, all its rows, each with a new id; nothing is ever removed.

        >>> import pathway as pw
        >>> t = pw.debug.table_from_markdown('''
        ... a | __time__
        ... 5 | 2
        ... 6 | 4
        ... ''')
        >>> pw.debug.compute_and_print_update_stream(t.unpack_snapshots(), include_id=False)
        a | __time__ | __diff__
        5 | 2        | 1
        5 | 4        | 1
        6 | 4        | 1
        """
        return self._wrap(self._engine.unpack_snapshots(current_frame()))

    def _remove_retractions(self) -> Table:
        """The insertions of each time, without its removals."""
        return self._wrap(self._engine.keep_insertions(current_frame()))
