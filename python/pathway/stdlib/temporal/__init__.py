"""`pw.temporal`: rows grouped and joined by time."""

from pathway.stdlib.temporal._asof_join import (
    AsofJoinResult,
    Direction,
    asof_join,
    asof_join_left,
    asof_join_outer,
    asof_join_right,
)
from pathway.stdlib.temporal._asof_now_join import (
    AsofNowJoinResult,
    asof_now_join,
    asof_now_join_inner,
    asof_now_join_left,
)
from pathway.stdlib.temporal._interval import Interval, interval
from pathway.stdlib.temporal._interval_join import (
    IntervalJoinResult,
    interval_join,
    interval_join_inner,
    interval_join_left,
    interval_join_outer,
    interval_join_right,
)
from pathway.stdlib.temporal._window import Window, intervals_over, session, sliding, tumbling
from pathway.stdlib.temporal._window_join import (
    WindowJoinResult,
    window_join,
    window_join_inner,
    window_join_left,
    window_join_outer,
    window_join_right,
)
from pathway.stdlib.temporal._windowby import windowby
from pathway.stdlib.temporal.temporal_behavior import (
    CommonBehavior,
    ExactlyOnceBehavior,
    common_behavior,
    exactly_once_behavior,
)
from pathway.stdlib.temporal.time_utils import add_update_timestamp_utc, inactivity_detection, utc_now

__all__ = [
    "AsofJoinResult",
    "AsofNowJoinResult",
    "CommonBehavior",
    "Direction",
    "ExactlyOnceBehavior",
    "Interval",
    "IntervalJoinResult",
    "Window",
    "WindowJoinResult",
    "add_update_timestamp_utc",
    "asof_join",
    "asof_join_left",
    "asof_join_outer",
    "asof_join_right",
    "asof_now_join",
    "asof_now_join_inner",
    "asof_now_join_left",
    "common_behavior",
    "exactly_once_behavior",
    "inactivity_detection",
    "interval",
    "interval_join",
    "interval_join_inner",
    "interval_join_left",
    "interval_join_outer",
    "interval_join_right",
    "intervals_over",
    "session",
    "sliding",
    "tumbling",
    "utc_now",
    "window_join",
    "window_join_inner",
    "window_join_left",
    "window_join_outer",
    "window_join_right",
    "windowby",
]
