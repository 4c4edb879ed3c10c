"""Operations on rows in an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame

if TYPE_CHECKING:
    from pathway.internals.table import Table

__all__ = ["diff"]


@trace_user_frame
@check_arg_types
def diff(table: Table[Any], timestamp: Any, *values: Any, instance: Any = None) -> Table[Any]:
    """`table.diff`: the difference of values to those of the row before.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... ts | v
    ... 1  | 2
    ... 2  | 5
    ... ''')
    >>> pw.debug.compute_and_print(t + pw.ordered.diff(t, t.ts, t.v), include_id=False)
    ts | v | diff_v
    1  | 2 |
    2  | 5 | 3
    """
    return table.diff(timestamp, *values, instance=instance)
