"""`pw.temporal`: rows grouped and joined by time."""

from pathway.stdlib.temporal._interval import Interval, interval
from pathway.stdlib.temporal._interval_join import (
    IntervalJoinResult,
    interval_join,
    interval_join_inner,
    interval_join_left,
    interval_join_outer,
    interval_join_right,
)
from pathway.stdlib.temporal._window import Window, sliding, tumbling
from pathway.stdlib.temporal._windowby import windowby

__all__ = [
    "Interval",
    "IntervalJoinResult",
    "Window",
    "interval",
    "interval_join",
    "interval_join_inner",
    "interval_join_left",
    "interval_join_outer",
    "interval_join_right",
    "sliding",
    "tumbling",
    "windowby",
]
