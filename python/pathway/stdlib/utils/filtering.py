"""Rows chosen by comparing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pathway.internals import reducers
from pathway.internals.expression.column import ColumnReference
from pathway.internals.expression.expression import ColumnExpression
from pathway.internals.table import Table
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def argmax_rows(table: Table, *on: ColumnReference, what: Any) -> Table:
    """In each group (by the columns `on`) the row with the greatest `what`.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... shop | n
    ... A    | 2
    ... A    | 5
    ... B    | 1
    ... ''')
    >>> pw.debug.compute_and_print(pw.utils.filtering.argmax_rows(t, t.shop, what=t.n), include_id=False)
    shop | n
    A    | 5
    B    | 1
    """
    return _chosen_rows(table, on, reducers.argmax, what)


@trace_user_frame
def argmin_rows(table: Table, *on: ColumnReference, what: Any) -> Table:
    """In each group (by the columns `on`) the row with the smallest `what`."""
    return _chosen_rows(table, on, reducers.argmin, what)


def _chosen_rows(
    table: Table, on: tuple[ColumnReference, ...], choose: Callable[..., ColumnExpression], what: Any
) -> Table:
    if not isinstance(table, Table):
        raise AttributeError(f"rows are chosen from a table; {table!r} is none.")
    chosen = table.groupby(*on).reduce(row=choose(what))
    ids = chosen.with_id(chosen.row).promise_universe_is_subset_of(table)
    return table.restrict(ids)
