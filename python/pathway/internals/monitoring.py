"""`pw.MonitoringLevel`: how much of a run is shown."""

from __future__ import annotations

import enum


class MonitoringLevel(enum.Enum):
    """How much of a run is shown while it is going on."""

    AUTO = 0
    AUTO_ALL = 1
    NONE = 2
    IN_OUT = 3
    ALL = 4
