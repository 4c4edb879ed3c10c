"""Operations that depend on the order in which changes come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from pathway._engine import Acceptor
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.expression.nodes import column_value
from pathway.internals.resolve import TableScope
from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.table.core import TableCore
from pathway.internals.trace import current_frame, trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table


class StreamOperations(TableCore):
    """`deduplicate`."""

    @trace_user_frame
    @check_arg_types
    def deduplicate(
        self,
        *,
        value: Any,
        instance: ColumnExpression | None = None,
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
            instance: rows are compared within equal values of this expression; by default all are.
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
                None if instance is None else scope.lower(instance),
                Acceptor(acceptor, getattr(acceptor, "__qualname__", type(acceptor).__name__)),
                name,
                current_frame(),
            )
        )
