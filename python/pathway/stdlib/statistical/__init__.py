"""Operations on series of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame
from pathway.stdlib.statistical._interpolate import InterpolateMode

if TYPE_CHECKING:
    from pathway.internals.table import Table

__all__ = ["InterpolateMode", "interpolate"]


@trace_user_frame
@check_arg_types
def interpolate(
    table: Table[Any], timestamp: Any, *values: Any, mode: Any = InterpolateMode.LINEAR
) -> Table[Any]:
    """`table.interpolate`: missing values of some columns filled in.

    >>> import pathway as pw
    >>> t = pw.debug.table_from_markdown('''
    ... ts | v
    ... 1  | 2
    ... 2  |
    ... ''')
    >>> pw.debug.compute_and_print(pw.statistical.interpolate(t, t.ts, t.v), include_id=False)
    ts | v
    1  | 2.0
    2  | 2.0
    """
    return table.interpolate(timestamp, *values, mode=mode)
