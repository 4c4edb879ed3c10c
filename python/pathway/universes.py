"""`pw.universes`: promises about sets of row ids that the plan cannot prove.

>>> import pathway as pw
>>> a = pw.debug.table_from_markdown('''
...   | v
... 1 | x
... ''')
>>> b = pw.debug.table_from_markdown('''
...   | v
... 2 | y
... ''')
>>> pw.universes.promise_are_pairwise_disjoint(a, b)
>>> pw.debug.compute_and_print(a.concat(b), include_id=False)
v
x
y
"""

from __future__ import annotations

from typing import Any

from pathway._engine import Universe
from pathway.internals.groupby import Grouped
from pathway.internals.table_like import TableLike, _show_warnings
from pathway.internals.trace import trace_user_frame


@trace_user_frame
def promise_are_pairwise_disjoint(self: Any, *others: Any) -> None:
    """Promises that no row id is in two of the tables."""
    if others:
        Universe.promise_disjoint([_universe_of(table) for table in (self, *others)])
        _show_warnings()


@trace_user_frame
def promise_is_subset_of(self: Any, *others: Any) -> None:
    """Promises that all row ids of the first table are in each of the others."""
    for other in others:
        _universe_of(self).promise_subset_of(_universe_of(other))
    _show_warnings()


@trace_user_frame
def promise_are_equal(self: Any, *others: Any) -> None:
    """Promises that all tables have the same row ids."""
    for other in others:
        _universe_of(self).promise_equal_to(_universe_of(other))
    _show_warnings()


def _universe_of(table: Any) -> Universe:
    if not isinstance(table, (TableLike, Grouped)):
        raise AttributeError(f"promises are made about tables, joins and groups, not about {table!r}.")
    return table._universe


__all__ = ["promise_are_equal", "promise_are_pairwise_disjoint", "promise_is_subset_of"]
