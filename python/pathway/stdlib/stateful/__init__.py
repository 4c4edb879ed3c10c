"""Operations that remember what came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame

__all__ = ["deduplicate"]


@trace_user_frame
def deduplicate(
    table: Table[Any],
    *,
    col: Any,
    instance: ColumnExpression | tuple[Any, ...] | None = None,
    acceptor: Callable[..., Any],
    name: str | None = None,
) -> Table[Any]:
    """`table.deduplicate` with the value under the name `col`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... n
    ... 4
    ... 5
    ... 9
    ... ''')
    >>> kept = pw.stateful.deduplicate(t, col=t.n, acceptor=lambda new, accepted: new > accepted + 3)
    >>> pw.debug.compute_and_print(kept, include_id=False)
    n
    9
    """
    return table.deduplicate(value=col, instance=instance, acceptor=acceptor, name=name)
