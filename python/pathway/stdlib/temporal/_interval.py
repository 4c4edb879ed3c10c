"""`interval`: how far two times may be apart."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from pathway.internals.runtime_type_check import check_arg_types
from pathway.internals.trace import trace_user_frame


@dataclass
class Interval:
    """The differences from `lower_bound` to `upper_bound`, both included."""

    lower_bound: int | float | datetime.timedelta
    upper_bound: int | float | datetime.timedelta


@trace_user_frame
@check_arg_types
def interval(
    lower_bound: int | float | datetime.timedelta,
    upper_bound: int | float | datetime.timedelta,
) -> Interval:
    """How far the time of the right row of an interval join may be from that of the left one.

    Args:
        lower_bound: the least difference; negative if the right row may come first.
        upper_bound: the greatest difference.

    >>> import pathway as pw
    >>> pw.temporal.interval(-2, 1)
    Interval(lower_bound=-2, upper_bound=1)
    """
    return Interval(lower_bound, upper_bound)
