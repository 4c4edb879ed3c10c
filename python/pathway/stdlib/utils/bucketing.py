"""Times put into buckets."""

from __future__ import annotations

import datetime


def truncate_to_minutes(time: datetime.datetime) -> datetime.datetime:
    """The start of the minute.

    >>> truncate_to_minutes(datetime.datetime(2024, 5, 1, 10, 31, 45, 7))
    datetime.datetime(2024, 5, 1, 10, 31)
    """
    return time - datetime.timedelta(seconds=time.second, microseconds=time.microsecond)
